package lock_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
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
			if n := lock.InLine(&m); n != 0 {
				t.Errorf("%d are in line", n)
			}
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

// What a callback on a reactor would be given that has stopped goes back.
func TestCallbacksOnAStoppedReactor(t *testing.T) {
	for name, attach := range map[string]func(d *future.Deferred[int]) *future.Deferred[int]{
		"Then":     func(d *future.Deferred[int]) *future.Deferred[int] { return future.Then(d, inc) },
		"Finally":  func(d *future.Deferred[int]) *future.Deferred[int] { return d.Finally(func() error { return nil }) },
		"ThenFlat": func(d *future.Deferred[int]) *future.Deferred[int] { return future.ThenFlat(d, future.Succeed[int]) },
		"two": func(d *future.Deferred[int]) *future.Deferred[int] {
			future.Then(d, inc)
			return future.Then(d, inc)
		},
		"one has left": func(d *future.Deferred[int]) *future.Deferred[int] {
			defer future.Then(d, inc).Cancel(nil)
			return future.Then(d, inc)
		},
	} {
		for _, early := range []bool{false, true} { // queued when it stops
			r := reactor.New(clock.NewVirtual())
			q := lock.NewQueue[int]()
			d := attach(q.Get().On(r))
			if early {
				q.TryPut(7)
			}
			r.Stop()
			if !early {
				q.TryPut(7)
			}
			wantError(t, d, reactor.ErrStopped)
			if got := q.Drain(); len(got) != 1 || got[0] != 7 {
				t.Errorf("%s: %v went back", name, got)
			}
		}
	}
}

// A value that another callback has got does not go back as well.
func TestOneOfTwoCallbacksIsOnAStoppedReactor(t *testing.T) {
	r := reactor.New(clock.NewVirtual())
	q := lock.NewQueue[int]()
	d := q.Get()
	got := future.Then(d, inc)
	lost := future.Then(d.On(r), inc)
	passed := d.On(r)
	r.Stop()
	q.TryPut(7)
	wantError(t, lost, reactor.ErrStopped)
	for _, d := range []*future.Deferred[int]{got, passed} {
		if _, err := d.Result(); err != nil {
			t.Error(err)
		}
	}
}

// A Run goes on when an Await of it gives up; the wait of one ends with its context.
func TestRunAndAnAwaitThatGivesUp(t *testing.T) {
	for _, bound := range []bool{false, true} {
		var m lock.Mutex
		first, _ := m.TryAcquire()
		ctx, cancel := context.WithCancel(context.Background())
		acquired := m.Acquire()
		if bound {
			acquired = acquired.WithContext(ctx)
		}
		ran := false
		d := lock.Run(acquired, func() *future.Deferred[int] { ran = true; return one() })
		cancel()
		d.Await(ctx)
		if bound {
			d.Await(context.Background()) // its context ends on a goroutine
		}
		first.Release()
		if ran == bound {
			t.Errorf("bound: %v, ran: %v", bound, ran)
		}
		wantFree(t, &m)
	}
}

// A cancel that finds the function of a Finally queued goes no further.
func TestCancelAtAQueuedFinally(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	var m lock.Mutex
	d := lock.Run(m.Acquire().On(r).Finally(func() error { return nil }), one)
	d.Cancel(nil)
	clk.Advance(0)
	if v, err := d.Result(); v != 1 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
	wantFree(t, &m)
}

// A Run whose reactor has stopped releases the lease once.
func TestRunOnAStoppedReactorReleasesOnce(t *testing.T) {
	for _, early := range []bool{false, true} {
		r := reactor.New(clock.NewVirtual())
		var m lock.Mutex
		first, _ := m.TryAcquire()
		d := lock.Run(m.Acquire().On(r), one)
		if early {
			first.Release()
		}
		r.Stop()
		if !early {
			first.Release()
		}
		if _, err := d.Result(); !errors.Is(err, reactor.ErrStopped) || strings.Contains(err.Error(), "released") {
			t.Errorf("got %v", err)
		}
		wantFree(t, &m)
	}
}

