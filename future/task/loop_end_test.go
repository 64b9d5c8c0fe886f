package task_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/testing/futuretest"
	"pgregory.net/rapid"
)

// This file has the ends of a run: Stop, Cancel, failures, the end of the
// reactor; and what comes after them.

// asker returns a Loop on c whose function returns, one after the other, the
// Deferreds of the Resolvers that it stores.
func asker(c clock.Clock) (l *task.Loop, asked *[]future.Resolver[int]) {
	asked = new([]future.Resolver[int])
	l = task.NewLoopFlat(c, func(int) *future.Deferred[int] {
		d, res := future.New[int]()
		*asked = append(*asked, res)
		return d
	})
	return l, asked
}

func TestStopWaitsForTheCallInProgress(t *testing.T) {
	for _, err := range []error{nil, errA} {
		v := clock.NewVirtual()
		l, asked := asker(v)
		d := l.Start(sec)
		if !l.Stop() || l.Stop() || l.Reset() {
			t.Error("Stop, Stop, Reset: not true, false, false")
		}
		pending(t, d)
		(*asked)[0].Settle(0, err)
		if _, got := d.Result(); got != err {
			t.Errorf("got %v, want %v", got, err)
		}
		idle(t, v)
	}
}

// Stop within the function: it returns first.
func TestStopInsideTheFunction(t *testing.T) {
	v := clock.NewVirtual()
	var l *task.Loop
	var d *future.Deferred[none]
	l = task.NewLoop(v, func(int) error {
		l.Stop()
		pending(t, d)
		return nil
	})
	d = l.StartLater(sec)
	v.Advance(sec)
	succeeded(t, d)
	idle(t, v)
}

func TestCancelBetweenCalls(t *testing.T) {
	for name, on := range map[string]func(v *clock.Virtual) clock.Clock{
		"bare":    func(v *clock.Virtual) clock.Clock { return v },
		"reactor": func(v *clock.Virtual) clock.Clock { return reactor.New(v) },
	} {
		t.Run(name, func(t *testing.T) {
			v := clock.NewVirtual()
			l := task.NewLoop(on(v), func(int) error { return nil })
			for _, passed := range []time.Duration{0, 5 * sec / 2} {
				d := l.StartLater(sec)
				v.Advance(passed)
				if !d.Cancel(errA) {
					t.Error("was not pending")
				}
				failed(t, d, errA)
				failed(t, d, future.ErrCanceled)
				idle(t, v)
				if l.Stop() {
					t.Error("it is running")
				}
			}
		})
	}
}

// A cancel during a call goes to what the function has returned, and the answer
// stands.
func TestCancelDuringACall(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(res future.Resolver[int], cause error) // the canceller
		want   error                                       // at once
	}{
		{"canceled", func(future.Resolver[int], error) {}, future.ErrCanceled},
		{"failed", func(res future.Resolver[int], _ error) { res.Fail(errA) }, errA},
		{"with the cause", func(res future.Resolver[int], cause error) { res.Fail(cause) }, errA},
		{"succeeded", func(res future.Resolver[int], _ error) { res.Succeed(1) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := clock.NewVirtual()
			l, asked := asker(v)
			d := l.Start(sec)
			(*asked)[0].OnCancel(func(cause error) { c.answer((*asked)[0], cause) })
			d.Cancel(errA)
			if _, err := d.Result(); c.want == nil && err != nil || !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", d, c.want)
			}
			idle(t, v)
			if l.Stop() {
				t.Error("it is running")
			}
		})
	}
}

// Who takes his time to answer is waited for; a second cancel finds him too.
func TestCancelWaitsForTheAnswer(t *testing.T) {
	for _, again := range []bool{false, true} {
		v := clock.NewVirtual()
		answer, res := future.New[int]()
		asks := 0
		l := task.NewLoopFlat(v, func(int) *future.Deferred[int] {
			in, first := future.New[int]()
			first.OnCancel(func(error) {
				asks++
				first.Follow(answer)
			})
			return in
		})
		d := l.Start(sec)
		d.Cancel(errA)
		pending(t, d)
		if l.Stop() {
			t.Error("it is running")
		}
		if again {
			d.Cancel(nil)
			failed(t, d, future.ErrCanceled)
		} else {
			res.Succeed(1)
			succeeded(t, d)
		}
		if asks != 1 {
			t.Errorf("asked %d times", asks)
		}
		idle(t, v)
	}
}

