package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// A Deferred is handed out before it is known who will answer.
func ExampleResolver_Follow() {
	answer, res := future.New[string]()
	fmt.Println(answer)

	worker, workerRes := future.New[string]()
	fmt.Println(res.Follow(worker))
	workerRes.Succeed("42")
	fmt.Println(answer)
	// Output:
	// Deferred[string](pending)
	// true
	// Deferred[string](42)
}
