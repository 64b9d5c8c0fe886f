package reactor

import (
	"context"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// driven is the engine on a virtual clock: all is the clock's.
type driven struct {
	r *Reactor
	d seam.Driver
	o *seam.Owner

	epoch time.Time // elapsed counts from here
}

func newDriven(r *Reactor, d seam.Driver) *driven {
	o := &seam.Owner{Failed: r.failed, Lost: r.lost, Late: r.late, Logger: r.log, Births: r.births}
	return &driven{r, d, o, d.Now()}
}

func (e *driven) now() time.Time { return e.d.Now() }

func (e *driven) elapsed() time.Duration { return e.d.Now().Sub(e.epoch) }

func (e *driven) callLater(d time.Duration, f func()) (clock.Timer, bool) {
	return e.d.CallLater(e.o, d, f)
}

func (e *driven) post(t seam.Task) bool { return e.d.Post(e.o, t) }

// postBehind is post: while a step runs, time stands still.
func (e *driven) postBehind(t seam.Task) bool { return e.post(t) }

func (e *driven) work(job func(seam.Worker) func()) bool { return e.d.Go(e.o, job) }

func (e *driven) watch(ctx context.Context, f func(), parent bool) func() bool {
	if parent {
		return e.d.WatchParent(ctx, f)
	}
	return e.d.Watch(ctx, f)
}

func (e *driven) run(context.Context) error {
	panic("reactor: Run on a virtual clock: nothing runs by itself there; call Advance of the clock.Virtual")
}

func (e *driven) stop() {
	e.d.Do(func() { e.r.finish(e.d.Drop(e.o)) })
}

func (e *driven) parked() func() { return e.d.Parked(e.o) }

func (e *driven) bind() { e.d.Bind(e.o) }

func (e *driven) timers() []seam.Scheduled { return e.d.Timers(e.o) }

func (e *driven) posts() []string { return e.d.Posts(e.o) }

func (e *driven) workers() []seam.Working { return e.d.Workers(e.o) }

// jobsOver is closed: the stop waits for jobs, or has reported them.
func (e *driven) jobsOver() <-chan struct{} {
	over := make(chan struct{})
	close(over)
	return over
}

func (e *driven) runReady() { e.d.RunReady() }
