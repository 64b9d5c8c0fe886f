package future_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// Twisted's addTimeout changes its Deferred, Timeout returns another one. What
// Twisted gives it as onTimeoutCancel is here a Catch after the Timeout which
// looks for context.DeadlineExceeded.

// onTimeout is such a Catch: it makes v of a timeout, and notes that.
func onTimeout(j *journal, d intDeferred, v int) intDeferred {
	return d.Catch(func(err error) (int, error) {
		if !errors.Is(err, context.DeadlineExceeded) {
			return 0, err
		}
		j.add("timeout")
		return v, nil
	})
}

func TestAddTimeoutAsInTwisted(t *testing.T) {
	const limit = 10 * time.Second
	t.Run("it-is-a-new-Deferred", func(t *testing.T) {
		d, res := future.New[int]()
		if bound := d.Timeout(clock.NewVirtual(), limit); bound == d {
			t.Error("Timeout returned what it was called on")
		}
		res.Succeed(1)
	})
	for name, after := range map[string]func(j *journal, d intDeferred) intDeferred{
		"plain":  func(_ *journal, d intDeferred) intDeferred { return d },
		"custom": func(j *journal, d intDeferred) intDeferred { return onTimeout(j, d, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("success-in-time", func(t *testing.T) {
				var j journal
				clk := clock.NewVirtual()
				d, res := future.New[int]()
				inner, _, asked := counting()
				bound := after(&j, d.Timeout(clk, limit))
				waits := future.ThenFlat(bound, returning[int](inner))
				clk.Advance(limit - 1)
				res.Succeed(5)
				wantOutcome(t, bound, 5, nil)
				wantNoTimers(t, clk)
				clk.Advance(limit)
				wantPending(t, waits) // what comes after a Timeout is not bound by it
				j.want(t)
				if len(*asked) != 0 {
					t.Error("what was waited for after the Timeout was canceled")
				}
			})
			t.Run("failure-in-time", func(t *testing.T) {
				var j journal
				clk := clock.NewVirtual()
				d, res := future.New[int]()
				bound := after(&j, d.Timeout(clk, limit))
				clk.Advance(limit - 1)
				res.Fail(errA)
				wantOutcome(t, bound, 0, errA)
				wantNoTimers(t, clk)
				j.want(t)
			})
			t.Run("canceled-in-time", func(t *testing.T) {
				var j journal
				clk := clock.NewVirtual()
				d, _ := future.New[int]()
				bound := after(&j, d.Timeout(clk, limit))
				clk.Advance(limit - 1)
				bound.Cancel(errA)
				_, err := bound.Result()
				wantCanceled(t, err, errA)
				wantNoTimers(t, clk)
				j.want(t)
			})
		})
	}
	t.Run("late", func(t *testing.T) {
		clk := clock.NewVirtual()
		d, _ := future.New[int]()
		bound := d.Timeout(clk, limit)
		clk.Advance(limit - 1)
		wantPending(t, bound)
		clk.Advance(1)
		_, err := bound.Result()
		wantLate(t, err)
	})
	t.Run("late-custom", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, _ := future.New[int]()
		bound := onTimeout(&j, d.Timeout(clk, limit), -1)
		clk.Advance(limit)
		wantOutcome(t, bound, -1, nil)
		j.want(t, "timeout")
	})
	t.Run("the-canceller-answers-with-a-value", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, res := future.New[int]()
		res.OnCancel(func(error) { res.Succeed(5) })
		bound := d.Timeout(clk, limit)
		custom := onTimeout(&j, bound, -1)
		clk.Advance(limit)
		wantOutcome(t, bound, 5, nil)
		wantOutcome(t, custom, 5, nil)
		j.want(t) // the answer stands, a value is no timeout
	})
	t.Run("the-canceller-answers-with-an-error", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, res := future.New[int]()
		res.OnCancel(func(error) { res.Fail(errB) })
		bound := d.Timeout(clk, limit)
		custom := onTimeout(&j, bound, -1)
		any := bound.Catch(func(err error) (int, error) { j.add("%v", err); return -1, nil })
		clk.Advance(limit)
		wantOutcome(t, bound, 0, errB)
		wantOutcome(t, custom, 0, errB)
		wantOutcome(t, any, -1, nil) // who wants to translate that as well catches every error
		j.want(t, "b")
	})
	t.Run("the-canceller-panics", func(t *testing.T) { // elsewhere that comes out of the clock, and all stays pending
		clk := clock.NewVirtual()
		d, res := future.New[int]()
		res.OnCancel(func(error) { panic(errB) })
		bound := d.Timeout(clk, limit)
		clk.Advance(limit)
		wantError(t, bound, "", context.DeadlineExceeded, errB)
	})
	t.Run("an-errback-before-it", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, _ := future.New[int]()
		seen := d.Catch(func(err error) (int, error) {
			j.add("canceled:%v", errors.Is(err, future.ErrCanceled))
			return 0, err
		})
		bound := seen.Timeout(clk, limit)
		custom := onTimeout(&j, bound, -1)
		clk.Advance(limit)
		_, err := bound.Result()
		wantLate(t, err) // what it passed on is the timeout
		wantOutcome(t, custom, -1, nil)
		j.want(t, "canceled:true", "timeout")
	})
	t.Run("an-errback-before-it-that-ends-the-failure", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, _ := future.New[int]()
		bound := d.Catch(func(error) (int, error) { return 5, nil }).Timeout(clk, limit)
		custom := onTimeout(&j, bound, -1)
		clk.Advance(limit)
		wantOutcome(t, bound, 5, nil)
		wantOutcome(t, custom, 5, nil)
		j.want(t) // a value is no timeout
	})
	t.Run("a-callback-before-it", func(t *testing.T) {
		var j journal
		clk := clock.NewVirtual()
		d, res := future.New[int]()
		res.OnCancel(func(error) { res.Succeed(5) })
		bound := future.Then(d, noting[int](&j, "callback")).Timeout(clk, limit)
		custom := onTimeout(&j, bound, -1)
		clk.Advance(limit)
		wantOutcome(t, bound, 5, nil)
		wantOutcome(t, custom, 5, nil)
		j.want(t, "callback:5")
	})
	t.Run("an-inner-one-before-it", func(t *testing.T) { // what a callback before the Timeout returned is bound by it
		clk := clock.NewVirtual()
		inner, _, asked := counting()
		bound := future.ThenFlat(future.Succeed(0), returning[int](inner)).Timeout(clk, limit)
		clk.Advance(limit)
		_, err := bound.Result()
		wantLate(t, err)
		if len(*asked) != 1 {
			t.Errorf("what was waited for was asked %d times", len(*asked))
		}
	})
}

