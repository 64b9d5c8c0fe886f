package future_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A retry with growing pauses is a for loop in a coroutine.
func ExampleAsyncOn_retry() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := clk.Now()

	tries := 0
	ask := func() *future.Deferred[string] {
		tries++
		fmt.Println(clk.Now().Sub(start), "try", tries)
		if tries < 3 {
			return future.Fail[string](errors.New("busy"))
		}
		return future.Succeed("here you are")
	}
	answer := future.AsyncOn(context.Background(), r, func(ctx context.Context) (string, error) {
		for try := 1; ; try++ {
			answer, err := ask().Await(ctx)
			if err == nil || try == 5 {
				return answer, err
			}
			pause := time.Duration(try) * 100 * time.Millisecond
			if _, err := future.After(r, pause, struct{}{}).Await(ctx); err != nil {
				return "", err
			}
		}
	})
	clk.Advance(time.Second)
	fmt.Println(answer)
	// Output:
	// 0s try 1
	// 100ms try 2
	// 300ms try 3
	// Deferred[string](here you are)
}
