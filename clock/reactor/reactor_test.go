package reactor_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"pgregory.net/rapid"

	dclock "github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// The order of steps, delayed calls and what they make is the same on all
// clocks.
func TestOrder(t *testing.T) {
	everywhere(t, func(w *world) {
		w.r.Post(w.at("post before run"))
		w.r.CallLater(0, w.at("call before run"))
		w.r.Post(w.at("another post"))
		w.begin()
		w.pass(0)
		w.want(w.T, "0s post before run", "0s call before run", "0s another post")
		w.r.CallLater(2*time.Second, w.at("c"))
		w.r.CallLater(time.Second, func() {
			w.at("a")()
			w.r.CallLater(0, w.at("a zero"))
			w.r.Post(func() {
				w.at("a post")()
				w.r.Post(w.at("a post post"))
			})
			w.r.CallLater(time.Second, w.at("a later"))
		})
		w.r.CallLater(time.Second, w.at("b"))
		w.r.CallLater(-time.Hour, w.at("negative"))
		stopped := w.r.CallLater(time.Second, w.at("stopped"))
		moved := w.r.CallLater(time.Second, w.at("moved"))
		if !stopped.Stop() || stopped.Stop() || !moved.Reset(1500*time.Millisecond) {
			t.Error("wrong answers of timers")
		}
		w.pass(time.Minute)
		w.want(w.T, "0s negative", "1s a", "1s b", "1s a post", "1s a zero", "1s a post post", "1.5s moved", "2s c", "2s a later")
		if stopped.Reset(time.Second) || moved.Reset(time.Second) {
			t.Error("Reset of one that is over returned true")
		}
		w.pass(time.Minute)
		w.want(w.T, "1m1s stopped", "1m1s moved")
		w.log.want(w.T)
	})
}

// Every callback runs on a goroutine that is marked as a loop's.
func TestLoop_is_marked(t *testing.T) {
	everywhere(t, func(w *world) {
		check := func() {
			if !mark.IsSet() || mark.Find() != mark.OnLoop {
				t.Error("not marked as a loop")
			}
		}
		w.r.Post(check)
		w.r.CallLater(time.Second, check)
		w.r.Go(func() func() {
			if mark.IsSet() || !mark.Find().IsWorker() {
				t.Error("not marked as a worker")
			}
			return check
		})
		w.begin()
		w.pass(time.Minute)
	})
}

// The same program has the same order on a virtual clock and on a loop.
func TestOrder_property(t *testing.T) {
	type act struct {
		post  bool
		delay int
	}
	rapid.Check(t, func(rt *rapid.T) {
		program := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
			return act{rapid.Bool().Draw(t, "post"), rapid.IntRange(0, 3).Draw(t, "delay")}
		}), 0, 3), 1, 5).Draw(rt, "program")
		run := func(r *reactor.Reactor, start time.Time) *[]string {
			log := new([]string)
			n := 0
			var do func(i int)
			do = func(i int) {
				for _, a := range program[i%len(program)] {
					if n++; n > 100 {
						return
					}
					me := n
					f := func() {
						*log = append(*log, fmt.Sprintf("%v %d", r.Now().Sub(start), me))
						do(me)
					}
					if a.post {
						r.Post(f)
					} else {
						r.CallLater(time.Duration(a.delay)*time.Second, f)
					}
				}
			}
			r.Post(func() { do(0) })
			return log
		}
		v := dclock.NewVirtual()
		want := run(reactor.New(v), v.Now())
		v.Run()
		for name, c := range map[string]dclock.Clock{"system": dclock.System(), "foreign": dclock.From(realTime{})} {
			var got *[]string
			synctest.Test(t, func(*testing.T) {
				r := reactor.New(c)
				got = run(r, c.Now())
				r.CallLater(time.Hour, r.Stop)
				_ = r.Run(context.Background())
			})
			if strings.Join(*got, ",") != strings.Join(*want, ",") {
				rt.Fatalf("%s: %q, on a virtual clock %q", name, *got, *want)
			}
		}
	})
}

