package lock_test

import (
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

func TestSemaphore(t *testing.T) {
	s := lock.NewSemaphore(3)
	a, b := leaseOf(t, s.Acquire(2)), leaseOf(t, s.Acquire(1))
	if s.Free() != 0 {
		t.Errorf("%d are free", s.Free())
	}
	c := s.Acquire(1)
	wantPending(t, c)
	a.Release()
	if s.Free() != 1 {
		t.Errorf("%d are free", s.Free())
	}
	b.Release()
	leaseOf(t, c).Release()
	if s.Free() != 3 {
		t.Errorf("%d are free", s.Free())
	}
	var zero lock.Semaphore
	leaseOf(t, zero.Acquire(1)).Release()
}

// Lighter ones do not overtake a heavy one that waits, so it gets its turn.
func TestHeavyWaiterIsNotOvertaken(t *testing.T) {
	s := lock.NewSemaphore(3)
	held, _ := s.TryAcquire(1)
	heavy, light := s.Acquire(3), s.Acquire(1)
	wantPending(t, heavy, light)
	if _, ok := s.TryAcquire(1); ok || s.Free() != 2 {
		t.Errorf("barged: %v, %d are free", ok, s.Free())
	}
	held.Release()
	wantPending(t, light)
	leaseOf(t, heavy).Release()
	leaseOf(t, light).Release()
}

// When a heavy one at the head leaves, those behind it are served within the
// Cancel, before that of the heavy one is seen.
func TestCanceledHeadLetsOthersPass(t *testing.T) {
	s := lock.NewSemaphore(3)
	held, _ := s.TryAcquire(1)
	var j journal
	heavy := s.Acquire(3).Catch(func(err error) (lock.Lease, error) {
		j.add("heavy: %s", errText(err))
		return lock.Lease{}, err
	})
	for range 2 {
		future.Then(s.Acquire(1), func(lock.Lease) (int, error) { j.add("light"); return 0, nil })
	}
	j.add("cancel")
	heavy.Cancel(nil)
	j.want(t, "cancel", "light", "light", "heavy: canceled")
	held.Release()
	if s.Free() != 1 {
		t.Errorf("%d are free", s.Free())
	}
}

// A waiter that a callback of the same hand-over cancels gets nothing.
func TestCancelDuringHandOver(t *testing.T) {
	s := lock.NewSemaphore(2)
	held, _ := s.TryAcquire(2)
	var b lease
	a := future.Then(s.Acquire(1), func(lock.Lease) (int, error) { b.Cancel(errCause); return 0, nil })
	b = s.Acquire(1)
	c := s.Acquire(1)
	held.Release()
	wantValue(t, a, 0)
	wantError(t, b, errCause)
	leaseOf(t, c).Release()
	if s.Free() != 1 {
		t.Errorf("%d are free", s.Free())
	}
}
