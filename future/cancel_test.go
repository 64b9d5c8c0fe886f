package future_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

var (
	errCause = errors.New("the cause")
	errOther = errors.New("another error")
)

// plus returns a callback that adds k.
func plus(k int) func(int) (int, error) {
	return func(v int) (int, error) { return v + k, nil }
}

// wantCanceled fails the test unless err is a cancellation with all causes.
func wantCanceled(t testing.TB, err error, causes ...error) {
	t.Helper()
	for _, target := range append([]error{future.ErrCanceled, context.Canceled}, causes...) {
		if !errors.Is(err, target) {
			t.Errorf("error is %v, want one that matches %v", err, target)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v matches context.DeadlineExceeded", err)
	}
}

// counting returns a pending Deferred that counts its cancellations, which are
// to fail it.
func counting() (d *future.Deferred[int], res future.Resolver[int], calls *[]error) {
	calls = new([]error)
	d, res = future.New[int]()
	res.OnCancel(func(cause error) { *calls = append(*calls, cause) })
	return d, res, calls
}

func TestCancelError(t *testing.T) {
	d, res := future.New[int]()
	var told error
	res.OnCancel(func(cause error) { told = cause })
	if !d.Cancel(errCause) {
		t.Error("Cancel of a pending Deferred reports false")
	}
	_, err := d.Result()
	wantCanceled(t, err, errCause)
	if told != errCause {
		t.Errorf("the canceller was told %v, want the cause itself", told)
	}
	if d.Cancel(errOther) {
		t.Error("Cancel of a settled Deferred reports true")
	}
	if _, again := d.Result(); again != err {
		t.Error("a second Cancel changed the outcome")
	}
}

func TestCancelWithoutCause(t *testing.T) {
	for _, cause := range []error{nil, future.ErrCanceled} {
		d, res := future.New[int]()
		var told error
		res.OnCancel(func(cause error) { told = cause })
		d.Cancel(cause)
		_, err := d.Result()
		wantCanceled(t, err)
		if !errors.Is(told, future.ErrCanceled) {
			t.Errorf("the canceller was told %v, want ErrCanceled", told)
		}
		if want := future.ErrCanceled.Error(); err.Error() != want {
			t.Errorf("text is %q, want %q", err, want)
		}
	}
}

func TestCancellerAnswers(t *testing.T) {
	type resolver = future.Resolver[int]
	type deferred = *future.Deferred[int]
	inner, innerRes := future.New[int]()
	for _, tt := range []struct {
		name   string
		answer func(resolver, deferred)
		v      int
		errs   []error // all match; none: success
		not    []error
	}{
		{"nothing", func(resolver, deferred) {}, 0, []error{future.ErrCanceled, errCause}, nil},
		{"a value", func(r resolver, _ deferred) { r.Succeed(7) }, 7, nil, nil},
		{"an error", func(r resolver, _ deferred) { r.Fail(errOther) }, 0, []error{errOther}, []error{future.ErrCanceled}},
		{"both", func(r resolver, _ deferred) { r.Succeed(7); r.Fail(errOther) }, 7, nil, nil},
		{"a panic", func(resolver, deferred) { panic(errOther) }, 0, []error{future.ErrCanceled, errCause, errOther, failure.ErrPanic}, nil},
		{"a value and a panic", func(r resolver, _ deferred) { r.Succeed(7); panic(errOther) }, 7, nil, nil},
		{"another cancel", func(_ resolver, d deferred) { d.Cancel(io.EOF) }, 0, []error{future.ErrCanceled, errCause}, []error{io.EOF}},
		{"to follow", func(r resolver, _ deferred) { r.Follow(inner) }, 9, nil, nil},
		{"a new canceller", func(r resolver, _ deferred) { r.OnCancel(func(error) {}) }, 0, []error{future.ErrCanceled, errCause}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, res := future.New[int]()
			calls := 0
			res.OnCancel(func(error) {
				calls++
				wantPending(t, d)
				tt.answer(res, d)
			})
			seen := 0
			last := future.Handle(d, func(v int, err error) (int, error) { seen++; return v, err })
			if !last.Cancel(errCause) {
				t.Error("Cancel reports false")
			}
			innerRes.Succeed(9)
			v, err := last.Result()
			if v != tt.v || (err == nil) != (tt.errs == nil) {
				t.Errorf("Result() = %v, %v, want %v, %v", v, err, tt.v, tt.errs)
			}
			for _, want := range tt.errs {
				if !errors.Is(err, want) {
					t.Errorf("error %v does not match %v", err, want)
				}
			}
			for _, not := range tt.not {
				if errors.Is(err, not) {
					t.Errorf("error %v matches %v", err, not)
				}
			}
			if calls != 1 || seen != 1 {
				t.Errorf("%d calls of the canceller, %d of the callback, want 1 and 1", calls, seen)
			}
			if res.Succeed(1) || res.Fail(io.EOF) || res.Settle(1, nil) || res.Follow(future.Succeed(1)) {
				t.Error("a late settle was not refused")
			}
			if again, _ := d.Result(); again != v {
				t.Error("a late settle changed the outcome")
			}
		})
	}
}

