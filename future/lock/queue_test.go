package lock_test

import (
	"slices"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

func TestQueue(t *testing.T) {
	q := lock.NewQueue[int]()
	a, b, c := q.Get(), q.Get(), q.Get()
	b.Cancel(errCause)
	for v := range 4 {
		if err := q.TryPut(v); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, a, 0)
	wantError(t, b, errCause)
	wantValue(t, c, 1)
	if q.Len() != 2 {
		t.Errorf("%d are stored", q.Len())
	}
	d := q.Get()
	wantValue(t, d, 2)
	if d.Cancel(nil) {
		t.Error("it had its value")
	}
	if got := q.Drain(); !slices.Equal(got, []int{3}) || q.Len() != 0 {
		t.Errorf("drained %v, %d are left", got, q.Len())
	}
	if got := q.Drain(); len(got) != 0 {
		t.Errorf("drained %v", got)
	}
	var zero lock.Queue[string]
	zero.TryPut("x")
	wantValue(t, zero.Get(), "x")
}

// A queue that stores nothing still serves those who wait, on both sides.
func TestQueueThatStoresNothing(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(0))
	a := q.Get()
	wantValue(t, q.Put(1), struct{}{})
	wantValue(t, a, 1)
	two, three := q.Put(2), q.Put(3)
	wantPending(t, two, three)
	if got := q.Drain(); len(got) != 0 {
		t.Errorf("drained %v", got)
	}
	wantPending(t, two, three)
	wantValue(t, q.Get(), 2)
	wantValue(t, two, struct{}{})
	wantPending(t, three)
	three.Cancel(nil)
	wantPending(t, q.Get())
}

// Room goes to the Puts that wait for it, in order, also if a later one or a
// TryPut comes before a callback of theirs has run.
func TestRoomIsGivenInOrder(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(2))
	var j journal
	q.TryPut(1)
	q.TryPut(2)
	for _, v := range []int{3, 4, 5} {
		future.Then(q.Put(v), func(struct{}) (int, error) {
			j.add("put %d, another: %v", v, q.TryPut(10*v) == nil)
			return 0, nil
		})
	}
	j.add("drained %v", q.Drain())
	j.add("drained %v", q.Drain())
	j.add("drained %v", q.Drain())
	j.want(t, "put 3, another: false", "put 4, another: false", "drained [1 2]",
		"put 5, another: true", "drained [3 4]", "drained [5 50]")
}

// A Put within the callback of a Get serves the next Get when that callback has
// returned, before the Put that began it returns.
func TestPutInACallback(t *testing.T) {
	q := lock.NewQueue[int]()
	var j journal
	future.Then(q.Get(), func(v int) (int, error) {
		j.add("first got %d", v)
		q.TryPut(2)
		j.add("first has put, %d stored", q.Len())
		return 0, nil
	})
	future.Then(q.Get(), func(v int) (int, error) { j.add("second got %d", v); return 0, nil })
	q.TryPut(1)
	j.add("put")
	j.want(t, "first got 1", "first has put, 0 stored", "second got 2", "put")
}

// A Put whose value has gone in is not undone by a Cancel that comes before it
// was told so.
func TestCancelOfAnAdmittedPut(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(2))
	q.TryPut(1)
	q.TryPut(2)
	var second *future.Deferred[struct{}]
	canceled := false
	future.Then(q.Put(3), func(struct{}) (int, error) { canceled = second.Cancel(nil); return 0, nil })
	second = q.Put(4)
	q.Drain()
	if !canceled {
		t.Error("it was not pending")
	}
	wantValue(t, second, struct{}{})
	if got := q.Drain(); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("drained %v", got)
	}
}

// A value that was let in for a Get is stored, even over the size, if that is
// canceled before it was served.
func TestCancelOfAGetThatIsOwed(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(0))
	var second *future.Deferred[int]
	future.Then(q.Get(), func(int) (int, error) {
		if err := q.TryPut(2); err != nil {
			t.Error(err)
		}
		second.Cancel(errCause)
		return 0, nil
	})
	second = q.Get()
	q.TryPut(1)
	wantError(t, second, errCause)
	if q.Len() != 1 || q.TryPut(3) == nil {
		t.Errorf("%d are stored", q.Len())
	}
	wantValue(t, q.Get(), 2)
}

