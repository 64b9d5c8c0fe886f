package clock_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// Drives: a step that returns the next one, and what runs outside of steps, at the
// begin and the end, between two events, and because a stop asks for it.

// ends runs f on a goroutine, which f may end.
func ends(f func()) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		f()
	}()
	<-over
}

// park returns a worker that waits, and then notes what.
func (r *rig) park(what string) (parked seam.Worker) {
	r.work(func(w seam.Worker) func() {
		parked = w
		w.Park()
		r.diary.add(what)
		return nil
	})
	r.Advance(0)
	return parked
}

// outside are the places where a drive calls something that is no step.
var outside = map[string]func(r *rig, f func()){
	"at the begin":     func(r *rig, f func()) { r.d.WatchParent(ended(), f) },
	"when all is done": func(r *rig, f func()) { r.CallLater(0, func() { r.d.WatchParent(ended(), f) }) },
	"between events":   func(r *rig, f func()) { r.d.Watch(ended(), f) },
	"Do":               func(r *rig, f func()) { r.CallLater(0, func() { r.d.Do(f) }) },
	"at the end":       func(r *rig, f func()) { r.CallLater(0, func() { r.d.Do(f); runtime.Goexit() }) },
	"a fence":          func(r *rig, f func()) { r.d.Fence(epoch.Add(time.Second), f) },
}

// All that a drive calls is marked as the loop's.
func TestOutside_a_step_is_on_the_loop(t *testing.T) {
	for name, call := range outside {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			called := false
			call(r, func() { called = mark.IsSet() && mark.Find() == mark.OnLoop })
			ends(func() { r.Advance(time.Minute) })
			if !called {
				t.Error("not called, or not as on a loop")
			}
		})
	}
}

// What ends the goroutine, or panics, outside a step leaves the clock usable, and
// those that are bound to the goroutine are told of a Goexit.
func TestGoexit_outside_a_step(t *testing.T) {
	for name, call := range outside {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			r.o.Lost = r.diary.note("lost")
			r.d.Bind(r.o)
			call(r, runtime.Goexit)
			ends(func() { r.Advance(time.Minute) })
			now := r.Now().Sub(epoch).String()
			r.diary.want(t, now+" lost")
			r.Advance(time.Minute)
		})
		if name == "at the end" {
			continue // within a Goexit a panic ends the process
		}
		t.Run(name+", a panic", func(t *testing.T) {
			r := newRig()
			call(r, func() { panic("for the drive") })
			mustPanic(t, func() { r.Advance(time.Minute) }, "for the drive")
			r.Advance(time.Minute)
		})
	}
}

// A stop that is asked for by a step which ends the goroutine is done all the
// same, with what comes of it: workers go on, and calls without delay are queued.
func TestStop_by_a_step_that_ends_the_drive(t *testing.T) {
	r := newRig()
	parked := r.park("the worker ends")
	r.d.Post(r.o, task(func() {
		r.d.Do(func() {
			r.d.Drop(r.o)
			parked.Ready()
			r.CallLater(0, r.diary.note("first"))
		})
		runtime.Goexit()
	}))
	ends(func() { r.Advance(0) })
	r.diary.want(t, "0s the worker ends")
	r.CallLater(0, r.diary.note("second"))
	r.Advance(0)
	r.diary.want(t, "0s first", "0s second")
}

// A worker that asks for a stop has its turn first, to its end or its next wait:
// so the order is always the same.
func TestStop_by_a_worker(t *testing.T) {
	r := newRig()
	r.work(func(w seam.Worker) func() {
		r.d.Do(r.diary.note("first stop"))
		yieldOften()
		r.diary.add("a worker waits")
		r.sleep(w, time.Second)
		r.d.Do(r.diary.note("second stop"))
		yieldOften()
		r.diary.add("it ends")
		return nil
	})
	r.Run()
	r.diary.want(t, "0s a worker waits", "0s first stop", "1s it ends", "1s second stop")
}

// So it is, too, if a coroutine asks that the worker runs within its turn.
func TestStop_by_a_coroutine_in_a_worker(t *testing.T) {
	r := newRig()
	r.work(func(w seam.Worker) func() {
		asked := make(chan struct{})
		go mark.Coroutine(func() {
			r.d.Do(r.diary.note("stop"))
			close(asked)
		})
		<-asked
		yieldOften()
		r.diary.add("a worker ends")
		return nil
	})
	r.Run()
	r.diary.want(t, "0s a worker ends", "0s stop")
}

