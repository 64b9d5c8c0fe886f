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
	"pgregory.net/rapid"
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

// What follows compares random programs of branches, gathers, flattening,
// settles and cancels with a naive model: plain recursion on one goroutine.

type opKind string

// An op is a step of a program. Its words refer to Deferreds made before.
type op struct {
	kind  opKind
	of    []int
	k     int
	act   opKind // what the callback or canceller does
	also  []op   // what it does first
	cause error
}

func (o op) String() string {
	return fmt.Sprintf("{%s of %v k %d act %s also %v cause %v}", o.kind, o.of, o.k, o.act, o.also, o.cause)
}

var modelErrs = []error{errors.New("E0"), errors.New("E1"), errors.New("E2")}

func drawOps(t *rapid.T) []op {
	var ops []op
	made := 0
	some := func() int { // one of those that were made last
		return max(0, made-1-rapid.IntRange(0, 7).Draw(t, "back"))
	}
	acts := func() (act opKind, k int, also []op) {
		act = rapid.SampledFrom([]opKind{"ret", "ret", "fail", "wait", "wait"}).Draw(t, "act")
		k = rapid.IntRange(0, 2).Draw(t, "k")
		if act == "wait" {
			k = some()
		}
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "also") {
			kind := rapid.SampledFrom([]opKind{"cancel", "succeed", "fail"}).Draw(t, "do")
			also = append(also, op{kind: kind, of: []int{min(made, some()+rapid.IntRange(0, 1).Draw(t, "self"))}, k: 1, cause: modelErrs[0]})
		}
		return act, k, also
	}
	ops = append(ops, op{kind: "root", act: "none"})
	made = 1
	for range rapid.IntRange(1, 40).Draw(t, "ops") {
		o := op{kind: rapid.SampledFrom([]opKind{
			"root", "root", "then", "flat", "flat", "catch", "catchflat", "handle", "finally", "shield",
			"all", "settled", "any", "race", "cancel", "cancel", "cancel", "succeed", "fail",
		}).Draw(t, "op")}
		switch o.kind {
		case "root":
			o.act = rapid.SampledFrom([]opKind{"none", "noop", "ret", "fail"}).Draw(t, "canceller")
			_, o.k, o.also = acts()
			o.k %= 3
		case "then", "catch", "handle", "finally":
			o.of = []int{some()}
			o.act, o.k, o.also = acts()
			if o.act == "wait" {
				o.act, o.k = "ret", 1
			}
		case "flat", "catchflat":
			o.of = []int{some()}
			o.act, o.k, o.also = acts()
		case "all", "settled", "any", "race":
			for range rapid.IntRange(1, 4).Draw(t, "inputs") {
				o.of = append(o.of, some())
			}
		case "shield":
			o.of = []int{some()}
		case "cancel":
			o.of, o.cause = []int{some()}, rapid.SampledFrom([]error{nil, errCause, errOther}).Draw(t, "cause")
		case "succeed", "fail":
			o.of, o.k = []int{some()}, rapid.IntRange(0, 2).Draw(t, "k")
		}
		if o.kind != "cancel" && o.kind != "succeed" && o.kind != "fail" {
			made++
		}
		ops = append(ops, o)
	}
	return ops
}