func TestClose(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(1))
	wantValue(t, q.Put(1), struct{}{})
	put := q.Put(2)
	q.Close()
	wantError(t, put, lock.ErrClosed)
	wantValue(t, q.Get(), 1)
	wantError(t, q.Get(), lock.ErrClosed)
	q.Close()

	r := lock.NewQueue[int]()
	var j journal
	for i := range 2 {
		r.Get().Catch(func(err error) (int, error) {
			j.add("%d: %v, and to put: %v", i, err == lock.ErrClosed, r.TryPut(1) == lock.ErrClosed)
			return 0, nil
		})
	}
	r.Close()
	j.want(t, "0: true, and to put: true", "1: true, and to put: true")
}

// A Close within a hand-over does not take away what had been put before.
func TestCloseInACallback(t *testing.T) {
	q := lock.NewQueue[int]()
	future.Then(q.Get(), func(int) (int, error) {
		q.TryPut(2)
		q.Close()
		return 0, nil
	})
	second, third := q.Get(), q.Get()
	q.TryPut(1)
	wantValue(t, second, 2)
	wantError(t, third, lock.ErrClosed)
}

// A Drain within a hand-over leaves what is on its way to Gets that wait.
func TestDrainInACallback(t *testing.T) {
	q := lock.NewQueue[int]()
	var drained []int
	future.Then(q.Get(), func(int) (int, error) {
		for v := range 3 {
			q.TryPut(v)
		}
		drained = q.Drain()
		return 0, nil
	})
	second := q.Get()
	q.TryPut(-1)
	wantValue(t, second, 0)
	if !slices.Equal(drained, []int{1, 2}) || q.Len() != 0 {
		t.Errorf("drained %v, %d are stored", drained, q.Len())
	}
}

// The waits that a Backlog allows are counted without those that are served
// already.
func TestBacklog(t *testing.T) {
	q := lock.NewQueue[int](lock.Backlog(1))
	a := q.Get()
	wantError(t, q.Get(), lock.ErrFull)
	a.Cancel(nil)
	var inside *future.Deferred[int]
	future.Then(q.Get(), func(int) (int, error) {
		wantPending(t, q.Get())
		q.TryPut(2)
		inside = q.Get()
		return 0, nil
	})
	q.TryPut(1)
	wantPending(t, inside)
	wantError(t, q.Get(), lock.ErrFull)
	q.TryPut(3)
	wantValue(t, inside, 3)
}

// Puts that wait at Close do not go in any more, also if there is room before
// they have been told.
func TestCloseBeforePutsAreTold(t *testing.T) {
	q := lock.NewQueue[int](lock.Size(1))
	q.TryPut(1)
	var drained []int
	future.Then(q.Put(2), func(struct{}) (int, error) {
		q.Close()
		drained = q.Drain()
		return 0, nil
	})
	third := q.Put(3)
	wantValue(t, q.Get(), 1)
	wantError(t, third, lock.ErrClosed)
	if !slices.Equal(drained, []int{2}) || q.Len() != 0 {
		t.Errorf("drained %v, %d are stored", drained, q.Len())
	}
}

// What was granted is delivered, when the cancel comes before the callback has
// run: a lease or a value that had to be waited for, and one that was there.
func TestCancelInTheTurnOfTheGrant(t *testing.T) {
	r, clk := futuretest.New(t)
	var m lock.Mutex
	q := lock.NewQueue[int]()
	waits := future.Then(q.Get().On(r), inc)
	clk.Advance(0)
	q.TryPut(1)
	q.TryPut(2)
	there := future.Then(q.Get().On(r), inc)
	free := future.Then(m.Acquire().On(r), func(l lock.Lease) (int, error) { l.Release(); return 1, nil })
	for _, d := range []*future.Deferred[int]{waits, there, free} {
		if !d.Cancel(errCause) {
			t.Error("it was not pending")
		}
	}
	clk.Advance(0)
	wantValue(t, waits, 2)
	wantValue(t, there, 3)
	wantFree(t, &m)
}
