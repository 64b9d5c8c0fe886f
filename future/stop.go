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
		pending := s.phase != settled
		if pending {
			n.partFrom(s)
			n.phase = running
		}
		s.mu.Unlock()
		n.mu.Unlock()
		if pending {
			var w work
			w.settle(n, f, true)
			w.run()
			s.forgo(newCancel(f.err))
		}
		return
	}
}

// partFrom takes n off its source s, which is pending. Those that n has taken
// over stay. n and s are locked.
func (n *node) partFrom(s *node) {
	if t, ok := n.role.(taker); ok {
		if p := t.standIn(); p != nil {
			p.flags |= n.flags & left
			s.replace(n, p)
			return
		}
	}
	if n.flags&left == 0 {
		s.active--
	}
	s.leave(n)
}
