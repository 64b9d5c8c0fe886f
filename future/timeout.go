package future

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/seam"
)

func mustClock(c clock.Clock, verb string) {
	if c == nil {
		panic("future: " + verb + ": nil clock.Clock: give a reactor, a *clock.Virtual or clock.System()")
	}
}

// After returns a Deferred that succeeds with v when d has passed on c. A d of
// 0 or less counts as 0, which is later all the same: not within this call. Its
// callbacks run on c if that is an [Executor], as a reactor is, else inline on
// the goroutine on which c calls. A Cancel stops the timer. For a plain pause
// use struct{}{}.
func After[T any](c clock.Clock, d time.Duration, v T) *Deferred[T] {
	mustClock(c, "After")
	a := &after[T]{v: v}
	a.d.n.init(open, homeOfClock(c), a)
	a.join()
	timer := c.CallLater(d, a.fire)
	if !a.d.n.keepTimer(&a.timer, timer) {
		timer.Stop()
	}
	return &a.d
}

// after is the role of a Deferred that a timer settles.
type after[T any] struct {
	root
	d      Deferred[T]
	v      T
	timer  clock.Timer
	member seam.Member
}

// keepTimer stores timer for a node, unless that has settled meanwhile, or has
// taken the outcome with which it is about to.
func (n *node) keepTimer(at *clock.Timer, timer clock.Timer) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.phase == settled || n.phase == running {
		return false
	}
	*at = timer
	return true
}

// join lets the Deferred fail when its loop stops, for then the timer does not
// fire any more.
func (a *after[T]) join() {
	if h := a.d.n.home; h != nil && h.loop != nil {
		a.member.Stopped = func(err error) { a.d.settle(a.v, stoppedFault(err)) }
		if !h.loop.Join(&a.member) {
			a.member.Stopped(h.loop.Err())
		}
	}
}

func (a *after[T]) leave() {
	if h := a.d.n.home; h != nil && h.loop != nil {
		h.loop.Leave(&a.member)
	}
}

func (a *after[T]) fire() {
	a.leave()
	a.d.settle(a.v, nil)
}

// stopped stops the timer of what was canceled.
func (a *after[T]) stopped() {
	a.leave()
	a.d.n.mu.Lock()
	timer := a.timer
	a.d.n.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
}

// Timeout returns a Deferred with the outcome of d, which it cancels when after
// has passed on c without one. If the outcome then is that cancellation, also
// inside an error of a gather or of a callback, or handed on by a canceller, the
// result fails with an error that matches context.DeadlineExceeded, and not
// ErrCanceled; any other outcome stands, and is waited for. A cancel by somebody
// else stays a cancel. The timer is stopped as soon as the outcome is there.
//
// So a timeout asks, and where all of d's parts catch their errors themselves, one
// that struck shows only in what they made of it. For a hard bound, which lets go of
// d without waiting for its answer, use d.Shield().Timeout(c, after).
//
// If c is a reactor that stops first, the result fails with an error that
// matches reactor.ErrStopped.
//
// What is attached to the result is not under the timeout; what d itself waits
// for is. An after of 0 or less counts as 0; it does not beat a d that has
// settled. It panics if c is nil.
func (d *Deferred[T]) Timeout(c clock.Clock, after time.Duration) *Deferred[T] {
	d.mustBe("Timeout")
	mustClock(c, "Timeout")
	t := &limit[T]{text: timeoutText(after)}
	t.start(d, t)
	if t.d.n.isSettled() {
		return &t.d
	}
	timer := t.tie(homeOfClock(c), c.CallLater(after, func() { t.strike(context.DeadlineExceeded) }))
	if !t.d.n.keepTimer(&t.timer, timer) {
		timer.Stop()
	}
	return &t.d
}

