package task

import (
	"errors"

	"github.com/deferred-go/deferred/future"
)

var errNil = errors.New("task: the function of a Loop returned a nil *Deferred: return one to wait for, such as future.Succeed(v) or future.Fail(err)")

// flat is the action of NewLoopFlat.
type flat[T any] struct {
	r    *run
	f    func(n int) *future.Deferred[T]
	in   *future.Deferred[T] // what f has returned, if it is to be waited for
	over func() error        // settled, made once

	failed bool // settled was called with a failure; the Loop's mu protects it
}

func (a *flat[T]) call(n int) (pending bool, err error) {
	in := a.f(n)
	if in == nil {
		return false, errNil
	}
	if _, err := in.Result(); err == nil {
		return false, nil
	}
	a.in = in // also one that has failed: its failure goes on as it is
	return true, nil
}

func (a *flat[T]) wait() {
	r, l := a.r, a.r.l
	if err := r.cycles.Check(a.in); err != nil {
		r.fail(err)
		return
	}
	l.mu.Lock()
	r.phase = waiting
	r.count++
	count := r.count
	l.mu.Unlock()
	link := a.in.Finally(a.over)
	l.mu.Lock()
	switch {
	case r.phase != waiting || r.count != count: // it has succeeded already
		l.mu.Unlock()
	case a.failed:
		l.mu.Unlock()
		r.follow(a.outcome(link))
	default:
		r.inner = link
		if r.canceled {
			r.passOnAndUnlock()
		} else {
			l.mu.Unlock()
		}
	}
}

// settled is called when what is waited for has settled, or was left because
// others wait for it too. It may be called before wait knows the link.
func (a *flat[T]) settled() error {
	r, l := a.r, a.r.l
	_, err := a.in.Result()
	a.in = nil
	l.mu.Lock()
	link, canceled := r.inner, r.canceled
	r.inner = nil
	a.failed = err != nil
	l.mu.Unlock()
	switch {
	case err == nil:
		r.again()
	case link == nil: // wait will see to it
	case canceled:
		r.end() // the Deferred follows the link already
	default:
		r.follow(a.outcome(link))
	}
	return nil
}

// outcome also passes on a failure that the link is only about to have.
func (a *flat[T]) outcome(link waited) *future.Deferred[struct{}] {
	return future.Then(link.(*future.Deferred[T]), func(T) (none struct{}, err error) { return })
}
