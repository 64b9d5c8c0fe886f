package future_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// This file holds the reference's errors, and its time: timers, limits of time
// and contexts.

var (
	errModelNil   = errors.New("future: the callback returned a nil *Deferred: return one to wait for, such as Succeed(v) or Fail(err)")
	errModelCycle = errors.New("future: a Deferred waits for itself, directly or through those it waits for: it could never settle")
	errModelLost  = errors.New("another input came first")
)

// A modelCanceled is the error of what was canceled.
type modelCanceled struct{ why error }

// modelCancel is the failure of a cancel with a cause. A cancellation as the
// cause is handed on; that it is canceled is no cause.
func modelCancel(cause error) *modelFailure {
	switch {
	case modelIsCancel(cause):
		return &modelFailure{cause}
	case cause == future.ErrCanceled:
		cause = nil
	}
	return &modelFailure{&modelCanceled{cause}}
}

func modelIsCancel(err error) bool {
	_, ok := err.(*modelCanceled)
	return ok
}

func (e *modelCanceled) Error() string {
	if e.why == nil {
		return "future: canceled"
	}
	return "future: canceled: " + e.why.Error()
}

func (e *modelCanceled) Is(target error) bool {
	return target == future.ErrCanceled || target == context.Canceled
}

func (e *modelCanceled) Unwrap() error { return e.why }

// cause is what a canceller is told.
func (f *modelFailure) cause() error {
	if c, ok := f.err.(*modelCanceled); ok && c.why != nil {
		return c.why
	}
	return f.err
}

// A modelLate is the error of a limit of time that canceled with strike, which
// made inner.
type modelLate struct {
	text   string
	inner  error
	strike *modelCanceled
}

func (e *modelLate) Error() string {
	if modelOnly(e.inner, e.strike) {
		return e.text
	}
	return e.text + ": " + e.inner.Error()
}

func (e *modelLate) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return true
	case context.Canceled, future.ErrCanceled:
		return modelOther(e.inner, e.strike)
	}
	return errors.Is(e.inner, target)
}

// modelParts are the errors that err wraps.
func modelParts(err error) []error {
	switch x := err.(type) {
	case *modelLate:
		return []error{x.inner}
	case interface{ Unwrap() []error }:
		return x.Unwrap()
	case interface{ Unwrap() error }:
		if in := x.Unwrap(); in != nil {
			return []error{in}
		}
	}
	return nil
}

// modelHas reports whether the cancellation strike is in err.
func modelHas(err error, strike *modelCanceled) bool {
	return err == strike || slices.ContainsFunc(modelParts(err), func(e error) bool { return modelHas(e, strike) })
}

// modelOther reports whether a cancellation is in err that is not strike, and
// that no limit of time has turned into its own error.
func modelOther(err error, strike *modelCanceled) bool {
	switch x := err.(type) {
	case *modelCanceled:
		return x != strike
	case *modelLate:
		return modelOther(x.inner, x.strike)
	}
	return slices.ContainsFunc(modelParts(err), func(e error) bool { return modelOther(e, strike) })
}

// modelCaused reports whether err comes of strike: it has it, or is the bare
// error of a context, which does not say who ended that.
func modelCaused(err error, strike *modelCanceled) bool {
	return modelHas(err, strike) || errors.Is(err, context.Canceled) && !modelOther(err, strike)
}

// modelOnly reports whether all that err joins comes of strike.
func modelOnly(err error, strike *modelCanceled) bool {
	if x, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(x.Unwrap(), func(e error) bool { return !modelOnly(e, strike) })
	}
	return modelCaused(err, strike)
}

// modelTime is a clock: timers in the order in which they were made.
type modelTime struct {
	now      time.Duration
	timers   []*modelTimer
	contexts []*modelContext
}

type modelTimer struct {
	due time.Duration
	f   func()
}

// later calls f after d, unless it is stopped before.
func (w *modelTime) later(d time.Duration, f func()) (stop func()) {
	t := &modelTimer{w.now + max(d, 0), f}
	w.timers = append(w.timers, t)
	return func() {
		w.timers = slices.DeleteFunc(slices.Clone(w.timers), func(x *modelTimer) bool { return x == t })
	}
}

func (w *modelTime) advance(d time.Duration) {
	end := w.now + d
	for {
		var next *modelTimer
		for _, t := range w.timers {
			if t.due <= end && (next == nil || t.due < next.due) {
				next = t
			}
		}
		if next == nil {
			w.now = end
			return
		}
		w.timers = slices.DeleteFunc(slices.Clone(w.timers), func(x *modelTimer) bool { return x == next })
		w.now = next.due
		next.f()
	}
}

// A modelContext is a context with a deadline on the clock.
type modelContext struct {
	stop       func()
	err, cause error
	hooks      []*func()
}

func (w *modelTime) newContext(d time.Duration) {
	c := new(modelContext)
	at := clock.NewVirtual().Now().Add(w.now + d)
	c.stop = w.later(d, func() { c.end(context.DeadlineExceeded, &modelDeadline{at}) })
	w.contexts = append(w.contexts, c)
}

func (c *modelContext) end(err, cause error) {
	if c.err != nil {
		return
	}
	c.err, c.cause = err, cause
	c.stop()
	for len(c.hooks) > 0 {
		f := *c.hooks[0]
		c.hooks = c.hooks[1:]
		f()
	}
}

// A modelDeadline is the cause of a context that has reached its deadline.
type modelDeadline struct{ at time.Time }

func (e *modelDeadline) Error() string {
	return "clock: deadline " + e.at.Format(time.RFC3339Nano) + " exceeded"
}

func (e *modelDeadline) Unwrap() error { return context.DeadlineExceeded }

func (w *modelRefs) after(d time.Duration, v int) *modelRef {
	n := w.add(false)
	n.stop = w.later(d, func() { n.settle(v, nil) })
	return n
}

// limit returns a Deferred with the outcome of n, and what cancels it because
// it is late. When the outcome is there, ready runs.
func (n *modelRef) limit(text string, ready *func()) (r *modelRef, strike func(cause error)) {
	var struck *modelCanceled
	r = n.derive(func(r *modelRef, value any, f *modelFailure) {
		(*ready)()
		if f != nil && struck != nil && modelCaused(f.err, struck) {
			f = &modelFailure{&modelLate{text, f.err, struck}}
		}
		r.pass(value, f)
	})
	return r, func(cause error) {
		struck = &modelCanceled{cause}
		r.cancel(&modelFailure{struck})
	}
}

func (n *modelRef) timeout(after time.Duration) *modelRef {
	stop := func() {}
	r, strike := n.limit("future: no outcome within "+after.String(), &stop)
	if !r.settled {
		stop = n.w.later(after, func() { strike(context.DeadlineExceeded) })
	}
	return r
}

func (n *modelRef) withContext(c *modelContext) *modelRef {
	stop := func() {}
	r, strike := n.limit("future: no outcome before the context's deadline", &stop)
	end := func() {
		if c.err == context.DeadlineExceeded {
			strike(c.cause)
		} else {
			r.cancel(modelCancel(c.cause))
		}
	}
	switch {
	case r.settled:
	case c.err != nil:
		end()
	default:
		c.hooks = append(c.hooks, &end)
		stop = func() { c.hooks = slices.DeleteFunc(slices.Clone(c.hooks), func(f *func()) bool { return f == &end }) }
	}
	return r
}
