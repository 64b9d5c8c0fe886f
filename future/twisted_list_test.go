package future_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// Twisted's DeferredList is AllSettled here; with fireOnOneCallback it is Any,
// with fireOnOneErrback, and as gatherResults, it is All. Its race is Any, too.

// askedInputs are n Deferreds that count how often each was asked to cancel.
// What the canceller does beyond that is answer.
func askedInputs(n int, answer func(i int, res future.Resolver[int])) (ds []intDeferred, res []future.Resolver[int], asked []int) {
	ds, res, asked = make([]intDeferred, n), make([]future.Resolver[int], n), make([]int, n)
	for i := range n {
		ds[i], res[i] = future.New[int]()
		res[i].OnCancel(func(error) {
			asked[i]++
			if answer != nil {
				answer(i, res[i])
			}
		})
	}
	return ds, res, asked
}

// outcomes writes what an AllSettled has given.
func outcomes(t *testing.T, d *future.Deferred[[]future.Outcome[int]]) string {
	t.Helper()
	outs, err := d.Result()
	if err != nil {
		return text(err)
	}
	var all []string
	for _, o := range outs {
		if errors.Is(o.Err, future.ErrCanceled) {
			all = append(all, "canceled")
			continue
		}
		all = append(all, fmt.Sprintf("%d,%s", o.Value, text(o.Err)))
	}
	return strings.Join(all, " ")
}

func wantAsked(t *testing.T, asked []int, want ...int) {
	t.Helper()
	if !slices.Equal(asked, want) {
		t.Errorf("the inputs were asked %v times to cancel, want %v", asked, want)
	}
}

func succeeds(i int, res future.Resolver[int]) { res.Succeed(i * 10) }

func TestDeferredListAsInTwisted(t *testing.T) {
	t.Run("outcomes-in-the-order-of-the-inputs", func(t *testing.T) {
		ds, res, _ := askedInputs(3, nil)
		d := future.AllSettled(ds...)
		res[2].Succeed(3)
		res[1].Fail(errA)
		wantPending(t, d)
		res[0].Succeed(1)
		if got := outcomes(t, d); got != "1,ok 0,a 3,ok" {
			t.Errorf("one failure and two successes gave %s", got)
		}
	})
	t.Run("nothing-settles-at-once", func(t *testing.T) {
		if got := outcomes(t, future.AllSettled[int]()); got != "" {
			t.Errorf("AllSettled of nothing gave %s", got)
		}
		wantError(t, future.Any[int](), "no input") // Twisted's never fires
	})
	t.Run("the-first-failure-ends-it", func(t *testing.T) { // with the input's own error; the others are canceled
		ds, res, asked := askedInputs(3, nil)
		kept := ds[2].Shield()
		d := future.All(ds[0], ds[1], kept)
		res[0].Succeed(1)
		wantPending(t, d)
		res[1].Fail(errA)
		if _, err := d.Result(); err != errA {
			t.Errorf("it failed with %v", err)
		}
		wantAsked(t, asked, 0, 0, 0)
		res[2].Fail(errB) // a late outcome is observed, and no more
		if _, err := d.Result(); err != errA {
			t.Errorf("a late failure made it fail with %v", err)
		}
	})
	t.Run("inputs-keep-their-failure", func(t *testing.T) { // nothing consumes it
		ds, res, _ := askedInputs(1, nil)
		list := future.AllSettled(ds...)
		all := future.All(ds...).Catch(func(error) ([]int, error) { return []int{-1}, nil })
		res[0].Fail(errA)
		var got error
		ds[0].Catch(func(err error) (int, error) { got = err; return 0, nil })
		if gathered := outcomes(t, list); got != errA || gathered != "0,a" {
			t.Errorf("the list gave %s, a later errback of the input got %v", gathered, got)
		}
		wantSlice(t, all, -1)
	})
	t.Run("settled-inputs-settle-it-at-once", func(t *testing.T) {
		d := future.AllSettled(future.Succeed(1), future.Fail[int](errA), future.Succeed(3))
		if got := outcomes(t, d); got != "1,ok 0,a 3,ok" {
			t.Errorf("settled inputs gave %s", got)
		}
	})
	t.Run("a-failed-input-fails-it-at-once", func(t *testing.T) {
		pending, _ := future.New[int]()
		if _, err := future.All(pending, future.Fail[int](errA), pending).Result(); err != errA {
			t.Errorf("it has %v", err)
		}
	})
	t.Run("values-in-the-order-of-the-inputs", func(t *testing.T) {
		ds, res, _ := askedInputs(2, nil)
		d := future.All(ds...)
		res[1].Succeed(2)
		res[0].Succeed(1)
		wantSlice(t, d, 1, 2)
	})
}

