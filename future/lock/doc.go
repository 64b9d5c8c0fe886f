// Package lock has what is waited for and handed from one to the next: a [Mutex],
// a [Semaphore] with weights, a [Queue] of values, and a lock in the file system
// that processes share, a [File].
//
//	var m lock.Mutex
//	total := lock.Run(m.Acquire(), func() *future.Deferred[int] {
//		return future.ThenFlat(load(), save)
//	})
//
// These are for work that goes on after a function has returned, in callbacks
// and in coroutines. What a single function does between two lines needs a
// sync.Mutex only, and callbacks of one reactor need none at all as long as they
// do not wait in between.
//
// # Leases
//
// Acquire returns a Deferred of a [Lease]. Who has the lease holds the lock until
// Release, wherever that is called: there is no owner but the lease. Each is
// released once, or Release panics. [Run] does all of it around a function that
// returns a Deferred, and loses no lease, whatever that function does. In a
// coroutine, or on a goroutine, the same is written in straight lines:
//
//	lease, err := lock.Await(ctx, m.Acquire())
//	if err != nil {
//		return err
//	}
//	defer lease.Release()
//
// No lock of this package is re-entrant. A holder that acquires again waits for
// what it holds itself, and two that acquire two locks in different order may
// wait for one another, for ever; nothing detects that. Acquire several locks in
// one order, a Run within a Run, or several permits of a Semaphore in one call.
// Do not gather Acquires with All or Race: when one of them fails, the leases of
// the others are lost.
//
// # The order
//
// All is first come, first served, and nobody overtakes. A permit or a value
// that becomes free goes straight to who has waited longest: there is no moment
// in which somebody else could take it, and TryAcquire and TryPut do not either
// while others wait. Who needs many permits and is first in line holds back all
// behind it, also those who need few, and so gets its turn. The price is that
// some permits may lie idle meanwhile.
//
// # Where callbacks run
//
// The Deferreds of this package are inline: their callbacks run within the call
// that hands over, that is within Release, Put, TryPut, Get, Drain and Close, and
// within the Cancel of a wait that others have waited behind. Take the Deferred
// to a reactor with On, or Await it, to have them elsewhere:
//
//	lock.Run(m.Acquire().On(r), update)
//
// Handing over is a loop, of which each lock and each queue runs one at a time. A
// Release within one of its callbacks only notes the permit, and the loop goes on
// with that when the callback has returned; so it does with what another
// goroutine releases meanwhile, whose Release returns at once. The same holds for
// a queue: a Put in the callback of a Get serves the next Get after that callback,
// before the Put that began it returns. A [Run] whose function has ended within
// the loop settles its result when those behind it have been served. So a million waiters, each of which
// releases in its callback, need no more stack than two. On the other hand a
// callback that takes long holds up the hand-overs of its lock, and a goroutine
// may serve for a while what others release: long work belongs on a reactor, a
// coroutine or a goroutine.
//
// What needs no hand-over does not wait for that loop: acquiring what is free, and
// getting what is stored.
//
// A callback that panics fails its own Deferred, and one that calls runtime.Goexit
// ends the goroutine; the others are served all the same. Who panics with a lease
// keeps it, unless it was Run, or a defer, that was to release it.
//
// # Cancellation
//
// A Cancel of what waits takes it out of the line, and those behind it move up.
// Such a one never holds anything. The moment of the grant decides: a cancel that
// comes later, be it before the callbacks have run, does not take the lease or the
// value away. They are called with it, and the cancel goes to what they return. So
// none is lost between the two, as long as there is a callback: a value of a
// Deferred to which nothing is attached, or which only branches read that have left
// it, is nobody's.
//
// For the same reason d.Await(ctx) is to be avoided where ctx can end: it gives up
// without a cancel, and what it has waited for is granted some day to nobody.
// [Await] does not. To bound a wait by time, put a Timeout behind it, and what is
// to be done after that:
//
//	lock.Run(m.Acquire().Timeout(clk, time.Second), update)
//
// Then the Timeout is for the wait only. One behind Run would be for both.
//
// A reactor that stops does not call the callbacks that are queued on it. Run
// releases their leases; of those that a callback was to release itself it cannot
// know.
//
// # Files
//
// A [File] is a Mutex of all processes that name the same file, and made like one
// on the outside: what is said here of leases, order, callbacks and cancels holds
// for those who wait on one File. Between processes there is no order, and nobody
// is told when the lock is free again: the first in line asks for it from time to
// time, on the clock that NewFile was given. The system frees the lock of a process
// that ends, however it does.
//
// # Costs
//
// A wait, the hand-over and the Release allocate the Deferred, of 80 bytes, and
// nothing else while the number of those who wait swings by no more than 64;
// TryAcquire allocates nothing. They take about as long as two callbacks of a
// chain. A Cancel takes constant time. An idle lock keeps up to 64 places of those
// who have waited.
package lock
