// Package futuretest makes tests of code that uses package future
// deterministic, and finds what they leave behind.
//
//	func TestFirst(t *testing.T) {
//		r, clk := futuretest.New(t)
//		d := future.After(r, 30*24*time.Hour, "paid")
//		clk.Advance(30 * 24 * time.Hour)
//		futuretest.Equal(t, d, "paid")
//	}
//
// [New] gives a reactor on a virtual clock. The test gives the reactor to the
// code under test, wherever that takes a clock or an executor, and turns the
// clock: everything runs on the test's own goroutine, inside Advance, in one
// order, and no real time passes. The checks [Success], [Failure], [Pending] and
// [Equal] first run what is ready at this instant, so a test need not; called while
// the clock is being driven, in a callback say, they look at what is there.
//
// # What is left behind
//
// When the test ends, the reactor stops, and the test fails for each of these,
// with the file and line where it was made:
//
//   - a Deferred that has not settled, that of a coroutine among them, and the
//     ones that wait for it left out
//   - a delayed call that has not run, a post, a worker
//   - a failure that nobody handled, unless it is a cancellation or was taken
//     with [Unhandled] or, if it is of a certain kind, with [UnhandledAs]; the
//     report tells where its Deferred was made and first settled, too
//   - a panic or a runtime.Goexit in a function that was posted or called later
//
// Only what is bound to the reactor is seen: a Deferred made with future.New
// without an executor is not.
//
// A test that waits for something which never comes tells what that is if it has
// a time limit: [Limit] fails it, with the same list, as soon as virtual time
// would pass that.
//
// Only the test's own goroutine turns the clock: it must not Await what takes
// time, for nobody would turn it then. It calls Advance, and then a check.
//
// # Code that blocks
//
// Functions that block run on workers (future.GoOn). Virtual time stands still
// while one of them works, and goes on when it has returned or waits in Await
// with its own context. One worker runs at a time, in the order in which they
// became ready, so such tests are reproducible too. A fake that is to hang must
// hang in Await, with the context that it was given:
//
//	never, _ := future.New[int]()
//	return never.Await(ctx)
//
// One that blocks elsewhere, even with <-ctx.Done(), holds the time that is to
// end it; after two real seconds that is logged. A goroutine of the test's
// own that is to settle something holds the time with clk.Hold.
//
// # Failing in callbacks
//
// t.Errorf may be called anywhere. t.FailNow and t.Fatalf work in callbacks and
// coroutines of the reactor too, because these run on the test's goroutine. In
// code that runs elsewhere, on a worker say, they end that and fail the test.
// A property of pgregory.net/rapid that fails or rejects its input inside a
// callback shrinks as usual.
package futuretest
