package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
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

var background = context.Background()

func TestAwaitOfASettledOne(t *testing.T) {
	ended, cancel := context.WithCancel(background)
	cancel()
	if v, err := future.Succeed(3).Await(ended); v != 3 || err != nil {
		t.Errorf("Await = %v, %v, want the value, also with an ended context", v, err)
	}
	if _, err := future.Fail[int](errA).Await(ended); err != errA {
		t.Errorf("Await = %v, want the error itself", err)
	}
	mustPanic(t, func() { future.Succeed(3).Await(noContext) }, "Await", "nil context")
	mustPanic(t, func() { (*future.Deferred[int])(nil).Await(background) }, "nil *Deferred")
}

func TestAwaitCostsNothingIfSettled(t *testing.T) {
	d := future.Succeed(3)
	check := func(ctx context.Context) {
		if n := testing.AllocsPerRun(100, func() {
			if v, err := d.Await(ctx); v != 3 || err != nil {
				t.Errorf("Await = %v, %v", v, err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	check(background)
	future.Async(background, func(ctx context.Context) (int, error) { check(ctx); return 0, nil })
}

func TestAwaitGivesUp(t *testing.T) {
	for name, tt := range map[string]struct {
		ctx  func() (context.Context, func())
		want []error
		not  error
	}{
		"canceled": {func() (context.Context, func()) {
			ctx, cancel := context.WithCancel(background)
			return ctx, cancel
		}, []error{context.Canceled}, context.DeadlineExceeded},
		"canceled with a cause": {func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(background)
			return ctx, func() { cancel(errCause) }
		}, []error{context.Canceled, errCause}, future.ErrCanceled},
		"deadline": {func() (context.Context, func()) {
			ctx, cancel := context.WithTimeoutCause(background, time.Second, errCause)
			t.Cleanup(cancel)
			return ctx, func() { time.Sleep(time.Second) }
		}, []error{context.DeadlineExceeded, errCause}, context.Canceled},
		"deadline on a clock": {func() (context.Context, func()) {
			clk := clock.NewVirtual()
			ctx, cancel := clock.WithTimeout(background, clk, time.Second)
			t.Cleanup(cancel)
			return ctx, func() { clk.Advance(time.Second) }
		}, []error{context.DeadlineExceeded}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := tt.ctx()
				d, res, calls := counting()
				got := make(chan error, 1)
				go func() { _, err := d.Await(ctx); got <- err }()
				synctest.Wait()
				end()
				err := <-got
				for _, want := range append(tt.want, ctx.Err(), context.Cause(ctx)) {
					if !errors.Is(err, want) {
						t.Errorf("error %v does not match %v", err, want)
					}
				}
				if errors.Is(err, tt.not) {
					t.Errorf("error %v matches %v", err, tt.not)
				}
				if len(*calls) != 0 {
					t.Error("giving up canceled what was waited for")
				}
				if _, again := d.Await(ctx); !errors.Is(again, ctx.Err()) {
					t.Errorf("the next Await with that context: %v", again)
				}
				res.Succeed(1)
				if v, err := d.Await(ctx); v != 1 || err != nil {
					t.Errorf("Await of what has settled meanwhile = %v, %v", v, err)
				}
			})
		})
	}
}

// Many goroutines wait, each with a context of its own. Some give up, which
// harms nobody.
func TestAwaitByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		src, res, calls := counting()
		d := future.Then(src, plus(1))
		cancels := make([]context.CancelFunc, n)
		errs, vs := make([]error, n), make([]int, n)
		var wg sync.WaitGroup
		for i := range n {
			ctx, cancel := context.WithCancel(background)
			cancels[i] = cancel
			wg.Go(func() { vs[i], errs[i] = d.Await(ctx) })
		}
		synctest.Wait()
		for i := 0; i < n; i += 3 {
			cancels[i]()
		}
		synctest.Wait()
		wantPending(t, d)
		res.Succeed(1)
		wg.Wait()
		for i := range n {
			if i%3 == 0 {
				if !errors.Is(errs[i], context.Canceled) {
					t.Errorf("%d gave up with %v", i, errs[i])
				}
			} else if vs[i] != 2 || errs[i] != nil {
				t.Errorf("%d got %v, %v", i, vs[i], errs[i])
			}
			cancels[i]()
		}
		if len(*calls) != 0 {
			t.Error("giving up canceled the source")
		}
	})
}

