package lock

import (
	"context"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// Run calls f once acquired has succeeded, and releases the lease when the
// Deferred that f returned has settled; then it hands over to those who wait,
// and after that the result settles with the same outcome. It serves for every
// kind of lock:
//
//	total := lock.Run(m.Acquire(), func() *future.Deferred[int] {
//		return future.ThenFlat(load(), save)
//	})
//
// The lease is released, too, if f panics, returns nil or ends its goroutine,
// which fails the result. If acquired fails, f is not called and the result
// fails with the same error. f runs, as the callbacks of the result do, where
// acquired has its callbacks: inline, or for m.Acquire().On(r) on r. If that
// reactor has stopped, f does not run, and the lease is released all the same.
//
// A Cancel of the result leaves the line, if acquired is pending, and f never
// runs; after that it goes to what f returns. Nobody else is to use acquired.
// Run panics if acquired or f is nil. It does not wait.
func Run[T any](acquired *future.Deferred[Lease], f func() *future.Deferred[T]) *future.Deferred[T] {
	if acquired == nil {
		panic("lock: Run: nil *Deferred: give it what Acquire returned")
	}
	if f == nil {
		panic("lock: Run: nil function: there is nothing to call")
	}
	r := &run[T]{acquired: acquired, f: f}
	ex, _ := seam.ExecutorOf(acquired).(future.Executor)
	// The end must not be a step of ex, which may have stopped by then.
	inline, res := future.New[T]()
	result, release := inline.Finally(r.end).Hold()
	r.release = release
	res.Follow(future.ThenFlat(acquired, r.start))
	if ex != nil {
		return result.On(ex)
	}
	return result
}

type run[T any] struct {
	acquired *future.Deferred[Lease]
	f        func() *future.Deferred[T]
	release  func() // of the result
}

func (r *run[T]) start(Lease) *future.Deferred[T] {
	f := r.f
	r.f = nil // the result outlives what f holds
	return f()
}

// end releases the lease, whether f has run or not, and then the result.
func (r *run[T]) end() error {
	lease, err := r.acquired.Result()
	r.acquired = nil
	if err == nil {
		lease.giveBack(r.release)
	} else {
		r.release()
	}
	return nil
}

// Await waits for a lease, or for a value of a [Queue], as d.Await(ctx) does, in
// a coroutine or on a goroutine, and loses none when ctx ends: then d is
// canceled, and if that comes too late, Await returns the value all the same.
//
//	lease, err := lock.Await(ctx, m.Acquire())
//	if err != nil {
//		return err
//	}
//	defer lease.Release()
//
// When it gives up, it returns the error of d.Await. d.Await alone does not
// cancel: the lease that it has given up waiting for would be granted some day
// to nobody, and never come back. It panics if d or ctx is nil, and wherever
// d.Await does.
func Await[T any](ctx context.Context, d *future.Deferred[T]) (T, error) {
	v, err := d.Await(ctx)
	if err == nil {
		return v, nil
	}
	if !d.Cancel(context.Cause(ctx)) {
		return d.Result()
	}
	if v, late := d.Await(context.WithoutCancel(ctx)); late == nil {
		return v, nil
	}
	return v, err
}
