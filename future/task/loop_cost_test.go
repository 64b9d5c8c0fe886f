package task_test

import (
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// What a tick allocates, beyond what the function does.
func TestCostOfATick(t *testing.T) {
	v := clock.NewVirtual(clock.Limit(1 << 40))
	settled := future.Succeed(1)
	var res future.Resolver[int]
	var in *future.Deferred[int]
	ask := func(int) *future.Deferred[int] {
		in, res = future.New[int]() // one allocation
		return in
	}
	for _, on := range []struct {
		name  string
		clock clock.Clock
	}{{"a Virtual", v}, {"a reactor", reactor.New(v)}} {
		for _, c := range []struct {
			name   string
			loop   *task.Loop
			allocs float64 // at most
			settle bool
		}{
			{"NewLoop", task.NewLoop(on.clock, beat), 0, false},
			{"NewLoopFlat, settled", task.NewLoopFlat(on.clock, func(int) *future.Deferred[int] { return settled }), 0, false},
			{"NewLoopFlat, pending", task.NewLoopFlat(on.clock, ask), 1 + 1, true},
		} {
			t.Run(c.name+" on "+on.name, func(t *testing.T) {
				c.loop.StartLater(sec)
				defer c.loop.Stop()
				tick := func() {
					v.Advance(sec)
					if c.settle {
						res.Succeed(1)
					}
				}
				tick() // makes the timer
				if n := testing.AllocsPerRun(1000, tick); n > c.allocs {
					t.Errorf("%v allocations, want at most %v", n, c.allocs)
				}
			})
		}
	}
}

// A Start costs a few objects, be it stopped at once or not.
func TestCostOfAStart(t *testing.T) {
	v := clock.NewVirtual()
	l := task.NewLoop(v, beat)
	if n := testing.AllocsPerRun(1000, func() {
		l.StartLater(sec)
		l.Stop()
	}); n > 8 {
		t.Errorf("%v allocations, want at most 8", n)
	}
}
