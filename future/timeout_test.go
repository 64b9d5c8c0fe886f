package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// wantLate fails the test unless err is a timeout and no cancellation.
func wantLate(t testing.TB, err error, causes ...error) {
	t.Helper()
	for _, target := range append([]error{context.DeadlineExceeded}, causes...) {
		if !errors.Is(err, target) {
			t.Errorf("error is %v, want one that matches %v", err, target)
		}
	}
	for _, not := range []error{future.ErrCanceled, context.Canceled} {
		if errors.Is(err, not) {
			t.Errorf("error %v matches %v", err, not)
		}
	}
}

func wantNoTimers(t testing.TB, clk *clock.Virtual) {
	t.Helper()
	if n := clk.Pending(); n != 0 {
		t.Errorf("%d scheduled, want none: %v", n, clk)
	}
}

func TestAfter(t *testing.T) {
	for _, d := range []time.Duration{-time.Hour, 0, 1, time.Hour} {
		clk := clock.NewVirtual()
		start := clk.Now()
		a := future.After(clk, d, "v")
		wantPending(t, a) // not within this call
		var at time.Time
		future.Then(a, func(string) (int, error) { at = clk.Now(); return 0, nil })
		clk.Advance(max(d, 0))
		wantOutcome(t, a, "v", nil)
		if want := start.Add(max(d, 0)); at != want {
			t.Errorf("After(%v) settled at %v, want %v", d, at, want)
		}
	}
	mustPanic(t, func() { future.After(nil, 1, 0) }, "After", "nil clock.Clock")
}

func TestAfterCancel(t *testing.T) {
	clk := clock.NewVirtual()
	d := future.After(clk, 5, 1)
	e := future.Then(d, plus(1))
	clk.Advance(4)
	e.Cancel(errCause)
	wantNoTimers(t, clk)
	_, err := e.Result()
	wantCanceled(t, err, errCause)
	if d.Cancel(nil) {
		t.Error("Cancel of a settled one reports true")
	}
}

// Law 38: delays add up, equal ones settle in the order in which they were
// made, and one made on the way runs in the same drive.
func TestAfterOrder(t *testing.T) {
	clk := clock.NewVirtual()
	start := clk.Now()
	var log journal
	note := func(name string) func(int) (int, error) {
		return func(int) (int, error) { log.add("%s@%d", name, clk.Now().Sub(start)); return 0, nil }
	}
	future.Then(future.After(clk, 3, 0), note("a"))
	future.Then(future.After(clk, 1, 0), note("b"))
	future.Then(future.After(clk, 3, 0), note("c"))
	future.Then(future.ThenFlat(future.After(clk, 1, 0), func(int) *future.Deferred[int] { return future.After(clk, 2, 0) }), note("d"))
	future.Then(future.ThenFlat(future.After(clk, 3, 0), func(int) *future.Deferred[int] { return future.After(clk, 0, 0) }), note("e"))
	clk.Run()
	log.want(t, "b@1", "a@3", "c@3", "d@3", "e@3")
}

// Nested timeouts, also equal ones, are the shortest.
func TestTimeoutNests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clk := clock.NewVirtual()
		start := clk.Now()
		src, res := future.New[int]()
		calls := 0
		res.OnCancel(func(error) { calls++ })
		d, least := src, 100
		for _, x := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 5).Draw(t, "timeouts") {
			d, least = d.Timeout(clk, time.Duration(x)), min(least, x)
		}
		struck := time.Duration(-1)
		d.Catch(func(err error) (int, error) { struck = clk.Now().Sub(start); return 0, err })
		clk.Run()
		_, err := d.Result()
		if struck != time.Duration(least) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, future.ErrCanceled) || calls != 1 {
			t.Errorf("failed with %v at %v, %d cancellations, want a timeout at %d", err, struck, calls, least)
		}
		if now := clk.Now().Sub(start); now != time.Duration(least) {
			t.Errorf("timers were left: it is %v", now)
		}
	})
}

