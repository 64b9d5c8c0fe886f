package future_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// What must not be lost is taken back by who made it.
func ExampleResolver_Succeed() {
	d, res := future.New[connection]()
	d.Cancel(nil)
	conn := connection("connection 1")
	if !res.Succeed(conn) {
		conn.Close()
	}
	// Output: closing connection 1
}

type connection string

func (c connection) Close() { fmt.Println("closing", c) }

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