// A canceller may call everything on its own Deferred: it runs under no lock.
func TestCancellerIsUnderNoLock(t *testing.T) {
	d, res := future.New[int]()
	res.OnCancel(func(error) {
		wantPending(t, d)
		_ = d.String()
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := d.Await(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Await in the canceller: %v", err)
		}
		d.Done()
		if !d.Cancel(nil) {
			t.Error("Cancel in the canceller reports false")
		}
		others := make(chan struct{})
		go func() { // nor is one held on behalf of the calling goroutine
			defer close(others)
			d.Cancel(nil)
			d.Catch(func(err error) (int, error) { return 0, err })
			wantPending(t, d)
		}()
		<-others
		future.Then(d, plus(1)).Shield().Finally(func() error { return nil }).Cancel(nil)
		future.All(d, d)
	})
	d.Cancel(errCause)
	_, err := d.Result()
	wantCanceled(t, err, errCause)
}

func TestOnCancelReplaces(t *testing.T) {
	d, res := future.New[int]()
	var log []string
	res.OnCancel(func(error) { log = append(log, "first") })
	res.OnCancel(func(error) { log = append(log, "second") })
	d.Cancel(nil)
	res.OnCancel(func(cause error) { log = append(log, "late", cause.Error()) })
	want := []string{"second", "late", future.ErrCanceled.Error()}
	if !slices.Equal(log, want) {
		t.Errorf("log is %q, want %q", log, want)
	}
}

func TestOnCancelOfSettled(t *testing.T) {
	for name, settle := range map[string]func(future.Resolver[int]){
		"succeeded": func(r future.Resolver[int]) { r.Succeed(1) },
		"failed":    func(r future.Resolver[int]) { r.Fail(errOther) },
		"follows":   func(r future.Resolver[int]) { r.Follow(future.Succeed(1)) },
	} {
		_, res := future.New[int]()
		settle(res)
		res.OnCancel(func(error) { t.Errorf("%s: the canceller runs", name) })
	}
	_, res := future.New[int]()
	mustPanic(t, func() { res.OnCancel(nil) }, "OnCancel", "nil")
}

// While the canceller of one stage runs, the next stage sets its own, on
// another goroutine: it has been canceled, and is told.
func TestOnCancelWhileCancellerRuns(t *testing.T) {
	d, res := future.New[int]()
	var told error
	res.OnCancel(func(error) {
		next := make(chan struct{})
		go func() {
			defer close(next)
			res.OnCancel(func(cause error) { told = cause })
		}()
		<-next
	})
	d.Cancel(errCause)
	if told != errCause {
		t.Errorf("the canceller of the next stage was told %v, want %v", told, errCause)
	}
}