func TestCancelOfADeferredListAsInTwisted(t *testing.T) {
	t.Run("each-input-is-asked", func(t *testing.T) {
		ds, _, asked := askedInputs(2, nil)
		d := future.AllSettled(ds...)
		d.Cancel(nil)
		wantAsked(t, asked, 1, 1)
		if got := outcomes(t, d); got != "canceled canceled" {
			t.Errorf("it gave %s", got)
		}
	})
	t.Run("it-succeeds-with-what-they-answer", func(t *testing.T) {
		ds, _, _ := askedInputs(2, func(i int, res future.Resolver[int]) {
			if i == 0 {
				res.Succeed(7)
			}
		})
		d := future.AllSettled(ds...)
		d.Cancel(nil)
		if got := outcomes(t, d); got != "7,ok canceled" {
			t.Errorf("it gave %s", got)
		}
	})
	t.Run("Any-asks-each", func(t *testing.T) {
		ds, _, asked := askedInputs(2, nil)
		d := future.Any(ds...)
		d.Cancel(errA)
		wantAsked(t, asked, 1, 1)
		wantError(t, d, "", future.ErrCanceled, errA)
	})
	t.Run("Any-takes-a-value-as-answer", func(t *testing.T) {
		ds, _, _ := askedInputs(2, func(i int, res future.Resolver[int]) {
			if i == 1 {
				res.Succeed(7)
			}
		})
		d := future.Any(ds...)
		d.Cancel(nil)
		wantOutcome(t, d, 7, nil)
	})
	t.Run("All-fails-as-canceled", func(t *testing.T) {
		ds, _, asked := askedInputs(2, nil)
		d := future.All(ds...)
		d.Cancel(errA)
		wantAsked(t, asked, 1, 1)
		wantError(t, d, "", future.ErrCanceled, errA)
	})
	t.Run("All-takes-values-as-answers", func(t *testing.T) {
		ds, _, _ := askedInputs(3, succeeds)
		d := future.All(ds...)
		d.Cancel(nil)
		wantSlice(t, d, 0, 10, 20)
	})
	t.Run("the-slice-was-copied", func(t *testing.T) {
		ds, res, asked := askedInputs(3, nil)
		given := slices.Clone(ds[:2])
		d := future.AllSettled(given...)
		given[0] = ds[2]
		res[0].Succeed(7)
		d.Cancel(nil)
		wantAsked(t, asked, 0, 1, 0)
		if got := outcomes(t, d); got != "7,ok canceled" {
			t.Errorf("it gave %s", got)
		}
	})
	t.Run("a-canceller-that-panics-stops-nothing", func(t *testing.T) {
		ds, _, asked := askedInputs(2, func(i int, _ future.Resolver[int]) {
			if i == 0 {
				panic(errB)
			}
		})
		d := future.AllSettled(ds...)
		d.Cancel(errA)
		wantAsked(t, asked, 1, 1)
		outs, _ := d.Result()
		for _, target := range []error{future.ErrCanceled, errA, errB, failure.ErrPanic} {
			if !errors.Is(outs[0].Err, target) {
				t.Errorf("the error %v of that input does not match %v", outs[0].Err, target)
			}
		}
		wantCanceled(t, outs[1].Err, errA)
	})
	t.Run("a-settled-one-asks-nobody", func(t *testing.T) { // who loses is asked before, unless it is shielded
		for name, gather := range map[string]func(a, b intDeferred) interface{ Cancel(error) bool }{
			"Any": func(a, b intDeferred) interface{ Cancel(error) bool } {
				return future.Any(a, b, future.Succeed(1))
			},
			"All": func(a, b intDeferred) interface{ Cancel(error) bool } {
				return future.All(a, b, future.Fail[int](errA)).Catch(func(error) ([]int, error) { return nil, nil })
			},
		} {
			ds, _, asked := askedInputs(2, nil)
			if gather(ds[0].Shield(), ds[1].Shield()).Cancel(nil) {
				t.Errorf("%s was still pending", name)
			}
			wantAsked(t, asked, 0, 0)
			ds, _, asked = askedInputs(2, nil)
			gather(ds[0], ds[1])
			wantAsked(t, asked, 1, 1)
		}
	})
	t.Run("one-that-waits-behind-it-is-asked", func(t *testing.T) { // elsewhere a settled list swallows the cancel
		inner, _, asked := counting()
		list := future.AllSettled(future.Succeed(1))
		d := future.ThenFlat(list, returning[[]future.Outcome[int]](inner))
		if !d.Cancel(errA) || !slices.Equal(*asked, []error{errA}) {
			t.Errorf("what it waited for was asked with %v", *asked)
		}
		wantError(t, d, "", future.ErrCanceled, errA)
	})
}