// WithContext returns a Deferred with the outcome of d, which it cancels when
// ctx ends first, with ctx's cause. If ctx ended by its deadline, the failure
// matches context.DeadlineExceeded, as that of [Deferred.Timeout] does. If d is
// inline, and ctx is of package context, the end is noticed on the goroutine that
// package context starts for it, and the callbacks run there. It panics if ctx is nil.
func (d *Deferred[T]) WithContext(ctx context.Context) *Deferred[T] {
	d.mustBe("WithContext")
	mustContext(ctx, "WithContext")
	l := &limit[T]{text: "future: no outcome before the context's deadline"}
	l.start(d, l)
	switch {
	case ctx.Done() == nil || l.d.n.isSettled():
		return &l.d
	case ctx.Err() != nil:
		l.end(ctx)
		return &l.d
	}
	stop := watch(l.d.n.home, ctx, func() { l.end(ctx) })
	if !l.d.n.keepTimer(&l.timer, watching(stop)) {
		stop()
	}
	return &l.d
}

func mustContext(ctx context.Context, verb string) {
	if ctx == nil {
		panic("future: " + verb + ": nil context: use context.Background()")
	}
}

// watch calls f when ctx ends, as soon as that can be known where h's callbacks
// run.
func watch(h *home, ctx context.Context, f func()) (stop func() bool) {
	if h != nil && h.loop != nil {
		return h.loop.Watch(ctx, f)
	}
	if l := lifetime.Of(ctx); l != nil {
		return l.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// limit passes an outcome on and cancels what it waits for when its time is up.
type limit[T any] struct {
	link[T, T]
	text   string
	timer  clock.Timer    // or what watches a context
	struck *canceledError // what it canceled with
	late   bool           // the cancellation becomes a lateError
}

// tie lets the Deferred fail when the loop that has its timer stops, for then
// that never strikes.
func (l *limit[T]) tie(h *home, timer clock.Timer) clock.Timer {
	if h == nil || h.loop == nil {
		return timer
	}
	t := &tied{Timer: timer, loop: h.loop}
	t.member.Stopped = func(err error) { l.d.n.abandon(stoppedFault(err)) }
	if !h.loop.Join(&t.member) {
		t.member.Stopped(h.loop.Err())
	}
	return t
}

// tied is a timer with a membership of its loop.
type tied struct {
	clock.Timer
	loop   seam.Loop
	member seam.Member
}

// Stop ends both.
func (t *tied) Stop() bool {
	t.loop.Leave(&t.member)
	return t.Timer.Stop()
}

// watching is the stop function of a watch in the place of a timer.
type watching func() bool

func (stop watching) Stop() bool               { return stop() }
func (stop watching) Reset(time.Duration) bool { return false }

func (l *limit[T]) runs(bool) bool { return false }

func (l *limit[T]) step(in *fault) (*node, *fault) {
	n := &l.d.n
	n.mu.Lock()
	timer, struck, late := l.timer, l.struck, l.late
	l.timer = nil
	n.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	switch {
	case in == nil:
		in = l.d.same(l.from)
	case late && causedBy(in.err, struck):
		in = newFault(&lateError{l.text, in.err, struck}, nil)
	}
	l.from = nil
	return nil, in
}

// abandoned stops the timer: no step will.
func (l *limit[T]) abandoned() {
	n := &l.d.n
	n.mu.Lock()
	timer := l.timer
	l.timer, l.from = nil, nil
	n.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
}

// end strikes because ctx has ended.
func (l *limit[T]) end(ctx context.Context) {
	if ctx.Err() == context.DeadlineExceeded {
		l.strike(context.Cause(ctx))
		return
	}
	l.d.n.cancelFor(newCancel(context.Cause(ctx)))
}

func timeoutText(d time.Duration) string {
	return fmt.Sprintf("future: no outcome within %v", max(d, 0))
}

// strike cancels what is waited for, because it is late.
func (l *limit[T]) strike(cause error) {
	n := &l.d.n
	f := newCancel(&canceledError{&struck{cause}})
	n.mu.Lock()
	l.struck, l.late = f.err.(*canceledError), true
	n.mu.Unlock()
	n.cancelFor(f)
}
