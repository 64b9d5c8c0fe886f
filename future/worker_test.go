package future_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

var quietly = reactor.Logger(slog.New(slog.DiscardHandler))

// eachGo runs test with Go and with GoOn, in a bubble. settle lets what is
// ready happen; now it is a virtual time.
func eachGo(t *testing.T, test func(t *testing.T, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int], clk clock.Clock)) {
	t.Run("Go", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, future.Go[int], clock.System()) })
	})
	t.Run("GoOn a reactor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			go r.Run(background)
			test(t, func(ctx context.Context, f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.GoOn(ctx, r, f)
			}, r)
			r.Stop()
		})
	})
	t.Run("GoOn an executor without workers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			go r.Run(background)
			test(t, func(ctx context.Context, f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.GoOn(ctx, bare{r}, f)
			}, r)
			r.Stop()
		})
	})
	t.Run("GoOn an executor with workers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			go r.Run(background)
			test(t, func(ctx context.Context, f func(context.Context) (int, error)) *future.Deferred[int] {
				return future.GoOn(ctx, withWorkers{bare{r}}, f)
			}, r)
			r.Stop()
		})
	})
}

// withWorkers is a foreign executor with workers of its own.
type withWorkers struct{ bare }

func (w withWorkers) Go(job func() func()) {
	go func() {
		if deliver := job(); deliver != nil {
			w.Post(deliver)
		}
	}()
}

func TestGoResults(t *testing.T) {
	eachGo(t, func(t *testing.T, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int], clk clock.Clock) {
		var kept context.Context
		ok := start(background, func(ctx context.Context) (int, error) {
			kept = ctx
			if ctx.Err() != nil {
				t.Error("the context has ended before f returned")
			}
			return future.After(clk, time.Second, 3).Await(ctx)
		})
		bad := start(background, func(context.Context) (int, error) { return 3, errA })
		boom := start(background, func(context.Context) (int, error) { panic(errB) })
		gone := start(background, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
		if v, err := ok.Await(background); v != 3 || err != nil {
			t.Errorf("Await = %v, %v", v, err)
		}
		synctest.Wait()
		wantOutcome(t, bad, 0, errA)
		wantError(t, boom, "b", failure.ErrPanic, errB)
		wantError(t, gone, "", failure.ErrGoexit)
		if kept.Err() == nil {
			t.Error("the context has not ended although f has returned")
		}
	})
}

// When it is canceled, the result settles at once and f's context ends; what f
// returns then is dropped.
func TestCancelOfAGo(t *testing.T) {
	eachGo(t, func(t *testing.T, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int], _ clock.Clock) {
		for _, late := range []string{"value", "error", "panic", "Goexit"} {
			hold := make(chan struct{})
			var cause error
			ended := false
			d := start(background, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				cause = context.Cause(ctx)
				<-hold
				ended = true
				switch late {
				case "error":
					return 0, errC
				case "panic":
					panic(errC)
				case "Goexit":
					runtime.Goexit()
				}
				return 5, nil
			})
			seen := 0
			last := d.Catch(func(err error) (int, error) { seen++; return 0, err })
			synctest.Wait()
			if !last.Cancel(errCause) {
				t.Error("Cancel reports false")
			}
			_, err := d.Result() // at once
			wantCanceled(t, err, errCause)
			synctest.Wait()
			if !errors.Is(cause, errCause) || ended {
				t.Errorf("the context's cause is %v, f has ended: %t", cause, ended)
			}
			close(hold)
			synctest.Wait()
			if again, _ := d.Result(); again != 0 || !ended || seen != 1 {
				t.Errorf("late %s: %v, f has ended: %t, callbacks %d", late, again, ended, seen)
			}
			wantError(t, d, "", future.ErrCanceled)
		}
	})
}

// A Cancel goes to what f awaits, unless somebody else reads that.
func TestCancelOfAGoThatAwaits(t *testing.T) {
	eachGo(t, func(t *testing.T, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int], _ clock.Clock) {
		for _, shared := range []bool{false, true} {
			d, _, calls := counting()
			if shared {
				future.Then(d, plus(1))
			}
			var err, ctxErr error
			w := start(background, func(ctx context.Context) (int, error) {
				_, err = d.Await(ctx)
				ctxErr = ctx.Err()
				return 0, err
			})
			synctest.Wait()
			w.Cancel(errCause)
			_, got := w.Result()
			wantCanceled(t, got, errCause)
			synctest.Wait()
			if !errors.Is(err, context.Canceled) || !errors.Is(err, errCause) || ctxErr == nil {
				t.Errorf("shared %t: Await = %v, then the context said %v", shared, err, ctxErr)
			}
			if want := map[bool]int{false: 1}[shared]; len(*calls) != want {
				t.Errorf("shared %t: canceled %d times, want %d", shared, len(*calls), want)
			}
		}
	})
}

