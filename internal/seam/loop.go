// Package seam holds what the packages of this module tell one another beyond
// their public interfaces. Nothing here is for applications.
//
// Package future works on any Executor. On a reactor it also posts steps
// without allocating, runs functions on workers that may wait, learns of the
// loop's end, and leaves its records for the test helpers. These doors are
// the interface [Loop]. A reactor carries one in an embedded [LoopHandle]; the
// handle's only method is unexported, so nothing of this shows in the
// reactor's public surface.
package seam

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/internal/linked"
)

// A Task is one step of a loop. What Run returns, unless that is nil, is posted
// to the same loop: the loop queues it, as if Run had called PostTask at its
// end, along with finding the step to run next.
type Task interface{ Run() (next Task) }

// A Loop is a reactor as package future sees it. Its methods may be called
// from any goroutine.
type Loop interface {
	// PostTask queues t, as Post queues a function, without allocating. When
	// the loop has stopped it does nothing and returns false.
	PostTask(t Task) bool

	// PostBehind is PostTask for a step of the loop that has taken its time: t
	// comes after the step's calls with no delay, and what has become due
	// meanwhile. Only a running step calls it, at its end.
	PostBehind(t Task) bool

	// Rest calls f, as a delayed call does, d from now on a virtual clock,
	// which stands still while a step runs. On any other clock, and if the loop
	// has stopped, it does nothing and returns nil.
	Rest(d time.Duration, f func()) Timer

	// Elapsed is the time since some fixed instant on the clock that the loop
	// is on: unlike Now of its reactor it goes on within a step, if the clock
	// does.
	Elapsed() time.Duration

	// Err is nil until the loop stops, then an error that matches
	// reactor.ErrStopped.
	Err() error

	// Join tells m when the loop stops, until Leave. Members are told in the
	// order in which they joined, on the loop, after the running step and
	// before Run returns. It returns false, and does nothing, if the loop has
	// stopped.
	Join(m *Member) bool
	Leave(m *Member)

	// Go runs job on a worker and what it returns, unless that is nil, as a
	// step of the loop; on virtual time these steps come in the order in which
	// the jobs were submitted. It returns false if the loop has stopped.
	Go(job func(w Worker) (deliver func())) bool

	// Watch calls f once when ctx ends, from where it may: within the call
	// that ends it if ctx is the library's own, between two events on virtual
	// time, else on a goroutine of its own. stop reports whether it prevented
	// the call.
	Watch(ctx context.Context, f func()) (stop func() bool)

	// Parked tells that a goroutine which is not the library's waits for this
	// loop, so that a virtual clock that nobody drives can say so. release
	// ends that.
	Parked() (release func())

	// Births reports whether birthplaces are to be recorded.
	Births() bool

	// Strict reports whether a test keeps the books: failures that nobody
	// handled are then kept for its end, and not logged.
	Strict() bool

	// Logger is where failures that nobody handled are reported.
	Logger() *slog.Logger

	// Local is a place for what package future keeps with this loop.
	Local() *atomic.Value
}

// A Member of a loop is told when the loop stops.
type Member struct {
	// Stopped is called with the loop's error.
	Stopped func(err error)

	// Bound says that Stopped must run on the goroutine which runs the loop
	// now, because the member is a coroutine of it. When that goroutine is
	// locked to its thread and ends by runtime.Goexit, the bound members are
	// told there, as if the loop had stopped, before the loop goes on
	// elsewhere.
	Bound bool

	at linked.Element[*Member]
}

// A Worker is the goroutine that runs a job of Loop.Go.
type Worker interface {
	// Park gives up the worker's slot, lets virtual time go on, and blocks
	// until Ready has been called (before or during Park, once for each
	// Park). Only the worker's own goroutine calls it.
	Park()

	// Ready wakes the worker from the Park in progress or the next one. On
	// virtual time it goes on when its turn among the workers comes.
	Ready()
}

// A LoopHandle makes the type that embeds it known to [LoopOf].
type LoopHandle struct{ loop Loop }

// HandleLoop returns a handle of l.
func HandleLoop(l Loop) LoopHandle { return LoopHandle{l} }

func (h LoopHandle) seamLoop() Loop { return h.loop }

// LoopOf returns the Loop behind an executor, or nil if it has none.
func LoopOf(executor any) Loop {
	if h, ok := executor.(interface{ seamLoop() Loop }); ok {
		return h.seamLoop()
	}
	return nil
}

// Members is a list of members in the order of joining. Its user locks.
type Members struct{ list linked.List[*Member] }

// Add appends m.
func (l *Members) Add(m *Member) {
	m.at.Value = m
	l.list.Add(&m.at)
}

// Remove takes m off the list, if it is on it.
func (l *Members) Remove(m *Member) { l.list.Remove(&m.at) }

// TakeFirst takes the first member off the list, or with bound the first
// bound one, and returns it, or nil.
func (l *Members) TakeFirst(bound bool) *Member {
	for e := l.list.First(); e != nil; e = e.Next() {
		if m := e.Value; m.Bound || !bound {
			l.Remove(m)
			return m
		}
	}
	return nil
}

// Unsettled is a Deferred that has not settled.
type Unsettled struct{ What, Birth string }

// A Ledger is what package future keeps in Loop.Local of a loop that records
// birthplaces, for test helpers.
type Ledger interface {
	// Unsettled returns the Deferreds that are pending and wait for no other
	// one, without those of timers and workers, which the loop knows itself.
	Unsettled() []Unsettled

	// Unhandled returns and forgets those of the failures that nobody took for
	// which take returns true. It calls take with no lock held.
	Unhandled(take func(err error) bool) []error
}