func TestCancelIsCountedOverConsumers(t *testing.T) {
	src, _, calls := counting()
	a := future.Then(src, plus(1))
	b := future.Then(src, plus(2))
	c := future.Then(a, plus(3))
	d := future.Then(a, plus(4))
	for _, step := range []struct {
		name string
		d    *future.Deferred[int]
		want int
	}{{"c", c, 0}, {"c again", c, 0}, {"d", d, 0}, {"d again", d, 0}, {"b", b, 1}, {"b again", b, 1}} {
		step.d.Cancel(errCause)
		if len(*calls) != step.want {
			t.Fatalf("after cancelling %s: %d calls of the canceller, want %d", step.name, len(*calls), step.want)
		}
	}
	if (*calls)[0] != errCause {
		t.Errorf("the canceller was told %v", (*calls)[0])
	}
}

// One that leaves while others stay sees the cancellation at once.
func TestLeavingSeesTheCancellationAtOnce(t *testing.T) {
	src, res, calls := counting()
	stays := future.Then(src, plus(1))
	var log []string
	note := func(s string) { log = append(log, s) }
	caught := src.Catch(func(err error) (int, error) { note("catch"); wantCanceled(t, err, errCause); return 5, nil })
	handled := future.Handle(src, func(_ int, err error) (int, error) { note("handle"); wantCanceled(t, err, errCause); return 6, nil })
	final := src.Finally(func() error { note("finally"); return nil })
	then := future.Then(src, func(int) (int, error) { note("then"); return 0, nil })
	flat := src.CatchFlat(func(error) *future.Deferred[int] { note("catchflat"); return future.Succeed(8) })
	shield := src.Shield()
	for _, d := range []*future.Deferred[int]{caught, handled, final, then, flat, shield} {
		if !d.Cancel(errCause) {
			t.Error("Cancel reports false")
		}
	}
	if want := []string{"catch", "handle", "finally", "catchflat"}; !slices.Equal(log, want) {
		t.Errorf("log is %q, want %q", log, want)
	}
	wantOutcome(t, caught, 5, nil)
	wantOutcome(t, handled, 6, nil)
	wantOutcome(t, flat, 8, nil)
	for _, d := range []*future.Deferred[int]{final, then, shield} {
		_, err := d.Result()
		wantCanceled(t, err, errCause)
	}
	wantPending(t, src)
	if len(*calls) != 0 {
		t.Error("the source was canceled although one stays")
	}
	res.Succeed(1)
	wantOutcome(t, stays, 2, nil)
	if len(log) != 4 {
		t.Errorf("callbacks ran again: %q", log)
	}
}

func TestCancelGoesIntoTheReturnedDeferred(t *testing.T) {
	for _, depth := range []int{1, 2, 5} {
		inner, innerRes, calls := counting()
		src, res, srcCalls := counting()
		d := src
		for range depth {
			d = future.ThenFlat(d, func(int) *future.Deferred[int] { return future.Then(inner, plus(0)) })
		}
		after := future.Then(d, plus(1))
		res.Succeed(1)
		for range depth - 1 {
			wantPending(t, after)
		}
		after.Cancel(errCause)
		if len(*calls) != 1 || len(*srcCalls) != 0 {
			t.Errorf("depth %d: canceled the inner one %d times, the source %d times", depth, len(*calls), len(*srcCalls))
		}
		_, err := after.Result()
		wantCanceled(t, err, errCause)
		if innerRes.Succeed(1) {
			t.Error("a late settle was not refused")
		}
	}
}

// One inner Deferred, cached, is returned to two callers: the first leaves, the
// second goes on.
func TestCancelOfOneThatSharesTheReturned(t *testing.T) {
	cached, res, calls := counting()
	get := func(int) *future.Deferred[int] { return cached }
	first := future.Then(future.ThenFlat(future.Succeed(0), get), plus(1))
	second := future.Then(future.ThenFlat(future.Succeed(0), get), plus(2))
	first.Cancel(errCause)
	_, err := first.Result()
	wantCanceled(t, err, errCause)
	wantPending(t, second)
	if len(*calls) != 0 {
		t.Fatal("the cached one was canceled")
	}
	res.Succeed(10)
	wantOutcome(t, second, 12, nil)
}