func TestRaceAsInTwisted(t *testing.T) {
	// runners draws some, and which of them is the special one.
	runners := func(t *rapid.T, answer func(i int, res future.Resolver[int])) (ds []intDeferred, res []future.Resolver[int], asked []int, special int) {
		before, after := rapid.IntRange(0, 3).Draw(t, "before"), rapid.IntRange(0, 3).Draw(t, "after")
		ds, res, asked = askedInputs(before+1+after, answer)
		return ds, res, asked, before
	}
	allButOne := func(n, one int) []int {
		want := slices.Repeat([]int{1}, n)
		want[one] = 0
		return want
	}
	won := func(t *rapid.T, d intDeferred) {
		if v, err := d.Result(); v != 5 || err != nil {
			t.Errorf("it has (%v, %v), want the value of the winner", v, err)
		}
	}
	t.Run("the-first-success-wins", rapid.MakeCheck(func(t *rapid.T) {
		ds, res, asked, winner := runners(t, nil)
		d := future.Any(ds...)
		res[winner].Succeed(5)
		won(t, d)
		if want := allButOne(len(ds), winner); !slices.Equal(asked, want) {
			t.Errorf("asked %v times to cancel, want %v: each loser once, the winner never", asked, want)
		}
	}))
	t.Run("all-fail", rapid.MakeCheck(func(t *rapid.T) {
		ds, res, asked, _ := runners(t, nil)
		d := future.Any(ds...)
		var want []string
		for i := range res {
			want = append(want, fmt.Sprint("error ", i))
		}
		for _, i := range rapid.Permutation(lawIndices(len(res))).Draw(t, "order") {
			res[i].Fail(errors.New(want[i]))
		}
		if _, err := d.Result(); err == nil || text(err) != strings.Join(want, " & ") {
			t.Errorf("the errors are %v, want all in the order of the inputs", err)
		}
		if slices.Max(asked) != 0 {
			t.Errorf("asked %v times to cancel", asked)
		}
	}))
	t.Run("a-loser-that-settles-late", rapid.MakeCheck(func(t *rapid.T) {
		ds, res, _, winner := runners(t, nil)
		shielded := rapid.Bool().Draw(t, "shielded") // so that a cancel does not reach it
		in := slices.Clone(ds)
		for i := range in {
			if shielded {
				in[i] = ds[i].Shield()
			}
		}
		d := future.Any(in...)
		res[winner].Succeed(5)
		for i := range res {
			if taken := res[i].Succeed(i); taken != (shielded && i != winner) {
				t.Errorf("loser %d, shielded %v: its late result was taken: %v", i, shielded, taken)
			}
		}
		won(t, d)
	}))
	t.Run("a-loser-that-answers-with-a-value", func(t *testing.T) {
		ds, res, asked := askedInputs(3, succeeds)
		d := future.Any(ds...)
		res[1].Succeed(5)
		wantOutcome(t, d, 5, nil)
		wantAsked(t, asked, 1, 0, 1)
	})
	t.Run("canceled", rapid.MakeCheck(func(t *rapid.T) {
		ds, _, asked, _ := runners(t, nil)
		d := future.Any(ds...)
		d.Cancel(errA)
		if slices.Min(asked) != 1 || slices.Max(asked) != 1 {
			t.Errorf("asked %v times to cancel, want each once", asked)
		}
		if _, err := d.Result(); !errors.Is(err, future.ErrCanceled) || !errors.Is(err, errA) {
			t.Errorf("it has %v", err)
		}
	}))
	t.Run("losers-whose-cancellers-panic", func(t *testing.T) { // elsewhere such a race never settles
		ds, res, asked := askedInputs(3, func(int, future.Resolver[int]) { panic(errB) })
		d := future.Any(ds...)
		res[1].Succeed(5)
		wantOutcome(t, d, 5, nil)
		wantOutcome(t, ds[1], 5, nil)
		wantAsked(t, asked, 1, 0, 1)
	})
	t.Run("canceled-and-the-cancellers-panic", func(t *testing.T) {
		ds, _, asked := askedInputs(3, func(int, future.Resolver[int]) { panic(errB) })
		d := future.Any(ds...)
		d.Cancel(errA)
		wantError(t, d, "", future.ErrCanceled, errA, errB)
		wantAsked(t, asked, 1, 1, 1)
	})
}