// yieldOften gives a drive that does not wait the time to go on.
func yieldOften() {
	for range 1000 {
		runtime.Gosched()
	}
}

// A stop by others does not wait for a worker, which may wait for the stop.
func TestStop_by_others_beside_a_worker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		start := time.Now()
		begun, stopped := make(chan struct{}), make(chan struct{})
		r.work(func(seam.Worker) func() {
			close(begun)
			<-stopped
			return nil
		})
		go mark.Worker(func() { // as one of another clock
			<-begun
			both := make(chan struct{})
			r.d.Do(func() { <-both })
			r.d.Do(func() {})
			r.d.Do(func() { close(stopped) })
			close(both)
		})
		r.Advance(0)
		if took := time.Since(start); took != 0 {
			t.Errorf("the stop was done after %v", took)
		}
	})
}

// While a stop is done on another goroutine, because nobody drives, a drive waits
// for that: it is no second drive.
func TestDrive_waits_for_a_stop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		begun, leave := make(chan struct{}), make(chan struct{})
		go r.d.Do(func() {
			close(begun)
			<-leave
			r.diary.add("stopped")
		})
		<-begun
		go func() {
			synctest.Wait()
			close(leave)
		}()
		r.Advance(time.Second)
		r.diary.add("driven")
		r.diary.want(t, "0s stopped", "1s driven")
	})
}

// A goroutine that holds time may wait for a call without delay.
func TestHold_call_without_delay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		start := time.Now()
		release := r.Hold()
		go func() {
			defer release()
			for _, call := range []func(f func()){
				func(f func()) { r.CallLater(0, f) },
				func(f func()) { r.d.CallLater(r.o, -1, f) },
				func(f func()) { r.CallLater(time.Hour, f).Reset(0) },
				func(f func()) { r.d.Post(r.o, task(f)) },
			} {
				synctest.Wait() // the drive waits
				ran := make(chan struct{})
				call(func() { close(ran) })
				<-ran
			}
		}()
		r.Advance(0)
		if took := time.Since(start); took != 0 {
			t.Errorf("the drive took note after %v", took)
		}
	})
}

// A goroutine that holds time may wait for what comes of the end of a context.
func TestHold_end_of_a_context(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		start := time.Now()
		for _, watch := range []func(context.Context, func()) func() bool{r.d.Watch, r.d.WatchParent} {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			told := make(chan struct{})
			watch(ctx, func() { close(told) })
			for _, last := range []bool{false, true} { // held again in the next drive
				release := r.Hold()
				go func() {
					defer release()
					synctest.Wait() // the drive waits
					if last {
						cancel()
						<-told
					}
					ctx, cancel := context.WithCancel(t.Context())
					told := make(chan struct{})
					watch(ctx, func() { close(told) }) // while it is held
					synctest.Wait()
					cancel()
					<-told
				}()
				r.Advance(time.Second)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the drive took note after %v", took)
		}
	})
}

// Step does not wait for a Hold if time is not to move.
func TestStep_and_a_Hold(t *testing.T) {
	r := newRig()
	var release func()
	r.CallLater(0, func() { release = r.Hold() })
	if !r.Step() {
		t.Error("nothing ran")
	}
	release()
}

// Time ends, and what would be due after that is due then.
func TestEnd_of_time(t *testing.T) {
	r := newRig()
	r.AdvanceTo(epoch.AddDate(1000, 0, 0))
	end := r.Now()
	r.CallLater(time.Hour, func() {})
	r.Advance(0)
	if r.Pending() != 0 || r.Now() != end || end.Year() != 2292 {
		t.Errorf("it is %v, %d are scheduled", r.Now(), r.Pending())
	}
}

// panics is a context whose AfterFunc does.
type panics struct{ context.Context }

func (panics) AfterFunc(func()) func() bool { panic("a context's") }
func (panics) Value(any) any                { return nil } // it is none of package context

