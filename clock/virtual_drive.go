package clock

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

// A drive is one call that moves time. Its fields are the driving goroutine's.
type drive struct {
	verb    string
	until   int64 // the last instant whose events run
	settle  bool  // at the end it is then
	most    int   // events
	bound   int   // of the events, and of the clock's limit, the lesser
	count   int
	since   int         // of these, those before time moved last
	turns   int         // of workers, since then
	item    timerq.Item // what runs
	next    seam.Task   // what it returned
	running bool
	fresh   bool // it has not begun
}

// Advance moves time on by d, and runs what is due on the way in order, with
// Now at the time for which it was due: also what is scheduled by what runs,
// and what is due at the very end. With d == 0 it runs what is ready now.
// Before time moves on and before Advance returns, workers of reactors have
// returned or wait in Await, and every Hold has been released.
//
// Advance panics if d is negative, if v is being driven already, by another
// goroutine or by the one that runs the caller, and if there is no end to
// what is to run (see [Limit]). If a function that was given to CallLater
// panics, Advance does, with the same value, at the time of that function;
// what is due later stays scheduled.
func (v *Virtual) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("clock: Advance(%v): time does not run backwards; advance by 0 or more", d))
	}
	v.begin("Advance")
	v.drive("Advance", d, nil, math.MaxInt)
}

// AdvanceTo is Advance by what is missing to t. It panics if t has passed.
func (v *Virtual) AdvanceTo(t time.Time) {
	v.begin("AdvanceTo")
	v.drive("AdvanceTo", 0, &t, math.MaxInt)
}

// Step runs the next event, moving time on to it if need be, and reports
// whether there was one. It waits for workers before it returns, but for a Hold only
// if time is to move. In all else it is as [Virtual.Advance].
func (v *Virtual) Step() bool {
	v.begin("Step")
	return v.drive("Step", -1, nil, 1) == 1
}

// Run runs all that is scheduled, and what is scheduled by it, until nothing
// is. Time is then that of the last event. While something is scheduled again
// and again, there is no end, and Run panics (see [Limit]): use Advance. In all
// else it is as [Virtual.Advance].
func (v *Virtual) Run() {
	v.begin("Run")
	v.drive("Run", -1, nil, math.MaxInt)
}

// drive, which begin has allowed and left the lock to, runs what is due: for d,
// or until to, or without end if d is negative.
func (v *Virtual) drive(verb string, d time.Duration, to *time.Time, most int) (ran int) {
	defer v.end()
	run := drive{verb: verb, fresh: true, until: math.MaxInt64, settle: d >= 0, most: most, bound: min(most, v.limit)}
	switch now := v.q.Now; {
	case to != nil:
		run.until = int64(to.Sub(start))
		if run.until < now {
			v.mu.Unlock()
			panic(fmt.Sprintf("clock: AdvanceTo(%v): that has passed, it is %v; time does not run backwards", *to, timeOf(now)))
		}
	case d >= 0:
		run.until = after(now, d)
	}
	v.run = run
	v.mu.Unlock()
	mark.Loop(v.loop)
	return v.run.count
}

// begin makes the calling goroutine the one that drives, and leaves it the lock.
func (v *Virtual) begin(verb string) {
	if v.cond == nil {
		panic("clock: " + verb + " of a zero Virtual: make it with NewVirtual")
	}
	if !v.tryBegin(true) {
		panic("clock: " + verb + " of a Virtual that is being driven: a function that it runs must not drive it, nor may two goroutines; schedule with CallLater, and let one goroutine drive")
	}
}

// tryBegin returns false if v is being driven. If just a Do runs, on another
// goroutine, it may wait for that.
func (v *Virtual) tryBegin(wait bool) bool {
	v.mu.Lock()
	for wait && v.doing && mark.Find() == mark.None {
		v.cond.Wait()
	}
	if v.driving {
		v.mu.Unlock()
		return false
	}
	v.driving = true
	v.drives++
	return true
}

// end is begin's counterpart. It runs deferred, so also when a function that
// was due panics or ends the goroutine.
func (v *Virtual) end() {
	v.mu.Lock()
	defer func() {
		v.driving, v.doing = false, false
		v.run = drive{}
		v.cond.Broadcast()
		v.mu.Unlock()
	}()
	v.q.EndTurn()
	v.deafenLocked()
	for len(v.asked) > 0 {
		mark.Loop(v.endWorkersLocked) // does what was asked, too
		v.q.EndTurn()
	}
}

// loop runs what is due. A panic of a reactor's step is the reactor's affair,
// any other leaves.
func (v *Virtual) loop() {
	for !v.guarded() {
	}
}

func (v *Virtual) guarded() (done bool) {
	defer func() {
		if done {
			return
		}
		r := recover()
		handled := false
		if v.run.running { // else it was not a step: what a look, Do or the fence calls
			v.run.running = false
			owner := v.run.item.Owner
			handled = owner != nil && owner.Failed(r)
		}
		if r == nil { // runtime.Goexit
			v.lose()
		} else if !handled {
			panic(r)
		}
	}()
	for v.next() {
		for v.step() {
		}
	}
	return true
}

// step runs the item that next has found. If what that returns is all there is
// to do now, it becomes the next item, without the lock.
func (v *Virtual) step() (again bool) {
	run := &v.run
	next := run.item.Run()
	if next != nil && run.count < run.bound && !v.news.Load() {
		run.item.Task = next
		run.count++
		return true
	}
	run.next, run.running = next, false
	return false
}

// lose tells the reactors that the driving goroutine ends by runtime.Goexit.
func (v *Virtual) lose() {
	v.mu.Lock()
	bound := slices.Clone(v.bound)
	v.mu.Unlock()
	for _, o := range bound {
		o.Lost()
	}
}

