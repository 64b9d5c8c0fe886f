package clocktest

import (
	"slices"
	"sync"
	"time"

	"github.com/deferred-go/deferred/clock"
)

var insideCases = []rule{
	{"inside/calllater", "a function may call CallLater: its delay counts from the function's own time, and what is due by the end of the time that passes is called", insideCallLater},
	{"inside/stop", "a function may stop other timers and its own; its own has begun, so that Stop returns false", insideStop},
	{"inside/reset", "a function may Reset its own timer, which returns false, and is called again", insideReset},
}

func insideCallLater(e *env) {
	var link func(n int) func()
	link = func(n int) func() {
		return func() {
			if n > 0 {
				e.do(tick, "link", link(n-1))
			}
		}
	}
	e.do(tick, "link", link(9))
	e.do(tick, "zero", func() { e.later(-1, "from inside") })
	e.advance(10*tick - 1)
	links := func() (n int) {
		for _, ev := range e.events() {
			if ev.name == "link" {
				n++
			}
		}
		return n
	}
	e.want(links() == 9, "1ns before the last of a chain of 10 is due, %d have run", links())
	e.advance(1)
	e.want(links() == 10, "when the last of a chain of 10 is due, %d have run", links())
	e.want(slices.ContainsFunc(e.events(), func(ev event) bool { return ev.name == "from inside" }), "what a function has scheduled with no delay has not run")
}

// A cell is a timer that functions use which may run before it is known.
type cell struct {
	mu sync.Mutex
	t  clock.Timer
}

// set makes the timer. Functions that get it wait for that.
func (c *cell) set(f func() clock.Timer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = f()
}

func (c *cell) get() clock.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func insideStop(e *env) {
	other := e.later(2*tick, "other")
	var own cell
	var stopped answers
	own.set(func() clock.Timer {
		return e.do(tick, "f", func() {
			stopped.add(other.Stop())
			stopped.add(own.get().Stop())
		})
	})
	e.advance(5 * tick)
	e.wantRan("at the end", "f")
	e.wantAnswers("Stop of another and of its own", &stopped, true, false)
}

func insideReset(e *env) {
	var own cell
	var reset answers
	own.set(func() clock.Timer {
		return e.do(tick, "f", func() { reset.add(own.get().Reset(2 * tick)) })
	})
	for n := range 4 {
		e.advance(2*tick - 1)
		e.want(len(e.events()) == n+1, "after %v the function has been called %d times, want %d", e.c.Now().Sub(e.start), len(e.events()), n+1)
		e.advance(1)
	}
	own.get().Stop()
	e.wantAnswers("Reset of its own timer", &reset, false, false, false, false)
	ran := len(e.events())
	e.advance(time.Second)
	e.want(len(e.events()) == ran, "the function was called after Stop")
}
