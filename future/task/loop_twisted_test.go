package task_test

import (
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// This file has what Twisted's tests of its looping call ask for, under their
// names: LoopTests first, then ReactorLoopTests.

// A function that takes longer than the interval: what it missed is skipped, and
// the next call is back on the grid.
func TestLoopCallbackTimeSkips(t *testing.T) {
	var c lateClock
	var log journal
	l := task.NewLoop(&c, func(int) error {
		log.add("%g", since(&c))
		c.now += 15 * sec / 10
		return nil
	})
	l.Start(sec) // until 1.5
	log.want(t, "0")
	c.advance(sec / 2) // the grid point at 2, until 3.5
	log.want(t, "2")
	c.advance(sec / 2)
	log.want(t, "4")

	// One that ends on a grid point does not run there again.
	c = lateClock{}
	l = task.NewLoop(&c, func(int) error {
		log.add("%g", since(&c))
		c.now += 2 * sec
		return nil
	})
	l.Start(sec)
	c.advance(0)
	c.advance(sec)
	log.want(t, "0; 3")
}

// A clock that is late gets one call each time, not one for each point missed.
func TestLoopReactorTimeSkips(t *testing.T) {
	var c lateClock
	var log journal
	task.NewLoop(&c, log.calls(&c)).Start(sec)
	for _, d := range []time.Duration{0, 2500, 500, 1000, 20, 480, 500} {
		c.advance(d * time.Millisecond)
	}
	log.want(t, "0; 2.5; 3; 4; 5")
}

func TestLoopReactorTimeCountSkips(t *testing.T) {
	var c lateClock
	var log journal
	task.NewLoop(&c, log.counts(&c)).Start(sec / 2)
	for _, d := range []time.Duration{500, 1700, 0, 300} {
		c.advance(d * time.Millisecond)
	}
	log.want(t, "0 n=1; 0.5 n=1; 2.2 n=3; 2.5 n=1")
}

// Late by less than an interval still counts one.
func TestLoopCountLengthyIntervalCounts(t *testing.T) {
	var c lateClock
	var log journal
	task.NewLoop(&c, log.counts(&c)).StartLater(sec / 2)
	for _, to := range []time.Duration{500, 875, 1000, 1375, 1500} {
		c.advance(to*time.Millisecond - c.now)
	}
	log.want(t, "0.5 n=1; 1 n=1; 1.5 n=1")

	c, log = lateClock{}, journal{}
	task.NewLoop(&c, log.counts(&c)).Start(sec)
	c.advance(2750 * time.Millisecond)
	c.advance(250 * time.Millisecond)
	log.want(t, "0 n=1; 2.75 n=2; 3 n=1")
}

// Intervals that are no round numbers do not add up to errors: the function is
// never called with 0, and the counts sum to elapsed/interval.
func TestLoopWithCountFloatingPointBoundary(t *testing.T) {
	v := clock.NewVirtual()
	const every = 123456789 * time.Nanosecond / 1000
	const calls = 10_000
	sum, least := 0, 1
	l := task.NewLoop(v, func(n int) error {
		sum += n
		least = min(least, n)
		return nil
	})
	l.StartLater(every)
	for range calls {
		v.Advance(every)
	}
	if sum != calls || least != 1 {
		t.Errorf("counts sum to %d, the least is %d; want %d and 1", sum, least, calls)
	}
}

// With an interval of 0 there is one call a turn, and n is always 1.
func TestLoopWithCountIntervalZero(t *testing.T) {
	var c lateClock
	var log journal
	task.NewLoop(&c, log.counts(&c)).StartLater(0)
	for _, d := range []time.Duration{0, 1, 10, 0} {
		c.advance(d * sec)
	}
	log.want(t, "0 n=1; 1 n=1; 11 n=1; 11 n=1")
}

func TestLoopWithCountIntervalZeroDelay(t *testing.T) {
	var c lateClock
	var log journal
	d, res := future.New[int]()
	l := task.NewLoopFlat(&c, func(n int) *future.Deferred[int] {
		log.add("%g n=%d", since(&c), n)
		if len(log.lines) == 2 {
			return d
		}
		return future.Succeed(0)
	})
	l.StartLater(0)
	for range 5 {
		c.advance(sec)
	}
	log.want(t, "1 n=1; 2 n=1")
	res.Succeed(0)
	log.want(t, "") // not within the call that settles
	c.advance(sec)
	c.advance(sec)
	log.want(t, "6 n=1; 7 n=1")
}

func TestLoopWithCountIntervalZeroDelayThenNonZeroInterval(t *testing.T) {
	var c lateClock
	var log journal
	d, res := future.New[int]()
	l := task.NewLoopFlat(&c, func(n int) *future.Deferred[int] {
		log.add("%g n=%d", since(&c), n)
		if len(log.lines) == 2 {
			return d
		}
		return future.Succeed(0)
	})
	l.StartLater(0)
	c.advance(0)
	for range 5 {
		c.advance(sec)
	}
	log.want(t, "0 n=1; 1 n=1")
	l.SetInterval(2 * sec)
	res.Succeed(0)
	for range 4 {
		c.advance(sec)
	}
	log.want(t, "6 n=3; 8 n=1")
}

func TestLoopBasicFunction(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.calls(v))
	d := l.Start(sec / 10)
	log.want(t, "0")
	v.Advance(199 * time.Millisecond)
	log.want(t, "0.1")
	v.Advance(time.Millisecond)
	log.want(t, "0.2")
	pending(t, d)
	if !l.Stop() {
		t.Error("Stop: was not running")
	}
	succeeded(t, d)
	idle(t, v)
	v.Advance(sec)
	log.want(t, "")
	if l.Stop() || l.Reset() {
		t.Error("Stop, Reset: was running")
	}
}