func TestCancelWhileOwnCallbackRuns(t *testing.T) {
	type deferred = *future.Deferred[int]
	for _, from := range []struct {
		name   string
		cancel func(deferred)
	}{
		{"inside", func(d deferred) { d.Cancel(errCause) }},
		{"twice", func(d deferred) { d.Cancel(errCause); d.Cancel(errOther) }},
		{"another goroutine", func(d deferred) {
			done := make(chan struct{})
			go func() { defer close(done); d.Cancel(errCause) }()
			<-done
		}},
	} {
		t.Run(from.name, func(t *testing.T) {
			t.Run("pending", func(t *testing.T) {
				inner, _, calls := counting()
				src, res := future.New[int]()
				var d deferred
				d = future.ThenFlat(src, func(int) deferred { from.cancel(d); return inner })
				after := future.Then(d, plus(1))
				res.Succeed(1)
				_, err := after.Result()
				wantCanceled(t, err, errCause)
				if len(*calls) != 1 || (*calls)[0] != errCause {
					t.Errorf("the returned one was canceled with %v", *calls)
				}
			})
			t.Run("through a consumer", func(t *testing.T) {
				inner, _, calls := counting()
				src, res := future.New[int]()
				var after deferred
				d := future.ThenFlat(src, func(int) deferred { from.cancel(after); return inner })
				after = future.Then(d, plus(1))
				res.Succeed(1)
				_, err := after.Result()
				wantCanceled(t, err, errCause)
				if len(*calls) != 1 {
					t.Errorf("the returned one was canceled %d times", len(*calls))
				}
			})
			t.Run("settled", func(t *testing.T) {
				src, res := future.New[int]()
				var d deferred
				d = future.ThenFlat(src, func(int) deferred { from.cancel(d); return future.Succeed(3) })
				res.Succeed(1)
				wantOutcome(t, d, 3, nil)
			})
			t.Run("shared", func(t *testing.T) {
				inner, innerRes, calls := counting()
				other := future.Then(inner, plus(1))
				src, res := future.New[int]()
				var d deferred
				d = future.ThenFlat(src, func(int) deferred { from.cancel(d); return inner })
				res.Succeed(1)
				_, err := d.Result()
				wantCanceled(t, err, errCause)
				if len(*calls) != 0 {
					t.Error("the returned one was canceled although another reads it")
				}
				innerRes.Succeed(1)
				wantOutcome(t, other, 2, nil)
			})
			for name, chain := range map[string]func(deferred, func(deferred), *deferred){
				"Then": func(s deferred, c func(deferred), d *deferred) {
					*d = future.Then(s, func(v int) (int, error) { c(*d); return v + 1, nil })
				},
				"Handle": func(s deferred, c func(deferred), d *deferred) {
					*d = future.Handle(s, func(v int, _ error) (int, error) { c(*d); return v + 1, nil })
				},
				"Finally": func(s deferred, c func(deferred), d *deferred) {
					*d = future.Then(s, plus(1)).Finally(func() error { c(*d); return nil })
				},
			} {
				t.Run(name, func(t *testing.T) {
					src, res := future.New[int]()
					var d deferred
					chain(src, from.cancel, &d)
					res.Succeed(1)
					wantOutcome(t, d, 2, nil) // its outcome stands
				})
			}
		})
	}
}

func TestCancelGoesThroughGathersInOrder(t *testing.T) {
	for name, gather := range map[string]func(...*future.Deferred[int]) interface{ Cancel(error) bool }{
		"All":        func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } { return future.All(ds...) },
		"AllSettled": func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } { return future.AllSettled(ds...) },
		"Any":        func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } { return future.Any(ds...) },
		"Race":       func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } { return future.Race(ds...) },
		"Join3": func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } {
			return future.Join3(ds[0], ds[1], ds[2], func(a, b, c int) (int, error) { return a + b + c, nil })
		},
		"MapN": func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } {
			return future.MapN(len(ds), []int{0, 1, 2}, func(i int) *future.Deferred[int] { return ds[i] })
		},
		"nested": func(ds ...*future.Deferred[int]) interface{ Cancel(error) bool } {
			return future.All(future.Any(ds[0]), future.Race(ds[1], future.Then(ds[2], plus(1))))
		},
	} {
		for _, kind := range []string{"fails", "settles with a value", "settles with an error"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				var log []string
				ds := make([]*future.Deferred[int], 3)
				for i := range ds {
					d, res := future.New[int]()
					ds[i] = d
					res.OnCancel(func(error) {
						log = append(log, fmt.Sprint(i))
						switch kind {
						case "settles with a value":
							res.Succeed(i)
						case "settles with an error":
							res.Fail(errOther)
						}
					})
				}
				g := gather(ds...)
				if !g.Cancel(errCause) {
					t.Error("Cancel reports false")
				}
				if got := strings.Join(log, ""); got != "012" {
					t.Errorf("canceled %q, want all in order", got)
				}
				if g.Cancel(nil) {
					t.Error("the gather is pending")
				}
			})
		}
	}
}

