package lock_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// Two programs share a folder, and only one at a time writes to it. The other
// waits until it is let in, but not for ever.
func ExampleFile() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := clk.Now()
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	write := func(who string, takes time.Duration) {
		store := lock.NewFile(r, filepath.Join(dir, "lock"))
		d := lock.Run(store.Acquire().Timeout(r, time.Minute), func() *future.Deferred[string] {
			fmt.Println(clk.Now().Sub(start), who, "writes")
			return future.After(r, takes, who)
		})
		future.Handle(d, func(_ string, err error) (int, error) {
			fmt.Println(clk.Now().Sub(start), who, "is done:", err)
			return 0, nil
		})
	}
	write("one", 1250*time.Millisecond)
	write("two", 2*time.Hour)
	clk.Advance(2 * time.Second)
	write("three", 0)
	clk.Advance(time.Hour)

	_, err = lock.NewFile(r, filepath.Join(dir, "lock")).TryAcquire()
	fmt.Println("locked:", errors.Is(err, lock.ErrLocked))
	clk.Advance(time.Hour)
	// Output:
	// 0s one writes
	// 1.25s one is done: <nil>
	// 1.3s two writes
	// 1m2s three is done: future: no outcome within 1m0s
	// locked: true
	// 2h0m1.3s two is done: <nil>
}
