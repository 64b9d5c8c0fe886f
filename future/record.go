package future

import (
	"fmt"
	"runtime"

	"github.com/deferred-go/deferred/internal/birth"
)

// A record is what a ledger knows of a Deferred. While that is pending, the
// ledger has it, and its lock protects it. Then it stands where the outcome
// stands otherwise, as the role of the node, and changes no more: so it is
// garbage when the Deferred is, and the nodes of loops that record nothing need
// no word for it. It costs a stack walk when the Deferred is made and at most
// another one when it settles.
type record struct {
	root
	history
	number int  // in the order in which they were made
	known  bool // the settling is, before it happens

	// Of a settled node:
	fault *fault    // or the mark of a value
	split *splitOff // or this
}

// A history is where a Deferred comes from, as far as that is known.
type history struct {
	made     *birth.Place
	followed *birth.Place // where its Resolver was told to follow another one
	settled  settling
}

// A settling is what settled a Deferred: the code that called something which
// did, on whichever goroutine; if the loop did it on its own, the function
// whose return it was; or neither, as with a timer.
type settling struct {
	at *birth.Place
	by uintptr
}

func (s settling) String() string {
	if at := s.at.Call(); at != "" {
		return "settled at " + at
	}
	if fn := runtime.FuncForPC(s.by); fn != nil {
		file, line := fn.FileLine(s.by)
		return fmt.Sprintf("settled by %s %s:%d", fn.Name(), file, line)
	}
	return "settled by its reactor"
}

// lines tells what is known, one thing a line.
func (h history) lines() (lines []string) {
	if at := h.made.String(); at != "" {
		lines = append(lines, "made at "+at)
	}
	if at := h.followed.String(); at != "" {
		lines = append(lines, "follows another one since "+at)
	}
	if h.settled != (settling{}) {
		lines = append(lines, h.settled.String())
	}
	return lines
}

// born begins the record of n, which nobody knows yet.
func (l *ledger) born(n *node) {
	at := birth.Here()
	n.flags |= tracked
	l.mu.Lock()
	l.count++
	l.pending[n] = &record{number: l.count, history: history{made: at}}
	l.mu.Unlock()
}

// records reports whether n may have a record.
func (n *node) records() bool { return n.home != nil && n.home.ledger != nil }

// edit calls f with the record of n, if n is pending and has one.
func (n *node) edit(f func(r *record)) {
	if !n.records() {
		return
	}
	l := n.home.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.pending[n]; r != nil {
		f(r)
	}
}

// noteFollowed notes that n's Resolver was told to follow another Deferred.
func (n *node) noteFollowed() {
	at := birth.Here()
	n.edit(func(r *record) { r.followed = at })
}

// noteFunction notes that f is the function of n, a coroutine or a job.
func (n *node) noteFunction(f any) {
	n.edit(func(r *record) { r.settled.by = siteOf(f) })
}

// noteReturn notes that n settles because its callback f has returned.
func (n *node) noteReturn(f any) {
	n.edit(func(r *record) { r.settled, r.known = settling{by: siteOf(f)}, true })
}

// noteSource notes that n, if it settles now, does so because s has settled. In
// a turn of a loop nothing else tells what settled n; outside of one the stack
// does. s is not locked.
func (n *node) noteSource(s *node, turn bool) {
	var as settling
	known := false
	if turn {
		s.mu.Lock()
		if r, ok := s.role.(*record); ok {
			as, known = r.settled, true
		}
		s.mu.Unlock()
	}
	n.edit(func(r *record) { r.settled, r.known = as, known })
}

// noteSettled makes the record of n, which has just settled with f and is
// locked, its role.
func (n *node) noteSettled(f *fault) {
	l := n.home.ledger
	l.mu.Lock()
	r := l.pending[n]
	delete(l.pending, n)
	l.mu.Unlock()
	if r == nil { // it had moved
		r = new(record)
	}
	if !r.known {
		r.settled.at = birth.Here()
	}
	r.fault = f
	r.split, _ = n.role.(*splitOff)
	n.role = r
}

// noteTaker gives n, which had moved and is about to settle, the history of by,
// which had taken it over and has settled. Both are locked.
func (n *node) noteTaker(by *node) {
	if r, ok := by.role.(*record); ok {
		l := n.home.ledger
		l.mu.Lock()
		l.pending[n] = &record{history: history{settled: r.settled}, known: true}
		l.mu.Unlock()
	}
}

// history returns what is known of n, which is not locked; hasHistory is for one
// that is.
func (n *node) hasHistory() (h history) {
	if !n.records() {
		return h
	}
	if r, ok := n.role.(*record); ok {
		return r.history
	}
	n.edit(func(r *record) { h = r.history })
	h.settled = settling{} // it is only what may come
	return h
}

func (n *node) history() history {
	if !n.records() {
		return history{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hasHistory()
}

// birthplace is where n, which is pending, was made, or "".
func (n *node) birthplace() string {
	var at *birth.Place
	n.edit(func(r *record) { at = r.made })
	return at.String()
}
