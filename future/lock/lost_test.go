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

// A rush leaves no room behind.
func TestIdleLocksAndQueuesAreSmall(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 100_000
	before := heap()
	var m lock.Mutex
	first, _ := m.TryAcquire()
	for range n {
		lock.Run(m.Acquire(), one)
	}
	first.Release()
	q := lock.NewQueue[[8]int]()
	for range n {
		q.TryPut([8]int{})
	}
	for q.Len() > 1 {
		q.Get()
	}
	if grown := int64(heap() - before); grown > 1<<19 {
		t.Errorf("%d bytes are left", grown)
	}
	runtime.KeepAlive(&m)
	runtime.KeepAlive(q)
}