// A Finally that fails passes nothing on: what came goes back.
func TestFinallyThatFails(t *testing.T) {
	boom := errors.New("boom")
	for name, f := range map[string]func() error{
		"an error": func() error { return boom },
		"a panic":  func() error { panic(boom) },
	} {
		var m lock.Mutex
		wantError(t, lock.Run(m.Acquire().Finally(f), one), boom)
		wantFree(t, &m)
		q := lock.NewQueue[int]()
		d := q.Get()
		q2 := d.Finally(f)
		q.TryPut(7)
		wantError(t, q2, boom)
		if n := q.Len(); n != 1 {
			t.Errorf("%s: %d values are stored", name, n)
		}
	}
}

// What several read is not given back by one of them that gives up: another may have
// a use for it.
func TestBranchThatGivesUpTakesNothingAway(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	q := lock.NewQueue[int]()
	x, res := future.New[int]()
	g := future.ThenFlat(x, func(int) *future.Deferred[int] { return q.Get() })
	got := future.Then(g, inc)
	g.Timeout(clock.System(), time.Hour).On(reactor.New(clock.NewVirtual())).Await(ended)
	res.Succeed(1)
	q.TryPut(7)
	if v, err := got.Result(); v != 8 || err != nil || q.Len() != 0 {
		t.Errorf("got %d, %v; %d values are stored", v, err, q.Len())
	}

	var m lock.Mutex
	x, res = future.New[int]()
	acquired := future.ThenFlat(x, func(int) *future.Deferred[lock.Lease] { return m.Acquire() })
	work, end := future.New[int]()
	lock.Run(acquired, func() *future.Deferred[int] { return work })
	acquired.Shield().Await(ended)
	res.Succeed(1)
	if _, ok := m.TryAcquire(); ok {
		t.Error("two have the lease")
	}
	end.Succeed(1)
	wantFree(t, &m)
}

// A wait that has been taken over by one whose reactor stops leaves the line, too.
func TestStopOfOneThatTookOver(t *testing.T) {
	r := reactor.New(clock.NewVirtual())
	var m lock.Mutex
	first, _ := m.TryAcquire()
	x, start := future.New[int]()
	f, res := future.NewOn[lock.Lease](r)
	res.Follow(future.ThenFlat(x, func(int) *future.Deferred[lock.Lease] { return m.Acquire() }))
	d := lock.Run(f, one)
	f.Done()
	start.Succeed(1)
	r.Stop()
	if n := lock.InLine(&m); n != 0 {
		t.Errorf("%d are in line", n)
	}
	wantError(t, d, reactor.ErrStopped)
	first.Release()
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

type deferredInt = *future.Deferred[int]

// awaits are ways to wait for a value, on a reactor that runs.
var awaits = map[string]func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error){
	"a goroutine": func(ctx context.Context, _ *reactor.Reactor, d deferredInt) (int, error) { return d.Await(ctx) },
	"behind On":   func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error) { return d.On(r).Await(ctx) },
	"behind a Hold": func(ctx context.Context, _ *reactor.Reactor, d deferredInt) (int, error) {
		return released(d).Await(ctx)
	},
	"behind a Follow": func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error) {
		return follow(r, d).Await(ctx)
	},
	"behind others": func(ctx context.Context, _ *reactor.Reactor, d deferredInt) (int, error) {
		return d.Catch(func(err error) (int, error) { return 0, err }).Timeout(clock.System(), time.Hour).Await(ctx)
	},
	"behind a Timeout on r": func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error) {
		return d.Timeout(r, time.Hour).Await(ctx)
	},
	"a coroutine": func(ctx context.Context, _ *reactor.Reactor, d deferredInt) (int, error) {
		return future.Async(ctx, d.Await).Await(context.Background())
	},
	"a coroutine on r": func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error) {
		return future.AsyncOn(ctx, r, d.Await).Await(context.Background())
	},
	"a worker": func(ctx context.Context, r *reactor.Reactor, d deferredInt) (int, error) {
		return future.GoOn(ctx, r, d.Await).Await(context.Background())
	},
}

func released(d deferredInt) deferredInt {
	held, release := d.Hold()
	release()
	return held
}

func follow(r *reactor.Reactor, d deferredInt) deferredInt {
	f, res := future.NewOn[int](r)
	res.Follow(d)
	return f
}

