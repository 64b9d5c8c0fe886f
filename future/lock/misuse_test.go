package lock_test

import (
	"errors"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// What is wrong at the call panics there, and says what to do.
func TestMisuse(t *testing.T) {
	s := lock.NewSemaphore(3)
	one := func() *future.Deferred[int] { return future.Succeed(1) }
	var released lock.Mutex
	again, _ := released.TryAcquire()
	again.Release()
	renewed, _ := released.TryAcquire() // the same hold stands for another lease now
	copied, _ := s.TryAcquire(1)
	for _, c := range []struct {
		name string
		f    func()
		text string
	}{
		{"no permits", func() { lock.NewSemaphore(0) },
			"lock: NewSemaphore(0): without a permit nothing could ever be acquired: give it at least one"},
		{"weight 0", func() { s.Acquire(0) },
			"lock: Acquire(0): there is nothing to hold: ask for at least one permit"},
		{"weight below 0", func() { s.TryAcquire(-1) },
			"lock: TryAcquire(-1): there is nothing to hold: ask for at least one permit"},
		{"too heavy", func() { s.Acquire(4) },
			"lock: Acquire(4): the semaphore has 3 in all, so this could never be granted: ask for less, or make it larger"},
		{"too heavy to try", func() { s.TryAcquire(4) },
			"lock: TryAcquire(4): the semaphore has 3 in all, so this could never be granted: ask for less, or make it larger"},
		{"zero Lease", func() { lock.Lease{}.Release() },
			"lock: Release: a zero Lease is releasing what is not held: use the one that Acquire or TryAcquire gave, if it gave one"},
		{"released twice", again.Release,
			"lock: Release: this lease has been released before: release each once, by a defer or by Run"},
		{"a copy", func() { other := copied; copied.Release(); other.Release() },
			"lock: Release: this lease has been released before: release each once, by a defer or by Run"},
		{"Run of nothing", func() { lock.Run(nil, one) },
			"lock: Run: nil *Deferred: give it what Acquire returned"},
		{"Run without function", func() { lock.Run[int](future.Succeed(lock.Lease{}), nil) },
			"lock: Run: nil function: there is nothing to call"},
		{"Run without function, with a lease", func() { lock.Run[int](s.Acquire(1), nil) }, "lock: Run: nil function: there is nothing to call"},
		{"Run without function, in line", func() {
			rest, _ := s.TryAcquire(s.Free())
			defer rest.Release()
			lock.Run[int](s.Acquire(1), nil)
		}, "lock: Run: nil function: there is nothing to call"},
		{"Size", func() { lock.Size(-1) },
			"lock: Size below 0: 0 stores nothing; leave the option out for no limit"},
		{"Backlog", func() { lock.Backlog(-1) },
			"lock: Backlog below 0: with 0 no Get may wait; leave the option out for no limit"},
	} {
		t.Run(c.name, func(t *testing.T) { mustPanic(t, c.f, c.text) })
	}
	if s.Free() != 3 {
		t.Errorf("%d of 3 permits are free", s.Free())
	}
	if _, ok := released.TryAcquire(); ok {
		t.Error("an old lease has released a new one")
	}
	renewed.Release()
}

// What the world brings is an error.
func TestErrors(t *testing.T) {
	full := lock.NewQueue[int](lock.Size(1), lock.Backlog(0))
	full.TryPut(1)
	crowded := lock.NewQueue[int](lock.Backlog(2))
	crowded.Get()
	crowded.Get()
	closed := lock.NewQueue[int]()
	closed.Close()
	get := func(q *lock.Queue[int]) error {
		_, err := q.Get().Result()
		return err
	}
	put := func(q *lock.Queue[int]) error {
		_, err := q.Put(1).Result()
		return err
	}
	for _, c := range []struct {
		name    string
		err, is error
		text    string
	}{
		{"no room", full.TryPut(2), lock.ErrFull, "lock: full: the queue stores no more than 1"},
		{"room for nothing", lock.NewQueue[int](lock.Size(0)).TryPut(2), lock.ErrFull, "lock: full: the queue stores no more than 0"},
		{"too many wait", get(crowded), lock.ErrFull, "lock: full: no more than 2 may wait to get"},
		{"none may wait", get(lock.NewQueue[int](lock.Backlog(0))), lock.ErrFull, "lock: full: no more than 0 may wait to get"},
		{"TryPut after Close", closed.TryPut(1), lock.ErrClosed, "lock: the queue is closed"},
		{"Put after Close", put(closed), lock.ErrClosed, "lock: the queue is closed"},
		{"Get after Close", get(closed), lock.ErrClosed, "lock: the queue is closed"},
	} {
		if c.err == nil || !errors.Is(c.err, c.is) || c.err.Error() != c.text {
			t.Errorf("%s: %v, want %q, which matches %v", c.name, c.err, c.text, c.is)
		}
	}
	if errors.Is(full.TryPut(2), lock.ErrClosed) || errors.Is(closed.TryPut(1), lock.ErrFull) {
		t.Error("full and closed are not the same")
	}
}
