package lock_test

import (
	"slices"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"pgregory.net/rapid"
)

// A semaphore and a naive one run the same program, whose operations are also
// done within callbacks, and must do the same in the same order.

// A semOp is one operation. A release is that of one of the leases that are
// held, a cancel mostly that of an Acquire that waits.
type semOp struct {
	kind   semKind
	n      int
	pick   int
	within []semOp // what the callback of an Acquire does
}

type semKind int

const (
	semAcquire semKind = iota
	semTry
	semRelease
	semCancel
)

func semOps(most, depth, permits int) *rapid.Generator[[]semOp] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) semOp {
		op := semOp{
			kind: rapid.SampledFrom([]semKind{semAcquire, semAcquire, semTry, semRelease, semRelease, semCancel}).Draw(t, "kind"),
			pick: rapid.IntRange(0, 30).Draw(t, "pick"),
		}
		switch op.kind {
		case semAcquire, semTry:
			op.n = rapid.IntRange(1, permits).Draw(t, "n")
		}
		if op.kind == semAcquire && depth > 0 {
			op.within = semOps(3, depth-1, permits).Draw(t, "within")
		}
		return op
	}), 0, most)
}

// A semSystem is a semaphore, and what a program sees of it.
type semSystem interface {
	// acquire calls told once with what became of it: release is nil if it was
	// canceled. cancel reports whether it was pending.
	acquire(n int, told func(release func())) (cancel func() bool)
	try(n int) (release func())
	free() int
}

// A semRun is a run of a program.
type semRun struct {
	journal
	sys   semSystem
	asked []*semAsked
	held  int
}

type semAsked struct {
	n       int
	cancel  func() bool
	release func() // while it holds
	over    bool
}

func (r *semRun) run(ops []semOp) {
	for _, op := range ops {
		r.do(op)
	}
}

func (r *semRun) do(op semOp) {
	switch op.kind {
	case semAcquire:
		r.acquire(op)
	case semTry:
		release := r.sys.try(op.n)
		r.add("try %d: %v, %d free", op.n, release != nil, r.sys.free())
		if release != nil {
			r.held += op.n
			r.asked = append(r.asked, &semAsked{n: op.n, release: release})
		}
	case semRelease:
		held := slices.DeleteFunc(slices.Clone(r.asked), func(a *semAsked) bool { return a.release == nil })
		if len(held) > 0 {
			r.release(held[op.pick%len(held)])
		}
	case semCancel:
		var some []int
		for i, a := range r.asked {
			if a.cancel != nil && (!a.over || op.pick < 5) {
				some = append(some, i)
			}
		}
		if len(some) > 0 {
			i := some[op.pick%len(some)]
			r.add("cancel %d", i)
			r.add("cancel %d: %v, %d free", i, r.asked[i].cancel(), r.sys.free())
		}
	}
}

func (r *semRun) release(a *semAsked) {
	release := a.release
	a.release = nil
	r.held -= a.n
	r.add("release of %d", a.n)
	release()
	r.add("released, %d free", r.sys.free())
}

func (r *semRun) acquire(op semOp) {
	a, i := &semAsked{n: op.n}, len(r.asked)
	r.asked = append(r.asked, a)
	r.add("%d wants %d", i, op.n)
	a.cancel = r.sys.acquire(op.n, func(release func()) {
		a.over = true
		if release == nil {
			r.add("%d left", i)
			return
		}
		a.release = release
		r.held += a.n
		r.add("%d has %d, %d free", i, a.n, r.sys.free())
		r.run(op.within)
		r.add("%d returns", i)
	})
	r.add("%d asked, %d free", i, r.sys.free())
}

// end releases all that is held until nobody waits.
func (r *semRun) end(t *rapid.T, permits int) {
	for again := true; again; {
		again = false
		for _, a := range r.asked {
			if a.release != nil {
				again = true
				r.release(a)
			}
		}
	}
	for i, a := range r.asked {
		if a.cancel != nil && !a.over {
			t.Errorf("%d waits for ever", i)
		}
	}
	if r.held != 0 || r.sys.free() != permits {
		t.Errorf("%d are held, %d of %d are free", r.held, r.sys.free(), permits)
	}
}

// semReal is the semaphore.
type semReal struct{ s *lock.Semaphore }

func (s semReal) acquire(n int, told func(release func())) (cancel func() bool) {
	d := s.s.Acquire(n)
	future.Handle(d, func(l lock.Lease, err error) (int, error) {
		if err != nil {
			told(nil)
		} else {
			told(l.Release)
		}
		return 0, nil
	})
	return func() bool { return d.Cancel(errCause) }
}

func (s semReal) try(n int) (release func()) {
	if l, ok := s.s.TryAcquire(n); ok {
		return l.Release
	}
	return nil
}

func (s semReal) free() int { return s.s.Free() }

// semNaive is what it should do.
type semNaive struct {
	left    int
	line    []*naiveWaiter
	serving bool
}

type naiveWaiter struct {
	n       int
	told    func(release func())
	leaving bool // its cancel lets others pass, and it has not settled yet
}

func (s *semNaive) acquire(n int, told func(release func())) (cancel func() bool) {
	w := &naiveWaiter{n: n, told: told}
	if release := s.try(n); release != nil {
		told(release)
	} else {
		s.line = append(s.line, w)
	}
	return func() bool {
		i := slices.Index(s.line, w)
		if i < 0 {
			return w.leaving
		}
		s.line = slices.Delete(s.line, i, i+1)
		w.leaving = true
		s.serve()
		w.leaving = false
		told(nil)
		return true
	}
}

func (s *semNaive) try(n int) (release func()) {
	if len(s.line) > 0 || s.left < n {
		return nil
	}
	return s.take(n)
}

func (s *semNaive) take(n int) (release func()) {
	s.left -= n
	return func() {
		s.left += n
		s.serve()
	}
}

func (s *semNaive) serve() {
	if s.serving {
		return
	}
	s.serving = true
	for len(s.line) > 0 && s.line[0].n <= s.left {
		w := s.line[0]
		s.line = s.line[1:]
		w.told(s.take(w.n))
	}
	s.serving = false
}

func (s *semNaive) free() int { return s.left }

func TestSemaphoreModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		permits := rapid.IntRange(1, 4).Draw(t, "permits")
		ops := semOps(25, 3, permits).Draw(t, "ops")
		real := &semRun{sys: semReal{lock.NewSemaphore(permits)}}
		naive := &semRun{sys: &semNaive{left: permits}}
		for _, r := range []*semRun{real, naive} {
			r.run(ops)
			r.end(t, permits)
		}
		real.want(t, naive.journal...)
	})
}
