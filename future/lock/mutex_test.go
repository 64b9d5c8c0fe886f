package lock_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"pgregory.net/rapid"
)

func TestMutex(t *testing.T) {
	var m lock.Mutex
	first, ok := m.TryAcquire()
	if !ok {
		t.Fatal("the zero Mutex is locked")
	}
	a, b, c := m.Acquire(), m.Acquire(), m.Acquire()
	wantPending(t, a, b, c)
	if _, ok := m.TryAcquire(); ok {
		t.Error("a second holder")
	}
	if !b.Cancel(errCause) {
		t.Error("it was pending")
	}
	wantError(t, b, errCause)
	first.Release()
	wantPending(t, c)
	leaseOf(t, a).Release()
	last := leaseOf(t, c)
	if c.Cancel(nil) {
		t.Error("it had been granted")
	}
	if _, ok := m.TryAcquire(); ok {
		t.Error("a cancel that came too late has released")
	}
	last.Release()
	leaseOf(t, m.Acquire()).Release()
}

// The permit goes straight to who waits longest, within Release: there is no
// moment in which another could take it.
func TestHandOverIsWithinRelease(t *testing.T) {
	var m lock.Mutex
	var j journal
	held, _ := m.TryAcquire()
	for _, name := range []string{"a", "b"} {
		future.Then(m.Acquire(), func(l lock.Lease) (int, error) {
			_, barged := m.TryAcquire()
			j.add("%s, barged %v", name, barged)
			l.Release()
			j.add("%s has released", name)
			return 0, nil
		})
	}
	j.add("release")
	held.Release()
	j.add("released")
	j.want(t, "release", "a, barged false", "a has released", "b, barged false", "b has released", "released")
}

// While a hand-over is in progress, a Release on another goroutine returns at
// once, and the loop that runs hands over what it gave.
func TestReleaseDuringHandOver(t *testing.T) {
	s := lock.NewSemaphore(2)
	one, _ := s.TryAcquire(1)
	two, _ := s.TryAcquire(1)
	var j journal
	future.Then(s.Acquire(1), func(lock.Lease) (int, error) {
		onGoroutine(two.Release)
		j.add("first, %d free", s.Free())
		return 0, nil
	})
	second := future.Then(s.Acquire(1), func(lock.Lease) (int, error) {
		j.add("second")
		return 0, nil
	})
	one.Release()
	wantValue(t, second, 0)
	j.want(t, "first, 1 free", "second")
}

// Neither waiters released by callbacks nor by Run need a stack that grows with
// their number, also if the callbacks cancel, and a queue is no different.
func TestDeepHandOver(t *testing.T) {
	const n = 1_000_000 / (1 + 19*underRace)
	withSmallStack(func() {
		for _, c := range []struct {
			name string
			wait func(m *lock.Mutex, count *int)
		}{
			{"Release in callbacks", func(m *lock.Mutex, count *int) {
				future.Then(m.Acquire(), func(l lock.Lease) (int, error) { *count++; l.Release(); return 0, nil })
			}},
			{"Run", func(m *lock.Mutex, count *int) {
				lock.Run(m.Acquire(), func() *future.Deferred[int] { *count++; return future.Succeed(1) })
			}},
		} {
			var m lock.Mutex
			count := 0
			held, _ := m.TryAcquire()
			for range n {
				c.wait(&m, &count)
			}
			held.Release()
			if count != n {
				t.Errorf("%s: %d of %d ran", c.name, count, n)
			}
		}
	})
}

func TestDeepQueue(t *testing.T) {
	const n = 1_000_000 / (1 + 19*underRace)
	withSmallStack(func() {
		count := 0
		gets := lock.NewQueue[int]()
		for range n {
			future.Then(gets.Get(), func(v int) (int, error) { count++; return 0, gets.TryPut(v + 1) })
		}
		gets.TryPut(1)
		if v := gets.Drain(); count != n || len(v) != 1 || v[0] != n+1 {
			t.Errorf("%d of %d ran, %v is left", count, n, v)
		}
		puts := lock.NewQueue[int](lock.Size(1))
		count = 0
		puts.TryPut(0)
		for range n {
			future.Then(puts.Put(1), func(struct{}) (int, error) { count++; puts.Get(); return 0, nil })
		}
		puts.Drain()
		if count != n || puts.Len() != 0 {
			t.Errorf("%d of %d were put, %d are left", count, n, puts.Len())
		}
	})
}

// A heavy waiter that a million lighter ones wait behind: its cancel serves them.
func TestDeepCancel(t *testing.T) {
	const n = 100_000 / (1 + 9*underRace)
	s := lock.NewSemaphore(2)
	s.TryAcquire(1)
	heavy := s.Acquire(2)
	count := 0
	for range n {
		future.Then(s.Acquire(1), func(l lock.Lease) (int, error) { count++; l.Release(); return 0, nil })
	}
	withSmallStack(func() { heavy.Cancel(nil) })
	if count != n {
		t.Errorf("%d of %d ran", count, n)
	}
}

