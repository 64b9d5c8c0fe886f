// Package reactor has the loop on which callbacks run: one at a time, in order,
// on one goroutine, so that what only they touch needs no lock.
//
//	r := reactor.New(clock.System())
//	r.CallLater(time.Millisecond, func() {
//		fmt.Println("later")
//		r.Stop()
//	})
//	r.Post(func() { fmt.Println("first") })
//	fmt.Println(r.Run(context.Background()))
//
// Run returns when Stop is called or when its context ends.
//
// A [Reactor] is an Executor of package future: Deferreds that are made on it
// have their callbacks there. It is a clock.Clock, too.
//
// # What runs when
//
// Any goroutine may call Post, CallLater and Go; the functions given to them run
// on the loop only, never within the call. They run in the order in which they
// became runnable: a posted function at once, a delayed call when it is due,
// those that are due together by time and then in the order of the calls. A
// call with no delay becomes runnable at the end of the function that makes
// it, after what that posts. Posts of one goroutine keep its order; between
// goroutines it is that in which they came.
//
// A function that blocks stops the loop. What blocks belongs into a job of
// [Reactor.Go], or of future.GoOn: these run on workers.
//
// # On the real clock
//
// [Reactor.Run] is the loop. What is posted or scheduled before is kept until
// then. The loop arms one timer of its clock, for what is due next, and takes
// new posts and due calls at least every 64 functions, so neither can starve the
// other. The same holds for clocks made with clock.From; as those may jump, Now
// is the due time within a delayed call there, and what is due at different
// times is not mixed.
//
// # On a virtual clock
//
// A reactor on a clock.Virtual has no goroutine. Advance runs its functions, in
// one order with those of all reactors on that clock; see package clock.
// Workers run one at a time, and hold time while they run.
//
// # Failures
//
// A function that panics does not end the loop: the panic goes to the [Logger],
// as a failure.Failure with its stack. So does runtime.Goexit, which ends the
// goroutine: Run does not return to its caller then, and the loop goes on on
// another goroutine; on a Virtual it is the goroutine that drives which ends.
// Panics by which pgregory.net/rapid steers a test pass through.
//
// # The end
//
// [Reactor.Stop], or the end of Run's context, lets the function that runs
// finish, and nothing else start. What was due is named in the log, in one line.
// Then those that wait on the loop are told, in order, with [ErrStopped]. What
// comes later does not run, and is logged once. Jobs that run go on; the
// log names those that still do a second later.
package reactor
