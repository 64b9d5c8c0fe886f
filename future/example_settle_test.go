package future_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// Where an interface wants a Deferred, a value that is there already will do.
func ExampleSucceed() {
	lookup := func(id int) *future.Deferred[string] {
		return future.Succeed("user " + strconv.Itoa(id))
	}
	fmt.Println(lookup(7).Result())
	// Output: user 7 <nil>
}

func ExampleFail() {
	d := future.Fail[int](errors.New("out of stock"))
	fmt.Println(d.Result())
	// Output: 0 out of stock
}

// Settle takes what any Go call returns.
func ExampleSettle() {
	fmt.Println(future.Settle(strconv.Atoi("12")))
	fmt.Println(future.Settle(strconv.Atoi("twelve")))
	// Output:
	// Deferred[int](12)
	// Deferred[int](failed: strconv.Atoi: parsing "twelve": invalid syntax)
}
