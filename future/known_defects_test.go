// Defects that libraries of futures, promises and event loops are known to have
// or to have had, each with a test that this one has not. The comment of a test
// says what goes wrong elsewhere.

package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// Elsewhere waiters are kept on a stack, and run last in, first out.
func TestCallbacksRunInOrder(t *testing.T) {
	t.Parallel()
	var j journal
	d, res := future.New[int]()
	for _, name := range []string{"a", "b", "c", "d"} {
		future.Then(d, pitNote(&j, name))
	}
	res.Succeed(1)
	future.Then(d, pitNote(&j, "e"))
	j.want(t, "a", "b", "c", "d", "e")
}

// Elsewhere there is room for one callback, and a second one replaces it.
func TestASecondCallbackReplacesNone(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	one, two := future.Then(d, plus(1)), future.Then(d, plus(2))
	caught, other := d.Catch(func(error) (int, error) { return 3, nil }), d.Finally(pitNothing)
	res.Succeed(10)
	for i, got := range []pitDeferred{other, one, two} {
		wantOutcome(t, got, 10+i, nil)
	}
	wantOutcome(t, caught, 10, nil)
}

// Elsewhere a callback that is attached after the outcome has come never runs.
func TestALateCallbackRuns(t *testing.T) {
	t.Parallel()
	wantOutcome(t, future.Then(future.Succeed(1), inc), 2, nil)
	wantOutcome(t, future.Fail[int](errA).Catch(func(error) (int, error) { return 3, nil }), 3, nil)
	canceled, _ := future.New[int]()
	canceled.Cancel(nil)
	wantOutcome(t, canceled.Catch(func(error) (int, error) { return 4, nil }), 4, nil)
}

// Elsewhere the error of the first waiter whose context ends is kept as the
// result, for all.
func TestAWaiterThatGivesUpPoisonsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, res := future.New[int]()
		short, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		patient := make(chan int, 1)
		go func() { v, _ := d.Await(background); patient <- v }()
		if _, err := d.Await(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Await = %v", err)
		}
		wantPending(t, d)
		res.Succeed(5)
		if v := <-patient; v != 5 {
			t.Errorf("the other waiter got %d", v)
		}
		if v, err := d.Await(short); v != 5 || err != nil {
			t.Errorf("the next Await = %d, %v", v, err)
		}
	})
}

// Elsewhere an outcome that is there and a context that has ended are raced for
// at random, by a select.
func TestAnOutcomeThatIsThereWinsOverAnEndedContext(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(background)
	cancel()
	d := future.Succeed(3)
	for range 100 {
		if v, err := d.Await(ended); v != 3 || err != nil {
			t.Fatalf("Await = %d, %v", v, err)
		}
	}
}

// Elsewhere a panic in a continuation, which runs on a goroutine of the
// library, ends the process; or it ends the loop.
func TestAPanicInAContinuationEndsNothingElse(t *testing.T) {
	t.Parallel()
	bad := func(int) (int, error) { panic(errA) }
	task := func(context.Context) (int, error) { panic(errA) }
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	ds := []pitDeferred{
		future.Then(future.Succeed(1), bad), future.Then(future.After(r, 1, 0), bad), future.Then(future.Go(background, task), inc),
		future.GoOn(background, r, task), future.Async(background, task), future.AsyncOn(background, r, task),
		future.Then(future.Succeed(1).On(r), bad).Finally(pitNothing),
	}
	last := future.After(r, 2, 7)
	clk.Run()
	for _, d := range ds {
		if _, err := d.Await(background); !errors.Is(err, failure.ErrPanic) || !errors.Is(err, errA) {
			t.Errorf("Await = %v", err)
		}
	}
	wantOutcome(t, last, 7, nil)
}

// Elsewhere who waits for a function that ended its goroutine, as t.FailNow
// does, waits for ever.
func TestGoexitLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	exit := func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }
	for _, d := range []pitDeferred{future.Go(background, exit), future.Async(background, exit)} {
		if _, err := d.Await(background); !errors.Is(err, failure.ErrGoexit) {
			t.Errorf("Await = %v", err)
		}
	}
}

