package clocktest

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/deferred-go/deferred/clock"
)

var basicCases = []rule{
	{"later", "CallLater and Reset return before the function is called, however short the delay: they never call it themselves", later},
	{"once", "a function is called once, when its delay has passed, and not again", once},
	{"early", "a function is not called before its delay has passed", early},
	{"zero", "a delay below 0 counts as 0: the function is called as soon as time is let pass, before all that is due later, and time does not go back", zero},
	{"order", "functions are called in the order of their due times, in whichever order CallLater was called", order},
	{"now", "while a function runs, Now is not before its due time; when d has passed, Now is d later at least", now},
	{"exact", "while a function runs, Now is exactly its due time, however far time is advanced in one go", exact},
	{"monotone", "Now never goes back", monotone},
	{"far", "a delay may be as long as a Duration can be: the function then is not called in our time, and can be stopped", far},
	{"nil", "CallLater panics if it is given no function", nilFunc},
}

// callWatched calls f, which calls a method of the clock or of a timer. What
// that calls itself has callWatched among its callers.
//
//go:noinline
func callWatched(f func()) { f() }

// watched reports whether callWatched is among the callers.
func watched() bool {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "/clocktest.callWatched") {
			return true
		}
		if !more {
			return false
		}
	}
}

func later(e *env) {
	var mu sync.Mutex
	var inside []string
	watch := func(d time.Duration, name string, f func()) (t clock.Timer) {
		callWatched(func() {
			t = e.do(d, name, func() {
				if watched() {
					mu.Lock()
					inside = append(inside, name)
					mu.Unlock()
					return
				}
				f()
			})
		})
		return t
	}
	nop := func() {}
	watch(0, "one with no delay", nop)
	watch(-time.Hour, "one with a negative delay", nop)
	t := watch(tick, "one with a delay", nop)
	callWatched(func() { t.Reset(0) })
	watch(tick, "one that calls CallLater", func() { watch(0, "one from inside", nop) })
	e.advance(3 * tick)
	mu.Lock()
	defer mu.Unlock()
	e.want(len(inside) == 0, "called inside of CallLater or Reset: %q", inside)
	e.want(len(e.events()) == 5, "5 functions were to be called, %d have been", len(e.events()))
}

func once(e *env) {
	e.later(tick, "f")
	e.wantRan("at the start")
	e.advance(tick)
	e.wantRan("after the delay", "f")
	e.advance(1000 * tick)
	e.wantRan("after much more", "f")
}

func early(e *env) {
	e.later(tick, "f")
	e.later(3*tick, "g")
	e.advance(tick - 1)
	e.wantRan("1ns before the delay has passed")
	e.advance(1)
	e.wantRan("when the delay has just passed", "f")
	e.advance(2*tick - 1)
	e.wantRan("1ns before the delay of the second has passed", "f")
	e.advance(1)
	e.wantRan("when that has passed", "f", "g")
}

func zero(e *env) {
	e.advance(2 * time.Hour)
	e.later(1, "due later")
	before := e.c.Now()
	e.later(-time.Hour, "due now")
	e.advance(tick)
	e.wantRan("with delays of 1ns and -1h", "due now", "due later")
	e.want(e.events()[0].now >= before.Sub(e.start), "the function with a delay of -1h ran at %v after the start, it was armed at %v", e.events()[0].now, before.Sub(e.start))
}

func order(e *env) {
	e.later(3*tick, "c")
	e.later(tick, "a")
	e.later(4*tick, "d")
	e.later(2*tick, "b")
	e.advance(2 * tick)
	e.wantRan("halfway", "a", "b")
	e.later(tick/2, "b2")
	e.advance(2 * tick)
	e.wantRan("at the end", "a", "b", "b2", "c", "d")
}

func now(e *env) {
	e.later(tick, "a")
	e.later(5*tick, "b")
	e.advance(7 * tick)
	e.wantRan("at the end", "a", "b")
	for i, due := range []time.Duration{tick, 5 * tick} {
		e.want(e.events()[i].now >= due, "Now was %v after the start in a function due at %v", e.events()[i].now, due)
	}
	passed := e.c.Now().Sub(e.start)
	e.want(passed >= 7*tick, "Now is %v after the start when %v have passed", passed, 7*tick)
}

func exact(e *env) {
	e.do(tick, "a", func() { e.later(tick, "b") })
	e.later(5*tick, "c")
	e.advance(100 * tick)
	e.wantRan("at the end", "a", "b", "c")
	for i, due := range []time.Duration{tick, 2 * tick, 5 * tick} {
		e.want(e.events()[i].now == due, "Now was %v after the start in a function due at %v", e.events()[i].now, due)
	}
}

func monotone(e *env) {
	var mu sync.Mutex
	latest, wrong := e.start, ""
	look := func(where string) {
		mu.Lock()
		defer mu.Unlock()
		now := e.c.Now()
		if now.Before(latest) && wrong == "" {
			wrong = fmt.Sprintf("Now went back by %v, seen %s", latest.Sub(now), where)
		}
		latest = now
	}
	e.advance(time.Hour)
	for i := range 20 {
		look("at rest")
		e.c.CallLater(time.Duration(10-i)*tick, func() { look("in a function") })
		look("after CallLater")
		t := e.later(tick, "")
		t.Reset(-time.Minute)
		look("after a Reset to a negative delay")
		e.advance(tick)
	}
	look("at the end")
	mu.Lock()
	defer mu.Unlock()
	e.want(wrong == "", "%s", wrong)
}

func far(e *env) {
	e.advance(time.Hour)
	t := e.later(math.MaxInt64, "f")
	e.later(tick, "g")
	u := e.later(tick, "h")
	u.Reset(math.MaxInt64)
	e.advance(time.Hour)
	e.wantRan("after an hour", "g")
	e.wantBool("Stop", t.Stop(), true)
	e.wantBool("Stop after a Reset", u.Stop(), true)
}

func nilFunc(e *env) {
	defer func() {
		if recover() == nil {
			e.failf("CallLater(d, nil) has returned")
		}
	}()
	e.c.CallLater(tick, nil)
}
