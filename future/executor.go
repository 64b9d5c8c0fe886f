package future

import (
	"sync/atomic"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// An Executor is where callbacks run and what time it is there. A
// *reactor.Reactor is one; others can be written over a foreign loop.
//
// Post queues f to run on the executor's loop: one function at a time, first
// in, first out, never inside the call of Post. It may be called from any
// goroutine. CallLater is a Post after a delay.
//
// An executor that has a method
//
//	Go(job func() (deliver func()))
//
// which runs job on a worker and what it returns on the loop, gets the
// functions given to [GoOn] there; for one without it they get goroutines of
// their own. An Await that blocks a foreign loop is not detected.
type Executor interface {
	clock.Clock
	Post(f func())
}

// A home is what the package keeps with an executor.
type home struct {
	ex     Executor
	loop   seam.Loop // nil for a foreign executor
	ledger *ledger   // nil unless birthplaces are recorded

	inner atomic.Pointer[coroutine] // the coroutine that runs on the loop now
}

// homeOf returns the home of ex: the one that ex keeps, if it can.
func homeOf(verb string, ex Executor) *home {
	if ex == nil {
		panic("future: " + verb + ": nil Executor: give a reactor, or use the form without one for inline callbacks")
	}
	loop := seam.LoopOf(ex)
	if loop == nil {
		return &home{ex: ex}
	}
	local := loop.Local()
	if h, ok := local.Load().(*home); ok {
		return h
	}
	h := &home{ex: ex, loop: loop}
	if loop.Births() {
		h.ledger = newLedger(loop.Strict())
	}
	if !local.CompareAndSwap(nil, h) {
		return local.Load().(*home)
	}
	return h
}

// homeOfClock is the home of a clock that is an executor too, else nil.
func homeOfClock(c clock.Clock) *home {
	if ex, ok := c.(Executor); ok {
		return homeOf("", ex)
	}
	return nil
}

// loops reports whether callbacks run on a loop, and not inline.
func (h *home) loops() bool { return h != nil && h.ex != nil }

// post queues n as a step. It returns false if the loop has stopped.
func (h *home) post(n *node) bool {
	if h.loop != nil {
		return h.loop.PostTask((*posted)(n))
	}
	h.ex.Post(func() { (*posted)(n).Run() })
	return true
}

// stopped is why a post was refused.
func (h *home) stopped() error { return h.loop.Err() }
