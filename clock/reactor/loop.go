package reactor

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

// loop is the engine on every clock that is not virtual.
type loop struct {
	// mu protects the following. While it is held nothing is called that is
	// not this package's, not even the clock. The pool's lock is never held
	// together with it. What a post touches comes first, on one cache line.
	mu      sync.Mutex
	asleep  bool // the loop waits at wake
	stopped bool // Stop has been called, or Run's context has ended
	turn    bool // a function runs, or there is more of a batch
	phase   phase
	q       timerq.Queue
	result  error // of Run
	wake    chan struct{}
	armed   int64 // when timer fires; never, if it is not armed

	_ [64]byte // what others write stays out of the loop's cache lines

	// Read by the loop between two turns, without mu; written with mu held.
	disturb atomic.Bool  // there is something to do under mu
	due     atomic.Int64 // no timer in q is due earlier

	// The loop's goroutine alone has the following.
	batch    timerq.Batch // taken off q, to be run before what is there; not on stepwise clocks
	running  bool
	goexit   bool
	finished bool
	turns    int   // since the clock was read
	read     int64 // what it said
	stale    bool  // it has to be read
	timer    clock.Timer
	unwatch  func() bool

	// These do not change.
	r          *Reactor
	clk        clock.Clock
	since      func(t time.Time) time.Duration
	epoch      time.Time     // the times of q count from here
	timerGroup *timerq.Group // of all timers, unless birthplaces are recorded

	// On clock.System, all timers that are due run at the clock's time. On
	// other clocks, which may jump, time goes from one to the next, as on a
	// Virtual, and each sees its own.
	stepwise bool

	pool pool
}

type phase uint8

const (
	fresh phase = iota // Run has not been called
	run
	over
)

const never = math.MaxInt64

// A loop reads its clock, to see which timers have become due, when it has
// nothing to do and otherwise after so many turns. On a clock on which time
// goes stepwise the order is better than this, until posts without end would
// keep time from going on.
const (
	fair         = 64
	fairStepwise = 4096
)

func newLoop(r *Reactor, c clock.Clock) *loop {
	l := &loop{r: r, clk: c, stepwise: c != clock.System(), armed: never, stale: true, epoch: c.Now()}
	l.since = func(t time.Time) time.Duration { return c.Now().Sub(t) }
	if c, ok := c.(interface {
		Since(t time.Time) time.Duration
	}); ok {
		l.since = c.Since
	}
	l.timerGroup = &timerq.Group{Home: l}
	l.pool.init(r)
	return l
}

func (l *loop) elapsed() time.Duration { return l.since(l.epoch) }

func (l *loop) clock() int64 { return int64(l.elapsed()) }

// now is the clock's time, or that of the event, for whom it concerns.
func (l *loop) now() time.Time {
	if l.stepwise && mark.IsSet() {
		if at, ok := l.event(); ok {
			return l.epoch.Add(time.Duration(at))
		}
	}
	return l.clk.Now()
}

// event returns the time of the event within which it is called, if it is
// called within one.
func (l *loop) event() (at int64, ok bool) {
	l.mu.Lock()
	at, ok = l.q.Now, l.turn
	l.mu.Unlock()
	if ok {
		kind := mark.Find()
		ok = kind == mark.OnLoop || kind == mark.OnCoroutine
	}
	return at, ok
}

func (l *loop) post(t seam.Task) bool {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return false
	}
	l.q.Post(t, nil)
	if l.asleep { // seldom
		l.wakeAndUnlock()
	} else {
		l.mu.Unlock()
	}
	return true
}

// postBehind is post by the turn that runs, at its end: t comes after what the
// turn has posted, its calls with no delay, and what has become due meanwhile.
func (l *loop) postBehind(t seam.Task) bool {
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	if l.stepwise { // time goes there step by step when the rest has run
		l.read = now
		l.q.PostHeld(t)
		return true
	}
	l.q.EndTurn()
	l.seeLocked(now)
	l.q.Post(t, nil)
	return true
}

// wakeAndUnlock wakes the loop if it is asleep.
func (l *loop) wakeAndUnlock() {
	wake := l.asleep
	l.asleep = false
	l.mu.Unlock()
	if wake {
		l.wake <- struct{}{}
	}
}

type timer struct{ timerq.Timer }

func (t *timer) loop() *loop { return t.Group.Home.(*loop) }

func (l *loop) callLater(d time.Duration, f func()) (clock.Timer, bool) {
	t := &timer{timerq.Timer{F: f, Group: l.timerGroup}}
	if l.r.births {
		t.Group = &timerq.Group{Home: l, Birth: birth.Here()}
	}
	from := l.from(d)
	l.mu.Lock()
	return t, l.armAndUnlock(t, d, from)
}

// armAndUnlock arms t, which is not armed, for d after the time from. It returns
// false if the loop has stopped.
func (l *loop) armAndUnlock(t *timer, d time.Duration, from int64) bool {
	if l.stopped {
		l.mu.Unlock()
		return false
	}
	when := l.q.Now
	if d > 0 {
		when = max(from+int64(d), l.q.Now+1)
		if from+int64(d) < from {
			when = never
		}
	} else {
		l.disturb.Store(true) // the end of the turn queues it
	}
	l.q.Arm(&t.Timer, when, l.turn)
	if when < l.due.Load() {
		l.due.Store(when)
	}
	if l.asleep && (d <= 0 || when < l.armed) {
		l.wakeAndUnlock()
	} else {
		l.mu.Unlock()
	}
	return true
}

// from is the time from which a delay counts, if there is one.
func (l *loop) from(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	if l.stepwise && mark.IsSet() {
		if at, ok := l.event(); ok {
			return at
		}
	}
	return l.clock()
}

func (t *timer) Stop() bool {
	l := t.loop()
	l.mu.Lock()
	was := l.q.Disarm(&t.Timer)
	l.mu.Unlock()
	return was
}

func (t *timer) Reset(d time.Duration) bool {
	l := t.loop()
	from := l.from(d)
	l.mu.Lock()
	was := l.q.Disarm(&t.Timer)
	l.armAndUnlock(t, d, from)
	return was
}

func (l *loop) watch(ctx context.Context, f func(), _ bool) func() bool {
	return context.AfterFunc(ctx, f)
}

func (l *loop) work(job func(seam.Worker) func()) bool { return l.pool.submit(l, job) }

func (l *loop) parked() func() { return func() {} }

func (l *loop) bind() {}

func (l *loop) timers() []seam.Scheduled { return timerq.Timers(l.scheduled(), l.epoch) }
func (l *loop) posts() []string          { return timerq.Posts(l.scheduled()) }

// scheduled leaves out what the loop has taken as a batch.
func (l *loop) scheduled() []timerq.Listed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.q.All(nil)
}

func (l *loop) workers() []seam.Working { return l.pool.list() }

func (l *loop) jobsOver() <-chan struct{} { return l.pool.over }

func (l *loop) runReady() {}