func TestMisuse(t *testing.T) {
	v := dclock.NewVirtual()
	r := reactor.New(v)
	var nothing context.Context
	none := []string{"reactor: a nil or zero Reactor", "make one with New"}
	for name, tt := range map[string]struct {
		f     func()
		words []string
	}{
		"nil clock":      {func() { reactor.New(nil) }, []string{"reactor: New(nil)", "clock.System()"}},
		"reactor clock":  {func() { reactor.New(r) }, []string{"reactor: New on a reactor"}},
		"nil post":       {func() { r.Post(nil) }, []string{"reactor: Post", "nil function"}},
		"nil call":       {func() { r.CallLater(1, nil) }, []string{"reactor: CallLater", "nil function"}},
		"nil job":        {func() { r.Go(nil) }, []string{"reactor: Go", "nil job"}},
		"nil context":    {func() { _ = r.Run(nothing) }, []string{"reactor: Run", "context.Background"}},
		"run on virtual": {func() { _ = r.Run(t.Context()) }, []string{"reactor: Run on a virtual clock", "Advance"}},
		"nil virtual":    {func() { reactor.New((*dclock.Virtual)(nil)) }, []string{"reactor: New", "clock.NewVirtual"}},
		"zero virtual":   {func() { reactor.New(new(dclock.Virtual)) }, []string{"reactor: New", "clock.NewVirtual"}},
		"zero, Now":      {func() { new(reactor.Reactor).Now() }, none},
		"zero, Post":     {func() { new(reactor.Reactor).Post(func() {}) }, none},
		"zero, later":    {func() { new(reactor.Reactor).CallLater(1, func() {}) }, none},
		"zero, Go":       {func() { new(reactor.Reactor).Go(func() func() { return nil }) }, none},
		"zero, Run":      {func() { _ = new(reactor.Reactor).Run(t.Context()) }, none},
		"nil, Stop":      {func() { (*reactor.Reactor)(nil).Stop() }, none},
		"no workers":     {func() { reactor.Workers(0) }, []string{"reactor: Workers"}},
		"no logger":      {func() { reactor.Logger(nil) }, []string{"reactor: Logger", "DiscardHandler"}},
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, tt.f, tt.words...) })
	}
}

func TestRun_once(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := reactor.New(dclock.System())
		again := func() { _ = r.Run(t.Context()) }
		r.Post(func() {
			mustPanic(t, again, "reactor: Run", "make a new one")
			r.Stop()
			r.Stop()
		})
		if err := r.Run(t.Context()); err != nil {
			t.Errorf("Run after Stop returned %v", err)
		}
		r.Stop()
		if err := r.Run(t.Context()); err != reactor.ErrStopped {
			t.Errorf("Run again returned %v", err)
		}
	})
}

func TestRun_ends_with_its_context(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, before := range []bool{false, true} {
			var log record
			r := reactor.New(dclock.System(), log.option())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if before {
				cancel()
			}
			ran := false
			r.Post(func() { ran = true })
			err := r.Run(ctx)
			cancel()
			want := context.DeadlineExceeded
			if before {
				want = context.Canceled
				log.want(t, "stopped before everything that was due")
			}
			if err != want || ran == before {
				t.Errorf("Run returned %v, want %v; ran %v", err, want, ran)
			}
			if err := seam.LoopOf(r).Err(); !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("Err() = %v", err)
			}
			log.want(t)
		}
	})
}

func TestRun_after_Stop(t *testing.T) {
	var log record
	var d diary
	r := reactor.New(dclock.System(), log.option())
	r.Post(d.note("posted"))
	seam.LoopOf(r).Join(&seam.Member{Stopped: func(err error) { d.add("told %v", err) }})
	r.Stop()
	d.want(t, "told reactor: stopped")
	if err := r.Run(t.Context()); err != reactor.ErrStopped {
		t.Errorf("Run = %v, want ErrStopped", err)
	}
	log.want(t, "stopped before everything that was due")
}

