package clock

import "time"

// This file is the only one in the module that touches the clock and the
// timers of package time.

// System returns the real clock: Now is [time.Now], CallLater is
// [time.AfterFunc], which gives each function a goroutine of its own; a panic
// there ends the process. All values that System returns are equal.
//
// Inside a bubble of testing/synctest that is the bubble's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now() }

// Since is Now().Sub(t), and costs half as much. Reactors look for it.
func (system) Since(t time.Time) time.Duration { return time.Since(t) }

func (system) CallLater(d time.Duration, f func()) Timer {
	mustFunc(f)
	return time.AfterFunc(d, f)
}

func mustFunc(f func()) {
	if f == nil {
		panic("clock: CallLater with a nil function: give it what is to be called, or stop the Timer of one that is not wanted any more")
	}
}
