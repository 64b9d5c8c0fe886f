package future_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// A function on a goroutine of its own; its panic is a failure, not the end of
// the program.
func ExampleGo() {
	ctx := context.Background()
	sum := future.Go(ctx, func(context.Context) (int, error) { return 1 + 2, nil })
	broken := future.Go(ctx, func(context.Context) (int, error) {
		var none []int
		return none[len(none)], nil
	})
	fmt.Println(sum.Await(ctx))
	_, err := broken.Await(ctx)
	fmt.Println(errors.Is(err, failure.ErrPanic), err)
	// Output:
	// 3 <nil>
	// true panic: runtime error: index out of range [0] with length 0
}

// A Cancel settles the result at once and ends the function's context.
func ExampleGo_cancel() {
	started, ended := make(chan bool), make(chan bool)
	d := future.Go(context.Background(), func(ctx context.Context) (string, error) {
		close(started)
		<-ctx.Done()
		close(ended)
		return "dropped", nil
	})
	<-started
	d.Cancel(errors.New("no longer needed"))
	fmt.Println(d)
	<-ended
	// Output: Deferred[string](failed: future: canceled: no longer needed)
}