func TestLoopDelayedStart(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.counts(v))
	d := l.StartLater(sec)
	log.want(t, "")
	v.Advance(2 * sec)
	log.want(t, "1 n=1; 2 n=1")
	l.Stop()
	succeeded(t, d)
}

func TestLoopBadDelay(t *testing.T) {
	l := task.NewLoop(clock.NewVirtual(), func(int) error { return nil })
	mustPanic(t, func() { l.Start(-1) }, "task: Start: interval -1ns", "0")
	mustPanic(t, func() { l.StartLater(-1) }, "task: StartLater: interval -1ns", "0")
	mustPanic(t, func() { l.SetInterval(-1) }, "task: SetInterval: interval -1ns", "0")
	if l.Stop() {
		t.Error("it is running")
	}
}

func stopFirst(t *testing.T, interval time.Duration) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.calls(v))
	d := l.StartLater(interval)
	l.Stop()
	succeeded(t, d)
	idle(t, v)
	v.Advance(10 * interval)
	log.want(t, "")
}

func TestLoopStopAtOnce(t *testing.T)                 { stopFirst(t, 0) }
func TestLoopStoppingBeforeDelayedStart(t *testing.T) { stopFirst(t, 10*sec) }

func TestLoopReset(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.counts(v))
	l.Start(10 * sec)
	v.Advance(13 * sec)
	if !l.Reset() {
		t.Error("Reset: was not running")
	}
	v.Advance(22 * sec)
	log.want(t, "0 n=1; 10 n=1; 23 n=1; 33 n=1")
}

func beat(int) error { return nil }

func TestLoopReprFunction(t *testing.T) {
	l := task.NewLoop(clock.NewVirtual(), beat)
	if got := l.String(); got != "task.Loop(task_test.beat, stopped)" {
		t.Error(got)
	}
	l.Start(sec)
	if got := l.String(); got != "task.Loop(task_test.beat, every 1s)" {
		t.Error(got)
	}
	flat := task.NewLoopFlat(clock.NewVirtual(), func(int) *future.Deferred[int] { return nil })
	if got := flat.String(); !strings.HasPrefix(got, "task.Loop(task_test.TestLoopReprFunction") {
		t.Error(got)
	}
}