// A cancel while the function runs is remembered, as for a callback.
func TestCancelInsideTheFunction(t *testing.T) {
	v := clock.NewVirtual()
	var d *future.Deferred[none]
	returns := future.Succeed(1)
	l := task.NewLoopFlat(v, func(int) *future.Deferred[int] {
		d.Cancel(errA)
		pending(t, d)
		return returns
	})
	d = l.StartLater(sec)
	v.Advance(sec)
	succeeded(t, d)

	returns = future.Fail[int](context.DeadlineExceeded)
	d = l.StartLater(sec)
	v.Advance(sec)
	failed(t, d, context.DeadlineExceeded)

	returns, _ = future.New[int]()
	d = l.StartLater(sec)
	v.Advance(sec)
	failed(t, d, future.ErrCanceled)
	failed(t, d, errA)
	failed(t, future.Then(returns, func(int) (none, error) { return none{}, nil }), errA)
	idle(t, v)
}

// If others wait for what the function has returned, a cancel leaves it to them.
func TestCancelLeavesWhatOthersWaitFor(t *testing.T) {
	v := clock.NewVirtual()
	in, res := future.New[int]()
	other := future.Then(in, func(n int) (int, error) { return n, nil })
	d := task.NewLoopFlat(v, func(int) *future.Deferred[int] { return in }).Start(sec)
	d.Cancel(errA)
	failed(t, d, future.ErrCanceled)
	res.Succeed(7)
	if n, err := other.Result(); n != 7 || err != nil {
		t.Errorf("got %v", other)
	}
}

// A Timeout of the Deferred of Start bounds the loop.
func TestTimeoutOfALoop(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	d := task.NewLoop(v, log.calls(v)).Start(sec).Timeout(v, 5*sec/2)
	v.Advance(10 * sec)
	log.want(t, "0; 1; 2")
	failed(t, d, context.DeadlineExceeded)
	idle(t, v)
}

// Stop and Start while the first run still waits: both come to their own ends.
func TestRestartWhileTheOldRunWaits(t *testing.T) {
	v := clock.NewVirtual()
	l, asked := asker(v)
	first := l.Start(sec)
	l.Stop()
	v.Advance(sec / 2)
	second := l.Start(sec)
	(*asked)[0].Succeed(0)
	succeeded(t, first)
	pending(t, second)
	(*asked)[1].Succeed(0)
	v.Advance(sec)
	if len(*asked) != 3 {
		t.Errorf("%d calls, want 3", len(*asked))
	}
	l.Stop()
	pending(t, second)
	(*asked)[2].Fail(errA)
	failed(t, second, errA)
	idle(t, v)
}

// The same in the other order, and the failure of the old run leaves the new one
// alone.
func TestRestartAndTheOldRunFailsLast(t *testing.T) {
	v := clock.NewVirtual()
	l, asked := asker(v)
	first := l.Start(sec)
	l.Stop()
	second := l.Start(sec)
	(*asked)[1].Succeed(0)
	(*asked)[0].Fail(errA)
	failed(t, first, errA)
	pending(t, second)
	v.Advance(sec)
	if len(*asked) != 3 || !l.Stop() {
		t.Errorf("%d calls, want 3, and a loop that runs", len(*asked))
	}
}

// A cancel of the old run leaves the new one alone as well.
func TestRestartAndTheOldRunIsCanceled(t *testing.T) {
	v := clock.NewVirtual()
	l, asked := asker(v)
	first := l.Start(sec)
	l.Stop()
	second := l.Start(sec)
	first.Cancel(nil)
	failed(t, first, future.ErrCanceled)
	(*asked)[1].Succeed(0)
	v.Advance(sec)
	if len(*asked) != 3 || !l.Stop() {
		t.Errorf("%d calls, want 3, and a loop that runs", len(*asked))
	}
	pending(t, second)
}

