package future

import (
	"errors"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/seam"
)

// A work runs what has become runnable, in one loop and on one goroutine: the
// readers of settled nodes, depth first and in order of registration, and what
// cancellations and gathers ask for. None of it recurses, so chains and
// nestings of any size need a constant stack. A settle that user code makes
// inside a callback is a work of its own.
type work struct {
	// The node to run next, before all else: to take the outcome in, or, with
	// a role, in the middle of its step.
	reader *node
	in     *fault
	role   role
	old    *node // the source whose ring may still have reader, if it left one

	top  *node  // settled nodes with readers to run, the innermost first, linked by next
	rest []item // what else is to be done, last in, first out

	turn *home // of whose loop this work is a turn, or nil
	then *node // what that is to queue at its end

	calling  *node  // the node whose function runs, to fail if that panics
	canceler *fault // what its canceller was called for; nil: it is not the canceller that runs
}

// An item is done when all that came after it has been.
type item struct {
	base *node // the top of the work below the item
	do   toDo
	n    *node
	g    *gather
	r    runner
	i    int
	f    *fault
}

type toDo uint8

const (
	deliver       toDo = iota // run the readers of n, which cannot stand in the stack
	cancelNode                // cancel n for f
	cancelInputs              // cancel the inputs of g from the i-th on for f
	completeInput             // settle g, whose rule was met with f
	endTask                   // end the context of n's coroutine, worker or goroutine for f
	leaveLine                 // cancel n, which is forsaken, if it waits in one
)

func (w *work) push(it item) {
	it.base = w.top
	w.rest = append(w.rest, it)
}

// run does what w has until nothing is left. A panic of a function of the
// user's fails its node, and the loop goes on. A runtime.Goexit fails the node
// too, the rest is done while the goroutine ends. A control panic of a
// property tester fails the node, and goes on its way when the rest is done.
func (w *work) run() {
	for !w.guarded() {
	}
}

func (w *work) guarded() bool {
	returned := false
	defer func() {
		if !returned {
			w.broken(recover())
		}
	}()
	w.loop()
	returned = true
	return true
}

// broken handles the end of a user's function by the panic value v, or by
// runtime.Goexit, if v is nil. It runs deferred, on the stack of the panic.
func (w *work) broken(v any) {
	n := w.calling
	if n == nil {
		if v == nil {
			w.run()
			return
		}
		if seam.IsControl(v) {
			w.runAside()
		}
		panic(v) // else the library's own fault: hide nothing
	}
	out := n.brokenBy(v, w.canceler)
	out.quiet = seam.IsControl(v)
	canceler := w.canceler != nil
	w.calling, w.canceler = nil, nil
	if n.records() {
		n.noteSource(nil, false) // the stack tells
	}
	n.mu.Lock()
	if canceler && n.phase != open {
		n.mu.Unlock()
		out.rest(n.home, n.history()) // it had settled n already, or lets it follow another: report it
	} else {
		w.settleAndUnlock(n, out, w.old != nil)
	}
	w.turn = nil // it does not come to its end
	if seam.IsControl(v) {
		w.runAside()
		panic(v)
	}
	if v == nil {
		w.run()
	}
}

// runAside is run while a control panic is on its way out. Another one that
// comes of it is of no more interest.
func (w *work) runAside() {
	defer func() {
		if v := recover(); v != nil && !seam.IsControl(v) {
			panic(v)
		}
	}()
	w.run()
}

// brokenBy is the failure of n whose function ended by the panic value v, or by
// runtime.Goexit. It hides no failure that was there before.
func (n *node) brokenBy(v any, canceler *fault) *fault {
	n.mu.Lock()
	r := n.role
	n.mu.Unlock()
	if q, ok := r.(*request); ok {
		r = q.role
	}
	err := error(failure.New(v))
	switch r := r.(type) {
	case *coroutine:
		if r.out != nil {
			return r.out
		}
	case interface{ held() *fault }:
		if in := r.held(); in != nil {
			err = errors.Join(in.err, err)
		}
	}
	if canceler != nil {
		err = errors.Join(canceler.err, err)
	}
	return newFault(err, nil)
}

func (w *work) loop() {
	for {
		if n := w.reader; n != nil {
			in, role, old := w.in, w.role, w.old
			w.reader, w.in, w.role = nil, nil, nil
			if role == nil {
				w.take(n, in)
			} else {
				w.step(n, role, in, old)
			}
		} else if k := len(w.rest) - 1; k >= 0 && w.rest[k].base == w.top {
			it := w.rest[k]
			w.rest[k] = item{}
			w.rest = w.rest[:k]
			w.doItem(it)
		} else if w.top != nil {
			w.deliverTop()
		} else {
			return
		}
	}
}

func (w *work) doItem(it item) {
	switch it.do {
	case deliver:
		if r, more := it.n.nextReader(); r != nil {
			if more {
				w.push(it)
			}
			w.reader, w.in = r, it.n.fault()
		}
	case cancelNode:
		w.cancel(it.n, it.f)
	case cancelInputs:
		w.cancelInputs(it)
	case completeInput:
		it.g.letGo()
		w.settle(it.g.n, it.g.rule.result(it.f), false)
	case endTask:
		w.endTask(it.n, it.r, it.f)
	case leaveLine:
		it.n.leaveLine(newCancel(nil))
	}
}

