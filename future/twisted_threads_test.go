package future_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// Twisted's blockingCallFromThread is an Await, by a goroutine, of what runs on
// the loop: a coroutine, or a callback on a Deferred that is bound to it.
var blockingCalls = map[string]func(r *reactor.Reactor, f func() intDeferred) (int, error){
	"coroutine": func(r *reactor.Reactor, f func() intDeferred) (int, error) {
		return future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return f().Await(ctx) }).Await(background)
	},
	"callback": func(r *reactor.Reactor, f func() intDeferred) (int, error) {
		return future.ThenFlat(future.Succeed(0).On(r), func(int) intDeferred { return f() }).Await(background)
	},
}

func TestBlockingCallFromThreadAsInTwisted(t *testing.T) {
	// each runs test with both kinds of call, on a loop that runs.
	each := func(t *testing.T, test func(t *testing.T, r *reactor.Reactor, call func(f func() intDeferred) (int, error))) {
		for name, call := range blockingCalls {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := reactor.New(clock.System(), quietly)
					ended := make(chan error)
					go func() { ended <- r.Run(background) }()
					test(t, r, func(f func() intDeferred) (int, error) { return call(r, f) })
					r.Stop()
					<-ended
				})
			})
		}
	}
	later := func(r *reactor.Reactor, f func(int) (int, error)) func() intDeferred {
		return func() intDeferred { return future.Then(future.After(r, time.Hour, 4), f) }
	}
	t.Run("value", func(t *testing.T) {
		each(t, func(t *testing.T, r *reactor.Reactor, call func(func() intDeferred) (int, error)) {
			onLoop := 0 // needs no lock
			count := func() intDeferred { onLoop++; return future.Succeed(onLoop) }
			results := make(chan int)
			for range 2 {
				go func() { v, _ := call(count); results <- v }()
			}
			if sum := <-results + <-results; sum != 3 {
				t.Errorf("the results of two calls add up to %d, want 3", sum)
			}
		})
	})
	t.Run("value-later", func(t *testing.T) {
		each(t, func(t *testing.T, r *reactor.Reactor, call func(func() intDeferred) (int, error)) {
			if v, err := call(later(r, inc)); v != 5 || err != nil {
				t.Errorf("the call gave %d, %v", v, err)
			}
		})
	})
	t.Run("error", func(t *testing.T) {
		each(t, func(t *testing.T, r *reactor.Reactor, call func(func() intDeferred) (int, error)) {
			if _, err := call(func() intDeferred { return future.Fail[int](errA) }); err != errA {
				t.Errorf("the call gave %v", err)
			}
			if _, err := call(func() intDeferred { panic(errB) }); !errors.Is(err, failure.ErrPanic) || !errors.Is(err, errB) {
				t.Errorf("a call that panics gave %v", err)
			}
		})
	})
	t.Run("error-later", func(t *testing.T) {
		each(t, func(t *testing.T, r *reactor.Reactor, call func(func() intDeferred) (int, error)) {
			if _, err := call(later(r, func(int) (int, error) { return 0, errA })); err != errA {
				t.Errorf("the call gave %v", err)
			}
		})
	})
	t.Run("the-loop-stops", func(t *testing.T) { // elsewhere the caller hangs
		each(t, func(t *testing.T, r *reactor.Reactor, call func(func() intDeferred) (int, error)) {
			waiting, _ := future.New[int]()
			got := make(chan error)
			go func() { _, err := call(func() intDeferred { return waiting }); got <- err }()
			synctest.Wait()
			r.Stop()
			if err := <-got; !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("one that waited has %v", err)
			}
			if _, err := call(func() intDeferred { t.Error("a function ran after the stop"); return waiting }); !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("one that came later has %v", err)
			}
		})
	})
}

// Twisted's deferToThread is GoOn. A pool of its own is that of a second
// reactor, from which On brings the result back.
func TestDeferToThreadAsInTwisted(t *testing.T) {
	for _, pool := range []string{"reactor", "own-pool"} {
		t.Run(pool, func(t *testing.T) {
			clk := clock.NewVirtual()
			r, second := reactor.New(clk), reactor.New(clk, reactor.Workers(2))
			defer r.Stop()
			defer second.Stop()
			toThread := func(f func() (int, error)) intDeferred {
				work := func(context.Context) (int, error) { return f() }
				if pool == "own-pool" {
					return future.GoOn(background, second, work).On(r)
				}
				return future.GoOn(background, r, work)
			}
			t.Run("result", func(t *testing.T) {
				d := toThread(func() (int, error) { return 5, nil })
				wantPending(t, d) // never within the call
				clk.Advance(0)
				wantOutcome(t, d, 5, nil)
			})
			t.Run("failure", func(t *testing.T) {
				d := toThread(func() (int, error) { return 0, errA })
				p := toThread(func() (int, error) { panic(errB) })
				clk.Advance(0)
				wantOutcome(t, d, 0, errA)
				wantError(t, p, "", failure.ErrPanic, errB)
			})
			t.Run("failure-after-success", func(t *testing.T) {
				d := future.ThenFlat(toThread(func() (int, error) { return 5, nil }), func(v int) intDeferred {
					return toThread(func() (int, error) { return v, errA })
				})
				clk.Advance(0)
				wantOutcome(t, d, 0, errA)
			})
			t.Run("several-in-order", func(t *testing.T) { // one worker that calls them
				var j journal
				d := toThread(func() (int, error) {
					for i := range 10 {
						j.add("%d", i)
					}
					return 0, nil
				})
				clk.Advance(0)
				wantOutcome(t, d, 0, nil)
				j.want(t, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
			})
		})
	}
}
