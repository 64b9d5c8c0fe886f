package reactor

import (
	"context"
	"runtime"
	"time"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

func (l *loop) run(ctx context.Context) error {
	l.mu.Lock()
	before := l.phase
	stopped := l.stopped
	if before == fresh {
		l.phase = run
		l.wake = make(chan struct{}, 1)
	}
	l.mu.Unlock()
	if before == run && !stopped {
		panic("reactor: Run of a reactor that runs: a reactor has one loop; make a new one")
	}
	if stopped {
		return ErrStopped
	}
	end := func() {
		l.r.refuse()
		l.halt(ctx.Err())
	}
	if ctx.Err() != nil {
		end()
	}
	l.unwatch = context.AfterFunc(ctx, end)
	return l.serve()
}

// stop is what Stop does.
func (l *loop) stop() { l.halt(nil) }

// halt lets nothing else start. The loop does the rest; if there is none, the
// caller does.
func (l *loop) halt(result error) {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return
	}
	l.stopped, l.result = true, result
	l.disturb.Store(true)
	idle := l.phase == fresh
	if idle {
		l.phase = over
	}
	l.wakeAndUnlock()
	if idle {
		mark.Loop(l.finish)
	}
}

// serve runs the loop on the calling goroutine. If that is ended by
// runtime.Goexit, it goes on on another.
func (l *loop) serve() error {
	done := false
	defer func() {
		switch {
		case done:
		case l.goexit && !l.finished:
			l.goexit = false
			go l.serve()
		case !l.finished: // a control panic leaves
			l.r.refuse()
			l.halt(nil)
			mark.Loop(l.finish)
		}
	}()
	mark.Loop(func() {
		for !l.guarded() {
		}
		l.finish()
	})
	done = true
	return l.result
}