// Stop lets the running function finish and nothing else start; tasks and
// members are told in order, what was due is reported in one line, and what
// comes later in another.
func TestStop(t *testing.T) {
	everywhere(t, func(w *world) {
		var timer dclock.Timer
		for i := range 3 {
			m := &seam.Member{Stopped: func(err error) {
				w.add("member %d told %v", i, err)
				w.r.Post(w.note("too late"))
				if w.loop.PostTask(step{&w.diary, "late task"}) || w.loop.Join(&seam.Member{}) || w.loop.Go(nil) {
					w.Error("something was taken after Stop")
				}
			}}
			w.loop.Join(m)
			if i == 1 {
				w.loop.Leave(m)
				w.loop.Leave(m)
			}
		}
		w.r.Post(func() {
			w.add("stopping")
			if w.loop.Err() != nil {
				w.Error("stopped too early")
			}
			w.loop.PostTask(step{&w.diary, "task 1"})
			w.r.Post(w.note("posted"))
			w.r.CallLater(0, w.note("due"))
			timer = w.r.CallLater(time.Second, w.note("not due"))
			w.loop.PostTask(step{&w.diary, "task 2"})
			w.r.Stop()
			if !errors.Is(w.loop.Err(), reactor.ErrStopped) {
				w.Errorf("Err() = %v", w.loop.Err())
			}
			w.add("finished")
		})
		w.begin()
		w.pass(0)
		w.want(w.T, "stopping", "finished",
			"task 1 dropped: reactor: stopped", "task 2 dropped: reactor: stopped",
			"member 0 told reactor: stopped", "member 2 told reactor: stopped")
		w.log.want(w.T, "stopped before everything that was due had run\" count=2", "what came after Stop did not run")
		w.r.Post(w.note("too late"))
		w.r.Go(func() func() { w.Error("a late job ran"); return nil })
		if tm := w.r.CallLater(0, w.note("too late")); tm.Stop() || tm.Reset(0) || timer.Reset(0) || timer.Stop() {
			w.Error("a late timer is armed")
		}
		w.pass(time.Minute)
		w.want(w.T)
		w.log.want(w.T)
		if w.v != nil && w.v.Pending() != 0 {
			w.Errorf("left: %v", w.v)
		}
	})
}

// On a virtual clock that nobody drives all happens inside Stop; from another
// goroutine, after the running step.
func TestStop_on_a_virtual_clock(t *testing.T) {
	v := dclock.NewVirtual()
	var log record
	var d diary
	a, b := reactor.New(v, log.option()), reactor.New(v, log.option())
	for name, r := range map[string]*reactor.Reactor{"a": a, "b": b} {
		seam.LoopOf(r).Join(&seam.Member{Stopped: func(error) { d.add("%s told", name) }})
		r.CallLater(time.Second, d.note(name))
		r.CallLater(time.Hour, d.note(name))
	}
	a.Stop()
	d.want(t, "a told")
	if v.Pending() != 2 {
		t.Errorf("left: %v", v)
	}
	b.Post(func() {
		done := make(chan struct{})
		go func() { b.Stop(); close(done) }()
		<-done
		d.add("running")
	})
	v.Advance(time.Minute)
	d.want(t, "running", "b told")
	log.want(t)
	if v.Pending() != 0 {
		t.Errorf("left: %v", v)
	}
}

// A panic goes to the log with its stack, and the loop goes on.
func TestPanic(t *testing.T) {
	everywhere(t, func(w *world) {
		boom := func() { panic("boom") }
		w.r.Post(boom)
		w.r.Post(w.note("goes on"))
		w.r.CallLater(time.Second, boom)
		w.r.CallLater(time.Second, w.note("and on"))
		w.r.Go(func() func() { panic("job") })
		w.r.Go(func() func() { return boom })
		w.begin()
		w.pass(time.Minute)
		w.want(w.T, "goes on", "and on")
		log := w.log.String()
		if strings.Count(log, "a function on the loop panicked") != 3 || strings.Count(log, "a job panicked") != 1 || !strings.Contains(log, "TestPanic") {
			w.Errorf("log: %s", log)
		}
	})
}

