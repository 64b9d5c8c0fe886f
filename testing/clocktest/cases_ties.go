package clocktest

import (
	"fmt"

	"github.com/deferred-go/deferred/clock"
)

var tieCases = []rule{
	{"ties/order", "functions with equal due times are called in the order in which CallLater was called, wherever their delays began", tiesOrder},
	{"ties/reset", "Reset counts as a new call of CallLater in the order of equal due times", tiesReset},
	{"ties/stop", "of functions with equal due times, the first may stop the others: Stop returns true, and they are not called", tiesStop},
	{"ties/zero", "what a function schedules with no delay is called after all that was due at that instant", tiesZero},
}

func tiesOrder(e *env) {
	var want []string
	for n := range 50 {
		name := fmt.Sprint(n)
		want = append(want, name)
		e.later(2*tick, name)
		e.later(3*tick, "later").Stop()
	}
	e.advance(tick)
	for n := range 50 {
		name := fmt.Sprint("half ", n)
		want = append(want, name)
		e.later(tick, name)
	}
	e.advance(5 * tick)
	e.wantRan("of 100 that were due at one instant", want...)
}

func tiesReset(e *env) {
	a := e.later(tick, "a")
	e.later(tick, "b")
	c := e.later(5*tick, "c")
	e.later(tick, "d")
	a.Reset(tick)
	c.Reset(tick)
	e.advance(tick)
	e.wantRan("after Reset of a and c", "b", "d", "a", "c")
}

func tiesStop(e *env) {
	var second, third cell
	var stopped answers
	e.do(tick, "first", func() {
		stopped.add(second.get().Stop())
		stopped.add(third.get().Stop())
	})
	second.set(func() clock.Timer { return e.later(tick, "second") })
	third.set(func() clock.Timer { return e.later(tick, "third") })
	e.later(tick, "fourth")
	e.advance(tick)
	e.wantRan("at the end", "first", "fourth")
	e.wantAnswers("Stop of the second and of the third", &stopped, true, true)
}

func tiesZero(e *env) {
	e.do(tick, "a", func() {
		e.do(0, "a0", func() { e.later(0, "a00") })
		e.later(-tick, "a-")
	})
	e.do(tick, "b", func() { e.later(0, "b0") })
	e.later(tick, "c")
	e.advance(tick)
	e.wantRan("at the end of the instant", "a", "b", "c", "a0", "a-", "b0", "a00")
}
