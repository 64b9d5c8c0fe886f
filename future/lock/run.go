package lock

import (
	"errors"

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
// The lease is released, too, if f panics, returns nil, ends its goroutine, or
// returns something that waits for the result; each fails the result. If acquired
// fails, f is not called and the result fails with the same error. f runs, as the
// callbacks of the result do, where acquired has its callbacks: inline, or for
// m.Acquire().On(r) on r. If that reactor has stopped, f does not run, and the
// lease is released all the same.
//
// A Cancel of the result leaves the line, if acquired is pending, and f never
// runs; after that it goes to what f returns. Nobody else is to use acquired.
// Run panics if acquired or f is nil. It does not wait.
func Run[T any](acquired *future.Deferred[Lease], f func() *future.Deferred[T]) *future.Deferred[T] {
	if acquired == nil {
		panic("lock: Run: nil *Deferred: give it what Acquire returned")
	}
	if f == nil {
		letGo(acquired)
		panic("lock: Run: nil function: there is nothing to call")
	}
	r := &run[T]{acquired: acquired, f: f}
	ex, _ := seam.ExecutorOf(acquired).(future.Executor)
	// Here all is inline: the end must not be a step of ex, which may have stopped
	// by then.
	result, res := future.New[T]()
	r.result, r.res = result, res
	res.OnCancel(r.cancel)
	outcome, settle := future.New[T]()
	r.outcome = outcome
	future.Handle(outcome, r.end)
	settle.Follow(future.ThenFlat(acquired, r.start))
	if ex != nil {
		return result.On(ex)
	}
	return result
}

// letGo ends a wait for a lease, or releases that.
func letGo(acquired *future.Deferred[Lease]) {
	future.Then(acquired, func(l Lease) (none struct{}, _ error) { releaseUnused(l); return none, nil }).Cancel(nil)
}

type run[T any] struct {
	acquired *future.Deferred[Lease]
	f        func() *future.Deferred[T]
	outcome  *future.Deferred[T] // of acquired and f
	result   *future.Deferred[T] // has that later
	res      future.Resolver[T]
}

func (r *run[T]) start(Lease) *future.Deferred[T] {
	f := r.f
	r.f = nil // the result outlives what f holds
	d := f()
	if d == nil {
		return nil
	}
	if _, err := d.Result(); err == future.ErrPending {
		if err := seam.SearchFor(r.result).Check(d); err != nil {
			return future.Fail[T](err)
		}
	}
	return d
}

// end releases the lease, whether f has run or not.
func (r *run[T]) end(_ T, failed error) (none struct{}, _ error) {
	lease, err := r.acquired.Result()
	r.acquired = nil
	if err != nil {
		r.settle()
	} else if wrong := lease.giveBack(r.settle); wrong != "" {
		if r.f != nil { // it did not run: a reactor has stopped, and the lease has gone back
			r.settle()
		} else {
			r.res.Fail(errors.Join(failed, errors.New(wrong)))
		}
	}
	return none, nil
}

func (r *run[T]) settle() { r.res.Follow(r.outcome) }

// cancel goes to acquired or to what f returned. What that answers is the result
// at once; so is an outcome that is there, while others are still being served.
func (r *run[T]) cancel(cause error) {
	r.outcome.Cancel(cause)
	r.settle()
}
