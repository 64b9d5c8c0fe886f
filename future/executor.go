package future

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// An Executor is where callbacks run and what time it is there. A
// *reactor.Reactor is one; others can be written over a foreign loop.
//
// Post queues f to run on the executor's loop: one function at a time, first
// in, first out, never inside the call of Post. It may be called from any
// goroutine. CallLater is a Post after a delay.
//
// An executor that has a method
//
//	Go(job func() (deliver func()))
//
// which runs job on a worker and what it returns on the loop, gets the
// functions given to [GoOn] there; for one without it they get goroutines of
// their own.
type Executor interface {
	clock.Clock
	Post(f func())
}

// A home is what the package keeps with an executor.
type home struct {
	ex     Executor
	loop   seam.Loop // nil for a foreign executor
	ledger *ledger   // nil unless birthplaces are recorded

	inner atomic.Pointer[coroutine] // the coroutine that runs on the loop now
}

// homeOf returns the home of ex: the one that ex keeps, if it can.
func homeOf(verb string, ex Executor) *home {
	if ex == nil {
		panic("future: " + verb + ": nil Executor: give a reactor, or use the form without one for inline callbacks")
	}
	loop := seam.LoopOf(ex)
	if loop == nil {
		return &home{ex: ex}
	}
	local := loop.Local()
	if h, ok := local.Load().(*home); ok {
		return h
	}
	h := &home{ex: ex, loop: loop}
	if loop.Births() {
		h.ledger = &ledger{pending: make(map[*node]birth), strict: loop.Strict()}
	}
	if !local.CompareAndSwap(nil, h) {
		return local.Load().(*home)
	}
	return h
}

// homeOfClock is the home of a clock that is an executor too, else nil.
func homeOfClock(c clock.Clock) *home {
	if ex, ok := c.(Executor); ok {
		return homeOf("", ex)
	}
	return nil
}

// post queues n as a step. It returns false if the loop has stopped.
func (h *home) post(n *node) bool {
	if h.loop != nil {
		return h.loop.PostTask((*posted)(n))
	}
	h.ex.Post((*posted)(n).Run)
	return true
}

// stopped is why a post was refused.
func (h *home) stopped() error { return h.loop.Err() }

// A ledger is what a loop that records birthplaces knows of its Deferreds, for
// reports and for the end of a test. It costs a stack walk and an entry a
// Deferred while that is pending.
type ledger struct {
	mu      sync.Mutex
	count   int
	pending map[*node]birth
	entries []*entry
	strict  bool // keep failures for the end of the test, log none
}

type birth struct {
	number int
	pcs    [16]uintptr
	depth  int
}

func (l *ledger) born(n *node) {
	b := birth{}
	b.depth = runtime.Callers(3, b.pcs[:])
	n.flags |= tracked
	l.mu.Lock()
	l.count++
	b.number = l.count
	l.pending[n] = b
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

// birthplace is where n was made, or "".
func (n *node) birthplace() string {
	if n.home == nil || n.home.ledger == nil {
		return ""
	}
	l := n.home.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.pending[n]
	if !ok {
		return ""
	}
	return b.place()
}

// place is the first frame outside of the library.
func (b birth) place() string {
	frames := runtime.CallersFrames(b.pcs[:b.depth])
	for {
		f, more := frames.Next()
		if !inLibrary(f) || !more {
			return fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line)
		}
	}
}

const module = "github.com/deferred-go/deferred/"

// inLibrary reports whether a frame is the library's, not its tests' or
// examples'.
func inLibrary(f runtime.Frame) bool {
	return strings.HasPrefix(f.Function, module) &&
		!strings.HasPrefix(f.Function, module+"examples/") &&
		!strings.HasSuffix(f.File, "_test.go")
}
