package future_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/deferred-go/deferred/future"
)

// Catch mends one failure and lets every other one go on.
func ExampleDeferred_Catch() {
	orDefault := func(err error) (string, error) {
		if errors.Is(err, fs.ErrNotExist) {
			return "default settings", nil
		}
		return "", err
	}
	missing := future.Fail[string](&fs.PathError{Op: "open", Path: "app.conf", Err: fs.ErrNotExist})
	locked := future.Fail[string](&fs.PathError{Op: "open", Path: "app.conf", Err: fs.ErrPermission})
	fmt.Println(missing.Catch(orDefault).Result())
	fmt.Println(locked.Catch(orDefault).Result())
	// Output:
	// default settings <nil>
	//  open app.conf: permission denied
}

// CatchFlat asks somebody else when the first one fails.
func ExampleDeferred_CatchFlat() {
	primary, down := future.New[string]()
	replica, up := future.New[string]()
	answer := primary.CatchFlat(func(err error) *future.Deferred[string] {
		fmt.Println("primary:", err)
		return replica
	})
	down.Fail(errors.New("connection refused"))
	up.Succeed("hello from the replica")
	fmt.Println(answer.Result())
	// Output:
	// primary: connection refused
	// hello from the replica <nil>
}
