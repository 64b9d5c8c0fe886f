package future_test

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// onReactors runs test with a reactor on a virtual clock, and with one whose
// loop runs in a bubble. run lets the loop do what there is.
func onReactors(t *testing.T, test func(t *testing.T, r *reactor.Reactor, run func())) {
	t.Run("virtual", func(t *testing.T) {
		clk := clock.NewVirtual()
		test(t, reactor.New(clk), func() { onGoroutine(func() { clk.Advance(0) }) })
	})
	t.Run("system", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			go r.Run(t.Context())
			test(t, r, synctest.Wait)
			r.Stop()
			synctest.Wait()
		})
	})
}

// What a callback makes runnable comes before the calls without delay that it
// has made.
func TestAStepComesBeforeACallWithoutDelay(t *testing.T) {
	onReactors(t, func(t *testing.T, r *reactor.Reactor, run func()) {
		var j journal
		d, res := future.NewOn[int](r)
		first := future.Then(d, func(v int) (int, error) {
			r.CallLater(0, func() { j.add("call") })
			j.add("first")
			return v, nil
		})
		future.Then(first, func(v int) (int, error) { j.add("second"); return v, nil })
		res.Succeed(1)
		run()
		j.want(t, "first", "second", "call")
	})
}

// After a Goexit in a callback the chain goes on.
func TestGoexitOnAReactorLosesNoStep(t *testing.T) {
	onReactors(t, func(t *testing.T, r *reactor.Reactor, run func()) {
		d, res := future.NewOn[int](r)
		gone := future.Then(d, func(int) (int, error) { runtime.Goexit(); return 0, nil })
		saved := gone.Catch(func(error) (int, error) { return 2, nil })
		last := future.Then(saved, inc)
		res.Succeed(1)
		run()
		run()
		wantError(t, gone, "", failure.ErrGoexit)
		wantOutcome(t, last, 3, nil)
	})
}
