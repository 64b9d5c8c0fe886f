package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// The values come in the order of the inputs, whenever they were there.
func ExampleAll() {
	a, resA := future.New[string]()
	b, resB := future.New[string]()
	both := future.All(a, b)
	resB.Succeed("world")
	resA.Succeed("hello")
	fmt.Println(both.Result())
	// Output: [hello world] <nil>
}

// The first failure is the result, and the others are canceled before it shows.
func ExampleAll_firstFailure() {
	a, resA := future.New[string]()
	b, resB := future.New[string]()
	resB.OnCancel(func(cause error) { fmt.Println("b is not needed any more:", cause) })
	both := future.All(a, b)
	resA.Fail(errors.New("disk full"))
	_, err := both.Result()
	fmt.Println(err)
	// Output:
	// b is not needed any more: disk full
	// disk full
}

func ExampleAllSettled() {
	d := future.AllSettled(future.Succeed(1), future.Fail[int](errors.New("no")), future.Succeed(3))
	outs, _ := d.Result()
	for i, out := range outs {
		fmt.Println(i, out.Value, out.Err)
	}
	// Output:
	// 0 1 <nil>
	// 1 0 no
	// 2 3 <nil>
}
