package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// A coStart starts a coroutine in one of the ways there are.
type coStart struct {
	name  string
	start func(context.Context, *reactor.Reactor, func(context.Context) (int, error)) *future.Deferred[int]
}

var coStarts = []coStart{
	{"inline", func(ctx context.Context, _ *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.Async(ctx, f)
	}},
	{"on a loop", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, r, f)
	}},
	{"on a foreign loop", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, bare{r}, f)
	}},
}

// bare is an executor of which the library knows nothing but its interface.
type bare struct{ r *reactor.Reactor }

func (b bare) Now() time.Time                                  { return b.r.Now() }
func (b bare) Post(f func())                                   { b.r.Post(f) }
func (b bare) CallLater(d time.Duration, f func()) clock.Timer { return b.r.CallLater(d, f) }

// eachStart runs test with each way to start a coroutine.
func eachStart(t *testing.T, test func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int])) {
	for _, s := range coStarts {
		t.Run(s.name, func(t *testing.T) {
			clk := clock.NewVirtual()
			r := reactor.New(clk)
			defer r.Stop()
			test(t, clk, func(ctx context.Context, f func(context.Context) (int, error)) *future.Deferred[int] {
				return s.start(ctx, r, f)
			})
		})
	}
}

func TestAsyncStartsAtOnce(t *testing.T) {
	var log journal
	d, res := future.New[int]()
	co := future.Async(background, func(ctx context.Context) (int, error) {
		log.add("start")
		v, err := d.Await(ctx)
		log.add("end")
		return v, err
	})
	log.add("started")
	res.Succeed(3)
	log.add("settled")
	log.want(t, "start", "started", "end", "settled")
	wantOutcome(t, co, 3, nil)
}

func TestAsyncOnStartsAsAStep(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var log journal
	d, res := future.New[int]()
	r.Post(func() {
		future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
			log.add("start")
			v, err := d.Await(ctx)
			log.add("end")
			return v, err
		}).Finally(func() error { log.add("finally"); return nil })
		log.add("started")
	})
	r.Post(func() { log.add("other") })
	clk.Advance(0)
	r.Post(func() { res.Succeed(3); log.add("settled") })
	r.Post(func() { log.add("other") })
	clk.Advance(0)
	log.want(t, "started", "other", "start", "settled", "other", "end", "finally")
}

func TestAsyncBadInput(t *testing.T) {
	f := func(context.Context) (int, error) { return 0, nil }
	r := reactor.New(clock.NewVirtual())
	defer r.Stop()
	mustPanic(t, func() { future.Async(noContext, f) }, "Async", "nil context")
	mustPanic(t, func() { future.Async[int](background, nil) }, "Async", "nil function")
	mustPanic(t, func() { future.AsyncOn(noContext, r, f) }, "AsyncOn", "nil context")
	mustPanic(t, func() { future.AsyncOn[int](background, r, nil) }, "AsyncOn", "nil function")
	mustPanic(t, func() { future.AsyncOn(background, nil, f) }, "AsyncOn", "nil Executor")
}

// An Await of a settled Deferred does not switch: no other step runs between.
func TestAwaitOfASettledOneDoesNotSwitch(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var log journal
	future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
		r.Post(func() { log.add("other") })
		for range 3 {
			future.Succeed(1).Await(ctx)
		}
		log.add("co")
		return 0, nil
	})
	clk.Advance(0)
	log.want(t, "co", "other")
}

func TestCoroutineResults(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		for _, wait := range []bool{false, true} {
			pause := func(ctx context.Context) {
				if wait {
					future.After(clk, 5, 0).Await(ctx)
				}
			}
			ok := start(background, func(ctx context.Context) (int, error) { pause(ctx); return 3, nil })
			bad := start(background, func(ctx context.Context) (int, error) { pause(ctx); return 3, errA })
			boom := start(background, func(ctx context.Context) (int, error) { pause(ctx); panic(errB) })
			var kept context.Context
			var early error
			ends := start(background, func(ctx context.Context) (int, error) { kept = ctx; pause(ctx); early = ctx.Err(); return 0, nil })
			clk.Advance(5)
			wantOutcome(t, ok, 3, nil)
			wantOutcome(t, bad, 0, errA)
			wantError(t, boom, "b", failure.ErrPanic, errB)
			wantOutcome(t, ends, 0, nil)
			if kept.Err() == nil || early != nil {
				t.Errorf("the context's error is %v, want it ended when f has returned; within it was %v", kept.Err(), early)
			}
		}
	})
}

