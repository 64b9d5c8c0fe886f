package future_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"weak"

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

// The context of a coroutine that calls runtime.Goexit ends, as that of one that
// returns.
func TestGoexitInACoroutineEndsItsContext(t *testing.T) {
	onReactors(t, func(t *testing.T, r *reactor.Reactor, run func()) {
		var its context.Context
		d := future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
			its = ctx
			runtime.Goexit()
			return 0, nil
		})
		run()
		wantError(t, d, "", failure.ErrGoexit)
		if its.Err() != context.Canceled {
			t.Errorf("its context says %v", its.Err())
		}
	})
}

// A coroutine does not keep what it has awaited, also while it waits for
// something else.
func TestCoroutineLetsGoOfWhatItHasAwaited(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var gone weak.Pointer[future.Deferred[*big]]
	next, res := future.New[int]()
	future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
		func() {
			d := future.After(r, 1, new(big))
			gone = weak.Make(d)
			d.Await(ctx)
		}()
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		return next.Await(derived)
	})
	clk.Advance(1)
	wantGone(t, "what was awaited", gone)
	res.Succeed(1)
	clk.Advance(0)
}

// A loop that stops while what it has is awaited elsewhere ends that wait, not
// the next one of the same coroutine.
func TestStopOfAnotherLoopEndsOneWait(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := reactor.New(clock.System())
	var loops sync.WaitGroup
	loops.Go(func() { a.Run(ctx) })
	for range 20_000 / (1 + 9*underRace) {
		b := reactor.New(clock.System())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		x := future.After(b, 1<<40, 0)
		next, res := future.NewOn[int](a)
		waits := make(chan bool)
		d := future.AsyncOn(ctx, a, func(ctx context.Context) (int, error) {
			close(waits)
			x.Await(ctx)
			return next.Await(ctx)
		})
		<-waits
		a.Post(func() {}) // so that it waits
		b.Stop()
		<-ended
		res.Succeed(7)
		if v, err := d.Await(ctx); v != 7 || err != nil {
			t.Errorf("got %v, %v", v, err)
			break
		}
	}
	a.Stop()
	loops.Wait()
}
