package seam

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Timer is a clock.Timer, which this package cannot name.
type Timer = interface {
	Stop() bool
	Reset(d time.Duration) bool
}

// A Driver is a virtual clock as a reactor sees it: it has the one queue in
// which the steps and delayed calls of all its reactors stand, and runs them.
// Its methods may be called from any goroutine.
type Driver interface {
	Now() time.Time

	// Post queues t as a step of o. It returns false if o is gone.
	Post(o *Owner, t Task) bool

	// CallLater queues f as a step of o after d. If o is gone, it returns a
	// Timer that has been stopped, and false.
	CallLater(o *Owner, d time.Duration, f func()) (Timer, bool)

	// Go runs job on a worker, one worker at a time, when the clock is driven
	// next, and queues what it returns, unless that is nil, as a step of o. It
	// returns false if o is gone.
	Go(o *Owner, job func(w Worker) (deliver func())) bool

	// Watch calls f when ctx, which is not the library's, has ended: looked
	// at between any two events. WatchParent looks only when nothing is left
	// to do at this instant, and when a drive begins.
	Watch(ctx context.Context, f func()) (stop func() bool)
	WatchParent(ctx context.Context, f func()) (stop func() bool)

	// Bind has o's Lost called when the driving goroutine ends by
	// runtime.Goexit, until o is gone.
	Bind(o *Owner)

	// Do calls f on the drive: after the running step, or at once, as a drive
	// of its own, if nobody drives.
	Do(f func())

	// Drop makes o gone: its steps and delayed calls leave the queue, its
	// jobs that have not started never will. Drop returns what has been due,
	// in order. It is called within Do.
	Drop(o *Owner) Dropped

	// RunReady runs what is ready at this instant, unless somebody drives.
	RunReady()

	// Fence has time halt before it would move past at: it is then at, and
	// passed is called, once, on the goroutine that drives, with no lock held;
	// it may end that drive. If it returns, time moves on. A fence is nothing
	// that is scheduled. A later one takes the place of the one before; lift
	// takes it away, if it is still there.
	Fence(at time.Time, passed func()) (lift func())

	// Local is a place for what package futuretest keeps with this clock.
	Local() *atomic.Value

	// Parked is Loop.Parked.
	Parked(o *Owner) (release func())

	// Births reports whether the clock records birthplaces.
	Births() bool

	// Timers lists the delayed calls of o in order, Posts names its posted
	// steps, Workers lists its workers in order of submission.
	Timers(o *Owner) []Scheduled
	Posts(o *Owner) []string
	Workers(o *Owner) []Working
}

// An Owner is a reactor as its Driver sees it.
type Owner struct {
	// Failed is called on the drive when a step of the owner's panicked with
	// v or, if v is nil, ended its goroutine by runtime.Goexit. If it returns
	// false, the panic goes on, out of the drive.
	Failed func(v any) (handled bool)

	// Lost is called on the driving goroutine while that ends by
	// runtime.Goexit: see [Driver] and Member.Bound.
	Lost func()

	// Late is called, with no lock held, when something of the owner's came
	// after it was gone.
	Late func(what, birth string)

	// Logger is where reports go.
	Logger func() *slog.Logger

	// Births says that birthplaces are to be recorded, also if the Driver
	// does not do so for others.
	Births bool

	// Gone and Timers are the Driver's, and protected by its lock.
	Gone   bool
	Timers any
}

// Dropped is what was due and will not run.
type Dropped struct {
	Tasks []Task   // that want to know, and are to be told: see [Dropper]
	Lost  []string // the others: what they are, and where they were made if that is known
}

// Scheduled is a delayed call that has not run.
type Scheduled struct {
	At    time.Time
	What  string // the function's name
	Birth string // where it was scheduled, "file:line", or "" if that was not recorded
}

// Working is a worker.
type Working struct {
	State string // "queued", "running", "waiting" in Await, or "ready" to go on
	Birth string // where it was started, or ""
}

// Books is what a [Loop] offers to test helpers and to task.Main in addition: a
// Loop of a reactor is one.
type Books interface {
	// KeepBooks makes the loop Strict, and gives panic and Goexit of posted
	// functions, delayed calls and jobs to failed, instead of to the Logger. A
	// control panic that leaves the loop calls failed with nil: the test is
	// given up.
	// failed may be called on any goroutine. To be called once, before the
	// loop is used.
	KeepBooks(failed func(err error))

	// RunReady runs what is ready at this instant, if the loop is on virtual
	// time and nobody drives that now.
	RunReady()

	// Timers lists the delayed calls in order, Posts names the posted steps
	// that have not run, Workers lists the jobs that have not ended in order of
	// submission.
	Timers() []Scheduled
	Posts() []string
	Workers() []Working

	// JobsOver is closed when, after the loop has stopped, no job runs any
	// more, or when those that still run a second later have been reported.
	JobsOver() <-chan struct{}
}

// A DriverHandle makes the type that embeds it known to [DriverOf].
type DriverHandle struct{ driver Driver }

// HandleDriver returns a handle of d.
func HandleDriver(d Driver) DriverHandle { return DriverHandle{d} }

func (h DriverHandle) seamDriver() Driver { return h.driver }

// DriverOf returns the Driver behind a clock, or nil if it has none.
func DriverOf(clock any) Driver {
	if h, ok := clock.(interface{ seamDriver() Driver }); ok {
		return h.seamDriver()
	}
	return nil
}
