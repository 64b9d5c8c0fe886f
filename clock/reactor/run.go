package reactor

import (
	"context"
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
	if before == run || before == over && !stopped {
		panic("reactor: Run of a reactor that runs or has run: a reactor runs once; make a new one")
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
	for _, it := range items {
		switch t, ok := it.Task.(seam.Dropper); {
		case ok:
			due.Tasks = append(due.Tasks, t)
		case it.Timer != nil:
			due.Lost = append(due.Lost, name("a delayed call of "+birth.Func(it.Timer.F), it.Timer.Birth))
		default:
			due.Lost = append(due.Lost, "a posted "+birth.Func(it.Task))
		}
	}
	due.Lost = append(due.Lost, l.pool.stop()...)
	defer l.reportLingering()
	l.r.finish(due)
}

// grace is how long jobs may take to see that the reactor has stopped before
// the log names them.
const grace = time.Second

// reportLingering reports the jobs that still run a while after the stop. Run
// does not wait for that.
func (l *loop) reportLingering() {
	if anyRunning(l.pool.list()) {
		l.clk.CallLater(grace, func() { l.r.reportRunning(l.pool.list()) })
	}
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
		l.endTurn()
		v := recover()
		if !l.r.failed(v) {
			panic(v)
		}
		if v == nil {
			l.goexit = true
			l.r.lost()
		}
	}()
	for l.next() {
		l.item.Run()
		l.running = false
	}
	return true
}

func (l *loop) endTurn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn = false
	l.q.EndTurn()
}

// next finds the next item, sleeping as need be. It returns false when the
// loop is to end.
func (l *loop) next() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn = false
	l.q.EndTurn()
	for !l.stopped {
		if !l.stale && l.takeLocked() {
			return true
		}
		l.lookLocked()
		if l.takeLocked() {
			return true
		}
		l.restLocked()
	}
	return false
}

// takeLocked takes the next item that is due, unless it is time to look at the
// clock.
func (l *loop) takeLocked() bool {
	bound := fair
	if l.stepwise {
		bound = fairStepwise
	}
	if l.turns >= bound {
		return false
	}
	it, ok := l.q.Next()
	if !ok && l.stepwise {
		it, ok = l.stepLocked()
	}
	if !ok {
		return false
	}
	l.turns++
	l.item, l.running, l.turn = it, true, true
	return true
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
	when, ok := l.q.Later()
	if l.stopped || l.q.Due() || ok && (when < l.armed || when <= l.read) {
		return
	}
	l.asleep = true
	l.mu.Unlock()
	<-l.wake
	l.mu.Lock()
	l.stale = true
}

// armLocked arms the timer for when, which lies after the time last read, and
// then reads the clock again: if it has been moved past when in between, no
// timer would tell. It lets go of the lock meanwhile.
func (l *loop) armLocked(when int64) {
	l.armed = when
	d := time.Duration(when - l.read)
	l.mu.Unlock()
	if l.timer == nil {
		l.timer = l.clk.CallLater(d, l.fired)
	} else {
		l.timer.Reset(d)
	}
	now := l.clock()
	l.mu.Lock()
	l.seeLocked(now)
}

// fired is what the timer calls.
func (l *loop) fired() {
	l.mu.Lock()
	l.armed = never
	l.wakeAndUnlock()
}