func TestRestartInsideTheFunction(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	var l *task.Loop
	var second *future.Deferred[none]
	l = task.NewLoop(v, func(int) error {
		log.add("%g", since(v))
		if second == nil {
			l.Stop()
			second = l.StartLater(3 * sec)
		}
		return nil
	})
	first := l.Start(sec)
	succeeded(t, first)
	v.Advance(7 * sec)
	log.want(t, "0; 3; 6")
	pending(t, second)
	l.Stop()
	succeeded(t, second)
	idle(t, v)
}

func TestStartWhileRunningPanics(t *testing.T) {
	l, _ := asker(clock.NewVirtual())
	l.Start(sec)
	mustPanic(t, func() { l.Start(sec) }, "task: Start: the Loop is running", "Stop first", "a second one")
	mustPanic(t, func() { l.StartLater(sec) }, "task: StartLater: the Loop is running")
	if !l.Stop() { // and has not deadlocked
		t.Error("it is not running")
	}
}

func TestMisusePanics(t *testing.T) {
	v := clock.NewVirtual()
	mustPanic(t, func() { task.NewLoop(nil, beat) }, "task: NewLoop: nil clock.Clock", "reactor")
	mustPanic(t, func() { task.NewLoop(v, nil) }, "task: NewLoop: nil function")
	mustPanic(t, func() { task.NewLoopFlat[int](v, nil) }, "task: NewLoopFlat: nil function")
	mustPanic(t, func() { task.NewLoopFlat(nil, func(int) *future.Deferred[int] { return nil }) }, "task: NewLoopFlat: nil clock.Clock")
	for verb, use := range map[string]func(l *task.Loop){
		"Start":       func(l *task.Loop) { l.Start(sec) },
		"StartLater":  func(l *task.Loop) { l.StartLater(sec) },
		"Stop":        func(l *task.Loop) { l.Stop() },
		"Running":     func(l *task.Loop) { l.Running() },
		"Reset":       func(l *task.Loop) { l.Reset() },
		"SetInterval": func(l *task.Loop) { l.SetInterval(sec) },
	} {
		mustPanic(t, func() { use(new(task.Loop)) }, "task: "+verb+": a nil or zero Loop", "NewLoop")
		mustPanic(t, func() { use(nil) }, "task: "+verb+": a nil or zero Loop")
	}
}

// Running is what Stop would report, inside the function, too.
func TestRunning(t *testing.T) {
	v := clock.NewVirtual()
	var l *task.Loop
	calls := 0
	l = task.NewLoop(v, func(int) error {
		if calls++; !l.Running() {
			t.Error("not running in a call")
		}
		if calls == 3 {
			return errA
		}
		return nil
	})
	want := func(when string, want bool) {
		t.Helper()
		if got := l.Running(); got != want {
			t.Errorf("%s: running: %v", when, got)
		}
	}
	want("before Start", false)
	d := l.Start(sec)
	want("between two calls", true)
	l.Stop()
	want("after Stop", false)
	succeeded(t, d)
	d = l.StartLater(sec)
	want("before the first call", true)
	v.Advance(5 * sec)
	want("after a failure", false)
	failed(t, d, errA)

	flat, asked := asker(v)
	d = flat.Start(sec)
	flat.Stop()
	if flat.Running() {
		t.Error("running after Stop, while the last call waits")
	}
	(*asked)[0].Succeed(1)
	succeeded(t, d)
}

// What a function can do wrong fails its loop.
func TestFailuresOfTheFunction(t *testing.T) {
	var own *future.Deferred[none]
	for _, c := range []struct {
		name string
		f    func() *future.Deferred[none]
		is   error
		text string
	}{
		{"an error", func() *future.Deferred[none] { return future.Fail[none](errA) }, errA, "a"},
		{"a panic", func() *future.Deferred[none] { panic("oops") }, failure.ErrPanic, "oops"},
		{"nil", func() *future.Deferred[none] { return nil }, nil, "task: the function of a Loop returned a nil *Deferred: return"},
		{"its own Deferred", func() *future.Deferred[none] { return own }, nil, "waits for itself"},
		{"its own Deferred, canceled", func() *future.Deferred[none] { own.Cancel(nil); return own }, nil, "waits for itself"},
		{"ErrPending", func() *future.Deferred[none] { return future.Fail[none](future.ErrPending) }, future.ErrPending, "pending"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := clock.NewVirtual()
			l := task.NewLoopFlat(v, func(int) *future.Deferred[none] { return c.f() })
			own = l.StartLater(sec)
			ended := future.Handle(own, func(_ none, err error) (error, error) { return err, nil })
			v.Advance(sec)
			err, pending := ended.Result()
			if pending != nil || err == nil || !strings.Contains(err.Error(), c.text) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, %v, want %q", err, pending, c.text)
			}
			idle(t, v)
			if l.Stop() {
				t.Error("it is running")
			}
		})
	}
}

