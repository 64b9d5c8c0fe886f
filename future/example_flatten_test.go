package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Either outcome may lead to another wait: Handle says which, Flatten waits.
func ExampleFlatten() {
	cached, res := future.New[string]()
	fetch := future.Succeed("from the network")
	page := future.Flatten(future.Handle(cached, func(page string, err error) (*future.Deferred[string], error) {
		if err != nil {
			return fetch, nil
		}
		return future.Succeed(page), nil
	}))
	res.Fail(fmt.Errorf("not in the cache"))
	fmt.Println(page.Result())
	// Output: from the network <nil>
}
