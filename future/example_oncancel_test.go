package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// A call is an operation of a library that reports by a callback.
type call struct{ report func(int, error) }

func dial(report func(int, error)) *call { return &call{report} }

func (c *call) finish(v int) { c.report(v, nil) }
func (c *call) abort()       { fmt.Println("aborted"); c.report(0, fmt.Errorf("aborted")) }

// A callback API becomes a Deferred: its callback settles, its abort is the
// canceller.
func ExampleResolver_OnCancel() {
	start := func() (*future.Deferred[int], *call) {
		d, res := future.New[int]()
		c := dial(func(v int, err error) { res.Settle(v, err) })
		res.OnCancel(func(error) { c.abort() })
		return d, c
	}

	d, c := start()
	c.finish(200)
	fmt.Println(d)

	d, _ = start()
	d.Cancel(nil)
	fmt.Println(d)
	// Output:
	// Deferred[int](200)
	// aborted
	// Deferred[int](failed: aborted)
}
