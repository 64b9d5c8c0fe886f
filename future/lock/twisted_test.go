package lock_test

import (
	"context"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// What Twisted's own tests pin down of locks, semaphores and queues: see
// internal/house/testdata/twisted_tests.txt.

func TestPrimitivesAsInTwisted(t *testing.T) {
	t.Run("a-lock-is-handed-on-in-order", func(t *testing.T) {
		var m lock.Mutex
		a, b := m.Acquire(), m.Acquire()
		inner, res := future.New[int]()
		run := lock.Run(m.Acquire(), func() *future.Deferred[int] { return inner })
		last := m.Acquire()
		leaseOf(t, a).Release()
		leaseOf(t, b).Release()
		wantPending(t, run)
		wantPending(t, last) // run holds it until inner has settled
		res.Succeed(7)
		wantValue(t, run, 7)
		leaseOf(t, last).Release()
		wantFree(t, &m)
	})
	t.Run("cancel-of-an-acquired-lock", func(t *testing.T) {
		var m lock.Mutex
		a := m.Acquire()
		if a.Cancel(nil) {
			t.Error("it had been acquired")
		}
		if _, ok := m.TryAcquire(); ok {
			t.Error("the cancel has released it")
		}
	})
	t.Run("cancel-of-a-lock-that-waits", func(t *testing.T) {
		var m lock.Mutex
		held := leaseOf(t, m.Acquire())
		a := m.Acquire()
		a.Cancel(errCause)
		wantError(t, a, errCause)
		held.Release()
		wantFree(t, &m) // a has left the line
	})
	t.Run("a-semaphore-has-as-many-holders", func(t *testing.T) {
		s := lock.NewSemaphore(2)
		one, two := leaseOf(t, s.Acquire(1)), leaseOf(t, s.Acquire(1))
		gone, c := s.Acquire(1), s.Acquire(1)
		wantPending(t, gone, c)
		gone.Cancel(nil)
		one.Release()
		three := leaseOf(t, c)
		if s.Free() != 0 {
			t.Errorf("%d are free", s.Free())
		}
		two.Release()
		three.Release()
		if s.Free() != 2 {
			t.Errorf("%d are free", s.Free())
		}
	})
	t.Run("cancel-of-an-acquired-semaphore", func(t *testing.T) {
		s := lock.NewSemaphore(1)
		if s.Acquire(1).Cancel(nil) || s.Free() != 0 {
			t.Error("the cancel has released it")
		}
	})
	t.Run("cancel-of-a-semaphore-that-waits", func(t *testing.T) {
		s := lock.NewSemaphore(1)
		held := leaseOf(t, s.Acquire(1))
		a := s.Acquire(1)
		a.Cancel(errCause)
		wantError(t, a, errCause)
		held.Release()
		if s.Free() != 1 {
			t.Errorf("%d are free", s.Free())
		}
	})
	t.Run("a-queue-is-in-order-and-bounded", func(t *testing.T) {
		q := lock.NewQueue[int](lock.Size(2), lock.Backlog(2))
		a, b := q.Get(), q.Get()
		wantError(t, q.Get(), lock.ErrFull)
		for v := range 4 {
			if err := q.TryPut(v); err != nil {
				t.Error(err)
			}
		}
		if err := q.TryPut(4); err == nil {
			t.Error("it took a third value")
		}
		wantValue(t, a, 0)
		wantValue(t, b, 1)
		wantValue(t, q.Get(), 2)
		wantValue(t, q.Get(), 3)
	})
	t.Run("cancel-of-a-get-that-has-its-value", func(t *testing.T) {
		q := lock.NewQueue[int]()
		q.TryPut(1)
		d := q.Get()
		if d.Cancel(nil) {
			t.Error("it had its value")
		}
		wantValue(t, d, 1)
	})
	t.Run("cancel-of-a-get-that-waits", func(t *testing.T) {
		q := lock.NewQueue[int]()
		d := q.Get()
		d.Cancel(errCause)
		wantError(t, d, errCause)
		q.TryPut(1)
		wantValue(t, q.Get(), 1)
	})
}

// A with statement is a coroutine with a deferred Release.
func TestCoroutinesAsInTwisted(t *testing.T) {
	with := func(t *testing.T, s *lock.Semaphore, f func(ctx context.Context) (int, error)) (*future.Deferred[int], func(time.Duration)) {
		r, clk := futuretest.New(t)
		return future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
			lease, err := s.Acquire(1).Await(ctx)
			if err != nil {
				return 0, err
			}
			defer lease.Release()
			future.After(r, time.Second, 0).Await(ctx)
			return f(ctx)
		}), clk.Advance
	}
	t.Run("async-with-lock", func(t *testing.T) {
		s := lock.NewSemaphore(1)
		d, advance := with(t, s, func(context.Context) (int, error) { return 5, nil })
		advance(0)
		if s.Free() != 0 {
			t.Error("it is not held within")
		}
		advance(time.Second)
		wantValue(t, d, 5)
		if s.Free() != 1 {
			t.Error("it is held behind")
		}
	})
	t.Run("async-with-semaphore", func(t *testing.T) {
		s := lock.NewSemaphore(3)
		d, advance := with(t, s, func(ctx context.Context) (int, error) {
			inner, err := s.Acquire(1).Await(ctx)
			if err != nil {
				return 0, err
			}
			defer inner.Release()
			return s.Free(), nil
		})
		advance(0)
		if s.Free() != 2 {
			t.Errorf("%d are free with one held", s.Free())
		}
		advance(time.Second)
		wantValue(t, d, 1)
		if s.Free() != 3 {
			t.Errorf("%d are free behind", s.Free())
		}
	})
	t.Run("async-with-lock-that-fails", func(t *testing.T) {
		s := lock.NewSemaphore(1)
		d, advance := with(t, s, func(context.Context) (int, error) { return 0, errCause })
		advance(time.Second)
		wantError(t, d, errCause)
		if s.Free() != 1 {
			t.Error("it is held behind")
		}
	})
}
