package future

// A keeper marks a value that is not to be lost: a permit, or the last copy of
// something. Package lock gives its Deferreds one, see [seam.Keeper]. The mark goes
// with the value through all that just pass it on: it stands where a failure would
// stand, in a fault of its own.
//
// Once such a Deferred has succeeded, a cancel does not take the value away from a
// callback that is about to get it. And what nobody is there to take is given back:
// a node of which the last that was interested has given up without a cancel, an
// Await or a reader whose reactor has stopped, is forsaken, and if the value gets to
// it after all, it fails as canceled instead. If the reader that would have the value
// fails in its place, because its reactor has stopped or it is a Finally that fails, and
// there is no other, the value is given back, too.
//
// A value that several readers get is not given back where one of them has passed it
// on to: another may have a use for it. So a node that settles with more than one
// reader marks the value as forked, and those behind it cannot give it back.
type keeper struct {
	back   any    // a func(T) that takes a value back, or nil
	fork   *fault // the mark of a value that is forked from here on, or nil
	forked bool   // this is such a mark
}

// Error makes it fit into a fault.
func (*keeper) Error() string { return "a value that is kept" }

// keeper is that of a value, if f marks one, else nil.
func (f *fault) keeper() *keeper {
	if f == nil {
		return nil
	}
	k, _ := f.err.(*keeper)
	return k
}

// newKeeper makes what stands behind an open root whose value will be kept.
func newKeeper(back any) *node {
	fork := &fault{err: &keeper{back: back, forked: true}}
	return &node{phase: settled, role: &fault{err: &keeper{back: back, fork: fork}}}
}

// shared marks a value that is kept, but not given back.
var shared = &fault{err: new(keeper)}

// keptAs is the mark of n's value: n has settled, or is an open root; else nil.
func (n *node) keptAs() *fault {
	r := n.role
	if n.phase == open {
		if n.flags&keeping == 0 {
			return nil
		}
		r = n.next.role
	}
	switch f := r.(type) {
	case nil:
	case *fault:
		if f.keeper() != nil {
			return f
		}
	case *record:
		if f.fault.keeper() != nil {
			return f.fault
		}
	}
	return nil
}

func (n *node) keeps() bool { return n.keptAs() != nil }

// same gives d the value of from, which has succeeded. It returns its mark, or nil.
func (d *Deferred[T]) same(from *Deferred[T]) *fault {
	d.value = from.value
	f := from.n.keptAs()
	if f != nil && f.keeper().forked {
		return shared
	}
	return f
}

// waitsInLine reports whether n is a pending root whose value will be kept, or has
// such a value already and holds it.
func (n *node) waitsInLine() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch n.phase {
	case open:
		return n.keeps()
	case waiting:
		h, ok := n.role.(interface{ holds() bool })
		return ok && h.holds()
	}
	return false
}

// forsake notes that a wait for n has given up, because of why. It returns false
// if n has settled with what is kept: then the wait is to take that all the same.
func (n *node) forsake(why error) bool {
	n.lockHere()
	last := n.phase != settled && n.active == 0
	if last {
		n.flags |= forsaken
	}
	n.mu.Unlock()
	if last {
		n.leaveLine(newCancel(why))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.phase != settled || !n.keeps()
}

// leaveLine cancels n, which is forsaken, because of f, if it waits in a line:
// others need not wait until its turn has come and gone.
func (n *node) leaveLine(f *fault) {
	n.lockHere()
	still := n.phase != settled && n.flags&forsaken != 0
	n.mu.Unlock()
	if !still {
		return
	}
	if n.waitsInLine() || n.comesTo((*node).waitsInLine, false) {
		n.cancelFor(f)
	}
}

// forked is f, the mark of the value with which n, which is locked, is about to
// settle, or nil; if several will read that, it is the one of a forked value.
func (n *node) forked(f *fault) *fault {
	if n.active > 1 && f != nil {
		if k := f.keeper(); k != nil && k.fork != nil {
			return k.fork
		}
	}
	return f
}

// mustGiveBack reports whether n, which is locked and about to settle with f, gives
// the value back instead.
func (n *node) mustGiveBack(f *fault) bool {
	if n.flags&forsaken == 0 { // nearly always
		return false
	}
	k := f.keeper()
	return k != nil && k.back != nil
}

// giveBack settles n as canceled, and gives back the value that it has got, with
// its mark f. It unlocks n.
func (w *work) giveBack(n *node, f *fault, gone bool) {
	r := n.role
	if q, ok := r.(*request); ok {
		r = q.role
	}
	w.settleAndUnlock(n, newCancel(nil), gone)
	r.(giver).giveBack(f.keeper())
}

// A giver is a role that passes values on.
type giver interface{ giveBack(k *keeper) }

func (d *Deferred[T]) giveBack(k *keeper) {
	v := d.value
	var zero T
	d.value = zero
	k.back.(func(T))(v)
}

func (l *link[T, U]) giveBack(k *keeper)  { l.d.giveBack(k) }
func (l *follower[T]) giveBack(k *keeper) { l.self.giveBack(k) }

// A dropper is a role that may fail without having used the value of its source.
type dropper interface{ drop() }

func (l *link[T, U]) drop() {
	if from := l.from; from != nil {
		if k := from.n.lose(&l.d.n); k != nil {
			k.back.(func(T))(from.value)
		}
	}
}

// lose notes that r, a reader of n that has not canceled, has no use for the value
// with which n has settled, if it has. It returns that value's keeper if no reader
// has, and it is to be given back.
func (n *node) lose(r *node) *keeper {
	r.mu.Lock()
	gone := r.flags&left != 0
	r.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if gone || n.phase != settled {
		return nil
	}
	n.active--
	if k := n.keptAs().keeper(); n.active == 0 && k != nil && k.back != nil {
		return k
	}
	return nil
}
