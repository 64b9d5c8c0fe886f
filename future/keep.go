package future

// kept stands for no failure, and for a value that is not to be lost: a permit,
// or the last copy of something. Package lock marks its Deferreds so, see
// [seam.Keep]. Once one of them has succeeded, a cancel does not take the value
// away from a callback that is about to get it; while it is pending, and nobody
// is interested any more, it is canceled, so that it is not given to nobody. Should
// somebody else be canceling it just then, it refuses a value from then on: its
// Resolver is told so, and has it back.
var kept = new(fault)

// keeps reports whether n, which has settled, did so with a value that is kept.
func (n *node) keeps() bool {
	if r, ok := n.role.(*record); ok {
		return r.keeps
	}
	return n.role == role(kept)
}

// same gives d the value of from, which has succeeded. It returns nil, or kept.
func (d *Deferred[T]) same(from *Deferred[T]) *fault {
	d.value = from.value
	if from.n.keeps() {
		return kept
	}
	return nil
}

// isKeeping reports whether n is a pending root whose value will be kept.
func (n *node) isKeeping() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.phase == open && n.flags&keeping != 0
}

// forgo cancels n because of f, if it waits for what would be kept, and nobody
// is interested in n any more: who was has left without a cancel. It reports
// whether n has settled with what is kept: then who left is to take that.
func (n *node) forgo(f *fault) (late bool) {
	n.lockHere()
	idle := n.phase != settled && n.active == 0
	n.mu.Unlock()
	if idle && (n.isKeeping() || n.comesTo((*node).isKeeping)) {
		n.cancelFor(f)
		if !n.refuse() {
			n.comesTo((*node).refuse)
		}
	}
	return n.isSettled() && n.keeps()
}

// onItsWay reports whether a value that is kept is about to get to n, without delay:
// another goroutine passes it on, through such as have no function for it.
func (n *node) onItsWay() bool {
	for {
		n.lockHere()
		r := n.role
		if q, ok := r.(*request); ok {
			r = q.role
		}
		switch {
		case n.phase == settled:
			keeps := n.keeps()
			n.mu.Unlock()
			return keeps
		case n.phase == open, pauses(r):
			n.mu.Unlock()
			return false
		case n.phase == running: // its runner alone may look further
			passes := n.flags&calls == 0
			n.mu.Unlock()
			return passes
		case r.runs(false):
			n.mu.Unlock()
			return false
		}
		s := r.source()
		n.mu.Unlock()
		n = s
	}
}

// pauses reports whether r is a hold, which may have a value for long.
func pauses(r role) bool {
	_, ok := r.(interface{ pauses() })
	return ok
}

// refuse has n, if it is a pending root whose value would be kept, and if its
// canceller runs, refuse a value from now on. It reports whether it is such a root.
func (n *node) refuse() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.phase != open || n.flags&keeping == 0 {
		return false
	}
	if n.flags&canceling != 0 {
		n.flags |= refusing
	}
	return true
}
