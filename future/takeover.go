package future

import (
	"math"
	"runtime"
)

// Of a Deferred that follows another one of its own type, and has just one
// reader, which just follows it, nothing is left to do: its reader takes it
// over, and follows what it does. It has moved, and aims at the one that took
// it over, the taker. A loop of flattened Deferreds takes over one after the
// other, the outer ones first:
//
//	taker <- a <- b <- c <- source    becomes    taker <- source, and a, b, c have moved
//
// Whoever asks for the outcome of one that has moved is answered by its taker.
// Whoever attaches to it or cancels it needs it in its place: it is put back
// between the taker and what that follows.
//
//	taker <- source    becomes    taker <- b <- source, and a, c have moved
//
// But c lies behind b now. Nobody can tell c, for nobody knows it. So takers
// number what they take over; b goes on with the numbers of the taker, and what
// has moved to the taker and has a higher number than b is redirected to b when
// somebody asks for it.

// following is the part of a role that follows a Deferred of its own type.
type following[T any] struct {
	inner *Deferred[T] // what it follows; once moved, the taker; nil: nothing yet
	taken int32        // how many it has taken over
	split int32        // those with higher numbers lie behind inner; 0: none does
}

const allBehind = -1 // a split

// follows is implemented by the roles that can take the outcome of another
// Deferred of their own type: while they do, they run no function.
type follows[T any] interface {
	role
	own() *Deferred[T] // the Deferred whose role it is
	place() *following[T]
}

// A taker is a role that just follows and can take over what another follows.
// Its methods are called with the locks of all who are concerned.
type taker interface {
	role

	// takeOver makes the taker, self, follow what from follows, and from's
	// Deferred one that has moved, with a number. It returns false, and does
	// nothing, if the taker does not just follow.
	takeOver(self, from role) (number int32, ok bool)

	// handBack is the reverse, for the one with that number: it follows what
	// the taker does, and the taker follows it.
	handBack(self, from role, number int32)

	// redirect aims a role that has moved to the taker, with that number, at
	// what the taker follows, if it lies behind that.
	redirect(moved role, number int32) bool

	// isSplit reports whether there may be such ones.
	isSplit() bool

	// standIn returns a node that takes the taker's place for all that have
	// moved to it, because it will settle without them; nil if none has.
	standIn() *node
}

func (l *following[T]) place() *following[T] { return l }
func (l *following[T]) isSplit() bool        { return l.split != 0 }

// takeOver counts to the end of an int32 only. The order of those that a loop
// takes over later is not known: a cancel of one of them, put back, may take
// others for outer ones.
func (l *following[T]) takeOver(self, from role) (number int32, ok bool) {
	f, ok := from.(follows[T])
	if !ok || l.inner == nil {
		return 0, false
	}
	p := f.place()
	l.inner, p.inner = p.inner, self.(follows[T]).own()
	if l.taken < math.MaxInt32 {
		l.taken++
	}
	return l.taken, true
}

func (l *following[T]) handBack(self, from role, number int32) {
	f := from.(follows[T])
	*f.place() = *l // it has taken over nothing itself: one that has does not move
	l.inner, l.split = f.own(), number
}

func (l *following[T]) redirect(moved role, number int32) bool {
	if l.split == 0 || number <= l.split {
		return false
	}
	moved.(follows[T]).place().inner = l.inner
	return true
}

func (l *following[T]) standIn() *node {
	if l.taken == 0 {
		return nil
	}
	d := new(Deferred[T])
	d.n.phase, d.n.flags = waiting, watched
	d.n.role = &follower[T]{following: *l, self: d}
	l.inner, l.split = d, allBehind
	return &d.n
}

// take gives d, whose role l is a part of, the outcome of what it followed,
// whose failure is in. If others lie behind that, it stays known: d may have
// failed alone.
func (l *following[T]) take(d *Deferred[T], in *fault, f any) (*node, *fault) {
	if in != nil && l.isSplit() {
		return nil, in.through(f)
	}
	return d.takeFrom(&l.inner, in, f)
}

// takeFrom gives d the outcome of from, whose failure is in.
func (d *Deferred[T]) takeFrom(from **Deferred[T], in *fault, f any) (*node, *fault) {
	if in != nil {
		*from = nil
		return nil, in.through(f)
	}
	same := d.same(*from)
	*from = nil
	return nil, same
}

// A splitOff is the role of a node that has failed, and behind whose source
// others lie that aim at it.
type splitOff struct {
	*fault
	was taker
}

// remains is the role of n when it has failed with f.
func (n *node) remains(f *fault) role {
	r := n.role
	if q, ok := r.(*request); ok {
		r = q.role
	}
	if t, ok := r.(taker); ok && t.isSplit() {
		return &splitOff{f, t}
	}
	return f
}

// redirect aims n, which has moved to by, at what by follows, if it lies behind
// that. n and by are locked.
func (n *node) redirect(by *node) bool {
	r := by.role
	if q, ok := r.(*request); ok {
		r = q.role
	} else if q, ok := r.(*record); ok && q.split != nil {
		r = q.split
	}
	switch s, ok := r.(*splitOff); {
	case ok:
		return s.was.redirect(n.role, n.active)
	case by.phase == waiting:
		return r.(taker).redirect(n.role, n.active)
	}
	return false
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
	if n.flags&tracked != 0 && (r.home != n.home || r.flags&tracked == 0) { // r does not stand for it in its ledger
		r.mu.Unlock()
		return nil, false
	}
	number, ok := int32(0), r.phase == waiting
	if ok {
		number, ok = t.takeOver(r.role, role)
	}
	if !ok {
		r.mu.Unlock()
		return nil, false
	}
	n.takeFirst()
	n.active = number
	if n.flags&tracked != 0 { // r stands for it now
		n.flags &^= tracked
		n.home.ledger.moved(n)
	}
	n.phase, n.role = moved, role
	inner.list(r)
	inner.gain()
	r.mu.Unlock()
	n.mu.Unlock()
	inner.mu.Unlock()
	return r, true
}

// putBack undoes the take-over of n, which is locked and has moved, so that n
// has a place of its own between what took it over and what that waits for. If
// it returns false, n is not locked any more and the caller tries again.
func (n *node) putBack() bool {
	by := n.role.source()
	if !n.lockAlso(by) {
		return false
	}
	if n.redirect(by) {
		by.mu.Unlock()
		n.mu.Unlock()
		return false
	}
	switch by.phase {
	case settled:
		_, f := n.role.step(by.fault())
		if n.records() {
			n.noteTaker(by)
		}
		by.mu.Unlock()
		n.phase, n.active = waiting, 0
		n.settleLocked(f)
		return true
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

// putBetween gives n the place of by, which had taken it over, among the
// readers of what by waits for, and makes by a reader of n. n and by are
// locked; by is unlocked if that was possible. If by has been taken off its
// ring to be run, it is not.
func (n *node) putBetween(by *node) bool {
	r := by.role
	q, asked := r.(*request)
	if asked {
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
	r.(taker).handBack(r, n.role, n.active)
	n.phase = waiting
	if asked { // by asked n, whose only reader it was
		n.role, by.role = &request{role: n.role, with: q.with}, r
		n.flags |= by.flags & canceled
		by.flags &^= canceled
	}
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