// Elsewhere a goroutine or a timer of the process's own keeps a bubble of
// testing/synctest from ending, or its time from moving.
func TestABubbleIsNotHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		never, _ := future.New[int]()
		future.Then(never, inc).Done()
		future.All(never, never).Shield()
		slow := future.Go(background, func(ctx context.Context) (int, error) { return future.After(clock.System(), time.Hour, 1).Await(ctx) })
		v, err := future.Then(slow, inc).Timeout(clock.System(), 2*time.Hour).Await(background)
		if v != 2 || err != nil || time.Since(start) != time.Hour {
			t.Errorf("Await = %d, %v after %v", v, err, time.Since(start))
		}
	}) // it would panic if a goroutine were left that is blocked
}

// Elsewhere a chain settles by recursion, and a long one overflows the stack.
func TestALongChainNeedsNoStack(t *testing.T) {
	withSmallStack(func() {
		d, res := future.New[int]()
		e := d
		for range links / 5 {
			e = future.Then(e, inc)
		}
		res.Succeed(0)
		wantOutcome(t, e, links/5, nil)
	})
}

// Elsewhere a loop whose body returns the next round keeps all rounds before it
// until the last has come.
func TestARecursiveLoopDoesNotGrow(t *testing.T) {
	const rounds = links / 5
	var now future.Resolver[int]
	var round func() pitDeferred
	round = func() pitDeferred {
		d, res := future.New[int]()
		now = res
		return future.ThenFlat(d, func(v int) pitDeferred {
			if v == rounds {
				return future.Succeed(v)
			}
			return round()
		})
	}
	before := heapNow()
	d := round()
	for i := range rounds - 1 {
		now.Succeed(i)
	}
	if grown := heapNow() - before; grown > little {
		t.Errorf("the heap grew by %d bytes in %d rounds", grown, rounds)
	}
	now.Succeed(rounds)
	wantOutcome(t, d, rounds, nil)
}

// Elsewhere a wait for what was canceled never ends, since nobody settles it.
func TestAWaitForWhatWasCanceledEnds(t *testing.T) {
	t.Parallel()
	d, _ := future.New[int]()
	after := future.Then(d, inc)
	after.Cancel(errA)
	_, err := after.Await(background)
	wantCanceled(t, err, errA)
	<-d.Done()
	for range future.AsCompleted(background, d, after) {
	}
	_, err = future.Any(d, after).Await(background)
	wantCanceled(t, err, errA)
}

// Elsewhere callbacks run under the lock of their future, and one that settles
// it, attaches to it or waits for it deadlocks.
func TestACallbackMayUseItsOwnSource(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	var inner pitDeferred
	e := future.Then(d, func(v int) (int, error) {
		inner = future.Then(d, inc)
		if res.Succeed(9) || res.Fail(errA) || d.Cancel(nil) {
			t.Error("it has settled")
		}
		<-d.Done()
		return d.Await(background)
	})
	res.Succeed(1)
	wantOutcome(t, e, 1, nil)
	wantOutcome(t, inner, 2, nil)
}

// Elsewhere the outcome is received from a channel, and the second who reads it
// gets the zero value or waits for ever.
func TestAnOutcomeCanBeReadAgain(t *testing.T) {
	t.Parallel()
	d := future.Go(background, func(context.Context) (int, error) { return 5, nil })
	for range 3 {
		if v, err := d.Await(background); v != 5 || err != nil {
			t.Errorf("Await = %d, %v", v, err)
		}
		wantOutcome(t, d, 5, nil)
	}
}

// Elsewhere the second of two that wait for one inner future finds it emptied
// by the first.
func TestAnOutcomeIsNotTakenFromOthers(t *testing.T) {
	t.Parallel()
	inner, res := future.New[int]()
	ds := []pitDeferred{pitReturning(future.Succeed(0), inner), pitReturning(future.Succeed(0), inner), future.Race(inner), inner}
	res.Succeed(5)
	for _, d := range append(ds, pitReturning(future.Succeed(0), inner)) {
		wantOutcome(t, d, 5, nil)
	}
}

type pitError struct{ code int }

func (e *pitError) Error() string { return fmt.Sprint("code ", e.code) }

// Elsewhere an error is turned into a text, or into an error of the library's
// own in derived futures only, and what it wrapped is not found any more.
func TestAnErrorKeepsItsFormAtEveryStage(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("wrapped: %w", &pitError{7})
	d := future.Fail[int](wrapped)
	stages := []pitDeferred{d, future.Then(d, inc), future.Race(d), pitReturning(future.Succeed(0), d), d.Shield(), d.On(new(foreign))}
	stages = append(stages, future.Async(background, d.Await), future.Then(future.Then(d, inc), inc).Finally(pitNothing))
	for i, e := range stages {
		_, err := e.Result()
		if found := new(pitError); err != wrapped || !errors.As(err, &found) || found.code != 7 {
			t.Errorf("stage %d has %v", i, err)
		}
	}
	_, err := future.Then(future.Succeed(0), func(int) (int, error) { panic(wrapped) }).Result()
	if found := new(pitError); !errors.As(err, &found) {
		t.Errorf("a panic with an error gives %v", err)
	}
}

