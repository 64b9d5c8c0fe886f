package future_test

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// How many links a deep chain has, and how much heap a loop may take. The race
// detector makes a link ten to thirty times as dear.
const (
	links  = 1_000_000 / (1 + 9*underRace)
	little = 4 << 20
)

// withSmallStack runs f where a stack of a megabyte ends the process: what
// recursed over a deep chain would not come back. The limit is the process's,
// so these tests are not parallel.
func withSmallStack(f func()) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	f()
}

func TestDeepChains(t *testing.T) {
	type deferred = *future.Deferred[int]
	for _, c := range []struct {
		name string
		link func(deferred) deferred
		add  int // what each link adds to a value
	}{
		{"Then", func(d deferred) deferred { return future.Then(d, inc) }, 1},
		{"ThenFlat", func(d deferred) deferred {
			return future.ThenFlat(d, func(v int) deferred { return future.Succeed(v + 1) })
		}, 1},
		{"Catch", func(d deferred) deferred { return d.Catch(func(err error) (int, error) { return 0, err }) }, 0},
		{"Finally", func(d deferred) deferred { return d.Finally(func() error { return nil }) }, 0},
		{"Shield", func(d deferred) deferred { return d.Shield() }, 0},
		{"Race", func(d deferred) deferred { return future.Race(d) }, 0},
		{"Flatten", func(d deferred) deferred { return future.Flatten(future.Succeed(d)) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			build := func(d deferred) deferred {
				for range links / 20 {
					d = c.link(d)
				}
				return d
			}
			withSmallStack(func() {
				d, res := future.New[int]()
				e := build(d)
				res.Succeed(0)
				wantOutcome(t, e, c.add*links/20, nil)
				wantOutcome(t, build(future.Succeed(0)), c.add*links/20, nil)

				d, res = future.New[int]()
				e = build(d)
				res.Fail(errA)
				wantOutcome(t, e, 0, errA)

				d, _ = future.New[int]()
				e = build(d)
				e.Cancel(errB)
				wantError(t, e, "", future.ErrCanceled, errB)
			})
		})
	}
}

// ThenFlat nested to the left: a chain of links each of which waits for an
// inner Deferred of its own.
func TestDeepThenFlat(t *testing.T) {
	for _, pending := range []bool{false, true} {
		withSmallStack(func() {
			var inner []future.Resolver[int]
			d, res := future.New[int]()
			e := d
			for range links {
				e = future.ThenFlat(e, func(v int) *future.Deferred[int] {
					if !pending {
						return future.Succeed(v + 1)
					}
					d, r := future.New[int]()
					inner = append(inner[:0], r)
					return future.Then(d, func(int) (int, error) { return v + 1, nil })
				})
			}
			res.Succeed(0)
			for range links {
				if pending {
					inner[0].Succeed(0)
				}
			}
			wantOutcome(t, e, links, nil)
		})
	}
}

// ThenFlat nested to the right: each callback returns a Deferred that itself
// waits for one, hundreds of thousands deep, before the innermost settles.
func TestDeepNesting(t *testing.T) {
	for _, end := range []struct {
		name string
		do   func(future.Resolver[int], *future.Deferred[int])
		is   error
	}{
		{"success", func(r future.Resolver[int], _ *future.Deferred[int]) { r.Succeed(1) }, nil},
		{"failure", func(r future.Resolver[int], _ *future.Deferred[int]) { r.Fail(errA) }, errA},
		{"cancel", func(_ future.Resolver[int], d *future.Deferred[int]) { d.Cancel(errB) }, errB},
	} {
		t.Run(end.name, func(t *testing.T) {
			withSmallStack(func() {
				gate, open := future.New[int]()
				outer := gate
				bottom, res := future.New[int]()
				inner := bottom
				for range links / 4 {
					inner = future.ThenFlat(inner, func(v int) *future.Deferred[int] { return future.Succeed(v) })
				}
				for range links / 4 {
					before := inner
					inner = future.ThenFlat(gate, func(int) *future.Deferred[int] { return before })
				}
				outer = future.ThenFlat(outer, func(int) *future.Deferred[int] { return inner })
				open.Succeed(0)
				wantPending(t, outer)
				end.do(res, outer)
				if end.is == nil {
					wantOutcome(t, outer, 1, nil)
				} else {
					wantError(t, outer, "", end.is)
				}
			})
		})
	}
}

