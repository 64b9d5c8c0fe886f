package future

import (
	"runtime"
	"sync"
)

// A node is the untyped part of everything that waits: a Deferred, an input of
// a gather, a parked Await. It has one source, or none, and a ring of readers.
//
// # States
//
//	open      a root: its Resolver, timer, goroutine, coroutine or gather settles it
//	waiting   new, listed in the ring of its source, or taken off it to be run
//	queued    its source has settled, its callback is queued on its loop
//	running   its callback runs: its runner owns it
//	moved     its outcome will be that of the node that took it over
//	settled   it has its outcome, for good
//
//	open    -> settled             a settle
//	open    -> running -> waiting  Resolver.Follow
//	waiting -> running -> settled  the usual step, and a cancel that leaves the source
//	waiting -> queued -> running   the same on a loop
//	running -> waiting             the callback returned a pending Deferred
//	running -> moved               the same, and its only reader just follows it:
//	                               that reader takes over
//	moved   -> waiting, settled    somebody attaches to it, or cancels it
//
// A parked Await and an input of a gather have no readers and never settle:
//
//	waiting -> running             the outcome is there; of a coroutine by way of queued
//	waiting -> queued, settled     it gives up
//	running -> waiting             the next wait of the same coroutine (see relist)
//
// The take-over is what keeps a loop of flattened Deferreds in constant
// memory: the outermost one follows the innermost directly (see takeover.go).
//
// # Locking
//
// A node's mu guards its fields and, once settled, nothing: a settled node
// keeps only a ring of readers that are still to be run. While a node is
// running, its runner alone touches what its role holds.
//
// A goroutine that holds one node's lock only tries others (see lockAlso). If
// one is taken it lets go of all and starts again, so there is no order of
// locks to get wrong. No lock is held while code of the user, of a clock or of
// an executor runs.
//
// A node that is waiting for a pending source is in its ring. It gets there with
// both locks held, or before others know it, and leaves with both held; so the
// role of a reader may be read under the source's lock. One that has left may
// still be in the ring for a while, marked as gone: its role is not to be read.
type node struct {
	mu      sync.Mutex
	phase   phase
	flags   flags
	gone    bool  // it left, but its source's ring still has it (the source's lock guards this)
	goners  uint8 // readers in the ring that are gone
	active  int32 // readers that have not canceled, once settled also those who took the outcome; once moved, its number (see takeover.go)
	home    *home // nil: inline
	readers *node // the last of the ring of readers
	next    *node // in the ring of its source; of a root that is keeping, see newKeeper; when settled, in the stack of a work
	role    role  // what it does when its source settles; when settled nil, its *fault, a *splitOff or its *record
}

type phase uint8

const (
	open phase = iota
	waiting
	queued
	running
	moved
	settled
)

type flags uint8

const (
	watched   flags = 1 << iota // somebody took its outcome
	left                        // it has canceled: its source counts it no longer
	canceling                   // its canceller runs
	canceled                    // a cancel came while it ran, or was to get a kept value: its role is a *request
	tracked                     // it stands in the ledger of its loop
	keeping                     // an open root, whose value will be kept
	forsaken                    // who was interested has given up without a cancel: see keeper
)

// A role is what a node does. Its methods are called by the node's runner, by
// others with the node's lock held, unless it is running, and step of one that has
// moved, whose taker has settled, by who puts it back.
type role interface {
	// source is what the node waits for; of a root nil.
	source() *node

	// runs reports whether a function of the user's will run for such an
	// outcome of the source, which makes it a step of its loop.
	runs(failed bool) bool

	// step takes the outcome of the source, whose failure is in, and returns
	// what the node settles with, or what it is to follow.
	step(in *fault) (inner *node, out *fault)
}

// A request is the role of a node that was asked to cancel and could not pass
// that on: it is queued, or its callback runs.
type request struct {
	role        // the role before
	with *fault // the cancellation
	old  *node  // the source whose ring may still have it, if it left one
}

// lockAlso locks other while n is locked by the caller. If other is taken, it
// unlocks n, lets other goroutines go first, and returns false.
func (n *node) lockAlso(other *node) bool {
	if other.mu.TryLock() {
		return true
	}
	n.mu.Unlock()
	runtime.Gosched()
	return false
}

// list appends r to n's ring of readers. n is locked, and r too if others know
// of it.
func (n *node) list(r *node) {
	if last := n.readers; last != nil {
		r.next, last.next = last.next, r
	} else {
		r.next = r
	}
	n.readers = r
}