// A function that returns what waits for the Deferred of Start, by way of others,
// waits for itself as well.
func TestLoopThatWaitsForItselfByWayOfOthers(t *testing.T) {
	for _, within := range []bool{false, true} {
		v := clock.NewVirtual()
		var own *future.Deferred[none]
		own = task.NewLoopFlat(v, func(int) *future.Deferred[int] {
			in := future.Then(own, func(none) (int, error) { return 1, nil })
			if within {
				own.Cancel(errA)
			}
			return in
		}).StartLater(sec)
		v.Advance(sec)
		ended := future.Handle(own, func(_ none, err error) (error, error) { return err, nil })
		if err, pending := ended.Result(); pending != nil || err == nil || !strings.Contains(err.Error(), "waits for itself") {
			t.Errorf("got %v, %v", err, pending)
		}
		idle(t, v)
	}
}

// The failure of a Deferred goes on as it is, with where it came from.
func TestAFailureKeepsItsOrigin(t *testing.T) {
	for _, settled := range []bool{true, false} {
		r, _ := futuretest.New(t)
		in, res := future.NewOn[int](r)
		l := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return future.Then(in, refuse) })
		if settled {
			res.Succeed(1)
		}
		d := l.Start(sec)
		if !settled {
			futuretest.Pending(t, d)
			res.Succeed(1)
		}
		if err := futuretest.Failure(t, d); err != errA {
			t.Errorf("got %v", err)
		}
		if text := fmt.Sprintf("%+v", d); !strings.Contains(text, "task_test.refuse") {
			t.Errorf("%s does not name the callback", text)
		}
	}
}

func refuse(int) (int, error) { return 0, errA }

// A failure that nobody looks at is reported once.
func TestUnhandledFailureIsReportedOnce(t *testing.T) {
	r, _ := futuretest.New(t)
	task.NewLoop(r, func(int) error { return errA }).Start(sec)
	task.NewLoopFlat(r, func(int) *future.Deferred[int] { return future.Fail[int](errA) }).Start(sec)
	in, res := future.NewOn[int](r)
	task.NewLoopFlat(r, func(int) *future.Deferred[int] { return in }).Start(sec)
	if errs := futuretest.Unhandled(t, r); len(errs) != 2 {
		t.Errorf("got %v, want 2", errs)
	}
	res.Fail(errA)
	if errs := futuretest.Unhandled(t, r); len(errs) != 1 {
		t.Errorf("got %v, want 1", errs)
	}
	asked, res := future.NewOn[int](r)
	res.OnCancel(func(error) { res.Fail(errA) })
	canceled := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return asked }).Start(sec)
	futuretest.Pending(t, canceled)
	canceled.Cancel(nil)
	if err := futuretest.Failure(t, canceled); err != errA { // which handles it
		t.Errorf("got %v", err)
	}
	if errs := futuretest.Unhandled(t, r); len(errs) != 0 {
		t.Errorf("got %v, want none", errs)
	}
}

// runtime.Goexit, and so t.FailNow, fails the run; a reactor goes on.
func TestGoexitOfTheFunction(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	d := task.NewLoop(r, func(int) error { runtime.Goexit(); return nil }).StartLater(sec)
	ended := make(chan none)
	go func() {
		defer close(ended)
		clk.Advance(sec)
	}()
	<-ended
	failed(t, d, failure.ErrGoexit)
	clk.Advance(0)
	idle(t, clk)
}