// Books keep failures instead of logging them.
func TestBooks(t *testing.T) {
	everywhere(t, func(w *world) {
		books := w.loop.(seam.Books)
		if w.loop.Strict() {
			w.Error("strict before anybody keeps books")
		}
		books.KeepBooks(func(err error) { w.add("%v", err) })
		if !w.loop.Strict() || !w.loop.Births() {
			w.Error("not strict")
		}
		w.r.CallLater(time.Minute, nothing)
		w.r.Post(func() { panic("boom") })
		if tm := books.Timers(); len(tm) != 1 || tm[0].At.Sub(w.start) != time.Minute || tm[0].What != "reactor_test.nothing" || !strings.Contains(tm[0].Birth, "reactor_test.go:") {
			w.Errorf("Timers() = %v", tm)
		}
		if n := len(books.Posts()); n != 1 {
			w.Errorf("Posts() = %d", n)
		}
		release := make(chan struct{})
		if w.v == nil {
			w.r.Go(func() func() { <-release; return nil })
			synctest.Wait()
		} else {
			w.r.Go(func() func() { return nil })
		}
		if ws := books.Workers(); len(ws) != 1 || !strings.Contains(ws[0].Birth, "reactor_test.go:") {
			w.Errorf("Workers() = %v", ws)
		}
		close(release)
		w.begin()
		w.pass(time.Second)
		books.RunReady()
		w.want(w.T, "panic: boom")
		w.log.want(w.T)
		if len(books.Posts()) != 0 || len(books.Workers()) != 0 {
			w.Error("something is left")
		}
	}, reactor.Birthplaces())
}

// runtime.Goexit ends the goroutine, and the loop goes on on another.
func TestGoexit_on_a_loop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		var d diary
		r := reactor.New(dclock.System(), log.option())
		stopped := make(chan struct{})
		seam.LoopOf(r).Join(&seam.Member{Bound: true, Stopped: func(error) { d.add("told"); close(stopped) }})
		go func() {
			defer d.note("the goroutine of Run has ended")()
			_ = r.Run(context.Background())
			t.Error("Run returned")
		}()
		r.Post(runtime.Goexit)
		r.Post(runtime.Goexit)
		synctest.Wait()
		d.want(t, "the goroutine of Run has ended")
		r.Post(func() {
			if mark.Find() != mark.OnLoop {
				t.Error("not marked")
			}
			d.add("goes on")
		})
		r.CallLater(time.Second, r.Stop)
		<-stopped
		d.want(t, "goes on", "told")
		log.want(t, "ended its goroutine", "ended its goroutine")
	})
}

// If the goroutine was locked to its thread, the bound members are told there.
func TestGoexit_on_a_locked_thread(t *testing.T) {
	var log record
	var d diary
	r := reactor.New(dclock.System(), log.option())
	loop := seam.LoopOf(r)
	var here chan string
	member := func(name string, bound bool) {
		loop.Join(&seam.Member{Bound: bound, Stopped: func(err error) {
			var buf [64]byte
			locked := strings.Contains(string(buf[:runtime.Stack(buf[:], false)]), "locked to thread")
			d.add("%s told, locked %v: %v", name, locked, errors.Is(err, reactor.ErrStopped))
			if !bound {
				close(here)
			}
		}})
	}
	here = make(chan string)
	member("bound", true)
	member("free", false)
	go func() {
		runtime.LockOSThread()
		_ = r.Run(context.Background())
	}()
	r.Post(runtime.Goexit)
	r.Post(func() { d.add("goes on"); r.Stop() })
	<-here
	d.want(t, "bound told, locked true: true", "goes on", "free told, locked false: true")
	log.want(t, "ended its goroutine")
}

