package future_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// A cancel goes up to what is pending, and comes back as a failure that tells
// why.
func ExampleDeferred_Cancel() {
	errUser := errors.New("the user has left")
	download, res := future.New[[]byte]()
	size := future.Then(download, func(b []byte) (int, error) { return len(b), nil })

	fmt.Println(size.Cancel(errUser))
	_, err := size.Result()
	fmt.Println(err)
	fmt.Println(errors.Is(err, future.ErrCanceled), errors.Is(err, context.Canceled), errors.Is(err, errUser))
	fmt.Println("a late result is refused:", res.Succeed([]byte("late")))
	// Output:
	// true
	// future: canceled: the user has left
	// true true true
	// a late result is refused: false
}
