package future_test

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/deferred-go/deferred/future"
)

// big is a value whose life is watched.
type big struct{ _ [1 << 10]byte }

// wantGone fails t if p still leads to its value after some collections.
func wantGone[T any](t *testing.T, what string, p weak.Pointer[T]) {
	t.Helper()
	for range 5 {
		runtime.GC()
		if p.Value() == nil {
			return
		}
	}
	t.Errorf("%s is still alive", what)
}

// Once a link has run it keeps neither its source nor its function alive.
func TestLinksLetGo(t *testing.T) {
	t.Parallel()
	type source = *future.Deferred[*big]
	type result = *future.Deferred[int]
	mark := func(held *big) (int, error) { return int(held.use()), nil }
	for _, c := range []struct {
		name string
		fail bool // the source fails
		link func(d source, held *big) result
	}{
		{"Then", false, func(d source, held *big) result {
			return future.Then(d, func(*big) (int, error) { return mark(held) })
		}},
		{"Then, skipped", true, func(d source, held *big) result {
			return future.Then(d, func(*big) (int, error) { return mark(held) })
		}},
		{"Then, panicking", false, func(d source, held *big) result {
			return future.Then(d, func(*big) (int, error) { mark(held); panic("boom") })
		}},
		{"ThenFlat", false, func(d source, held *big) result {
			return future.ThenFlat(d, func(*big) result { return future.Settle(mark(held)) })
		}},
		{"ThenFlat, skipped", true, func(d source, held *big) result {
			return future.ThenFlat(d, func(*big) result { return future.Settle(mark(held)) })
		}},
		{"Handle", false, func(d source, held *big) result {
			return future.Handle(d, func(*big, error) (int, error) { return mark(held) })
		}},
		{"Handle, failure", true, func(d source, held *big) result {
			return future.Handle(d, func(*big, error) (int, error) { return mark(held) })
		}},
		{"Join2", false, func(d source, held *big) result {
			return future.Join2(d, d, func(_, _ *big) (int, error) { return mark(held) })
		}},
		{"Join3", true, func(d source, held *big) result {
			return future.Join3(d, d, d, func(_, _, _ *big) (int, error) { return mark(held) })
		}},
		{"MapN", false, func(d source, held *big) result {
			m := future.MapN(1, []source{d, d}, func(d source) result {
				return future.Then(d, func(*big) (int, error) { return mark(held) })
			})
			return future.Handle(m, func([]int, error) (int, error) { return 0, nil })
		}},
	} {
		for _, settled := range []bool{false, true} {
			name := c.name + ", pending"
			if settled {
				name = c.name + ", settled"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				value, held := new(big), new(big)
				value.use()
				d, res := future.New[*big]()
				settle := func(value *big) {
					if c.fail {
						res.Fail(&carrying{value})
					} else {
						res.Succeed(value)
					}
				}
				if settled {
					settle(value)
				}
				e := c.link(d, held)
				if !settled {
					settle(value)
				}
				if _, err := e.Result(); err == future.ErrPending {
					t.Fatal("it has not run")
				}
				from, weakValue, weakHeld := weak.Make(d), weak.Make(value), weak.Make(held)
				d, value, held, res, settle = nil, nil, nil, future.Resolver[*big]{}, nil
				wantGone(t, "the source", from)
				wantGone(t, "what the function holds", weakHeld)
				if !c.fail { // the failure stays: it is the result's, too
					wantGone(t, "the source's value", weakValue)
				}
				runtime.KeepAlive(e)
			})
		}
	}
}

type carrying struct{ v *big }

func (*carrying) Error() string { return "carrying" }

//go:noinline
func (b *big) use() byte { return 0 }

