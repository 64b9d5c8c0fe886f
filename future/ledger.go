package future

import (
	"slices"
	"sync"

	"github.com/deferred-go/deferred/internal/seam"
)

// A ledger is what a loop that records birthplaces knows of its Deferreds, for
// reports and for the end of a test: the records of those that are pending.
type ledger struct {
	strict bool // keep failures for the end of the test, log none

	mu      sync.Mutex // protects following fields, and the records
	count   int
	pending map[*node]*record
	entries []*entry
}

func newLedger(strict bool) *ledger {
	return &ledger{strict: strict, pending: make(map[*node]*record)}
}

// moved drops the record of n, which its taker stands for from now on.
func (l *ledger) moved(n *node) {
	l.mu.Lock()
	delete(l.pending, n)
	l.mu.Unlock()
}

func (l *ledger) keep(e *entry) {
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
}

// Unsettled returns the pending Deferreds of the loop, in the order in which they
// were made: of those that wait for one another only the one that the others
// wait for, and none of timers and workers. It is a door of package seam.
func (h *home) Unsettled() []seam.Unsettled {
	l := h.ledger
	if l == nil {
		return nil
	}
	type item struct {
		n *node
		history
		number int
	}
	var all []item
	l.mu.Lock()
	for n, r := range l.pending {
		all = append(all, item{n, r.history, r.number})
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b item) int { return a.number - b.number })
	var left []seam.Unsettled
	for _, it := range all {
		if what := it.n.what(); what != "" && !it.n.waitsForTracked(l) {
			if at := it.followed.String(); at != "" {
				what += ", and follows another one since " + at
			}
			left = append(left, seam.Unsettled{What: what, Birth: it.made.String()})
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
	return n.comesTo(func(at *node) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, ok := l.pending[at]
		return ok
	}, true)
}

// Unhandled returns the failures that rest where nobody took them, with their
// sites, in the order in which they first came to rest, if take wants them, and
// forgets those. Cancellations are left out. It is a door of package seam.
func (h *home) Unhandled(take func(err error) bool) []error {
	l := h.ledger
	if l == nil {
		return nil
	}
	l.mu.Lock()
	entries := l.entries
	l.entries = nil
	l.mu.Unlock()
	var errs []error
	var stay []*entry // among them those that were taken, and may come to rest elsewhere
	for _, e := range entries {
		if f := e.unhandled(); f != nil && !onlyCanceled(e.err) && take(f) {
			errs = append(errs, f)
		} else {
			stay = append(stay, e)
		}
	}
	l.mu.Lock()
	l.entries = append(stay, l.entries...)
	l.mu.Unlock()
	return errs
}
