// Package future has typed futures: a [Deferred] is a value of type T that will
// be there, or an error. It works without any setting up, in a plain program
// with goroutines, and on an event loop (package reactor) whose clock is
// injected, so that in a test time is virtual and every run is the same.
//
//	user := future.Go(ctx, getUser)
//	orders := future.Go(ctx, getOrders)
//	page, err := future.Join2(user, orders, newPage).Await(ctx)
//
// This page is the manual. It uses one term with a meaning of its own: to
// settle is to succeed with a value or to fail with an error, and happens to a
// Deferred once.
//
// # Making one
//
// [New] returns a pending Deferred and its write side, the [Resolver]. [Succeed],
// [Fail] and [Settle] return settled ones. [After] is a timer, [Go] and [GoOn]
// run a function on a goroutine or a worker, [Async] and [AsyncOn] run one as a
// coroutine. All the functions that these run have the type
//
//	func(ctx context.Context) (T, error)
//
// so the same one serves in each of them, and as an ordinary function.
//
// # Chaining
//
// [Then] calls a function with the value, [Deferred.Catch] with the error,
// [Handle] with either; each returns a new Deferred of what the function
// returned. [ThenFlat] and [Deferred.CatchFlat] are for functions that return a
// Deferred: the result settles as that does. [Deferred.Finally] is for
// clean-up. Whatever a callback does not handle passes on unchanged: a value
// past Catch, an error past Then. [Deferred.Hold] holds an outcome back until it
// is released. On Go 1.27 the functions are methods too: d.Then(f).
//
// Any number of callbacks may be attached to one Deferred, before or after it
// settles. Each is called exactly once, sees the same outcome, and starts no
// sooner than those attached before it.
//
// # Where callbacks run
//
// Each Deferred has an executor, which all that is derived from it inherits.
//
// Inline is the default. Callbacks run synchronously: inside the call that
// settles the Deferred, on the goroutine that makes it, or, if the Deferred has
// settled, inside the call that attaches them. The order is depth first: what
// hangs on a callback's Deferred runs before the next callback of the source.
// A callback that is attached while earlier ones of the same Deferred have still
// to run waits for its turn, and runs where they do. When several goroutines
// settle and attach, callbacks of one Deferred may run on more than one of them
// at a time.
//
// With an [Executor], such as a *reactor.Reactor, callbacks run on its loop
// only: one at a time, first in, first out in the order in which they became
// runnable, never inside the call that settles or attaches. So state that only
// callbacks touch needs no lock. Everything made by [NewOn], [AsyncOn] and
// [GoOn], and by [After] on a reactor, is bound to it; [Deferred.On] takes any
// other result there. Passing an outcome on, past callbacks that do not handle
// it or through a gather, is no step of the loop; so of two chains that start
// together the one with fewer callbacks to run is through first.
//
// No lock is held while a callback or a canceller runs: it may use every
// Deferred, also its own. Chains, flattening and gathering are run by a loop,
// not by recursion: a chain of a million callbacks needs no more stack than one
// of two. A settle that a callback makes itself nests, as any call does.
//
// # Gathering
//
// [All] waits for all values, [AllSettled] for all outcomes, [Any] for the first
// success, [Race] for the first outcome; [Join2] and [Join3] gather different
// types; [MapN] starts work with a bound on how much runs at a time;
// [AsCompleted] ranges over outcomes as they come. Inputs that have lost are
// canceled before the result settles.
//
// What many share, and wait for, is in package lock; what happens again and
// again in package task.
//
// # Cancellation
//
// [Deferred.Cancel] asks, with a cause. The request goes upstream to what is
// pending at the root, or into the Deferred that a callback returned, and only
// through sources that have no other consumer: a branch that cancels does no
// harm to its siblings. [Deferred.Shield] stops it. The root's canceller
// ([Resolver.OnCancel]) may settle it with anything; if it does not, it fails
// with an error that matches [ErrCanceled], context.Canceled and the cause, and
// the callbacks see that failure like any other. Late settles are refused
// quietly.
//
// What a cancel does to a function that runs:
//
//	              its Deferred settles         what it awaits          its context
//	Go, GoOn      at once, as canceled         canceled, if no other   ends
//	Async…        when it returns, with what   canceled, if no other   ends
//	              it returns
//	not started   Go, GoOn: it never runs; AsyncOn: it runs, with an ended context
//
// First the cancel goes to what the function awaits, and if that settles at
// once, Await returns its outcome; then the context ends, and an Await that
// still waits with it gives up. The end of the context that was given to Go,
// GoOn, Async or AsyncOn only ends the function's context: the function decides.
//
// [Deferred.Timeout] cancels when its time is up and turns the cancellation
// into an error that matches context.DeadlineExceeded. One Timeout at the root
// of a tree of gathers and chains cancels all its leaves.
//
// # Waiting
//
// [Deferred.Await] waits, in whatever way its caller can: a goroutine parks, a
// coroutine suspends, a worker lets virtual time go on. The context says which
// coroutine or worker is meant; there is no other handle. A callback on a
// reactor must not wait: Await panics there and names the remedy.
// [Deferred.Result] and [Deferred.Done] are for those who only look, or select.
//
// Awaiting a settled Deferred costs some nanoseconds, never switches, and is
// allowed everywhere. A loop over many Deferreds, settled or not, is an ordinary
// for loop in a coroutine.
//
// A coroutine's context must be used by that coroutine and by what it calls.
// Another goroutine that was given it parks as a goroutine. What is not detected:
// a coroutine that waits with the context of a coroutine of another loop at the
// very moment when both run, or that was resumed inline within the other; and
// two workers on a real clock that wait with each other's context.
//
// # Time
//
// Whatever takes time is given a clock: [After], [Deferred.Timeout], and the
// reactor that the rest is bound to. On clock.System that is the real one. A
// clock.Virtual moves only when a test advances it, and runs what is due within
// that call, in one order: by due time, then as it was scheduled; then what that
// has queued on reactors; then time moves on. Now is, while a callback runs, the
// time for which it was due. What blocks on a worker holds virtual time until it
// returns or waits in Await. Package clock has the rules.
//
// # Testing
//
// A test makes its reactor with package futuretest, starts what it tests,
// advances the clock and looks at the outcome:
//
//	r, clk := futuretest.New(t)
//	d := future.After(r, 30*24*time.Hour, "paid")
//	clk.Advance(30 * 24 * time.Hour)
//	futuretest.Equal(t, d, "paid")
//
// The test's own goroutine turns the clock, so it does not Await what takes
// time. Fakes of what blocks are functions for GoOn that wait in Await, for an
// After or for a Deferred which the test settles. At its end the test fails for
// what is left behind: a Deferred that has not settled, a timer, a worker, a
// coroutine, a failure that nobody took, each with the line where it was made.
// Such a test runs the same each time, and under a property tester too. Inline
// Deferreds need no reactor: there the test settles, and all that hangs on that
// has run when Succeed returns. In a bubble of testing/synctest, a reactor on
// clock.System runs on the bubble's time.
//
// # Failures
//
// An error that a callback returned comes out of Catch and Await as it is. A
// panic becomes a *failure.Failure with its stack; it never ends the loop and
// never keeps other callbacks from running. runtime.Goexit, and so t.FailNow,
// ends the goroutine, as it must; the Deferred fails and the other callbacks
// still run, on a reactor on a fresh goroutine. A panic by which a
// pgregory.net/rapid property steers its search passes through.
//
// A failure that nobody took, neither a callback nor an Await nor a Result, is
// reported once, with where it settled or the sites of the callbacks that it came
// through: by the reactor's logger or, inline, by slog.Default, when the last
// Deferred that carries it has been garbage collected. That is no promise for the
// last moments of a process. In a test with package futuretest, it fails the test at its end,
// without luck. Whoever has attached, awaited or gathered a Deferred has taken
// its outcome, also if they left before it failed. A cancellation, and what a
// stopped reactor leaves undone, is no failure to report: it was asked for; an
// error that joins a cancellation with another one is. What a function returns
// whose Deferred was canceled is dropped; a panic in it is reported all the same.
//
// # What is not seen
//
// A Resolver that is dropped leaves its Deferred pending, and those that wait
// for it waiting: outside of futuretest, nothing can tell. Coroutines and
// goroutines are held by what they wait for until their context ends.
package future
