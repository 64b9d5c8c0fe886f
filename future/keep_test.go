package future_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// keeper keeps values, and takes none back.
var keeper = seam.NewKeeper(nil)

// keptOn returns a Deferred whose value is kept, seen on r.
func keptOn(r *reactor.Reactor) (*future.Deferred[int], future.Resolver[int]) {
	root, res := future.New[int]()
	keeper.Keep(root)
	return root.On(r), res
}

// Ways to pass a value on.
var passes = map[string]func(r *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int]{
	"itself":    func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] { return d },
	"Catch":     func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] { return d.Catch(nil0) },
	"CatchFlat": func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] { return d.CatchFlat(nil1) },
	"Shield":    func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] { return d.Shield() },
	"Timeout": func(r *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		return d.Timeout(r, time.Hour)
	},
	"WithContext": func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		return d.WithContext(cancelable())
	},
	"Hold": func(_ *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		held, release := d.Hold()
		release()
		return held
	},
	"ThenFlat": func(r *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		return future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return d }).On(r)
	},
	"Follow": func(r *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		f, res := future.NewOn[int](r)
		res.Follow(d)
		return f
	},
	"Flatten": func(r *reactor.Reactor, d *future.Deferred[int]) *future.Deferred[int] {
		return future.Flatten(future.Succeed(d)).On(r)
	},
}

// eachPass runs test with a kept value that is seen behind each of the passes.
func eachPass(t *testing.T, test func(t *testing.T, r *reactor.Reactor, clk *clock.Virtual, d *future.Deferred[int], res future.Resolver[int])) {
	for name, pass := range passes {
		t.Run(name, func(t *testing.T) {
			clk := clock.NewVirtual()
			r := reactor.New(clk)
			defer r.Stop()
			d, res := keptOn(r)
			test(t, r, clk, pass(r, d), res)
		})
	}
}

func nil0(error) (int, error)          { return 0, nil }
func nil1(error) *future.Deferred[int] { return nil }

func cancelable() context.Context {
	type key struct{}
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(ctx, cancel)
	return context.WithValue(ctx, key{}, cancel)
}

// A cancel in the turn in which the value came does not take it away: the
// callback runs with it, and the cancel goes to what that returns.
func TestKeptValueIsDelivered(t *testing.T) {
	eachPass(t, func(t *testing.T, r *reactor.Reactor, clk *clock.Virtual, d *future.Deferred[int], res future.Resolver[int]) {
		got := 0
		inner, innerRes := future.New[int]()
		var told error
		innerRes.OnCancel(func(cause error) { told = cause })
		then := future.Then(d, func(v int) (int, error) { got += v; return v, nil })
		flat := future.ThenFlat(d, func(v int) *future.Deferred[int] { got += v; return inner })
		tail := future.Then(flat, plus(1))
		clk.Advance(0)
		res.Succeed(1)
		if then.Cancel(errCause); !tail.Cancel(errCause) {
			t.Error("it was pending")
		}
		clk.Advance(0)
		if got != 2 {
			t.Errorf("%d of 2 callbacks got the value", got)
		}
		wantOutcome(t, then, 1, nil)
		wantError(t, tail, "", errCause, future.ErrCanceled)
		if told != errCause {
			t.Errorf("what the callback returned was canceled with %v", told)
		}
	})
}

// Others lose it in the race, and a kept one that is canceled first, too.
func TestOnlyKeptValuesAreDelivered(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	// What a callback makes of a kept value is a value like any other.
	made, res := keptOn(r)
	m := future.Then(future.Then(made, plus(1)), func(int) (int, error) { t.Error("it ran"); return 0, nil })
	res.Succeed(1)
	clk.Step()
	m.Cancel(errCause)

	usual, res := future.NewOn[int](r)
	d := future.Then(usual, func(int) (int, error) { t.Error("it ran"); return 0, nil })
	res.Succeed(1)
	d.Cancel(errCause)

	early, res := keptOn(r)
	e := future.Then(early, func(int) (int, error) { t.Error("it ran"); return 0, nil })
	e.Cancel(errCause)
	if res.Succeed(1) {
		t.Error("it was canceled before")
	}

	failed, res := keptOn(r)
	f := future.Then(failed, plus(1))
	res.Fail(errA)
	clk.Advance(0)
	wantError(t, d, "", errCause)
	wantError(t, e, "", errCause)
	wantOutcome(t, f, 0, errA)
	wantError(t, m, "", errCause)
}

// A coroutine that is canceled in the turn of the value gets it all the same.
func TestKeptValueReachesACanceledCoroutine(t *testing.T) {
	eachPass(t, func(t *testing.T, r *reactor.Reactor, clk *clock.Virtual, d *future.Deferred[int], res future.Resolver[int]) {
		got := 0
		co := future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
			v, err := d.Await(ctx)
			got = v
			return v, err
		})
		clk.Advance(0)
		res.Succeed(1)
		co.Cancel(errCause)
		clk.Advance(0)
		if got != 1 {
			t.Errorf("the coroutine got %d", got)
		}
	})
}

