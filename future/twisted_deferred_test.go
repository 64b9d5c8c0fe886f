package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// The files twisted_*_test.go show behaviour that Twisted's own tests pin down,
// where no other test of this package does. Which of Twisted's tests that is
// stands in internal/house/testdata/twisted_tests.txt. There is one function
// for a class of tests; where something else happens here, the subtest says so.

type intDeferred = *future.Deferred[int]

// noting returns a callback that writes name and the value into j, and passes
// the value on.
func noting[T any](j *journal, name string) func(T) (T, error) {
	return func(v T) (T, error) {
		j.add("%s:%v", name, v)
		return v, nil
	}
}

// notingError is the same for an error, which it ends.
func notingError(j *journal, name string) func(error) (int, error) {
	return func(err error) (int, error) {
		j.add("%s:%v", name, err)
		return 0, nil
	}
}

// returning returns a callback that gives d, whatever it is called with.
func returning[T, U any](d *future.Deferred[U]) func(T) *future.Deferred[U] {
	return func(T) *future.Deferred[U] { return d }
}

func TestDeferredAsInTwisted(t *testing.T) {
	t.Run("the-value-goes-to-the-callback-only", func(t *testing.T) {
		var j journal
		d, res := future.New[int]()
		future.Then(d, noting[int](&j, "callback"))
		d.Catch(notingError(&j, "errback"))
		res.Succeed(5)
		j.want(t, "callback:5")
	})
	t.Run("the-second-callback-gets-what-the-first-returned", func(t *testing.T) {
		var j journal
		d, res := future.New[int]()
		first := future.Then(d, func(v int) (int, error) { j.add("first:%d", v); return v * 10, nil })
		future.Then(first, noting[int](&j, "second"))
		res.Succeed(5)
		j.want(t, "first:5", "second:50")
	})
	t.Run("succeed-is-new-and-settle", func(t *testing.T) {
		d, res := future.New[int]()
		res.Succeed(5)
		for _, d := range []intDeferred{d, future.Succeed(5)} {
			wantOutcome(t, d, 5, nil)
			wantOutcome(t, future.Then(d, inc), 6, nil)
			if got := fmt.Sprint(d); got != "Deferred[int](5)" || d.Cancel(nil) {
				t.Errorf("it is %s, and could be canceled", got)
			}
		}
	})
	t.Run("settled-calls-at-once", func(t *testing.T) {
		var j journal
		future.Then(future.Succeed(5), noting[int](&j, "callback"))
		j.add("attached")
		future.Fail[int](errA).Catch(notingError(&j, "errback"))
		j.add("attached")
		j.want(t, "callback:5", "attached", "errback:a", "attached")
	})
	t.Run("an-error-reaches-the-next-errback", func(t *testing.T) {
		for name, f := range map[string]func(int) (int, error){
			"returned": func(int) (int, error) { return 0, errA },
			"panicked": func(int) (int, error) { panic(errA) },
		} {
			var got error
			future.Then(future.Succeed(0), f).Catch(func(err error) (int, error) { got = err; return 0, nil })
			if !errors.Is(got, errA) || errors.Is(got, failure.ErrPanic) != (name == "panicked") {
				t.Errorf("%s: the errback got %v", name, got)
			}
		}
	})
	t.Run("a-late-callback-may-fail", func(t *testing.T) { // one that a callback attached
		d, res := future.New[int]()
		var late intDeferred
		future.Then(d, func(int) (int, error) {
			late = future.Then(d, func(int) (int, error) { return 0, errA })
			return 0, nil
		})
		future.Then(d, func(int) (int, error) { wantPending(t, late); return 0, nil }) // was there first
		res.Succeed(0)
		var got error
		late.Catch(func(err error) (int, error) { got = err; return 0, nil })
		if got != errA {
			t.Errorf("the errback after it got %v", got)
		}
	})
}