func TestTimeoutStopsItsTimer(t *testing.T) {
	clk := clock.NewVirtual()
	for name, settle := range map[string]func(future.Resolver[int], *future.Deferred[int]){
		"value":           func(r future.Resolver[int], _ *future.Deferred[int]) { r.Succeed(1) },
		"error":           func(r future.Resolver[int], _ *future.Deferred[int]) { r.Fail(errA) },
		"cancel":          func(_ future.Resolver[int], d *future.Deferred[int]) { d.Cancel(nil) },
		"settled follows": func(r future.Resolver[int], _ *future.Deferred[int]) { r.Follow(future.Succeed(1)) },
	} {
		src, res := future.New[int]()
		d := src.Timeout(clk, time.Hour)
		derived := future.Then(d, func(int) (int, error) { wantNoTimers(t, clk); return 0, nil })
		if clk.Pending() != 1 {
			t.Errorf("%s: no timer", name)
		}
		settle(res, derived)
		wantNoTimers(t, clk)
	}
	// One that leaves while others stay has its outcome too.
	src, res := future.New[int]()
	stays := future.Then(src, plus(1))
	src.Timeout(clk, time.Hour).Cancel(nil)
	wantNoTimers(t, clk)
	wantPending(t, stays)
	res.Succeed(1)
}

func TestTimeoutOfASettledOne(t *testing.T) {
	clk := clock.NewVirtual()
	wantOutcome(t, future.Succeed(1).Timeout(clk, 0), 1, nil)
	wantOutcome(t, future.Fail[int](errA).Timeout(clk, -5), 0, errA)
	wantNoTimers(t, clk)
	mustPanic(t, func() { future.Succeed(1).Timeout(nil, 1) }, "Timeout", "nil clock.Clock")
}

func TestTimeoutNegative(t *testing.T) {
	clk := clock.NewVirtual()
	start := clk.Now()
	src, _, calls := counting()
	d := src.Timeout(clk, -time.Hour)
	wantPending(t, d)
	clk.Advance(0)
	_, err := d.Result()
	wantLate(t, err)
	if clk.Now() != start || len(*calls) != 1 {
		t.Errorf("it is %v, %d cancellations", clk.Now(), len(*calls))
	}
}

// A timeout is told apart from a cancel wherever the cancellation goes.
func TestTimeoutErrors(t *testing.T) {
	never := func() *future.Deferred[int] { d, _ := future.New[int](); return d }
	first := func(vs []int) (int, error) { return vs[0], nil }
	wrap := func(err error) (int, error) { return 0, fmt.Errorf("wrapped: %w", err) }
	coroutine := func(f func(context.Context, error) error) func() *future.Deferred[int] {
		return func() *future.Deferred[int] {
			return future.Async(context.Background(), func(ctx context.Context) (int, error) {
				_, err := never().Await(ctx)
				return 0, f(ctx, err)
			})
		}
	}
	for name, make := range map[string]func() *future.Deferred[int]{
		"root":    never,
		"Then":    func() *future.Deferred[int] { return future.Then(never(), plus(1)) },
		"wrapped": func() *future.Deferred[int] { return never().Catch(wrap) },
		"joined":  func() *future.Deferred[int] { return never().Finally(func() error { return errA }) },
		"flat": func() *future.Deferred[int] {
			return future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return never() })
		},
		"All":    func() *future.Deferred[int] { return future.Then(future.All(never(), never()), first) },
		"Any":    func() *future.Deferred[int] { return future.Any(never(), future.Fail[int](errA), never().Catch(wrap)) },
		"Race":   func() *future.Deferred[int] { return future.Race(never(), never()) },
		"nested": func() *future.Deferred[int] { return future.Any(future.Any(never(), never()), never()).Catch(wrap) },
		"Join2": func() *future.Deferred[int] {
			return future.Join2(never(), never(), func(a, b int) (int, error) { return a + b, nil })
		},
		"MapN": func() *future.Deferred[int] {
			return future.Then(future.MapN(2, []int{1, 2, 3}, func(int) *future.Deferred[int] { return never() }), first)
		},
		"coroutine, Await's error":   coroutine(func(_ context.Context, err error) error { return err }),
		"coroutine, ctx.Err()":       coroutine(func(ctx context.Context, _ error) error { return ctx.Err() }),
		"coroutine, ctx.Err(), more": coroutine(func(ctx context.Context, _ error) error { return fmt.Errorf("reading: %w", ctx.Err()) }),
		"coroutine, context.Cause":   coroutine(func(ctx context.Context, _ error) error { return context.Cause(ctx) }),
		"coroutine, joined":          coroutine(func(ctx context.Context, err error) error { return errors.Join(errA, ctx.Err(), err) }),
		"coroutine in a gather": func() *future.Deferred[int] {
			return future.Any(coroutine(func(ctx context.Context, _ error) error { return fmt.Errorf("a: %w", ctx.Err()) })(), never())
		},
		"Go": func() *future.Deferred[int] {
			return future.Go(context.Background(), func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		},
		"another timeout": func() *future.Deferred[int] { return never().Timeout(clock.NewVirtual(), 1) },
		"WithContext":     func() *future.Deferred[int] { return never().WithContext(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			clk := clock.NewVirtual()
			d := make().Timeout(clk, 5)
			after := future.Then(d, plus(1))
			clk.Advance(4)
			wantPending(t, d)
			clk.Advance(1)
			_, err := d.Result()
			wantLate(t, err)
			if after, _ := after.Result(); after != 0 {
				t.Error("no failure passed on")
			}
			if te := interface{ Timeout() bool }(nil); !errors.As(err, &te) || !te.Timeout() {
				t.Errorf("error %v has no Timeout method that says so", err)
			}
			wantNoTimers(t, clk)

			d = make().Timeout(clk, 5) // canceled by somebody else
			clk.Advance(4)
			d.Cancel(errCause)
			_, err = d.Result()
			if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("canceled before: %v", err)
			}
			wantNoTimers(t, clk)
		})
	}
}