// realRun runs ops on the library and returns the log.
func realRun(ops []op) []string {
	var log []string
	note := func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }
	var ds []*future.Deferred[int]
	roots := map[int]future.Resolver[int]{}
	do := func(o op) {
		j := o.of[0]
		if j >= len(ds) {
			return // it is being made
		}
		switch o.kind {
		case "cancel":
			note("cancel %d: %t", j, ds[j].Cancel(o.cause))
		case "succeed":
			if res, ok := roots[j]; ok {
				note("succeed %d", j)
				res.Succeed(o.k)
			}
		case "fail":
			if res, ok := roots[j]; ok {
				note("fail %d", j)
				res.Fail(modelErrs[o.k])
			}
		}
	}
	for _, o := range ops {
		i := len(ds)
		var of []*future.Deferred[int]
		for _, j := range o.of {
			of = append(of, ds[j])
		}
		enter := func(v int, err error) {
			note("%s %d: %d %s", o.kind, i, v, text(err))
			for _, also := range o.also {
				do(also)
			}
		}
		pair := func(v int, err error) (int, error) {
			enter(v, err)
			if o.act == "fail" {
				return 0, modelErrs[o.k]
			}
			return v + o.k, nil
		}
		flat := func(v int, err error) *future.Deferred[int] {
			enter(v, err)
			switch o.act {
			case "fail":
				return future.Fail[int](modelErrs[o.k])
			case "wait":
				return ds[o.k]
			}
			return future.Succeed(v + o.k)
		}
		switch o.kind {
		case "root":
			d, res := future.New[int]()
			roots[i] = res
			if o.act != "none" {
				res.OnCancel(func(cause error) {
					enter(0, cause)
					switch o.act {
					case "ret":
						res.Succeed(o.k)
					case "fail":
						res.Fail(modelErrs[o.k])
					}
				})
			}
			ds = append(ds, d)
		case "then":
			ds = append(ds, future.Then(of[0], func(v int) (int, error) { return pair(v, nil) }))
		case "flat":
			ds = append(ds, future.ThenFlat(of[0], func(v int) *future.Deferred[int] { return flat(v, nil) }))
		case "catch":
			ds = append(ds, of[0].Catch(func(err error) (int, error) { return pair(0, err) }))
		case "catchflat":
			ds = append(ds, of[0].CatchFlat(func(err error) *future.Deferred[int] { return flat(0, err) }))
		case "handle":
			ds = append(ds, future.Handle(of[0], pair))
		case "finally":
			ds = append(ds, of[0].Finally(func() error { _, err := pair(0, nil); return err }))
		case "shield":
			ds = append(ds, of[0].Shield())
		case "all":
			ds = append(ds, future.Then(future.All(of...), func(vs []int) (int, error) {
				sum := 0
				for _, v := range vs {
					sum = sum*3 + v
				}
				return sum, nil
			}))
		case "settled":
			ds = append(ds, future.Then(future.AllSettled(of...), func(outs []future.Outcome[int]) (int, error) {
				for k, o := range outs {
					note("settled %d.%d: %d %s", i, k, o.Value, text(o.Err))
				}
				return len(outs), nil
			}))
		case "any":
			ds = append(ds, future.Any(of...))
		case "race":
			ds = append(ds, future.Race(of...))
		default:
			do(o)
		}
	}
	for i, d := range ds {
		v, err := d.Result()
		note("final %d: %d %s", i, v, text(err))
	}
	return log
}

func text(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.ReplaceAll(err.Error(), "\n", " & ")
}

// A fail is a failure in the model.
type mfail struct {
	text     string
	canceled bool
	cause    string
}

func mcancel(cause string, of *mfail) *mfail {
	switch {
	case of != nil && of.canceled:
		return of
	case of != nil:
		cause = of.text
	}
	if cause == "" {
		return &mfail{"future: canceled", true, "future: canceled"}
	}
	return &mfail{"future: canceled: " + cause, true, cause}
}

type mnode struct {
	kind    opKind
	source  *mnode
	readers []*mnode
	active  int
	left    bool
	settled bool
	running bool
	v       int
	err     *mfail

	with      *mfail // a cancel that came when its source had settled already
	remember  *mfail // or while it ran
	canceling bool

	f         func(v int, err *mfail) (int, *mfail, *mnode)
	canceller func(cause string)

	members []*mnode // of a gather
	asked   *mfail   // the cancel that it passed on
	gather  *mnode   // of a member
	index   int
	missing int
	errs    []*mfail
	done    bool
}

func (n *mnode) attach(r *mnode) {
	r.source = n
	if n.settled && len(n.readers) == 0 {
		r.take(n.v, n.err)
		return
	}
	n.readers = append(n.readers, r)
	n.active++
}

func (n *mnode) settle(v int, err *mfail) {
	if n.settled {
		return
	}
	n.settled, n.v, n.err = true, v, err
	if err != nil {
		n.v = 0
	}
	for len(n.readers) > 0 {
		r := n.readers[0]
		n.readers = n.readers[1:]
		r.take(n.v, n.err)
	}
}

