// Package task has what happens over time, on the clock or the loop that it is
// given: a function that is called at regular times, long work that shares a
// loop, and a program from its start to its exit status.
//
// # Looping
//
// A [Loop] calls a function again and again:
//
//	beat := task.NewLoop(clk, func(int) error {
//		fmt.Println("alive at", clk.Now().Sub(start))
//		return nil
//	})
//	ended := beat.Start(10 * time.Second)
//
// The calls are made on a grid: at the start, and whole intervals after it. A
// call that took long, or a clock that was late, does not move the grid, and
// what was missed is not made up for: the next call is made at the first grid
// point to come, and is told how many points there have been since the last one.
//
// [NewLoopFlat] is for functions that return a Deferred. While that is pending,
// no other call is made; so a poll that takes longer than its interval never
// meets itself.
//
// The Deferred that Start returns says how it ended. A function that fails ends
// its loop. Stop ends it and lets the call in progress finish, be it a function
// that runs or a Deferred that is pending; the Deferred of Start settles after
// that. A Cancel of that Deferred ends the loop too, and cancels the call in
// progress. Stop and Start again, at any time, begin another run, which has
// nothing to do with the one before.
//
// On a reactor the function is called on its loop, each call as a step of its
// own. On another clock it is called where that calls, and for the first time
// within Start. With an interval of 0 it is called once a turn of the reactor,
// so that timers and posts have theirs; on a virtual clock, whose time waits for
// what is to be done, such a loop has to be stopped before time can go on.
//
// A call that is made once, and later, needs no name of its own:
//
//	later := future.Then(future.After(clk, time.Minute, "tea"), pour)
//
// A Cancel stops its timer, and goes to what the function has returned if that
// is a Deferred (ThenFlat).
//
// # Long work on a loop
//
// A function on a loop holds up all others until it returns. [Cooperate] takes
// long work in units, as an iterator: after each value that this yields, others
// have their turn.
//
//	index := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[string]) bool) {
//		for i := range pages {
//			indexed++ // the work
//			var written *future.Deferred[string]
//			if i%3 == 2 {
//				written = future.After(r, 15*time.Millisecond, "written")
//			}
//			if !yield(written) {
//				return
//			}
//		}
//	})
//
// The tasks of one [Cooperator] have their turns one after the other, in slices
// of the loop's time; between two slices timers and posts have theirs. A task
// that yields a Deferred waits for it; one that is paused ([Task.Pause]) or waits
// costs nothing. [Task.Stop] and [Cooperator.Stop] end tasks with [ErrStopped],
// also while they wait or are paused: yield then returns false, so that the
// iterator cleans up, and [Task.WhenDone] fails after that.
//
// On a clock.Virtual the units take no time themselves; but a slice that has
// used up its [Units] takes the time of a [Slice], so that a test with a task
// that never ends gets on.
//
// Work that blocks, or that may use another processor, is for a worker
// (future.GoOn). Work that mostly waits is easier as a coroutine
// (future.AsyncOn): an iterator yields what a coroutine would Await, but it has
// no value from that, only the end of the wait. A task is for work that
// computes, on state of the loop.
//
// # A program
//
// [Main] is func main of a program on a reactor: it runs a function as a
// coroutine, cancels it at the first SIGINT or SIGTERM, waits for its clean-up,
// and returns the exit status. A function that has told the user what is wrong
// returns an [ExitCode]. In tests run the function itself, with future.AsyncOn
// on the reactor of package futuretest: to be canceled by a signal is to have
// that Deferred canceled. The example program shutdown does so.
package task
