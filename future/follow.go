package future

// follow makes n, which is running, settle as inner does. old is the source
// whose ring may still have n.
func (w *work) follow(n *node, role role, inner, old *node) {
	if inner == n {
		w.settle(n, newFault(errCycle, nil), old != nil)
		return
	}
	if old != nil {
		old.forget(n)
	}
	for {
		inner.lockHere()
		inner.watch()
		if inner.phase == settled && inner.readers == nil {
			f := inner.fault()
			inner.gain()
			inner.mu.Unlock()
			n.resume(role)
			w.reader, w.in = n, f
			return
		}
		if !inner.lockAlso(n) {
			continue
		}
		read := n.readers != nil
		if by, ok := n.moveTo(role, inner); ok {
			w.lookForCycle(by)
			return
		}
		if n.flags&forsaken != 0 {
			w.push(item{do: leaveLine, n: n})
		}
		if q := n.listWith(inner, role); q != nil {
			w.push(item{do: cancelNode, n: n, f: q.with})
		}
		if read { // without readers it closes no cycle
			w.lookForCycle(n)
		}
		return
	}
}

// forget clears r, which has left n, from n's ring.
func (n *node) forget(r *node) {
	n.mu.Lock()
	if r.gone {
		n.sweep()
	}
	n.mu.Unlock()
}

// resume makes n, which is running, waiting again, to take an outcome at once.
func (n *node) resume(r role) {
	n.mu.Lock()
	n.flags &^= canceled | left
	n.phase, n.role = waiting, r
	n.mu.Unlock()
}

// listWith lists n with inner and unlocks both. It returns the cancel that came
// while n ran.
func (n *node) listWith(inner *node, role role) (q *request) {
	if n.flags&canceled != 0 {
		q = n.role.(*request)
	}
	n.flags &^= canceled | left
	n.phase, n.role = waiting, role
	inner.list(n)
	inner.gain()
	n.mu.Unlock()
	inner.mu.Unlock()
	return q
}

// lookForCycle fails n if its new source closes a cycle. Looking after linking
// lets the later of two goroutines that close a cycle together see it.
func (w *work) lookForCycle(n *node) {
	if n.waitsForNode(n) {
		w.breakCycle(n)
	}
}

// waitsForNode reports whether target is among those that n waits for; a cycle,
// if it is n. The links are looked at one by one, and one may have gone before
// the next is looked at. So it looks twice: a cycle stays.
func (n *node) waitsForNode(target *node) bool {
	is := func(at *node) bool { return at == target }
	for range 2 {
		if !n.comesTo(is, true) {
			return false
		}
	}
	return true
}

// comesTo walks once from n to what it waits for, and on from there, to one that
// is looked for; with tasks also to what a coroutine, a worker or a goroutine of
// the library's waits for just now.
func (n *node) comesTo(is func(*node) bool, tasks bool) bool {
	var more []*node
	var seen map[*node]bool
	for at := n.waitsFor(&more, tasks); ; {
		if at != nil && is(at) {
			return true
		}
		if at == nil || seen[at] {
			if len(more) == 0 {
				return false
			}
			at, more = more[len(more)-1], more[:len(more)-1]
			continue
		}
		if len(more) > 0 || seen != nil { // a gather is on the way: paths may meet again
			if seen == nil {
				seen = make(map[*node]bool)
			}
			seen[at] = true
		}
		at = at.waitsFor(&more, tasks)
	}
}

// waitsFor returns what n waits for, or nil; of a gather the first input, the
// others are added to more. If n has moved, it waits for what its taker does:
// the taker itself may be who asks, and had n as its source a moment ago.
func (n *node) waitsFor(more *[]*node, tasks bool) (next *node) {
	n.mu.Lock()
	for n.phase == moved {
		by := n.role.source()
		if !n.lockAlso(by) {
			n.mu.Lock()
			continue
		}
		if n.redirect(by) {
			by.mu.Unlock()
			continue
		}
		n.mu.Unlock()
		n = by
	}
	var at *waiter
	switch n.phase {
	case waiting:
		next = n.role.source()
	case open, running:
		switch r := n.role.(type) {
		case *gather:
			next = r.sources(more)
		case runner:
			if tasks {
				at = r.tasked().current()
			}
		}
	}
	n.mu.Unlock()
	if at != nil {
		next = at.awaited()
	}
	return next
}

// breakCycle fails n, which waits for itself.
func (w *work) breakCycle(n *node) {
	for {
		n.lockHere()
		if _, left := n.role.(*request); n.phase != waiting || left {
			n.mu.Unlock()
			return
		}
		s := n.role.source()
		if !n.lockAlso(s) {
			continue
		}
		if s.phase == settled {
			n.mu.Unlock()
			s.mu.Unlock()
			return
		}
		if n.flags&left == 0 {
			s.active--
		}
		s.leave(n)
		n.role = &request{role: n.role, with: newFault(errCycle, nil), old: s}
		s.mu.Unlock()
		n.mu.Unlock()
		w.reader, w.in = n, nil
		return
	}
}
