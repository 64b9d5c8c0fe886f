package future

// A waiter is the place of a wait in the ring of what it waits for.
type waiter struct {
	n     node
	of    *node
	by    sleeper
	own   bool   // a coroutine's, with its own context
	asked *fault // the cancel that did not go on, for others were interested
	why   error  // why the wait ended, if not by the outcome
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

// list makes w, which is new, a reader of what it waits for. It returns false if
// that has settled. It reports whether that is a root which waits for nothing itself.
func (w *waiter) list() (ok, root bool) {
	w.n.phase, w.n.role = waiting, w
	s := w.of
	s.lockHere()
	ok, root = s.enlistHere(&w.n), s.phase == open && !s.asksOthers()
	s.mu.Unlock()
	return ok, root
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
	w.of, w.n.flags, w.asked = of, 0, nil
	if ok = of.enlistHere(&w.n); ok { // else a late cancel of the last wait finds none
		w.n.phase = waiting
	}
	return ok, of.phase == open && !of.asksOthers()
}

// rest lets go of what w has waited for.
func (w *waiter) rest() {
	w.n.mu.Lock()
	w.of = nil
	w.n.mu.Unlock()
}

// awaited is what w waits for, or has waited for a moment ago.
func (w *waiter) awaited() *node {
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	return w.of
}

// asksOthers reports whether n, a root that is locked, waits for others in its
// own way.
func (n *node) asksOthers() bool {
	switch n.role.(type) {
	case nil, canceller: // nearly always
		return false
	case *gather, runner:
		return true
	}
	return false
}

// withdraw ends the wait, because of why, before its source has settled. It
// returns false if the source was faster. It does not wake. If that makes a cancel
// reach all who were interested, that goes on to the source: of several at the same
// time each may have found the others there.
func (w *waiter) withdraw(why error) bool { return w.leave(settled, why) }

func (w *waiter) leave(p phase, why error) bool {
	s, left := w.part(p, why)
	if left && s != nil {
		s.cancelFor(w.asked)
	}
	return left
}

// part is leave; it returns the source if that is to be canceled.
func (w *waiter) part(p phase, why error) (source *node, ok bool) {
	n := &w.n
	for {
		n.mu.Lock()
		if n.phase != waiting {
			n.mu.Unlock()
			return nil, false
		}
		if n.lockAlso(w.of) {
			break
		}
	}
	s := w.of
	defer s.mu.Unlock()
	defer n.mu.Unlock()
	if s.phase == settled {
		return nil, false
	}
	if n.flags&left == 0 {
		s.active--
	}
	s.leave(n)
	w.why = why
	n.phase, n.role = p, &request{role: w, old: s}
	if w.asked != nil && s.active == 0 {
		source = s
	}
	return source, true
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
