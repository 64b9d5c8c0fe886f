package future_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// The end of a context cancels what is pending.
func ExampleDeferred_WithContext() {
	ctx, cancel := context.WithCancelCause(context.Background())
	errShutdown := errors.New("shutting down")

	d, res := future.New[int]()
	res.OnCancel(func(cause error) { fmt.Println("asked to stop:", cause) })
	bound := d.WithContext(ctx)
	cancel(errShutdown)
	_, err := bound.Await(context.Background())
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, errShutdown))
	// Output:
	// asked to stop: shutting down
	// true true
}
