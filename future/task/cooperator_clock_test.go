package task_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	benbjohnson "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/testing/futuretest"
	"pgregory.net/rapid"
)

// quiet is for reactors that have something to report which is none of the
// test's business.
var quiet = reactor.Logger(slog.New(slog.DiscardHandler))

// Units that take time leave a ticker and posts their turn after each slice,
// also on a clock of which a turn sees only one time.
func TestCooperator_slices_end_by_the_clock(t *testing.T) {
	for name, tt := range map[string]struct {
		clock func() clock.Clock
		ticks []time.Duration
	}{
		"system":  {clock.System, []time.Duration{12, 24}},
		"foreign": {func() clock.Clock { return clock.From(benbjohnson.New()) }, []time.Duration{12, 12, 24, 24}}, // each tick has its own time
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reactor.New(tt.clock(), quiet)
				start := time.Now()
				var ticks []time.Duration
				var tick func()
				tick = func() {
					ticks = append(ticks, time.Since(start)/time.Millisecond)
					r.CallLater(5*time.Millisecond, tick)
				}
				r.CallLater(5*time.Millisecond, tick)
				work := func(yield func(*future.Deferred[int]) bool) {
					for range 5 {
						time.Sleep(3 * time.Millisecond) // as a computation would
						if !yield(nil) {
							return
						}
					}
				}
				c := task.NewCooperator(r)
				a, b := task.Cooperate(c, work), task.Cooperate(c, work)
				future.All(a.WhenDone(), b.WhenDone()).Finally(func() error { r.Stop(); return nil })
				r.Run(t.Context())
				// Slices of four units of 3 ms: 0-12, 12-24, 24-30.
				if !slices.Equal(ticks, tt.ticks) {
					t.Errorf("ticks after %d ms, want them after each slice, %d", ticks, tt.ticks)
				}
			})
		})
	}
}

// However long a unit takes, a slice has one, and each task its turn.
func TestCooperator_a_slice_has_a_unit_at_least(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), quiet)
		c := task.NewCooperator(r, task.Slice(time.Nanosecond))
		d := &diary{}
		slow := func(name string) work {
			return func(yield func(*future.Deferred[int]) bool) {
				for i := range 2 {
					time.Sleep(time.Second)
					d.add("%s%d", name, i)
					r.Post(func() { d.add("post") })
					yield(nil)
				}
			}
		}
		a, b := task.Cooperate(c, slow("a")), task.Cooperate(c, slow("b"))
		future.All(a.WhenDone(), b.WhenDone()).Finally(func() error { r.Stop(); return nil })
		r.Run(t.Context())
		d.want(t, "a0 post b0 post a1 post b1 post")
	})
}

// A slice that has taken time lets what it has posted and its calls without
// delay go first, then what has become due, and then the next slice.
func TestCooperator_a_slice_comes_behind_what_the_last_one_has_left(t *testing.T) {
	for name, made := range map[string]func() clock.Clock{
		"system":  clock.System,
		"foreign": func() clock.Clock { return clock.From(benbjohnson.New()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reactor.New(made(), quiet)
				d := &diary{}
				note := func(what string) func() { return func() { d.add("%s", what) } }
				r.CallLater(7*time.Millisecond, note("7ms"))
				r.CallLater(5*time.Millisecond, note("5ms"))
				a := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
					r.CallLater(0, note("0ms"))
					r.Post(func() {
						d.add("post")
						r.Post(note("its post"))
					})
					for i := range 5 {
						d.add("%d", i)
						time.Sleep(3 * time.Millisecond)
						yield(nil)
					}
				})
				a.WhenDone().Finally(func() error { r.Stop(); return nil })
				r.Run(t.Context())
				want := "0 1 2 3 post 0ms 5ms 7ms 4 its post"
				if name == "foreign" { // time goes step by step, and what is posted now is done now
					want = "0 1 2 3 post 0ms its post 5ms 7ms 4"
				}
				d.want(t, want)
			})
		})
	}
}

