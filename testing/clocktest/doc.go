// Package clocktest checks implementations of [clock.Clock]: a clock of your
// own, over a foreign loop, a simulator or a device, against the rules that
// the rest of the module builds on.
//
//	func TestMyClock(t *testing.T) {
//		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
//			c := myclock.New()
//			return c, c.Advance
//		})
//	}
//
// Each case gets a new clock and checks one rule. A case that fails says what
// it saw, the rule, and the file and line in this package where it looked, so
// that the case can be read.
//
// # Letting time pass
//
// With the clock comes a function that lets time pass and returns when all that
// has become due has run, to its end. A clock that is driven, as a
// [clock.Virtual], has such a method. One that is not, because it goes by the
// real clock or calls functions on goroutines, is checked in a bubble of
// testing/synctest, where no real time passes either:
//
//	synctest.Test(t, func(t *testing.T) {
//		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
//			return myclock.New(), func(d time.Duration) {
//				time.Sleep(d)
//				synctest.Wait()
//			}
//		}, clocktest.Without("ties", "each function has a goroutine of its own"))
//	})
//
// Goroutines of the clock must end with the test; t.Cleanup is the place. Run
// starts no subtests, because there can be none in a bubble.
//
// # The cases
//
// Of CallLater and Now:
//
//	later             CallLater and Reset never call the function themselves
//	once              a function is called once
//	early             not before its delay has passed
//	zero              a delay below 0 counts as 0
//	order             in order of due times
//	now               Now in a function is not before its due time
//	exact             Now in a function is its due time
//	monotone          Now never goes back
//	far               the longest Duration is far away
//	nil               CallLater(d, nil) panics
//
// Of Timer:
//
//	stop              what Stop returns, and prevents
//	reset/pending     Reset returns true, and moves the call
//	reset/fired       Reset returns false, and the function is called again
//	reset/stopped     Reset returns false, and the function is called after all
//	reset/zero        a delay below 0 counts as 0
//
// Of both, from inside a function that the clock calls:
//
//	inside/calllater  a function may call CallLater
//	inside/stop       and stop other timers and its own
//	inside/reset      and Reset its own
//
// Of functions that are due at one instant:
//
//	ties/order        they are called in the order of CallLater
//	ties/reset        a Reset is a new call of CallLater
//	ties/stop         the first may stop the others
//	ties/zero         what they schedule with no delay comes after them
//
// And of crowds:
//
//	many              a thousand timers
//	goroutines        several goroutines use the clock
//	moving            and time passes meanwhile
//
// # Clocks that promise less
//
// All cases hold for a [clock.Virtual] and for a reactor, on whichever clock
// that is. Others promise less, and [Without] leaves a case or a group out; the
// log of the test then has the rule and the reason:
//
//   - [clock.System] starts a goroutine for each function: without "ties". In
//     a bubble it passes the rest. Where real time passes Run is of no use.
//   - A Mock of github.com/benbjohnson/clock, by [clock.From], passes in a
//     bubble without "ties", and without "moving": its Stop may return true
//     for a function that it calls all the same.
//
// # What is not checked
//
// That functions do not overlap, and that there are no data races, except by
// what goes wrong because of them: run the test with -race too. That Now keeps
// pace with the world. What happens when a function panics. A clock that hangs
// is ended by go test's -timeout, whose stacks name the case.
package clocktest
