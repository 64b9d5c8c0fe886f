package future_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A getter fetches a URL once, blocking, and returns the size.
type getter func(ctx context.Context, url string) (int, error)

// fetch tries three times, each at most for a second.
func fetch(ctx context.Context, r future.Executor, get getter, url string) *future.Deferred[int] {
	return future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) {
		for try := 1; ; try++ {
			size, err := hedged(ctx, r, get, url).Timeout(r, time.Second).Await(ctx)
			if err == nil || try == 3 {
				return size, err
			}
			if _, err := future.After(r, time.Duration(try)*100*time.Millisecond, 0).Await(ctx); err != nil {
				return 0, err
			}
		}
	})
}

// hedged asks once more when there is no answer after 300 ms, and takes the
// first.
func hedged(ctx context.Context, r future.Executor, get getter, url string) *future.Deferred[int] {
	ask := func(string) *future.Deferred[int] {
		return future.GoOn(ctx, r, func(ctx context.Context) (int, error) { return get(ctx, url) })
	}
	return future.Any(ask(url), future.ThenFlat(future.After(r, 300*time.Millisecond, url), ask))
}

// A hedged fetch with retries, of a server that at first is slow.
func Example_hedgedFetch() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := clk.Now()

	delays := []time.Duration{time.Minute, time.Minute, 900 * time.Millisecond, 50 * time.Millisecond}
	get := func(ctx context.Context, url string) (int, error) { // blocking code
		delay := delays[0]
		delays = delays[1:]
		fmt.Println(clk.Now().Sub(start), "asking", url)
		return future.After(r, delay, len(url)).Await(ctx)
	}
	size := fetch(context.Background(), r, get, "example.org")
	future.Then(size, func(n int) (int, error) {
		fmt.Println(clk.Now().Sub(start), "got", n)
		return n, nil
	})
	clk.Advance(time.Minute)
	fmt.Println("still scheduled:", clk.Pending())
	// Output:
	// 0s asking example.org
	// 300ms asking example.org
	// 1.1s asking example.org
	// 1.4s asking example.org
	// 1.45s got 11
	// still scheduled: 0
}
