package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Hold keeps what is attached to a Deferred back until it may run.
func ExampleDeferred_Hold() {
	config, res := future.New[string]()
	held, release := config.Hold()
	future.Then(held, func(s string) (int, error) { return fmt.Println("start with", s) })

	res.Succeed("verbose")
	fmt.Println("ready")
	release()
	// Output:
	// ready
	// start with verbose
}