func TestShieldStopsACancel(t *testing.T) {
	src, res, calls := counting()
	shield := src.Shield()
	behind := future.Then(shield, plus(1)).Catch(func(err error) (int, error) { return 0, err })
	other := future.Then(src, plus(2))
	if !behind.Cancel(errCause) {
		t.Error("Cancel reports false")
	}
	for _, d := range []*future.Deferred[int]{shield, behind} {
		_, err := d.Result() // at once
		wantCanceled(t, err, errCause)
	}
	other.Cancel(nil)
	if len(*calls) != 0 {
		t.Error("the source was canceled although a shield keeps its place")
	}
	_, err := other.Result()
	wantCanceled(t, err)
	res.Succeed(1)
	wantOutcome(t, src, 1, nil)
	if src.Shield().Cancel(nil) {
		t.Error("a shield of a settled one is pending")
	}
}

func TestShieldOfAShared(t *testing.T) {
	src, res, calls := counting()
	a, b := src.Shield(), src.Shield()
	a.Cancel(nil)
	wantPending(t, b)
	res.Succeed(4)
	wantOutcome(t, b, 4, nil)
	if len(*calls) != 0 {
		t.Error("the source was canceled")
	}
	src, _, calls = counting()
	src.Shield().Cancel(nil)
	src.Cancel(errCause) // asked itself
	if len(*calls) != 1 {
		t.Error("a shield kept the source from its own Cancel")
	}
}

func TestCancelAsksTheDeferredItself(t *testing.T) {
	src, _, calls := counting()
	mid := future.Then(src, plus(1))
	a, b := future.Then(mid, plus(1)), future.Then(mid, plus(2))
	mid.Cancel(errCause) // whoever else reads it
	if len(*calls) != 1 {
		t.Errorf("the source was canceled %d times", len(*calls))
	}
	for _, d := range []*future.Deferred[int]{mid, a, b} {
		_, err := d.Result()
		wantCanceled(t, err, errCause)
	}
}

func TestCatchRecoversFromACancel(t *testing.T) {
	src, _, calls := counting()
	d := src.Catch(func(error) (int, error) { return 4, nil })
	e := future.Then(d, plus(1))
	e.Cancel(nil)
	wantOutcome(t, e, 5, nil)
	e.Cancel(nil)
	if len(*calls) != 1 {
		t.Errorf("the canceller ran %d times", len(*calls))
	}
}

// A Cancel that comes while a reader of a settled source has not run yet takes
// the place of the outcome.
func TestCancelOfAReaderThatIsToRun(t *testing.T) {
	src, res := future.New[int]()
	var second *future.Deferred[int]
	future.Then(src, func(int) (int, error) {
		if !second.Cancel(errCause) {
			t.Error("Cancel reports false")
		}
		wantPending(t, second)
		return 0, nil
	})
	second = future.Then(src, func(int) (int, error) { t.Error("the function of a canceled one ran"); return 0, nil })
	res.Succeed(1)
	_, err := second.Result()
	wantCanceled(t, err, errCause)
}

// One that has left does not count among the readers that are still to run: who
// attaches in the callback of the last one runs at once.
func TestAttachInTheLastCallback(t *testing.T) {
	src, res := future.New[int]()
	var log journal
	future.Then(src, func(int) (int, error) {
		future.Then(src, func(int) (int, error) { log.add("within"); return 0, nil })
		log.add("last")
		return 0, nil
	})
	future.Then(src, plus(1)).Cancel(nil)
	res.Succeed(1)
	log.want(t, "within", "last")
}