// On virtual time, which stands still, the number of units ends a slice, so
// that an endless task holds up neither posts nor timers of this instant.
func TestCooperator_an_endless_task_leaves_others_their_turn(t *testing.T) {
	r, clk := futuretest.New(t)
	c := task.NewCooperator(r)
	units := 0
	forever := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
		for yield(nil) {
			units++
		}
	})
	r.Post(func() {
		if units != 999 { // one is on its way
			t.Errorf("the post came after %d units", units)
		}
		for _, tt := range []struct {
			delay time.Duration
			units int
		}{{0, 999}, {10 * time.Millisecond, 1999}} {
			r.CallLater(tt.delay, func() {
				if units != tt.units {
					t.Errorf("the call after %v came after %d units, want %d", tt.delay, units, tt.units)
				}
			})
		}
	})
	clk.Advance(10 * time.Millisecond)
	forever.Stop()
	wantStopped(t, forever)
}

// Virtual time goes on with an endless task, as real time does: a slice that has
// used up its units takes its time. Tasks with fewer units take none.
func TestCooperator_virtual_time_goes_on_with_an_endless_task(t *testing.T) {
	r, clk := futuretest.New(t)
	c := task.NewCooperator(r, task.Slice(time.Millisecond), task.Units(100))
	d := &diary{}
	finite := task.Cooperate(c, d.counts("a", 99))
	clk.Advance(0)
	futuretest.Success(t, finite.WhenDone())
	units := 0
	forever := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
		for yield(nil) {
			units++
		}
	})
	beats := 0
	beat := task.NewLoop(r, func(int) error { beats++; return nil })
	ended := beat.Start(100 * time.Millisecond)
	clk.Advance(time.Second)
	if units != 1001*100-1 || beats != 11 {
		t.Errorf("%d units and %d calls in a second", units, beats)
	}
	beat.Stop()
	futuretest.Success(t, ended)
	task.Cooperate(c, yields()) // comes with the next slice
	if n := clk.Pending(); n != 1 {
		t.Errorf("%d steps are queued, want one slice", n)
	}
	forever.Stop() // takes effect at once, and brings that
	wantStopped(t, forever)
	if n := clk.Pending(); n != 0 {
		t.Errorf("%d steps are queued when all is over", n)
	}
	var own *task.Task
	own = task.Cooperate(task.NewCooperator(r, task.Units(1)), func(yield func(*future.Deferred[int]) bool) {
		own.Stop() // in the last unit of its slice
		yield(nil)
	})
	wantStopped(t, own)
}

// On a clock that goes on by itself an endless task never rests, though this
// one, of a bubble, stands still in a slice.
func TestCooperator_an_endless_task_does_not_rest_on_a_real_clock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), quiet)
		start, units := time.Now(), 0
		task.Cooperate(task.NewCooperator(r, task.Units(1)), func(yield func(*future.Deferred[int]) bool) {
			for units < 100 && yield(nil) {
				units++
			}
			r.Stop()
		})
		r.Run(t.Context())
		if took := time.Since(start); took != 0 || units != 100 {
			t.Errorf("%d units took %v", units, took)
		}
	})
}

// An executor that is none of the library's has Post, and the time of its Now.
func TestCooperator_on_a_foreign_executor(t *testing.T) {
	x := &outsider{now: time.Unix(0, 0)}
	d := &diary{}
	c := task.NewCooperator(x)
	unit := func(name string) work {
		return func(yield func(*future.Deferred[int]) bool) {
			for i := range 3 {
				x.now = x.now.Add(5 * time.Millisecond)
				d.add("%s%d", name, i)
				yield(nil)
			}
		}
	}
	a, b := task.Cooperate(c, unit("a")), task.Cooperate(c, unit("b"))
	for _, want := range []string{"a0 b0", "a1 b1", "a2 b2", ""} {
		x.step()
		d.want(t, want)
	}
	for x.step() {
	}
	for _, of := range []*task.Task{a, b} {
		done := of.WhenDone()
		for x.step() {
		}
		if _, err := done.Result(); err != nil {
			t.Errorf("got %v", err)
		}
	}
	in, _ := future.New[int]()
	waits := task.Cooperate(c, yields(in))
	x.step()
	c.Stop()
	for x.step() {
	}
	if _, err := waits.WhenDone().Result(); !errors.Is(err, task.ErrStopped) {
		t.Errorf("got %v, want ErrStopped", err)
	}
}

