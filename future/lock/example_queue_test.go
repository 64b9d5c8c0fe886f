package lock_test

import (
	"context"
	"fmt"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// Values go to who has waited longest, or are stored.
func ExampleQueue() {
	q := lock.NewQueue[string](lock.Size(1))
	future.Then(q.Get(), func(s string) (int, error) { return fmt.Println("got", s) })
	fmt.Println(q.TryPut("a"), q.TryPut("b"), q.TryPut("c"))
	fmt.Println(q.Get())
	// Output:
	// got a
	// <nil> <nil> lock: full: the queue stores no more than 1
	// Deferred[string](b)
}

// A producer that waits for room, and a consumer that ends when the queue is
// closed and empty.
func ExampleQueue_Close() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	q := lock.NewQueue[int](lock.Size(2))
	future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
		defer q.Close()
		for v := range 5 {
			if _, err := q.Put(v).Await(ctx); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	sum := future.AsyncOn(context.Background(), r, func(ctx context.Context) (sum int, err error) {
		for {
			v, err := q.Get().Await(ctx)
			if err == lock.ErrClosed {
				return sum, nil
			}
			if err != nil {
				return 0, err
			}
			sum += v
		}
	})
	clk.Advance(0)
	fmt.Println(sum)
	// Output:
	// Deferred[int](10)
}
