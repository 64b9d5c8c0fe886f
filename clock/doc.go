// Package clock has time as a value: code that is given a [Clock] runs on the
// real one in production, and in a test on one that the test moves.
//
//	func remind(c clock.Clock, say func(string)) clock.Timer {
//		return c.CallLater(30*24*time.Hour, func() { say("renew") })
//	}
//
//	remind(clock.System(), log.Print) // in thirty days
//
//	v := clock.NewVirtual() // in a test
//	remind(v, t.Log)
//	v.Advance(30 * 24 * time.Hour) // now
//
// A Clock has two methods, Now and CallLater. All else that has to do with
// time is made of them: package reactor runs functions on a loop, package
// future has After, Timeout and what waits.
//
// # The clocks
//
//   - [System] is the real clock. Inside a bubble of testing/synctest it is the
//     bubble's, so everything works there too.
//   - [NewVirtual] makes a [Virtual], which moves only when it is told to.
//   - [From] adapts a clock that an application has already, such as a
//     github.com/benbjohnson/clock Mock.
//   - A reactor is a Clock that calls on its loop.
//
// # Virtual time
//
// A Virtual is driven: Advance, AdvanceTo, Step and Run call, on the goroutine
// of their caller, what is due, one function after the other. No goroutine is
// started, no real time passes, and the same program has the same order of
// events each time. While a function runs, Now is the time for which it was
// due, however far the drive goes.
//
// The order, which reactors on the Virtual share, is this:
//
//  1. Time moves to the earliest time for which something is due. What is
//     due then runs, in the order in which it was scheduled.
//  2. What these functions post to reactors runs, first in, first out, and
//     what that posts in turn. A call with no delay counts as posted at the end
//     of the function that makes it.
//  3. When nothing is left to do at this instant, time moves on.
//
// Between any two functions, work that blocks has its turn: the workers of all
// reactors on a Virtual run one at a time, in the order in which they became ready,
// and each until it returns or waits in Await; what it has called with no delay is
// then posted. Time stands still meanwhile. When all workers have returned or wait,
// what those that returned have to deliver is posted, in the order in which they were
// submitted. A goroutine that the Virtual does not know of is taken into account with
// [Virtual.Hold].
//
// If a drive has waited for 2 real seconds, for a worker that neither returns nor
// waits in Await or for a Hold, it says in the log what it waits for. From then on
// other workers run beside that one, and the order is not reproducible.
//
// # Contexts
//
// The deadlines of package context are real. [WithTimeout] and [WithDeadline]
// make contexts whose deadline is on a Clock.
//
// # Endless programs
//
// A function that schedules itself again at the same instant, or a periodic
// timer under Run, would keep a drive from returning. A drive that has run
// 20,000,000 functions panics, and lists what is scheduled; see [Limit].
package clock