// Elsewhere the error of a clean-up replaces the one for which it was called,
// or its value the result.
func TestACleanUpHidesNothing(t *testing.T) {
	t.Parallel()
	wantError(t, future.Fail[int](errA).Finally(func() error { return errB }), "", errA, errB)
	wantError(t, future.Fail[int](errA).Finally(func() error { panic(errB) }), "", errA, errB, failure.ErrPanic)
	wantOutcome(t, future.Succeed(1).Finally(pitNothing), 1, nil)
	wantOutcome(t, future.Succeed(1).Finally(func() error { return errB }), 0, errB)
}

// Elsewhere a failure with a nil error is a failure that every check takes for
// a success.
func TestANilErrorIsNoFailure(t *testing.T) {
	t.Parallel()
	wantOutcome(t, future.Settle(1, nil), 1, nil)
	d, res := future.New[int]()
	mustPanic(t, func() { res.Fail(nil) }, "a failure needs an error")
	wantPending(t, d)
	res.Settle(2, nil)
	wantOutcome(t, d, 2, nil)
	wantOutcome(t, future.Fail[int](errA).Catch(func(error) (int, error) { return 3, nil }), 3, nil)
}

// Elsewhere a nil pointer in an error is dereferenced, or taken for no error in
// one place and for one in another.
func TestATypedNilErrorIsAnErrorEverywhere(t *testing.T) {
	t.Parallel()
	var none *pitError
	returned := future.Then(future.Succeed(0), func(int) (int, error) { return 1, none })
	d := future.Settle[int](1, none)
	for _, e := range []pitDeferred{d, returned, d.Catch(func(err error) (int, error) { return 0, err }), future.Race(returned)} {
		wantOutcome(t, e, 0, error(none))
	}
	outs, _ := future.AllSettled(d, returned).Result()
	if outs[0].Err != error(none) || outs[1].Err != error(none) {
		t.Errorf("AllSettled has %v", outs)
	}
	_ = fmt.Sprintf("%v %+v", d, d)
}

// Elsewhere a value that is nil, zero or itself an error means that there is no
// outcome yet, or that it failed.
func TestAnyValueIsAValue(t *testing.T) {
	t.Parallel()
	wantOutcome(t, future.Succeed[*int](nil), nil, nil)
	wantOutcome(t, future.Succeed[error](errA), errA, nil)
	wantOutcome(t, future.Succeed[error](nil), nil, nil)
	wantOutcome(t, future.Race(future.Succeed(struct{}{})), struct{}{}, nil)
	wantOutcome(t, future.Then(future.Succeed[error](errA), func(err error) (error, error) { return err, nil }), errA, nil)
}

// Elsewhere a second settle closes a closed channel, or blocks on a full one.
func TestSettlingTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	d.Done()
	var first atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if res.Settle(i, map[bool]error{true: errA}[i%2 == 1]) {
				first.Add(1)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 {
		t.Errorf("%d settles were the first", first.Load())
	}
	<-d.Done()
}

// Elsewhere a value that comes after a cancel panics, blocks its sender for
// ever, or runs the callbacks once more.
func TestALateResultIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		release := make(chan struct{})
		d := future.Go(background, func(context.Context) (int, error) { <-release; j.add("returned"); return 1, nil })
		future.Handle(d, func(_ int, err error) (int, error) { j.add("%v", errors.Is(err, errA)); return 0, nil })
		synctest.Wait()
		d.Cancel(errA)
		close(release)
		synctest.Wait()
		j.want(t, "true", "returned")
		wantError(t, d, "", future.ErrCanceled, errA)
	})
}

// Elsewhere a goroutine waits for each pending continuation, and stays if the
// outcome never comes.
func TestPendingContinuationsTakeNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	never, _ := future.New[int]()
	for range 1000 {
		d := future.Then(never, inc).Catch(func(err error) (int, error) { return 0, err }).Finally(pitNothing)
		future.All(d, never.Shield()).Done()
		future.Race(d, pitReturning(d, never)).WithContext(background).Timeout(clock.NewVirtual(), 1)
		future.Join2(d, d, func(int, int) (int, error) { return 0, nil })
	}
	wantGoroutines(t, before)
	runtime.KeepAlive(never)
}

