package future_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// What must not be lost is taken back by who made it.
func ExampleResolver_Succeed() {
	d, res := future.New[string]()
	d.Cancel(nil)
	if conn := "connection 1"; !res.Succeed(conn) {
		fmt.Println("closing", conn)
	}
	// Output: closing connection 1
}

func ExampleResolver_Fail() {
	d, res := future.New[string]()
	res.Fail(errors.New("no route to host"))
	fmt.Println(d)
	// Output: Deferred[string](failed: no route to host)
}

// Settle takes the pair that a Go call returns.
func ExampleResolver_Settle() {
	d, res := future.New[int]()
	res.Settle(strconv.Atoi("7"))
	fmt.Println(d)
	// Output: Deferred[int](7)
}
