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
		behind := n.partFrom(s) // nobody is known to be interested in that, if it is not s
		n.phase = running
		last := behind != s || s.active == 0
		if last {
			behind.flags |= forsaken
		}
		s.mu.Unlock()
		n.mu.Unlock()
		n.leaveFor(f, role, behind, last)
		return
	}
}

// leaveFor settles n, which is off its source, with f. If it was the last that was
// interested in what is behind it, that leaves the line first; n settles, too, if a
// callback of what comes of that ends the goroutine.
func (n *node) leaveFor(f *fault, role role, behind *node, last bool) {
	defer func() {
		var w work
		w.settle(n, f, true)
		if l, ok := role.(abandoner); ok {
			l.abandoned()
		}
		w.run()
	}()
	if last {
		behind.leaveLine(newCancel(f.err))
	}
}

// An abandoner has to let go of something when it fails without a step.
type abandoner interface{ abandoned() }

// partFrom takes n off its source s, which is pending. Those that n has taken
// over stay, behind a node that stands in for n, which is returned; if there are
// none, s is. n and s are locked.
func (n *node) partFrom(s *node) (behind *node) {
	if t, ok := n.role.(taker); ok {
		if p := t.standIn(); p != nil {
			p.flags |= n.flags & left
			s.replace(n, p)
			return p
		}
	}
	if n.flags&left == 0 {
		s.active--
	}
	s.leave(n)
	return s
}