// The links that keep the type pass the value on, and let go of all else.
func TestMethodsLetGo(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	touch := func(held *big) { held.use() }
	for _, c := range []struct {
		name string
		fail bool
		link func(d deferred, held *big) deferred
	}{
		{"Catch", true, func(d deferred, held *big) deferred {
			return d.Catch(func(error) (int, error) { touch(held); return 1, nil })
		}},
		{"Catch, skipped", false, func(d deferred, held *big) deferred {
			return d.Catch(func(error) (int, error) { touch(held); return 1, nil })
		}},
		{"CatchFlat", true, func(d deferred, held *big) deferred {
			return d.CatchFlat(func(error) deferred { touch(held); return future.Succeed(1) })
		}},
		{"CatchFlat, skipped", false, func(d deferred, held *big) deferred {
			return d.CatchFlat(func(error) deferred { touch(held); return future.Succeed(1) })
		}},
		{"Finally", false, func(d deferred, held *big) deferred {
			return d.Finally(func() error { touch(held); return nil })
		}},
		{"Finally, failure", true, func(d deferred, held *big) deferred {
			return d.Finally(func() error { touch(held); return nil })
		}},
		{"Shield", false, func(d deferred, held *big) deferred { return d.Shield() }},
		{"WithContext", false, func(d deferred, held *big) deferred { return d.WithContext(context.Background()) }},
		{"On", false, func(d deferred, held *big) deferred { return d.On(new(foreign)) }},
		{"All", false, func(d deferred, held *big) deferred {
			return future.Then(future.All(d), func(v []int) (int, error) { return v[0], nil })
		}},
		{"Race", true, func(d deferred, held *big) deferred { return future.Race(d) }},
		{"Flatten", false, func(d deferred, held *big) deferred { return future.Flatten(future.Succeed(d)) }},
		{"ThenFlat", false, func(d deferred, held *big) deferred {
			return future.ThenFlat(future.Succeed(1), func(int) deferred { touch(held); return d })
		}},
		{"Async", false, func(d deferred, held *big) deferred {
			return future.Async(context.Background(), func(ctx context.Context) (int, error) {
				touch(held)
				return d.Await(ctx)
			})
		}},
		{"Follow", false, func(d deferred, held *big) deferred {
			e, res := future.New[int]()
			res.Follow(d)
			return e
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			held := new(big)
			d, res := future.New[int]()
			e := c.link(d, held)
			if c.fail {
				res.Fail(errA)
			} else {
				res.Succeed(1)
			}
			if _, err := e.Result(); err == future.ErrPending {
				t.Fatal("it has not run")
			}
			from, weakHeld := weak.Make(d), weak.Make(held)
			d, held, res = nil, nil, future.Resolver[int]{}
			wantGone(t, "the source", from)
			wantGone(t, "what the function holds", weakHeld)
			runtime.KeepAlive(e)
		})
	}
}

// A settled gather lets go of its inputs.
func TestGathersLetGo(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[*big]
	for _, c := range []struct {
		name   string
		gather func(a, b deferred) any
		value  bool // the result does not hold the values either
	}{
		{"All", func(a, b deferred) any { return future.All(a, b) }, false},
		{"AllSettled", func(a, b deferred) any { return future.AllSettled(a, b) }, false},
		{"Any", func(a, b deferred) any { return future.Any(a, b) }, false},
		{"Race", func(a, b deferred) any { return future.Race(a, b) }, false},
		{"Race of a pending one", func(a, b deferred) any {
			x, _ := future.New[*big]()
			return future.Race(a, x, b)
		}, false},
		{"Join2", func(a, b deferred) any {
			return future.Join2(a, b, func(_, _ *big) (int, error) { return 1, nil })
		}, true},
	} {
		for _, settled := range []bool{false, true} {
			name := c.name + ", pending"
			if settled {
				name = c.name + ", settled"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a, resA := future.New[*big]()
				b, resB := future.New[*big]()
				value := new(big)
				value.use()
				if settled {
					resA.Succeed(value)
					resB.Succeed(value)
				}
				g := c.gather(a, b)
				resA.Succeed(value)
				resB.Succeed(value)
				weakA, weakB, weakValue := weak.Make(a), weak.Make(b), weak.Make(value)
				a, b, value = nil, nil, nil
				resA, resB = future.Resolver[*big]{}, future.Resolver[*big]{}
				wantGone(t, "the first input", weakA)
				wantGone(t, "the second input", weakB)
				if c.value {
					wantGone(t, "the value", weakValue)
				}
				runtime.KeepAlive(g)
			})
		}
	}
}

