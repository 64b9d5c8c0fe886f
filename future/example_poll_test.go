package future_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A loop that polls is a function that calls itself; it takes constant memory,
// however long it runs.
func ExampleThenFlat_pollLoop() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	progress, rounds := 0, 0
	var poll func() *future.Deferred[string]
	poll = func() *future.Deferred[string] {
		rounds++
		return future.ThenFlat(future.After(r, time.Second, 7), func(step int) *future.Deferred[string] {
			if progress += step; progress >= 70_000 {
				return future.Succeed("complete")
			}
			return poll()
		})
	}
	d := poll()
	clk.Advance(24 * time.Hour)
	fmt.Println(d, "after", rounds, "rounds")
	// Output: Deferred[string](complete) after 10000 rounds
}
