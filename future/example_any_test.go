package future_test

import (
	"errors"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// The first success counts; a failure before it does not matter.
func ExampleAny() {
	near, resNear := future.New[string]()
	far, resFar := future.New[string]()
	first := future.Any(near, far)
	resNear.Fail(errors.New("near is down"))
	resFar.Succeed("far")
	fmt.Println(first.Result())
	// Output: far <nil>
}

// If all fail, no error is lost.
func ExampleAny_allFail() {
	errNear, errFar := errors.New("near is down"), errors.New("far is down")
	_, err := future.Any(future.Fail[string](errNear), future.Fail[string](errFar)).Result()
	fmt.Println(errors.Is(err, errNear), errors.Is(err, errFar))
	// Output: true true
}