// An outsider is an executor over a loop that the library does not know.
type outsider struct {
	mu    sync.Mutex
	now   time.Time
	posts []func()
}

func (x *outsider) Now() time.Time { return x.now }

func (x *outsider) CallLater(time.Duration, func()) clock.Timer { panic("not asked for") }

func (x *outsider) Post(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.posts = append(x.posts, f)
}

// step runs what was posted first, and reports whether there was anything.
func (x *outsider) step() bool {
	x.mu.Lock()
	if len(x.posts) == 0 {
		x.mu.Unlock()
		return false
	}
	f := x.posts[0]
	x.posts = x.posts[1:]
	x.mu.Unlock()
	f()
	return true
}

// A Goexit in an iterator fails its task alone; the loop, and the others on it,
// go on on another goroutine.
func TestCooperator_goexit_in_an_iterator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), quiet)
		c := task.NewCooperator(r, task.Units(2))
		d := &diary{}
		before := task.Cooperate(c, d.counts("a", 3))
		exits := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
			yield(nil)
			runtime.Goexit()
		})
		after := task.Cooperate(c, d.counts("b", 3))
		finished := make(chan error, 1)
		future.AllSettled(before.WhenDone(), exits.WhenDone(), after.WhenDone()).Finally(func() error {
			r.Stop()
			_, err := exits.WhenDone().Result()
			finished <- err
			return nil
		})
		go r.Run(t.Context())
		if err := <-finished; !errors.Is(err, failure.ErrGoexit) {
			t.Errorf("failed with %v", err)
		}
		d.want(t, "a0 b0 a1 b1 a2 b2 a. b.")
	})
}

// A slice that a Goexit has ended has not used up its units, and takes no time.
func TestCooperator_goexit_on_virtual_time(t *testing.T) {
	clk := clock.NewVirtual()
	c := task.NewCooperator(reactor.New(clk, quiet))
	d := &diary{}
	exits := task.Cooperate(c, func(func(*future.Deferred[int]) bool) { runtime.Goexit() })
	d.outcomes("b", task.Cooperate(c, d.counts("b", 1)))
	drive := func() {
		var over sync.WaitGroup
		over.Go(func() { clk.Advance(0) })
		over.Wait()
	}
	drive()
	d.want(t, "")
	drive()
	d.want(t, "b0 b. b:done")
	if _, err := exits.WhenDone().Result(); !errors.Is(err, failure.ErrGoexit) {
		t.Errorf("failed with %v", err)
	}
}

// While a reactor that has begun runs, its stop ends all tasks, though the
// clean-up of one calls Goexit.
func TestCooperator_goexit_in_a_clean_up_when_the_reactor_stops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), quiet)
		c := task.NewCooperator(r)
		d := &diary{}
		never, _ := future.NewOn[int](r)
		waits := func(name string, end func()) *task.Task {
			return task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
				defer d.add("%s.", name)
				yield(never)
				end()
			})
		}
		tasks := []*task.Task{waits("a", func() {}), waits("b", runtime.Goexit), waits("c", func() {})}
		r.CallLater(time.Second, r.Stop)
		go r.Run(t.Context())
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		d.want(t, "a. b. c.")
		for i, of := range tasks {
			_, err := of.WhenDone().Result()
			if !errors.Is(err, reactor.ErrStopped) || errors.Is(err, failure.ErrGoexit) != (i == 1) {
				t.Errorf("task %d: %v", i, err)
			}
		}
	})
}

// When the loop loses the thread that its goroutine was locked to, the tasks
// cannot go on, and end. The Cooperator takes others.
func TestCooperator_goexit_on_a_locked_thread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(clock.System(), quiet)
		c := task.NewCooperator(r)
		d := &diary{}
		never, _ := future.NewOn[int](r)
		var late *task.Task
		a := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
			yield(never)
			late = task.Cooperate(c, yields()) // it is told as well
		})
		done := make(chan error, 2)
		ends := func(of *task.Task) {
			future.Handle(of.WhenDone(), func(_ struct{}, err error) (int, error) {
				done <- err
				return 0, nil
			})
		}
		ends(a)
		r.CallLater(time.Second, runtime.Goexit)
		go func() {
			runtime.LockOSThread()
			r.Run(t.Context())
		}()
		if err := <-done; !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("failed with %v", err)
		}
		ends(task.Cooperate(c, d.counts("b", 1)))
		if err := <-done; err != nil {
			t.Errorf("a task after that: %v", err)
		}
		d.want(t, "b0 b.")
		waits := task.Cooperate(c, yields(never))
		synctest.Wait()
		r.Stop()
		synctest.Wait()
		for _, of := range []*task.Task{late, waits, task.Cooperate(c, yields())} {
			if _, err := of.WhenDone().Result(); !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("a task ended with %v", err)
			}
		}
	})
}