// A Cancel first goes to what the coroutine waits for; what that makes of it at
// once is what Await returns, and the context has ended then.
func TestCancelOfACoroutine(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		for name, tt := range map[string]struct {
			cancel func(future.Resolver[int])
			shared bool
			v      int
			errs   []error
			calls  int
		}{
			"fails":          {func(future.Resolver[int]) {}, false, 0, []error{future.ErrCanceled, errCause}, 1},
			"gives a value":  {func(r future.Resolver[int]) { r.Succeed(5) }, false, 5, nil, 1},
			"gives an error": {func(r future.Resolver[int]) { r.Fail(errOther) }, false, 0, []error{errOther}, 1},
			"is shared":      {func(future.Resolver[int]) {}, true, 0, []error{context.Canceled, errCause}, 0},
		} {
			t.Run(name, func(t *testing.T) {
				d, res := future.New[int]()
				var log journal
				calls := 0
				var ctx context.Context
				res.OnCancel(func(error) {
					calls++
					if ctx.Err() != nil {
						t.Error("the context ended before what the coroutine waits for was canceled")
					}
					tt.cancel(res)
				})
				if tt.shared {
					future.Then(d, plus(1))
				}
				var v int
				var err error
				co := start(background, func(c context.Context) (int, error) {
					ctx = c
					v, err = d.Await(ctx)
					log.add("%v %v", ctx.Err(), context.Cause(ctx))
					never, _ := future.New[int]()
					_, again := never.Await(ctx)
					if !errors.Is(again, context.Canceled) || !errors.Is(again, errCause) {
						t.Errorf("a later Await with the ended context: %v", again)
					}
					return 9, errC // what f returns, also after a Cancel
				})
				clk.Advance(0)
				if !co.Cancel(errCause) {
					t.Error("Cancel reports false")
				}
				clk.Advance(0)
				wantOutcome(t, co, 0, errC)
				if v != tt.v || (err == nil) != (tt.errs == nil) || calls != tt.calls {
					t.Errorf("Await = %v, %v after %d calls of the canceller", v, err, calls)
				}
				for _, want := range tt.errs {
					if !errors.Is(err, want) {
						t.Errorf("Await's error %v does not match %v", err, want)
					}
				}
				if got := log.String(); !strings.HasPrefix(got, "context canceled future: canceled: the cause") && got != "context canceled the cause" {
					t.Errorf("the context said %q", got)
				}
			})
		}
	})
}

// Clean-up waits with context.WithoutCancel; a further Cancel strikes only what
// it waits for.
func TestCleanUpOfACoroutine(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		var log journal
		never, _ := future.New[int]()
		body := func(ctx context.Context) (int, error) {
			defer func() {
				_, err := future.After(clk, 10, 0).Await(context.WithoutCancel(ctx))
				log.add("%v", err)
			}()
			return never.Await(ctx)
		}
		co := start(background, body)
		future.Then(never, plus(1))
		clk.Advance(0)
		co.Cancel(errCause)
		clk.Advance(9)
		wantPending(t, co)
		clk.Advance(1)
		log.want(t, "<nil>")
		_, err := co.Result()
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) {
			t.Errorf("failed with %v", err)
		}

		log = journal{}
		co = start(background, body)
		clk.Advance(0)
		co.Cancel(errCause)
		clk.Advance(5)
		wantPending(t, co)
		co.Cancel(errOther)
		clk.Advance(0)
		log.want(t, "future: canceled: another error")
		if n := clk.Pending(); n != 0 {
			t.Errorf("%d timers left", n)
		}
	})
}