// listFirst puts r before all other readers.
func (n *node) listFirst(r *node) {
	if last := n.readers; last != nil {
		r.next, last.next = last.next, r
	} else {
		r.next, n.readers = r, r
	}
}

// takeFirst takes the first reader that is not gone off the ring. n is locked.
func (n *node) takeFirst() *node {
	for n.readers != nil {
		first := n.readers.next
		if first == n.readers {
			n.readers = nil
		} else {
			n.readers.next = first.next
		}
		first.next = nil
		if !first.gone {
			return first
		}
		first.gone = false
		n.goners--
	}
	return nil
}

// leave marks r, a listed reader, as gone. Its place in the ring is cleared
// later, at the latest when more readers are gone than stay or when 255 are:
// without a second link a node, so many readers leave in any order in a time
// that is linear up to some 100,000 of them.
// Until then r's next is not its own. n is locked, and r too.
func (n *node) leave(r *node) {
	r.gone = true
	n.goners++
	if int32(n.goners) > n.active || n.goners == maxGoners {
		n.sweep()
	}
}

const maxGoners = 255

// sweep clears the ring of readers that are gone. n is locked.
func (n *node) sweep() {
	if n.goners == 0 {
		return
	}
	ring := n.readers
	n.readers, n.goners = nil, 0
	for r := ring.next; ; {
		next := r.next
		if r.gone {
			r.gone, r.next = false, nil
		} else {
			n.list(r)
		}
		if r == ring {
			return
		}
		r = next
	}
}

// only returns the reader of n if there is just one. n is locked.
func (n *node) only() *node {
	n.sweep()
	if n.readers != nil && n.readers.next == n.readers {
		return n.readers
	}
	return nil
}

// fault is the failure of a settled node, or nil.
func (n *node) fault() *fault {
	switch r := n.role.(type) {
	case *fault:
		if r.keeper() == nil {
			return r
		}
	case *splitOff:
		return r.fault
	case *record:
		if r.fault.keeper() == nil {
			return r.fault
		}
	}
	return nil
}

func (n *node) isSettled() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.phase == settled
}

// attach makes r, which is waiting and which nobody else knows but a ledger, a
// reader of s. If s has settled and its other readers have been run, r takes its
// outcome now: within this call, or as a step of its loop.
func attach(r, s *node) {
	if enlist(r, s) {
		return
	}
	w := work{reader: r, in: s.fault()}
	w.run()
}

// gain counts another reader of n that has not canceled. n is locked.
func (n *node) gain() {
	n.active++
	n.flags &^= forsaken
}

// enlist makes r, which is as attach wants it, a reader of s and counts it as a
// consumer. It returns false if r is to be run at once instead.
func enlist(r, s *node) bool {
	s.lockHere()
	ok := s.enlistHere(r)
	s.mu.Unlock()
	return ok
}

// enlistHere is enlist with n locked.
func (n *node) enlistHere(r *node) bool {
	n.watch()
	n.gain()
	if n.phase == settled && n.readers == nil {
		return false
	}
	n.list(r)
	return true
}

// lockHere locks n and, if it has moved, puts it back first, so that it can
// have readers and a cancel of its own.
func (n *node) lockHere() {
	n.mu.Lock()
	for n.phase == moved {
		if !n.putBack() {
			n.mu.Lock()
		}
	}
}

// watch notes that somebody takes n's outcome. n is locked.
func (n *node) watch() {
	if n.flags&watched != 0 {
		return
	}
	n.flags |= watched
	if n.phase == settled {
		if f := n.fault(); f != nil {
			f.watch()
		}
	}
}

// settleLocked gives n its outcome. n is locked and not settled.
func (n *node) settleLocked(f *fault) {
	n.phase = settled
	n.flags &^= canceling | canceled
	failed := f != nil && f.keeper() == nil
	switch {
	case f == nil:
		n.role = nil
	case failed:
		n.role = n.remains(f)
	default:
		n.role = f
	}
	if n.records() {
		n.noteSettled(f)
	}
	if failed && n.flags&watched == 0 {
		f.rest(n.home, n.hasHistory())
	}
}

// init prepares a node that nobody knows yet.
func (n *node) init(p phase, h *home, r role) {
	n.phase, n.home, n.role = p, h, r
	if h != nil && h.ledger != nil {
		h.ledger.born(n)
	}
}
