package clock

import (
	"context"
	"time"

	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/seam"
)

// WithTimeout returns a context below parent that ends d from now on c, or
// when cancel is called, or when parent ends. Cancel it as soon as its work is
// done: that stops the timer. It is WithDeadline(parent, c, c.Now().Add(d)).
func WithTimeout(parent context.Context, c Clock, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	mustParent("WithTimeout", parent, c)
	if c == System() {
		return context.WithTimeout(parent, d)
	}
	return within(parent, c, d, c.Now().Add(d))
}

// WithDeadline returns a context below parent that ends at t on c, or when
// cancel is called, or when parent ends.
//
// On [System] it is the context that [context.WithDeadline] makes. On another
// clock it is the library's own. At t it ends within the function that the
// clock calls: when that returns, Done is closed, all contexts below have
// ended, and what the library has waiting with it goes on. No goroutine is
// involved. Err is then [context.DeadlineExceeded], also for contexts of
// package context below, and [context.Cause] is an error that matches it and
// names the deadline. If t has been reached, the context has ended when
// WithDeadline returns.
//
// If c is a reactor that stops first, the context ends then, canceled, with an
// error that matches reactor.ErrStopped as its cause.
//
// Such a context has no Deadline of its own, because that is not on the clock
// by which net and database packages would measure it; it returns parent's.
//
// If parent is not the library's, its end is noticed by looking, between two
// events, if c is a [Virtual] or a reactor on one: when nothing is left to do
// at this instant, so before time moves on. On other clocks it is
// [context.AfterFunc].
func WithDeadline(parent context.Context, c Clock, t time.Time) (ctx context.Context, cancel context.CancelFunc) {
	mustParent("WithDeadline", parent, c)
	if c == System() {
		return context.WithDeadline(parent, t)
	}
	return within(parent, c, t.Sub(c.Now()), t)
}

func mustParent(verb string, parent context.Context, c Clock) {
	if parent == nil {
		panic("clock: " + verb + " with a nil parent: use context.Background()")
	}
	if c == nil {
		panic("clock: " + verb + " with a nil Clock: use System(), a *Virtual or a reactor")
	}
}

func within(parent context.Context, c Clock, d time.Duration, t time.Time) (context.Context, context.CancelFunc) {
	ctx := lifetime.New(parent, watchOf(c), nil)
	expire := func() { ctx.End(context.DeadlineExceeded, &deadlineError{t}) }
	if d <= 0 {
		expire()
		return ctx, func() {}
	}
	if ctx.Err() == nil {
		timer := c.CallLater(d, expire)
		ctx.AfterFunc(func() { timer.Stop() })
		endWithLoop(ctx, seam.LoopOf(c))
	}
	return ctx, func() { ctx.End(context.Canceled, nil) }
}

// endWithLoop ends ctx when the loop that has its timer stops.
func endWithLoop(ctx *lifetime.Context, loop seam.Loop) {
	if loop == nil {
		return
	}
	m := &seam.Member{Stopped: func(err error) { ctx.End(context.Canceled, err) }}
	if !loop.Join(m) {
		m.Stopped(loop.Err())
		return
	}
	ctx.AfterFunc(func() { loop.Leave(m) })
}

// watchOf returns how c notices that a context which is not the library's has
// ended; nil is context.AfterFunc.
func watchOf(c Clock) func(context.Context, func()) func() bool {
	if d := seam.DriverOf(c); d != nil {
		return d.WatchParent
	}
	if l, ok := seam.LoopOf(c).(interface {
		WatchParent(context.Context, func()) func() bool
	}); ok {
		return l.WatchParent
	}
	return nil
}

// A deadlineError is the cause of a context that has reached its deadline.
type deadlineError struct{ t time.Time }

func (e *deadlineError) Error() string {
	return "clock: deadline " + e.t.Format(time.RFC3339Nano) + " exceeded"
}

func (e *deadlineError) Unwrap() error { return context.DeadlineExceeded }

// Timeout makes it a net.Error's timeout, as context.DeadlineExceeded is.
func (e *deadlineError) Timeout() bool   { return true }
func (e *deadlineError) Temporary() bool { return true }