// finish ends the loop. Nothing starts any more.
func (l *loop) finish() {
	l.finished = true
	if l.unwatch != nil {
		l.unwatch()
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	now := l.clock()
	l.mu.Lock()
	l.phase = over
	l.q.Now = max(l.q.Now, now)
	items := l.q.Drop(nil)
	l.mu.Unlock()
	var due seam.Dropped
	for t, ok := l.batch.Next(); ok; t, ok = l.batch.Next() {
		dropTask(&due, t)
	}
	for _, it := range items {
		if t := it.Timer(); t != nil {
			due.Lost = append(due.Lost, name("a delayed call of "+birth.Func(t.F), t.Group.Birth))
		} else {
			dropTask(&due, it.Task)
		}
	}
	due.Lost = append(due.Lost, l.pool.stop()...)
	defer l.reportLingering()
	l.r.finish(due)
}

func dropTask(due *seam.Dropped, t seam.Task) {
	if _, ok := t.(seam.Dropper); ok {
		due.Tasks = append(due.Tasks, t)
	} else {
		due.Lost = append(due.Lost, "a posted "+birth.Func(t))
	}
}

// grace is how long jobs may take to see that the reactor has stopped before
// the log names them.
const grace = time.Second

// reportLingering reports the jobs that still run a while after the stop. Run
// does not wait for that.
func (l *loop) reportLingering() {
	if len(l.pool.list()) == 0 {
		return
	}
	l.clk.CallLater(grace, func() {
		l.r.reportRunning(l.pool.list())
		l.pool.end()
	})
}

func name(what string, at *birth.Place) string {
	if s := at.String(); s != "" {
		return what + ", made at " + s
	}
	return what
}

// guarded runs what is to be run, until the loop is to end. It returns false
// after a panic.
func (l *loop) guarded() (done bool) {
	defer func() {
		if !l.running {
			return
		}
		l.running = false
		l.mu.Lock()
		l.endTurnLocked(nil)
		l.mu.Unlock()
		v := recover()
		if !l.r.failed(v) {
			panic(v)
		}
		if v == nil {
			l.goexit = true
			l.r.lost()
		}
	}()
	t, ok := l.next(nil)
	for ok {
		l.turns++
		l.running = true
		then := t.Run()
		l.running = false
		ok = false // nothing of the batch yet
		if then == nil && !l.disturb.Load() && (l.turns < fair || l.inTime()) {
			t, ok = l.batch.Next()
		}
		if !ok {
			t, ok = l.next(then)
		}
	}
	return true
}

// endTurnLocked ends the turn of a task, which has returned then.
func (l *loop) endTurnLocked(then seam.Task) {
	l.turn = false
	l.q.Then(then, nil)
	l.q.EndTurn()
}

// next ends the turn, which has returned then, and finds the next task, sleeping
// as need be. It returns false when the loop is to end.
func (l *loop) next(then seam.Task) (t seam.Task, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disturb.Store(false)
	l.endTurnLocked(then)
	for !l.stopped {
		if !l.stale {
			if t, ok = l.takeLocked(); ok {
				return t, true
			}
		}
		if l.mustLook() {
			l.lookLocked()
			if t, ok = l.takeLocked(); ok {
				return t, true
			}
		}
		l.restLocked()
	}
	return nil, false
}

// inTime reports whether no timer is due yet: so it was when the clock was last
// read, which is done again after so many turns.
func (l *loop) inTime() bool {
	if l.batch.Empty() || l.stepwise || l.clock() >= l.due.Load() {
		return false
	}
	l.turns = 0
	return true
}

// mustLook reports whether the clock is to be read before the loop sleeps. On
// clock.System the timer that is armed tells when something has become due.
func (l *loop) mustLook() bool {
	when, ok := l.q.Later()
	return l.stale || l.stepwise || l.turns >= fair || ok && when < l.armed
}

// takeLocked takes the next item that is due, unless it is time to look at the
// clock.
func (l *loop) takeLocked() (t seam.Task, ok bool) {
	bound := fair
	if l.stepwise {
		bound = fairStepwise
	}
	if l.turns >= bound {
		return nil, false
	}
	if !l.stepwise && (!l.batch.Empty() || l.q.Take(&l.batch)) {
		l.turn = true
		return l.batch.Next()
	}
	it, ok := l.q.Next()
	if !ok && l.stepwise {
		it, ok = l.stepLocked()
	}
	l.turn = ok
	return it.Task, ok
}

// stepLocked moves time on to the next timer that is due, or to the clock's
// time, and takes what is to be run then.
func (l *loop) stepLocked() (timerq.Item, bool) {
	if when, ok := l.q.Later(); ok && when <= l.read {
		l.q.Now = when
	} else {
		l.q.Now = max(l.q.Now, l.read)
		l.q.Release()
	}
	return l.q.Next()
}

// lookLocked reads the clock, and lets go of the lock meanwhile.
func (l *loop) lookLocked() {
	l.mu.Unlock()
	now := l.clock()
	l.mu.Lock()
	l.seeLocked(now)
}

// seeLocked takes in what the clock says. On a stepwise clock, what has been
// posted while the loop slept is for that time: timers that are due before it
// come first.
func (l *loop) seeLocked(now int64) {
	flood := l.turns >= fairStepwise
	l.read, l.turns, l.stale = now, 0, false
	if !l.stepwise || flood {
		l.q.Ripen(now)
		l.q.Release()
		l.due.Store(never)
		if when, ok := l.q.Later(); ok {
			l.due.Store(when)
		}
	} else if when, ok := l.q.Later(); ok && when <= now {
		l.q.Hold()
	} else {
		l.q.Now = max(l.q.Now, now)
	}
}

// restLocked sleeps until there is something to do, with the timer armed for
// what is due next. It returns at once if something has come in between.
func (l *loop) restLocked() {
	if when, ok := l.q.Later(); ok && when < l.armed && !l.stopped {
		l.armLocked(when)
	}
	for naps := 2; !l.wantedLocked(); naps-- {
		if naps == 0 {
			l.sleepLocked()
			return
		}
		// Who posts is often about to post more, and pays for waking the loop.
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
}

// wantedLocked reports whether there is something to do.
func (l *loop) wantedLocked() bool {
	when, ok := l.q.Later()
	return l.stopped || l.q.Due() || ok && (when < l.armed || when <= l.read)
}

func (l *loop) sleepLocked() {
	l.asleep = true
	l.mu.Unlock()
	<-l.wake
	l.mu.Lock()
	l.stale = l.stepwise || l.armed == never
}

// armLocked arms the timer for when, which lies after the time last read. Should
// the clock be moved just then, the timer is late by as much: so it is armed again
// or, if when has passed, counts as not armed. On a clock that goes by itself less
// than a millisecond, or a thousandth of what is left, is no matter.
func (l *loop) armLocked(when int64) {
	for tries := 1; ; tries++ {
		l.armed = when
		late := l.setTimerLocked(time.Duration(when - l.read))
		switch {
		case l.read >= when, tries > 3 && l.q.Due():
			l.armed = never
			return
		case l.stopped, !l.stepwise, late == 0, tries > 3 && late < max(int64(time.Millisecond), (when-l.read)/1000):
			return
		}
	}
}

// setTimerLocked sets the timer for d after the time last read, and reads the
// clock again. It returns how far that has gone meanwhile. It lets go of the lock.
func (l *loop) setTimerLocked(d time.Duration) (late int64) {
	read := l.read
	l.mu.Unlock()
	if l.timer == nil {
		l.timer = l.clk.CallLater(d, l.fired)
	} else {
		l.timer.Reset(d)
	}
	now := l.clock()
	l.mu.Lock()
	l.seeLocked(now)
	return now - read
}

// fired is what the timer calls.
func (l *loop) fired() {
	l.mu.Lock()
	l.armed = never
	l.wakeAndUnlock()
}
