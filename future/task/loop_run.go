package task

import (
	"math"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// A run is what a Loop does from one Start on. It has a Deferred and a timer of
// its own, so that it can come to its end while the next one has begun.
type run struct {
	l      *Loop
	d      *future.Deferred[struct{}] // that of Start
	action action
	wake   func() // tick, made once
	cycles *seam.Search
	member seam.Member

	// The timer is set by the one goroutine that has made the phase arming, and
	// not touched by others meanwhile.
	timer clock.Timer

	// The Loop's mu protects the following. The run has been told to end if it
	// is not the Loop's any more.
	phase    phase
	ticked   bool                      // the timer has fired while it was armed
	res      future.Resolver[struct{}] // of d, or of what that follows since it was canceled
	inner    waited                    // nil unless it is known
	count    uint                      // of waits
	canceled bool                      // with cause, during a call
	cause    error

	origin   time.Time     // of the grid
	interval time.Duration // from the next call on
	every    time.Duration // until then
	due      time.Duration // of the next call; this and last count from origin
	last     time.Duration // call
}

type phase uint8

const (
	sleeping phase = iota // until the timer fires
	arming                // the timer is being set
	running               // the function runs
	waiting               // the Deferred that it has returned is pending
	over
)

func newRun(l *Loop, interval time.Duration, first bool) *run {
	r := &run{l: l, origin: l.clock.Now(), interval: interval, every: interval}
	r.action = l.bind(r)
	r.wake = r.tick
	r.member.Stopped = r.stopped
	switch {
	case first && l.ex == nil:
		r.phase = running
	case first:
		r.phase, r.last = arming, -interval // the start is a grid point, too
	default:
		r.phase, r.due = arming, interval
	}
	return r
}

// deferred makes a Deferred that ends the run when it is canceled.
func (r *run) deferred() (*future.Deferred[struct{}], future.Resolver[struct{}]) {
	var d *future.Deferred[struct{}]
	var res future.Resolver[struct{}]
	if r.l.ex != nil {
		d, res = future.NewOn[struct{}](r.l.ex)
	} else {
		d, res = future.New[struct{}]()
	}
	res.OnCancel(r.cancel)
	return d, res
}

// busy reports whether a call is in progress. The Loop is locked.
func (r *run) busy() bool { return r.phase == running || r.phase == waiting }

// tick is what the timer calls.
func (r *run) tick() {
	l := r.l
	now := l.clock.Now()
	l.mu.Lock()
	switch r.phase {
	case arming:
		r.ticked = true
		l.mu.Unlock()
		return
	case sleeping:
	default: // it was stopped too late, and what it was for has been done
		l.mu.Unlock()
		return
	}
	at := now.Sub(r.origin)
	if at < r.due { // it was set to a later time meanwhile, or the clock was set back, or is coarse
		delay := r.schedule(at)
		l.mu.Unlock()
		r.arm(delay)
		return
	}
	n := r.take(at)
	r.phase = running
	l.mu.Unlock()
	r.turn(n)
}

// take returns the number of grid points since the last call for one that is
// made now. The Loop is locked.
func (r *run) take(at time.Duration) (n int) {
	points := index(at, r.every) - index(r.last, r.every)
	r.last = at
	return int(min(max(points, 1), math.MaxInt))
}

// schedule sets the next call to the first grid point after at, which is now,
// and returns the delay until then, for arm. The Loop is locked.
func (r *run) schedule(at time.Duration) (delay time.Duration) {
	r.every, r.phase = r.interval, arming
	r.due = at
	if r.every > 0 {
		r.due = (time.Duration(index(at, r.every)) + 1) * r.every // may overflow; the delay does not
	}
	return r.due - at
}

// index is the number of the last grid point that is not after at.
func index(at, every time.Duration) int64 {
	if every == 0 {
		return 0
	}
	i := int64(at / every)
	if at%every < 0 {
		i--
	}
	return i
}

// arm sets the timer, in phase arming. If that fires before arm is done, it is
// set to fire again.
func (r *run) arm(delay time.Duration) {
	for {
		if r.timer == nil {
			r.timer = r.l.clock.CallLater(delay, r.wake)
		} else {
			r.timer.Reset(delay)
		}
		if r.armed() {
			return
		}
		delay = 0
	}
}

// armed lets the run sleep. It returns false if the timer has fired meanwhile.
func (r *run) armed() bool {
	r.l.mu.Lock()
	ended := r.phase == over
	again := r.ticked && !ended
	r.ticked = false
	if !ended && !again {
		r.phase = sleeping
	}
	r.l.mu.Unlock()
	if ended {
		r.timer.Stop()
	}
	return !again
}

// turn calls the function and does what its outcome asks for.
func (r *run) turn(n int) {
	switch pending, err := r.guarded(n); {
	case err != nil:
		r.fail(err)
	case pending:
		r.action.wait()
	default:
		r.again()
	}
}

// guarded calls the function. A panic becomes an error. After a runtime.Goexit,
// or a control panic of a property tester, which goes on its way, the run has
// failed.
func (r *run) guarded(n int) (pending bool, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		err = failure.New(v)
		control := seam.IsControl(v)
		if v == nil || control {
			r.fail(err)
		}
		if control {
			r.d.Result() // it is no failure to report
			panic(v)
		}
	}()
	pending, err = r.action.call(n)
	returned = true
	return pending, err
}