func TestCoroutineEndOfContext(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		never, _, calls := counting()
		await := func(ctx context.Context) (int, error) { return never.Await(ctx) }

		ctx, cancel := clock.WithTimeout(background, clk, 5)
		defer cancel()
		co := start(ctx, await)
		clk.Advance(4)
		wantPending(t, co)
		clk.Advance(1)
		_, err := co.Result()
		wantLate(t, err)

		within := start(background, func(ctx context.Context) (int, error) {
			limited, cancel := clock.WithTimeout(ctx, clk, 5)
			defer cancel()
			_, err := never.Await(limited)
			wantLate(t, err)
			if ctx.Err() != nil {
				t.Error("the coroutine's own context has ended")
			}
			return future.After(clk, 1, 6).Await(ctx)
		})
		clk.Advance(6)
		wantOutcome(t, within, 6, nil)

		ended, cancelEnded := context.WithCancelCause(background)
		cancelEnded(errCause)
		ran := false
		co = start(ended, func(ctx context.Context) (int, error) { ran = true; return never.Await(ctx) })
		clk.Advance(0)
		_, err = co.Result()
		if !ran || !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) {
			t.Errorf("started with an ended context: ran %v, %v", ran, err)
		}
		if len(*calls) != 0 {
			t.Error("a wait that gave up canceled what it waited for")
		}
	})
}

func TestCancelOfACoroutineBeforeItStarts(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	never, _ := future.New[int]()
	co := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
		if ctx.Err() == nil {
			t.Error("the context has not ended")
		}
		return never.Await(ctx)
	})
	co.Cancel(errCause)
	wantPending(t, co) // it settles when f returns
	clk.Advance(0)
	_, err := co.Result()
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) {
		t.Errorf("failed with %v", err)
	}
}

func TestCoroutineWithinCoroutine(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		var log journal
		co := start(background, func(ctx context.Context) (int, error) {
			inner := future.Async(ctx, func(ctx context.Context) (int, error) {
				log.add("inner")
				v, err := future.After(clk, 5, 3).Await(ctx)
				log.add("inner%d", v)
				return v, err
			})
			sub := start(ctx, func(ctx context.Context) (int, error) {
				v, err := inner.Await(ctx)
				log.add("sub")
				return v + 1, err
			})
			log.add("outer")
			v, err := sub.Await(ctx)
			log.add("outer%d", v)
			return v + 1, err
		})
		clk.Advance(5)
		log.want(t, "inner", "outer", "inner3", "sub", "outer4")
		wantOutcome(t, co, 5, nil)

		never, _, calls := counting()
		co = start(background, func(ctx context.Context) (int, error) {
			return start(ctx, func(ctx context.Context) (int, error) { return never.Await(ctx) }).Await(ctx)
		})
		clk.Advance(0)
		co.Cancel(errCause)
		clk.Advance(0)
		_, err := co.Result()
		wantCanceled(t, err, errCause)
		if len(*calls) != 1 {
			t.Errorf("canceled %d times", len(*calls))
		}
	})
}

// On a loop a settle or a cancel from another goroutine posts: the coroutine
// goes on on the loop only.
func TestCoroutineIsResumedOnItsLoopOnly(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	for _, cancel := range []bool{false, true} {
		d, res := future.New[int]()
		stage := 0
		co := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
			stage = 1
			v, _ := d.Await(ctx)
			stage = 2
			return v, ctx.Err()
		})
		clk.Advance(0)
		onGoroutine(func() {
			if cancel {
				co.Cancel(nil)
			} else {
				res.Succeed(4)
			}
		})
		if stage != 1 {
			t.Errorf("stage %d: it went on in the settling goroutine", stage)
		}
		clk.Advance(0)
		if cancel {
			wantError(t, co, "", context.Canceled)
		} else {
			wantOutcome(t, co, 4, nil)
		}
	}
}