// A flattening loop over pending Deferreds, and one on an executor, take
// constant memory and constant stack.
func TestFlatteningLoop(t *testing.T) {
	type deferred = *future.Deferred[int]
	for _, c := range []struct {
		name   string
		rounds int
		loop   func(ask func() deferred, stop int) deferred
	}{
		{"ThenFlat", links, func(ask func() deferred, stop int) deferred {
			var round func() deferred
			round = func() deferred {
				return future.ThenFlat(ask(), func(v int) deferred {
					if v == stop {
						return future.Succeed(v)
					}
					return round()
				})
			}
			return round()
		}},
		{"ThenFlat through CatchFlat", links / 5, func(ask func() deferred, stop int) deferred {
			var round func() deferred
			round = func() deferred {
				failing := future.Then(ask(), func(v int) (int, error) { return v, errA })
				return failing.CatchFlat(func(error) deferred {
					return future.ThenFlat(ask(), func(v int) deferred {
						if v >= stop-1 {
							return future.Succeed(stop)
						}
						return round()
					})
				})
			}
			return round()
		}},
		{"Follow", links / 5, func(ask func() deferred, stop int) deferred {
			first, res := future.New[int]()
			var round func(res future.Resolver[int])
			round = func(res future.Resolver[int]) {
				future.Then(ask(), func(v int) (int, error) {
					if v == stop {
						res.Succeed(v)
						return 0, nil
					}
					next, nextRes := future.New[int]()
					res.Follow(next)
					round(nextRes)
					return 0, nil
				})
			}
			round(res)
			return first
		}},
		{"Flatten", links / 5, func(ask func() deferred, stop int) deferred {
			var round func() deferred
			round = func() deferred {
				return future.Flatten(future.Then(ask(), func(v int) (deferred, error) {
					if v == stop {
						return future.Succeed(v), nil
					}
					return round(), nil
				}))
			}
			return round()
		}},
	} {
		for _, x := range []*foreign{nil, new(foreign)} {
			name := c.name
			if x != nil {
				name += " on an executor"
			}
			t.Run(name, func(t *testing.T) {
				withSmallStack(func() {
					var now future.Resolver[int]
					ask := func() (d deferred) {
						if x == nil {
							d, now = future.New[int]()
						} else {
							d, now = future.NewOn[int](x)
						}
						return d
					}
					before := heapNow()
					d := c.loop(ask, c.rounds)
					for i := 1; i <= c.rounds; i++ {
						now.Succeed(i)
						if x != nil {
							x.run()
						}
						if i == c.rounds/2 || i == c.rounds-2 {
							if grown := heapNow() - before; grown > little {
								t.Fatalf("the heap grew by %d bytes in %d rounds", grown, i)
							}
						}
					}
					wantOutcome(t, d, c.rounds, nil)
				})
			})
		}
	}
}

// A loop over settled Deferreds is a for loop in a coroutine: no nesting.
func TestCoroutineLoopOverSettled(t *testing.T) {
	withSmallStack(func() {
		d := future.Async(t.Context(), func(ctx context.Context) (int, error) {
			sum := 0
			for range links {
				v, err := future.Succeed(1).Await(ctx)
				if err != nil {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		})
		wantOutcome(t, d, links, nil)
	})
}

// A cancelled loop ends: the outermost Deferred still reaches the innermost.
func TestCancelOfALoop(t *testing.T) {
	t.Parallel()
	var now future.Resolver[int]
	var asked error
	var round func() *future.Deferred[int]
	round = func() *future.Deferred[int] {
		var d *future.Deferred[int]
		d, now = future.New[int]()
		now.OnCancel(func(cause error) { asked = cause })
		return future.ThenFlat(d, func(int) *future.Deferred[int] { return round() })
	}
	d := round()
	for range 1000 {
		now.Succeed(1)
	}
	if !d.Cancel(errA) {
		t.Error("a loop is pending")
	}
	wantError(t, d, "", future.ErrCanceled, errA)
	if asked != errA {
		t.Errorf("the innermost was asked with %v", asked)
	}
}