// again schedules the next call after one that has succeeded, or ends the run.
func (r *run) again() {
	l := r.l
	now := l.clock.Now()
	l.mu.Lock()
	if l.run != r {
		res := r.endAndUnlock()
		res.Succeed(struct{}{})
		return
	}
	delay := r.schedule(now.Sub(r.origin))
	l.mu.Unlock()
	r.arm(delay)
}

// fail ends the run with err.
func (r *run) fail(err error) {
	res := r.end()
	res.Fail(err)
}

// follow ends the run with the outcome of d.
func (r *run) follow(d *future.Deferred[struct{}]) {
	res := r.end()
	res.Follow(d)
}

// end ends the run and returns what settles its Deferred. If the run has ended
// before, that has settled or is about to, and refuses another outcome.
func (r *run) end() future.Resolver[struct{}] {
	r.l.mu.Lock()
	return r.endAndUnlock()
}

// endAndUnlock is end with the Loop locked.
func (r *run) endAndUnlock() future.Resolver[struct{}] {
	l := r.l
	if l.run == r {
		l.run = nil
	}
	var timer clock.Timer
	if r.phase == sleeping { // else it does not tick, or who arms it will stop it
		timer = r.timer
	}
	r.phase = over
	res := r.res
	l.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	if l.door != nil {
		l.door.Leave(&r.member)
	}
	return res
}

// stopped ends the run because its reactor has stopped, with a failure that
// package future makes for that: nobody has to handle it.
func (r *run) stopped(error) {
	onLoop := future.Succeed(struct{}{}).On(r.l.ex)
	r.follow(future.Then(onLoop, func(none struct{}) (struct{}, error) { return none, nil }))
}

// cancel ends the run because its Deferred was canceled. Between two calls that
// is all: the Deferred fails. If a call waits, the cancel goes to what it waits
// for. If the function runs, the Deferred follows one that is to have the
// outcome of the call, and the cancel is remembered.
func (r *run) cancel(cause error) {
	l := r.l
	l.mu.Lock()
	if !r.busy() {
		r.endAndUnlock()
		return
	}
	if l.run == r {
		l.run = nil
	}
	r.canceled, r.cause = true, cause
	if r.inner != nil {
		r.passOnAndUnlock()
		return
	}
	res := r.res
	var end *future.Deferred[struct{}]
	end, r.res = r.deferred()
	l.mu.Unlock()
	res.Follow(end)
}

// passOnAndUnlock passes a cancel on to what the call waits for. The Deferred
// has that's outcome from now on.
func (r *run) passOnAndUnlock() {
	res, inner, cause := r.res, r.inner, r.cause
	r.l.mu.Unlock()
	res.Follow(r.action.outcome(inner))
	inner.Cancel(cause)
}
