package future_test

import (
	"context"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// steps is how long the loops of this file are.
const steps = 10_000_000 / (1 + 49*underRace)

// An endless is a loop of steps, and what looks at the heap on the way.
type endless struct {
	t      *testing.T
	before int64
}

// check fails the test if the live heap has grown.
func (e *endless) check(step int) {
	if e.before == 0 {
		e.before = heapNow()
	}
	if step%(steps/4) != steps/4-1 {
		return
	}
	if grown := heapNow() - e.before; grown > little {
		e.t.Fatalf("the heap grew by %d bytes in %d steps", grown, step)
	}
}

// Loops that run for ever take constant memory.
func TestEndlessLoops(t *testing.T) {
	for name, loop := range map[string]func(*endless){
		"ThenFlat over pending ones":      endlessInline,
		"ThenFlat on a reactor":           endlessOnReactor,
		"Await in a coroutine":            endlessCoroutine,
		"Await of settled in a coroutine": endlessSettled,
	} {
		t.Run(name, func(t *testing.T) { loop(&endless{t: t}) })
	}
}

func endlessInline(e *endless) {
	var now future.Resolver[int]
	var round func(int) *future.Deferred[int]
	round = func(int) (d *future.Deferred[int]) {
		d, now = future.New[int]()
		return future.ThenFlat(d, round)
	}
	whole := round(0)
	for i := range steps {
		e.check(i)
		now.Succeed(i)
	}
	wantPending(e.t, whole)
}

// Every other source has settled when the loop gets to it.
func endlessOnReactor(e *endless) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	var later []future.Resolver[int]
	i := 0
	var round func(int) *future.Deferred[int]
	round = func(v int) *future.Deferred[int] {
		if v == steps {
			return future.Succeed(v)
		}
		e.check(v)
		d, res := future.NewOn[int](r)
		if v%2 == 0 {
			res.Succeed(v + 1)
		} else {
			later = append(later, res)
			r.Post(func() { later[0].Succeed(v + 1); later = later[:0] })
		}
		i++
		return future.ThenFlat(d, round)
	}
	whole := round(0)
	clk.Advance(0)
	wantOutcome(e.t, whole, steps, nil)
	if i != steps {
		e.t.Errorf("%d rounds, want %d", i, steps)
	}
}

func endlessCoroutine(e *endless) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	var now future.Resolver[int]
	d := future.AsyncOn(e.t.Context(), r, func(ctx context.Context) (sum int, err error) {
		for range steps {
			var d *future.Deferred[int]
			d, now = future.New[int]()
			v, err := d.Await(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	i := 0
	var next func()
	next = func() {
		e.check(i)
		now.Succeed(1)
		if i++; i < steps {
			r.Post(next)
		}
	}
	clk.Advance(0)
	r.Post(next)
	clk.Advance(0)
	wantOutcome(e.t, d, steps, nil)
}

func endlessSettled(e *endless) {
	d := future.Async(e.t.Context(), func(ctx context.Context) (sum int, err error) {
		for i := range steps {
			e.check(i)
			v, err := future.Succeed(1).Await(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	wantOutcome(e.t, d, steps, nil)
}
