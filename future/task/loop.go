package task

import (
	"fmt"
	"sync"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

// A Loop calls a function again and again, on a fixed grid of times: its start,
// and each whole number of intervals after that. [NewLoop] and [NewLoopFlat]
// make one; the zero value is of no use. See the package documentation.
//
// All methods may be called from any goroutine, also from the function. None
// of them waits. A tick allocates nothing, beyond what the function does.
type Loop struct {
	clock clock.Clock
	ex    future.Executor // the clock, if it is one
	door  seam.Loop       // behind ex, if it has one
	f     any             // the function, for String
	bind  func(r *run) action

	// mu protects the following, and the runs. No function of the user's and no
	// clock is called while it is held.
	mu  sync.Mutex
	run *run // from Start until it is told to end
}

// An action is the function of a Loop, for one run.
type action interface {
	// call calls the function with n, and returns its error, or that it has
	// returned a Deferred which is to be waited for.
	call(n int) (pending bool, err error)

	// wait waits for that Deferred and then goes on with the run.
	wait()

	// outcome returns the outcome of what wait waits for.
	outcome(of waited) *future.Deferred[struct{}]
}

// What is waited for is a *Deferred[T].
type waited interface{ Cancel(cause error) bool }

// NewLoop returns a Loop that calls f; it does not start it. An error of f ends
// the loop.
//
// The n that f is given is the number of grid points that there have been since
// it was last called, with the present one: 1, and one more for each that was
// missed. Those that were missed are not made up for, but the sum of all n is
// the number of grid points so far: that of the intervals that have passed,
// and with Start one more, for the start is one, too. It is never less than 1,
// and with an interval of 0 always 1.
//
// If c is a [future.Executor], as a reactor is, f is called on its loop only.
// Else it is called where c calls, and the first time within Start. It is never
// called twice at the same time, unless the Loop was stopped and started while
// f ran.
//
// NewLoop panics if c or f is nil.
func NewLoop(c clock.Clock, f func(n int) error) *Loop {
	return newLoop("NewLoop", c, f, f == nil, func(*run) action { return plain(f) })
}

// plain is the action of NewLoop.
type plain func(n int) error

func (f plain) call(n int) (pending bool, err error)    { return false, f(n) }
func (plain) wait()                                     {}
func (plain) outcome(waited) *future.Deferred[struct{}] { return nil }

// NewLoopFlat is [NewLoop] for a function that returns a Deferred, and relates
// to it as [future.ThenFlat] does to Then: the next call is made at the first
// grid point after that Deferred has succeeded, and if it fails the loop ends
// with its failure. So does one that is nil.
//
// A Deferred that is still pending costs one link. One that is the Deferred of
// Start, or waits for it, fails the loop at once, for it would wait for itself.
// That is looked at when the function has returned it: a wait that comes to be
// such later never ends by itself.
func NewLoopFlat[T any](c clock.Clock, f func(n int) *future.Deferred[T]) *Loop {
	return newLoop("NewLoopFlat", c, f, f == nil, func(r *run) action {
		a := &flat[T]{r: r, f: f}
		a.over = a.settled
		return a
	})
}

func newLoop(verb string, c clock.Clock, f any, isNil bool, bind func(*run) action) *Loop {
	if c == nil {
		panic("task: " + verb + ": nil clock.Clock: give a reactor, a *clock.Virtual or clock.System()")
	}
	if isNil {
		panic("task: " + verb + ": nil function: there is nothing to call")
	}
	l := &Loop{clock: c, f: f, bind: bind}
	if ex, ok := c.(future.Executor); ok {
		l.ex, l.door = ex, seam.LoopOf(ex)
	}
	return l
}

// Start starts the loop: the first call is made now, and the others at the grid
// points from now on that lie strictly after the end of the call before. On a
// reactor the first call is a step of its own, made as CallLater with no delay
// makes it; on another clock it is made within Start.
//
// The Deferred that it returns settles when this run is over. It succeeds after
// Stop. It fails with the error of the function, with a *failure.Failure if
// that panicked, and with one that matches reactor.ErrStopped, but not
// future.ErrCanceled, if the loop's reactor stops first. Its callbacks run on
// the reactor, else inline.
//
// A Cancel of it ends the loop. Between two calls it fails with the
// cancellation at once. While the function runs, or the Deferred that it has
// returned is pending, the cancel goes to that Deferred, and its outcome, or
// that of the function, is how the run ends: the answer stands, as ever.
//
// Start panics if the loop is running, or if the interval is less than 0. With
// an interval of 0 it makes one call a turn of its reactor. After Stop the Loop
// can be started again at once; each run has a Deferred of its own.
func (l *Loop) Start(interval time.Duration) *future.Deferred[struct{}] {
	return l.start("Start", interval, true)
}

// StartLater is [Loop.Start] without the call at the start: the first is made
// one interval from now.
func (l *Loop) StartLater(interval time.Duration) *future.Deferred[struct{}] {
	return l.start("StartLater", interval, false)
}

// Stop ends the loop, and reports whether it was running. The function is not
// called any more. If it runs now, or the Deferred that it has returned is
// pending, Stop leaves that alone, and the Deferred of Start settles when it is
// over; else that succeeds within Stop. To give up what runs now, cancel the
// Deferred of Start instead.
func (l *Loop) Stop() bool {
	l.mustBe("Stop")
	l.mu.Lock()
	r := l.run
	if r == nil {
		l.mu.Unlock()
		return false
	}
	l.run = nil
	if r.busy() {
		l.mu.Unlock()
		return true
	}
	res := r.endAndUnlock()
	res.Succeed(struct{}{})
	return true
}

// Running reports whether the loop was started and has not ended since, nor been
// told to: whether Stop would report true. A health check may ask that.
func (l *Loop) Running() bool {
	l.mustBe("Running")
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.run != nil
}

// Reset moves the grid: it starts now, and the next call is made one interval
// from now. What was missed before does not count. It reports whether the loop
// was running. While the function runs, or the Deferred that it has returned is
// pending, it changes nothing.
func (l *Loop) Reset() bool {
	l.mustBe("Reset")
	now := l.clock.Now()
	l.mu.Lock()
	r := l.run
	if r == nil || r.phase != sleeping {
		l.mu.Unlock()
		return r != nil
	}
	r.origin, r.last = now, 0
	delay := r.schedule(0)
	l.mu.Unlock()
	r.arm(delay)
	return true
}

// SetInterval sets the interval of the run in progress. The next call stays
// when it is; when that is over, the grid has the new interval, from the same
// start. While the function runs, or the Deferred that it has returned is
// pending, the next call is not set yet: it is made by the new interval.
// SetInterval panics if the interval is less than 0. If the loop is not running
// it does nothing: the next Start brings its own.
func (l *Loop) SetInterval(interval time.Duration) {
	l.mustBe("SetInterval")
	mustInterval(interval, "SetInterval")
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != nil {
		l.run.interval = interval
	}
}

// String returns the name of the function, and the interval if the loop is
// running.
func (l *Loop) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run == nil {
		return fmt.Sprintf("task.Loop(%s, stopped)", birth.Func(l.f))
	}
	return fmt.Sprintf("task.Loop(%s, every %v)", birth.Func(l.f), l.run.interval)
}

func (l *Loop) mustBe(verb string) {
	if l == nil || l.clock == nil {
		panic("task: " + verb + ": a nil or zero Loop: make one with NewLoop or NewLoopFlat")
	}
}

func mustInterval(d time.Duration, verb string) {
	if d < 0 {
		panic(fmt.Sprintf("task: %s: interval %v: give one of 0, for each turn, or more", verb, d))
	}
}

func (l *Loop) start(verb string, interval time.Duration, first bool) *future.Deferred[struct{}] {
	l.mustBe(verb)
	mustInterval(interval, verb)
	r := newRun(l, interval, first)
	l.mu.Lock()
	if l.run != nil {
		l.mu.Unlock()
		panic("task: " + verb + ": the Loop is running: call Stop first, or make a second one")
	}
	r.d, r.res = r.deferred()
	r.cycles = seam.SearchFor(r.d)
	l.run = r
	within, delay := r.phase == running, r.due
	joined := l.door == nil || l.door.Join(&r.member)
	l.mu.Unlock()
	switch {
	case !joined:
		r.stopped(l.door.Err())
	case within:
		r.turn(1)
	default:
		r.arm(delay)
	}
	return r.d
}
