package task_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// An index of many pages is made on the loop, a page a unit, and a ticker shows
// how far it is. After every three pages it waits until they are on disk.
func ExampleCooperator() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	pages, indexed := 8, 0
	index := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[string]) bool) {
		for i := range pages {
			indexed++ // the work
			var written *future.Deferred[string]
			if i%3 == 2 {
				written = future.After(r, 15*time.Millisecond, "written")
			}
			if !yield(written) {
				return
			}
		}
	})
	var tick func()
	tick = func() {
		fmt.Printf("%d of %d pages\n", indexed, pages)
		if indexed < pages {
			r.CallLater(10*time.Millisecond, tick)
		}
	}
	tick()
	future.Then(index.WhenDone(), func(struct{}) (int, error) {
		return fmt.Println("done")
	})

	clk.Advance(time.Minute)
	// Output:
	// 0 of 8 pages
	// 3 of 8 pages
	// 6 of 8 pages
	// 6 of 8 pages
	// done
	// 8 of 8 pages
}

// The tasks have their turns one after the other.
func ExampleCooperate() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	c := task.NewCooperator(r)

	count := func(name string) func(func(*future.Deferred[int]) bool) {
		return func(yield func(*future.Deferred[int]) bool) {
			for i := range 3 {
				fmt.Print(name, i, " ")
				if !yield(nil) {
					return
				}
			}
		}
	}
	task.Cooperate(c, count("a"))
	task.Cooperate(c, count("b"))
	clk.Advance(0)
	// Output: a0 b0 a1 b1 a2 b2
}

// Each pause has its own resume.
func ExampleTask_Pause() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	c := task.NewCooperator(r, task.Units(1)) // so that Step is a unit

	t := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
		for i := 0; yield(nil); i++ {
			fmt.Println("unit", i)
		}
		fmt.Println("stopped")
	})
	clk.Step()
	clk.Step()
	resume := t.Pause()
	clk.Advance(time.Hour)
	fmt.Println("paused")
	resume()
	clk.Step()
	fmt.Println(t.Stop())
	clk.Advance(0)
	fmt.Println(t.WhenDone().Result())
	// Output:
	// unit 0
	// paused
	// unit 1
	// true
	// stopped
	// {} future: canceled: task: stopped
}
