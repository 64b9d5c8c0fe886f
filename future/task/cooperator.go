package task

import (
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/linked"
	"github.com/deferred-go/deferred/internal/seam"
)

// ErrStopped is matched by the error of a task that was stopped, by itself or
// with its Cooperator. Such an error matches future.ErrCanceled and
// context.Canceled, too: it was asked for, so nothing is reported if nobody
// looks at it.
var ErrStopped = errors.New("task: stopped")

var errStoppedAll = fmt.Errorf("%w with its Cooperator", ErrStopped)

// A Cooperator shares the time of its loop among tasks. Each is an iterator of
// units of work, which [Cooperate] adds. The tasks have their turns one after
// the other, a unit each, always in the same order; a task that is new, or that
// goes on after a pause or a wait, comes last. So a task that ends costs no
// other one its turn.
//
// The units run on the loop, in slices: one step of the loop runs units until
// its time is over or there have been so many ([Slice], [Units]), at least one.
// Then timers and what has been posted get their turn, and the next slice
// comes. No more than one slice is queued at a time, and none if no task has
// anything to do.
//
// Tasks that are added before the reactor runs wait for that. When it stops,
// all tasks end, their iterators on the loop, with an error that matches
// reactor.ErrStopped and also, unless a clean-up panicked,
// future.ErrCanceled.
//
// [NewCooperator] makes one; the zero value is of no use. All methods may be
// called from any goroutine, also from the iterators. A unit costs a switch to
// its iterator, about as much as two channel operations without waking a
// goroutine, and a look at the clock, however many tasks there are; of very
// many the stacks are no longer in the processor's caches, which costs more.
type Cooperator struct {
	ex      future.Executor
	loop    seam.Loop            // nil for a foreign executor
	elapsed func() time.Duration // on the clock that the loop is on
	span    time.Duration        // of a slice
	most    int                  // units in a slice
	foreign func()               // run, for a foreign executor

	// mu protects the following, and the fields of tasks that say so. It is
	// not held while iterators, cancellers and executors are called.
	mu      sync.Mutex
	member  seam.Member
	joined  bool               // the loop knows the member
	stopped error              // what later tasks fail with
	live    linked.List[*Task] // that have not ended, as they were added
	ring    linked.List[*Task] // whose turn comes; the first is next
	ending  linked.List[*Task] // whose iterators are to be stopped
	sliced  bool               // a slice is queued, rests, or runs
	rest    seam.Timer         // that is to end the rest, or nil
}

// An Option is given to [NewCooperator].
type Option interface{ apply(*Cooperator) }

type option func(*Cooperator)

func (o option) apply(c *Cooperator) { o(c) }

// Slice sets how long a slice may be: it ends after the unit in which d is
// over. The time is that of the clock which the reactor was made with, read
// between units; on a foreign executor it is that of its Now. On a
// clock.Virtual it is the time that a slice takes which has used up its Units.
// Default: 10 ms. Slice panics if d is not above 0.
func Slice(d time.Duration) Option {
	if d <= 0 {
		panic("task: Slice of no time: give it some, or use Units(1) for slices of one unit")
	}
	return option(func(c *Cooperator) { c.span = d })
}

// Units sets how many units a slice may have. Default: 1000. Units panics if
// n < 1.
//
// On a clock.Virtual, where time stands still while units run, it is what ends
// a slice, and the next one comes a [Slice] of virtual time later; what has to
// end, such as a task that was stopped, does so at once. So time goes on also
// with a task that never ends: a second of it has 100 slices. Tasks that have
// done with fewer units take no time.
func Units(n int) Option {
	if n < 1 {
		panic("task: Units below 1: a slice has one unit at least")
	}
	return option(func(c *Cooperator) { c.most = n })
}

// NewCooperator returns a Cooperator without tasks. Their units run on ex. It
// starts nothing, and need not be stopped if its tasks end. It panics if ex or
// an Option is nil.
func NewCooperator(ex future.Executor, opts ...Option) *Cooperator {
	if ex == nil {
		panic("task: NewCooperator: nil Executor: give it the reactor on which the tasks are to run")
	}
	c := &Cooperator{ex: ex, loop: seam.LoopOf(ex), span: 10 * time.Millisecond, most: 1000}
	for _, o := range opts {
		if o == nil {
			panic("task: NewCooperator: nil Option: leave it out")
		}
		o.apply(c)
	}
	if c.loop != nil {
		c.elapsed = c.loop.Elapsed
		c.member = seam.Member{Bound: true, Stopped: c.lost}
	} else {
		start := ex.Now()
		c.elapsed = func() time.Duration { return ex.Now().Sub(start) }
		c.foreign = c.run
	}
	return c
}