// What ends a callback keeps nobody else from being served.
func TestHandOverSurvives(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func()
		is   error
	}{
		{"panic", func() { panic("no") }, failure.ErrPanic},
		{"Goexit", runtime.Goexit, failure.ErrGoexit},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m lock.Mutex
			held, _ := m.TryAcquire()
			var failed []*future.Deferred[int]
			for range 3 {
				failed = append(failed, future.Then(m.Acquire(), func(l lock.Lease) (int, error) {
					l.Release()
					c.f()
					return 0, nil
				}))
			}
			last := m.Acquire()
			onGoroutine(held.Release)
			for _, d := range failed {
				wantError(t, d, c.is)
			}
			leaseOf(t, last).Release()
			leaseOf(t, m.Acquire()).Release() // the loop has come to its end
		})
	}
}

// A panic that steers a property tester goes on its way, and keeps nobody else
// from being served.
func TestHandOverSurvivesAPropertyTester(t *testing.T) {
	runs := 0
	rapid.Check(fake{t}, func(rt *rapid.T) {
		var m lock.Mutex
		held, _ := m.TryAcquire()
		for range 2 {
			future.Then(m.Acquire(), func(l lock.Lease) (int, error) {
				l.Release()
				rt.Skip()
				return 0, nil
			})
		}
		last := m.Acquire()
		defer func() {
			runs++
			leaseOf(t, last).Release()
			leaseOf(t, m.Acquire()).Release()
		}()
		held.Release()
		t.Error("Skip has returned")
	})
	if runs == 0 {
		t.Error("the property has not run")
	}
}

// A fake is a test that need not fail when its property skips too often.
type fake struct{ rapid.TB }

func (fake) Name() string          { return "fake" }
func (fake) Logf(string, ...any)   {}
func (fake) Errorf(string, ...any) {}
func (fake) Fatalf(string, ...any) {}
func (fake) FailNow()              {}

// A canceller that was held up until its waiter stands for another Deferred
// does that no harm, and leaves it one that works.
func TestLateCanceller(t *testing.T) {
	var m lock.Mutex
	held, _ := m.TryAcquire()
	a := m.Acquire()
	late, leave := lock.CancellerOf(&m), lock.LeaverOf(&m)
	isLate := func() {
		late(errCause)
		leave()
	}
	future.Then(a, func(lock.Lease) (int, error) { isLate(); return 0, nil }) // it is served, and not forgotten
	held.Release()
	isLate() // unused
	held = leaseOf(t, a)
	for range 2 { // it stands for another
		b, c := m.Acquire(), m.Acquire()
		isLate()
		wantPending(t, b, c)
		held.Release()
		leaseOf(t, b).Release()
		held = leaseOf(t, c)
	}
	b, c := m.Acquire(), m.Acquire()
	isLate()
	b.Cancel(errCause)
	wantError(t, b, errCause)
	if n := lock.InLine(&m); n != 1 {
		t.Errorf("%d are in line, want the other one", n)
	}
	held.Release()
	leaseOf(t, c).Release()
	wantFree(t, &m)
}

// The wait is bounded by a Timeout, and by a context.
func TestBoundedWait(t *testing.T) {
	var m lock.Mutex
	clk := clock.NewVirtual()
	held, _ := m.TryAcquire()
	ctx, cancel := context.WithCancel(context.Background())
	late := m.Acquire().Timeout(clk, time.Second)
	ended := m.Acquire().WithContext(ctx)
	canceled := make(chan struct{})
	ended.Finally(func() error { close(canceled); return nil })
	clk.Advance(time.Second)
	cancel()
	<-canceled
	wantError(t, late, context.DeadlineExceeded)
	wantError(t, ended, context.Canceled)
	held.Release()
	held, ok := m.TryAcquire()
	if !ok {
		t.Fatal("one who has left got the lease")
	}
	inTime := m.Acquire().Timeout(clk, time.Second)
	held.Release()
	clk.Advance(time.Hour)
	leaseOf(t, inTime).Release()
}

// An Await that gives up leaves the line, if nobody else is interested, and returns
// what has come all the same.
func TestAwait(t *testing.T) {
	var m lock.Mutex
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	if l, err := m.Acquire().Await(ended); err != nil {
		t.Errorf("it was free: %v", err)
	} else {
		defer l.Release()
	}
	d := m.Acquire()
	if l, err := d.Await(ended); l != (lock.Lease{}) || !errors.Is(err, errCause) || !errors.Is(err, context.Canceled) || errors.Is(err, future.ErrCanceled) {
		t.Errorf("got (%v, %v)", l, err)
	}
	wantError(t, d, errCause)

	// Also by way of others, and of all inputs of a gather.
	d, e := m.Acquire(), m.Acquire()
	future.All(d.Shield().Catch(nil0), e.Catch(nil0)).Await(ended)
	wantPending(t, d) // the shield stops it
	wantError(t, e, errCause)

	// Others are still interested.
	f := m.Acquire()
	other := future.Then(f, func(l lock.Lease) (lock.Lease, error) { return l, nil })
	f.Await(ended)
	wantPending(t, other)
	other.Await(ended)
	wantError(t, f, errCause)

	// What is not package lock's is only waited for.
	pending, _ := future.New[int]()
	pending.Await(ended)
	wantPending(t, pending)
}

func nil0(err error) (lock.Lease, error) { return lock.Lease{}, err }