// Twisted's deferLater is a callback on After.
func TestDeferLaterAsInTwisted(t *testing.T) {
	setUp := func(f func(string) (string, error)) (*clock.Virtual, *future.Deferred[string]) {
		clk := clock.NewVirtual()
		return clk, future.Then(future.After(clk, time.Second, "arg"), f)
	}
	t.Run("result", func(t *testing.T) {
		clk, d := setUp(func(arg string) (string, error) { return arg + "!", nil })
		clk.Advance(time.Second - 1)
		wantPending(t, d)
		clk.Advance(1)
		wantOutcome(t, d, "arg!", nil)
	})
	t.Run("error", func(t *testing.T) {
		clk, d := setUp(func(string) (string, error) { return "", errA })
		clk.Advance(time.Second)
		wantOutcome(t, d, "", errA)
	})
	t.Run("canceled", func(t *testing.T) {
		clk, d := setUp(func(string) (string, error) { t.Error("the function ran"); return "", nil })
		d.Cancel(errA)
		_, err := d.Result()
		wantCanceled(t, err, errA)
		wantNoTimers(t, clk)
		clk.Advance(time.Second)
	})
	t.Run("canceled-while-its-result-is-pending", func(t *testing.T) {
		clk := clock.NewVirtual()
		inner, _, asked := counting()
		d := future.ThenFlat(future.After(clk, time.Second, 0), returning[int](inner))
		clk.Advance(time.Second)
		d.Cancel(errA)
		if len(*asked) != 1 {
			t.Errorf("what the function returned was asked %d times", len(*asked))
		}
	})
	t.Run("no-function", func(t *testing.T) {
		clk := clock.NewVirtual()
		d := future.After(clk, time.Second, struct{}{})
		clk.Advance(time.Second)
		wantOutcome(t, d, struct{}{}, nil)
	})
}
