package future_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// A plain goroutine waits; the pair it gets is that of any Go call.
func ExampleDeferred_Await() {
	ctx := context.Background()
	answer, res := future.New[int]()
	go res.Succeed(42)
	v, err := answer.Await(ctx)
	fmt.Println(v, err)
	// Output: 42 <nil>
}

// Who gives up waiting harms nobody: the Deferred goes on.
func ExampleDeferred_Await_giveUp() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	answer, res := future.New[int]()
	_, err := answer.Await(ctx)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, future.ErrCanceled))
	res.Succeed(42)
	fmt.Println(answer.Await(ctx)) // it is there: no wait
	// Output:
	// true false
	// 42 <nil>
}
