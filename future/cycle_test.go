package future_test

import (
	"context"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// A function that awaits what waits for its own result would never go on: the
// Await fails at once, or, if the cycle is closed later, what closes it does.
func TestFunctionsThatWaitForThemselves(t *testing.T) {
	type deferred = *future.Deferred[int]
	type fn = func(context.Context) (int, error)
	ctx := context.Background()
	starts := map[string]func(r future.Executor, f fn) deferred{
		"Async":   func(_ future.Executor, f fn) deferred { return future.Async(ctx, f) },
		"AsyncOn": func(r future.Executor, f fn) deferred { return future.AsyncOn(ctx, r, f) },
		"Go":      func(_ future.Executor, f fn) deferred { return future.Go(ctx, f) },
		"GoOn":    func(r future.Executor, f fn) deferred { return future.GoOn(ctx, r, f) },
	}
	// Each closes the cycle from what the function awaits, gate, to its result.
	closes := map[string]func(d deferred, gate future.Resolver[int]){
		"directly": func(d deferred, gate future.Resolver[int]) { gate.Follow(d) },
		"through a chain": func(d deferred, gate future.Resolver[int]) {
			gate.Follow(future.Then(d, inc).Shield().Finally(func() error { return nil }))
		},
		"through a gather": func(d deferred, gate future.Resolver[int]) {
			never, _ := future.New[int]()
			gate.Follow(future.Then(future.All(never, d), func(vs []int) (int, error) { return len(vs), nil }))
		},
	}
	for start, run := range starts {
		for way, closeCycle := range closes {
			for _, late := range []bool{false, true} {
				name := start + " " + way
				if late {
					name += ", closed while it waits"
				}
				t.Run(name, func(t *testing.T) {
					r, clk := futuretest.New(t)
					awaited, gate := future.New[int]()
					begin, beginning := future.New[int]()
					waits := make(chan struct{}, 1)
					d := run(r, func(ctx context.Context) (int, error) {
						if !late {
							begin.Await(ctx)
						}
						waits <- struct{}{}
						return awaited.Await(ctx)
					})
					if start != "Go" {
						clk.Advance(0)
					}
					if late {
						<-waits
					}
					closeCycle(d, gate)
					beginning.Succeed(0)
					if start != "Go" {
						clk.Advance(0)
					}
					_, err := d.Await(ctx)
					if err == nil || !strings.Contains(err.Error(), "waits for itself") {
						t.Errorf("settled with %v", err)
					}
					awaited.Await(ctx) // it has failed too
				})
			}
		}
	}
}

// The coroutine that was told so can wait for something else.
func TestAWaitAfterOneThatClosedACycle(t *testing.T) {
	r, clk := futuretest.New(t)
	looped, gate := future.New[int]()
	other, res := future.New[int]()
	d := future.AsyncOn(t.Context(), r, func(ctx context.Context) (int, error) {
		for range 3 {
			if _, err := looped.Await(ctx); err == nil || !strings.Contains(err.Error(), "waits for itself") {
				t.Errorf("got %v", err)
			}
		}
		return other.Await(ctx)
	})
	gate.Follow(future.Then(d, inc))
	clk.Advance(0)
	res.Succeed(1)
	clk.Advance(0)
	futuretest.Equal(t, d, 1)
	futuretest.Equal(t, looped, 2)
}
