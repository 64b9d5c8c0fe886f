package future

import (
	"log/slog"
	"reflect"
	"runtime"
	"sync"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/birth"
)

// A fault is the failure of a settled node: its error and where it came from.
// When a failure passes through a Deferred, that gets a fault of its own that
// knows the site of its callback and the fault before, but no Deferred; and
// no more than maxSites of them, so a retry loop does not keep its history
// alive.
type fault struct {
	root           // a fault stands where a role stood
	err    error   // what Catch and Await give
	site   uintptr // code pointer of the callback that failed, or was skipped
	before *fault  // nil in the origin
	origin *fault  // where the failure arose
	depth  int
	quiet  bool // nothing to report: the loop was stopped, or a panic goes on its way out of it

	// Of an origin: made when it first rests in a Deferred whose outcome
	// nobody took.
	mu    sync.Mutex
	entry *entry
}

const maxSites = 16

// newFault returns the origin of a failure that arose in callback f, or nowhere
// in particular.
func newFault(err error, f any) *fault {
	n := &fault{err: err, site: siteOf(f)}
	n.origin = n
	return n
}

// stoppedFault is the failure of what a loop that has stopped leaves undone. It
// was asked for, and the loop reports what was due.
func stoppedFault(err error) *fault {
	f := newFault(err, nil)
	f.quiet = true
	return f
}

// siteOf returns the code pointer of a function, which tells where it is
// defined.
func siteOf(f any) uintptr {
	if f == nil {
		return 0
	}
	return reflect.ValueOf(f).Pointer()
}

// through is f as it leaves a Deferred whose callback it skipped.
func (f *fault) through(callback any) *fault {
	if callback == nil || f.depth+1 >= maxSites {
		return f
	}
	return &fault{err: f.err, site: siteOf(callback), before: f, origin: f.origin, depth: f.depth + 1}
}

// cause is what a canceller is told.
func (f *fault) cause() error {
	if c, ok := f.err.(*canceledError); ok && c.cause != nil {
		return c.cause
	}
	return f.err
}

// sites are the code pointers from where the failure arose to here.
func (f *fault) sites() []uintptr {
	var sites []uintptr
	for ; f != nil; f = f.before {
		if f.site != 0 {
			sites = append(sites, f.site)
		}
	}
	for i, j := 0, len(sites)-1; i < j; i, j = i+1, j-1 {
		sites[i], sites[j] = sites[j], sites[i]
	}
	return sites
}

// An entry is a failure that rests, or has rested, in Deferreds that nobody
// reads. It does not lead to the fault: when that becomes unreachable and the
// failure still rests somewhere, it has been lost.
type entry struct {
	mu      sync.Mutex
	err     error
	sites   []uintptr
	at      *birth.Place // where it settled, if it has no site
	history history      // of the Deferred in which it came to rest last
	resting int          // Deferreds in which it rests unread
	logger  *slog.Logger // of the loop where it came to rest last, nil: slog.Default
	armed   bool         // it is reported when the last Deferred is garbage
	kept    bool         // a test's ledger has it
}

// rest notes that f is the outcome of a Deferred of h that nobody reads yet.
func (f *fault) rest(h *home, past history) {
	o := f.origin
	if o.quiet {
		return
	}
	o.mu.Lock()
	if o.entry == nil {
		o.entry = &entry{err: o.err}
		strict := h != nil && h.ledger != nil && h.ledger.strict
		if o.site == 0 && (strict || !onlyCanceled(o.err)) { // no callback tells where it arose
			o.entry.at = birth.Here()
		}
	}
	e := o.entry
	o.mu.Unlock()

	e.mu.Lock()
	defer e.mu.Unlock()
	e.resting++
	e.sites = f.sites()
	e.history = past
	e.logger = nil
	switch {
	case h != nil && h.ledger != nil && h.ledger.strict:
		if !e.kept {
			e.kept = true
			h.ledger.keep(e)
		}
		return
	case onlyCanceled(e.err):
		return // asked for
	case h != nil && h.loop != nil:
		e.logger = h.loop.Logger()
	}
	if !e.armed {
		e.armed = true
		runtime.AddCleanup(o, (*entry).lost, e)
	}
}

// watch notes that somebody took the outcome of a Deferred in which f rested.
func (f *fault) watch() {
	o := f.origin
	o.mu.Lock()
	e := o.entry
	o.mu.Unlock()
	if e != nil {
		e.mu.Lock()
		e.resting--
		e.mu.Unlock()
	}
}

// lost reports e, whose last Deferred is garbage, if nobody took it.
func (e *entry) lost() {
	f := e.unhandled()
	if f == nil || e.kept {
		return
	}
	logger := e.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Error("future: unhandled failure", "failure", f)
}

// unhandled returns the failure if it rests somewhere unread.
func (e *entry) unhandled() *failure.Failure {
	e.mu.Lock()
	resting, sites, notes := e.resting, e.sites, e.history.lines()
	e.mu.Unlock()
	if resting <= 0 {
		return nil
	}
	f := failure.At(e.err, sites...)
	for _, note := range notes {
		f = f.Note(note)
	}
	if at := e.at.String(); at != "" && len(sites)+len(notes) == 0 {
		f = f.Note("settled at " + at)
	}
	return f
}
