package lock_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// Where Run is tried: inline, and on a reactor.
func eachPlace(t *testing.T, f func(t *testing.T, on func(lease) lease, run func())) {
	t.Run("inline", func(t *testing.T) {
		f(t, func(d lease) lease { return d }, func() {})
	})
	t.Run("reactor", func(t *testing.T) {
		r, clk := futuretest.New(t)
		f(t, func(d lease) lease { return d.On(r) }, func() { clk.Advance(0) })
	})
}

func wantFree(t testing.TB, m *lock.Mutex) {
	t.Helper()
	if l, ok := m.TryAcquire(); !ok {
		t.Error("it is still locked")
	} else {
		l.Release()
	}
}

// The lease is held until what f returned has settled, and released before the
// result has.
func TestRunHolds(t *testing.T) {
	eachPlace(t, func(t *testing.T, on func(lease) lease, run func()) {
		var m lock.Mutex
		inner, res := future.New[int]()
		d := lock.Run(on(m.Acquire()), func() *future.Deferred[int] { return inner })
		then := future.Then(d, func(v int) (int, error) { wantFree(t, &m); return v, nil })
		run()
		if _, ok := m.TryAcquire(); ok {
			t.Error("it is not locked")
		}
		res.Succeed(7)
		run()
		wantValue(t, then, 7)
		wantFree(t, &m)
	})
}

// However f ends, the lease comes back.
func TestRunReleases(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func() *future.Deferred[int]
		is   error
	}{
		{"failure", func() *future.Deferred[int] { return future.Fail[int](errCause) }, errCause},
		{"panic", func() *future.Deferred[int] { panic("no") }, failure.ErrPanic},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachPlace(t, func(t *testing.T, on func(lease) lease, run func()) {
				var m lock.Mutex
				d := lock.Run(on(m.Acquire()), c.f)
				run()
				wantError(t, d, c.is)
				wantFree(t, &m)
			})
		})
	}
	var m lock.Mutex
	d := lock.Run(m.Acquire(), func() *future.Deferred[int] { return nil })
	if _, err := d.Result(); err == nil || err == future.ErrPending {
		t.Errorf("f returned nil, the result is %v", d)
	}
	wantFree(t, &m)
	held, _ := m.TryAcquire()
	d = lock.Run(m.Acquire(), func() *future.Deferred[int] { runtime.Goexit(); return nil })
	onGoroutine(held.Release)
	wantError(t, d, failure.ErrGoexit)
	wantFree(t, &m)
}

func TestRunOfAFailedAcquire(t *testing.T) {
	d := lock.Run(future.Fail[lock.Lease](errCause), func() *future.Deferred[int] { t.Error("f ran"); return nil })
	wantError(t, d, errCause)
}

// A Cancel while Run waits leaves the line, one while f's Deferred is pending
// goes to that, and the lease comes back when it settles.
func TestRunCanceled(t *testing.T) {
	eachPlace(t, func(t *testing.T, on func(lease) lease, run func()) {
		var m lock.Mutex
		held, _ := m.TryAcquire()
		d := lock.Run(on(m.Acquire()), func() *future.Deferred[int] { t.Error("f ran"); return nil })
		d.Cancel(errCause)
		run()
		wantError(t, d, errCause)
		held.Release()
		wantFree(t, &m)

		inner, res := future.New[int]()
		res.OnCancel(func(error) {
			if _, ok := m.TryAcquire(); ok {
				t.Error("released before what f returned has settled")
			}
			res.Succeed(1)
		})
		d = lock.Run(on(m.Acquire()), func() *future.Deferred[int] { return inner })
		run()
		d.Cancel(errCause)
		run()
		wantValue(t, d, 1)
		wantFree(t, &m)
	})
}

// A Cancel in the turn of the grant comes too late: f runs, and the cancel goes
// to what it returns.
func TestRunCanceledInTheTurnOfItsGrant(t *testing.T) {
	r, clk := futuretest.New(t)
	var m lock.Mutex
	held, _ := m.TryAcquire()
	var told error
	d := lock.Run(m.Acquire().On(r), func() *future.Deferred[int] {
		inner, res := future.New[int]()
		res.OnCancel(func(cause error) { told = cause })
		return inner
	})
	clk.Advance(0)
	held.Release()
	d.Cancel(errCause)
	clk.Advance(0)
	wantError(t, d, errCause)
	if told != errCause {
		t.Errorf("what f returned was canceled with %v", told)
	}
	wantFree(t, &m)
}

