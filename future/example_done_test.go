package future_test

import (
	"fmt"
	"os"

	"github.com/deferred-go/deferred/future"
)

// Done is for a select beside other channels.
func ExampleDeferred_Done() {
	d, res := future.New[string]()
	interrupt := make(chan os.Signal, 1)
	go res.Succeed("finished")

	select {
	case <-d.Done():
		fmt.Println(d.Result())
	case <-interrupt:
		d.Cancel(nil)
	}
	// Output: finished <nil>
}
