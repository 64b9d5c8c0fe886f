package future

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// Async runs f as a coroutine, at once and within this call until its first
// Await of a pending Deferred, and returns a Deferred of what f returns. From
// there on f goes on within the call that settles what it waits for. Nothing
// else of this program runs in f's stead while it does: a coroutine is
// straight-line code that takes turns with what resumes it.
//
// f's ctx carries the coroutine: d.Await(ctx) suspends it. The context ends
// when ctx does, when the result is canceled, and when f has returned. A Cancel
// of the result first goes to what f waits for, unless somebody else reads
// that; what it settles with at once is what Await returns. Then ctx ends: an
// Await that still waits gives up, and so does every later one with that ctx.
// Clean-up that must wait uses context.WithoutCancel(ctx). The result settles
// when f returns, with what f returns, also after a Cancel. If a context of package
// context ends with which f waits, f goes on on the goroutine that package context
// starts for that.
//
// A panic or a runtime.Goexit in f fails the result with a *failure.Failure.
// The coroutine holds a goroutine until f returns; if it waits for what never
// settles, it keeps it until its context ends. It costs about a microsecond to
// start and to suspend. Async panics if ctx or f is nil.
func Async[T any](ctx context.Context, f func(context.Context) (T, error)) *Deferred[T] {
	mustContext(ctx, "Async")
	mustFunc(f == nil, "Async")
	c := newCoroutine(ctx, nil, f)
	if outer, ok := lifetime.Owner(ctx).(*coroutine); ok && mark.IsSet() {
		outer.nested.Add(1) // until f suspends or ends, outer is not the innermost
		defer outer.nested.Add(-1)
	}
	var w work
	w.resume(&c.coroutine)
	w.run()
	return &c.d
}

// AsyncOn runs f as a coroutine on ex's loop and returns a Deferred of what f
// returns, whose callbacks run there too. f starts as a step of its own, not
// within this call, and goes on, whenever what it awaited has settled, as a
// step of its own; between two Awaits nothing else runs on the loop, so state
// of the loop needs no lock. When the loop stops, f's Awaits return an error
// that matches reactor.ErrStopped until it has returned.
//
// If the result is canceled before f has started, f runs all the same, with a
// context that has ended.
//
// A wait costs a switch, about as much as two channel operations, and no
// goroutine wake-up. Otherwise it is as [Async]. It panics if ctx, ex or f is
// nil.
func AsyncOn[T any](ctx context.Context, ex Executor, f func(context.Context) (T, error)) *Deferred[T] {
	mustContext(ctx, "AsyncOn")
	mustFunc(f == nil, "AsyncOn")
	h := homeOf("AsyncOn", ex)
	c := newCoroutine(ctx, h, f)
	c.startOn(h)
	return &c.d
}

// A coroutine is a function that can wait without blocking what runs it. On a
// loop it switches by iter.Pull, on the loop's goroutine only; inline by
// channels, because there any goroutine may resume it.
type coroutine struct {
	task
	home    *home
	main    func() // runs f; sets out and control
	out     *fault
	control any // a property tester's panic, to go on in who resumes

	nested atomic.Int32 // coroutines that were started by it and run now

	// On a loop; touched on its goroutine only.
	next    func() (struct{}, bool)
	yield   func(struct{}) bool
	stopped error // once the loop has: all waits end so

	idle *waiter // of the last wait; the coroutine's alone

	// Inline.
	begun   bool
	running atomic.Bool
	turn    chan chan bool // the resumer's channel to answer on
	reply   chan bool      // true: f has returned
}

// coroutineOf is a coroutine with its Deferred.
type coroutineOf[T any] struct {
	coroutine
	d Deferred[T]
	f func(context.Context) (T, error)
}

func newCoroutine[T any](ctx context.Context, h *home, f func(context.Context) (T, error)) *coroutineOf[T] {
	c := &coroutineOf[T]{f: f}
	c.home = h
	c.main = c.runF
	c.begin(ctx, &c.d.n, h, &c.coroutine)
	c.d.n.noteFunction(f)
	c.life.AfterFunc(c.interrupt)
	return c
}

func (c *coroutineOf[T]) runF() {
	f := c.f
	c.f = nil // the result outlives what f holds
	run(c.life, f, &c.d.value, &c.out, &c.control)
}

// atOnce reports false: a coroutine settles when f has returned.
func (c *coroutine) atOnce() bool { return false }

func (c *coroutine) end(f *fault) { c.life.End(context.Canceled, f.err) }

// interrupt ends a wait with the coroutine's own context, when that ends.
func (c *coroutine) interrupt() {
	if at := c.current(); at != nil && at.own {
		c.interruptAt(at, gaveUpOf(c.life))
	}
}

// interruptAt ends the wait at because of why: on a loop as a step, else within
// this call.
func (c *coroutine) interruptAt(at *waiter, why error) {
	if c.home != nil {
		if at.leave(queued, why) {
			c.home.post(&at.n)
		}
		return
	}
	if at.withdraw(why) && !c.wakesLate(at) {
		var w work
		w.resume(c)
		w.run()
	}
}

// innermost reports whether the coroutine runs now, and no coroutine within it.
func (c *coroutine) innermost() bool {
	if c.home != nil {
		return c.home.inner.Load() == c && c.nested.Load() == 0
	}
	return c.running.Load() && c.nested.Load() == 0
}

// wake is not called: a coroutine is resumed by work.wake.
func (c *coroutine) wake() {}

