package future

// A Resolver is the write side of a Deferred: a small value, to be copied
// freely and used from any goroutine. The first settle wins; later ones return
// false and change nothing, also when a cancel came first. The zero Resolver
// belongs to no Deferred and panics. To see who was first, make the reactor with
// reactor.Birthplaces, as futuretest does: then %+v of the Deferred tells where it
// was made and first settled.
//
// A settle runs the callbacks of an inline Deferred before it returns, on the
// calling goroutine; those on an executor it queues there.
//
// A Resolver that is dropped without settling leaves its Deferred pending for
// good. Nothing in production can see that; under futuretest it fails the test.
type Resolver[T any] struct{ d *Deferred[T] }

func (r Resolver[T]) deferred() *Deferred[T] {
	if r.d == nil {
		panic("future: zero Resolver: get one from New or NewOn")
	}
	return r.d
}

// Succeed settles the Deferred with v. It reports whether it was the first to
// settle it. What must not be lost is taken back by the caller:
//
//	if !res.Succeed(conn) {
//		conn.Close()
//	}
func (r Resolver[T]) Succeed(v T) bool { return r.deferred().settle(v, nil) }

// Fail settles the Deferred with err. It reports whether it was the first. It
// panics if err is nil.
func (r Resolver[T]) Fail(err error) bool {
	mustFail(err)
	var zero T
	return r.deferred().settle(zero, newFault(err, nil))
}

// Settle settles the Deferred with what a Go call returned: with err, or, if
// that is nil, with v. It reports whether it was the first.
func (r Resolver[T]) Settle(v T, err error) bool {
	if err != nil {
		return r.Fail(err)
	}
	return r.Succeed(v)
}

// Follow makes the Deferred settle as in does, at once if in has settled. It
// counts as a settle: it reports whether it was the first, and later ones are
// refused. From then on a Cancel of the Deferred goes to in. It panics if in is
// nil; a Deferred that would wait for itself through in fails at once.
func (r Resolver[T]) Follow(in *Deferred[T]) bool {
	d := r.deferred()
	in.mustBe("Follow")
	d.n.mu.Lock()
	if d.n.phase != open {
		d.n.mu.Unlock()
		return false
	}
	f := &follower[T]{self: d}
	f.inner = in
	d.n.phase, d.n.role = running, f
	d.n.mu.Unlock()
	if d.n.records() {
		d.n.noteFollowed()
	}
	var w work
	w.follow(&d.n, f, &in.n, nil)
	w.run()
	return true
}

// OnCancel sets the canceller: what a Cancel that reaches this Deferred calls,
// at most once, with the cause, or [ErrCanceled] if there is none. That of a Timeout,
// or of a context that ended by its deadline, is wrapped, to be known again where it
// is handed on: ask it with errors.Is. It runs
// within the Cancel, on that goroutine, with no lock held, before the Deferred
// fails; it may settle the Deferred with anything, and if it does not, the
// Deferred fails as canceled. If it panics, the Deferred fails with the
// cancellation and the panic joined.
//
// A later OnCancel replaces the canceller, so that an operation of several
// stages has the one that fits. If the Deferred was canceled already, f runs at
// once; if it has settled otherwise, or follows another, f is dropped. OnCancel
// panics if f is nil.
func (r Resolver[T]) OnCancel(f func(cause error)) {
	d := r.deferred()
	mustFunc(f == nil, "OnCancel")
	n := &d.n
	n.lockHere()
	switch {
	case n.phase == open && n.flags&canceling == 0:
		n.role = canceller(f)
		n.mu.Unlock()
	case n.phase == open, n.phase == settled && n.fault().isCancel():
		cause := n.fault().cause()
		n.mu.Unlock()
		f(cause)
	default:
		n.mu.Unlock()
	}
}

// isCancel reports whether f was made by a cancel.
func (f *fault) isCancel() bool {
	if f == nil {
		return false
	}
	_, ok := f.err.(*canceledError)
	return ok
}

// settle gives a root its outcome and runs what that makes runnable.
func (d *Deferred[T]) settle(v T, f *fault) bool {
	n := &d.n
	n.mu.Lock()
	if n.phase != open {
		n.mu.Unlock()
		return false
	}
	refused := false
	if f == nil {
		d.value = v
		if f = n.keptAs(); n.mustGiveBack(f) {
			f, refused = newCancel(nil), true // by returning false
		}
	}
	var w work
	w.settleAndUnlock(n, f, false)
	if w.reader != nil {
		w.run()
	}
	return !refused
}