// Who holds the source may cancel it; that is no timeout, also if it comes
// from the same instant, and also beside one.
func TestACancelBySomebodyElseStaysOne(t *testing.T) {
	clk := clock.NewVirtual()
	src, _, _ := counting()
	d := src.Timeout(clk, 5)
	clk.CallLater(5, func() { t.Error("the source was not canceled") }).Stop()
	src.Cancel(errCause)
	_, err := d.Result()
	wantCanceled(t, err, errCause)
	wantNoTimers(t, clk)

	a, _, _ := counting()
	b, _, _ := counting()
	both := future.Any(a, b).Timeout(clk, 5)
	a.Cancel(errCause)
	clk.Advance(5)
	_, err = both.Result()
	for _, target := range []error{context.DeadlineExceeded, future.ErrCanceled, context.Canceled, errCause} {
		if !errors.Is(err, target) {
			t.Errorf("error %v does not match %v, one input was canceled, one was late", err, target)
		}
	}
}

// A canceller that hands on what it was told, as it is or within an error of its
// own, makes no cancel of somebody else's out of a timeout.
func TestTimeoutBehindACanceller(t *testing.T) {
	for name, tell := range map[string]func(cause error) error{
		"the cause": func(cause error) error { return cause },
		"wrapped":   func(cause error) error { return fmt.Errorf("closing: %w", cause) },
		"joined":    func(cause error) error { return errors.Join(errCause, cause) },
	} {
		bridge := func(in *future.Deferred[int]) *future.Deferred[int] {
			out, res := future.New[int]()
			res.OnCancel(func(cause error) {
				if !errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, future.ErrCanceled) {
					t.Errorf("%s: told %v", name, cause)
				}
				in.Cancel(tell(cause))
				res.Follow(in)
			})
			return out
		}
		t.Run(name, func(t *testing.T) {
			clk := clock.NewVirtual()
			for _, d := range []*future.Deferred[int]{
				bridge(pend()).Timeout(clk, 5),
				bridge(bridge(pend())).Timeout(clk, 5),
				bridge(pend().Timeout(clk, 5)).Timeout(clk, 5),
				future.Any(bridge(pend()), bridge(pend())).Timeout(clk, 5),
				future.Async(background, func(ctx context.Context) (int, error) { return bridge(pend()).WithContext(ctx).Await(ctx) }).Timeout(clk, 5),
			} {
				clk.Advance(5)
				if _, err := d.Result(); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, future.ErrCanceled) {
					t.Errorf("failed with %v", err)
				}
			}
			d := bridge(pend()).Timeout(clk, 5)
			d.Cancel(context.DeadlineExceeded)
			if _, err := d.Result(); !errors.Is(err, future.ErrCanceled) {
				t.Errorf("canceled by hand: failed with %v", err)
			}
		})
	}
}

func pend() *future.Deferred[int] {
	d, _ := future.New[int]()
	return d
}

