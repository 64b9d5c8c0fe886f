package future

// cancelFor asks n to cancel for f. It reports whether n was pending.
func (n *node) cancelFor(f *fault) bool {
	n.lockHere()
	pending := n.phase != settled
	n.mu.Unlock()
	if pending {
		var w work
		w.push(item{do: cancelNode, n: n, f: f})
		w.run()
	}
	return pending
}

// cancel asks n to cancel for f: it walks up to the pending root, or to the
// first node that others still read, and lets that one see the cancellation.
func (w *work) cancel(n *node, f *fault) {
	for n != nil {
		n.lockHere()
		switch n.phase {
		case settled:
			n.mu.Unlock()
			return
		case open:
			w.cancelRoot(n, f)
			return
		case queued:
			w.cancelQueued(n, f)
			return
		case running:
			n.remember(f)
			return
		case waiting:
			n = w.cancelWaiting(n, f)
		}
	}
}

// cancelWaiting withdraws n's interest in its source, and returns who is to be
// asked next: the source, if nobody else is interested in it; n again, if a
// lock was taken; else nil, and n sees the cancellation at once. It unlocks n.
func (w *work) cancelWaiting(n *node, f *fault) (next *node) {
	if _, ok := n.role.(*request); ok {
		n.mu.Unlock()
		return nil
	}
	s := n.role.source()
	if !n.lockAlso(s) {
		return n
	}
	defer s.mu.Unlock()
	defer n.mu.Unlock()
	if s.phase == settled { // n is about to be run: with the cancellation, unless the value is kept
		n.request(f, s)
		return nil
	}
	_, keeps := n.role.(shielding)
	if n.flags&left == 0 && !keeps {
		n.flags |= left
		s.active--
	}
	if s.active == 0 {
		return s
	}
	s.leave(n)
	n.role = &request{role: n.role, with: f, old: s}
	w.reader, w.in = n, nil
	return nil
}

// A shielding role keeps its place among the consumers of its source when it
// is canceled, so the cancel goes no further.
type shielding interface{ shields() }

// cancelQueued lets n, whose callback is queued on its loop, see the
// cancellation in place of its source's outcome, unless that is kept. It
// unlocks n.
func (w *work) cancelQueued(n *node, f *fault) {
	role := n.role
	if _, ok := role.(*request); ok {
		n.mu.Unlock()
		return
	}
	if s := role.source(); role.runs(true) || s.keeps() {
		n.request(f, s)
		n.mu.Unlock()
		return
	}
	n.phase = running
	n.mu.Unlock()
	w.reader, w.in, w.role, w.old = n, f, role, nil
}

// request has n, whose source s has settled, take the cancellation in place of
// that outcome. If the outcome is kept, the cancel is remembered instead.
func (n *node) request(f *fault, s *node) {
	n.role = &request{role: n.role, with: f}
	if s.keeps() {
		n.flags |= canceled
	} else {
		n.flags |= left
	}
}

// remember notes a cancel that came while n's callback runs: it goes to the
// Deferred which that returns. It unlocks n.
func (n *node) remember(f *fault) {
	if n.flags&canceled == 0 {
		n.flags |= canceled
		n.role = &request{role: n.role, with: f}
	}
	n.mu.Unlock()
}

// A canceller is the role of a root whose Resolver has one.
type canceller func(cause error)

func (canceller) source() *node               { return nil }
func (canceller) runs(bool) bool              { return false }
func (canceller) step(*fault) (*node, *fault) { return nil, nil }

// root is the embedded part of the roles that wait for nothing in the core.
type root struct{}

func (root) source() *node                       { return nil }
func (root) runs(bool) bool                      { return false }
func (root) step(*fault) (inner *node, f *fault) { return nil, nil }

// A stopper is the role of a root that the library settles, such as a timer.
type stopper interface {
	role

	// stopped is called once the root has been canceled, without a lock.
	stopped()
}

// cancelRoot cancels n, which nothing has settled. It unlocks n.
func (w *work) cancelRoot(n *node, f *fault) {
	switch r := n.role.(type) {
	case canceller:
		n.role = f // at most once; a later OnCancel is told
		n.flags |= canceling
		n.mu.Unlock()
		w.calling, w.canceler, w.old = n, f, nil
		r(f.cause())
		w.calling, w.canceler = nil, nil
		n.mu.Lock()
		if n.phase == open {
			w.settleAndUnlock(n, f, false)
		} else {
			n.mu.Unlock()
		}
	case *gather:
		if m, ok := r.rule.(interface{ canceled(*fault) }); ok {
			m.canceled(f)
		}
		r.with = f
		n.mu.Unlock()
		w.push(item{do: cancelInputs, g: r, f: f})
	case runner:
		n.mu.Unlock()
		r.tasked().ending()
		w.push(item{do: endTask, n: n, r: r, f: f})
		w.cancelWait(r.current(), f)
	case stopper:
		w.settleAndUnlock(n, f, false)
		w.putOff(n)
		r.stopped()
	default:
		if n.flags&canceling != 0 { // its canceller runs, and will say
			n.mu.Unlock()
			return
		}
		w.settleAndUnlock(n, f, false)
	}
}

// A runner is the role of the Deferred of a coroutine, a worker or a goroutine
// that runs a function with a context.
type runner interface {
	role
	tasked() *task
	current() *waiter // what the function waits for now, or nil
	atOnce() bool     // a cancel settles it, not what the function returns
	end(f *fault)     // ends its context
}

// cancelWait passes a cancel on to what a function waits for, unless somebody
// else reads that.
func (w *work) cancelWait(at *waiter, f *fault) {
	if at == nil {
		return
	}
	n := &at.n
	for {
		n.mu.Lock()
		if n.phase != waiting {
			n.mu.Unlock()
			return
		}
		if n.lockAlso(at.of) {
			break
		}
	}
	s := at.of
	others := s.active
	if n.flags&left == 0 {
		others--
	}
	alone := s.phase != settled && others == 0
	if alone {
		n.flags |= left
		s.active = 0
	} else {
		at.asked = f
	}
	s.mu.Unlock()
	n.mu.Unlock()
	if alone {
		w.push(item{do: cancelNode, n: s, f: f})
	}
}

// endTask ends the context of n's function, after the cancel has gone to what
// it waits for, and then lets the function see both.
func (w *work) endTask(n *node, r runner, f *fault) {
	if r.atOnce() { // before the function can see it: what that returns is late
		w.settle(n, f, false)
		w.putOff(n)
	}
	r.end(f)
	if at := r.tasked().ended(); at != nil {
		w.wakeLate(at)
	}
}

// putOff puts the reader of n, which has just settled, back into the ring, to be
// run when what w does now is done: that runs functions of the user's, which may
// look for it there.
func (w *work) putOff(n *node) {
	if w.reader == nil {
		return
	}
	n.mu.Lock()
	more := n.readers != nil
	n.listFirst(w.reader)
	n.mu.Unlock()
	w.reader, w.in = nil, nil
	if !more {
		w.push(item{do: deliver, n: n})
	}
}

// cancelInputs cancels the inputs of a gather in order.
func (w *work) cancelInputs(it item) {
	it.g.n.mu.Lock()
	members := it.g.members
	it.g.n.mu.Unlock()
	if it.i >= len(members) { // all were asked, or the gather has settled meanwhile
		return
	}
	n := &members[it.i].n
	it.i++
	w.push(it)
	w.push(item{do: cancelNode, n: n, f: it.f})
}