func TestGoEndOfContext(t *testing.T) {
	eachGo(t, func(t *testing.T, start func(context.Context, func(context.Context) (int, error)) *future.Deferred[int], _ clock.Clock) {
		never, _, calls := counting()
		ctx, cancel := context.WithCancelCause(background)
		d := start(ctx, func(ctx context.Context) (int, error) {
			_, err := never.Await(ctx)
			return 7, map[bool]error{false: err}[errors.Is(err, context.Canceled) && errors.Is(err, errCause)]
		})
		synctest.Wait()
		cancel(errCause)
		synctest.Wait()
		wantOutcome(t, d, 7, nil) // the end of the parent only reaches f
		if len(*calls) != 0 {
			t.Error("what was awaited was canceled")
		}
	})
}

func TestGoBadInput(t *testing.T) {
	f := func(context.Context) (int, error) { return 0, nil }
	r := reactor.New(clock.NewVirtual())
	defer r.Stop()
	mustPanic(t, func() { future.Go(noContext, f) }, "Go", "nil context")
	mustPanic(t, func() { future.Go[int](background, nil) }, "Go", "nil function")
	mustPanic(t, func() { future.GoOn(noContext, r, f) }, "GoOn", "nil context")
	mustPanic(t, func() { future.GoOn[int](background, r, nil) }, "GoOn", "nil function")
	mustPanic(t, func() { future.GoOn(background, nil, f) }, "GoOn", "nil Executor")
}

func TestGoOnIsNotStartedIfCanceledFirst(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	d := future.GoOn(background, r, func(context.Context) (int, error) { t.Error("f ran"); return 0, nil })
	d.Cancel(errCause)
	_, err := d.Result()
	wantCanceled(t, err, errCause)
	clk.Run()

	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), reactor.Workers(1))
		go r.Run(background)
		defer r.Stop()
		hold := make(chan struct{})
		first := future.GoOn(background, r, func(context.Context) (int, error) { <-hold; return 1, nil })
		second := future.GoOn(background, r, func(context.Context) (int, error) { t.Error("f ran"); return 0, nil })
		third := future.GoOn(background, r, func(context.Context) (int, error) { return 3, nil })
		second.Cancel(nil)
		close(hold)
		synctest.Wait()
		wantOutcome(t, first, 1, nil)
		wantOutcome(t, third, 3, nil)
	})
}

// Callbacks of a GoOn run on its executor, those of a Go on f's goroutine.
func TestWhereCallbacksOfAGoRun(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var log journal
	d := future.GoOn(background, r, func(context.Context) (int, error) { log.add("f"); return 1, nil })
	future.Then(d, func(int) (int, error) { log.add("callback"); return 0, nil })
	r.Post(func() { log.add("post") })
	clk.Run()
	log.want(t, "f", "post", "callback")

	never, res := future.New[int]()
	attached := make(chan struct{})
	g := future.Go(background, func(context.Context) (int, error) { <-attached; return 1, nil })
	e := future.Then(g, func(int) (int, error) { return never.Await(background) }) // parks f's goroutine
	close(attached)
	go res.Succeed(8)
	if v, err := e.Await(background); v != 8 || err != nil {
		t.Errorf("Await = %v, %v", v, err)
	}
}

// Workers that wait in Await free their slots: else those that wait for one
// queued behind them would hang.
func TestParkedWorkersFreeTheirSlots(t *testing.T) {
	test := func(t *testing.T, r *reactor.Reactor, drive func()) {
		var behind *future.Deferred[int]
		known := make(chan struct{})
		var ws []*future.Deferred[int]
		for i := range 4 {
			ws = append(ws, future.GoOn(background, r, func(ctx context.Context) (int, error) {
				<-known
				v, err := behind.Await(ctx)
				return v + i, err
			}))
		}
		behind = future.GoOn(background, r, func(ctx context.Context) (int, error) {
			return future.After(r, time.Second, 10).Await(ctx)
		})
		close(known)
		drive()
		for i, w := range ws {
			wantOutcome(t, w, 10+i, nil)
		}
	}
	t.Run("real", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System(), reactor.Workers(2))
			go r.Run(background)
			test(t, r, func() { time.Sleep(time.Minute); synctest.Wait() })
			r.Stop()
		})
	})
	t.Run("virtual", func(t *testing.T) {
		clk := clock.NewVirtual()
		r := reactor.New(clk, reactor.Workers(2))
		test(t, r, clk.Run)
		r.Stop()
	})
}