// On a virtual clock the goroutine is the driver's; the clock stays usable.
func TestGoexit_on_a_virtual_clock(t *testing.T) {
	for _, lock := range []bool{false, true} {
		v := dclock.NewVirtual()
		var log record
		var d diary
		r := reactor.New(v, log.option())
		seam.LoopOf(r).Join(&seam.Member{Bound: true, Stopped: func(error) { d.add("told") }})
		r.Post(runtime.Goexit)
		r.Post(d.note("goes on"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if lock {
				runtime.LockOSThread()
			}
			v.Advance(0)
		}()
		<-done
		log.want(t, "ended its goroutine")
		if lock {
			d.want(t, "told")
		}
		v.Advance(0)
		d.want(t, "goes on")
	}
}

// A property that fails inside a callback is shrunk: its control panics leave.
func TestRapid_control_panics_leave(t *testing.T) {
	keep := flag.Lookup("rapid.nofailfile").Value
	defer flag.Set("rapid.nofailfile", keep.String())
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // it is meant to fail
		t.Fatal(err)
	}
	for name, start := range map[string]func(r *reactor.Reactor, f func()){
		"post": func(r *reactor.Reactor, f func()) { r.Post(f) },
		"call": func(r *reactor.Reactor, f func()) { r.CallLater(time.Second, f) },
		"job":  func(r *reactor.Reactor, f func()) { r.Go(func() func() { f(); return nil }) },
		"stop": func(r *reactor.Reactor, f func()) {
			seam.LoopOf(r).Join(&seam.Member{Stopped: func(error) { f() }})
			r.Post(r.Stop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeTB{TB: t}
			rapid.Check(fake, func(t *rapid.T) {
				v := dclock.NewVirtual()
				r := reactor.New(v)
				n := rapid.IntRange(0, 1000).Draw(t, "n")
				start(r, func() {
					if n >= 17 {
						t.Fatalf("too many: %d", n)
					}
				})
				v.Advance(time.Minute)
			})
			if out := fake.out.String(); !strings.Contains(out, "too many: 17") {
				t.Errorf("not shrunk: %.2000s", out)
			}
		})
	}
}

// fakeTB lets a property fail.
type fakeTB struct {
	testing.TB
	out    strings.Builder
	failed bool
}

func (f *fakeTB) Name() string                   { return "fake" }
func (f *fakeTB) Helper()                        {}
func (f *fakeTB) Logf(format string, a ...any)   { fmt.Fprintf(&f.out, format+"\n", a...) }
func (f *fakeTB) Log(a ...any)                   { fmt.Fprintln(&f.out, a...) }
func (f *fakeTB) Errorf(format string, a ...any) { f.failed = true; f.Logf(format, a...) }
func (f *fakeTB) Error(a ...any)                 { f.failed = true; f.Log(a...) }
func (f *fakeTB) Fatalf(format string, a ...any) { f.Errorf(format, a...) }
func (f *fakeTB) Fatal(a ...any)                 { f.Error(a...) }
func (f *fakeTB) FailNow()                       { f.failed = true }
func (f *fakeTB) Fail()                          { f.failed = true }
func (f *fakeTB) Failed() bool                   { return f.failed }

// 10,000 posts from 8 goroutines keep each goroutine's order.
func TestPost_from_many_goroutines(t *testing.T) {
	run := func(t *testing.T, r *reactor.Reactor, drive func(done <-chan struct{})) {
		const goroutines, each = 8, 10_000 / 8
		var next [goroutines]int
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := range each {
					r.Post(func() {
						if next[g] != i {
							t.Errorf("goroutine %d: post %d came after %d", g, i, next[g])
						}
						next[g] = i + 1
					})
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		drive(done)
		for g, n := range next {
			if n != each {
				t.Errorf("goroutine %d: %d posts ran, want %d", g, n, each)
			}
		}
	}
	t.Run("virtual", func(t *testing.T) {
		v := dclock.NewVirtual()
		run(t, reactor.New(v), func(done <-chan struct{}) {
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				v.Advance(0)
			}
			v.Advance(0)
		})
	})
	t.Run("system", func(t *testing.T) {
		r := reactor.New(dclock.System())
		run(t, r, func(done <-chan struct{}) {
			go func() { <-done; r.Post(r.Stop) }()
			_ = r.Run(context.Background())
		})
	})
}

