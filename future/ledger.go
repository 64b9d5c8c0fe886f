package future

import (
	"slices"
	"sync"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

// A ledger is what a loop that records birthplaces knows of its Deferreds, for
// reports and for the end of a test. It costs a stack walk and an entry a
// Deferred while that is pending.
type ledger struct {
	strict bool // keep failures for the end of the test, log none

	mu      sync.Mutex // protects following fields
	count   int
	pending map[*node]born
	entries []*entry
}

type born struct {
	number int
	at     *birth.Place
}

func (l *ledger) born(n *node) {
	at := birth.Here()
	n.flags |= tracked
	l.mu.Lock()
	l.count++
	l.pending[n] = born{l.count, at}
	l.mu.Unlock()
}

func (l *ledger) settled(n *node) {
	l.mu.Lock()
	delete(l.pending, n)
	l.mu.Unlock()
}

func (l *ledger) keep(e *entry) {
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
}

// birthplace is where n was made, or "". It is known while n is pending.
func (n *node) birthplace() string {
	if n.home == nil || n.home.ledger == nil {
		return ""
	}
	l := n.home.ledger
	l.mu.Lock()
	b := l.pending[n]
	l.mu.Unlock()
	return b.at.String()
}

// Unsettled returns the pending Deferreds of the loop, in the order in which they
// were made: of those that wait for one another only the one that the others
// wait for, and none of timers and workers. It is a door of package seam.
func (h *home) Unsettled() []seam.Unsettled {
	l := h.ledger
	if l == nil {
		return nil
	}
	l.mu.Lock()
	type item struct {
		n *node
		born
	}
	var all []item
	for n, b := range l.pending {
		all = append(all, item{n, b})
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b item) int { return a.number - b.number })
	var left []seam.Unsettled
	for _, it := range all {
		if what := it.n.what(); what != "" && !it.n.waitsForTracked(l) {
			left = append(left, seam.Unsettled{What: what, Birth: it.at.String()})
		}
	}
	return left
}

// what says what a pending node is, or "" if its loop knows that itself.
func (n *node) what() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch n.role.(type) {
	case *coroutine:
		return "a coroutine that has not ended"
	case *job, stopper:
		return ""
	}
	return "a Deferred that has not settled"
}

// waitsForTracked reports whether n waits for a Deferred that l knows too.
func (n *node) waitsForTracked(l *ledger) bool {
	var more []*node
	for at := n.waitsFor(&more); at != nil; {
		l.mu.Lock()
		_, ok := l.pending[at]
		l.mu.Unlock()
		if ok {
			return true
		}
		if len(more) == 0 {
			return false
		}
		at, more = more[0], more[1:]
	}
	return false
}

// Unhandled returns the failures that rest where nobody took them, with their
// sites, in the order in which they came to rest, and forgets them.
// Cancellations are left out. It is a door of package seam.
func (h *home) Unhandled() []error {
	l := h.ledger
	if l == nil {
		return nil
	}
	l.mu.Lock()
	entries := l.entries
	l.entries = nil
	l.mu.Unlock()
	var errs []error
	for _, e := range entries {
		if f := e.unhandled(); f != nil && !onlyCanceled(e.err) {
			errs = append(errs, f)
		}
	}
	return errs
}
