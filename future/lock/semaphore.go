package lock

import (
	"strconv"

	"github.com/deferred-go/deferred/future"
)

// A Semaphore has a number of permits, which its holders share. Each Acquire
// says how many it needs, so a semaphore bounds what runs at a time, by number
// or by weight.
//
// Permits are granted first come, first served: one who needs many and waits
// at the head of the line holds back those behind it, however few they need, and
// so gets them in the end. Make one with [NewSemaphore]; the zero Semaphore has
// one permit. It must not be copied. All methods may be called from any
// goroutine, and none of them waits.
type Semaphore struct{ p permits }

// NewSemaphore returns a Semaphore of n permits. It panics if n < 1.
func NewSemaphore(n int) *Semaphore {
	if n < 1 {
		panic("lock: NewSemaphore(" + strconv.Itoa(n) + "): without a permit nothing could ever be acquired: give it at least one")
	}
	s := new(Semaphore)
	s.p.more = n - 1
	return s
}

// Acquire returns a Deferred of a [Lease] on n permits, with inline callbacks.
// It has succeeded already if that many are free and nobody waits; otherwise it
// succeeds within the Release, or the Cancel of one ahead of it, that makes its
// turn come.
//
// A Cancel of a pending one leaves the line and takes nothing. One that comes
// after the lease was granted does not take it back: see the package
// documentation, also for how to bound the wait. Acquire panics if n < 1, and
// if n is more than the semaphore has.
func (s *Semaphore) Acquire(n int) *future.Deferred[Lease] {
	s.mustFit("Acquire", n)
	return s.p.acquire(n)
}

// TryAcquire returns a lease on n permits if they can be had at once, without
// overtaking anybody: while somebody waits it reports false, even if n are free.
// It panics as [Semaphore.Acquire] does.
func (s *Semaphore) TryAcquire(n int) (Lease, bool) {
	s.mustFit("TryAcquire", n)
	return s.p.tryAcquire(n)
}

// Free returns how many permits nobody holds. Some may be free while others
// wait, for more than that.
func (s *Semaphore) Free() int {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.free()
}

func (s *Semaphore) mustFit(verb string, n int) {
	switch all := s.p.more + 1; {
	case n < 1:
		panic("lock: " + verb + "(" + strconv.Itoa(n) + "): there is nothing to hold: ask for at least one permit")
	case n > all:
		panic("lock: " + verb + "(" + strconv.Itoa(n) + "): the semaphore has " + strconv.Itoa(all) + " in all, so this could never be granted: ask for less, or make it larger")
	}
}

// permits are what a Semaphore and a Mutex are made of. The zero value has one.
type permits struct {
	desk
	more   int // how many there are, beyond the first
	taken  int
	line   line[Lease, int]
	spare  *hold
	spares int
}

func (p *permits) free() int { return p.more + 1 - p.taken }

func (p *permits) acquire(n int) *future.Deferred[Lease] {
	p.mu.Lock()
	if p.barred(n) {
		defer p.mu.Unlock()
		return p.line.join(p, careOfLeases, n)
	}
	lease := p.grant(n)
	p.mu.Unlock()
	return now(careOfLeases, lease)
}

func (p *permits) tryAcquire(n int) (Lease, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.barred(n) {
		return Lease{}, false
	}
	return p.grant(n), true
}

// barred reports whether one who comes now and needs n has to wait.
func (p *permits) barred(n int) bool { return p.line.n > 0 || p.free() < n }

// grant returns a lease on n permits, which are free.
func (p *permits) grant(n int) Lease {
	p.taken += n
	h := p.spare
	if h == nil {
		h = &hold{by: p}
	} else {
		p.spare, h.next = h.next, nil
		p.spares--
	}
	h.n = n
	return h.lease()
}

// takeBack takes the permits of a lease that was released.
func (p *permits) takeBack(h *hold, then func()) {
	p.mu.Lock()
	p.taken -= h.n
	if p.spares < maxSpare {
		h.next, p.spare = p.spare, h
		p.spares++
	}
	serve(p, then)
}

// next grants the first in line what it waits for, if that is free.
func (p *permits) next() decided {
	w := p.line.first()
	if w == nil || w.with > p.free() {
		return nil
	}
	return p.line.decide(future.Outcome[Lease]{Value: p.grant(w.with)})
}
