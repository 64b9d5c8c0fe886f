// Package benclock serves code that insists on a clock of
// github.com/benbjohnson/clock: [New] gives one that a [clock.Virtual] drives.
// It is for tests, and the only package of this module that imports
// benbjohnson/clock.
//
//	v := clock.NewVirtual()
//	s := NewSession(benclock.New(v))       // takes a benbjohnson Clock
//	v.CallLater(20*time.Minute, s.Touch)   // the same time
//	v.Advance(40 * time.Minute)            // moves both
//
// A reactor on v has that time, too.
//
// The other direction, an application that has such a clock and wants a
// reactor, is [clock.From]. For a clock made by New, From returns the Virtual.
//
// # What runs on the Virtual
//
// Now, Since, Until, Sleep, After, Tick, WithTimeout and WithDeadline are
// events of the Virtual, or ask it: they cost nanoseconds. Sleep(d) and
// After(d) with d <= 0 are over at once, and Tick(d) then is nil, as in
// package time. The contexts are those of [clock.WithDeadline]: they end
// within Advance, without a goroutine.
//
// # What needs a Mock
//
// A Timer, a Ticker and what AfterFunc returns are structs of benbjohnson/clock
// that only its Mock can make. So there is a Mock inside, made with the first
// of them, and it follows the Virtual: whenever virtual time has moved, and
// before any event of the new time runs, the Mock is set to that time. Each
// such timer is an event of the Virtual, so time stops where it is due:
//
//   - Timers fire in step with the Virtual's own events. At the same instant
//     the timers of this clock come first.
//   - A timer with d <= 0 fires in the next turn of this instant. A Ticker
//     with d <= 0 panics.
//   - A Timer's channel keeps the first of two values that nobody fetched. Set
//     up by a Mock directly, a Timer that is Reset without having been drained
//     hangs the Mock for good.
//
// The Mock sleeps for a real millisecond whenever it is set, and for another
// one for each timer that fires, inside and outside of Advance. That is paid
// for each step of virtual time from when the first such timer is made until
// all of them have been garbage collected, which those that a Mock still has
// armed never are; before and afterwards nothing is. In a bubble of
// testing/synctest these sleeps take no real time.
//
// # Goroutines
//
// A benbjohnson Clock is for code with goroutines, and nothing tells the
// Virtual when those have done what a timer made them do. As the Mock does, it
// leaves them the millisecond after a timer, Ticker or AfterFunc has fired,
// and none after a Sleep, an After, a Tick or a context. So a test whose
// goroutines wait again and again moves time from one wait to the next, and
// lets them run in between: best in a bubble, where synctest.Wait does that
// without a guess.
//
// Sleep, and receiving from a channel of this clock, block the goroutine that
// does it until another one drives. They must not be used by functions that
// the Virtual or a reactor on it runs.
//
// # Limits
//
// Stop and Reset are methods of benbjohnson's structs, and nothing tells the
// Virtual of them. Stop works, but:
//
//   - The event of a timer that was stopped or Reset stays on the Virtual,
//     where Pending counts it and Run moves to it, and does nothing. A stopped
//     Ticker leaves one such event.
//   - A Timer or Ticker that was Reset fires at the right place among the
//     Virtual's events, but is no event itself: it fires when time moves past
//     it, so to a later event or to the end of an Advance. Then the clock of
//     this package, and the value in the channel, tell when it was due; the
//     Virtual already tells the time to which it moves. If that is the end of
//     an Advance, what the timer's function schedules or posts runs in the
//     next drive: Advance(0) will do. Run and Step do not wait for it.
//   - Reset with d <= 0 fires when time moves next.
//   - A drive that waits for a Hold to be released keeps a processor busy, and
//     does not log that it has waited long.
//   - Ticker.Reset with d <= 0 hangs the next drive. It panics in package
//     time.
//
// To cancel and arm anew is exact: stop the timer and make another one.
//
// The rest of the Mock's habits stay: each function given to AfterFunc runs on
// a goroutine of its own, several that are due at one instant in any order,
// and the race detector knows of no order between one of them and what
// follows Advance. For an order that can be relied on, use the Virtual, or a
// reactor on it.
package benclock