// deliverTop takes the next reader of the innermost settled node.
func (w *work) deliverTop() {
	s := w.top
	r, more := s.nextReader()
	if !more {
		w.top, s.next = s.next, nil
	}
	if r != nil {
		w.reader, w.in = r, s.fault()
	}
}

func (n *node) nextReader() (r *node, more bool) {
	n.mu.Lock()
	r = n.takeFirst()
	more = n.readers != nil
	n.mu.Unlock()
	return r, more
}

// take gives r, a waiting node, the outcome of its source, whose failure is
// in: here, or as a step of r's loop if a function of the user's will run.
func (w *work) take(r *node, in *fault) {
	r.mu.Lock()
	if r.phase != waiting {
		r.mu.Unlock()
		return
	}
	var role role
	role, in, w.old = r.due(in)
	if r.home.loops() && role.runs(in != nil) {
		r.phase = queued
		r.mu.Unlock()
		w.queue(r)
		return
	}
	r.begin(role)
	r.mu.Unlock()
	w.step(r, role, in, w.old)
}

// due returns what n, whose source has settled with in, is about to do: its
// role, and what that takes in. n is locked.
func (n *node) due(in *fault) (r role, _ *fault, old *node) {
	q, ok := n.role.(*request)
	switch {
	case !ok:
		return n.role, in, nil
	case n.flags&canceled != 0: // remembered: it goes to what the callback returns
		return q.role, in, nil
	}
	return q.role, q.with, q.old
}

// begin makes n, whose role is r, running. n is locked.
func (n *node) begin(r role) {
	n.phase = running
	if n.flags&canceled == 0 {
		n.role = r
	}
}

// queue lets r run as a step of its loop. If this is a turn of that loop, and
// r the last thing in it, the loop queues r along with ending the turn.
func (w *work) queue(r *node) {
	if r.home == w.turn && r.home.loop != nil && w.top == nil && len(w.rest) == 0 {
		w.then = r
	} else if !r.home.post(r) {
		w.refuse(r)
	}
}

// step runs the callback of n, or passes the outcome through.
func (w *work) step(n *node, role role, in *fault, old *node) {
	switch r := role.(type) {
	case *member:
		w.arrive(r, in)
		return
	case *waiter: // nobody reads it: it stays running
		w.wake(r)
		return
	}
	if n.records() {
		n.noteSource(role.source(), w.turn != nil)
	}
	w.calling, w.old = n, old
	inner, out := role.step(in)
	w.calling = nil
	if inner != nil {
		w.follow(n, role, inner, old)
	} else {
		w.settle(n, out, old != nil)
	}
}

// settle gives n its outcome, unless it has one, and puts its readers into the
// work. It reports whether it did. gone: the ring of a source that n left may still have it.
func (w *work) settle(n *node, f *fault, gone bool) (first bool) {
	n.mu.Lock()
	return w.settleAndUnlock(n, f, gone)
}

func (w *work) settleAndUnlock(n *node, f *fault, gone bool) (first bool) {
	if n.phase == settled {
		n.mu.Unlock()
		return false
	}
	if n.mustGiveBack(f) {
		w.giveBack(n, f, gone)
		return true
	}
	f = n.forked(f)
	n.settleLocked(f)
	n.sweep() // whoever attaches from now on waits for those in the ring
	r := n.takeFirst()
	more := n.readers != nil
	n.mu.Unlock()
	switch {
	case !more:
	case gone:
		w.push(item{do: deliver, n: n})
	default:
		n.next, w.top = w.top, n
	}
	if f.keeper() != nil {
		f = nil
	}
	w.reader, w.in = r, f
	return true
}

// posted is a queued node as a step of its loop.
type posted node

// Run is the step.
func (p *posted) Run() (next seam.Task) {
	n := (*node)(p)
	role, in, old, ok := n.dequeue()
	if !ok {
		return nil
	}
	w := work{reader: n, in: in, role: role, old: old, turn: n.home}
	w.run()
	if w.then != nil {
		return (*posted)(w.then)
	}
	return nil
}

// String names the step in lists of what is scheduled.
func (p *posted) String() string {
	s := "a step of a Deferred"
	if place := (*node)(p).birthplace(); place != "" {
		s += " made at " + place
	}
	return s
}

// Drop fails the node instead, when its loop has stopped.
func (p *posted) Drop(error) {
	var w work
	w.refuse((*node)(p))
	w.run()
}

// dequeue makes a queued node running. If it is not queued any more, a cancel
// was faster.
func (n *node) dequeue() (role role, in *fault, old *node, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.phase != queued {
		return nil, nil, nil, false
	}
	if q, ok := n.role.(*request); !ok || n.flags&canceled != 0 {
		in = n.role.source().fault()
	} else {
		in = q.with
	}
	role, in, old = n.due(in)
	n.begin(role)
	return role, in, old, true
}

// refuse fails a queued node whose loop has stopped; its function does not run, and
// what it would have been given goes back.
func (w *work) refuse(n *node) {
	if role, _, old, ok := n.dequeue(); ok {
		w.settle(n, stoppedFault(n.home.stopped()), old != nil)
		if d, ok := role.(dropper); ok {
			d.drop()
		}
	}
}