func TestReactorLoopFailure(t *testing.T) {
	r, clk := futuretest.New(t)
	calls := 0
	d := task.NewLoop(r, func(int) error {
		calls++
		return errA
	}).Start(sec)
	if err := futuretest.Failure(t, d); err != errA {
		t.Errorf("got %v", err)
	}
	clk.Advance(10 * sec)
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestReactorLoopFailAndStop(t *testing.T) {
	r, clk := futuretest.New(t)
	var l *task.Loop
	l = task.NewLoop(r, func(int) error {
		l.Stop()
		return errA
	})
	d := l.Start(sec)
	if err := futuretest.Failure(t, d); err != errA {
		t.Errorf("got %v", err)
	}
	idle(t, clk)
}

// An interval of 0 is one call a turn: posts and timers that are due have theirs
// in between.
func TestReactorLoopEveryIteration(t *testing.T) {
	r, clk := futuretest.New(t)
	var log journal
	var l *task.Loop
	l = task.NewLoop(r, func(n int) error {
		log.add("call n=%d", n)
		r.Post(func() { log.add("post") })
		r.CallLater(0, func() { log.add("timer") })
		if len(log.lines) >= 7 {
			l.Stop()
		}
		return nil
	})
	d := l.Start(0)
	log.want(t, "")
	clk.Advance(0)
	log.want(t, "call n=1; post; timer; call n=1; post; timer; call n=1; post; timer")
	succeeded(t, d)
}

func TestReactorLoopStopAtOnceLater(t *testing.T) {
	r, clk := futuretest.New(t)
	l := task.NewLoop(r, func(int) error {
		t.Error("called")
		return nil
	})
	var d *future.Deferred[none]
	r.CallLater(0, func() { l.Stop() })
	d = l.StartLater(0)
	clk.Advance(0)
	succeeded(t, d)

	d = l.Start(sec) // its first call is posted
	l.Stop()
	clk.Advance(0)
	succeeded(t, d)
}

func TestReactorLoopWaitDeferred(t *testing.T) {
	r, clk := futuretest.New(t)
	var log journal
	var l *task.Loop
	l = task.NewLoopFlat(r, func(int) *future.Deferred[none] {
		log.add("%g", since(clk))
		if len(log.lines) == 2 {
			l.Stop()
		}
		return future.After(r, 2500*time.Millisecond, none{})
	})
	d := l.Start(sec)
	clk.Advance(4 * sec)
	log.want(t, "0; 3")
	pending(t, d)
	clk.Advance(2 * sec)
	succeeded(t, d)
	log.want(t, "")
}

func TestReactorLoopFailurePropagation(t *testing.T) {
	r, clk := futuretest.New(t)
	in, res := future.NewOn[int](r)
	l := task.NewLoopFlat(r, func(int) *future.Deferred[int] { return in })
	d := l.Start(sec)
	clk.Advance(10 * sec)
	pending(t, d)
	res.Fail(errA)
	if err := futuretest.Failure(t, d); err != errA {
		t.Errorf("got %v", err)
	}
	idle(t, clk)
	if l.Stop() {
		t.Error("it is running")
	}
}

func TestReactorLoopDeferredWithCount(t *testing.T) {
	r, clk := futuretest.New(t)
	var log journal
	l := task.NewLoopFlat(r, func(n int) *future.Deferred[none] {
		log.add("%g n=%d", since(clk), n)
		if len(log.lines) == 1 {
			return future.After(r, 25*sec/10, none{})
		}
		return future.Succeed(none{})
	})
	l.Start(sec)
	clk.Advance(4 * sec)
	l.Stop()
	log.want(t, "0 n=1; 3 n=3; 4 n=1")
}

// The Deferred of Start is the reactor's, and so are its callbacks.
func TestReactorLoopCallbacksRunOnTheLoop(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	var log journal
	l := task.NewLoop(r, log.calls(clk))
	future.Then(l.Start(sec), func(none) (none, error) {
		log.add("ended")
		return none{}, nil
	})
	log.want(t, "")
	clk.Advance(0)
	l.Stop()
	log.want(t, "0")
	clk.Advance(0)
	log.want(t, "ended")
}