// A reactor that stops takes no lease with it: neither that of an f which it
// will not run any more, nor that of one whose Deferred it leaves undone.
func TestRunOnAStoppedReactor(t *testing.T) {
	clk := clock.NewVirtual()
	var queued, running lock.Mutex
	r := reactor.New(clk)
	held, _ := queued.TryAcquire()
	first := lock.Run(queued.Acquire().On(r), func() *future.Deferred[int] { t.Error("f ran"); return nil })
	second := lock.Run(running.Acquire().On(r), func() *future.Deferred[int] { return future.After(r, time.Hour, 1) })
	other := running.Acquire()
	clk.Advance(0)
	held.Release()
	r.Stop()
	clk.Advance(0)
	wantError(t, first, reactor.ErrStopped)
	wantError(t, second, reactor.ErrStopped)
	wantFree(t, &queued)
	leaseOf(t, other).Release()

	// It had stopped before the lease came.
	held, _ = queued.TryAcquire()
	late := lock.Run(queued.Acquire().On(r), func() *future.Deferred[int] { t.Error("f ran"); return nil })
	held.Release()
	wantError(t, late, reactor.ErrStopped)
	wantFree(t, &queued)
}

// The callbacks of the result run where those of acquired do.
func TestRunKeepsTheExecutor(t *testing.T) {
	r, clk := futuretest.New(t)
	var m lock.Mutex
	d := lock.Run(m.Acquire().On(r), func() *future.Deferred[int] { return future.Succeed(1) })
	clk.Advance(0)
	ran := false
	future.Then(d, func(int) (int, error) { ran = true; return 0, nil })
	if ran {
		t.Error("it ran inline")
	}
	clk.Advance(0)
	if !ran {
		t.Error("it did not run")
	}
}

// A coroutine holds a lease as any function does, and returns it when it panics
// or is canceled.
func TestCoroutinesHoldLeases(t *testing.T) {
	r, clk := futuretest.New(t)
	s := lock.NewSemaphore(2)
	var j journal
	enter := func(name string, f func(ctx context.Context)) *future.Deferred[int] {
		return future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
			l, err := s.Acquire(1).Await(ctx)
			if err != nil {
				j.add("%s left", name)
				return 0, err
			}
			defer l.Release()
			j.add("%s in, %d free", name, s.Free())
			defer func() { j.add("%s out", name) }()
			f(ctx)
			return 0, nil
		})
	}
	pause := func(ctx context.Context) { future.After(r, time.Second, 1).Await(ctx) }
	enter("a", pause)
	enter("b", func(ctx context.Context) { pause(ctx); panic("no") }).Catch(func(error) (int, error) { return 0, nil })
	c := enter("c", pause)
	enter("d", pause)
	e := enter("e", pause)
	clk.Advance(0)
	c.Cancel(nil)
	clk.Advance(time.Second)
	e.Cancel(nil) // it holds a lease
	clk.Advance(time.Second)
	j.want(t, "a in, 1 free", "b in, 0 free", "c left", "a out", "b out", "d in, 0 free", "e in, 0 free", "e out", "d out")
	if s.Free() != 2 {
		t.Errorf("%d are free", s.Free())
	}
}

// A goroutine that waits for a reactor which stops leaves the line.
func TestAwaitOnAStoppedReactor(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	var m lock.Mutex
	held, _ := m.TryAcquire()
	r.Stop()
	clk.Advance(0)
	if _, err := m.Acquire().On(r).Await(t.Context()); !errors.Is(err, reactor.ErrStopped) {
		t.Errorf("got %v", err)
	}
	held.Release()
	wantFree(t, &m)
}