// What a context of somebody's does while a drive begins to listen to it comes out
// of the drive, which stays usable.
func TestHold_context_that_panics(t *testing.T) {
	r := newRig()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := r.d.Watch(panics{ctx}, func() {})
	release := r.Hold()
	mustPanic(t, func() { r.Advance(0) }, "a context's")
	stop()
	release()
	r.Advance(time.Second)
}

// steps is a task that notes its name and returns the next.
type steps struct {
	r    *rig
	left []string
	do   map[string]func()
}

func (s steps) Run() seam.Task {
	s.r.diary.add(s.left[0])
	if f := s.do[s.left[0]]; f != nil {
		f()
	}
	if len(s.left) == 1 {
		return nil
	}
	return steps{s.r, s.left[1:], s.do}
}

// What a step returns is queued after what the step has queued, and what is to be
// done between two events is done before it: so it is, too, if it is the only
// thing to do and needs no queue.
func TestStep_that_returns_the_next(t *testing.T) {
	for name, c := range map[string]struct {
		in   func(r *rig) // what the first step does
		want string
	}{
		"alone":         {func(*rig) {}, "a b c"},
		"posts":         {func(r *rig) { r.d.Post(r.o, task(r.diary.note("x"))) }, "a x b c"},
		"no delay":      {func(r *rig) { r.CallLater(0, r.diary.note("x")) }, "a b x c"},
		"of an owner":   {func(r *rig) { r.d.CallLater(r.o, 0, r.diary.note("x")) }, "a b x c"},
		"reset":         {func(r *rig) { r.CallLater(time.Hour, r.diary.note("x")).Reset(0) }, "a b x c"},
		"later":         {func(r *rig) { r.CallLater(1, r.diary.note("x")) }, "a b c"},
		"a job":         {func(r *rig) { r.work(func(seam.Worker) func() { r.diary.add("x"); return r.diary.note("y") }) }, "a x b y c"},
		"Do":            {func(r *rig) { r.d.Do(r.diary.note("x")) }, "a x b c"},
		"a stop":        {func(r *rig) { r.d.Do(func() { r.d.Drop(r.o) }) }, "a"},
		"a context":     {func(r *rig) { r.d.Watch(ended(), r.diary.note("x")) }, "a x b c"},
		"a due timer":   {func(r *rig) { r.CallLater(-1, r.diary.note("x")) }, "a b x c"},
		"a second step": {func(r *rig) { r.d.Post(r.o, steps{r, []string{"x", "y", "z"}, nil}) }, "a x b y c z"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			r.d.Post(r.o, steps{r, []string{"a", "b", "c"}, map[string]func(){"a": func() { c.in(r) }}})
			r.Advance(0)
			r.diary.want(t, strings.Split("0s "+strings.ReplaceAll(c.want, " ", ",0s "), ",")...)
		})
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A worker that is ready to go on does so before the step that is returned.
func TestStep_that_returns_the_next_wakes_a_worker(t *testing.T) {
	r := newRig()
	parked := r.park("goes on")
	r.d.Post(r.o, steps{r, []string{"a", "b", "c"}, map[string]func(){"a": func() { parked.Ready() }}})
	r.Advance(0)
	r.diary.want(t, "0s a", "0s goes on", "0s b", "0s c")
}

// Each step counts, also one that is returned.
func TestStep_that_returns_the_next_counts(t *testing.T) {
	r := newRig(clock.Limit(2))
	post := func() { r.d.Post(r.o, steps{r, []string{"a", "b", "c"}, nil}) }
	post()
	for _, want := range []string{"0s a", "0s b", "0s c"} {
		r.Step()
		r.diary.want(t, want)
	}
	post()
	mustPanic(t, r.Run, "more than 2 events")
	r.diary.want(t, "0s a", "0s b")
}

// At the end of time all is due at once.
func TestStep_that_returns_the_next_at_the_end_of_time(t *testing.T) {
	r := newRig()
	r.AdvanceTo(time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC))
	at := r.Now().Sub(epoch).String() + " "
	r.d.Post(r.o, steps{r, []string{"a", "b", "c"}, map[string]func(){"a": func() { r.CallLater(time.Second, r.diary.note("x")) }}})
	r.Advance(0)
	r.diary.want(t, at+"a", at+"b", at+"x", at+"c")
}
