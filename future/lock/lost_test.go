package lock_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// Ways in which a permit or a value could get lost, and does not.

func one() *future.Deferred[int] { return future.Succeed(1) }

// A reactor that stops ends waits that go by way of it: they leave the line.
func TestWaitsOnAStoppedReactorLeaveTheLine(t *testing.T) {
	for name, wait := range map[string]func(r *reactor.Reactor, m *lock.Mutex){
		"Timeout": func(r *reactor.Reactor, m *lock.Mutex) { lock.Run(m.Acquire().Timeout(r, time.Second), one) },
		"Done":    func(r *reactor.Reactor, m *lock.Mutex) { d := m.Acquire().On(r); d.Done(); lock.Run(d, one) },
		"behind others": func(r *reactor.Reactor, m *lock.Mutex) {
			lock.Run(m.Acquire().Catch(nil0).Timeout(r, time.Second), one)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := reactor.New(clock.NewVirtual())
			var m lock.Mutex
			first, _ := m.TryAcquire()
			wait(r, &m)
			r.Stop()
			first.Release()
			wantFree(t, &m)
		})
	}
	t.Run("a value", func(t *testing.T) {
		r := reactor.New(clock.NewVirtual())
		q := lock.NewQueue[int]()
		d := q.Get().Timeout(r, time.Second)
		r.Stop()
		wantError(t, d, reactor.ErrStopped)
		q.TryPut(1)
		if q.Len() != 1 {
			t.Error("the value is lost")
		}
	})
}

// A Hold ends with a Cancel, but what has been granted is not lost.
func TestHeldLeaseIsNotLost(t *testing.T) {
	var m lock.Mutex
	first, _ := m.TryAcquire()
	held, release := m.Acquire().Hold()
	d := lock.Run(held, one)
	first.Release()
	d.Cancel(nil)
	release()
	wantValue(t, d, 1)
	wantFree(t, &m)
}

// What was put is told, also to who cancels in that turn.
func TestPutThatHasRoomIsTold(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	q := lock.NewQueue[int](lock.Size(1))
	d := future.Then(q.Put(7).On(r), func(struct{}) (string, error) { return "put", nil })
	d.Cancel(nil)
	clk.Advance(0)
	wantValue(t, d, "put")
}

// An Await that must not block panics, and leaves the line first.
func TestAwaitThatPanicsLeavesTheLine(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	var m lock.Mutex
	first, _ := m.TryAcquire()
	d := future.Then(future.After(r, 0, 0), func(int) (int, error) {
		m.Acquire().Await(context.Background())
		return 0, nil
	})
	clk.Advance(0)
	if _, err := d.Result(); err == nil || !strings.Contains(err.Error(), "would block the loop") {
		t.Errorf("got %v", err)
	}
	first.Release()
	wantFree(t, &m)
}

// A reactor stops under a Timeout of a wait. What the callbacks of that put or
// release goes to others, for it waits no more.
func TestStopUnderATimeoutLeavesTheLineFirst(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	q := lock.NewQueue[int]()
	var m lock.Mutex
	lease, _ := m.TryAcquire()
	q.Get().Timeout(r, time.Second).Catch(func(err error) (int, error) {
		q.TryPut(7)
		return 0, nil
	})
	m.Acquire().Timeout(r, time.Second).Catch(func(err error) (lock.Lease, error) {
		lease.Release()
		return lock.Lease{}, nil
	})
	r.Stop()
	if n := q.Len(); n != 1 {
		t.Errorf("%d values are stored", n)
	}
	wantFree(t, &m)
}
