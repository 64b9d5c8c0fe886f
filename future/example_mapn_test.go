package future_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// At most two downloads at a time; the results come in the order of the input.
func ExampleMapN() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := clk.Now()

	download := func(size int) *future.Deferred[string] {
		fmt.Println(clk.Now().Sub(start), "start", size)
		return future.After(r, time.Duration(size)*time.Second, fmt.Sprintf("%d MB", size))
	}
	all := future.MapN(2, []int{3, 1, 1, 2}, download)
	clk.Advance(time.Minute)
	fmt.Println(all.Result())
	// Output:
	// 0s start 3
	// 0s start 1
	// 1s start 1
	// 2s start 2
	// [3 MB 1 MB 1 MB 2 MB] <nil>
}
