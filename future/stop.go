package future

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
		if s.phase == settled {
			s.mu.Unlock()
			n.mu.Unlock()
			return
		}
		role := n.role
		alone := n.partFrom(s)
		n.phase = running
		s.mu.Unlock()
		n.mu.Unlock()
		var w work
		if alone && s.forgo(newCancel(f.err)) && !role.runs(false) { // too late: n passes the value on
			w.reader, w.role, w.old = n, role, s
			w.run()
			return
		}
		w.settle(n, f, true)
		if l, ok := role.(abandoner); ok {
			l.abandoned()
		}
		w.run()
		return
	}
}

// An abandoner has to let go of something when it fails without a step.
type abandoner interface{ abandoned() }

// partFrom takes n off its source s, which is pending. Those that n has taken
// over stay; it returns true if there are none. n and s are locked.
func (n *node) partFrom(s *node) (alone bool) {
	if t, ok := n.role.(taker); ok {
		if p := t.standIn(); p != nil {
			p.flags |= n.flags & left
			s.replace(n, p)
			return false
		}
	}
	if n.flags&left == 0 {
		s.active--
	}
	s.leave(n)
	return true
}
