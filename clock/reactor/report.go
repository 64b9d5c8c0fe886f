package reactor

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

func (r *Reactor) log() *slog.Logger {
	if r.logger != nil {
		return r.logger
	}
	return slog.Default()
}

// fail reports that what panicked with v or, if v is nil, called
// runtime.Goexit. It is called by the deferred function that recovered v.
func (r *Reactor) fail(what string, v any) {
	err := failure.New(v)
	if books := r.books.Load(); books != nil {
		(*books)(err)
		return
	}
	verb := "panicked"
	if errors.Is(err, failure.ErrGoexit) {
		verb = "ended its goroutine"
	}
	r.log().Error("reactor: "+what+" "+verb, slog.Any("failure", err))
}

// failed is fail for a step of the loop, unless v is a control panic.
func (r *Reactor) failed(v any) (handled bool) {
	if seam.IsControl(v) {
		if books := r.books.Load(); books != nil {
			(*books)(nil)
		}
		return false
	}
	r.fail("a function on the loop", v)
	return true
}

// guard makes a job of one that may panic. A control panic is passed to the
// loop, where it leaves.
func (r *Reactor) guard(job func(seam.Worker) func()) func(seam.Worker) func() {
	return func(w seam.Worker) (deliver func()) {
		returned := false
		defer func() {
			if returned {
				return
			}
			v := recover()
			if seam.IsControl(v) {
				deliver = func() { seam.Rethrow(v) }
				return
			}
			r.fail("a job", v)
		}()
		deliver = job(w)
		returned = true
		return deliver
	}
}

// late reports, once, what came after Stop.
func (r *Reactor) late(what, place string) {
	r.mu.Lock()
	said := r.lateSaid
	r.lateSaid = true
	r.mu.Unlock()
	if said {
		return
	}
	args := []any{slog.String("what", what)}
	if place == "" && r.births {
		place = birth.Here().String()
	}
	if place != "" {
		args = append(args, slog.String("from", place))
	}
	r.log().Warn("reactor: what came after Stop did not run; this is said only once", args...)
}

// reportLost reports what was due when the reactor stopped.
func (r *Reactor) reportLost(lost []string) {
	if len(lost) == 0 {
		return
	}
	const most = 5
	r.log().Warn("reactor: stopped before everything that was due had run",
		slog.Int("count", len(lost)), slog.String("first", strings.Join(lost[:min(most, len(lost))], "; ")))
}

// reportRunning reports the workers that go on after the reactor has stopped.
func (r *Reactor) reportRunning(workers []seam.Working) {
	n := 0
	var places []string
	for _, w := range workers {
		if w.State != "running" {
			continue
		}
		n++
		if w.Birth != "" && len(places) < 5 {
			places = append(places, w.Birth)
		}
	}
	if n == 0 {
		return
	}
	args := []any{slog.Int("count", n)}
	if places != nil {
		args = append(args, slog.String("started", strings.Join(places, "; ")))
	}
	r.log().Warn("reactor: jobs still run a second after the stop: Run did not wait for them; let them return when their context ends", args...)
}