// A lease that its function has released, or that is none, fails the result.
func TestRunOfALeaseThatIsReleased(t *testing.T) {
	var m lock.Mutex
	a := m.Acquire()
	l := leaseOf(t, a)
	failed := errors.New("failed")
	for name, d := range map[string]*future.Deferred[int]{
		"been released before": lock.Run(a, func() *future.Deferred[int] { l.Release(); return one() }),
		"a zero Lease":         lock.Run(future.Succeed(lock.Lease{}), one),
		"failed\nlock: ":       lock.Run(future.Succeed(lock.Lease{}), func() *future.Deferred[int] { return future.Fail[int](failed) }),
	} {
		if _, err := d.Result(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
	wantFree(t, &m)
}

// A Cancel of a Run whose function is done, while those behind it are served, does
// not take its outcome.
func TestCancelOfARunThatIsDone(t *testing.T) {
	var m, inner lock.Mutex
	failed := errors.New("disk on fire")
	for _, c := range []struct {
		name string
		f    func() *future.Deferred[lock.Lease]
		want error
	}{
		{"a lease", inner.Acquire, nil},
		{"an error", func() *future.Deferred[lock.Lease] { return future.Fail[lock.Lease](failed) }, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, _ := m.TryAcquire()
			done := lock.Run(m.Acquire(), c.f)
			next := future.Handle(done, func(l lock.Lease, err error) (int, error) {
				if err == nil {
					l.Release()
				}
				return 1, err
			})
			lock.Run(m.Acquire(), func() *future.Deferred[int] { next.Cancel(nil); return one() })
			first.Release()
			if _, err := next.Result(); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
			wantFree(t, &inner)
		})
	}
}

// A Timeout behind a Run is for its function, too.
func TestTimeoutOfARun(t *testing.T) {
	clk := clock.NewVirtual()
	var m lock.Mutex
	work, _ := future.New[int]()
	d := lock.Run(m.Acquire(), func() *future.Deferred[int] { return work }).Timeout(clk, time.Second)
	clk.Advance(time.Second)
	wantError(t, d, context.DeadlineExceeded)
	wantError(t, work, future.ErrCanceled)
	wantFree(t, &m)
}

// A Timeout that cancels what runs, or the wait for the lock, stays a timeout.
func TestRunTimeout(t *testing.T) {
	eachPlace(t, func(t *testing.T, on func(lease) lease, run func()) {
		var m lock.Mutex
		clk := clock.NewVirtual()
		never := func() *future.Deferred[int] { d, _ := future.New[int](); return d }
		runs := lock.Run(on(m.Acquire()), never).Timeout(clk, time.Second)
		waits := lock.Run(on(m.Acquire()), never).Timeout(clk, time.Second)
		run()
		clk.Advance(time.Second)
		run()
		for _, d := range []*future.Deferred[int]{runs, waits} {
			wantError(t, d, context.DeadlineExceeded)
			if _, err := d.Result(); errors.Is(err, future.ErrCanceled) {
				t.Errorf("failed with %v", err)
			}
		}
		wantFree(t, &m)
	})
}

// What f returns may wait for the result of Run, which then waits for itself.
func TestRunThatWaitsForItself(t *testing.T) {
	for name, inner := range map[string]func(result *future.Deferred[int]) *future.Deferred[int]{
		"itself": func(result *future.Deferred[int]) *future.Deferred[int] { return result },
		"a link": func(result *future.Deferred[int]) *future.Deferred[int] {
			return future.Then(result, func(v int) (int, error) { return v, nil })
		},
		"a gather": func(result *future.Deferred[int]) *future.Deferred[int] { return future.Any(result) },
	} {
		t.Run(name, func(t *testing.T) {
			eachPlace(t, func(t *testing.T, on func(lease) lease, run func()) {
				var m lock.Mutex
				first, _ := m.TryAcquire()
				var d *future.Deferred[int]
				d = lock.Run(on(m.Acquire()), func() *future.Deferred[int] { return inner(d) })
				first.Release()
				run()
				if _, err := d.Result(); err == nil || !strings.Contains(err.Error(), "waits for itself") {
					t.Errorf("settled with %v", err)
				}
				wantFree(t, &m)
			})
		})
	}
}
