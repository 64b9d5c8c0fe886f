package future

import "runtime"

// follows is implemented by the roles that can take the outcome of another
// Deferred of their own type: while they do, they run no function.
type follows[T any] interface {
	role
	own() *Deferred[T]    // the Deferred whose role it is
	target() *Deferred[T] // what it follows; once moved, what took it over
	aim(*Deferred[T])
}

// A taker is a role that just follows and can take over what another follows.
type taker interface {
	role

	// takeOver makes the taker, self, follow what from follows, and from's Deferred
	// one that has moved to the taker's. It returns false, and does nothing,
	// if the taker does not just follow.
	takeOver(self, from role) bool

	// handBack is the reverse: from follows what the taker does, and the taker
	// follows from's Deferred.
	handBack(self, from role)
}

func takeOver[T any](t follows[T], from role) bool {
	f, ok := from.(follows[T])
	if !ok || t.target() == nil {
		return false
	}
	t.aim(f.target())
	f.aim(t.own())
	return true
}

func handBack[T any](t follows[T], from role) {
	f := from.(follows[T])
	f.aim(t.target())
	t.aim(f.own())
}

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
	inner.active++
	n.mu.Unlock()
	inner.mu.Unlock()
	return q
}

// moveTo lets n's only reader, if it just follows n, follow inner instead, and
// unlocks n and inner. If it returns false, both are still locked.
func (n *node) moveTo(role role, inner *node) (by *node, ok bool) {
	r := n.only()
	if r == nil || r == inner || n.active != 1 || n.flags&canceled != 0 {
		return nil, false
	}
	t, ok := r.role.(taker)
	if !ok || !r.mu.TryLock() {
		return nil, false
	}
	if r.phase != waiting || !t.takeOver(r.role, role) {
		r.mu.Unlock()
		return nil, false
	}
	n.takeFirst()
	n.active = 0
	if n.flags&tracked != 0 { // r stands for it now
		n.flags &^= tracked
		n.home.ledger.settled(n)
	}
	n.phase, n.role = moved, role
	inner.list(r)
	inner.active++
	r.mu.Unlock()
	n.mu.Unlock()
	inner.mu.Unlock()
	return r, true
}

// lookForCycle fails n if its new source closes a cycle. Looking after linking
// lets the later of two goroutines that close a cycle together see it.
func (w *work) lookForCycle(n *node) {
	if n.waitsForItself() {
		w.breakCycle(n)
	}
}

// waitsForItself reports whether n is among those it waits for.
func (n *node) waitsForItself() bool {
	var more []*node
	var seen map[*node]bool
	for at := n.waitsFor(&more); ; {
		if at == n {
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
		at = at.waitsFor(&more)
	}
}

// waitsFor returns what n waits for, or nil; of a gather the first input, the
// others are added to more. If n has moved, it waits for what its taker does:
// the taker itself may be who asks, and had n as its source a moment ago.
func (n *node) waitsFor(more *[]*node) (next *node) {
	n.mu.Lock()
	for n.phase == moved {
		by := n.role.source()
		n.mu.Unlock()
		n = by
		n.mu.Lock()
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
			at = r.tasked().current()
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
		if n.phase != waiting {
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
		s.active--
		s.leave(n)
		n.role = &request{role: n.role, with: newFault(errCycle, nil), old: s}
		s.mu.Unlock()
		n.mu.Unlock()
		w.reader, w.in = n, nil
		return
	}
}

// putBack undoes the take-over of n, which is locked and has moved, so that n
// has a place of its own between what took it over and what that waits for. If
// it returns false, n is not locked any more and the caller tries again.
func (n *node) putBack() bool {
	by := n.role.source()
	if !n.lockAlso(by) {
		return false
	}
	switch by.phase {
	case settled:
		_, f := n.role.step(by.fault())
		by.mu.Unlock()
		n.phase = waiting
		n.settleLocked(f)
		return true
	case moved:
		n.mu.Unlock()
		by.lastMoved().lockAndUnlock()
		return false
	case waiting:
		if n.putBetween(by) {
			return true
		}
	}
	by.mu.Unlock()
	n.mu.Unlock()
	runtime.Gosched()
	return false
}

// lastMoved follows n, which is locked and has moved, to the last one that has.
// It unlocks n.
func (n *node) lastMoved() *node {
	for {
		next := n.role.source()
		n.mu.Unlock()
		next.mu.Lock()
		if next.phase != moved {
			next.mu.Unlock()
			return n
		}
		n = next
	}
}

func (n *node) lockAndUnlock() {
	n.lockHere()
	n.mu.Unlock()
}

// putBetween gives n the place of by, which had taken it over, among the
// readers of what by waits for, and makes by a reader of n. n and by are
// locked; by is unlocked if that was possible. If by has been taken off its
// ring to be run, it is not.
func (n *node) putBetween(by *node) bool {
	r := by.role
	if q, ok := r.(*request); ok {
		r = q.role
	}
	source := r.source()
	if !source.mu.TryLock() {
		return false
	}
	defer source.mu.Unlock()
	if by.gone || !source.replace(by, n) {
		return false
	}
	r.(taker).handBack(r, n.role)
	n.phase = waiting
	n.flags = n.flags&^left | by.flags&left
	n.list(by)
	n.active = 1
	if by.flags&left != 0 {
		n.active = 0
	}
	by.mu.Unlock()
	return true
}

// replace puts r into the ring in the place of old, if that is in it.
func (n *node) replace(old, r *node) bool {
	last := n.readers
	if last == nil {
		return false
	}
	for before := last; ; before = before.next {
		if before.next == old {
			n.swapAfter(before, old, r)
			return true
		}
		if before.next == last {
			return false
		}
	}
}

func (n *node) swapAfter(before, old, r *node) {
	if before == old {
		r.next = r
	} else {
		r.next, before.next = old.next, r
	}
	if n.readers == old {
		n.readers = r
	}
	old.next = nil
}
