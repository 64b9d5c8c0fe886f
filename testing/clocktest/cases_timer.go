package clocktest

var timerCases = []rule{
	{"stop", "Stop prevents the call and returns true; if the function has been called, or the timer was stopped before, Stop returns false", stop},
	{"reset/pending", "Reset of a timer whose function is still to be called returns true, and moves the call, to later or to earlier", resetPending},
	{"reset/fired", "Reset of a timer whose function has been called returns false, and the function is called again", resetFired},
	{"reset/stopped", "Reset of a timer that was stopped returns false, and the function is called after all", resetStopped},
	{"reset/zero", "Reset takes a delay below 0 as 0", resetZero},
}

func stop(e *env) {
	t := e.later(tick, "stopped")
	u := e.later(2*tick, "other")
	e.wantBool("Stop of a timer that is pending", t.Stop(), true)
	e.wantBool("the second Stop", t.Stop(), false)
	e.advance(3 * tick)
	e.wantRan("at the end", "other")
	e.wantBool("Stop of a timer whose function has been called", u.Stop(), false)
	e.wantBool("Stop of a stopped timer whose time has passed", t.Stop(), false)
}

func resetPending(e *env) {
	t := e.later(2*tick, "to later")
	u := e.later(9*tick, "to earlier")
	e.advance(tick)
	e.wantBool("Reset to later", t.Reset(3*tick), true)
	e.wantBool("Reset to earlier", u.Reset(tick), true)
	e.advance(tick)
	e.wantRan("when that is due which was moved to earlier", "to earlier")
	e.advance(2*tick - 1)
	e.wantRan("1ns before the other", "to earlier")
	e.advance(1)
	e.wantRan("when the other is due", "to earlier", "to later")
	e.advance(10 * tick)
	e.wantRan("when the old times have passed", "to earlier", "to later")
}

func resetFired(e *env) {
	t := e.later(tick, "f")
	for n := range 3 {
		e.advance(tick)
		e.want(len(e.events()) == n+1, "the function has been called %d times, want %d", len(e.events()), n+1)
		e.wantBool("Reset", t.Reset(tick), false)
	}
	e.wantBool("Stop after Reset", t.Stop(), true)
	e.advance(2 * tick)
	e.wantRan("at the end", "f", "f", "f")
}

func resetStopped(e *env) {
	t := e.later(tick, "f")
	t.Stop()
	e.wantBool("Reset", t.Reset(2*tick), false)
	e.advance(tick)
	e.wantRan("at its first time")
	e.advance(tick)
	e.wantRan("at its new time", "f")
	e.wantBool("Stop", t.Stop(), false)
}

func resetZero(e *env) {
	t := e.later(9*tick, "f")
	e.advance(tick)
	e.wantBool("Reset", t.Reset(-2*tick), true)
	e.advance(tick)
	e.wantRan("after Reset(-20ms)", "f")
}
