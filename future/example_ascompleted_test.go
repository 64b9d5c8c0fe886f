package future_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A range over results in the order in which they come.
func ExampleAsCompleted() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	slow := future.After(r, 3*time.Second, "slow")
	fast := future.After(r, time.Second, "fast")
	future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
		for i, out := range future.AsCompleted(ctx, slow, fast) {
			fmt.Println(i, out.Value, out.Err)
		}
		return 0, nil
	})
	clk.Advance(time.Minute)
	// Output:
	// 1 fast <nil>
	// 0 slow <nil>
}