// A goroutine is a consumer while it is parked, and not longer.
func TestAwaitIsAConsumerWhileParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, _, calls := counting()
		other := future.Then(src, plus(1))
		third := future.Then(src, plus(1))
		ctx, cancel := context.WithCancel(background)
		done := make(chan struct{})
		go func() { defer close(done); src.Await(ctx) }()
		synctest.Wait()
		other.Cancel(nil)
		third.Cancel(nil)
		if len(*calls) != 0 {
			t.Error("the source was canceled although a goroutine is parked")
		}
		cancel()
		<-done
		future.Then(src, plus(1)).Cancel(nil)
		if len(*calls) != 1 {
			t.Error("a goroutine that gave up still counts")
		}
	})
}

func TestCancelEndsAnAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, _ := counting()
		got := make(chan error, 1)
		go func() { _, err := d.Await(background); got <- err }()
		synctest.Wait()
		d.Cancel(errCause) // asked itself
		wantCanceled(t, <-got, errCause)
	})
}

func TestDone(t *testing.T) {
	d, res, calls := counting()
	done := d.Done()
	if d.Done() != done {
		t.Error("Done gives another channel")
	}
	select {
	case <-done:
		t.Error("Done of a pending one is closed")
	default:
	}
	future.Then(d, plus(1)).Cancel(nil) // Done is no consumer
	if len(*calls) != 1 {
		t.Error("Done counts as a consumer")
	}
	<-done
	if res.Succeed(1) {
		t.Error("a late settle was not refused")
	}
	<-d.Done()
	<-future.Succeed(1).Done()
	<-future.Fail[int](errA).Done()

	d, res = future.New[int]()
	var log journal
	future.Then(d, func(int) (int, error) {
		select {
		case <-d.Done():
			log.add("closed")
		default:
			log.add("open")
		}
		return 0, nil
	})
	d.Done()
	res.Succeed(1)
	log.want(t, "closed") // as soon as the outcome is there
	mustPanic(t, func() { (*future.Deferred[int])(nil).Done() }, "nil *Deferred")
}

func TestDoneForSelect(t *testing.T) {
	slow, _ := future.New[int]()
	fast := future.Go(background, func(context.Context) (string, error) { return "fast", nil })
	select {
	case <-slow.Done():
		t.Error("the pending one is done")
	case <-fast.Done():
		wantOutcome(t, fast, "fast", nil)
	}
}

// When the reactor stops, parked Awaits end and Done of what is derived closes.
func TestAwaitAndDoneWhenTheReactorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System())
		root, res := future.NewOn[int](r)
		derived := future.Then(root, plus(1))
		pure := future.Then(root, func(int) (int, error) { t.Error("a function ran after Stop"); return 0, nil })
		rootErr, derivedErr, outcomes := make(chan error, 1), make(chan error, 1), make(chan string, 1)
		go func() { _, err := root.Await(background); rootErr <- err }()
		go func() { _, err := derived.Await(background); derivedErr <- err }()
		go func() {
			var all []string
			for i, o := range future.AsCompleted(background, root, pure) {
				all = append(all, fmt.Sprint(i, errors.Is(o.Err, reactor.ErrStopped)))
			}
			outcomes <- strings.Join(all, ",")
		}()
		done := pure.Done()
		stopped := make(chan error, 1)
		go func() { stopped <- r.Run(background) }()
		synctest.Wait()
		r.Stop()
		if err := <-stopped; err != nil {
			t.Errorf("Run = %v", err)
		}
		<-done
		wantError(t, pure, "", reactor.ErrStopped)
		for _, ch := range []chan error{rootErr, derivedErr} {
			if err := <-ch; !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("a parked Await returned %v", err)
			}
		}
		synctest.Wait()
		select {
		case got := <-outcomes:
			if n := strings.Count(got, "true"); n != 2 {
				t.Errorf("AsCompleted gave %q", got)
			}
		default:
			t.Error("a parked AsCompleted still waits")
			root.Cancel(nil)
		}
		wantPending(t, root)
		if !res.Succeed(5) { // a root keeps its Resolver
			wantError(t, root, "", future.ErrCanceled)
		} else {
			wantOutcome(t, root, 5, nil)
		}
	})
}