// await suspends the coroutine until n has settled.
func (c *coroutine) await(ctx context.Context, n *node) error {
	if ctx.Err() != nil {
		return n.giveUp(ctx)
	}
	if c.stopped != nil {
		return c.stopped
	}
	at, listed, root := c.list(n, lifetime.Of(ctx) == c.life)
	if !listed {
		return nil
	}
	c.at.Store(at)
	if !at.own && ctx.Done() != nil { // in this order: Done makes a channel
		stop := watch(c.home, ctx, func() { c.interruptAt(at, gaveUpOf(ctx)) })
		defer stop()
	}
	over, hooked := false, false
	if loop := at.otherLoop(c.home); loop != nil {
		m := &seam.Member{Stopped: func(err error) { c.interruptAt(at, err) }}
		hooked = true
		if loop.Join(m) {
			defer loop.Leave(m)
		} else {
			over = at.withdraw(loop.Err())
		}
	}
	if !over && ctx.Err() != nil { // a cancel that came before the wait was known has found none
		over = at.withdraw(gaveUpOf(ctx))
	}
	if !over && !root && c.waitsForItself() {
		over = at.withdraw(errCycle)
	}
	if !over {
		c.suspend()
	}
	c.at.Store(nil)
	if c.stopped != nil {
		return c.stopped
	}
	if at.own && at.why == nil && !hooked {
		at.rest()
		c.idle = at
	}
	return at.why
}

// list makes the coroutine a reader of n: with the waiter of its last wait, if
// that ended by an outcome, so that it stands in no ring, and if the hook of no
// other context or loop knew it.
func (c *coroutine) list(n *node, own bool) (at *waiter, ok, root bool) {
	if at = c.idle; at != nil && own {
		c.idle = nil
		ok, root = at.relist(n)
	} else {
		at = &waiter{of: n, by: c, own: own}
		at.n.home = c.home
		ok, root = at.list()
	}
	if !ok && own {
		at.rest()
		c.idle = at
	}
	return at, ok, root
}

func (c *coroutine) suspend() {
	if c.home != nil {
		c.yield(struct{}{})
		return
	}
	c.running.Store(false)
	c.reply <- false
	c.reply = <-c.turn
	c.running.Store(true)
}

// switchTo runs the coroutine until it suspends or ends, which it reports.
func (c *coroutine) switchTo() (ended bool) {
	if c.home == nil {
		reply := make(chan bool, 1)
		if !c.begun {
			c.begun = true
			c.reply, c.turn = reply, make(chan chan bool, 1)
			go c.goroutine()
		} else {
			c.turn <- reply
		}
		return <-reply
	}
	if c.next == nil {
		c.next, _ = iter.Pull(c.seq)
	}
	before := c.home.inner.Swap(c)
	defer c.home.inner.Store(before)
	_, more := c.next()
	return !more
}

// goroutine is the body of an inline coroutine.
func (c *coroutine) goroutine() {
	defer func() { // also after a Goexit
		c.running.Store(false)
		c.reply <- true
	}()
	c.running.Store(true)
	mark.Coroutine(c.main)
}

// seq is the body of a coroutine on a loop.
func (c *coroutine) seq(yield func(struct{}) bool) {
	c.yield = yield
	mark.Coroutine(c.main)
}

// resume runs c until it suspends or ends, and then settles its Deferred. A
// Goexit in f on a loop ends this goroutine too: then work.broken does it.
func (w *work) resume(c *coroutine) {
	w.calling, w.old = c.n, nil
	returned := false
	defer func() {
		if !returned {
			c.finish()
		}
	}()
	ended := c.switchTo()
	returned = true
	w.calling = nil
	if !ended {
		return
	}
	c.finish()
	if c.control != nil {
		c.out.quiet = true
	}
	w.settle(c.n, c.out, false)
	if c.control != nil {
		seam.Rethrow(c.control)
	}
}

// finish is to be called when f has returned, or will not run.
func (c *coroutine) finish() {
	c.idle = nil // the result outlives what f has waited for
	c.over()
}

// startOn queues the coroutine's start.
func (c *coroutine) startOn(h *home) {
	start := func() {
		if c.next != nil || c.n.isSettled() {
			return
		}
		var w work
		w.resumeGuarded(c)
	}
	if h.loop != nil {
		c.member.Bound = true
		c.member.Stopped = c.stop
		if !h.loop.Join(&c.member) {
			c.stop(h.loop.Err())
			return
		}
	}
	c.post(start) // a loop that has stopped meanwhile tells its members
}

// post queues f, which starts or resumes the coroutine, as a step of its loop.
// It returns false if the loop has stopped.
func (c *coroutine) post(f func()) bool {
	if c.home.loop != nil {
		return c.home.loop.PostTask(resumption(f))
	}
	c.home.ex.Post(f)
	return true
}

type resumption func()

// Run is the turn.
func (f resumption) Run() seam.Task {
	f()
	return nil
}

// String names it in lists of what is scheduled.
func (f resumption) String() string { return "a turn of a coroutine" }

// Drop does nothing: the coroutine is a member of the loop, and told as such.
func (f resumption) Drop(error) {}

// stop ends the coroutine, because its loop has stopped: its wait, and every
// later one, returns err. It runs on the loop's goroutine, or, if the loop had
// stopped before the coroutine was made, on that of AsyncOn.
func (c *coroutine) stop(err error) {
	c.stopped = err
	var w work
	if c.next == nil {
		c.out = stoppedFault(err)
		c.finish()
		w.settle(c.n, c.out, false)
		w.run()
		return
	}
	if at := c.current(); at != nil {
		if !at.withdraw(err) {
			at.n.dequeue()
		}
		w.resumeGuarded(c)
	}
}

// resumeGuarded is resume within run's guard. Its waiter waits for nothing.
func (w *work) resumeGuarded(c *coroutine) {
	at := &waiter{by: c}
	at.n.phase = running
	w.reader, w.role = &at.n, at
	w.run()
}
