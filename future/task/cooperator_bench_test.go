package task_test

import (
	"iter"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/internal/versus"
)

// endless is a task that goes on until it is stopped.
func endless(yield func(*future.Deferred[int]) bool) {
	for yield(nil) {
	}
}

// unitsOf returns a function that runs n units of so many endless tasks, or a
// slice more.
func unitsOf(tb testing.TB, tasks int) (run func(n int)) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	c := task.NewCooperator(r)
	for range tasks {
		task.Cooperate(c, endless)
	}
	tb.Cleanup(func() {
		c.Stop()
		clk.Advance(0)
	})
	run = func(n int) {
		for ; n > 0; n -= 1000 {
			clk.Step()
		}
	}
	run(tasks) // each has begun
	return run
}

// A unit of 10,000 tasks against one of 10.
func BenchmarkVersus_unit_10000_tasks(b *testing.B) {
	many, few := unitsOf(b, 10_000), unitsOf(b, 10)
	b.ResetTimer()
	versus.Compare(b, b.N, many, few)
}

// A unit against a bare iter.Pull.
func BenchmarkVersus_unit_pull(b *testing.B) {
	next, stop := iter.Pull(endless)
	defer stop()
	units := unitsOf(b, 10)
	b.ResetTimer()
	versus.Compare(b, b.N, units, func(n int) {
		for range n {
			next()
		}
	})
}

// The same for 10,000 iterators, so that the memory they take tells.
func BenchmarkVersus_unit_10000_pulls(b *testing.B) {
	nexts := make([]func() (*future.Deferred[int], bool), 10_000)
	for i := range nexts {
		next, stop := iter.Pull(endless)
		defer stop()
		next()
		nexts[i] = next
	}
	units := unitsOf(b, 10_000)
	i := 0
	b.ResetTimer()
	versus.Compare(b, b.N, units, func(n int) {
		for range n {
			nexts[i%len(nexts)]()
			i++
		}
	})
}

func TestCooperator_a_unit_allocates_nothing(t *testing.T) {
	units := unitsOf(t, 100)
	if n := testing.AllocsPerRun(50, func() { units(1000) }); n >= 1 {
		t.Errorf("1000 units allocate %v times", n)
	}
}
