package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// To share a Deferred, hand out shields: nobody can cancel it for the others.
func ExampleDeferred_Shield() {
	config, res := future.New[string]()
	one, two := config.Shield(), config.Shield()

	one.Cancel(nil)
	res.Succeed("verbose")
	fmt.Println(one)
	fmt.Println(two)
	// Output:
	// Deferred[string](failed: future: canceled)
	// Deferred[string](verbose)
}