// A function that posts itself for ever does not keep timers from running, nor
// do timers that set themselves keep posts.
func TestFloods_do_not_starve(t *testing.T) {
	for name, c := range map[string]dclock.Clock{"system": dclock.System(), "foreign": dclock.From(realTime{})} {
		t.Run("posts/"+name, func(t *testing.T) {
			r := reactor.New(c, new(record).option())
			var again func()
			again = func() { r.Post(again) }
			r.Post(again)
			r.CallLater(time.Millisecond, func() { r.Post(r.Stop) })
			_ = r.Run(context.Background())
		})
		t.Run("timers/"+name, func(t *testing.T) {
			r := reactor.New(c, new(record).option())
			for range 500 {
				var tm dclock.Timer
				tm = r.CallLater(1, func() { tm.Reset(1) })
			}
			for range 100 {
				var again func()
				again = func() { r.CallLater(0, again) }
				again()
			}
			started := make(chan struct{})
			r.Post(func() { close(started) })
			go func() { <-started; r.Post(func() { r.Post(r.Stop) }) }()
			_ = r.Run(context.Background())
		})
	}
}

// At most so many jobs run at a time; one that parks gives its slot to the
// next, and goes on without queueing.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3
		r := reactor.New(dclock.System(), reactor.Workers(n))
		running, most, delivered := 0, 0, 0
		var mu sync.Mutex
		work := func() {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
		}
		start := time.Now()
		for range 3 * n {
			r.Go(func() func() { work(); return func() { delivered++ } })
		}
		r.CallLater(3*time.Second+1, r.Stop)
		_ = r.Run(t.Context())
		if most != n || delivered != 3*n || time.Since(start) != 3*time.Second+1 {
			t.Errorf("%d ran at a time, want %d; %d delivered in %v", most, n, delivered, time.Since(start))
		}

		r = reactor.New(dclock.System(), new(record).option(), reactor.Workers(1))
		loop := seam.LoopOf(r)
		var d diary
		loop.Go(func(w seam.Worker) func() {
			d.add("1 parks")
			r.Post(func() {
				r.Go(func() func() { d.add("2 runs"); w.Ready(); time.Sleep(time.Second); d.add("2 ends"); return nil })
			})
			w.Park()
			d.add("1 goes on")
			return r.Stop
		})
		_ = r.Run(t.Context())
		time.Sleep(time.Minute)
		d.want(t, "1 parks", "2 runs", "1 goes on", "2 ends")
	})
}

// A panic or a Goexit of a job frees its slot.
func TestWorkers_that_do_not_return(t *testing.T) {
	everywhere(t, func(w *world) {
		w.r.Go(func() func() { runtime.Goexit(); return nil })
		w.r.Go(func() func() { panic("job") })
		w.r.Go(func() func() { return w.note("delivered") })
		w.begin()
		w.pass(time.Second)
		w.want(w.T, "delivered")
		w.log.want(w.T, "a job ended its goroutine", "a job panicked")
	}, reactor.Workers(1))
}

// Run does not wait for jobs; it names them.
func TestStop_while_jobs_run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		r := reactor.New(dclock.System(), log.option(), reactor.Workers(1), reactor.Birthplaces())
		r.Go(func() func() { time.Sleep(time.Hour); return func() { t.Error("delivered after Stop") } })
		r.Go(func() func() { t.Error("a job began after Stop"); return nil })
		r.CallLater(time.Second, r.Stop)
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
		log.want(t, "a job that had not begun, made at")
		time.Sleep(2 * time.Second)
		log.want(t, "jobs still run a second after the stop")
		time.Sleep(2 * time.Hour)
		log.want(t, "the result of a job")
	})
}

// A worker of a virtual clock that waits when its reactor stops is let go on.
func TestStop_ends_parked_workers(t *testing.T) {
	v := dclock.NewVirtual()
	r := reactor.New(v)
	loop := seam.LoopOf(r)
	var d diary
	loop.Go(func(w seam.Worker) func() {
		loop.Join(&seam.Member{Stopped: func(error) { w.Ready() }})
		w.Park()
		d.add("goes on")
		return nil
	})
	v.Advance(0)
	r.Stop()
	d.want(t, "goes on")
}

