package future

import (
	"context"

	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// Await returns the outcome, which it waits for if it must. How it waits
// depends on who calls:
//
//   - A plain goroutine parks, also in a callback that runs inline on it.
//   - A coroutine ([Async], [AsyncOn]), called with its own context, suspends;
//     its loop goes on.
//   - A worker ([GoOn]), called with its own context, gives up its slot and lets
//     virtual time go on.
//   - A callback of a reactor must not block: an Await of a pending Deferred
//     there, or in a coroutine with a context that is not its own, panics and
//     names the remedy.
//
// Await of a settled Deferred returns at once, whoever calls, also if ctx has
// ended. When ctx ends during the wait, Await gives up with an error that
// matches ctx.Err() and context.Cause(ctx). That harms no other waiter, and cancels
// nothing, but for the exception below: to cancel what is waited for along with the
// wait, write d.WithContext(ctx).Await(ctx). While it waits, it counts as a
// consumer. If ctx ends when the outcome is there, and callbacks ahead still run, a
// plain goroutine has the outcome at once, others wait for their turn. If the
// Deferred's reactor stops, the wait ends with an error that matches
// reactor.ErrStopped. Await takes note of a failure. It panics if ctx is nil.
//
// The exception is a wait in a line of package lock, so that no lease and no value is
// given to nobody: if an Await of one gives up, or of what is derived from one or
// gathers it, also with other inputs, and nobody else is interested, the Deferred is
// canceled. What is on its way to it just then goes back to the lock, and the Deferred
// fails with ErrCanceled. A function that waits in a line goes on, be it a coroutine or
// that of a lock.Run: it has a use for what it gets.
func (d *Deferred[T]) Await(ctx context.Context) (T, error) {
	d.mustBe("Await")
	mustContext(ctx, "Await")
	if v, f, ok := d.look(true); ok {
		return v, f.error()
	}
	err := d.n.wait(ctx)
	if err == nil || !d.n.forsake(err) {
		err = d.n.fault().error() // it has settled and never changes: no lock
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return d.value, nil
}

// error is the error of f, nil if there is no failure.
func (f *fault) error() error {
	if f == nil {
		return nil
	}
	return f.err
}

// wait blocks or suspends the caller until n has settled, or returns why it
// gave up.
func (n *node) wait(ctx context.Context) error {
	library := mark.IsSet()
	switch t := lifetime.Owner(ctx).(type) {
	case *coroutine:
		if library && t.innermost() {
			return t.await(ctx, n)
		}
	case *job:
		kind := mark.Find()
		switch {
		case t.current() != nil: // it waits already: another goroutine has its context
		case t.worker != nil && kind.IsWorker():
			return t.await(ctx, n)
		case t.worker == nil && (kind.IsWorker() || kind == mark.OnGoroutine):
			return n.park(ctx, &t.task)
		}
	}
	if library {
		n.mustNotBlock()
	}
	return n.park(ctx, nil)
}

// mustNotBlock panics if the caller is a callback of a loop, or a coroutine
// that waits with a context other than its own.
func (n *node) mustNotBlock() {
	kind := mark.Find()
	if kind == mark.OnLoop || kind == mark.OnCoroutine {
		n.forsake(nil)
	}
	switch kind {
	case mark.OnLoop:
		panic("future: Await of a pending Deferred in a callback on a loop would block the loop: chain with ThenFlat, or start a coroutine with AsyncOn and Await with its context")
	case mark.OnCoroutine:
		panic("future: Await in a coroutine with a context that is not its own would block what runs it: pass the ctx that the coroutine was given, or one derived from it; in a task of a Cooperator, yield the Deferred")
	}
}

// park blocks the calling goroutine, which t stands for if it is one that the
// library started.
func (n *node) park(ctx context.Context, t *task) error {
	if ctx.Err() != nil {
		return n.giveUp(ctx)
	}
	p := &parked{task: t, ch: make(chan struct{}, 1)}
	p.of, p.by = n, p
	listed, root := p.list()
	if !listed {
		return nil
	}
	if t != nil {
		t.at.Store(&p.waiter)
		defer t.at.Store(nil)
		if !root && t.waitsForItself() {
			p.stop(errCycle)
		}
	}
	if loop := n.loop(); loop != nil {
		defer loop.Parked()()
		m := &seam.Member{Stopped: p.stop}
		if !loop.Join(m) {
			p.stop(loop.Err())
		} else {
			defer loop.Leave(m)
		}
	}
	done := ctx.Done()
	if done == nil { // half the price of a select
		<-p.ch
		return p.why
	}
	select {
	case <-p.ch:
	case <-done:
		if p.withdraw(gaveUpOf(ctx)) || t == nil && n.isSettled() { // or its turn comes after callbacks that run
			return p.why
		}
		<-p.ch
	}
	return p.why
}

// giveUp is the end of a wait for n that has not begun, because ctx has ended.
// It has taken n's outcome, as one that begins and then gives up.
func (n *node) giveUp(ctx context.Context) error {
	n.mu.Lock()
	n.watch()
	n.mu.Unlock()
	return gaveUpOf(ctx)
}

// loop is the loop on which n's callbacks run, or nil.
func (n *node) loop() seam.Loop {
	if n.home == nil {
		return nil
	}
	return n.home.loop
}

// otherLoop is the loop of what is waited for, if the wait has to watch for its
// stop: that is, if the waiter is not of that loop, to be told in any case.
func (w *waiter) otherLoop(own *home) seam.Loop {
	loop := w.of.loop()
	if loop == nil || own != nil && own.loop == loop {
		return nil
	}
	return loop
}

// parked is a goroutine that waits.
type parked struct {
	waiter
	task *task // whose goroutine it is, if the library started it
	ch   chan struct{}
}

func (p *parked) wake()         { p.ch <- struct{}{} }
func (p *parked) tasked() *task { return p.task }

func (p *parked) stop(err error) {
	if p.withdraw(err) {
		p.wake()
	}
}
