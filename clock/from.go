package clock

import (
	"time"

	"github.com/deferred-go/deferred/internal/seam"
)

// From makes a Clock of a foreign one that has the methods Now and AfterFunc,
// as those of github.com/benbjohnson/clock (Clock and *Mock) and
// github.com/jonboulle/clockwork have: clock.From(c). CallLater is its
// AfterFunc, with all the habits that has; a negative delay becomes 0.
//
// A benbjohnson Mock calls functions on goroutines of their own, sleeps a real
// millisecond for each, and calls one with no delay only at the next Add. So
// its order is not reproducible where a [Virtual]'s is. Given to a reactor, it
// has what a reactor promises: one function at a time, in order of due time,
// and Now is the due time. Of a clock that a Virtual drives (package benclock),
// From returns that Virtual.
func From[T Timer](c interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) T
}) Clock {
	if c == nil {
		panic("clock: From(nil): give it a clock, or use System")
	}
	if d, ok := seam.DriverOf(c).(*driver); ok {
		return d.v
	}
	return foreign[T]{c}
}

type foreign[T Timer] struct {
	c interface {
		Now() time.Time
		AfterFunc(d time.Duration, f func()) T
	}
}

func (c foreign[T]) Now() time.Time { return c.c.Now() }

func (c foreign[T]) CallLater(d time.Duration, f func()) Timer {
	mustFunc(f)
	return c.c.AfterFunc(max(d, 0), f)
}