// What leaves a source that lives long leaves nothing behind.
func TestLeaversLeaveNothing(t *testing.T) {
	type deferred = *future.Deferred[int]
	const n = 100_000 / (1 + 9*underRace)
	for _, c := range []struct {
		name  string
		visit func(long deferred)
	}{
		{"losers of a race", func(long deferred) {
			d, res := future.New[int]()
			future.Race(long, d)
			res.Succeed(1)
		}},
		{"losers of any", func(long deferred) { future.Any(future.Succeed(1), long) }},
		{"inputs of a failed all", func(long deferred) {
			d, res := future.New[int]()
			future.All(d, long).Catch(func(error) ([]int, error) { return nil, nil })
			res.Fail(errA)
		}},
		{"canceled callbacks", func(long deferred) { future.Then(long, inc).Cancel(nil) }},
		{"canceled chains", func(long deferred) { future.Then(future.Then(long, inc), inc).Cancel(nil) }},
		{"canceled shields", func(long deferred) { long.Shield().Cancel(nil) }},
		{"contexts that ended", func(long deferred) {
			ctx, cancel := context.WithCancel(context.Background())
			e := long.WithContext(ctx)
			cancel()
			<-e.Done()
		}},
		{"waits that gave up", func(long deferred) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			long.Await(ctx)
		}},
		{"coroutines that were canceled", func(long deferred) {
			future.Async(context.Background(), long.Await).Cancel(nil)
		}},
		{"loops that were left", func(long deferred) {
			for range future.AsCompleted(context.Background(), future.Succeed(1), long) {
				break
			}
		}},
		{"followers that were canceled", func(long deferred) {
			d, res := future.New[int]()
			res.Follow(long)
			d.Cancel(nil)
		}},
		{"what was taken over and canceled", func(long deferred) {
			gate, open := future.New[int]()
			inner := future.ThenFlat(gate, func(int) deferred { return long })
			outer := future.ThenFlat(gate, func(int) deferred { return inner })
			open.Succeed(1)
			outer.Cancel(nil)
		}},
		{"channels", func(long deferred) { long.Done() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rounds := n
			switch c.name {
			case "contexts that ended", "coroutines that were canceled":
				rounds /= 10 // each starts a goroutine
			}
			long, res := future.New[int]()
			stays := future.Then(long, inc)
			long.Done()
			before := heapNow()
			for range rounds {
				c.visit(long)
			}
			if grown := heapNow() - before; grown > little/4/(1+9*underRace)+64<<10 {
				t.Errorf("the heap grew by %d bytes over %d visits", grown, rounds)
			}
			res.Succeed(1)
			wantOutcome(t, stays, 2, nil)
		})
	}
}

// Readers leave in any order in linear time.
func TestManyReadersLeave(t *testing.T) {
	t.Parallel()
	const n = 30_000 / (1 + 9*underRace)
	for _, c := range []struct {
		name string
		at   func(i int) int
	}{
		{"in order", func(i int) int { return i }},
		{"in reverse order", func(i int) int { return n - 1 - i }},
		{"every other first", func(i int) int { return (2*i + 2*i/n) % n }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, res := future.New[int]()
			ds := make([]*future.Deferred[int], n)
			for i := range ds {
				ds[i] = future.Then(d, inc)
			}
			last := future.Then(d, inc)
			for i := range ds {
				ds[c.at(i)].Cancel(errA)
			}
			for i := range ds {
				wantError(t, ds[i], "", future.ErrCanceled)
			}
			res.Succeed(1)
			wantOutcome(t, last, 2, nil)
		})
	}
}

// Polling a Deferred that was taken over does not undo the take-over.
func TestPollingALoop(t *testing.T) {
	const rounds = 100_000 / (1 + 4*underRace)
	var now future.Resolver[int]
	var round func() *future.Deferred[int]
	var latest *future.Deferred[int]
	round = func() *future.Deferred[int] {
		var d *future.Deferred[int]
		d, now = future.New[int]()
		latest = future.ThenFlat(d, func(int) *future.Deferred[int] { return round() })
		return latest
	}
	outer := round()
	before := heapNow()
	for range rounds {
		polled := latest
		now.Succeed(1)
		wantPending(t, polled)
		wantPending(t, outer)
	}
	if grown := heapNow() - before; grown > little {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	outer.Cancel(nil)
	wantError(t, latest, "", future.ErrCanceled)
}