// next finds the next event, waiting for workers and holds and moving time as
// need be. It returns false at the end of the drive.
func (v *Virtual) next() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	run := &v.run
	if run.fresh {
		run.fresh = false
		v.lookLocked(&v.parents)
	}
	v.q.Then(run.next, run.item.Owner)
	run.next = nil
	for {
		v.q.EndTurn()
		if v.gapLocked() {
			v.q.EndTurn() // what workers armed without delay is due now, too
		}
		if run.count == run.most {
			return false
		}
		if run.count == v.limit && v.q.Due() {
			v.overLimitLocked(run.endless())
		}
		if it, ok := v.q.Next(); ok {
			run.count++
			run.item, run.running = it, true
			if it.Timer() == nil { // a timer returns none
				v.news.Store(v.q.Due() || v.busyLocked())
			}
			return true
		}
		if v.lookLocked(&v.parents) || v.heldLocked() {
			continue
		}
		when, ok := v.q.Later()
		last := !ok || when > run.until
		if last {
			if !run.settle {
				return false
			}
			when = run.until
		}
		if v.fence != nil && when > v.fence.at {
			v.haltLocked()
			continue // the lock was let go of
		}
		v.q.Now, run.since, run.turns = when, run.count, 0
		if last {
			return false
		}
	}
}

// A fence is an instant that time is not to pass: see [seam.Driver].
type fence struct {
	at     int64
	passed func()
}

// haltLocked moves time to the fence, takes that away, and says so without the
// lock. What it calls may end the drive, by a panic or by runtime.Goexit: no
// event runs now, so that is no matter of a reactor's.
func (v *Virtual) haltLocked() {
	f := v.fence
	v.fence = nil
	v.q.Now = max(v.q.Now, f.at)
	v.mu.Unlock()
	defer v.mu.Lock()
	f.passed()
}

// gapLocked does what is to be done between two events, until there is nothing.
// It returns false if there was nothing.
func (v *Virtual) gapLocked() bool {
	if !v.busyLocked() { // nearly always
		return false
	}
	b := &v.baton
	for {
		switch {
		case len(v.asked) > 0 && (v.urgent || b.busy <= b.stuck):
			v.doLocked()
		case b.busy > b.stuck:
			v.awaitWorkerLocked()
		case v.lookLocked(&v.waits):
		case len(b.ready) > 0 && v.run.turns == v.limit:
			v.overLimitLocked("turns of workers at one instant (see clock.Limit); some go on again and again: let one wait for time to pass")
		case b.handOnLocked(nil):
			v.run.turns++
		case b.busy > 0: // all of them stuck
			if !v.listenLocked(&v.waits) && !v.listenLocked(&v.parents) && !v.lookLocked(&v.parents) {
				v.awaitWorkerLocked()
			}
		case len(b.finished) > 0:
			b.deliverLocked(v)
		default:
			return true
		}
	}
}

// busyLocked reports whether there is something to do between two events.
func (v *Virtual) busyLocked() bool {
	b := &v.baton
	return len(v.asked)+v.waits.live+len(b.ready)+len(b.finished)+b.busy != 0
}

// doLocked does the next thing that Do was asked for.
func (v *Virtual) doLocked() {
	f := v.asked[0]
	v.asked = v.asked[1:]
	v.urgent = v.urgent && len(v.asked) > 0
	v.mu.Unlock()
	defer v.mu.Lock()
	f()
}

// heldLocked waits while time is held and nothing is to be done at this
// instant. It reports whether it had to.
func (v *Virtual) heldLocked() bool {
	if v.holds == 0 {
		return false
	}
	v.listenLocked(&v.parents)
	v.listenLocked(&v.waits)
	defer v.watchdogLocked()()
	for v.holds > 0 && !v.q.Due() && len(v.asked) == 0 && !v.baton.runnable() && !v.stirred {
		if v.barked {
			v.barked = false
			v.logLocked(slog.Default(), "clock: virtual time has been held for 2 real seconds: it stands still until the function that Hold returned is called", "holds", v.holds)
			continue // the lock was let go of
		}
		v.cond.Wait()
	}
	v.stirred = false
	return true
}

// patience is how long the watchdogs wait, in real time.
const patience = 2 * time.Second

// watchdogLocked makes barked true, and wakes the drive, when patience is at
// its end before off is called. Both are called with v.mu held.
func (v *Virtual) watchdogLocked() (off func()) {
	v.dog++
	v.barked = false
	this := v.dog
	timer := v.real.CallLater(patience, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.dog == this {
			v.barked = true
			v.cond.Broadcast()
		}
	})
	return func() {
		v.dog++
		v.barked = false
		timer.Stop()
	}
}

// logLocked logs without the lock.
func (v *Virtual) logLocked(to *slog.Logger, text string, args ...any) {
	v.mu.Unlock()
	defer v.mu.Lock()
	to.Warn(text, args...)
}

// endless names what there are too many of, and the remedy.
func (d *drive) endless() string {
	s := "events (see clock.Limit); "
	switch {
	case d.since < d.count/2:
		return s + "something schedules itself again and again at one instant: give it a delay"
	case d.until == math.MaxInt64:
		return s + "something schedules itself again and again: use Advance"
	}
	return s + "so much is due on the way: advance in parts, or set a higher limit"
}

func (v *Virtual) overLimitLocked(what string) {
	panic(fmt.Sprintf("clock: %s: more than %d %s; %s", v.run.verb, v.limit, what, list(v.q.Now, v.q.All(nil), 10)))
}
