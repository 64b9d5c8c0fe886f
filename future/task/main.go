package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// An ExitCode is an error that a function given to [Main] returns, as it is or
// wrapped, to end the program with that status, 0 to 255. It is not logged:
// what is to be said has been said. Another error that is joined with it is.
type ExitCode int

// Error names the status.
func (c ExitCode) Error() string {
	if !c.valid() {
		return fmt.Sprintf("task: exit status %d: there are those from 0 to 255", int(c))
	}
	return fmt.Sprintf("task: exit status %d", int(c))
}

func (c ExitCode) valid() bool { return c >= 0 && c <= 255 }

// Main runs a program: f, as a coroutine on the loop of a new reactor on the
// system clock, which opts go to. When f has returned, what has been posted by
// then runs, but not what that posts in turn, nor delayed calls; the reactor
// stops, and Main returns the exit status. So all of func main is:
//
//	os.Exit(task.Main(run))
//
// Before it returns, jobs of the reactor (future.GoOn, Reactor.Go) that still run
// have a second to do so, or until a signal: their contexts have ended if their
// Deferreds were canceled. If any take longer, the log tells. A GoOn that has not
// begun by then never does: its Deferred fails with reactor.ErrStopped. Goroutines of
// future.Go, and jobs that must run or need more time, are for f to wait for.
//
// The status is 0 if f returned nil, and n for an error that is, wraps or joins
// ExitCode(n). Any other error, also a panic of f with whatever value and an
// ExitCode which is no status, is 1. What says more than an ExitCode is logged
// to the reactor's Logger, with all that it knows; a runtime.Goexit of f also as
// what ended the loop's goroutine.
//
// Main does not wait until failures that nobody has handled are reported: the
// garbage collector finds them, and at the end of a program it may not come to
// that. What matters to the status is for f to wait for.
//
// At the first SIGINT (os.Interrupt) or SIGTERM, unless the process ignores
// that signal, the coroutine is canceled, with a cause from which errors.As
// takes the os.Signal: what f waits for is canceled, unless somebody else reads
// it, then f's context ends. Main waits for f to return. If its error says
// nothing but that it was canceled, the status is 128 and the signal's number,
// and nothing is logged. A second signal has the effect that it has without
// Main: it ends the process at once.
//
// If somebody else stops the reactor while f runs, the Awaits of f return
// reactor.ErrStopped; an error of f's that says nothing but that is no failure,
// the status is 0.
//
// Main panics if f is nil. It is not for a bubble of testing/synctest, where
// signals have no place. The loop runs on a goroutine of its own, which a
// runtime.Goexit ends without ending the loop: one of f is a failure, and Main
// returns all the same. So f is not on the main thread: what has to be, such as
// a user interface, has [reactor.Reactor.Run] called there instead of Main.
func Main(f func(ctx context.Context, r *reactor.Reactor) error, opts ...reactor.Option) int {
	if f == nil {
		panic("task: Main: nil function: there is nothing to run")
	}
	signals := make(chan os.Signal, 1)
	for s := range caught {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	p := &program{f: f, signals: signals, restore: func() { signal.Stop(signals) }}
	return p.run(clock.System(), opts)
}

// caught are the signals that Main catches, with their numbers, which are the
// same wherever there are numbers.
var caught = map[os.Signal]int{os.Interrupt: 2, syscall.SIGTERM: 15}

// A program is one call of Main.
type program struct {
	f       func(context.Context, *reactor.Reactor) error
	signals <-chan os.Signal
	restore func() // of what signals do

	stopped bool // the reactor was, before f returned
}

func (p *program) run(clk clock.Clock, opts []reactor.Option) int {
	defer p.restore()
	r := reactor.New(clk, opts...)
	loop := seam.LoopOf(r)
	d := future.AsyncOn(context.Background(), r, func(ctx context.Context) (struct{}, error) {
		defer func() { p.stopped = loop.Err() != nil }()
		return struct{}{}, p.f(ctx, r)
	})
	stopped := make(chan struct{})
	ended := future.Handle(d, func(struct{}, error) (struct{}, error) {
		if !loop.Join(&seam.Member{Stopped: func(error) { close(stopped) }}) { // the last one that is told
			close(stopped)
		}
		r.Stop()
		return struct{}{}, nil
	})
	seen := p.watch(d)
	if !returns(func() { r.Run(context.Background()) }) { // the loop goes on
		if _, err := ended.Await(context.Background()); err == nil { // else it was stopped by others
			<-stopped
		}
	}
	_, err := d.Result() // it is there: a loop that stops first ends its coroutines
	status, silent := p.status(err, seen())
	select {
	case <-loop.(seam.Books).JobsOver():
	case <-p.signals:
	}
	if !silent {
		loop.Logger().Error("task: the program failed", slog.Any("failure", failure.At(err)))
	}
	return status
}

// returns calls f on a goroutine of its own and waits for that. It reports
// whether f returned, and did not end the goroutine.
func returns(f func()) bool {
	over := make(chan bool)
	go func() {
		returned := false
		defer func() { over <- returned }()
		f()
		returned = true
	}()
	return <-over
}

// watch cancels d at the first signal, on a goroutine of its own. seen ends
// that and returns the signal, or nil.
func (p *program) watch(d *future.Deferred[struct{}]) (seen func() os.Signal) {
	over, got := make(chan struct{}), make(chan os.Signal, 1)
	go func() {
		defer close(got)
		select {
		case s := <-p.signals:
			p.restore()
			if d.Cancel(&signaled{s}) {
				got <- s
			}
		case <-over:
		}
	}()
	return sync.OnceValue(func() os.Signal {
		close(over)
		return <-got
	})
}

// status is the one to exit with when f has returned err, and s was seen. It is
// silent if err says nothing more.
func (p *program) status(err error, s os.Signal) (n int, silent bool) {
	var code ExitCode
	stopped := func(err error) bool { return p.stopped && err == reactor.ErrStopped }
	canceled := func(err error) bool { return isCanceled(err) || stopped(err) }
	exits := func(err error) bool { return err == code || s != nil && isCanceled(err) || stopped(err) }
	panicked := func(err error) bool {
		_, itself := err.(*failure.Failure)
		return itself && errors.Is(err, failure.ErrPanic)
	}
	switch {
	case err == nil:
		return 0, true
	case panicked(err): // also with an ExitCode
		return 1, false
	case errors.As(err, &code) && code.valid():
		return int(code), only(err, exits)
	case s != nil && only(err, canceled):
		return 128 + caught[s], true
	case only(err, stopped):
		return 0, true
	}
	return 1, false
}

// isCanceled reports whether err itself, and not just what it wraps, says that
// something was canceled.
func isCanceled(err error) bool {
	switch x := err.(type) {
	case *signaled:
		return true
	case interface{ Is(error) bool }:
		return x.Is(context.Canceled)
	}
	return err == context.Canceled
}

// only reports whether err says nothing but is: it does, or wraps an error that
// says nothing else, or joins such errors only.
func only(err error, is func(error) bool) bool {
	if is(err) {
		return true
	}
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		parts := x.Unwrap()
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(e error) bool { return !only(e, is) })
	case interface{ Unwrap() error }:
		return only(x.Unwrap(), is)
	}
	return false
}

// signaled is the cause of a cancel by a signal.
type signaled struct{ by os.Signal }

func (e *signaled) Error() string { return "task: signal: " + e.by.String() }

// As gives the signal to errors.As.
func (e *signaled) As(target any) bool {
	s, ok := target.(*os.Signal)
	if ok {
		*s = e.by
	}
	return ok
}
