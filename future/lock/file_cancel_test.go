package lock_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// One that waits for a lock that stays held fails when its time is up, and what
// it had on the clock is gone.
func TestFileTimeout(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	held := taken(t, path)
	d := lock.NewFile(r, path).Acquire().Timeout(r, 5500*time.Millisecond)
	clk.Advance(5500*time.Millisecond - 1)
	futuretest.Pending(t, d)
	wantTimers(t, clk, 2)
	clk.Advance(1)
	if err := futuretest.Failure(t, d); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	wantTimers(t, clk, 0)
	held.Release()
	taken(t, path).Release()
}

// A cancel ends the wait, and leaves nothing on the clock.
func TestFileCancel(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, c := range []struct {
		name  string
		limit func(*future.Deferred[lock.Lease], *reactor.Reactor) *future.Deferred[lock.Lease]
	}{
		{"without a timeout", func(d *future.Deferred[lock.Lease], r *reactor.Reactor) *future.Deferred[lock.Lease] { return d }},
		{"with a timeout", func(d *future.Deferred[lock.Lease], r *reactor.Reactor) *future.Deferred[lock.Lease] {
			return d.Timeout(r, time.Minute)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, clk := futuretest.New(t)
			path := lockPath(t)
			held := taken(t, path)
			d := c.limit(lock.NewFile(r, path).Acquire(), r)
			clk.Advance(time.Second)
			if !d.Cancel(stop) {
				t.Error("it was not pending")
			}
			if err := futuretest.Failure(t, d); !errors.Is(err, future.ErrCanceled) || !errors.Is(err, stop) {
				t.Error(err)
			}
			wantTimers(t, clk, 0)
			held.Release()
			taken(t, path).Release()
		})
	}
}

// Where one in line leaves, the next one tries at once, and polls on if it is
// the first.
func TestFileCancelInLine(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	held := taken(t, path)
	f := lock.NewFile(r, path)
	var line []*future.Deferred[lock.Lease]
	for range 4 {
		line = append(line, f.Acquire())
	}
	clk.Advance(50 * time.Millisecond)
	line[0].Cancel(nil)
	wantTimers(t, clk, 1)
	line[2].Cancel(nil)
	wantTimers(t, clk, 1)
	clk.Advance(time.Second)
	futuretest.Pending(t, line[1])

	held.Release()
	line[1].Cancel(nil)
	lease := futuretest.Success(t, line[3]) // 0, 1 and 2 have left
	wantTimers(t, clk, 0)
	lease.Release()
	taken(t, path).Release()
}

// A lease that was granted reaches the callback that waits for it, though a
// cancel comes before that runs.
func TestFileCancelAfterTheGrant(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	for _, wait := range []bool{false, true} {
		var held lock.Lease
		if wait {
			held = taken(t, path)
		}
		runs := 0
		d := future.Then(lock.NewFile(r, path).Acquire(), func(l lock.Lease) (int, error) {
			runs++
			l.Release()
			return 1, nil
		})
		if wait {
			held.Release()
			clk.CallLater(100*time.Millisecond, func() { d.Cancel(nil) }) // after the poll, before its callback
			clk.Advance(100 * time.Millisecond)
		} else {
			d.Cancel(nil)
		}
		futuretest.Equal(t, d, 1)
		if runs != 1 {
			t.Errorf("the callback ran %d times", runs)
		}
		taken(t, path).Release()
	}
}

// A lateClock is one whose only delayed call the test makes, also after it was
// stopped, as it happens when a timer fires on another goroutine at that moment.
type lateClock struct {
	clock.Clock
	f       func()
	stopped func()
	resets  int
}

func (c *lateClock) CallLater(_ time.Duration, f func()) clock.Timer {
	c.f = f
	return c
}

func (c *lateClock) Stop() bool {
	c.stopped()
	return false
}

func (c *lateClock) Reset(time.Duration) bool {
	c.resets++
	return false
}

// A try that comes after the cancel changes nothing.
func TestFileTryAfterCancel(t *testing.T) {
	t.Parallel()
	for _, free := range []bool{true, false} {
		c := &lateClock{Clock: clock.System(), stopped: func() {}}
		path := lockPath(t)
		held := taken(t, path)
		d := lock.NewFile(c, path).Acquire()
		c.f()
		if c.resets != 1 {
			t.Errorf("the timer was set again %d times", c.resets)
		}
		d.Cancel(nil)
		if free {
			held.Release()
		}
		c.f()
		if err := futuretest.Failure(t, d); !errors.Is(err, future.ErrCanceled) {
			t.Error(err)
		}
		if c.resets != 1 {
			t.Error("the timer of a wait that is over was set again")
		}
		if !free {
			held.Release()
		}
		taken(t, path).Release()
	}
}

// A cancel that comes when the file is locked already, but nobody knows so yet,
// frees it.
func TestFileCancelDuringTheGrant(t *testing.T) {
	t.Parallel()
	c := &lateClock{Clock: clock.System()}
	path := lockPath(t)
	held := taken(t, path)
	f := lock.NewFile(c, path)
	d, next := f.Acquire(), f.Acquire()
	c.stopped = func() { d.Cancel(nil) }
	held.Release()
	c.f()
	if err := futuretest.Failure(t, d); !errors.Is(err, future.ErrCanceled) {
		t.Error(err)
	}
	futuretest.Success(t, next).Release()
	taken(t, path).Release()
}

// A coroutine that waits for a file and is canceled leaves nothing behind.
func TestFileInACoroutine(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	f := lock.NewFile(r, path)
	work := func() *future.Deferred[int] {
		return future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
			lease, err := f.Acquire().Await(ctx)
			if err != nil {
				return 0, err
			}
			defer lease.Release()
			return future.After(r, time.Second, 1).Await(ctx)
		})
	}
	first, second := work(), work()
	clk.Advance(time.Second)
	futuretest.Equal(t, first, 1)
	futuretest.Pending(t, second)
	clk.Advance(time.Second)
	futuretest.Equal(t, second, 1)

	held := taken(t, path)
	third := work()
	clk.Advance(time.Second)
	third.Cancel(nil)
	if err := futuretest.Failure(t, third); !errors.Is(err, future.ErrCanceled) {
		t.Error(err)
	}
	wantTimers(t, clk, 0)
	held.Release()
	taken(t, path).Release()
}

// Where a cancel and a grant meet, on two goroutines, the lock is with the
// Deferred or free.
func TestFileCancelRaces(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	var granted, canceled int
	for i := range 500 {
		clk := clock.NewVirtual()
		f := lock.NewFile(clk, path)
		held := taken(t, path)
		if i%2 == 0 { // the release hands over
			held.Release()
			var err error
			if held, err = f.TryAcquire(); err != nil {
				t.Fatal(err)
			}
		}
		d, next := f.Acquire(), f.Acquire()
		var both sync.WaitGroup
		both.Go(func() {
			held.Release()
			clk.Advance(100 * time.Millisecond)
		})
		both.Go(func() {
			if i%4 > 1 {
				runtime.Gosched()
			}
			d.Cancel(nil)
		})
		both.Wait()
		if lease, err := d.Result(); err == nil {
			granted++
			lease.Release()
		} else {
			canceled++
		}
		clk.Advance(100 * time.Millisecond)
		futuretest.Success(t, next).Release()
		wantTimers(t, clk, 0)
		taken(t, path).Release()
	}
	t.Logf("granted %d, canceled %d", granted, canceled)
}
