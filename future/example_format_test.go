package future_test

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/deferred-go/deferred/future"
)

func parse(string) (int, error) { return 0, errors.New("not a number") }

func double(v int) (int, error) { return 2 * v, nil }

// The state for people, and with a plus the callbacks that a failure came from
// and through.
func ExampleDeferred_Format() {
	text, res := future.New[string]()
	number := future.Then(future.Then(text, parse), double)
	fmt.Println(number)
	res.Succeed("many")
	fmt.Printf("%v\n", number)
	fmt.Println(short(fmt.Sprintf("%+v", number)))
	// Output:
	// Deferred[int](pending)
	// Deferred[int](failed: not a number)
	// Deferred[int](failed: not a number)
	//	at parse example_format_test.go
	//	at double example_format_test.go
}

// short cuts directories and line numbers.
func short(s string) string {
	return regexp.MustCompile(`at \S+\.(\w+) \S*/(\w+\.go):\d+`).ReplaceAllString(s, "at $1 $2")
}

func ExampleDeferred_String() {
	fmt.Println(future.Succeed([]int{1, 2}).String())
	// Output: Deferred[[]int]([1 2])
}