// What one returns that a callback waits for: who runs when.
func TestChainingAsInTwisted(t *testing.T) {
	// nested returns a chain whose callback returns a chain whose callback
	// returns inner, and notes what runs.
	nested := func(j *journal, inner intDeferred) intDeferred {
		middle := func(v int) intDeferred {
			j.add("outer:%d", v)
			d := future.ThenFlat(future.Succeed(2), func(v int) intDeferred { j.add("first:%d", v); return inner })
			return future.Then(d, func(v int) (int, error) { j.add("second:%d", v); return v * 2, nil })
		}
		return future.ThenFlat(future.Succeed(1), middle)
	}
	t.Run("the-middle-one-goes-before-the-outer-one", func(t *testing.T) {
		var j journal
		inner, res := future.New[int]()
		outer := nested(&j, inner)
		res.Succeed(5)
		future.Then(outer, noting[int](&j, "final")) // attached when all have settled
		j.want(t, "outer:1", "first:2", "second:5", "final:10")
	})
	t.Run("the-order-of-a-nested-chain", func(t *testing.T) {
		var j journal
		inner, res := future.New[int]()
		future.Then(nested(&j, inner), noting[int](&j, "final")) // attached while it waits
		j.want(t, "outer:1", "first:2")
		res.Succeed(5)
		j.want(t, "outer:1", "first:2", "second:5", "final:10")
	})
	t.Run("callbacks-of-the-inner-one-change-what-the-outer-one-sees", func(t *testing.T) {
		var j journal
		inner, res := future.New[int]()
		outer := nested(&j, future.Then(inner, plus(100)))
		res.Succeed(5)
		wantOutcome(t, outer, 210, nil)
		wantOutcome(t, inner, 5, nil) // its own readers see its own value
	})
	t.Run("the-waiting-one-need-not-be-the-first-reader", func(t *testing.T) {
		var j journal
		inner, res := future.New[int]()
		future.Then(inner, noting[int](&j, "before"))
		outer := future.ThenFlat(future.Succeed(0), returning[int](inner))
		future.Then(inner, noting[int](&j, "after"))
		future.Then(outer, noting[int](&j, "outer"))
		res.Succeed(5)
		j.want(t, "before:5", "outer:5", "after:5")
	})
	t.Run("callbacks-of-the-outer-one-come-after-the-inner-ones", func(t *testing.T) {
		var j journal
		a, res := future.New[int]()
		start, open := future.New[int]()
		outer := future.ThenFlat(start, func(int) *future.Deferred[[]int] {
			j.add("started")
			gathered := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[[]int] { return future.All(a) })
			return future.Then(gathered, noting[[]int](&j, "inner"))
		})
		future.Then(outer, noting[[]int](&j, "outer"))
		open.Succeed(0)
		j.want(t, "started")
		res.Succeed(5)
		j.want(t, "started", "inner:[5]", "outer:[5]")
	})
	t.Run("three-deep", func(t *testing.T) {
		first, res := future.New[int]()
		gate, open := future.New[int]()
		second := future.ThenFlat(gate, returning[int](first))
		third := future.ThenFlat(gate, returning[int](second))
		open.Succeed(0)
		wantPending(t, third)
		res.Succeed(5)
		wantOutcome(t, third, 5, nil)
	})
	t.Run("a-late-reader-of-the-middle-one", func(t *testing.T) {
		last, res := future.New[int]()
		gate, open := future.New[int]()
		middle := future.ThenFlat(gate, returning[int](last))
		first := future.ThenFlat(gate, returning[int](middle))
		open.Succeed(0)
		res.Succeed(5)
		wantOutcome(t, future.Then(middle, inc), 6, nil)
		wantOutcome(t, first, 5, nil)
	})
	t.Run("a-held-outer-one-holds-nobody-else", func(t *testing.T) {
		inner, res := future.New[int]()
		outer := future.ThenFlat(future.Succeed(0), returning[int](inner))
		held, release := outer.Hold()
		res.Succeed(5)
		wantOutcome(t, future.Then(inner, inc), 6, nil)
		wantPending(t, held)
		release()
		wantOutcome(t, held, 5, nil)
	})
	t.Run("a-cancel-reaches-through-a-held-inner-one", func(t *testing.T) { // elsewhere it is lost
		held, release := future.Succeed(5).Hold()
		outer := future.ThenFlat(future.Succeed(0), returning[int](held))
		if !outer.Cancel(errA) {
			t.Error("it was not pending")
		}
		wantError(t, outer, "", future.ErrCanceled, errA)
		release()
		wantError(t, outer, "", errA)
	})
	t.Run("the-stack-does-not-grow", func(t *testing.T) {
		depth := func(n int) (frames int) {
			d, res := future.New[int]()
			for range n {
				inner := d
				d = future.ThenFlat(future.Succeed(0), returning[int](inner))
			}
			future.Then(d, func(int) (int, error) { frames = runtime.Callers(0, make([]uintptr, 1000)); return 0, nil })
			res.Succeed(0)
			return frames
		}
		if one, two, many := depth(1), depth(2), depth(100); one != two || one != many {
			t.Errorf("the last callback ran %d, %d and %d frames deep behind 1, 2 and 100 chained ones", one, two, many)
		}
	})
}

