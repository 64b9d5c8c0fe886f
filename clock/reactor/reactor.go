package reactor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

// ErrStopped is what fails because a reactor has stopped: errors.Is tells it.
var ErrStopped = errors.New("reactor: stopped")

// handle makes a Reactor known to package future, and keeps that out of sight.
type handle = seam.LoopHandle

// A Reactor runs functions one at a time, in order, on one goroutine: its
// loop. [New] makes one; the zero value is of no use. All methods may be
// called from any goroutine, also from the functions that it runs; Run is
// called once.
type Reactor struct {
	handle
	engine engine

	workers int
	logger  *slog.Logger
	births  bool
	local   atomic.Value

	stopping atomic.Bool                 // set with mu held, so that members are all told
	books    atomic.Pointer[func(error)] // see seam.Books

	// mu protects the following. It is not held while anything is called.
	mu       sync.Mutex
	members  seam.Members
	lateSaid bool
	bound    bool // the engine knows that there are bound members
}

// An engine is the part of a reactor that depends on its clock.
type engine interface {
	now() time.Time
	elapsed() time.Duration
	callLater(d time.Duration, f func()) (t clock.Timer, ok bool)
	post(t seam.Task) bool
	postBehind(t seam.Task) bool
	work(job func(seam.Worker) func()) bool
	watch(ctx context.Context, f func(), parent bool) (stop func() bool)
	run(ctx context.Context) error
	stop()
	parked() (release func())
	bind()
	runReady()
	jobsOver() <-chan struct{}

	timers() []seam.Scheduled
	posts() []string
	workers() []seam.Working
}

// New returns a reactor on c. On a [clock.Virtual], whoever drives the clock
// runs the reactor. On any other clock [Reactor.Run] does; New starts no
// goroutine. New panics if c is nil or is a reactor.
func New(c clock.Clock, opts ...Option) *Reactor {
	if c == nil {
		panic("reactor: New(nil): give it clock.System(), or clock.NewVirtual() in a test")
	}
	if seam.LoopOf(c) != nil {
		panic("reactor: New on a reactor: give it the clock that the other one is on")
	}
	if v, ok := c.(*clock.Virtual); ok && (v == nil || seam.DriverOf(v) == nil) {
		panic("reactor: New on a nil or zero Virtual: make that with clock.NewVirtual")
	}
	r := &Reactor{workers: 64}
	for _, o := range opts {
		o.apply(r)
	}
	if d := seam.DriverOf(c); d != nil {
		r.births = r.births || d.Births()
		r.engine = newDriven(r, d)
	} else {
		r.engine = newLoop(r, c)
	}
	r.handle = seam.HandleLoop(&door{r})
	return r
}

// Now returns the time. While a function runs that was given to CallLater it
// is, on a virtual clock and on others that tests use (clock.From), the time
// for which that was due; on clock.System it is always the clock's.
func (r *Reactor) Now() time.Time { return r.made().now() }

// made is the engine of a reactor that New has made.
func (r *Reactor) made() engine {
	if r == nil || r.engine == nil {
		panic("reactor: a nil or zero Reactor: make one with New")
	}
	return r.engine
}

// CallLater runs f on the loop, d from now; a negative d counts as 0. Calls
// that are due at different times run in that order, those for the same time
// in the order in which CallLater was called. With no delay f runs in the turn
// after this one, or rather after all that this one posts; called from another
// goroutine while a function runs, it counts as called by that.
//
// A panic of f goes to the Logger, and the loop goes on. After Stop f does not
// run, which is reported once, and the Timer is one that has been stopped.
// CallLater panics if f is nil. It does not block, and allocates once.
func (r *Reactor) CallLater(d time.Duration, f func()) clock.Timer {
	if f == nil {
		panic("reactor: CallLater with a nil function: give it what is to be called")
	}
	engine := r.made()
	if !r.stopping.Load() {
		if t, ok := engine.callLater(d, f); ok {
			return t
		}
	}
	r.late("a delayed call of "+birth.Func(f), "")
	return dead{}
}

