package future_test

import (
	"context"
	"fmt"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// What comes from another goroutine goes on on the loop.
func ExampleDeferred_On() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	size := future.Go(context.Background(), func(context.Context) (int, error) { return 512, nil })
	total := 0 // of the loop: no lock
	future.Then(size.On(r), func(n int) (int, error) {
		total += n
		return total, nil
	})
	release := clk.Hold() // until the goroutine's result has got to the loop
	size.Finally(func() error { release(); return nil })
	clk.Advance(0)
	fmt.Println(total)
	// Output: 512
}