func (n *mnode) take(v int, err *mfail) {
	if n.with != nil {
		v, err, n.with = 0, n.with, nil
	}
	if n.gather != nil {
		n.settled = true
		n.gather.arrive(n.index, v, err)
		return
	}
	n.running = true
	v, err, inner := n.f(v, err)
	n.running = false
	if inner == nil {
		n.settle(v, err)
		return
	}
	if inner == n {
		n.settle(0, &mfail{text: "cycle"})
		return
	}
	n.f = func(v int, err *mfail) (int, *mfail, *mnode) { return v, err, nil }
	n.left = false
	remembered := n.remember
	n.remember = nil
	inner.attach(n)
	if remembered != nil && !n.settled {
		n.cancel(remembered)
	}
}

func (n *mnode) cancel(f *mfail) {
	switch {
	case n.settled || n.canceling || n.done:
	case n.running:
		if n.remember == nil {
			n.remember = f
		}
	case n.members != nil:
		n.asked = f
		for _, m := range n.members {
			if n.settled { // then all have been asked, as losers
				break
			}
			m.cancel(f)
		}
	case n.source == nil:
		if n.canceller != nil {
			n.canceling = true
			n.canceller(f.cause)
			n.canceling = false
		}
		n.settle(0, f)
	case n.with != nil:
	case n.source.settled:
		n.with = f
	default:
		if !n.left && n.kind != "shield" {
			n.left = true
			n.source.active--
		}
		if n.source.active == 0 {
			n.source.cancel(f)
			return
		}
		s := n.source
		s.readers = slices.DeleteFunc(slices.Clone(s.readers), func(r *mnode) bool { return r == n })
		n.take(0, f)
	}
}

func (n *mnode) arrive(i, v int, err *mfail) {
	if n.done {
		return
	}
	n.missing--
	n.errs[i] = err
	if err == nil {
		n.members[i].v = v
	}
	lost := &mfail{text: "another input came first"}
	switch n.kind {
	case "all":
		if err != nil {
			n.finish(0, err, err)
		} else if n.missing == 0 {
			sum := 0
			for _, m := range n.members {
				sum = sum*3 + m.v
			}
			n.finish(sum, nil, nil)
		}
	case "settled":
		if n.missing == 0 {
			n.finish(0, nil, nil)
		}
	case "race":
		n.finish(v, err, lost)
	case "any":
		if err == nil {
			n.finish(v, nil, lost)
		} else if n.missing == 0 {
			var texts []string
			for _, e := range n.errs {
				texts = append(texts, e.text)
			}
			n.finish(0, &mfail{text: strings.Join(texts, " & ")}, nil)
		}
	}
}

func (n *mnode) finish(v int, err, lost *mfail) {
	n.done = true
	if n.missing > 0 {
		for _, m := range n.members {
			if n.asked != nil {
				m.cancel(n.asked) // it reaches every input
			} else {
				m.cancel(mcancel("", lost))
			}
		}
	}
	n.settle(v, err)
}

