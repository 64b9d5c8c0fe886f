package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Result looks without waiting.
func ExampleDeferred_Result() {
	d, res := future.New[int]()
	_, err := d.Result()
	fmt.Println(errors.Is(err, future.ErrPending))
	res.Succeed(1)
	fmt.Println(d.Result())
	// Output:
	// true
	// 1 <nil>
}