// A wait that gives up, or whose reactor stops, while another goroutine passes the
// value on to it either has the value, or that goes back to the queue.
func TestWhatIsOnItsWayIsNotLost(t *testing.T) {
	for name, await := range awaits {
		for why, end := range map[string]func(r *reactor.Reactor, cancel func()){
			"gives up": func(_ *reactor.Reactor, cancel func()) { cancel() },
			"a stop":   func(r *reactor.Reactor, _ func()) { r.Stop() },
		} {
			t.Run(name+", "+why, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &slowClock{clock.NewVirtual(), make(chan struct{}), make(chan struct{})}
					r := reactor.New(clock.System())
					go r.Run(t.Context())
					q := lock.NewQueue[int]()
					d := q.Get().Timeout(c, time.Hour)
					ctx, cancel := context.WithCancel(t.Context())
					var over sync.WaitGroup
					over.Go(func() {
						synctest.Wait()
						go q.TryPut(7)
						<-c.stops
						end(r, cancel)
						synctest.Wait() // the Await has seen that
						close(c.goOn)
					})
					v, err := await(ctx, r, d)
					over.Wait()
					synctest.Wait()
					if has := q.Len(); err == nil && v != 7 || (err == nil) == (has == 1) {
						t.Errorf("got %d, %v; %d values are in the queue", v, err, has)
					}
					r.Stop()
				})
			})
		}
	}
}

// A lease that comes to a Hold after the wait for that has given up, or before, is
// released with it, or at once.
func TestHeldLeaseThatNobodyTakes(t *testing.T) {
	for _, first := range []bool{false, true} {
		var m lock.Mutex
		l, _ := m.TryAcquire()
		held, release := m.Acquire().Hold()
		if first {
			l.Release()
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := held.Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if !first {
			l.Release()
		}
		wantFree(t, &m)
		release()
		wantFree(t, &m)
	}
}

// A wait for a file gives up while that is being locked for it.
func TestFileThatNobodyTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	synctest.Test(t, func(t *testing.T) {
		f := lock.NewFile(clock.System(), path)
		for round := range 500 {
			first, err := f.Acquire().Timeout(clock.System(), time.Minute).Await(t.Context())
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			d := f.Acquire()
			var wg sync.WaitGroup
			wg.Go(func() {
				if l, err := d.Await(ctx); err == nil {
					l.Release()
				}
			})
			wg.Go(func() {
				for range round % 40 {
					runtime.Gosched()
				}
				cancel()
			})
			for range round % 7 {
				runtime.Gosched()
			}
			first.Release()
			wg.Wait()
		}
	})
}

// A function that waits in a line itself is not canceled by who waits for it: it has
// a use for what it gets.
func TestFunctionsThatWaitAreNotCanceled(t *testing.T) {
	type start = func(r *reactor.Reactor, f func(context.Context) (int, error)) deferredInt
	for name, start := range map[string]start{
		"Go": func(_ *reactor.Reactor, f func(context.Context) (int, error)) deferredInt {
			return future.Go(context.Background(), f)
		},
		"Async": func(_ *reactor.Reactor, f func(context.Context) (int, error)) deferredInt {
			return future.Async(context.Background(), f)
		},
		"Timeout": func(r *reactor.Reactor, f func(context.Context) (int, error)) deferredInt {
			return future.Go(context.Background(), f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reactor.New(clock.NewVirtual())
				q := lock.NewQueue[int]()
				sum := 0
				d := start(r, func(ctx context.Context) (int, error) {
					for {
						v, err := q.Get().Await(ctx)
						if err != nil {
							return sum, err
						}
						sum += v
					}
				})
				q.TryPut(1)
				synctest.Wait()
				if name == "Timeout" {
					d.Timeout(r, time.Hour)
					r.Stop()
				} else {
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					d.Await(ctx)
				}
				q.TryPut(2)
				q.Close()
				if _, err := d.Await(t.Context()); err != lock.ErrClosed || sum != 3 {
					t.Errorf("summed up %d, ended with %v", sum, err)
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
		if n := lock.InLine(&m); n != 0 {
			t.Errorf("%d are in line", n)
		}
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
