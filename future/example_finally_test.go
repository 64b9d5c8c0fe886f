package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Finally cleans up, however it ended.
func ExampleDeferred_Finally() {
	copied, res := future.New[int]()
	done := copied.Finally(func() error {
		fmt.Println("closing the file")
		return nil
	})
	res.Succeed(1024)
	fmt.Println(done.Result())
	// Output:
	// closing the file
	// 1024 <nil>
}

// An error of the clean-up is not lost, and does not hide the first.
func ExampleDeferred_Finally_error() {
	errRead, errClose := errors.New("read failed"), errors.New("close failed")
	done := future.Fail[int](errRead).Finally(func() error { return errClose })
	_, err := done.Result()
	fmt.Println(errors.Is(err, errRead), errors.Is(err, errClose))
	// Output: true true
}