// Twisted's maybeDeferred is a callback on one that has settled: whatever the
// function makes of it, the result is a Deferred.
func TestMaybeDeferredAsInTwisted(t *testing.T) {
	start := future.Succeed(20)
	t.Run("a-value", func(t *testing.T) { wantOutcome(t, future.Then(start, inc), 21, nil) })
	t.Run("an-error", func(t *testing.T) {
		wantOutcome(t, future.Then(start, func(int) (int, error) { return 0, errA }), 0, errA) // that very error
	})
	t.Run("a-panic", func(t *testing.T) {
		wantError(t, future.Then(start, func(int) (int, error) { panic(errA) }), "", failure.ErrPanic, errA)
	})
	t.Run("a-Deferred", func(t *testing.T) {
		d, res := future.New[int]()
		maybe := future.ThenFlat(start, returning[int](d))
		wantPending(t, maybe)
		res.Succeed(5)
		wantOutcome(t, maybe, 5, nil)
	})
	t.Run("a-failing-Deferred", func(t *testing.T) {
		d, res := future.New[int]()
		maybe := future.ThenFlat(start, returning[int](d))
		res.Fail(errA)
		wantOutcome(t, maybe, 0, errA)
	})
	t.Run("no-Deferred", func(t *testing.T) {
		wantError(t, future.ThenFlat(start, returning[int, int](nil)), "nil *Deferred")
	})
	t.Run("a-coroutine", func(t *testing.T) {
		d, res := future.New[int]()
		maybe := future.ThenFlat(start, func(v int) intDeferred {
			return future.Async(background, func(ctx context.Context) (int, error) {
				w, err := d.Await(ctx)
				return v + w, err
			})
		})
		wantPending(t, maybe)
		res.Succeed(5)
		wantOutcome(t, maybe, 25, nil)
	})
	t.Run("a-failing-coroutine", func(t *testing.T) {
		maybe := future.ThenFlat(start, func(int) intDeferred {
			return future.Async(background, func(context.Context) (int, error) { return 0, errA })
		})
		wantOutcome(t, maybe, 0, errA)
	})
}

// A canceller is let go of when its Deferred has settled, also if it holds that
// Deferred and what hangs on it waits for something else.
func TestCancellerIsLetGo(t *testing.T) {
	for name, settle := range map[string]func(future.Resolver[int]){
		"success": func(r future.Resolver[int]) { r.Succeed(0) },
		"failure": func(r future.Resolver[int]) { r.Fail(errA) },
		"waits-for-another": func(r future.Resolver[int]) {
			never, _ := future.New[int]()
			r.Follow(never)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, res := future.New[int]()
			cancelWith := func(held *big) weak.Pointer[big] {
				res.OnCancel(func(error) { held.use(); d.Done() })
				return weak.Make(held)
			}
			held := cancelWith(new(big))
			never, _ := future.New[int]()
			last := future.Handle(d, func(v int, err error) (int, error) { return v, err })
			chained := future.ThenFlat(d, returning[int](never))
			settle(res)
			wantGone(t, "what the canceller holds", held)
			last.Result()
			chained.Result()
			runtime.KeepAlive([]any{d, res, chained})
		})
	}
}