// Elsewhere a failure that nobody looks at is never heard of; or it is reported
// although somebody handles it.
func TestAFailureThatNobodyTookIsReported(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	for i, err := range []error{errA, errB, errC} {
		d := future.Then(future.After(r, 1, i), func(int) (int, error) { return 0, err })
		if i == 1 {
			d.Catch(func(error) (int, error) { return 0, nil })
		}
	}
	clk.Run()
	if got := futuretest.Unhandled(t, r); len(got) != 2 || !errors.Is(got[0], errA) || !errors.Is(got[1], errC) {
		t.Errorf("unhandled: %v", got)
	}
}

// Elsewhere the timer of a timeout runs on after the result has come, and
// keeps all of it alive until it strikes.
func TestATimeoutThatDidNotStrikeLeavesNoTimer(t *testing.T) {
	t.Parallel()
	clk := clock.NewVirtual()
	d, res := future.New[int]()
	bound := d.Timeout(clk, time.Hour)
	future.Race(d.Shield().Timeout(clk, time.Hour), future.Succeed(1))
	failing := future.Then(d, func(int) (int, error) { return 0, errA }).Timeout(clk, time.Hour)
	future.Succeed(1).Timeout(clk, time.Hour)
	res.Succeed(1)
	wantNoTimers(t, clk)
	wantOutcome(t, bound, 1, nil)
	wantOutcome(t, failing, 0, errA)
}

// Elsewhere a cancel of one branch cancels the source under the other.
func TestCancelOfOneBranchLeavesTheOther(t *testing.T) {
	t.Parallel()
	d, res, calls := counting()
	one, two := future.Then(d, inc), pitReturning(future.Succeed(0), d)
	one.Cancel(errA)
	wantPending(t, two)
	res.Succeed(5)
	wantOutcome(t, two, 5, nil)
	if len(*calls) != 0 {
		t.Error("the source was asked")
	}
}

// Elsewhere a cancel only marks the future, and the work behind it runs on.
func TestACancelReachesTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saw := make(chan error, 1)
		work := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			saw <- context.Cause(ctx)
			return 0, ctx.Err()
		}
		d := future.Then(future.All(future.Go(background, work)), func(vs []int) (int, error) { return vs[0], nil })
		synctest.Wait()
		d.Cancel(errA)
		wantCanceled(t, <-saw, errA) // it has the cause, too
	})
}

// Elsewhere a cancel is lost if it comes to one that waits for a gather which
// its callback returned.
func TestACancelReachesAReturnedGather(t *testing.T) {
	t.Parallel()
	a, _, askedA := counting()
	b, _, askedB := counting()
	d := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[[]int] { return future.All(a, b) })
	d.Cancel(errA)
	if !slices.Equal(*askedA, []error{errA}) || !slices.Equal(*askedB, []error{errA}) {
		t.Errorf("the inputs were asked with %v and %v", *askedA, *askedB)
	}
}

// Elsewhere a canceller that fails makes Cancel fail, leaves the future pending,
// and is called again by each further Cancel.
func TestACancellerThatPanicsIsCalledOnce(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	calls := 0
	res.OnCancel(func(error) { calls++; panic(errB) })
	for i := range 3 {
		if d.Cancel(errA) != (i == 0) {
			t.Errorf("Cancel %d took it for something else", i)
		}
	}
	wantError(t, d, "", future.ErrCanceled, errA, errB)
	if calls != 1 {
		t.Errorf("the canceller ran %d times", calls)
	}
}

// Elsewhere a loser whose canceller fails keeps the race from settling, and the
// losers behind it run on.
func TestALoserThatFailsToCancelDoesNotStopARace(t *testing.T) {
	t.Parallel()
	winner, win := future.New[int]()
	loser, res := future.New[int]()
	res.OnCancel(func(error) { panic(errB) })
	last, _, calls := counting()
	d := future.Race(loser, winner, last)
	win.Succeed(5)
	wantOutcome(t, d, 5, nil)
	if len(*calls) != 1 {
		t.Errorf("the loser behind it was asked %d times", len(*calls))
	}
}

// Elsewhere a race of nothing never settles.
func TestAGatherOfNothingSettles(t *testing.T) {
	t.Parallel()
	wantError(t, future.Race[int](), "no input")
	wantError(t, future.Any[int](), "no input")
	wantSlice(t, future.All[int]())
	wantSlice(t, future.AllSettled[int]())
}

