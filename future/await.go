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
// matches ctx.Err() and context.Cause(ctx). That cancels nothing and harms no
// other waiter: to cancel what is waited for along with the wait, write
// d.WithContext(ctx).Await(ctx). While it waits, it counts as a consumer. If the Deferred's
// reactor stops, the wait ends with an error that matches reactor.ErrStopped.
// Await takes note of a failure. It panics if ctx is nil.
func (d *Deferred[T]) Await(ctx context.Context) (T, error) {
	d.mustBe("Await")
	mustContext(ctx, "Await")
	if v, f, ok := d.look(true); ok {
		return v, f.error()
	}
	err := d.n.wait(ctx)
	if err == nil {
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
		switch {
		case !library || mark.Find() != mark.OnWorker:
		case t.current() != nil: // it waits already: another goroutine has its context
		case t.worker != nil:
			return t.await(ctx, n)
		default:
			return n.park(ctx, &t.task)
		}
	}
	if library {
		mustNotBlock()
	}
	return n.park(ctx, nil)
}

// mustNotBlock panics if the caller is a callback of a loop, or a coroutine
// that waits with a context other than its own.
func mustNotBlock() {
	switch mark.Find() {
	case mark.OnLoop:
		panic("future: Await of a pending Deferred in a callback on a loop would block the loop: chain with ThenFlat, or start a coroutine with AsyncOn and Await with its context")
	case mark.OnCoroutine:
		panic("future: Await in a coroutine with a context that is not its own would block what runs it: pass the ctx that the coroutine was given, or one derived from it")
	}
}

// A waiter is the place of a wait in the ring of what it waits for.
type waiter struct {
	n   node
	of  *node
	by  sleeper
	own bool  // a coroutine's, with its own context
	why error // why the wait ended, if not by the outcome
}

// A sleeper is woken when its wait is over: by the outcome, or after a
// withdraw.
type sleeper interface {
	wake()
	tasked() *task // whose wait it is, if the library knows
}

func (w *waiter) source() *node { return w.of }

// runs reports whether waking is a step of a loop: of a coroutine there.
func (w *waiter) runs(bool) bool { return true }

func (w *waiter) step(*fault) (*node, *fault) { return nil, nil } // never called: see work.wake

// list makes w a reader of what it waits for. It returns false if that has
// settled. It reports whether that is a root which waits for nothing itself.
func (w *waiter) list() (ok, root bool) {
	s := w.of
	s.lockHere()
	defer s.mu.Unlock()
	return s.enlistHere(&w.n), s.phase == open && !s.asksOthers()
}

// relist is list for a waiter that has been one before, so that others may know
// it.
func (w *waiter) relist(of *node) (ok, root bool) {
	for {
		of.lockHere()
		if of.lockAlso(&w.n) {
			break
		}
	}
	defer of.mu.Unlock()
	defer w.n.mu.Unlock()
	w.of, w.n.flags = of, 0
	return of.enlistHere(&w.n), of.phase == open && !of.asksOthers()
}

// awaited is what w waits for, or has waited for.
func (w *waiter) awaited() *node {
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	return w.of
}

// asksOthers reports whether n, a root that is locked, waits for others in its
// own way.
func (n *node) asksOthers() bool {
	switch n.role.(type) {
	case nil, *canceller:
		return false
	case *gather, runner:
		return true
	}
	return false
}

// withdraw ends the wait, because of why, before its source has settled. It
// returns false if the source was faster. It does not wake.
func (w *waiter) withdraw(why error) bool { return w.leave(settled, why) }

func (w *waiter) leave(p phase, why error) bool {
	n := &w.n
	for {
		n.mu.Lock()
		if n.phase != waiting {
			n.mu.Unlock()
			return false
		}
		if n.lockAlso(w.of) {
			break
		}
	}
	s := w.of
	defer s.mu.Unlock()
	defer n.mu.Unlock()
	if s.phase == settled {
		return false
	}
	if n.flags&left == 0 {
		s.active--
	}
	s.leave(n)
	w.why = why
	n.phase, n.role = p, &request{role: w, old: s}
	return true
}