func (c *Cooperator) mustBe(verb string) {
	if c == nil || c.ex == nil {
		panic("task: " + verb + ": a nil or zero Cooperator: make one with NewCooperator")
	}
}

// Cooperate adds a task. Each value of units ends a unit of its work: after nil
// it goes on in its next turn; if it is a Deferred, the task first waits for
// that to succeed, on c's loop. The task ends with the iterator.
//
// The first unit is not run within this call. The iterator runs on the loop,
// and nothing else runs there between two of its values: it must not block, and
// has no Await; it yields what it wants to wait for. While the task waits it is
// a consumer of the Deferred; if that fails, or waits for the task itself, yield
// returns false, and then the task fails with that error. (Whether it waits for
// itself is looked at when it begins to wait: a wait that comes to be such
// later never ends by itself.) When yield has returned false, the iterator is
// to return: to yield again is a panic, as it is for any range-over-func. If the task
// was stopped, the Deferred may have succeeded all the same: a lease or a value of
// package lock is the iterator's then.
//
// If the iterator panics, the task fails with a *failure.Failure; so it does if
// the iterator calls runtime.Goexit, which ends the goroutine of the loop, too.
// If c has stopped, or its reactor, the task fails at once, and the iterator
// never starts.
//
// A failure of a task whose WhenDone nobody asks for is reported as that of
// any Deferred which nobody handles. A task that has begun holds a goroutine of
// the runtime until it ends. Cooperate panics if c or units is nil. It does not
// block.
func Cooperate[T any](c *Cooperator, units iter.Seq[*future.Deferred[T]]) *Task {
	c.mustBe("Cooperate")
	if units == nil {
		panic("task: Cooperate: nil iterator: there is nothing to do")
	}
	t := &Task{c: c}
	t.units = &iterator[T]{t: t, seq: units}
	t.inLive.Value, t.inTurn.Value = t, t
	t.done, t.res = future.NewOn[struct{}](c.ex)
	t.cycles = seam.SearchFor(t.done)
	if why := c.add(t); why != nil {
		t.units = nil
		t.done.Cancel(why)
	}
	return t
}

// add gives t its first turn, or returns why it has none.
func (c *Cooperator) add(t *Task) error {
	c.mu.Lock()
	why := c.stopped
	if why == nil {
		why = c.joinLocked()
	}
	if why != nil {
		t.over = true
		c.mu.Unlock()
		return why
	}
	c.live.Add(&t.inLive)
	c.readyLocked(t)
	c.unlock()
	return nil
}

// joinLocked makes the loop tell c when it stops.
func (c *Cooperator) joinLocked() error {
	if c.loop == nil || c.joined {
		return nil
	}
	if !c.loop.Join(&c.member) {
		return c.loop.Err()
	}
	c.joined = true
	return nil
}

// readyLocked puts t at the end of the ring, unless something keeps it from
// having a turn.
func (c *Cooperator) readyLocked(t *Task) {
	if !t.over && t.why == nil && t.wait == nil && t.pauses == 0 && !t.running {
		c.ring.Add(&t.inTurn)
	}
}

// unlock unlocks c, and queues a slice if there is something to do and none is
// queued.
func (c *Cooperator) unlock() {
	wanted := c.busyLocked() && (!c.sliced || c.hurriesLocked())
	if wanted {
		c.sliced = true
	}
	c.mu.Unlock()
	if wanted {
		c.post(false)
	}
}

func (c *Cooperator) busyLocked() bool {
	return c.ring.First() != nil || c.ending.First() != nil
}

// hurriesLocked reports whether the slice that rests is to come at once, and
// ends its rest: something is to end.
func (c *Cooperator) hurriesLocked() bool {
	return c.ending.First() != nil && c.rest != nil && c.rest.Stop()
}

// restsLocked reports whether the next slice, after one that has used up its
// units, comes later: on virtual time it does, for else time would never go on.
func (c *Cooperator) restsLocked() bool {
	if c.loop == nil || c.ending.First() != nil {
		return false
	}
	if c.rest == nil {
		c.rest = c.loop.Rest(c.span, c.run)
	} else {
		c.rest.Reset(c.span)
	}
	return c.rest != nil
}

