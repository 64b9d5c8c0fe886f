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

// A timeout cancels what it waits for.
func ExampleDeferred_Timeout() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	answer, res := future.NewOn[string](r)
	res.OnCancel(func(error) { fmt.Println("closing the connection") })
	limited := answer.Timeout(r, 2*time.Second)
	clk.Advance(2 * time.Second)
	_, err := limited.Result()
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, future.ErrCanceled))
	// Output:
	// closing the connection
	// future: no outcome within 2s
	// true false
}

// A hard bound does not wait for the clean-up of what it gives up.
func ExampleDeferred_Timeout_hardBound() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	job := future.After(r, time.Hour, "done")
	limited := job.Shield().Timeout(r, time.Second)
	clk.Advance(time.Second)
	fmt.Println(limited)
	fmt.Println("the job goes on:", job)
	// Output:
	// Deferred[string](failed: future: no outcome within 1s)
	// the job goes on: Deferred[string](pending)
}
