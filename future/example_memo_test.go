package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Work that many ask for is done once while it runs, and again after a failure.
// Each gets a shield: nobody can cancel it for the others.
func ExampleDeferred_Shield_memo() {
	var load *future.Deferred[string]
	var loaded future.Resolver[string]
	loads := 0
	config := func() *future.Deferred[string] {
		if load == nil {
			loads++
			load, loaded = future.New[string]()
			load.Catch(func(err error) (string, error) {
				load = nil // the next one tries again
				return "", err
			})
		}
		return load.Shield()
	}

	one, two := config(), config()
	one.Cancel(nil)
	loaded.Succeed("verbose")
	fmt.Println(loads, two)
	fmt.Println(loads, config())
	// Output:
	// 1 Deferred[string](verbose)
	// 1 Deferred[string](verbose)
}
