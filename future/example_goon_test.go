package future_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// Blocking code runs on a worker; in a test it lives on virtual time, as long
// as it waits with Await.
func ExampleGoOn() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := clk.Now()

	get := func(ctx context.Context) (int, error) {
		return future.After(r, 20*time.Second, 512).Await(ctx)
	}
	size := future.GoOn(context.Background(), r, get)
	future.Then(size, func(n int) (int, error) {
		fmt.Println(n, "bytes after", clk.Now().Sub(start))
		return n, nil
	})
	clk.Advance(time.Minute)
	// Output: 512 bytes after 20s
}
