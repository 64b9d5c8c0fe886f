package future

// abandon fails n, which waits for another, with f; its function does not run.
// A root keeps its Resolver. Should a value come just then that is kept, n passes
// it on instead, if it has no function.
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
		n.begin(role, false)
		s.mu.Unlock()
		n.mu.Unlock()
		n.leaveFor(f, role, s, alone)
		return
	}
}

// leaveFor settles n, which is off its source s, with f. If it was alone there, and
// the value is on its way, it goes back for that. This is so, too, if a callback of
// what the leaving cancels ends the goroutine.
func (n *node) leaveFor(f *fault, role role, s *node, alone bool) {
	late := false
	defer func() {
		var w work
		if late {
			w.follow(n, role, s, s)
		} else {
			w.settle(n, f, true)
			if l, ok := role.(abandoner); ok {
				l.abandoned()
			}
		}
		w.run()
	}()
	late = alone && (s.forgo(newCancel(f.err)) || s.onItsWay()) && !role.runs(false)
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
