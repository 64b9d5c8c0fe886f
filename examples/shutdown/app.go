package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// An app runs jobs on a reactor. It belongs to the reactor's loop: only
// coroutines and callbacks there use it, one at a time, so it needs no lock.
type app struct {
	r       *reactor.Reactor
	w       io.Writer
	begun   time.Time
	jobs    []*future.Deferred[struct{}] // those that run
	closing bool
}

func newApp(r *reactor.Reactor, w io.Writer) *app {
	return &app{r: r, w: w, begun: r.Now()}
}

var errClosing = errors.New("shutting down")

// start starts f as a job, unless the app is shutting down.
func (a *app) start(name string, f func(context.Context) error) error {
	if a.closing {
		return errClosing
	}
	job := future.AsyncOn(context.Background(), a.r, func(ctx context.Context) (none struct{}, err error) {
		return none, f(ctx)
	})
	a.jobs = append(a.jobs, job)
	future.Handle(job, func(none struct{}, err error) (struct{}, error) {
		a.jobs = slices.DeleteFunc(a.jobs, func(d *future.Deferred[struct{}]) bool { return d == job })
		a.log("%s: %s", name, outcome(err))
		return none, nil
	})
	return nil
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, future.ErrCanceled):
		return "canceled"
	}
	return "failed: " + err.Error()
}

// cleanUp is for how long canceled jobs may clean up.
const cleanUp = time.Second

// shutdown lets no more jobs start and waits for those that run: for as long as
// grace, then it cancels them, and waits for their clean-up. An error says that
// this did not end either.
func (a *app) shutdown(ctx context.Context, grace time.Duration) error {
	a.closing = true
	jobs := slices.Clone(a.jobs)
	all := future.AllSettled(jobs...)
	// A timeout cancels what it waits for. Here that is the shield, and not the
	// jobs: they are to go on until we say so.
	_, err := all.Shield().Timeout(a.r, grace).Await(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	a.log("%d left after %v", len(a.jobs), grace)
	for _, job := range jobs {
		job.Cancel(errClosing) // does nothing to one that has ended
	}
	_, err = all.Shield().Timeout(a.r, cleanUp).Await(ctx)
	return err
}

// log prints a line with the time since the start.
func (a *app) log(format string, args ...any) {
	since := a.r.Now().Sub(a.begun).Round(time.Millisecond)
	fmt.Fprintf(a.w, "%6v  %s\n", since, fmt.Sprintf(format, args...))
}
