package lock_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// Downloads share ten megabytes of memory. The large one waits for its turn,
// and the small one that comes after it does not overtake.
func ExampleSemaphore() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	memory := lock.NewSemaphore(10)
	download := func(name string, size int) {
		lock.Run(memory.Acquire(size).On(r), func() *future.Deferred[int] {
			fmt.Printf("%ds: %s starts\n", r.Now().Second(), name)
			return future.After(r, time.Second, size)
		})
	}
	download("photo", 4)
	download("film", 9)
	download("song", 2)
	clk.Advance(time.Minute)
	fmt.Println(memory.Free(), "are free")
	// Output:
	// 0s: photo starts
	// 1s: film starts
	// 2s: song starts
	// 10 are free
}
