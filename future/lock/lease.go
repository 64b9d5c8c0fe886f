package lock

import "sync/atomic"

// A Lease is the right to what a lock protects, from the moment in which a
// Deferred of it has succeeded until Release. It is a small value, to be copied
// and handed on freely: nobody asks who releases it. The zero Lease stands for
// nothing.
type Lease struct {
	h    *hold
	turn uint64
}

// Release gives back what the lease stands for. What becomes free goes straight
// to those who wait, and their callbacks run within this call; if a hand-over
// of that lock is in progress already, on this goroutine or another, Release
// returns at once and the permit is handed over there. See the package
// documentation.
//
// A lease is released once: Release panics if it, or a copy of it, has been
// released before, and if it is the zero Lease.
func (l Lease) Release() {
	if wrong := l.giveBack(nil); wrong != "" {
		panic(wrong)
	}
}

// giveBack is Release, and calls then, unless that is nil, when what has become
// free has been handed over: before it returns, or in the hand-over in progress. It
// returns what is wrong, if something is, and has done nothing then.
func (l Lease) giveBack(then func()) (wrong string) {
	if l.h == nil {
		return "lock: Release: a zero Lease is releasing what is not held: use the one that Acquire or TryAcquire gave, if it gave one"
	}
	if !l.h.turn.CompareAndSwap(l.turn, l.turn+1) {
		return "lock: Release: this lease has been released before: release each once, by a defer or by Run"
	}
	l.h.by.takeBack(l.h, then)
	return ""
}

// A hold is what a Lease refers to. It serves for many, one at a time, which
// differ in their turn.
type hold struct {
	turn atomic.Uint64
	by   giver
	n    int   // what it is worth to the giver
	next *hold // in the giver's list of spare ones
}

// A giver hands out leases.
type giver interface {
	// takeBack ends the lease for which h stood. It is called once for each,
	// on the goroutine of Release.
	takeBack(h *hold, then func())
}

// lease returns the lease for which h stands from now on.
func (h *hold) lease() Lease { return Lease{h, h.turn.Load()} }