// Settle and cancel race: either the cancel is first, and the settle refused, or
// the callback gets the value.
func TestKeptValueIsNeverLostInARace(t *testing.T) {
	for range 2000 {
		root, res := future.New[int]()
		keeper.Keep(root)
		var got atomic.Int32
		d := future.Then(root.Shield().Catch(nil0), func(v int) (int, error) { got.Add(1); return v, nil })
		c := future.Then(root.Catch(func(err error) (int, error) { return 0, err }), func(v int) (int, error) { got.Add(1); return v, nil })
		var wg sync.WaitGroup
		var first bool
		wg.Go(func() { first = res.Succeed(1) })
		wg.Go(func() { c.Cancel(nil) })
		wg.Wait()
		switch n := got.Load(); {
		case first && n == 1: // c left before
			wantError(t, c, "", future.ErrCanceled)
			wantOutcome(t, d, 1, nil)
		case first && n == 2:
			wantOutcome(t, c, 1, nil)
		default:
			t.Fatalf("first: %v, %d callbacks got the value", first, n)
		}
	}
}

// Two cancel at the same time: the second finds the canceller of the first at
// work, and the function that waited gives up. A value that comes then goes back,
// for nobody would take it.
func TestKeptValueGoesBackIfNobodyIsLeft(t *testing.T) {
	for name, pass := range map[string]func(d *future.Deferred[int]) *future.Deferred[int]{
		"itself":  func(d *future.Deferred[int]) *future.Deferred[int] { return d },
		"Timeout": func(d *future.Deferred[int]) *future.Deferred[int] { return d.Timeout(clock.NewVirtual(), time.Hour) },
		"Catch":   func(d *future.Deferred[int]) *future.Deferred[int] { return d.Catch(nil0) },
	} {
		t.Run(name, func(t *testing.T) {
			var back []int
			root, res := future.New[int]()
			seam.NewKeeper(func(v int) { back = append(back, v) }).Keep(root)
			begun, leave := make(chan struct{}), make(chan struct{})
			res.OnCancel(func(error) {
				close(begun)
				<-leave
			})
			d := pass(root)
			waits := future.Async(background, d.Await)
			var first sync.WaitGroup
			first.Go(func() { waits.Cancel(errA) })
			<-begun
			waits.Cancel(errA)
			if _, err := waits.Result(); !errors.Is(err, future.ErrCanceled) && !errors.Is(err, context.Canceled) {
				t.Errorf("the function ended with %v", err)
			}
			if !res.Succeed(7) { // the root itself is for its Resolver to give back
				back = append(back, 7)
			}
			if len(back) != 1 || back[0] != 7 {
				t.Errorf("%v went back, want 7", back)
			}
			wantError(t, d, "", future.ErrCanceled)
			close(leave)
			first.Wait()
		})
	}
}

// A value comes to a function's result after an Await of that has given up. If
// others came meanwhile, it is theirs.
func TestKeptValueOfAFunction(t *testing.T) {
	for _, others := range []bool{false, true} {
		for _, early := range []bool{false, true} {
			var back []int
			root, res := future.New[int]()
			seam.NewKeeper(func(v int) { back = append(back, v) }).Keep(root)
			gate, open := future.New[int]()
			ctx, cancel := context.WithCancel(background)
			cancel()
			var d, then *future.Deferred[int]
			d = future.ThenFlat(gate, func(int) *future.Deferred[int] {
				d.Await(ctx)
				if others {
					then = future.Then(d, inc)
				}
				if early {
					res.Succeed(7)
				}
				return root
			})
			open.Succeed(1)
			switch {
			case others:
				res.Succeed(7)
				wantOutcome(t, then, 8, nil)
			case early:
				wantError(t, d, "", future.ErrCanceled)
			default: // it has left the line
				wantError(t, root, "", future.ErrCanceled)
				wantError(t, d, "", future.ErrCanceled)
			}
			if want := early && !others; (len(back) == 1) != want {
				t.Errorf("others: %v, early: %v: %v went back", others, early, back)
			}
		}
	}
}

// An Await that gives up beside others who wait takes nothing away from them.
func TestKeptValueIsTakenIfOthersAreLeft(t *testing.T) {
	root, res := future.New[int]()
	keeper.Keep(root)
	other := future.Then(root, inc)
	ctx, cancel := context.WithCancel(background)
	gave := future.Async(ctx, root.Catch(nil0).Await)
	cancel()
	if _, err := gave.Await(background); !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
	if !res.Succeed(7) {
		t.Error("the value is refused")
	}
	wantOutcome(t, other, 8, nil)
}

// While somebody still waits for the answer to a cancel, a value that comes is
// that answer.
func TestKeptValueIsTheAnswerToACancel(t *testing.T) {
	root, res := future.New[int]()
	keeper.Keep(root)
	res.OnCancel(func(error) { res.Succeed(7) })
	d := future.Then(root, func(v int) (int, error) { return v, nil })
	d.Cancel(errA)
	wantOutcome(t, d, 7, nil)
}

// An attach to one that has moved leaves a late cancel where it is: remembered.
func TestKeptValueIsDeliveredThroughOneThatIsPutBack(t *testing.T) {
	for _, attach := range []bool{false, true} {
		root, res := future.New[int]()
		keeper.Keep(root)
		var outer, inner *future.Deferred[int]
		future.Then(root, func(int) (int, error) {
			outer.Cancel(errA)
			if attach {
				wantLater := future.Then(inner, inc)
				defer func() { wantPending(t, wantLater) }()
			}
			return 0, nil
		})
		gate, open := future.New[int]()
		inner = future.ThenFlat(gate, func(int) *future.Deferred[int] { return root })
		d, follow := future.New[int]()
		follow.Follow(inner)
		outer = d
		then := future.Then(outer, inc)
		open.Succeed(1)
		res.Succeed(7)
		wantOutcome(t, then, 8, nil)
	}
}
