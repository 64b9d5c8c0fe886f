package clock

import "time"

// A Clock tells the time and calls functions later. It is all that the rest
// of the module asks of time.
//
// CallLater calls f once, d after now, unless the Timer is stopped before; a
// negative d counts as 0. It does not call f itself, and returns at once. On
// which goroutine f runs is the clock's: [System] gives each f its own, a
// [Virtual] runs it on the goroutine that drives it, a reactor on its loop.
// CallLater panics if f is nil.
type Clock interface {
	Now() time.Time
	CallLater(d time.Duration, f func()) Timer
}

// A Timer is a call that a Clock makes later. Its methods may be called from
// any goroutine, also from the function that is called. A *time.Timer of
// [time.AfterFunc] is one.
//
// Stop prevents the call, and reports whether it did: it returns false if the
// call has begun or was stopped before. It does not wait for a call that has
// begun.
//
// Reset makes the call due d from now, be it that it was still to come, was
// stopped, or has begun before; only in the first case it returns true. A
// negative d counts as 0.
type Timer interface {
	Stop() bool
	Reset(d time.Duration) bool
}