func TestGoexitInACoroutine(t *testing.T) {
	for _, wait := range []bool{false, true} {
		t.Run(fmt.Sprintf("inline, after a resume: %t", wait), func(t *testing.T) {
			d, res := future.New[int]()
			cleaned := false
			co := future.Async(background, func(ctx context.Context) (int, error) {
				defer func() { cleaned = true }()
				if wait {
					d.Await(ctx)
				}
				runtime.Goexit()
				return 0, nil
			})
			sibling := future.Then(d, plus(1))
			res.Succeed(1) // and this goroutine goes on
			wantError(t, co, "", failure.ErrGoexit)
			wantOutcome(t, sibling, 2, nil)
			if !cleaned {
				t.Error("deferred functions did not run")
			}
		})
		t.Run(fmt.Sprintf("on a Virtual, after a resume: %t", wait), func(t *testing.T) {
			clk := clock.NewVirtual()
			r := reactor.New(clk)
			defer r.Stop()
			d := future.After(r, 1, 0)
			co := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
				if wait {
					d.Await(ctx)
				}
				runtime.Goexit()
				return 0, nil
			})
			other := future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return future.After(r, 2, 7).Await(ctx) })
			returned := false
			onGoroutine(func() { clk.Run(); returned = true })
			if returned {
				t.Error("the driving goroutine did not end")
			}
			clk.Run() // another goroutine drives on
			wantError(t, co, "", failure.ErrGoexit)
			wantOutcome(t, other, 7, nil)
		})
	}
	t.Run("Async in a callback of the loop", func(t *testing.T) {
		clk := clock.NewVirtual()
		r := reactor.New(clk)
		defer r.Stop()
		d := future.Then(future.After(r, 1, 0), func(int) (int, error) {
			inner := future.Async(background, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			_, err := inner.Result()
			return 0, err
		})
		clk.Run()
		wantError(t, d, "", failure.ErrGoexit)
	})
}

// Stop ends coroutines: each Await returns ErrStopped until f has returned,
// also in a defer.
func TestStopEndsCoroutines(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	never, _ := future.New[int]()
	var log journal
	body := func(name string) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			defer func() {
				_, err := never.Await(context.WithoutCancel(ctx))
				log.add("%s:defer:%t", name, errors.Is(err, reactor.ErrStopped))
			}()
			_, err := never.Await(ctx)
			log.add("%s:%t", name, errors.Is(err, reactor.ErrStopped))
			if v, err := future.Succeed(1).Await(ctx); v != 1 || err != nil {
				t.Errorf("Await of a settled one: %v, %v", v, err)
			}
			_, err = future.AsyncOn(ctx, r, func(context.Context) (int, error) { t.Error("started after Stop"); return 0, nil }).Await(ctx)
			return 0, err
		}
	}
	a := future.AsyncOn(background, r, body("a"))
	b := future.AsyncOn(background, r, body("b"))
	clk.Advance(0)
	c := future.AsyncOn(background, r, func(context.Context) (int, error) { t.Error("started after Stop"); return 0, nil })
	r.Stop()
	log.want(t, "a:true", "a:defer:true", "b:true", "b:defer:true")
	late := future.AsyncOn(background, r, func(context.Context) (int, error) { t.Error("started after Stop"); return 0, nil })
	for _, d := range []*future.Deferred[int]{a, b, c, late} {
		wantError(t, d, "", reactor.ErrStopped)
	}
}

// A coroutine that waits in a defer when the loop stops, and one that stops the
// loop itself.
func TestStopFromInside(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	never, _ := future.New[int]()
	inDefer := future.AsyncOn(background, r, func(ctx context.Context) (_ int, err error) {
		defer func() { _, err = never.Await(ctx) }()
		return 1, nil
	})
	stops := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
		future.After(r, 1, 0).Await(ctx)
		r.Stop()
		_, err := never.Await(ctx)
		return 0, err
	})
	clk.Run()
	wantError(t, inDefer, "", reactor.ErrStopped)
	wantError(t, stops, "", reactor.ErrStopped)
}

// An inline coroutine, and one of another loop, that wait for what is on a loop
// that stops do not wait for ever.
func TestStopOfAnotherLoop(t *testing.T) {
	for _, stopFirst := range []bool{false, true} {
		clk := clock.NewVirtual()
		r, own := reactor.New(clk), reactor.New(clk)
		defer own.Stop()
		root, _ := future.NewOn[int](r)
		derived := future.Then(root, plus(1))
		await := func(ctx context.Context) (int, error) { return derived.Await(ctx) }
		if stopFirst {
			r.Stop()
		}
		in, on, worker := future.Async(background, await), future.AsyncOn(background, own, await), future.GoOn(background, own, await)
		clk.Advance(0)
		r.Stop()
		clk.Advance(0)
		for _, d := range []*future.Deferred[int]{in, on, worker} {
			wantError(t, d, "", reactor.ErrStopped)
		}
	}
}