// A test of rapid's that gives up in an iterator, or in its clean-up:
// rapid's panic must get to rapid.
func TestCooperator_a_control_panic_passes_on(t *testing.T) {
	keep := flag.Lookup("rapid.nofailfile").Value.String()
	defer flag.Set("rapid.nofailfile", keep)
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // it is meant to fail
		t.Fatal(err)
	}
	for _, inCleanUp := range []bool{false, true} {
		t.Run(fmt.Sprint(inCleanUp), func(t *testing.T) {
			var after error
			wentOn := false
			found := &fake{}
			rapid.Check(found, func(rt *rapid.T) {
				clk := clock.NewVirtual()
				r := reactor.New(clk, quiet)
				c := task.NewCooperator(r)
				a := task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
					for inCleanUp && yield(nil) {
						rt.Helper()
					}
					rt.Fatalf("given up")
				})
				b := task.Cooperate(c, yields(nil, nil))
				defer func() {
					_, after = b.WhenDone().Result()
				}()
				if inCleanUp {
					r.Post(func() { a.Stop() })
				}
				clk.Advance(0)
				wentOn = true
			})
			if !found.failed || wentOn {
				t.Errorf("the test failed: %v, it went on: %v", found.failed, wentOn)
			}
			if after != nil && after != future.ErrPending {
				t.Errorf("the other task: %v", after)
			}
		})
	}
}

// fake is a testing.T for rapid.Check that is expected to fail.
type fake struct {
	rapid.TB
	failed bool
}

func (*fake) Helper()                 {}
func (*fake) Name() string            { return "fake" }
func (*fake) Logf(string, ...any)     {}
func (*fake) Log(...any)              {}
func (f *fake) Errorf(string, ...any) { f.failed = true }
func (f *fake) Fatalf(string, ...any) { f.failed = true }
func (f *fake) Error(...any)          { f.failed = true }
func (f *fake) FailNow()              { f.failed = true }
func (f *fake) Fail()                 { f.failed = true }
func (f *fake) Failed() bool          { return f.failed }

// Whoever does what from where: every task ends, with one outcome, and the
// units of all run one at a time.
func TestCooperator_storm(t *testing.T) {
	r := reactor.New(clock.System(), quiet)
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.Run(t.Context())
	}()
	c := task.NewCooperator(r, task.Units(7))
	inUnit := 0 // touched by units only
	work := func(n int) work {
		return func(yield func(*future.Deferred[int]) bool) {
			for i := range n {
				if inUnit++; inUnit != 1 {
					t.Error("two units at a time")
				}
				inUnit--
				var wait *future.Deferred[int]
				if i%3 == 0 {
					wait = future.Go(t.Context(), func(context.Context) (int, error) { return 0, nil })
				}
				if !yield(wait) {
					return
				}
			}
		}
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 40 {
				a := task.Cooperate(c, work(i%10))
				resume := a.Pause()
				stopped := false
				if (g+i)%3 == 0 {
					stopped = a.Stop()
				}
				go resume()
				_, err := a.WhenDone().Await(t.Context())
				if stopped != errors.Is(err, task.ErrStopped) || !stopped && err != nil {
					t.Errorf("stopped: %v, but it ended with %v", stopped, err)
				}
			}
		})
	}
	all.Wait()
	last := make([]*task.Task, 50)
	for i := range last {
		last[i] = task.Cooperate(c, work(1000))
	}
	all.Go(c.Stop)
	all.Go(r.Stop)
	all.Wait()
	<-over
	for _, of := range last {
		if _, err := of.WhenDone().Result(); !errors.Is(err, task.ErrStopped) && !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("ended with %v", err)
		}
	}
}
