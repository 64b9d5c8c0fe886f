//go:build go1.27

package future_test

import (
	"fmt"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// On Go 1.27 a chain reads from left to right.
func ExampleDeferred_Then() {
	text, res := future.New[string]()
	twice := text.
		Then(strconv.Atoi).
		Then(func(v int) (int, error) { return 2 * v, nil }).
		Catch(func(error) (int, error) { return -1, nil })

	res.Succeed("21")
	fmt.Println(twice)
	// Output: Deferred[int](42)
}

func ExampleDeferred_ThenFlat() {
	size := future.Succeed("example.org").
		ThenFlat(func(url string) *future.Deferred[string] { return future.Succeed("page of " + url) }).
		Then(func(page string) (int, error) { return len(page), nil })
	fmt.Println(size)
	// Output: Deferred[int](19)
}

func ExampleDeferred_Handle() {
	text := future.Settle(strconv.Atoi("x")).
		Handle(func(v int, err error) (string, error) { return fmt.Sprint(v, " ", err != nil), nil })
	fmt.Println(text)
	// Output: Deferred[string](0 true)
}
