package task_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// A heartbeat. The clock is virtual, so half a minute takes no time.
func ExampleNewLoop() {
	clk := clock.NewVirtual()
	start := clk.Now()

	beat := task.NewLoop(clk, func(int) error {
		fmt.Println("alive at", clk.Now().Sub(start))
		return nil
	})
	ended := beat.Start(10 * time.Second)

	clk.Advance(25 * time.Second)
	beat.Stop()
	clk.Advance(time.Hour)
	fmt.Println(ended)
	// Output:
	// alive at 0s
	// alive at 10s
	// alive at 20s
	// Deferred[struct {}]({})
}

// A function that takes longer than its interval misses grid points. They are
// not made up for, but it is told how many there were.
func ExampleNewLoopFlat() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	start := r.Now()

	frames := 0
	draw := task.NewLoopFlat(r, func(n int) *future.Deferred[struct{}] {
		frames += n
		fmt.Println("at", r.Now().Sub(start), "frame", frames)
		return future.After(r, 25*time.Millisecond, struct{}{})
	})
	draw.Start(10 * time.Millisecond)

	clk.Advance(100 * time.Millisecond)
	draw.Stop()
	// Output:
	// at 0s frame 1
	// at 30ms frame 4
	// at 60ms frame 7
	// at 90ms frame 10
}

// A function that fails ends its loop.
func ExampleLoop_Start() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	disk := 2
	watch := task.NewLoop(r, func(int) error {
		if disk == 0 {
			return errors.New("disk full")
		}
		disk--
		return nil
	})
	ended := watch.Start(time.Minute)
	ended.Catch(func(err error) (struct{}, error) {
		fmt.Println("gave up:", err)
		return struct{}{}, nil
	})

	clk.Advance(time.Hour)
	// Output:
	// gave up: disk full
}

// poll returns a Loop that asks something that takes three seconds.
func poll(r *reactor.Reactor) *task.Loop {
	return task.NewLoopFlat(r, func(int) *future.Deferred[string] {
		fmt.Println("asks")
		return future.Then(future.After(r, 3*time.Second, "answer"), func(s string) (string, error) {
			fmt.Println("has the", s)
			return s, nil
		})
	})
}

// Stop lets the call in progress finish; what Start has returned settles after
// that.
func ExampleLoop_Stop() {
	clk := clock.NewVirtual()
	l := poll(reactor.New(clk))

	ended := l.Start(10 * time.Second)
	clk.Advance(11 * time.Second)
	l.Stop()
	fmt.Println(ended)
	clk.Advance(10 * time.Second)
	fmt.Println(ended)
	// Output:
	// asks
	// has the answer
	// asks
	// Deferred[struct {}](pending)
	// has the answer
	// Deferred[struct {}]({})
}

// A Cancel of what Start has returned gives up the call in progress.
func ExampleLoop_Stop_cancel() {
	clk := clock.NewVirtual()
	l := poll(reactor.New(clk))

	ended := l.Start(10 * time.Second)
	clk.Advance(11 * time.Second)
	ended.Cancel(errors.New("shutdown"))
	clk.Advance(0) // the reactor's turn
	fmt.Println(ended)
	fmt.Println(clk.Pending(), "scheduled")
	// Output:
	// asks
	// has the answer
	// asks
	// Deferred[struct {}](failed: future: canceled: shutdown)
	// 0 scheduled
}

// A watchdog barks if nobody resets it for ten seconds.
func ExampleLoop_Reset() {
	clk := clock.NewVirtual()
	start := clk.Now()

	dog := task.NewLoop(clk, func(int) error {
		fmt.Println("silence at", clk.Now().Sub(start))
		return nil
	})
	dog.StartLater(10 * time.Second)

	for range 3 {
		clk.Advance(7 * time.Second)
		dog.Reset()
	}
	clk.Advance(15 * time.Second)
	dog.Stop()
	// Output:
	// silence at 31s
}

func pour(what string) (string, error) {
	fmt.Println("pours", what)
	return what, nil
}

// A call that is made once, later.
func Example_later() {
	clk := clock.NewVirtual()

	later := future.Then(future.After(clk, time.Minute, "tea"), pour)

	clk.Advance(time.Minute)
	fmt.Println(later)
	// Output:
	// pours tea
	// Deferred[string](tea)
}
