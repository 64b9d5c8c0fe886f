package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// Callbacks of a Deferred on a reactor run on its loop, never inside the call
// that settles it.
func ExampleNewOn() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	d, res := future.NewOn[int](r)
	future.Then(d, func(v int) (int, error) {
		fmt.Println("got", v)
		return v, nil
	})
	res.Succeed(42)
	fmt.Println("settled")
	clk.Advance(0)
	// Output:
	// settled
	// got 42
}