// wantGoroutines waits until no more than n goroutines are left.
func wantGoroutines(t *testing.T, n int) {
	t.Helper()
	for range 1_000_000 {
		if runtime.NumGoroutine() <= n {
			return
		}
		runtime.Gosched()
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine()-n, n, buf[:runtime.Stack(buf, true)])
}

func TestCoroutinesDoNotLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	never, _ := future.New[int]()
	for range 20 {
		clk := clock.NewVirtual()
		r := reactor.New(clk)
		for range 20 {
			future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
				defer never.Await(context.WithoutCancel(ctx))
				return never.Await(ctx)
			})
			future.GoOn(background, r, func(ctx context.Context) (int, error) {
				defer never.Await(context.WithoutCancel(ctx))
				return never.Await(ctx)
			})
			future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
				return future.After(r, 1, 0).Await(ctx)
			})
		}
		clk.Advance(0)
		r.Stop()
		clk.Advance(0)
	}
	ctx, cancel := context.WithCancel(background)
	for range 20 {
		future.Async(ctx, func(ctx context.Context) (int, error) { return never.Await(ctx) })
	}
	cancel()
	wantGoroutines(t, before)
}

// A reactor whose Run holds an OS thread runs coroutines, and after a Goexit
// goes on without those that were bound to the thread.
func TestCoroutinesOnALockedThread(t *testing.T) {
	r := reactor.New(clock.System())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		runtime.LockOSThread()
		r.Run(background)
	}()
	var co *future.Deferred[int]
	never, _ := future.New[int]()
	co = future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return never.Await(ctx) })
	first := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
		v, err := future.After(r, 0, 3).Await(ctx)
		inner, _ := future.Async(ctx, func(ctx context.Context) (int, error) { return future.After(r, 0, 4).Await(ctx) }).Await(ctx)
		return v + inner, err
	})
	if v, err := first.Await(background); v != 7 || err != nil {
		t.Errorf("Await = %v, %v", v, err)
	}
	gone := future.Then(future.After(r, 0, 0), func(int) (int, error) { runtime.Goexit(); return 0, nil })
	<-ran
	if _, err := gone.Await(background); !errors.Is(err, failure.ErrGoexit) {
		t.Errorf("Await = %v", err)
	}
	_, err := co.Await(background)
	if !errors.Is(err, reactor.ErrStopped) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("the coroutine of the lost thread: %v", err)
	}
	after := future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return future.After(r, 0, 5).Await(ctx) })
	if v, err := after.Await(background); v != 5 || err != nil {
		t.Errorf("a coroutine after that: %v, %v", v, err)
	}
	r.Stop()
}

// A Goexit on a loop whose goroutine is not locked harms no coroutine.
func TestCoroutinesOutliveAGoexit(t *testing.T) {
	r := reactor.New(clock.System())
	go r.Run(background)
	defer r.Stop()
	d, res := future.New[int]()
	co := future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return d.Await(ctx) })
	gone := future.Then(future.After(r, 0, 0), func(int) (int, error) { runtime.Goexit(); return 0, nil })
	if _, err := gone.Await(background); !errors.Is(err, failure.ErrGoexit) {
		t.Errorf("Await = %v", err)
	}
	res.Succeed(6)
	if v, err := co.Await(background); v != 6 || err != nil {
		t.Errorf("Await = %v, %v", v, err)
	}
}

