package future_test

import (
	"context"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/versus"
)

// cost is what one call of f allocates.
func cost(f func()) (bytes, allocs int) { return versus.Cost(1, f) }

var (
	kept    *future.Deferred[int]
	keptRes future.Resolver[int]
)

// What things cost in memory, on a 64-bit machine. The functions of the user's
// are not counted: here they have no state.
func TestCost(t *testing.T) {
	source, _ := future.New[int]()
	settled := future.Succeed(1)
	flat := func(int) *future.Deferred[int] { return settled }
	flatCatch := func(error) *future.Deferred[int] { return settled }
	bare := func() { kept, keptRes = future.New[int]() }
	for _, c := range []struct {
		name          string
		bytes, allocs int // at most
		f             func()
	}{
		{"a pending Deferred", 64, 1, bare},
		{"a pending Deferred and a Then", 144, 2, func() { bare(); kept = future.Then(kept, inc) }},
		{"Then, settled and read", 144, 2, func() {
			bare()
			kept = future.Then(kept, inc)
			keptRes.Succeed(1)
			kept.Result()
		}},
		{"a link", 80, 1, func() { kept = future.Then(settled, inc) }},
		{"a pending link", 80, 1, func() { kept = future.Then(source, inc) }},
		{"Catch", 80, 1, func() { kept = source.Catch(func(error) (int, error) { return 0, nil }) }},
		{"Finally", 96, 1, func() { kept = source.Finally(func() error { return nil }) }},
		{"Handle", 80, 1, func() { kept = future.Handle(source, func(int, error) (int, error) { return 0, nil }) }},
		{"Shield", 80, 1, func() { kept = source.Shield() }},
		{"a flattening link", 96, 1, func() { kept = future.ThenFlat(source, flat) }},
		{"CatchFlat", 96, 1, func() { kept = source.CatchFlat(flatCatch) }},
		{"Await of a settled one", 0, 0, func() { settled.Await(context.Background()) }},
		{"Result", 0, 0, func() { source.Result() }},
		{"a cancel that nobody hears of", 336, 5, func() { bare(); kept.Cancel(nil) }},
		{"a settle that is refused", 0, 0, func() { keptRes.Succeed(1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if bytes, allocs := cost(c.f); bytes > c.bytes || allocs > c.allocs {
				t.Errorf("%d bytes in %d allocations, want at most %d in %d", bytes, allocs, c.bytes, c.allocs)
			}
		})
	}
}

// All over pending inputs costs a few objects, whatever their number, and less
// than a Then for each of them.
func TestCostOfAll(t *testing.T) {
	const n = 1000
	ds, fill, settle := inputs(n)
	bare, _ := cost(func() { fill(); settle() })
	bytes, allocs := cost(func() { fill(); future.All(ds...); settle() })
	if allocs -= n; allocs > 6 {
		t.Errorf("%d allocations, want at most 6", allocs)
	}
	if each := (bytes - bare) / n; each > 100 {
		t.Errorf("%d bytes an input, want at most 100", each)
	}
}

// On a loop a step costs nothing beyond its link, and a wait of a coroutine
// nothing beyond what it waits for.
func TestCostOnALoop(t *testing.T) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	bytes, allocs := cost(func() {
		d, res := future.NewOn[int](r)
		for range 10 {
			d = future.Then(d, inc)
		}
		res.Succeed(1)
		clk.Advance(0)
	})
	if bytes > 64+10*80 || allocs > 11 {
		t.Errorf("a chain of 10: %d bytes in %d allocations, want at most %d in 11", bytes, allocs, 64+10*80)
	}

	var now future.Resolver[int]
	future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
		for {
			var d *future.Deferred[int]
			d, now = future.New[int]()
			if _, err := d.Await(ctx); err != nil {
				return 0, nil
			}
		}
	})
	clk.Advance(0)
	bytes, allocs = cost(func() {
		now.Succeed(1)
		clk.Advance(0)
	})
	if bytes > 64 || allocs > 1 {
		t.Errorf("a wait: %d bytes in %d allocations, want at most 64 in 1", bytes, allocs)
	}
	r.Stop()
}