// post queues a slice: behind what has become due by now, if c's running slice
// has taken time. A loop that has stopped takes none, and tells its members.
func (c *Cooperator) post(behind bool) {
	switch {
	case c.loop == nil:
		c.ex.Post(c.foreign)
	case behind:
		c.loop.PostBehind((*slice)(c))
	default:
		c.loop.PostTask((*slice)(c))
	}
}

// slice is a Cooperator as a step of its loop.
type slice Cooperator

// Run is the step.
func (s *slice) Run() seam.Task {
	(*Cooperator)(s).run()
	return nil
}

// String names it in lists of what is scheduled.
func (s *slice) String() string { return "a slice of a Cooperator" }

// Drop does nothing: the Cooperator is a member of the loop, and told as such.
func (s *slice) Drop(error) {}

// run is one slice. When a Goexit or a control panic leaves it, the next one is
// queued all the same.
func (c *Cooperator) run() {
	start, n := c.elapsed(), 0
	defer func() { c.endSlice(start, n) }()
	for {
		t, ends := c.take()
		switch {
		case t == nil:
			return
		case ends:
			t.end()
		default:
			t.turn()
			n++
			if n == c.most || c.elapsed()-start >= c.span {
				return
			}
		}
	}
}

// endSlice queues the next slice after one of n units, if there is something to
// do.
func (c *Cooperator) endSlice(start time.Duration, n int) {
	c.mu.Lock()
	c.sliced = c.busyLocked()
	now := c.sliced && (n < c.most || !c.restsLocked())
	c.mu.Unlock()
	if now {
		c.post(c.elapsed() > start)
	}
}

// take takes what is to be done next: a task that ends, or else the one whose
// turn it is.
func (c *Cooperator) take() (t *Task, ends bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.ending.TakeFirst(); e != nil {
		return e.Value, true
	}
	e := c.ring.TakeFirst()
	if e == nil {
		return nil, false
	}
	e.Value.running = true
	return e.Value, false
}

// Stop ends all tasks, as [Task.Stop] does, also those that are paused or wait:
// WhenDone of each fails with an error that matches [ErrStopped], in the order
// in which they were added. Later tasks fail so at once. Stop does not block,
// and only the first call counts.
func (c *Cooperator) Stop() {
	c.mustBe("Stop")
	c.mu.Lock()
	if c.stopped == nil {
		c.stopped = errStoppedAll
	}
	waits := c.stopAllLocked(errStoppedAll)
	c.unlock()
	for _, w := range waits {
		w.Cancel(errStoppedAll)
	}
}

// stopAllLocked lets all tasks end because of why, and returns what they have
// waited for.
func (c *Cooperator) stopAllLocked(why error) (waits []canceler) {
	for e := c.live.First(); e != nil; e = e.Next() {
		if w := e.Value.wait; w != nil {
			waits = append(waits, w)
		}
		c.stopLocked(e.Value, why)
	}
	return waits
}

// stopLocked lets t end because of why, unless it does so already: in the next
// slice or, if t runs now, when its unit is over.
func (c *Cooperator) stopLocked(t *Task, why error) bool {
	if t.over || t.why != nil {
		return false
	}
	t.why, t.wait = why, nil
	c.ring.Remove(&t.inTurn)
	c.ending.Add(&t.inTurn)
	return true
}

// lost is called on the loop when that stops, or when the tasks cannot go on
// because the loop loses the thread to which its goroutine was locked: see
// [seam.Member].
func (c *Cooperator) lost(err error) {
	c.mu.Lock()
	c.joined = false
	c.stopAllLocked(err)
	c.mu.Unlock()
	returned := false
	defer func() {
		if !returned {
			c.lost(err) // while a Goexit, or a control panic, goes on
		}
	}()
	for t, ends := c.takeEnding(); ends; t, ends = c.takeEnding() {
		t.end()
	}
	returned = true
}

func (c *Cooperator) takeEnding() (t *Task, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.ending.TakeFirst()
	if e == nil {
		return nil, false
	}
	return e.Value, true
}

// leaveLocked forgets t, which has ended.
func (c *Cooperator) leaveLocked(t *Task) {
	t.over = true
	c.live.Remove(&t.inLive)
	if c.joined && c.live.First() == nil {
		c.joined = false
		c.loop.Leave(&c.member)
	}
}