// modelRun is realRun on the model.
func modelRun(ops []op) []string {
	var log []string
	note := func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }
	var ds []*mnode
	mtext := func(f *mfail) string {
		if f == nil {
			return "ok"
		}
		return f.text
	}
	merr := func(k int) *mfail { return &mfail{text: modelErrs[k].Error()} }
	do := func(o op) {
		j := o.of[0]
		if j >= len(ds) {
			return
		}
		d := ds[j]
		switch o.kind {
		case "cancel":
			pending := !d.settled
			if pending {
				cause := ""
				if o.cause != nil {
					cause = o.cause.Error()
				}
				d.cancel(mcancel(cause, nil))
			}
			note("cancel %d: %t", j, pending)
		case "succeed", "fail":
			if d.kind != "root" {
				return
			}
			note("%s %d", o.kind, j)
			if o.kind == "succeed" {
				d.settle(o.k, nil)
			} else {
				d.settle(0, merr(o.k))
			}
		}
	}
	for _, o := range ops {
		i := len(ds)
		n := &mnode{kind: o.kind}
		enter := func(v int, text string) {
			note("%s %d: %d %s", o.kind, i, v, text)
			for _, also := range o.also {
				do(also)
			}
		}
		call := func(v int, err *mfail) (int, *mfail, *mnode) {
			enter(v, mtext(err))
			switch o.act {
			case "fail":
				return 0, merr(o.k), nil
			case "wait":
				return 0, nil, ds[o.k]
			}
			return v + o.k, nil, nil
		}
		switch o.kind {
		case "root":
			if o.act != "none" {
				n.canceller = func(cause string) {
					enter(0, cause)
					switch o.act {
					case "ret":
						n.settle(o.k, nil)
					case "fail":
						n.settle(0, merr(o.k))
					}
				}
			}
		case "then", "flat":
			n.f = func(v int, err *mfail) (int, *mfail, *mnode) {
				if err != nil {
					return 0, err, nil
				}
				return call(v, nil)
			}
		case "catch", "catchflat":
			n.f = func(v int, err *mfail) (int, *mfail, *mnode) {
				if err == nil {
					return v, nil, nil
				}
				return call(0, err)
			}
		case "handle":
			n.f = call
		case "finally":
			n.f = func(v int, err *mfail) (int, *mfail, *mnode) {
				_, own, _ := call(0, nil)
				switch {
				case own == nil:
					return v, err, nil
				case err == nil:
					return 0, own, nil
				}
				return 0, &mfail{text: err.text + " & " + own.text}, nil
			}
		case "shield":
			n.f = func(v int, err *mfail) (int, *mfail, *mnode) { return v, err, nil }
		case "all", "settled", "any", "race":
			g := &mnode{kind: o.kind, missing: len(o.of), errs: make([]*mfail, len(o.of))}
			n = g
			if o.kind == "all" || o.kind == "settled" {
				n = &mnode{kind: "then"}
				n.f = func(v int, err *mfail) (int, *mfail, *mnode) {
					if err != nil || o.kind == "all" {
						return v, err, nil
					}
					for k, m := range g.members {
						value := m.v
						if g.errs[k] != nil {
							value = 0
						}
						note("settled %d.%d: %d %s", i, k, value, mtext(g.errs[k]))
					}
					return len(g.members), nil, nil
				}
			}
			g.gatherOf(o.of, ds)
			if n != g {
				g.attach(n)
			}
			ds = append(ds, n)
			continue
		default:
			do(o)
			continue
		}
		if o.kind != "root" {
			ds[o.of[0]].attach(n)
		}
		ds = append(ds, n)
	}
	for i, d := range ds {
		out := mtext(d.err)
		if !d.settled {
			out = future.ErrPending.Error()
		}
		note("final %d: %d %s", i, d.v, out)
	}
	return log
}

// gatherOf lists g with its inputs: first those that are pending, then it takes
// the settled ones in order, until its rule is met.
func (n *mnode) gatherOf(of []int, ds []*mnode) {
	var there []*mnode
	for i, j := range of {
		m := &mnode{kind: "member", gather: n, index: i, source: ds[j]}
		n.members = append(n.members, m)
	}
	for _, m := range n.members {
		if m.source.settled && len(m.source.readers) == 0 {
			there = append(there, m)
		} else {
			m.source.readers = append(m.source.readers, m)
			m.source.active++
		}
	}
	for _, m := range there {
		if n.done {
			return
		}
		m.settled = true
		n.arrive(m.index, m.source.v, m.source.err)
	}
}

// Whatever a program of branches, flattening, gathers, settles and cancels
// does, the library calls the same functions in the same order with the same
// outcomes as the naive model.
func TestCancelLikeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := drawOps(t)
		got, want := realRun(ops), modelRun(ops)
		if !slices.Equal(got, want) {
			for i := range max(len(got), len(want)) {
				g, w := "-", "-"
				if i < len(got) {
					g = got[i]
				}
				if i < len(want) {
					w = want[i]
				}
				mark := " "
				if g != w {
					mark = "!"
				}
				t.Logf("%s %-50s | %s", mark, g, w)
			}
			t.Fatal("the library and the model (right) differ")
		}
	})
}
