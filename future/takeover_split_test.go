package future_test

import (
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// splitLoop is a chain of take-overs, r <- a1 <- a2 <- end, in which a1 and a2
// have moved to r and a1 was put back: a2 lies behind it.
type splitLoop struct {
	r, a1, a2 *future.Deferred[int]
	canceled  bool // end was
	end       future.Resolver[int]
}

func newSplitLoop() *splitLoop { return newSplitLoopOf(future.New[int]) }

func newSplitLoopOf(pending func() (*future.Deferred[int], future.Resolver[int])) *splitLoop {
	s := new(splitLoop)
	gate1, open1 := pending()
	gate2, open2 := pending()
	end, res := pending()
	res.OnCancel(func(error) { s.canceled = true })
	s.end = res
	s.a2 = future.ThenFlat(gate2, func(int) *future.Deferred[int] { return end })
	s.a1 = future.ThenFlat(gate1, func(int) *future.Deferred[int] { return s.a2 })
	var follow future.Resolver[int]
	s.r, follow = pending()
	follow.Follow(s.a1)
	open1.Succeed(0)
	open2.Succeed(0)
	future.Then(s.a1, inc)
	return s
}

// What lies behind one that was put back has its outcome, not the taker's.
func TestTakerIsCanceledWhileOthersLieBehindOneThatWasPutBack(t *testing.T) {
	t.Run("unrecorded", func(t *testing.T) { takerIsCanceled(t, newSplitLoop()) })
	t.Run("recorded", func(t *testing.T) {
		books := future.NewBooks()
		takerIsCanceled(t, newSplitLoopOf(func() (*future.Deferred[int], future.Resolver[int]) { return future.NewIn[int](books) }))
	})
}

func takerIsCanceled(t *testing.T, s *splitLoop) {
	s.r.Cancel(errA)
	wantError(t, s.r, "", future.ErrCanceled)
	for _, d := range []*future.Deferred[int]{s.a1, s.a2} {
		wantPending(t, d)
	}
	late := future.Then(s.a2, inc)
	s.end.Succeed(1)
	wantOutcome(t, s.a1, 1, nil)
	wantOutcome(t, s.a2, 1, nil)
	wantOutcome(t, late, 2, nil)
}

func TestCancelOfOneThatWasPutBackSparesReadersBehindIt(t *testing.T) {
	s := newSplitLoop()
	reader := future.Then(s.a2, inc)
	s.a1.Cancel(errA)
	wantError(t, s.a1, "", future.ErrCanceled)
	wantPending(t, s.a2)
	if s.canceled {
		t.Error("the source was canceled, which others read")
	}
	s.end.Succeed(1)
	wantOutcome(t, reader, 2, nil)
}

func TestCancelOfOneBehindOneThatWasPutBackReachesTheSource(t *testing.T) {
	s := newSplitLoop()
	s.a2.Cancel(errA)
	if !s.canceled {
		t.Error("the source was not asked")
	}
	for _, d := range []*future.Deferred[int]{s.r, s.a1, s.a2} {
		wantError(t, d, "", future.ErrCanceled)
	}
}

// The same in the order of the loop, inner ones first, and the other way round.
func TestPutBackInAnyOrder(t *testing.T) {
	const n = 6
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 4, 0, 5, 1, 3}, {3, 0, 5}, {1}, {4, 1}} {
		for victim := range n {
			end, res := future.New[int]()
			asked := false
			res.OnCancel(func(error) { asked = true })
			var open [n]future.Resolver[int]
			var a [n]*future.Deferred[int]
			for i := n - 1; i >= 0; i-- {
				next := end
				if i < n-1 {
					next = a[i+1]
				}
				var gate *future.Deferred[int]
				gate, open[i] = future.New[int]()
				a[i] = future.ThenFlat(gate, func(int) *future.Deferred[int] { return next })
			}
			r, follow := future.New[int]()
			follow.Follow(a[0])
			for i := range open {
				open[i].Succeed(0)
			}
			read := [n]bool{}
			for _, i := range order {
				future.Then(a[i], inc)
				read[i] = true
			}
			a[victim].Cancel(errA)
			// The cancel goes on to the source through those that nobody else reads.
			stops := n
			for i := victim + 1; i < n; i++ {
				if read[i] {
					stops = i
					break
				}
			}
			if asked != (stops == n) {
				t.Fatalf("put back %v, canceled %d: the source was asked: %v", order, victim, asked)
			}
			wantError(t, r, "", future.ErrCanceled)
			for i := range a {
				if i < stops {
					wantError(t, a[i], "", future.ErrCanceled)
				} else {
					wantPending(t, a[i])
				}
			}
			if t.Failed() {
				t.Fatalf("put back %v, canceled %d", order, victim)
			}
		}
	}
}

// A taker whose reactor stops fails alone: those that it had taken over, on
// another reactor, have the outcome of what they follow, and are its consumers.
func TestTakerWhoseReactorStopsLeavesTheOthersAlone(t *testing.T) {
	clk := clock.NewVirtual()
	a, b := reactor.New(clk), reactor.New(clk)
	end, res := future.NewOn[int](b)
	inner := future.ThenFlat(future.After(b, 2, 0), func(int) *future.Deferred[int] { return end })
	outer := future.ThenFlat(future.After(a, 1, 0), func(int) *future.Deferred[int] { return inner })
	clk.Advance(2)
	outer.Done()
	a.Stop()
	wantError(t, outer, "", reactor.ErrStopped)
	wantPending(t, inner)
	other := end.Shield()
	end.Shield().Cancel(nil)
	late := future.Then(inner, inc)
	res.Succeed(42)
	clk.Advance(0)
	wantOutcome(t, inner, 42, nil)
	wantOutcome(t, other, 42, nil)
	wantOutcome(t, late, 43, nil)
}
