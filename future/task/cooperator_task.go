package task

import (
	"errors"
	"iter"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/linked"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// A Task is an iterator that a [Cooperator] runs. [Cooperate] makes one; the
// zero value is of no use. All methods may be called from any goroutine, also
// from the iterator itself.
type Task struct {
	c      *Cooperator
	units  stepper
	cycles *seam.Search
	done   *future.Deferred[struct{}] // what WhenDone shields
	res    future.Resolver[struct{}]

	// Touched on the loop only.
	fault   error // the iterator did not return
	control any   // because of a property tester's panic, which is to go on

	// Protected by the Cooperator's lock.
	inLive  linked.Element[*Task]
	inTurn  linked.Element[*Task] // in its ring, or among those that end
	running bool                  // a unit runs
	pauses  int                   // that have not been resumed
	wait    canceler              // what it waits for, or nil
	why     error                 // what it is to end with
	failed  bool                  // why is the failure of what it waited for
	over    bool                  // it has ended
}

// A stepper is the iterator of a task. Its methods run on the loop, and do not
// return if the iterator ends by runtime.Goexit.
type stepper interface {
	step() unit
	stop()
}

// A unit is what running one has come to.
type unit struct {
	more bool     // the iterator has not ended
	wait canceler // what to wait for before the next
	err  error    // the failure of what was to be waited for
}

type canceler interface{ Cancel(cause error) bool }

// WhenDone returns a Deferred on the loop that succeeds when the iterator has
// ended, and fails when the task has failed or was stopped. When its callbacks
// run, the task has ended: they may stop the Cooperator. What came of the work
// is for the iterator to keep.
//
// Each call returns a Deferred of its own; its Cancel does nothing to the task.
// If the task fails, that is to be handled in each of them: call WhenDone once,
// and keep what it returns, rather than only to look at it.
func (t *Task) WhenDone() *future.Deferred[struct{}] {
	t.mustBe("WhenDone")
	return t.done.Shield()
}

func (t *Task) mustBe(verb string) {
	if t == nil || t.c == nil {
		panic("task: " + verb + ": a nil or zero Task: Cooperate makes one")
	}
}

// Pause keeps the task from having turns until resume is called. A unit that
// runs ends first. A task that was paused more than once, or waits as well,
// goes on when all that is over.
//
// Each pause has its own resume, and only the first call of that counts. It
// runs no unit itself: the task has its next turn after all others. The pause
// of a task that has ended does nothing.
func (t *Task) Pause() (resume func()) {
	t.mustBe("Pause")
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	t.pauses++
	c.ring.Remove(&t.inTurn)
	resumed := false // protected by the lock, too
	return func() {
		c.mu.Lock()
		if !resumed {
			resumed = true
			t.pauses--
			c.readyLocked(t)
		}
		c.unlock()
	}
}

// Stop ends the task, and reports whether it had not ended, or been stopped,
// before. No unit starts any more. What the task waits for is canceled within
// this call, unless somebody else reads that. The rest happens on the loop, in
// a slice of the Cooperator's: the iterator sees yield return false, so that
// its deferred functions run, and then WhenDone fails with an error that
// matches [ErrStopped]. A panic of the iterator's at its end is joined to that
// error.
//
// Stop does not wait. Called by the iterator itself, it takes effect at the
// end of the unit.
func (t *Task) Stop() bool {
	t.mustBe("Stop")
	c := t.c
	c.mu.Lock()
	wait := t.wait
	stopped := c.stopLocked(t, ErrStopped)
	c.unlock()
	if stopped && wait != nil {
		wait.Cancel(ErrStopped)
	}
	return stopped
}

// turn runs a unit of t, which take has taken off the ring.
func (t *Task) turn() {
	var u unit
	defer func() { t.turned(u) }() // also after a Goexit
	u = t.units.step()
}

// turned is the end of a unit.
func (t *Task) turned(u unit) {
	c := t.c
	c.mu.Lock()
	t.running = false
	why := t.why
	switch {
	case why != nil: // stopped meanwhile; it ends when the turn of those comes
	case !u.more:
	case u.err != nil:
		c.failLocked(t, u.err)
	default:
		t.wait = u.wait
		c.readyLocked(t)
	}
	c.mu.Unlock()
	switch {
	case why != nil && u.wait != nil:
		u.wait.Cancel(why)
	case why == nil && !u.more:
		t.settle()
	}
}

// failLocked lets t end because what it has waited for failed.
func (c *Cooperator) failLocked(t *Task, err error) {
	t.failed = c.stopLocked(t, err)
}

// waited is called on the loop when what t waits for has settled.
func (t *Task) waited(err error) {
	c := t.c
	c.mu.Lock()
	if t.wait != nil { // not stopped meanwhile
		t.wait = nil
		if err != nil {
			c.failLocked(t, err)
		}
		c.readyLocked(t)
	}
	c.unlock()
}

// end stops the iterator of t, which take has taken.
func (t *Task) end() {
	defer t.settle() // also after a Goexit
	t.units.stop()
}

// settle tells that t has ended. A control panic goes on.
func (t *Task) settle() {
	c := t.c
	c.mu.Lock()
	c.leaveLocked(t)
	why, failed := t.why, t.failed
	c.mu.Unlock()
	t.units = nil // others may keep t for long
	switch {
	case t.control != nil:
		t.done.Cancel(t.fault) // its report is the panic
		seam.Rethrow(t.control)
	case why == nil:
		t.res.Settle(struct{}{}, t.fault)
	case t.fault != nil:
		t.res.Fail(errors.Join(why, t.fault))
	case failed:
		t.res.Fail(why)
	default:
		t.done.Cancel(why)
	}
}

// iterator is that of a task. It is none of the task's fields, so that it is
// garbage when the task has ended.
type iterator[T any] struct {
	t    *Task
	seq  iter.Seq[*future.Deferred[T]]
	next func() (*future.Deferred[T], bool)
	halt func()
}

// step runs the iterator to its next value. It is made and resumed on the
// goroutine of the loop only, as iter.Pull wants it for a goroutine that may be
// locked to its thread.
func (i *iterator[T]) step() unit {
	if i.next == nil {
		i.next, i.halt = iter.Pull(i.run)
	}
	d, more := i.next()
	if !more || d == nil {
		return unit{more: more}
	}
	switch _, err := d.Result(); err {
	case nil:
		return unit{more: true}
	case future.ErrPending: // or it has failed with that, which comes to the same
		if err := i.t.cycles.Check(d); err != nil {
			return unit{more: true, err: err}
		}
		return unit{more: true, wait: future.Handle(d.On(i.t.c.ex), func(_ T, err error) (struct{}, error) {
			i.t.waited(err)
			return struct{}{}, nil
		})}
	default:
		return unit{more: true, err: err}
	}
}

// stop ends the iterator, if it has begun.
func (i *iterator[T]) stop() {
	if i.halt != nil {
		i.halt()
	}
}

// run is the iterator within a guard.
func (i *iterator[T]) run(yield func(*future.Deferred[T]) bool) {
	mark.Coroutine(func() {
		returned := false
		defer func() {
			if returned {
				return
			}
			v := recover()
			i.t.fault = failure.New(v)
			if seam.IsControl(v) {
				i.t.control = v
			}
		}()
		i.seq(guarded(yield))
		returned = true
	})
}

// guarded is yield for an iterator that may forget to look at what it returns:
// else that would hold up the loop for good.
func guarded[T any](yield func(T) bool) func(T) bool {
	over := false
	return func(v T) bool {
		if over {
			panic("task: the iterator goes on after yield has returned false: return then")
		}
		over = !yield(v)
		return !over
	}
}