func TestCancelOfAFollower(t *testing.T) {
	inner, innerRes, calls := counting()
	d, res := future.New[int]()
	res.OnCancel(func(error) { t.Error("the canceller of one that follows runs") })
	if !res.Follow(inner) || res.Follow(inner) || res.Succeed(1) {
		t.Error("Follow is not the settle that counts")
	}
	e := future.Then(d, plus(1))
	e.Cancel(errCause)
	if len(*calls) != 1 {
		t.Errorf("the followed one was canceled %d times", len(*calls))
	}
	_, err := e.Result()
	wantCanceled(t, err, errCause)
	if innerRes.Succeed(1) {
		t.Error("a late settle was not refused")
	}
}

func TestWithContext(t *testing.T) {
	t.Run("canceled", func(t *testing.T) {
		done := make(chan error, 1)
		src, res := future.New[int]()
		res.OnCancel(func(cause error) { done <- cause })
		ctx, cancel := context.WithCancelCause(context.Background())
		d := src.WithContext(ctx)
		wantPending(t, d)
		cancel(errCause)
		if cause := <-done; cause != errCause {
			t.Errorf("the canceller was told %v", cause)
		}
		_, err := d.Await(context.Background())
		wantCanceled(t, err, errCause)
	})
	t.Run("ended already", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errCause)
		src, _, calls := counting()
		_, err := src.WithContext(ctx).Await(context.Background())
		wantCanceled(t, err, errCause)
		if len(*calls) != 1 {
			t.Errorf("the source was canceled %d times", len(*calls))
		}
	})
	t.Run("settled already", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wantOutcome(t, future.Succeed(3).WithContext(ctx), 3, nil)
	})
	t.Run("deadline", func(t *testing.T) {
		clk := clock.NewVirtual()
		ctx, cancel := clock.WithTimeout(context.Background(), clk, 5)
		defer cancel()
		src, _, calls := counting()
		d := src.WithContext(ctx)
		clk.Advance(4)
		wantPending(t, d)
		clk.Advance(1)
		_, err := d.Result()
		wantLate(t, err)
		if len(*calls) != 1 {
			t.Errorf("the source was canceled %d times", len(*calls))
		}
	})
	t.Run("canceled before the deadline", func(t *testing.T) {
		clk := clock.NewVirtual()
		ctx, cancel := clock.WithTimeout(context.Background(), clk, 5)
		src, _, _ := counting()
		d := src.WithContext(ctx)
		cancel()
		_, err := d.Result()
		wantCanceled(t, err)
		clk.Run()
	})
	t.Run("a success stays", func(t *testing.T) {
		clk := clock.NewVirtual()
		ctx, cancel := clock.WithTimeout(context.Background(), clk, 5)
		src, res, calls := counting()
		d := src.WithContext(ctx)
		res.Succeed(1)
		cancel()
		wantOutcome(t, d, 1, nil)
		if len(*calls) != 0 {
			t.Error("the source was canceled")
		}
	})
	mustPanic(t, func() { future.Succeed(1).WithContext(noContext) }, "WithContext", "nil")
}

// Readers leave one source in reverse order, then in order: were that
// quadratic, this test would take minutes.
func TestConsumersLeaveInAnyOrder(t *testing.T) {
	const n = 30_000
	for _, reverse := range []bool{true, false} {
		src, _, calls := counting()
		readers := make([]*future.Deferred[int], n)
		for i := range readers {
			readers[i] = future.Then(src, plus(i))
		}
		if reverse {
			slices.Reverse(readers)
		}
		for i, d := range readers {
			if len(*calls) != 0 {
				t.Fatalf("the source was canceled after %d of %d", i, n)
			}
			d.Cancel(errCause)
			if _, err := d.Result(); !errors.Is(err, errCause) {
				t.Fatalf("reader %d: %v", i, err)
			}
		}
		if len(*calls) != 1 {
			t.Errorf("the source was canceled %d times", len(*calls))
		}
	}
}

