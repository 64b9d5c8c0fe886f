package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// The write side settles a Deferred once; what is attached to the read side
// runs then, within that call.
func ExampleNew() {
	d, res := future.New[int]()
	future.Then(d, func(v int) (string, error) {
		fmt.Println("got", v)
		return "", nil
	})
	fmt.Println("settling")
	fmt.Println(res.Succeed(42))
	fmt.Println(res.Fail(errors.New("too late")))
	fmt.Println(d)
	// Output:
	// settling
	// got 42
	// true
	// false
	// Deferred[int](42)
}
