package future_test

import (
	"testing"

	"github.com/deferred-go/deferred/future"
)

func TestFollow(t *testing.T) {
	t.Parallel()
	for _, out := range []struct {
		name string
		v    int
		err  error
	}{{"success", 3, nil}, {"failure", 0, errA}} {
		t.Run(out.name, func(t *testing.T) {
			t.Parallel()
			d, res := future.New[int]()
			before := future.Then(d, inc)
			in, inRes := future.New[int]()
			if !res.Follow(in) {
				t.Fatal("Follow was refused")
			}
			after := future.Then(d, inc)
			if res.Succeed(9) || res.Follow(in) {
				t.Error("a settle after Follow was not refused")
			}
			wantPending(t, d)
			inRes.Settle(out.v, out.err)
			for _, e := range []*future.Deferred[int]{in, d} {
				wantOutcome(t, e, out.v, out.err)
			}
			for _, e := range []*future.Deferred[int]{before, after} {
				if out.err == nil {
					wantOutcome(t, e, out.v+1, nil)
				} else {
					wantOutcome(t, e, 0, out.err)
				}
			}
		})
	}
}

func TestFollowKeepsTheOthersOfItsSource(t *testing.T) {
	t.Parallel()
	var j journal
	note := func(name string) func(int) (int, error) {
		return func(v int) (int, error) {
			j.add("%s%d", name, v)
			return v, nil
		}
	}
	in, inRes := future.New[int]()
	d, res := future.New[int]()
	future.Then(in, note("one"))
	future.Then(d, note("two"))
	res.Follow(in)
	future.Then(in, note("three"))
	inRes.Succeed(5)
	j.want(t, "one5", "two5", "three5")
}

func TestFollowChain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		inward bool
		reason string
	}{
		{"outward", false, "the newest follows the one before: none of them is read yet"},
		{"inward", true, "the one before follows the newest: it is read and lets the reader take over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const n = links / 10
			ds := make([]*future.Deferred[int], n)
			rs := make([]future.Resolver[int], n)
			for i := range ds {
				ds[i], rs[i] = future.New[int]()
				switch {
				case i == 0:
				case c.inward:
					rs[i-1].Follow(ds[i])
				default:
					rs[i].Follow(ds[i-1])
				}
			}
			open := rs[0]
			if c.inward {
				open = rs[n-1]
			}
			if !open.Succeed(1) {
				t.Fatal("the end of the chain was not open")
			}
			for i, d := range ds {
				if v, err := d.Result(); v != 1 || err != nil {
					t.Fatalf("%s: link %d has (%v, %v)", c.reason, i, v, err)
				}
			}
		})
	}
}

func TestFollowCycle(t *testing.T) {
	t.Parallel()
	const says = "waits for itself"
	type pair struct {
		d   *future.Deferred[int]
		res future.Resolver[int]
	}
	for _, c := range []struct {
		name   string
		n      int
		close  func(p []pair)
		reason string
	}{
		{"self", 1, func(p []pair) {
			p[0].res.Follow(p[0].d)
		}, "it could never settle"},
		{"two", 2, func(p []pair) {
			p[0].res.Follow(p[1].d)
			p[1].res.Follow(p[0].d)
		}, "the second closes the cycle and fails, the first fails with it"},
		{"three", 3, func(p []pair) {
			p[0].res.Follow(p[1].d)
			p[1].res.Follow(p[2].d)
			p[2].res.Follow(p[0].d)
		}, "the middle one was taken over on the way"},
		{"three, back to the one that moved", 3, func(p []pair) {
			p[0].res.Follow(p[1].d)
			p[1].res.Follow(p[2].d)
			p[2].res.Follow(p[1].d)
		}, "what moved gets its place back first"},
		{"through a callback", 1, func(p []pair) {
			p[0].res.Follow(future.Then(p[0].d, inc))
		}, "what it follows waits for it"},
		{"through a gather", 1, func(p []pair) {
			x, _ := future.New[int]()
			all := future.All(future.Succeed(1), x, p[0].d)
			p[0].res.Follow(future.Then(all, func([]int) (int, error) { return 1, nil }))
		}, "a gather waits for each of its inputs"},
		{"through two gathers", 1, func(p []pair) {
			x, _ := future.New[int]()
			y := future.Race(p[0].d, x)
			all := future.All(x, y, y, x)
			p[0].res.Follow(future.Then(all, func([]int) (int, error) { return 1, nil }))
		}, "paths that meet again are walked once"},
		{"through a join", 1, func(p []pair) {
			x, _ := future.New[int]()
			p[0].res.Follow(future.Join3(x, x, p[0].d, func(int, int, int) (int, error) { return 1, nil }))
		}, "a join is a gather of gathers"},
		{"through ThenFlat", 1, func(p []pair) {
			p[0].res.Follow(future.ThenFlat(future.Succeed(1), func(int) *future.Deferred[int] { return p[0].d }))
		}, "a flattening link stands for what its callback returned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := make([]pair, c.n)
			for i := range p {
				p[i].d, p[i].res = future.New[int]()
			}
			c.close(p)
			for i := range p {
				if _, err := p[i].d.Result(); err == future.ErrPending {
					t.Errorf("%s: number %d is still pending", c.reason, i)
					continue
				}
				wantError(t, p[i].d, says)
			}
		})
	}
}

// A cycle that only the outermost readers make visible: the callback returns
// what was derived from its own result.
func TestFlatCycle(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	var e *future.Deferred[int]
	e = future.ThenFlat(d, func(int) *future.Deferred[int] { return future.Then(e, inc) })
	res.Succeed(1)
	wantError(t, e, "waits for itself")

	d, res = future.New[int]()
	e = future.ThenFlat(d, func(int) *future.Deferred[int] { return e })
	res.Succeed(1)
	wantError(t, e, "waits for itself")

	d, res = future.New[int]()
	e = d.CatchFlat(func(error) *future.Deferred[int] { return e.Shield().Catch(func(error) (int, error) { return 1, nil }) })
	res.Fail(errA)
	wantError(t, e, "waits for itself")
}

// Two goroutines close a cycle together: at least one of them sees it.
func TestCycleClosedByTwo(t *testing.T) {
	t.Parallel()
	for range 500 {
		a, resA := future.New[int]()
		b, resB := future.New[int]()
		start, done := make(chan struct{}), make(chan struct{})
		go func() {
			<-start
			resA.Follow(future.Then(b, inc))
			close(done)
		}()
		close(start)
		resB.Follow(future.Then(a, inc))
		<-done
		wantError(t, a, "waits for itself")
		wantError(t, b, "waits for itself")
	}
}

// A gather in which every path branches has 2^n paths through n levels; looking
// for a cycle walks each Deferred once.
func TestCycleSearchIsLinear(t *testing.T) {
	t.Parallel()
	leaf, _ := future.New[int]()
	d := leaf
	for range 60 {
		d = future.Join2(d, d, func(a, b int) (int, error) { return a + b, nil })
	}
	e, res := future.New[int]()
	future.Then(e, inc)
	res.Follow(d)
	wantPending(t, e)
	leaf.Cancel(errA)
	wantError(t, e, "", future.ErrCanceled, errA)
}

func TestFollowRefused(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	res.Succeed(1)
	in, inRes := future.New[int]()
	if res.Follow(in) {
		t.Error("Follow of a settled Deferred was not refused")
	}
	if res.Follow(d) {
		t.Error("a late Follow of itself was not refused")
	}
	inRes.Succeed(2)
	wantOutcome(t, d, 1, nil)
}
