package future_test

import (
	"context"
	"fmt"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A counter is state of the loop: only its callbacks touch it, so it needs no
// lock, though any goroutine may ask.
type counter struct {
	r future.Executor
	n map[string]int
}

func (c *counter) add(key string) *future.Deferred[int] {
	return future.AsyncOn(context.Background(), c.r, func(context.Context) (int, error) {
		c.n[key]++
		return c.n[key], nil
	})
}

// Goroutines share state on the loop, without locks.
func ExampleAsyncOn_stateOnTheLoop() {
	r := reactor.New(clock.System())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()

	c := &counter{r: r, n: map[string]int{}}
	var adds []*future.Deferred[int]
	for range 8 {
		adds = append(adds, future.Go(ctx, func(ctx context.Context) (int, error) {
			for range 99 {
				c.add("visits").Await(ctx)
			}
			return c.add("visits").Await(ctx)
		}))
	}
	counts, err := future.All(adds...).Await(ctx)
	highest := 0
	for _, n := range counts {
		highest = max(highest, n)
	}
	fmt.Println(highest, err)
	stop()
	<-ended
	// Output: 800 <nil>
}