// Readers that came and left leave nothing behind in a source that stays.
func TestReadersThatLeftAreUnlinked(t *testing.T) {
	src, _, _ := counting()
	future.Then(src, plus(0)) // stays
	before := heapNow()
	for i := range 100_000 {
		d := future.Then(src, plus(i))
		d.Cancel(nil)
	}
	if after := heapNow(); after > before+1<<20 {
		t.Errorf("the heap grew by %d bytes", after-before)
	}
	runtime.KeepAlive(src)
}

// A chain of any length is canceled, and fails, by a loop and not by recursion.
func TestCancelOfALongChain(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	const n = 1_000_000
	src, _, calls := counting()
	d := src
	for range n {
		d = future.Then(d, plus(1))
	}
	d.Cancel(errCause)
	_, err := d.Result()
	wantCanceled(t, err, errCause)
	if len(*calls) != 1 {
		t.Errorf("the source was canceled %d times", len(*calls))
	}
}

// The same through flattening: each level waits for the next, settled from
// inside.
func TestCancelOfADeepNesting(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	d, _, calls := counting()
	for range 100_000 {
		inner := d
		d = future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return inner })
	}
	d.Cancel(errCause)
	_, err := d.Result()
	wantCanceled(t, err, errCause)
	if len(*calls) != 1 {
		t.Errorf("the source was canceled %d times", len(*calls))
	}
}

func TestCancelOfAQueuedOne(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	src, res := future.NewOn[int](r)
	ran := 0
	then := future.Then(src, func(int) (int, error) { ran++; return 1, nil })
	caught := src.Catch(func(err error) (int, error) { t.Error("Catch of a success ran"); return 0, nil })
	handled := future.Handle(src, func(v int, err error) (int, error) { ran++; wantCanceled(t, err, errCause); return v, err })
	kept := future.Then(src, func(v int) (int, error) { ran++; return v, nil })
	res.Succeed(5)
	wantPending(t, then)
	wantOutcome(t, caught, 5, nil) // passing on is no step
	for _, d := range []*future.Deferred[int]{then, handled} {
		if !d.Cancel(errCause) {
			t.Error("Cancel of a queued one reports false")
		}
	}
	_, err := then.Result() // its function is not to run: no step
	wantCanceled(t, err, errCause)
	wantPending(t, handled)
	clk.Advance(0)
	_, err = handled.Result()
	wantCanceled(t, err, errCause)
	wantOutcome(t, kept, 5, nil)
	if ran != 2 {
		t.Errorf("%d functions ran, want 2", ran)
	}
}

// On a loop, callbacks that see a cancellation run as steps, not in Cancel.
func TestCancelOnALoopRunsSteps(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	src, res := future.NewOn[int](r)
	var log []string
	res.OnCancel(func(error) { log = append(log, "canceller") })
	d := src.Finally(func() error { log = append(log, "finally"); return nil })
	stays := future.Then(d, plus(1))
	leaves := d.Catch(func(err error) (int, error) { log = append(log, "catch"); return 0, err })
	leaves.Cancel(errCause)
	log = append(log, "|")
	clk.Advance(0)
	stays.Cancel(errCause)
	log = append(log, "|")
	clk.Advance(0)
	if got := strings.Join(log, " "); got != "| catch canceller | finally" {
		t.Errorf("log is %q", got)
	}
}

func TestCancelFromManyGoroutines(t *testing.T) {
	for range 300 {
		src, _ := future.New[int]()
		var mu sync.Mutex
		calls := 0
		src2, res := future.New[int]()
		res.OnCancel(func(error) { mu.Lock(); calls++; mu.Unlock() })
		d := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return future.Any(src, src2) })
		readers := make([]*future.Deferred[int], 8)
		for i := range readers {
			readers[i] = future.Then(d, plus(i))
		}
		var wg sync.WaitGroup
		for _, r := range readers {
			wg.Go(func() { r.Cancel(errCause) })
		}
		wg.Wait()
		for _, r := range readers {
			if _, err := r.Result(); !errors.Is(err, future.ErrCanceled) {
				t.Fatalf("Result: %v", err)
			}
		}
		if calls != 1 {
			t.Fatalf("the canceller ran %d times", calls)
		}
	}
}
