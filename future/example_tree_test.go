package future_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A deadline over a tree: one Timeout at its root cancels every leaf that is
// pending.
func ExampleDeferred_Timeout_tree() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	leaf := func(name string) *future.Deferred[string] {
		d, res := future.NewOn[string](r)
		res.OnCancel(func(error) { fmt.Println("cancel", name) })
		return d
	}
	greeting := future.Then(future.All(leaf("title"), leaf("name")),
		func(parts []string) (string, error) { return parts[0] + " " + parts[1], nil })
	footer := future.ThenFlat(future.After(r, time.Millisecond, "footer"), leaf)
	letter := future.Join2(greeting, footer,
		func(a, b string) (string, error) { return a + "\n" + b, nil }).Timeout(r, time.Second)

	clk.Advance(time.Second)
	fmt.Println(letter)
	// Output:
	// cancel title
	// cancel name
	// cancel footer
	// Deferred[string](failed: future: no outcome within 1s)
}