// On a Virtual, workers run one at a time in the order in which they became
// ready, time waits for them, and results come in the order of submission.
func TestWorkersOnAVirtual(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	start := clk.Now()
	var log []string // no lock: one at a time
	note := func(format string, args ...any) {
		log = append(log, fmt.Sprintf(format, args...)+fmt.Sprintf("@%d", clk.Now().Sub(start)))
	}
	for i, d := range []time.Duration{3, 1, 2, 1} {
		w := future.GoOn(background, r, func(ctx context.Context) (int, error) {
			note("start%d", i)
			v, err := future.After(r, d, i).Await(ctx)
			note("woken%d", i)
			for range 100 {
				runtime.Gosched() // it is busy: time stands still
			}
			return v, err
		})
		future.Then(w, func(v int) (int, error) { note("result%d", v); return 0, nil })
	}
	clk.Run()
	want := "start0@0 start1@0 start2@0 start3@0 woken1@1 woken3@1 result1@1 result3@1 woken2@2 result2@2 woken0@3 result0@3"
	if got := strings.Join(log, " "); got != want {
		t.Errorf("log is\n%s, want\n%s", got, want)
	}
}

func TestResultsComeInTheOrderOfSubmission(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var got []int
	gate, res := future.New[int]()
	for i := range 5 {
		w := future.GoOn(background, r, func(ctx context.Context) (int, error) {
			if i%2 == 0 {
				gate.Await(ctx) // the odd ones are ready first
			}
			return i, nil
		})
		future.Then(w, func(v int) (int, error) { got = append(got, v); return 0, nil })
	}
	future.GoOn(background, r, func(context.Context) (int, error) { res.Succeed(0); return 0, nil })
	clk.Run()
	if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("results came in order %v", got)
	}
}

func TestStopEndsWorkers(t *testing.T) {
	for _, virtual := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			clk := clock.NewVirtual()
			r := reactor.New(clk, quietly)
			if !virtual {
				r = reactor.New(clock.System(), reactor.Workers(1), quietly)
			}
			settle := func() {
				if virtual {
					clk.Advance(0)
				}
				synctest.Wait()
			}
			never, _ := future.New[int]()
			var errs []error
			parked := future.GoOn(background, r, func(ctx context.Context) (int, error) {
				_, err := never.Await(ctx)
				_, again := never.Await(context.WithoutCancel(ctx))
				errs = append(errs, err, again)
				return 0, err
			})
			if !virtual {
				go r.Run(background)
			}
			settle()
			queued := future.GoOn(background, r, func(ctx context.Context) (int, error) { return never.Await(ctx) })
			r.Stop()
			settle()
			late := future.GoOn(background, r, func(context.Context) (int, error) { t.Error("started after Stop"); return 0, nil })
			settle()
			for _, d := range []*future.Deferred[int]{parked, queued, late} {
				wantError(t, d, "", reactor.ErrStopped)
			}
			if len(errs) != 2 || !errors.Is(errs[0], reactor.ErrStopped) || !errors.Is(errs[1], reactor.ErrStopped) {
				t.Errorf("the parked worker's Awaits gave %v", errs)
			}
		})
	}
}

// A worker may hand its context to goroutines of its own.
func TestWorkerWithChildren(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	d := future.GoOn(background, r, func(ctx context.Context) (int, error) {
		in, res := future.New[int]()
		done := make(chan int)
		go func() { v, _ := in.Await(ctx); done <- v }()
		res.Succeed(5)
		v := <-done
		child := future.Go(ctx, func(ctx context.Context) (int, error) { return in.Await(ctx) })
		<-child.Done() // it holds virtual time, which a goroutine of its own does not
		w, err := child.Await(ctx)
		return v + w, err
	})
	clk.Run()
	wantOutcome(t, d, 10, nil)
}
