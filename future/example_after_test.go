package future_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// Thirty days pass in no time.
func ExampleAfter() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	paid := future.After(r, 30*24*time.Hour, "paid")
	clk.Advance(30*24*time.Hour - 1)
	fmt.Println(paid)
	clk.Advance(1)
	fmt.Println(paid)
	// Output:
	// Deferred[string](pending)
	// Deferred[string](paid)
}