// dead is the Timer of a call that never was.
type dead struct{}

func (dead) Stop() bool               { return false }
func (dead) Reset(time.Duration) bool { return false }

// Post runs f on the loop, after what has been posted before. It never runs f
// itself, also if it is called on the loop. What is posted before Run is kept
// until then. Functions posted by one goroutine run in its order.
//
// A panic of f goes to the Logger, and the loop goes on. After Stop f does not
// run, which is reported once. Post panics if f is nil. It does not block, and
// allocates nothing.
func (r *Reactor) Post(f func()) {
	if f == nil {
		panic("reactor: Post with a nil function: give it what is to be run")
	}
	engine := r.made()
	var t seam.Task = function(f)
	if r.births {
		t = born{function(f), birth.Here()}
	}
	if r.stopping.Load() || !engine.post(t) {
		r.late("a posted "+birth.Func(f), "")
	}
}

// born is a function with the place where it was posted.
type born struct {
	function
	at *birth.Place
}

// String names both.
func (b born) String() string { return name(b.function.String(), b.at) }

// function is a function as a task.
type function func()

// Run calls it.
func (f function) Run() seam.Task {
	f()
	return nil
}

// String names it in lists of what is scheduled.
func (f function) String() string { return birth.Func((func())(f)) }

// Go runs job on a worker, a goroutine that is not the loop's and may block,
// and then posts the function that job returned, unless that is nil: so the
// result of the work gets to the loop. future.GoOn is made of it.
//
// On a real clock job starts at once if fewer than [Workers] run. On a virtual
// clock it starts when that is driven, jobs run one at a time, and time stands
// still meanwhile; what they return is posted in the order of submission.
//
// A panic of job goes to the Logger, and so does a runtime.Goexit. After Stop
// job does not run, which is reported once. Go panics if job is nil. It does
// not block.
func (r *Reactor) Go(job func() (deliver func())) {
	if job == nil {
		panic("reactor: Go with a nil job: give it what is to be run")
	}
	engine := r.made()
	if r.stopping.Load() || !engine.work(r.guard(func(seam.Worker) func() { return job() })) {
		r.late("job "+birth.Func(job), "")
	}
}

// Run is the loop: it runs what is posted and what is due on the calling
// goroutine, until [Reactor.Stop] is called, then it returns nil, or until ctx
// ends, then it returns ctx.Err(). Either way the reactor has stopped then, by
// the rules of Stop.
//
// Run is called once: while the loop runs, another Run panics, and one of a
// reactor that has stopped, also before it ran, returns [ErrStopped]. On a
// Virtual Run panics: there Advance runs the reactor. Run does not wait for
// workers: it logs those that still run after a second.
//
// If a function ends the goroutine with runtime.Goexit, Run does not return to
// its caller, and the loop goes on on a goroutine of its own.
func (r *Reactor) Run(ctx context.Context) error {
	if ctx == nil {
		panic("reactor: Run with a nil context: use context.Background()")
	}
	return r.made().run(ctx)
}

// Stop stops the reactor: it lets the function that runs finish, and nothing
// else starts. What was due and has not run is reported to the Logger in one
// line. Deferreds of package future that wait on the loop fail with an error
// that matches [ErrStopped], and its coroutines end; that happens on the loop
// before Run returns.
//
// Stop does not wait. If Run has not been called, or on a Virtual that nobody
// drives, all has happened when it returns. If the Virtual is being driven, it
// happens after the function that runs now; called by a job there, or in a coroutine,
// after that job has returned or waits in Await. Stop may be called often; only the
// first call counts.
func (r *Reactor) Stop() {
	if engine := r.made(); r.refuse() {
		engine.stop()
	}
}

// refuse makes the reactor take nothing more. It returns false if that was so
// before.
func (r *Reactor) refuse() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.stopping.Swap(true)
}