// A timeout asks, and the answer stands.
func TestTimeoutAsks(t *testing.T) {
	clk := clock.NewVirtual()
	src, res := future.New[int]()
	res.OnCancel(func(cause error) {
		if !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("the canceller was told %v", cause)
		}
		res.Succeed(4)
	})
	d := src.Timeout(clk, 5)
	clk.Run()
	wantOutcome(t, d, 4, nil)

	src, res = future.New[int]()
	res.OnCancel(func(error) { res.Fail(errA) })
	d = src.Timeout(clk, 5)
	clk.Run()
	wantOutcome(t, d, 0, errA)

	d = src.Catch(func(error) (int, error) { return 7, nil }).Timeout(clk, 5)
	wantOutcome(t, d, 7, nil)
}

// A coroutine that was late takes its time to clean up; a hard bound does not
// wait for it.
func TestTimeoutWaitsForTheAnswer(t *testing.T) {
	clk := clock.NewVirtual()
	start := clk.Now()
	slow := func() *future.Deferred[int] {
		return future.Async(context.Background(), func(ctx context.Context) (int, error) {
			_, err := future.After(clk, time.Hour, 0).Await(ctx)
			future.After(clk, 10, 0).Await(context.WithoutCancel(ctx))
			return 0, err
		})
	}
	soft, hard := slow(), slow()
	d, e := soft.Timeout(clk, 5), hard.Shield().Timeout(clk, 5)
	clk.Advance(5)
	wantPending(t, d)
	_, err := e.Result()
	wantLate(t, err)
	wantPending(t, hard)
	clk.Advance(10)
	_, err = d.Result()
	wantLate(t, err)
	hard.Cancel(nil)
	clk.Run()
	_, err = hard.Result()
	wantCanceled(t, err)
	if got := clk.Now().Sub(start); got != 25 {
		t.Errorf("it is %v, want the end of the clean-up", got)
	}
}

// What several derived Deferreds share under different timeouts is canceled
// only by the last.
func TestTimeoutsOfOneSource(t *testing.T) {
	clk := clock.NewVirtual()
	src, res, calls := counting()
	a, b := src.Timeout(clk, 2), src.Timeout(clk, 4)
	clk.Advance(3)
	_, err := a.Result()
	wantLate(t, err)
	if len(*calls) != 0 {
		t.Error("the source was canceled while another waits")
	}
	res.Succeed(5)
	wantOutcome(t, b, 5, nil)
	wantNoTimers(t, clk)
}

// One Timeout at the root of a tree cancels every leaf.
func TestTimeoutOverATree(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var log journal
	leaf := func(i int) *future.Deferred[int] {
		d, res := future.NewOn[int](r)
		res.OnCancel(func(error) { log.add("%d", i) })
		return d
	}
	tree := future.Then(future.All(
		future.Any(leaf(1), leaf(2)),
		future.Race(leaf(3), future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) { return leaf(4).Await(ctx) })),
		future.ThenFlat(future.After(r, 1, 0), func(int) *future.Deferred[int] { return leaf(5) }),
	), func(vs []int) (int, error) { return len(vs), nil })
	d := tree.Timeout(r, 10)
	clk.Run()
	_, err := d.Result()
	wantLate(t, err)
	log.want(t, "1", "2", "3", "4", "5")
	wantNoTimers(t, clk)
}

// On a loop, the timer is gone as soon as the outcome is there, whichever
// goroutine settles.
func TestTimeoutWhileItSettles(t *testing.T) {
	clk := clock.NewVirtual()
	for range 2000 {
		src, res := future.New[int]()
		done := make(chan struct{})
		go func() { defer close(done); res.Succeed(1) }()
		d := src.Timeout(clk, time.Hour)
		<-done
		wantOutcome(t, d, 1, nil)
		if clk.Pending() != 0 {
			t.Fatalf("a timer was left: %v", clk)
		}
	}
}

func TestTimeoutOnVirtualIsExact(t *testing.T) {
	clk := clock.NewVirtual()
	start := clk.Now()
	var struck []time.Duration
	for _, d := range []time.Duration{time.Hour, time.Nanosecond, 1500 * time.Millisecond} {
		src, _ := future.New[int]()
		src.Timeout(clk, d).Catch(func(error) (int, error) { struck = append(struck, clk.Now().Sub(start)); return 0, nil })
	}
	clk.Advance(24 * time.Hour)
	if want := []time.Duration{time.Nanosecond, 1500 * time.Millisecond, time.Hour}; !slices.Equal(struck, want) {
		t.Errorf("struck at %v, want %v", struck, want)
	}
}
