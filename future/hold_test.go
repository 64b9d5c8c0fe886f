package future_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// Hold, then release, has the outcome of the Deferred, in any order of settle,
// release and attach, and callbacks wait for both.
func TestHoldIsTheOutcomeOnceReleased(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clk := clock.NewVirtual()
		var d *future.Deferred[int]
		var res future.Resolver[int]
		if rapid.Bool().Draw(t, "on a reactor") {
			r := reactor.New(clk)
			defer r.Stop()
			d, res = future.NewOn[int](r)
		} else {
			d, res = future.New[int]()
		}
		v, err := 0, error(nil)
		if rapid.Bool().Draw(t, "fails") {
			err = errA
		} else {
			v = 7
		}
		holds := rapid.IntRange(1, 4).Draw(t, "holds")
		held, releases := d, []func(){}
		for range holds {
			h, release := held.Hold()
			held = h
			releases = append(releases, release, release)
		}
		ran, settled, released := 0, false, map[int]bool{}
		future.Handle(held, func(gotV int, gotErr error) (int, error) {
			ran++
			if gotV != v || gotErr != err {
				t.Errorf("got (%v, %v), want (%v, %v)", gotV, gotErr, v, err)
			}
			return 0, nil
		})
		for _, i := range rapid.Permutation(append([]int{-1}, seq(len(releases))...)).Draw(t, "order") {
			if i < 0 {
				res.Settle(v, err)
				settled = true
			} else {
				releases[i]()
				released[i/2] = true
			}
			clk.Advance(0)
			due := settled && len(released) == holds
			if (ran == 1) != due {
				t.Errorf("the callback ran %d times; settled: %v, released: %v of %d", ran, settled, released, holds)
			}
		}
		if gotV, gotErr := held.Result(); gotV != v || gotErr != err {
			t.Errorf("got (%v, %v), want (%v, %v)", gotV, gotErr, v, err)
		}
	})
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// What others attached to the same Deferred does not wait.
func TestHoldHoldsBackItsOwnOnly(t *testing.T) {
	d, res := future.New[int]()
	var log []string
	note := func(s string) func(int) (int, error) {
		return func(v int) (int, error) { log = append(log, fmt.Sprint(s, v)); return v, nil }
	}
	held, release := d.Hold()
	future.Then(held, note("held "))
	future.Then(d, note("free "))
	res.Succeed(1)
	wantPending(t, held)
	release()
	release()
	if got := strings.Join(log, ", "); got != "free 1, held 1" {
		t.Errorf("log is %q", got)
	}
}

// A callback that returns one that is held waits for the release.
func TestHeldInnerHoldsTheOuter(t *testing.T) {
	inner, release := future.Succeed(2).Hold()
	outer := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return inner })
	wantPending(t, outer)
	release()
	wantOutcome(t, outer, 2, nil)
}

func TestCancelOfAHeldOne(t *testing.T) {
	t.Run("while the source is pending", func(t *testing.T) {
		d, _, calls := counting()
		held, release := d.Hold()
		held.Cancel(errCause)
		if len(*calls) != 1 {
			t.Errorf("the source was canceled %d times", len(*calls))
		}
		wantError(t, held, "", errCause, future.ErrCanceled)
		release()
		wantError(t, held, "", errCause, future.ErrCanceled)
	})
	t.Run("while others read the source", func(t *testing.T) {
		d, res := future.New[int]()
		other := future.Then(d, plus(1))
		held, _ := d.Hold()
		held.Cancel(errCause)
		wantError(t, held, "", errCause, future.ErrCanceled)
		res.Succeed(1)
		wantOutcome(t, other, 2, nil)
	})
	t.Run("and the answer of the source", func(t *testing.T) {
		d, res := future.New[int]()
		res.OnCancel(func(error) { res.Succeed(7) })
		held, _ := d.Hold()
		held.Cancel(errCause)
		wantOutcome(t, held, 7, nil)
	})
	t.Run("by a Timeout", func(t *testing.T) {
		clk := clock.NewVirtual()
		d, res := future.New[int]()
		held, _ := d.Hold()
		late := held.Timeout(clk, time.Second)
		res.Succeed(1)
		clk.Advance(time.Second)
		wantError(t, late, "", context.DeadlineExceeded)
	})
	t.Run("once the source has settled", func(t *testing.T) {
		d, res := future.New[int]()
		held, release := d.Hold()
		res.Succeed(1)
		if !held.Cancel(errCause) {
			t.Error("it was pending")
		}
		wantError(t, held, "", errCause, future.ErrCanceled)
		if v, _ := held.Result(); v != 0 {
			t.Errorf("a value %d with the failure", v)
		}
		release()
		wantError(t, held, "", errCause)
		wantOutcome(t, d, 1, nil)
	})
	t.Run("after the release", func(t *testing.T) {
		d, _, calls := counting()
		held, release := d.Hold()
		release()
		held.Cancel(errCause)
		if len(*calls) != 1 {
			t.Errorf("the source was canceled %d times", len(*calls))
		}
		wantError(t, held, "", errCause, future.ErrCanceled)
	})
}

func TestHoldFromManyGoroutines(t *testing.T) {
	for range 500 {
		d, res := future.New[int]()
		held, release := d.Hold()
		var wg sync.WaitGroup
		for _, f := range []func(){release, release, func() { res.Succeed(1) }, func() { future.Then(held, plus(1)) }} {
			wg.Go(f)
		}
		wg.Wait()
		wantOutcome(t, held, 1, nil)
	}
}

// A Cancel of a held one ends the hold, also if the outcome is just about to be
// taken in.
func TestCancelOfAHeldOneThatIsAboutToTakeTheOutcome(t *testing.T) {
	d, res := future.New[int]()
	var held *future.Deferred[int]
	future.Then(d, func(int) (int, error) { held.Cancel(errA); return 0, nil })
	held, release := d.Hold()
	res.Succeed(1)
	_, err := held.Result()
	wantCanceled(t, err, errA)
	release()
}