// Watch calls when the context ends: within that if it is the library's.
func TestWatch(t *testing.T) {
	everywhere(t, func(w *world) {
		w.begin()
		lib := lifetime.New(context.Background(), nil, nil)
		std, cancel := context.WithCancel(context.Background())
		w.loop.Watch(lib, w.note("library"))
		w.loop.Watch(std, w.note("standard"))
		w.loop.(seam.ParentWatcher).WatchParent(std, w.note("parent"))
		stop := w.loop.Watch(std, w.note("stopped"))
		if !stop() || !w.loop.Watch(context.Background(), nothing)() {
			w.Error("stop returned false")
		}
		lib.End(context.Canceled, nil)
		w.want(w.T, "library")
		cancel()
		w.pass(0)
		w.mu.Lock()
		n := len(w.lines)
		w.mu.Unlock()
		if n != 2 {
			w.Errorf("%d calls, want 2", n)
		}
		w.loop.Parked()()
	})
}

// A jumper is a clock that can jump, past the times of its timers.
type jumper struct {
	*dclock.Virtual
	ahead atomic.Int64
}

func (j *jumper) Now() time.Time { return j.Virtual.Now().Add(time.Duration(j.ahead.Load())) }

// aClock hides that a jumper is a Virtual.
type aClock struct{ dclock.Clock }

// On a clock that jumps, each timer sees its own time, delays count from it,
// and what was posted while the loop slept comes at the clock's time.
func TestClockThatJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jumper{Virtual: dclock.NewVirtual()}
		start := j.Now()
		r := reactor.New(aClock{j})
		var d diary
		at := func(what string) func() {
			return func() { d.add("%v %s", r.Now().Sub(start), what) }
		}
		ended := make(chan error)
		go func() { ended <- r.Run(context.Background()) }()
		n := 0
		var tick func()
		tick = func() {
			at("tick")()
			r.Post(at("post of a tick"))
			if n++; n < 3 {
				r.CallLater(10*time.Millisecond, tick)
			}
		}
		r.CallLater(10*time.Millisecond, tick)
		r.CallLater(25*time.Millisecond, at("25"))
		synctest.Wait()
		j.ahead.Store(int64(40 * time.Millisecond))
		r.Post(at("posted after the jump"))
		synctest.Wait()
		d.want(t, "10ms tick", "10ms post of a tick", "20ms tick", "20ms post of a tick", "25ms 25",
			"30ms tick", "30ms post of a tick", "40ms posted after the jump")
		r.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Mock.Set stops at each timer: to the loop it is no jump.
func TestMock(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			mock := clock.NewMock()
			r := reactor.New(dclock.From(mock))
			start := mock.Now()
			var d diary
			at := func(what string) func() {
				return func() { d.add("%v %s", r.Now().Sub(start), what) }
			}
			ended := make(chan error)
			go func() { ended <- r.Run(context.Background()) }()
			n := 0
			var tick func()
			tick = func() {
				at("tick")()
				r.Post(at("post of a tick"))
				r.CallLater(0, at("zero of a tick"))
				if n++; n < 3 {
					r.CallLater(10*time.Millisecond, tick)
				}
			}
			r.CallLater(10*time.Millisecond, tick)
			r.CallLater(25*time.Millisecond, at("25"))
			synctest.Wait()
			mock.Set(start.Add(40 * time.Millisecond))
			synctest.Wait()
			d.want(t, "10ms tick", "10ms post of a tick", "10ms zero of a tick",
				"20ms tick", "20ms post of a tick", "20ms zero of a tick",
				"25ms 25",
				"30ms tick", "30ms post of a tick", "30ms zero of a tick")
			if now := r.Now().Sub(start); now != 40*time.Millisecond {
				t.Errorf("Now() outside is %v", now)
			}
			mock.Add(time.Hour)
			r.Post(at("post"))
			synctest.Wait()
			d.want(t, "1h0m0.04s post")
			r.Stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// One timer is armed on the clock, never with a delay of 0 or less.
func TestLoop_arms_one_timer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{Clock: dclock.System()}
		r := reactor.New(c)
		for i := range 1000 {
			r.CallLater(time.Duration(i%100)*time.Millisecond, nothing)
		}
		r.CallLater(time.Second, r.Stop)
		_ = r.Run(t.Context())
		if c.timers != 1 || c.bad != 0 || c.resets > 101 {
			t.Errorf("%d timers, %d resets, %d with no delay", c.timers, c.resets, c.bad)
		}
	})
}