// Every row of the table: who calls Await, with which context.
func TestWhoAwaits(t *testing.T) {
	const loopRemedy, coRemedy = "ThenFlat", "pass the ctx"
	// wantRemedy checks the failure of a function that awaited where it must not.
	wantRemedy := func(t *testing.T, d *future.Deferred[int], remedy string) {
		t.Helper()
		wantError(t, d, remedy, failure.ErrPanic)
	}
	setUp := func(t *testing.T) (*clock.Virtual, *reactor.Reactor, *future.Deferred[int], future.Resolver[int]) {
		clk := clock.NewVirtual()
		r := reactor.New(clk)
		t.Cleanup(r.Stop)
		d, res := future.New[int]()
		return clk, r, d, res
	}

	t.Run("a coroutine, its own", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		await := func(ctx context.Context) (int, error) { return d.Await(ctx) }
		on, in := future.AsyncOn(background, r, await), future.Async(background, await)
		clk.Advance(0)
		wantPending(t, on)
		wantPending(t, in)
		res.Succeed(4)
		wantOutcome(t, in, 4, nil)
		wantPending(t, on)
		clk.Advance(0)
		wantOutcome(t, on, 4, nil)
	})
	t.Run("a coroutine, derived from its own", func(t *testing.T) {
		clk, r, d, _ := setUp(t)
		var res future.Resolver[int]
		type key struct{}
		for name, derive := range map[string]func(context.Context) context.Context{
			"WithValue": func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, 1) },
			"WithCancel": func(ctx context.Context) context.Context {
				c, cancel := context.WithCancel(ctx)
				t.Cleanup(cancel)
				return c
			},
			"WithoutCancel": context.WithoutCancel,
			"WithTimeout": func(ctx context.Context) context.Context {
				c, cancel := clock.WithTimeout(ctx, r, time.Hour)
				t.Cleanup(cancel)
				return c
			},
		} {
			d, res = future.New[int]()
			await := func(ctx context.Context) (string, error) {
				v, err := d.Await(derive(ctx))
				return fmt.Sprint(name, v), err
			}
			on, in := future.AsyncOn(background, r, await), future.Async(background, await)
			clk.Advance(0)
			wantPending(t, on)
			res.Succeed(4)
			clk.Advance(0)
			wantOutcome(t, on, name+"4", nil)
			wantOutcome(t, in, name+"4", nil)
		}
	})
	t.Run("a callback in a coroutine, its own", func(t *testing.T) {
		clk, r, d, _ := setUp(t)
		var res future.Resolver[int]
		for _, start := range []func(func(context.Context) (int, error)) *future.Deferred[int]{
			func(f func(context.Context) (int, error)) *future.Deferred[int] { return future.Async(background, f) },
			func(f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.AsyncOn(background, r, f)
			},
		} {
			d, res = future.New[int]()
			var log journal
			co := start(func(ctx context.Context) (int, error) {
				in, inRes := future.New[int]()
				future.Then(in, func(int) (int, error) { log.add("before"); v, err := d.Await(ctx); log.add("after"); return v, err })
				future.Then(in, func(int) (int, error) { log.add("sibling"); return 0, nil })
				inRes.Succeed(1)
				log.add("end")
				return 0, nil
			})
			clk.Advance(0)
			wantPending(t, co)
			log.want(t, "before")
			res.Succeed(1)
			clk.Advance(0)
			log.want(t, "before", "after", "sibling", "end")
			wantOutcome(t, co, 0, nil)
		}
	})

	t.Run("a callback of a loop, Background", func(t *testing.T) {
		clk, r, d, _ := setUp(t)
		src, res := future.NewOn[int](r)
		got := future.Then(src, func(int) (int, error) { return d.Await(background) })
		res.Succeed(1)
		clk.Advance(0)
		wantRemedy(t, got, loopRemedy)
	})
	t.Run("a callback of a running reactor, Background", func(t *testing.T) {
		r := reactor.New(clock.System())
		d, _ := future.New[int]()
		got := future.Then(future.After(r, 0, 0), func(int) (int, error) { return d.Await(background) })
		got.Finally(func() error { r.Stop(); return nil })
		if err := r.Run(background); err != nil {
			t.Errorf("Run = %v", err)
		}
		wantRemedy(t, got, loopRemedy)
	})
	t.Run("a function on a Virtual, Background", func(t *testing.T) {
		clk, _, d, _ := setUp(t)
		clk.CallLater(1, func() { d.Await(background) })
		mustPanic(t, clk.Run, "Await", loopRemedy, "AsyncOn")
		got := future.Then(future.After(clk, 1, 0), func(int) (int, error) { return d.Await(background) })
		clk.Run()
		wantRemedy(t, got, loopRemedy)
	})
	t.Run("a callback of a loop, a suspended coroutine's", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		var ctx context.Context
		co := future.AsyncOn(background, r, func(c context.Context) (int, error) { ctx = c; return d.Await(c) })
		clk.Advance(0)
		got := future.Then(future.After(r, 0, 0), func(int) (int, error) { return d.Await(ctx) })
		clk.Advance(0)
		wantRemedy(t, got, loopRemedy)
		wantPending(t, co)
		res.Succeed(1)
		clk.Advance(0)
		wantOutcome(t, co, 1, nil)
	})
	t.Run("a coroutine, Background", func(t *testing.T) {
		clk, r, d, _ := setUp(t)
		await := func(context.Context) (int, error) { return d.Await(background) }
		on, in := future.AsyncOn(background, r, await), future.Async(background, await)
		clk.Advance(0)
		wantRemedy(t, on, coRemedy)
		wantRemedy(t, in, coRemedy)
	})
	t.Run("a coroutine, another one's", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		var other context.Context
		keep := func(ctx context.Context) (int, error) { other = ctx; return d.Await(ctx) }
		steal := func(context.Context) (int, error) { return d.Await(other) }
		on := future.AsyncOn(background, r, keep)
		clk.Advance(0)
		thief := future.AsyncOn(background, r, steal)
		clk.Advance(0)
		wantRemedy(t, thief, coRemedy)
		in := future.Async(background, keep)
		wantRemedy(t, future.Async(background, steal), coRemedy)
		res.Succeed(1)
		clk.Advance(0)
		wantOutcome(t, on, 1, nil)
		wantOutcome(t, in, 1, nil)
	})
	t.Run("a coroutine within one, the outer one's", func(t *testing.T) {
		clk, r, d, _ := setUp(t)
		var res future.Resolver[int]
		var inner *future.Deferred[int]
		nest := func(outer context.Context) (int, error) {
			inner = future.Async(outer, func(context.Context) (int, error) { return d.Await(outer) })
			return d.Await(outer)
		}
		for _, start := range []func() *future.Deferred[int]{
			func() *future.Deferred[int] { return future.AsyncOn(background, r, nest) },
			func() *future.Deferred[int] { return future.Async(background, nest) },
		} {
			d, res = future.New[int]()
			outer := start()
			clk.Advance(0)
			wantRemedy(t, inner, coRemedy)
			wantPending(t, outer)
			res.Succeed(3)
			clk.Advance(0)
			wantOutcome(t, outer, 3, nil)
		}
	})

	// Goroutines and workers park as such with the context of what started them.
	t.Run("a goroutine, a coroutine's", func(t *testing.T) {
		for name, start := range map[string]func(r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int]{
			"AsyncOn": func(r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.AsyncOn(background, r, f)
			},
			"Async": func(_ *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.Async(background, f)
			},
		} {
			for _, worker := range []bool{false, true} {
				t.Run(fmt.Sprint(name, ", worker ", worker), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := reactor.New(clock.System())
						go r.Run(t.Context())
						gate, open := future.New[int]()
						busy, started := make(chan struct{}), make(chan *future.Deferred[int])
						f := func(outer context.Context) (int, error) {
							await := func(context.Context) (int, error) { return gate.Await(outer) }
							waits := future.Go(outer, await)
							if worker {
								waits = future.GoOn(outer, r, await)
							}
							<-busy // while that waits, this one works
							return waits.Await(outer)
						}
						go func() { started <- start(r, f) }()
						synctest.Wait()
						open.Succeed(5)
						synctest.Wait()
						close(busy)
						if v, err := (<-started).Await(t.Context()); v != 5 || err != nil {
							t.Errorf("got %d, %v", v, err)
						}
						r.Stop()
					})
				})
			}
		}
	})
	t.Run("a goroutine, a worker's", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		parks, before := make(chan struct{}), clk.Now()
		w := future.GoOn(background, r, func(outer context.Context) (int, error) {
			g := future.Go(outer, func(context.Context) (int, error) {
				close(parks)
				return d.Await(outer)
			})
			<-parks
			for range 100 {
				runtime.Gosched()
			}
			if now := clk.Now(); now != before {
				t.Errorf("time went on to %v while the worker worked", now)
			}
			res.Succeed(6)
			<-g.Done()
			return g.Result()
		})
		clk.Advance(time.Second)
		wantOutcome(t, w, 6, nil)
	})

	t.Run("a worker, its own", func(t *testing.T) {
		clk, r, _, _ := setUp(t)
		w := future.GoOn(background, r, func(ctx context.Context) (int, error) {
			return future.After(r, time.Hour, 4).Await(ctx)
		})
		clk.Advance(time.Hour)
		wantOutcome(t, w, 4, nil)
	})
	t.Run("a worker, Background", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		start := clk.Now()
		parks := make(chan struct{})
		var at time.Duration
		w := future.GoOn(background, r, func(context.Context) (int, error) {
			future.After(r, time.Hour, 0)
			close(parks)
			v, err := d.Await(background)
			at = clk.Now().Sub(start)
			return v, err
		})
		go func() { <-parks; res.Succeed(4) }()
		clk.Advance(time.Hour)
		wantOutcome(t, w, 4, nil)
		if at != 0 {
			t.Errorf("virtual time went on to %v while a worker held it", at)
		}
	})
	t.Run("a worker, a parked one's", func(t *testing.T) {
		clk, r, d, res := setUp(t)
		var other context.Context
		parks := make(chan struct{})
		owner := future.GoOn(background, r, func(ctx context.Context) (int, error) {
			other = ctx
			return future.After(r, 5, 1).Await(ctx)
		})
		thief := future.GoOn(background, r, func(context.Context) (int, error) {
			close(parks)
			return d.Await(other)
		})
		go func() { <-parks; res.Succeed(4) }()
		clk.Run()
		wantOutcome(t, owner, 1, nil)
		wantOutcome(t, thief, 4, nil)
	})
	t.Run("a callback in a worker", func(t *testing.T) {
		clk, r, _, _ := setUp(t)
		w := future.GoOn(background, r, func(ctx context.Context) (int, error) {
			in, res := future.New[int]()
			got := future.Then(in, func(int) (int, error) { return future.After(r, 5, 6).Await(ctx) })
			res.Succeed(1)
			return got.Result()
		})
		clk.Advance(5)
		wantOutcome(t, w, 6, nil)
	})

	for name, ctxOf := range map[string]func(t *testing.T, r *reactor.Reactor, clk *clock.Virtual) context.Context{
		"Background": func(*testing.T, *reactor.Reactor, *clock.Virtual) context.Context { return background },
		"a suspended coroutine's": func(_ *testing.T, r *reactor.Reactor, clk *clock.Virtual) (got context.Context) {
			never, _ := future.New[int]()
			future.AsyncOn(background, r, func(ctx context.Context) (int, error) { got = ctx; return never.Await(ctx) })
			clk.Advance(0)
			return got
		},
		"a suspended inline coroutine's": func(t *testing.T, _ *reactor.Reactor, _ *clock.Virtual) (got context.Context) {
			never, res := future.New[int]()
			t.Cleanup(func() { res.Succeed(0) })
			future.Async(background, func(ctx context.Context) (int, error) { got = ctx; return never.Await(ctx) })
			return got
		},
		"a worker's": func(_ *testing.T, r *reactor.Reactor, clk *clock.Virtual) (got context.Context) {
			never, _ := future.New[int]()
			future.GoOn(background, r, func(ctx context.Context) (int, error) { got = ctx; return never.Await(ctx) })
			clk.Advance(0)
			return got
		},
	} {
		t.Run("a plain goroutine, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := clock.NewVirtual()
				r := reactor.New(clk)
				defer r.Stop()
				d, res := future.New[int]()
				ctx := ctxOf(t, r, clk)
				got := make(chan int, 2)
				go func() { v, _ := d.Await(ctx); got <- v }()
				go func() { // in a callback that runs inline on it
					future.Then(future.Succeed(0), func(int) (int, error) { v, _ := d.Await(ctx); got <- v; return 0, nil })
				}()
				synctest.Wait()
				res.Succeed(4)
				if a, b := <-got, <-got; a != 4 || b != 4 {
					t.Errorf("Await = %v, %v", a, b)
				}
			})
		})
	}
	t.Run("a child goroutine, a running coroutine's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d, res := future.New[int]()
			var got int
			co := future.Async(background, func(ctx context.Context) (int, error) {
				parks := make(chan struct{})
				go func() { got, _ = d.Await(ctx); close(parks) }()
				synctest.Wait() // it parks while the coroutine runs
				res.Succeed(4)
				<-parks
				return 0, nil
			})
			wantOutcome(t, co, 0, nil)
			if got != 4 {
				t.Errorf("the child got %v", got)
			}
		})
	})
	t.Run("a child goroutine starts a coroutine below a running one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d, res := future.New[int]()
			hold := make(chan struct{})
			co := future.Async(background, func(ctx context.Context) (int, error) {
				go future.Async(ctx, func(context.Context) (int, error) { <-hold; return 0, nil })
				synctest.Wait() // it runs meanwhile, on a goroutine of its own
				return d.Await(ctx)
			})
			wantPending(t, co)
			close(hold)
			res.Succeed(4)
			synctest.Wait()
			wantOutcome(t, co, 4, nil)
		})
	})
	t.Run("a plain goroutine that panics on faults", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d, res := future.New[int]()
			got := make(chan int, 1)
			go func() {
				debug.SetPanicOnFault(true)
				v, _ := d.Await(background)
				got <- v
			}()
			synctest.Wait()
			res.Succeed(4)
			if v := <-got; v != 4 {
				t.Errorf("Await = %v", v)
			}
		})
	})
	t.Run("the goroutine after Advance and Run", func(t *testing.T) {
		clk, r, _, _ := setUp(t)
		clk.Advance(1)
		func() { // a drive that panics
			defer func() { recover() }()
			clk.CallLater(0, func() { panic("out") })
			clk.Advance(0)
		}()
		src, res := future.NewOn[int](r)
		go res.Succeed(1)
		if v, err := src.Await(background); v != 1 || err != nil { // it is a plain one again
			t.Errorf("Await = %v, %v", v, err)
		}
	})

	t.Run("settled, anybody", func(t *testing.T) {
		clk, r, _, _ := setUp(t)
		await := func(context.Context) (int, error) { return future.Succeed(7).Await(background) }
		for _, d := range []*future.Deferred[int]{
			future.Then(future.After(r, 0, 0), func(int) (int, error) { return await(nil) }),
			future.AsyncOn(background, r, await), future.Async(background, await),
			future.GoOn(background, r, await),
		} {
			clk.Advance(0)
			wantOutcome(t, d, 7, nil)
		}
	})
}
