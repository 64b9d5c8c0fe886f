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
//	lease, err := m.Acquire().Await(ctx)
//	if err != nil {
//		return err
//	}
//	defer lease.Release()
//
// No lock of this package is re-entrant. A holder that acquires again waits for
// what it holds itself, and two that acquire two locks in different order may
// wait for one another, for ever; nothing detects that. Acquire several locks in
// one order, a Run within a Run, or several permits of a Semaphore in one call.
//
// Acquire within the function that releases: a lease which is the result of a
// coroutine, or of a Go that was canceled, may be nobody's. In a task of a Cooperator
// yield a Run, or look at the Deferred also if yield has returned false. Do not gather
// Acquires or Gets, with All, Any, Race, AsCompleted or Join2: of those that have come
// when the gather fails, or has its first, the leases and values are lost. To take
// from the first of two queues, let both be fed into one.
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
// within the Cancel of a wait that others have waited behind, by whatever that comes:
// a Timeout, or an Await that gives up. Take the Deferred to a reactor with On, or
// Await it, to have them elsewhere:
//
//	lock.Run(m.Acquire().On(r), update)
//
// Handing over is a loop, of which each lock and each queue runs one at a time. A
// Release within one of its callbacks only notes the permit, and the loop goes on
// with that when the callback has returned; so it does with what another
// goroutine releases meanwhile, whose Release returns at once. The same holds for
// a queue: a Put in the callback of a Get serves the next Get after that callback,
// before the Put that began it returns. A [Run] whose function has ended within
// the loop settles its result when those behind it have been served; of several such
// ones the last is the first. So a million waiters, each of which
// releases in its callback, need no more stack than two. On the other hand a
// callback that takes long holds up the hand-overs of its lock, one that blocks until
// the same lock is handed to it waits for ever, and a goroutine may serve for a while
// what others release: long work belongs on a reactor, a coroutine or a goroutine.
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
// value away. They are called with it, and the cancel goes to what they return. That
// holds for callbacks of the Deferred itself and of what just passes its value on:
// On, Catch, Timeout, WithContext, Hold, Follow, a ThenFlat or a Run that returned it;
// and Finally, but a cancel that finds its function queued or running ends there. What
// a Then makes of a lease, and be it the same one, is a value like any other. And
// there has to be a callback: a lease of a Deferred to which nothing is attached,
// behind a Shield that was let go, or that only branches read which have left it, is
// nobody's. So, after a select over Done that was lost, look at what Cancel returns: if
// that is false, the lease may be there, in Result.
//
// To bound a wait by time, put a Timeout behind it, and what is to be done after
// that:
//
//	lock.Run(m.Acquire().Timeout(clk, time.Second), update)
//
// Then the Timeout is for the wait only. One behind Run would be for both. A context
// bounds an Await: m.Acquire().Await(ctx), q.Get().Await(ctx) and q.Put(v).Await(ctx)
// leave the line when they give up, unless others are interested in that Deferred. A
// lease or a value that is on its way to such a one goes back, and a value is the
// next to be got, unless that Deferred or one before it has another reader, which may
// have a use for it. (Who looks only later at a Deferred on the way, with Result or a
// new callback, may see a lease or a value that has gone back.) A Put cannot be taken
// back: q.Put(v).Await(ctx) succeeds if v has been put; one with others in between may
// give up just then. A Run is not ended with an Await of it:
// lock.Run(m.Acquire(), f).Await(ctx) gives up, and f runs when its turn comes. Write
// lock.Run(m.Acquire().WithContext(ctx), f) to bound the wait, or put WithContext
// behind Run for both.
//
// A reactor that stops does not call the callbacks that are on it. What they would
// have been given goes back, at once or when their turn comes, unless others have got
// it, too; so does the lease of a Run, and what a Finally would have passed on whose
// function fails. Waits of which a Timeout, an Await or a Done is on it leave the line.
//
// Package futuretest sees who waits, and a coroutine that has not ended, if these are
// on the reactor of the test. A lease that was never released it does not see, only
// those who wait for it.
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
// who have waited. A Run costs a dozen objects of some 600 bytes in all.
package lock
