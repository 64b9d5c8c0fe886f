package future_test

import (
	"context"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// Straight-line code that waits without holding up who called it.
func ExampleAsync() {
	name, resName := future.New[string]()
	age, resAge := future.New[int]()
	line := future.Async(context.Background(), func(ctx context.Context) (string, error) {
		n, err := name.Await(ctx)
		if err != nil {
			return "", err
		}
		fmt.Println("name:", n)
		a, err := age.Await(ctx)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(n, " is ", a), nil
	})
	fmt.Println(line)
	resName.Succeed("Ann")
	resAge.Succeed(41)
	fmt.Println(line)
	// Output:
	// Deferred[string](pending)
	// name: Ann
	// Deferred[string](Ann is 41)
}