// A control panic of a property tester goes on its way.
func TestControlPanicPassesThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := clock.NewVirtual()
		d := task.NewLoop(v, func(int) error { t.SkipNow(); return nil }).StartLater(sec)
		func() {
			defer func() {
				failed(probe{}, d, failure.ErrPanic)
				if rapid.Bool().Draw(t, "shrunk") {
					recover()
				}
			}()
			v.Advance(sec)
			probe{}.Errorf("the panic did not pass")
		}()
	})
}

// probe is a testing.TB that does not return from a failure.
type probe struct{ testing.TB }

func (probe) Helper()                           {}
func (probe) Errorf(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

func TestReactorStops(t *testing.T) {
	for _, c := range []struct {
		name  string
		start func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none]
	}{
		{"between calls", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			d := task.NewLoop(r, beat).Start(sec)
			clk.Advance(sec)
			return d
		}},
		{"before the first", func(r *reactor.Reactor, _ *clock.Virtual) *future.Deferred[none] {
			return task.NewLoop(r, beat).StartLater(sec)
		}},
		{"during a call", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			d := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return future.After(r, sec, 0) }).Start(sec)
			clk.Advance(0)
			return d
		}},
		{"while it waits for another's", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			in, _ := future.New[int]()
			d := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return in }).Start(sec)
			clk.Advance(0)
			return d
		}},
		{"after Stop, while it waits", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			in, _ := future.New[int]()
			l := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return in })
			d := l.Start(sec)
			clk.Advance(0)
			l.Stop()
			return d
		}},
		{"inside the function", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			d := task.NewLoop(r, func(int) error { r.Stop(); return nil }).StartLater(sec)
			clk.Advance(sec)
			return d
		}},
		{"before Start", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			r.Stop()
			return task.NewLoop(r, beat).Start(sec)
		}},
		{"before StartLater", func(r *reactor.Reactor, clk *clock.Virtual) *future.Deferred[none] {
			r.Stop()
			return task.NewLoop(r, beat).StartLater(sec)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, clk := futuretest.New(t) // fails for a failure that nobody handled
			d := c.start(r, clk)
			r.Stop()
			idle(t, clk)
			errs := futuretest.Unhandled(t, r)
			if len(errs) != 0 {
				t.Errorf("unhandled: %v", errs)
			}
			failed(t, d, reactor.ErrStopped)
		})
	}
}

// A run that has ended, in whatever way, is no member of its reactor any more,
// so nothing holds it.
func TestAnEndedRunIsGarbage(t *testing.T) {
	for name, end := range map[string]func(l *task.Loop, d *future.Deferred[none], clk *clock.Virtual, res future.Resolver[int]){
		"Stop": func(l *task.Loop, _ *future.Deferred[none], _ *clock.Virtual, _ future.Resolver[int]) { l.Stop() },
		"Stop during a call": func(l *task.Loop, _ *future.Deferred[none], clk *clock.Virtual, res future.Resolver[int]) {
			clk.Advance(sec)
			l.Stop()
			res.Succeed(1)
		},
		"a failure": func(_ *task.Loop, _ *future.Deferred[none], clk *clock.Virtual, res future.Resolver[int]) {
			clk.Advance(sec)
			res.Fail(errA)
		},
		"Cancel": func(_ *task.Loop, d *future.Deferred[none], _ *clock.Virtual, _ future.Resolver[int]) { d.Cancel(nil) },
		"Cancel during a call": func(_ *task.Loop, d *future.Deferred[none], clk *clock.Virtual, _ future.Resolver[int]) {
			clk.Advance(sec)
			d.Cancel(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clk := clock.NewVirtual()
			r := reactor.New(clk)
			gone := make(chan none)
			func() {
				big := new([1 << 20]byte)
				runtime.AddCleanup(big, func(none) { close(gone) }, none{})
				in, res := future.New[int]()
				l := task.NewLoopFlat(r, func(int) *future.Deferred[int] { big[0]++; return in })
				d := l.StartLater(sec)
				d.Catch(func(error) (none, error) { return none{}, nil })
				end(l, d, clk, res)
				clk.Advance(0)
			}()
			for range 100 {
				runtime.GC()
				select {
				case <-gone:
					runtime.KeepAlive(r)
					return
				default:
					runtime.Gosched()
				}
			}
			t.Error("the run is still held")
		})
	}
}
