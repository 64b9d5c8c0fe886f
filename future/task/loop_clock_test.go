package task_test

import (
	"math"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// A bentClock tells another time than the Virtual that calls.
type bentClock struct {
	*clock.Virtual
	grain time.Duration // it tells no finer time
	shift time.Duration // it was set back or forth
}

func (c *bentClock) Now() time.Time { return c.Virtual.Now().Truncate(c.grain).Add(c.shift) }

// On a clock that is coarser than its timers a call that comes too early is put
// off, so no grid point has two.
func TestCoarseClock(t *testing.T) {
	c := &bentClock{Virtual: clock.NewVirtual(), grain: 10 * time.Millisecond}
	var log journal
	task.NewLoop(c, log.counts(c)).Start(15 * time.Millisecond)
	c.Advance(100 * time.Millisecond)
	log.want(t, "0 n=1; 0.02 n=1; 0.03 n=1; 0.05 n=1; 0.06 n=1; 0.08 n=1; 0.09 n=1")
}

// A clock that is set back makes the loop neither wait until it has caught up,
// nor call twice for one grid point.
func TestClockIsSetBack(t *testing.T) {
	c := &bentClock{Virtual: clock.NewVirtual(), grain: 1}
	var log journal
	l := task.NewLoop(c, log.counts(c))
	l.Start(sec)
	c.Advance(3 * sec)
	log.want(t, "0 n=1; 1 n=1; 2 n=1; 3 n=1")
	c.shift = -1000*sec - sec/2
	c.Advance(5 * sec / 2)
	log.want(t, "-996 n=1; -995 n=1")
	c.shift = 0
	c.Advance(sec)
	log.want(t, "6.5 n=1001")
}

// Intervals of centuries do no harm.
func TestLongestInterval(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.counts(v))
	l.Start(math.MaxInt64)
	v.Advance(sec)
	l.SetInterval(1 << 62)
	l.Reset()
	v.Advance(1 << 62)
	v.Advance(1 << 61)
	log.want(t, "0 n=1; 4.611686019427388e+09 n=1")
	idleAfter(t, v, l)
}

// A lateExecutor is an Executor that is no reactor of this module.
type lateExecutor struct{ lateClock }

func (c *lateExecutor) Post(f func()) { c.CallLater(0, f) }

// On any Executor no call is made within Start, the start is a grid point all
// the same, and callbacks are posted.
func TestOnAnExecutorOfOnesOwn(t *testing.T) {
	var c lateExecutor
	var log journal
	l := task.NewLoop(&c, log.counts(&c))
	future.Then(l.Start(sec), func(none) (none, error) {
		log.add("ended")
		return none{}, nil
	})
	log.want(t, "")
	c.advance(25 * sec / 10)
	c.advance(sec)
	log.want(t, "2.5 n=3; 3.5 n=1")
	l.Stop()
	log.want(t, "")
	c.advance(0)
	log.want(t, "ended")
}

func idleAfter(t *testing.T, v *clock.Virtual, l *task.Loop) {
	t.Helper()
	if !l.Stop() {
		t.Error("it is not running")
	}
	idle(t, v)
}

// SetInterval leaves the next call where it is, the grid has the new interval
// after that; a Reset takes it at once.
func TestSetInterval(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	l := task.NewLoop(v, log.counts(v))
	l.Start(10 * sec)
	v.Advance(sec)
	l.SetInterval(3 * sec)
	v.Advance(15 * sec)
	log.want(t, "0 n=1; 10 n=1; 12 n=1; 15 n=1")
	l.SetInterval(5 * sec)
	l.Reset() // at 16
	v.Advance(10 * sec)
	log.want(t, "21 n=1; 26 n=1")
	l.Stop()
	l.SetInterval(sec) // of no run
	l.StartLater(2 * sec)
	v.Advance(2 * sec)
	log.want(t, "28 n=1")
	idleAfter(t, v, l)
}

// In a call the next one is not set yet: it is made by the new interval.
func TestSetIntervalInsideTheFunction(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	var l *task.Loop
	l = task.NewLoop(v, func(n int) error {
		if v.Now().Second() == 20 {
			l.SetInterval(3 * sec)
		}
		return log.counts(v)(n)
	})
	l.Start(10 * sec)
	v.Advance(25 * sec)
	log.want(t, "0 n=1; 10 n=1; 20 n=1; 21 n=1; 24 n=1")
	l.Stop()
}

// The timer fires while it is being set: on a clock with goroutines of its own
// that can happen. The call is not lost, and is not made there.
func TestTimerFiresWhileItIsSet(t *testing.T) {
	c := new(hastyClock)
	var log journal
	l := task.NewLoop(c, log.calls(c))
	d := l.StartLater(sec)
	log.want(t, "")
	c.hasty = true
	c.advance(sec) // sets the timer for 2, and it fires at once, though it is 1
	c.hasty = false
	c.advance(0)
	c.advance(sec)
	log.want(t, "1; 2")
	c.hasty, c.stop = true, l.Stop
	c.advance(sec)
	log.want(t, "3")
	succeeded(t, d)
	if len(c.calls) != 0 {
		t.Error("a timer is left")
	}
}

// A hastyClock calls within CallLater and Reset, too.
type hastyClock struct {
	lateClock
	hasty bool
	stop  func() bool
}

func (c *hastyClock) CallLater(d time.Duration, f func()) clock.Timer {
	return &hastyTimer{c, c.lateClock.CallLater(d, f), f}
}

type hastyTimer struct {
	c *hastyClock
	clock.Timer
	f func()
}

func (t *hastyTimer) Reset(d time.Duration) bool {
	was := t.Timer.Reset(d)
	if t.c.hasty {
		t.c.hasty = false
		if t.c.stop != nil {
			t.c.stop()
		}
		t.f()
	}
	return was
}

// A clock that calls on its own goroutines: the function runs there, one call at
// a time.
func TestOnTheSystemClock(t *testing.T) {
	calls := make(chan int)
	l := task.NewLoop(clock.System(), func(int) error {
		calls <- 1
		return nil
	})
	d := l.StartLater(time.Microsecond)
	for range 100 {
		<-calls
	}
	l.Stop()
	done := make(chan none)
	future.Handle(d, func(none, error) (none, error) {
		close(done)
		return none{}, nil
	})
	for {
		select {
		case <-calls: // the one that was in progress
		case <-done:
			succeeded(t, d)
			return
		}
	}
}
