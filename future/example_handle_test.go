package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Handle is for what is of interest either way.
func ExampleHandle() {
	report := func(size int, err error) (string, error) {
		if err != nil {
			return "no page: " + err.Error(), nil
		}
		return fmt.Sprint("a page of ", size, " bytes"), nil
	}
	fmt.Println(future.Handle(future.Succeed(512), report))
	fmt.Println(future.Handle(future.Fail[int](errors.New("no route")), report))
	// Output:
	// Deferred[string](a page of 512 bytes)
	// Deferred[string](no page: no route)
}
