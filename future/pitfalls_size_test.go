// Places where something that looks right takes too much time, stack or memory
// when there are many: readers that leave, loops, nested calls.

package future_test

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// Hundreds of thousands of readers leave one source, the newest first, as when
// calls that wait for one thing unwind. A search for each in its list would take
// many minutes.
func TestVeryManyReadersLeaveNewestFirst(t *testing.T) {
	const n = 200_000 / (1 + 9*underRace)
	src, _, calls := counting()
	readers := make([]pitDeferred, n)
	for i := range readers {
		readers[i] = future.Then(src, inc)
	}
	for i := n - 1; i > 0; i-- {
		readers[i].Cancel(nil)
	}
	if len(*calls) != 0 {
		t.Error("the source was canceled although one stays")
	}
	readers[0].Cancel(errCause)
	if len(*calls) != 1 {
		t.Errorf("the source was canceled %d times", len(*calls))
	}
}

// Timeouts of a source that lives long leave neither a timer nor a trace in the
// source, whether they struck, or what they bound came to its end otherwise.
func TestTimeoutsOfALongLivedSourceLeaveNothing(t *testing.T) {
	const n = 100_000 / (1 + 9*underRace)
	for name, visit := range map[string]func(long pitDeferred, clk *clock.Virtual){
		"did not strike, canceled": func(long pitDeferred, clk *clock.Virtual) { long.Timeout(clk, time.Hour).Cancel(nil) },
		"did not strike, lost a race": func(long pitDeferred, clk *clock.Virtual) {
			d, res := future.New[int]()
			future.Race(long.Timeout(clk, time.Hour), d)
			res.Succeed(1)
		},
		"did not strike, lost to one that had settled": func(long pitDeferred, clk *clock.Virtual) {
			future.Any(future.Succeed(1), long.Timeout(clk, time.Hour))
		},
		"struck": func(long pitDeferred, clk *clock.Virtual) {
			long.Timeout(clk, 1).Catch(func(error) (int, error) { return 0, nil })
			clk.Advance(1)
		},
		"struck, a hard bound": func(long pitDeferred, clk *clock.Virtual) {
			long.Shield().Timeout(clk, 1).Catch(func(error) (int, error) { return 0, nil })
			clk.Advance(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clk := clock.NewVirtual()
			long, res := future.New[int]()
			stays := future.Then(long, inc)
			before := heapNow()
			for range n {
				visit(long, clk)
			}
			if grown := heapNow() - before; grown > little/4 {
				t.Errorf("the heap grew by %d bytes over %d visits", grown, n)
			}
			wantNoTimers(t, clk)
			res.Succeed(1)
			wantOutcome(t, stays, 2, nil)
		})
	}
}

// A loop of ThenFlat over settled Deferreds takes constant memory and stack on
// an executor: each round is a step of its own.
func TestLoopOverSettledOnAnExecutor(t *testing.T) {
	const rounds = links / 2
	x := new(foreign)
	settled := future.Succeed(1).On(x)
	var round func(n int) pitDeferred
	round = func(n int) pitDeferred {
		return future.ThenFlat(settled, func(int) pitDeferred {
			if n == rounds {
				return future.Succeed(n)
			}
			return round(n + 1)
		})
	}
	withSmallStack(func() {
		before := heapNow()
		d := round(0)
		for range rounds {
			x.step()
		}
		if grown := heapNow() - before; grown > little {
			t.Errorf("the heap grew by %d bytes", grown)
		}
		wantPending(t, d)
		x.run()
		wantOutcome(t, d, rounds, nil)
	})
}

// What user code nests nests: a settle inside a callback inside a settle, and an
// inline loop over settled Deferreds. It works to any depth that the stack has
// room for, at about half a kilobyte a level for the library's part.
func TestWhatUserCodeNestsTakesStack(t *testing.T) {
	// Stacks double in size: of 200 MiB at most 128 are used, which is 2.6 KiB a
	// level. With the race detector a level takes about 1.3.
	const depth, limit = 50_000, 200 << 20
	defer debug.SetMaxStack(debug.SetMaxStack(limit))
	ds := make([]pitDeferred, depth)
	ress := make([]future.Resolver[int], depth)
	for i := range ds {
		ds[i], ress[i] = future.New[int]()
		future.Then(ds[i], func(v int) (int, error) {
			if i+1 < depth {
				ress[i+1].Succeed(v + 1)
			}
			return 0, nil
		})
	}
	onGoroutine(func() { ress[0].Succeed(1) })
	wantOutcome(t, ds[depth-1], depth, nil)

	var round func(n int) pitDeferred
	round = func(n int) pitDeferred {
		return future.ThenFlat(future.Succeed(n), func(n int) pitDeferred {
			if n == depth {
				return future.Succeed(n)
			}
			return round(n + 1)
		})
	}
	onGoroutine(func() { wantOutcome(t, round(0), depth, nil) })
}
