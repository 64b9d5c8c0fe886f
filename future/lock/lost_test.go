package lock_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
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

// slowClock is a clock whose timers take their time to stop.
type slowClock struct {
	clock.Clock
	stops, goOn chan struct{}
}

type slowTimer struct {
	clock.Timer
	c *slowClock
}

func (c *slowClock) CallLater(d time.Duration, f func()) clock.Timer {
	return slowTimer{c.Clock.CallLater(d, f), c}
}

func (t slowTimer) Stop() bool {
	close(t.c.stops)
	<-t.c.goOn
	return t.Timer.Stop()
}

// An Await whose context ends while another goroutine passes the value on to it has
// the value.
func TestAwaitHasWhatIsOnItsWay(t *testing.T) {
	for name, await := range map[string]func(ctx context.Context, d *future.Deferred[int]) (int, error){
		"a goroutine": func(ctx context.Context, d *future.Deferred[int]) (int, error) { return d.Await(ctx) },
		"a coroutine": func(ctx context.Context, d *future.Deferred[int]) (int, error) {
			return future.Async(ctx, d.Await).Await(context.Background())
		},
		"behind others": func(ctx context.Context, d *future.Deferred[int]) (int, error) {
			return d.Catch(func(err error) (int, error) { return 0, err }).Timeout(clock.System(), time.Hour).Await(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &slowClock{clock.NewVirtual(), make(chan struct{}), make(chan struct{})}
				q := lock.NewQueue[int]()
				d := q.Get().Timeout(c, time.Hour)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					synctest.Wait()
					go q.TryPut(7)
					<-c.stops
					cancel()
					synctest.Wait() // the Await has seen that
					close(c.goOn)
				}()
				if v, err := await(ctx, d); v != 7 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		})
	}
}

// An Await gives up while a function runs that has taken the value, or the failure.
func TestAwaitGivesUpWhileAFunctionRuns(t *testing.T) {
	type deferred = *future.Deferred[int]
	for name, attach := range map[string]func(d deferred, f func()) deferred{
		"Then": func(d deferred, f func()) deferred {
			return future.Then(d, func(v int) (int, error) { f(); return v, nil })
		},
		"Finally":   func(d deferred, f func()) deferred { return d.Finally(func() error { f(); return nil }) },
		"ThenFlat":  func(d deferred, f func()) deferred { return future.ThenFlat(d, func(int) deferred { f(); return d }) },
		"Catch":     func(d deferred, f func()) deferred { return d.Catch(func(error) (int, error) { f(); return 0, nil }) },
		"CatchFlat": func(d deferred, f func()) deferred { return d.CatchFlat(func(error) deferred { f(); return d }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := lock.NewQueue[int]()
				get := q.Get()
				ctx, cancel := context.WithCancel(t.Context())
				runs, goOn := make(chan struct{}), make(chan struct{})
				d := attach(get, func() { close(runs); <-goOn })
				if name == "Catch" || name == "CatchFlat" {
					go q.Close()
				} else {
					go q.TryPut(7)
				}
				<-runs
				go func() {
					synctest.Wait()
					cancel()
				}()
				if _, err := d.Await(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				close(goOn)
				d.Await(context.Background())
			})
		})
	}
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

// The wait ends, too, if a callback of what leaves the line ends the goroutine.
func TestStopUnderATimeoutWhereACallbackEndsTheGoroutine(t *testing.T) {
	r := reactor.New(clock.NewVirtual())
	q := lock.NewQueue[int]()
	d := q.Get().Catch(func(error) (int, error) { runtime.Goexit(); return 0, nil }).Timeout(r, time.Hour)
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.Stop()
	}()
	<-over
	wantError(t, d, reactor.ErrStopped)
}