// wake ends the wait of at. If it is that of a function whose context is about
// to end, because of the cancel that brought the outcome, it waits for that: so
// what the function sees in its context fits what Await returned.
func (w *work) wake(at *waiter) {
	t := at.by.tasked()
	if t == nil || at.of == nil || !t.wakesLate(at) { // of nil: see resumeGuarded
		w.wakeNow(at)
	}
}

// wakeLate is wake for one that had to wait. A coroutine goes on on its loop.
func (w *work) wakeLate(at *waiter) {
	c, ok := at.by.(*coroutine)
	if !ok || c.home == nil {
		w.wakeNow(at)
		return
	}
	c.post(func() {
		if c.current() == at {
			var w work
			w.resumeGuarded(c)
		}
	})
}

func (w *work) wakeNow(at *waiter) {
	if c, ok := at.by.(*coroutine); ok {
		w.resume(c)
		return
	}
	at.by.wake()
}

// park blocks the calling goroutine, which t stands for if it is one that the
// library started.
func (n *node) park(ctx context.Context, t *task) error {
	if ctx.Err() != nil {
		return n.giveUp(ctx)
	}
	p := &parked{task: t, ch: make(chan struct{}, 1)}
	p.of, p.by, p.n.role = n, p, &p.waiter
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
		if p.withdraw(gaveUpOf(ctx)) {
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

// Done returns a channel that is closed when the Deferred has settled, for
// select; Result then has the outcome. It does not count as a consumer, and
// does not take note of a failure. It returns the same channel while the
// Deferred is pending. If the Deferred is derived and its reactor stops, it
// fails, and the channel is closed.
func (d *Deferred[T]) Done() <-chan struct{} {
	d.mustBe("Done")
	n := &d.n
	n.lockHere()
	if n.phase == settled {
		n.mu.Unlock()
		return closed
	}
	if n.readers != nil && !n.readers.next.gone { // the role of one that is gone is not to be read
		if s, ok := n.readers.next.role.(*signal); ok {
			n.mu.Unlock()
			return s.ch
		}
	}
	s := &signal{of: n, ch: make(chan struct{})}
	s.n.phase, s.n.role = waiting, s
	n.listFirst(&s.n)
	n.mu.Unlock()
	s.join()
	return s.ch
}

var closed = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

// signal is the reader behind a Done channel. It stands first in the ring and
// is not counted.
type signal struct {
	n      node
	of     *node
	ch     chan struct{}
	member seam.Member
}

func (s *signal) source() *node  { return s.of }
func (s *signal) runs(bool) bool { return false }

func (s *signal) step(*fault) (*node, *fault) {
	close(s.ch)
	if loop := s.of.loop(); loop != nil {
		loop.Leave(&s.member)
	}
	return nil, nil
}

// join lets a derived Deferred fail when its loop stops.
func (s *signal) join() {
	loop := s.of.loop()
	if loop == nil {
		return
	}
	s.member.Stopped = func(err error) { s.of.abandon(stoppedFault(err)) }
	if !loop.Join(&s.member) {
		s.member.Stopped(loop.Err())
	}
}

// abandon fails n, which waits for another, with f; its function does not run.
// A root keeps its Resolver.
func (n *node) abandon(f *fault) {
	for {
		n.lockHere()
		if _, left := n.role.(*request); n.phase != waiting || left { // it is about to see a cancel
			n.mu.Unlock()
			return
		}
		s := n.role.source()
		if !n.lockAlso(s) {
			continue
		}
		pending := s.phase != settled
		if pending {
			if n.flags&left == 0 {
				s.active--
			}
			s.leave(n)
			n.phase = running
		}
		s.mu.Unlock()
		n.mu.Unlock()
		if pending {
			var w work
			w.settle(n, f, true)
			w.run()
		}
		return
	}
}