type counting struct {
	dclock.Clock
	timers, resets, bad int
}

func (c *counting) CallLater(d time.Duration, f func()) dclock.Timer {
	c.timers++
	if d <= 0 {
		c.bad++
	}
	return countingTimer{c.Clock.CallLater(d, f), c}
}

type countingTimer struct {
	dclock.Timer
	c *counting
}

func (t countingTimer) Reset(d time.Duration) bool {
	t.c.resets++
	if d <= 0 {
		t.c.bad++
	}
	return t.Timer.Reset(d)
}

// A clock that is moved between reading it and arming the timer: the loop
// reads it again after arming.
func TestLoop_reads_the_clock_after_arming(t *testing.T) {
	v := dclock.NewVirtual()
	c := &moving{v: v}
	r := reactor.New(c)
	r.CallLater(time.Second, r.Stop)
	if err := r.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// The clock is moved just when the loop arms its timer, which then stands later
// than it should: calls run when they are due all the same.
func TestLoop_whose_clock_moves_while_it_arms(t *testing.T) {
	for name, jump := range map[string]time.Duration{"to before it": 30 * time.Second, "past it": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := dclock.NewVirtual()
				r := reactor.New(&jumping{v: v, jump: jump})
				var log diary
				r.CallLater(time.Minute, func() { log.add("first") })
				done := make(chan error)
				go func() { done <- r.Run(t.Context()) }()
				synctest.Wait()
				v.Advance(max(0, time.Minute-jump))
				synctest.Wait()
				log.want(t, "first")
				r.CallLater(time.Second, func() { log.add("second") })
				v.Advance(time.Second)
				synctest.Wait()
				log.want(t, "second")
				r.Stop()
				<-done
			})
		})
	}
}

// jumping is a clock that jumps once, before it sets a timer.
type jumping struct {
	v    *dclock.Virtual
	jump time.Duration
}

func (c *jumping) Now() time.Time { return c.v.Now() }

func (c *jumping) CallLater(d time.Duration, f func()) dclock.Timer {
	c.v.Advance(c.jump)
	c.jump = 0
	return c.v.CallLater(d, f)
}

// moving is a clock that jumps past the deadline before the timer is armed,
// and whose timers never fire.
type moving struct {
	v   *dclock.Virtual
	add time.Duration
}

func (c *moving) Now() time.Time { return c.v.Now().Add(c.add) }

func (c *moving) CallLater(time.Duration, func()) dclock.Timer {
	c.add += time.Minute
	return c.v.CallLater(time.Hour, nothing)
}

// All at once, for the race detector.
func TestConcurrent_use(t *testing.T) {
	for range 20 {
		var log record
		r := reactor.New(dclock.System(), log.option())
		loop := seam.LoopOf(r)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 200 {
					switch (g + i) % 8 {
					case 0:
						r.Post(nothing)
					case 1:
						r.CallLater(time.Duration(i), nothing).Reset(time.Duration(i % 3))
					case 2:
						r.CallLater(time.Hour, nothing).Stop()
					case 3:
						r.Go(func() func() { return nothing })
					case 4:
						m := &seam.Member{Stopped: func(error) {}}
						if loop.Join(m) && i%2 == 0 {
							loop.Leave(m)
						}
					case 5:
						r.Now()
						_ = loop.Err()
					case 6:
						loop.(seam.Books).Timers()
						loop.(seam.Books).Workers()
					case 7:
						if g == 3 && i > 150 {
							r.Stop()
						}
					}
				}
			})
		}
		wg.Go(func() { _ = r.Run(context.Background()) })
		wg.Wait()
		r.Stop()
	}
}
