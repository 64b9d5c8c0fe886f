package future_test

import (
	"fmt"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// Then takes functions that return a value and an error, as most of Go's do.
func ExampleThen() {
	text, res := future.New[string]()
	number := future.Then(text, strconv.Atoi)
	twice := future.Then(number, func(v int) (int, error) { return 2 * v, nil })

	res.Succeed("21")
	fmt.Println(twice.Result())
	// Output: 42 <nil>
}

// A failure skips the callbacks that want a value.
func ExampleThen_failure() {
	text, res := future.New[string]()
	number := future.Then(text, strconv.Atoi)
	twice := future.Then(number, func(v int) (int, error) {
		fmt.Println("not called")
		return 2 * v, nil
	})

	res.Succeed("many")
	fmt.Println(twice.Result())
	// Output: 0 strconv.Atoi: parsing "many": invalid syntax
}
