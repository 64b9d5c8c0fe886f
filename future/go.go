package future

import (
	"context"
	"errors"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// Go calls f on a goroutine of its own and returns an inline Deferred of what f
// returns: its callbacks run on that goroutine when f has returned.
//
// f's context ends when ctx does, when the result is canceled, and when f has
// returned. A Cancel of the result first goes to what f awaits with that
// context, unless somebody else reads that, then ends the context, and settles
// the result at once; f goes on until it sees its context's end, and what it
// returns then is dropped. If f had not started, it never runs. The end of ctx
// alone only ends f's context; f runs also if ctx had ended before. What f opened
// and must not be lost with a dropped result, f settles by hand, with a
// Resolver: if !res.Succeed(conn) { conn.Close() }.
//
// A panic or a runtime.Goexit in f fails the result with a *failure.Failure. Go
// panics if ctx or f is nil.
func Go[T any](ctx context.Context, f func(context.Context) (T, error)) *Deferred[T] {
	mustContext(ctx, "Go")
	mustFunc(f == nil, "Go")
	j := newJob(ctx, nil, f)
	go j.goroutine()
	return &j.d
}

// GoOn calls f on a worker of ex and returns a Deferred of what f returns,
// whose callbacks run on ex. f may block; where it waits for Deferreds, it
// should Await them with its context: then it holds no worker's slot and, in a
// test on virtual time, does not hold up the time. Where ex has no workers, f
// gets a goroutine of its own.
//
// When ex stops, the result fails with an error that matches reactor.ErrStopped
// and f's context ends. Otherwise it is as [Go]. GoOn panics if ctx, ex or f is
// nil.
func GoOn[T any](ctx context.Context, ex Executor, f func(context.Context) (T, error)) *Deferred[T] {
	mustContext(ctx, "GoOn")
	mustFunc(f == nil, "GoOn")
	h := homeOf("GoOn", ex)
	j := newJob(ctx, h, f)
	j.startOn(h)
	return &j.d
}

// A job is a function on a worker or on a goroutine of its own.
type job struct {
	task
	out     *fault
	control any // a property tester's panic, to go on where the result is delivered
	worker  seam.Worker
}

type jobOf[T any] struct {
	job
	d Deferred[T]
	v T // what f returned, until that is delivered
	f func(context.Context) (T, error)
}

func newJob[T any](ctx context.Context, h *home, f func(context.Context) (T, error)) *jobOf[T] {
	j := &jobOf[T]{f: f}
	j.begin(ctx, &j.d.n, h, &j.job)
	j.d.n.noteFunction(f)
	return j
}

// atOnce reports true: the Deferred settles with the cancellation at once.
func (j *job) atOnce() bool { return true }

func (j *job) end(f *fault) { j.life.End(context.Canceled, f.err) }

func (j *jobOf[T]) goroutine() {
	if j.d.n.isSettled() {
		return
	}
	defer j.deliver() // also after a Goexit
	mark.Goroutine(j.call)
}

func (j *jobOf[T]) call() {
	f := j.f
	j.f = nil // the result outlives what f holds
	run(j.life, f, &j.v, &j.out, &j.control)
}

// deliver settles the Deferred with what f returned.
func (j *jobOf[T]) deliver() {
	j.over()
	passes := j.control != nil && j.worker != nil
	if passes {
		j.out.quiet = true
	}
	if !j.d.settle(j.v, j.out) {
		j.reportDropped()
	}
	if passes {
		seam.Rethrow(j.control)
	}
}

// reportDropped sees to it that a panic of a function whose Deferred has settled
// without it, because it was canceled, is reported. What it returned is dropped.
func (j *job) reportDropped() {
	if j.out != nil && errors.Is(j.out.err, failure.ErrPanic) {
		j.out.rest(j.n.home, j.n.history())
	}
}

// startOn hands f to a worker of h.
func (j *jobOf[T]) startOn(h *home) {
	if h.loop == nil {
		if ex, ok := h.ex.(interface{ Go(func() func()) }); ok {
			ex.Go(func() (deliver func()) {
				mark.Worker(func() { deliver = j.work(nil) })
				return deliver
			})
		} else {
			go j.goroutine()
		}
		return
	}
	j.member.Stopped = func(err error) {
		var none T
		j.d.settle(none, stoppedFault(err))
		j.life.End(context.Canceled, err)
		if at := j.current(); at != nil && at.withdraw(err) {
			j.wake()
		}
	}
	if !h.loop.Join(&j.member) || !h.loop.Go(j.work) {
		j.member.Stopped(h.loop.Err())
	}
}

// work is f on worker w. After a Goexit nothing is left to deliver on the loop:
// the Deferred settles here, its callbacks are queued there.
func (j *jobOf[T]) work(w seam.Worker) (deliver func()) {
	if j.d.n.isSettled() {
		j.over()
		return nil
	}
	j.worker = w
	returned := false
	defer func() {
		if !returned {
			j.deliver()
		}
	}()
	j.call()
	returned = true
	if j.control == nil && j.d.n.isSettled() { // by a cancel, say: nothing is left to deliver
		j.over()
		j.reportDropped()
		return nil
	}
	return j.deliver
}

// wake ends the worker's wait.
func (j *job) wake() { j.worker.Ready() }

// await parks the worker until n has settled. Only the worker itself calls it.
func (j *job) await(ctx context.Context, n *node) error {
	if ctx.Err() != nil {
		return n.giveUp(ctx)
	}
	at := &waiter{of: n, by: j}
	listed, root := at.list()
	if !listed {
		return nil
	}
	j.at.Store(at)
	end := func(why error) {
		if at.withdraw(why) {
			j.wake()
		}
	}
	if !root && j.waitsForItself() {
		end(errCycle)
	}
	own := j.n.home.loop
	if lifetime.Of(ctx) != nil || ctx.Done() != nil { // in this order: Done makes a channel
		stop := own.Watch(ctx, func() { end(gaveUpOf(ctx)) })
		defer stop()
	}
	if err := own.Err(); err != nil { // it stopped before the wait was known
		end(err)
	}
	if loop := at.otherLoop(j.n.home); loop != nil {
		m := &seam.Member{Stopped: end}
		if loop.Join(m) {
			defer loop.Leave(m)
		} else {
			end(loop.Err())
		}
	}
	j.worker.Park()
	j.at.Store(nil)
	return at.why
}