// Elsewhere the first success is reported as such also if all have failed, or
// their errors are lost.
func TestAnyOfFailuresFailsWithAllErrors(t *testing.T) {
	t.Parallel()
	a, resA := future.New[int]()
	d := future.Any(a, future.Fail[int](errB), future.Fail[int](errC))
	wantPending(t, d)
	resA.Fail(errA)
	wantError(t, d, "a\nb\nc", errA, errB, errC)
}

// Elsewhere the others of a failed gather run on, with nobody who wants them.
func TestAFailedGatherStopsTheOthers(t *testing.T) {
	t.Parallel()
	slow, _, calls := counting()
	failing, res := future.New[int]()
	d := future.All(slow, failing)
	res.Fail(errA)
	if _, err := d.Result(); err != errA || !slices.Equal(*calls, []error{errA}) {
		t.Errorf("it has %v, the other was asked with %v", err, *calls)
	}
}

// Elsewhere one that waits for itself, by one step or by several, hangs without
// a word.
func TestWhatWaitsForItselfSaysSo(t *testing.T) {
	t.Parallel()
	gate, open := future.New[int]()
	var a, b pitDeferred
	a = future.ThenFlat(gate, func(int) pitDeferred { return b })
	b = future.ThenFlat(gate, func(int) pitDeferred { return future.Race(a) })
	var self pitDeferred
	self = future.ThenFlat(gate, func(int) pitDeferred { return self })
	open.Succeed(0)
	for _, d := range []pitDeferred{a, b, self} {
		wantError(t, d, "waits for itself")
	}
}

// Elsewhere a callback runs now within the call that attaches it, and now on
// the loop, as the outcome happens to be there or not.
func TestCallbacksOfALoopRunNowhereElse(t *testing.T) {
	t.Parallel()
	var j journal
	x := new(foreign)
	pending, res := future.NewOn[int](x)
	future.Then(future.Succeed(1).On(x), pitNote(&j, "settled"))
	future.Then(pending, pitNote(&j, "pending"))
	res.Succeed(1)
	future.Then(pending, pitNote(&j, "late"))
	j.want(t)
	x.run()
	j.want(t, "settled", "pending", "late")
}

// Elsewhere a worker that waits for one queued behind it waits for ever, once
// all workers do.
func TestWorkersThatWaitForQueuedOnesDoNotHang(t *testing.T) {
	t.Parallel()
	clk := clock.NewVirtual()
	r := reactor.New(clk, reactor.Workers(1))
	defer r.Stop()
	var nest func(n int) pitDeferred
	nest = func(n int) pitDeferred {
		return future.GoOn(background, r, func(ctx context.Context) (int, error) {
			if n == 0 {
				return 0, nil
			}
			v, err := nest(n - 1).Await(ctx)
			return v + 1, err
		})
	}
	d := nest(20)
	clk.Run()
	wantOutcome(t, d, 20, nil)
}

// Elsewhere what is given to a loop that has ended is dropped in silence, and
// who waits for it hangs.
func TestWhatComesAfterTheEndOfALoopFails(t *testing.T) {
	t.Parallel()
	r := reactor.New(clock.NewVirtual(), quietly)
	root, res := future.NewOn[int](r)
	r.Stop()
	task := func(context.Context) (int, error) { return 1, nil }
	res.Succeed(1)
	for _, d := range []pitDeferred{
		future.Then(root, inc), future.After(r, 1, 1), future.GoOn(background, r, task), future.AsyncOn(background, r, task),
	} {
		wantError(t, d, "", reactor.ErrStopped)
	}
	wantOutcome(t, root, 1, nil)
}

// Elsewhere a callback that is attached at the moment of the settle is lost, or
// runs twice, and the race detector finds both.
func TestNoCallbackIsLostBetweenSettleAndAttach(t *testing.T) {
	t.Parallel()
	for range 500 {
		d, res := future.New[int]()
		e := future.Then(d, inc)
		var ran atomic.Int32
		var wg sync.WaitGroup
		count := func(v int) (int, error) { ran.Add(1); return v, nil }
		for range 4 {
			wg.Go(func() { future.Then(e, count); future.Then(d, count) })
		}
		wg.Go(func() { res.Succeed(1) })
		wg.Wait()
		if ran.Load() != 8 {
			t.Fatalf("%d of 8 callbacks ran", ran.Load())
		}
	}
}
