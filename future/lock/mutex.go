package lock

import "github.com/deferred-go/deferred/future"

// A Mutex is a lock that one holds at a time. The zero Mutex is unlocked. It
// must not be copied. All methods may be called from any goroutine, and none of
// them waits.
//
// It is not re-entrant: a holder that acquires it again, and needs that to go
// on, waits for ever.
type Mutex struct{ p permits }

// Acquire returns a Deferred of a [Lease] on the mutex, with inline callbacks.
// It has succeeded already if the mutex is unlocked; otherwise it succeeds
// within the Release that makes its turn come, first come, first served.
//
// A Cancel of a pending one leaves the line and takes nothing. One that comes
// after the lease was granted does not take it back: see the package
// documentation, also for how to bound the wait.
func (m *Mutex) Acquire() *future.Deferred[Lease] { return m.p.acquire(1) }

// TryAcquire returns a lease if the mutex is unlocked and nobody waits for it.
func (m *Mutex) TryAcquire() (Lease, bool) { return m.p.tryAcquire(1) }