// An inline coroutine is resumed by any goroutine, also by several at a time
// that do not know of each other, and by one of another bubble or thread.
func TestInlineCoroutineIsHandedOver(t *testing.T) {
	const n, rounds = 8, 200
	for range rounds {
		ds := make([]*future.Deferred[int], n)
		ress := make([]future.Resolver[int], n)
		for i := range ds {
			ds[i], ress[i] = future.New[int]()
		}
		running := 0
		co := future.Async(background, func(ctx context.Context) (int, error) {
			sum := 0
			for _, d := range ds {
				running++
				if running != 1 {
					t.Error("it runs twice")
				}
				running--
				v, err := d.Await(ctx)
				if err != nil {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		})
		var wg sync.WaitGroup
		for i, res := range ress {
			wg.Go(func() {
				if i%3 == 0 {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
				}
				res.Succeed(i)
			})
		}
		wg.Wait()
		if v, err := co.Result(); v != n*(n-1)/2 || err != nil {
			t.Fatalf("Result = %v, %v", v, err)
		}
	}
}

// Settle and cancel race for a wait: whichever comes first, the coroutine goes
// on once, and ends.
func TestSettleAndCancelRaceForACoroutine(t *testing.T) {
	r := reactor.New(clock.System())
	ran := make(chan error)
	go func() { ran <- r.Run(background) }()
	for _, on := range []bool{false, true} {
		for range 500 {
			d, res := future.New[int]()
			ctx, cancel := context.WithCancel(background)
			f := func(ctx context.Context) (int, error) {
				v, err := d.Await(ctx)
				if ctx.Err() != nil { // what struck the wait has ended it
					future.After(clock.System(), 0, 0).Await(context.WithoutCancel(ctx)) // the other cancel may strike this one
					return v, nil
				}
				return v, err
			}
			var co *future.Deferred[int]
			if on {
				co = future.AsyncOn(ctx, r, f)
			} else {
				co = future.Async(ctx, f)
			}
			var wg sync.WaitGroup
			wg.Go(func() { res.Succeed(1) })
			wg.Go(func() { co.Cancel(nil) })
			wg.Go(cancel)
			wg.Go(func() { co.Cancel(errCause) })
			wg.Wait()
			if _, err := co.Await(background); err != nil {
				t.Fatalf("Await = %v", err)
			}
		}
	}
	r.Stop()
	if err := <-ran; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// After a Cancel, whatever the coroutine awaits with its context, it sees its
// context's end, from whichever goroutine the Cancel came.
func TestCanceledCoroutineSeesItsContextEnd(t *testing.T) {
	r := reactor.New(clock.System())
	ran := make(chan error)
	go func() { ran <- r.Run(background) }()
	for range 500 {
		d, res := future.New[int]()
		waits := make(chan struct{})
		co := future.AsyncOn(background, r, func(ctx context.Context) (int, error) {
			close(waits)
			if _, err := d.Await(ctx); err != nil {
				return 0, ctx.Err() // as much code does
			}
			return 0, nil
		})
		<-waits
		sum := future.AsyncOn(background, r, func(context.Context) (int, error) { return 0, nil }) // by now the first one waits
		sum.Await(background)
		co.Cancel(nil)
		if _, err := co.Await(background); !errors.Is(err, context.Canceled) {
			t.Fatalf("Await = %v: the coroutine did not see its context's end", err)
		}
		if res.Succeed(1) {
			t.Fatal("what it waited for was not canceled")
		}
	}
	r.Stop()
	<-ran
}

func TestCoroutinesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := reactor.New(clock.System())
		go r.Run(background)
		defer r.Stop()
		on := future.AsyncOn(background, r, func(ctx context.Context) (int, error) { return future.After(r, time.Hour, 1).Await(ctx) })
		in := future.Async(background, func(ctx context.Context) (int, error) { return on.Await(ctx) })
		worker := future.GoOn(background, r, func(ctx context.Context) (int, error) { return in.Await(ctx) })
		if v, err := worker.Await(background); v != 1 || err != nil || time.Since(start) != time.Hour {
			t.Errorf("Await = %v, %v after %v", v, err, time.Since(start))
		}
	})
}

// A control panic of a property tester and others leave no coroutine behind.
func TestPanicInACoroutineHarmsNoOther(t *testing.T) {
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int]) {
		src, res := future.New[int]()
		var all []*future.Deferred[int]
		for i := range 5 {
			all = append(all, start(background, func(ctx context.Context) (int, error) {
				v, err := src.Await(ctx)
				if i == 2 {
					panic(errA)
				}
				return v + i, err
			}))
		}
		clk.Advance(0)
		res.Succeed(10)
		clk.Advance(0)
		for i, d := range all {
			if i == 2 {
				wantError(t, d, "a", failure.ErrPanic, errA)
			} else {
				wantOutcome(t, d, 10+i, nil)
			}
		}
	})
}
