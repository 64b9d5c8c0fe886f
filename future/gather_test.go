package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// wantSlice fails the test unless d has succeeded with vs.
func wantSlice[T comparable](t testing.TB, d *future.Deferred[[]T], vs ...T) {
	t.Helper()
	if got, err := d.Result(); err != nil || !slices.Equal(got, vs) {
		t.Errorf("Result() = %v, %v, want %v", got, err, vs)
	}
}

func TestGatherNothing(t *testing.T) {
	wantSlice(t, future.All[int]())
	wantSlice(t, future.AllSettled[int]())
	wantSlice(t, future.MapN(3, nil, func(int) *future.Deferred[int] { panic("called") }))
	if vs, _ := future.All[int]().Result(); vs == nil {
		t.Error("All of nothing is nil, want an empty slice")
	}
	wantError(t, future.Any[int](), "Any: no input")
	wantError(t, future.Race[int](), "Race: no input")
	for range future.AsCompleted[int](context.Background()) {
		t.Error("AsCompleted of nothing yields something")
	}
}

func TestGatherNil(t *testing.T) {
	d := future.Succeed(1)
	ctx := context.Background()
	f := func(int, int) (int, error) { return 0, nil }
	for name, call := range map[string]func(){
		"All":         func() { future.All(d, nil) },
		"AllSettled":  func() { future.AllSettled(nil, d) },
		"Any":         func() { future.Any(d, nil) },
		"Race":        func() { future.Race(d, nil) },
		"AsCompleted": func() { future.AsCompleted(ctx, d, nil) },
		"Join2":       func() { future.Join2(d, (*future.Deferred[int])(nil), f) },
		"Join3": func() {
			future.Join3(d, d, (*future.Deferred[int])(nil), func(_, _, _ int) (int, error) { return 0, nil })
		},
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, call, name, "nil *Deferred") })
	}
	mustPanic(t, func() { future.Join2[int, int, int](d, d, nil) }, "Join2", "nil function")
	mustPanic(t, func() { future.Join3[int, int, int, int](d, d, d, nil) }, "Join3", "nil function")
	mustPanic(t, func() { future.MapN[int, int](1, []int{1}, nil) }, "MapN", "nil function")
	mustPanic(t, func() { future.MapN(0, []int{1}, func(int) *future.Deferred[int] { return d }) }, "MapN(0)", "at least one")
	mustPanic(t, func() { future.MapN(-3, nil, func(int) *future.Deferred[int] { return d }) }, "MapN(-3)", "at least one")
	mustPanic(t, func() { future.AsCompleted(noContext, d) }, "AsCompleted", "nil context")
}

func TestAllKeepsTheOrderOfTheInputs(t *testing.T) {
	clk := clock.NewVirtual()
	d := future.All(future.After(clk, 3, "a"), future.Succeed("b"), future.After(clk, 1, "c"), future.After(clk, 2, "d"))
	clk.Advance(2)
	wantPending(t, d)
	clk.Advance(1)
	wantSlice(t, d, "a", "b", "c", "d")
}

func TestAllCopiesItsInputs(t *testing.T) {
	a, ra := future.New[int]()
	ds := []*future.Deferred[int]{a, future.Succeed(2)}
	d := future.All(ds...)
	ds[0], ds[1] = nil, nil
	ra.Succeed(1)
	wantSlice(t, d, 1, 2)
}

func TestTheSameInputTwice(t *testing.T) {
	a, ra, calls := counting()
	d := future.All(a, a)
	e := future.AllSettled(a, a)
	d.Cancel(nil)
	if len(*calls) != 0 {
		t.Error("canceled although another gather reads it")
	}
	ra.Succeed(1)
	outs, _ := e.Result()
	if want := []future.Outcome[int]{{Value: 1}, {Value: 1}}; !slices.Equal(outs, want) {
		t.Errorf("AllSettled gave %v", outs)
	}
	a, _, calls = counting()
	future.All(a, a).Cancel(nil)
	if len(*calls) != 1 {
		t.Errorf("the input was canceled %d times", len(*calls))
	}
}

// The first failure in time is the outcome, with the input's own error; the
// losers are canceled, in order, before it settles.
func TestAllFirstFailure(t *testing.T) {
	var d *future.Deferred[[]int]
	var log journal
	ds := make([]*future.Deferred[int], 4)
	ress := make([]future.Resolver[int], 4)
	for i := range ds {
		ds[i], ress[i] = future.New[int]()
		ress[i].OnCancel(func(cause error) {
			log.add("%d", i)
			wantPending(t, d)
			if !errors.Is(cause, errB) {
				t.Errorf("loser %d was told %v, want the failure", i, cause)
			}
			if i == 3 {
				ress[i].Fail(errC)
			}
		})
	}
	d = future.All(ds...)
	ress[1].Succeed(1)
	ress[2].Fail(errB)
	wantOutcome(t, future.Then(d, func(v []int) (int, error) { return 0, nil }), 0, errB)
	log.want(t, "0", "3")
	_, err := ds[0].Result()
	wantCanceled(t, err, errB)
}

func TestGatherOfSettledInputs(t *testing.T) {
	ok, bad, worse := future.Succeed(1), future.Fail[int](errA), future.Fail[int](errB)
	pending, _, calls := counting()
	_, err := future.All(pending, ok, bad, worse).Result()
	if err != errA {
		t.Errorf("All failed with %v, want the first failure in order", err)
	}
	if len(*calls) != 1 {
		t.Errorf("the loser was canceled %d times", len(*calls))
	}
	pending, _, calls = counting()
	wantOutcome(t, future.Any(pending, bad, ok), 1, nil)
	wantOutcome(t, future.Race(bad, pending, ok), 0, errA)
	if len(*calls) != 1 {
		t.Errorf("the loser was canceled %d times", len(*calls))
	}
}

func TestShieldKeepsALoser(t *testing.T) {
	for name, gather := range map[string]func(ds ...*future.Deferred[int]) *future.Deferred[int]{
		"Race": future.Race[int],
		"Any":  future.Any[int],
		"All": func(ds ...*future.Deferred[int]) *future.Deferred[int] {
			return future.Then(future.All(ds...), func([]int) (int, error) { return 0, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			loser, loserRes, calls := counting()
			winner, winnerRes := future.New[int]()
			d := gather(loser.Shield(), winner)
			if name == "All" {
				winnerRes.Fail(errA)
			} else {
				winnerRes.Succeed(5)
			}
			if _, err := d.Result(); err == future.ErrPending {
				t.Error("the gather is pending")
			}
			if len(*calls) != 0 {
				t.Error("the shielded loser was canceled")
			}
			loserRes.Succeed(3)
			wantOutcome(t, loser, 3, nil)
		})
	}
}

func TestALoserThatOthersReadGoesOn(t *testing.T) {
	loser, loserRes, calls := counting()
	other := future.Then(loser, plus(1))
	wantOutcome(t, future.Race(loser, future.Succeed(9)), 9, nil)
	if len(*calls) != 0 {
		t.Error("the loser was canceled although another reads it")
	}
	loserRes.Succeed(1)
	wantOutcome(t, other, 2, nil)
}

func TestAllSettled(t *testing.T) {
	a, ra := future.New[int]()
	b, rb := future.New[int]()
	c, _, calls := counting()
	d := future.AllSettled(a, b, c, future.Succeed(4))
	rb.Fail(errB)
	ra.Succeed(1)
	wantPending(t, d)
	d.Cancel(errCause) // and still it does not fail
	outs, err := d.Result()
	if err != nil || len(outs) != 4 {
		t.Fatalf("Result() = %v, %v", outs, err)
	}
	if outs[0] != (future.Outcome[int]{Value: 1}) || outs[1].Err != errB || outs[3].Value != 4 {
		t.Errorf("outcomes are %v", outs)
	}
	wantCanceled(t, outs[2].Err, errCause)
	if len(*calls) != 1 {
		t.Errorf("canceled %d times", len(*calls))
	}
}

// A canceled AllSettled waits for what its inputs make of it.
func TestAllSettledWaitsForTheCanceled(t *testing.T) {
	cleanup, done := future.New[int]()
	slow := future.Async(context.Background(), func(ctx context.Context) (int, error) {
		never, _ := future.New[int]()
		if _, err := never.Await(ctx); err != nil {
			return cleanup.Await(context.WithoutCancel(ctx))
		}
		return 0, nil
	})
	d := future.AllSettled(slow)
	d.Cancel(nil)
	wantPending(t, d)
	done.Succeed(6)
	if outs, err := d.Result(); err != nil || outs[0] != (future.Outcome[int]{Value: 6}) {
		t.Errorf("Result() = %v, %v", outs, err)
	}
}

func TestAny(t *testing.T) {
	a, ra := future.New[int]()
	b, rb := future.New[int]()
	c, rc := future.New[int]()
	d := future.Any(a, b, c)
	rc.Fail(errC)
	ra.Fail(errA)
	wantPending(t, d)
	rb.Fail(errB)
	_, err := d.Result()
	for _, want := range []error{errA, errB, errC} {
		if !errors.Is(err, want) {
			t.Errorf("error %v does not match %v", err, want)
		}
	}
	if got := text(err); got != "a & b & c" {
		t.Errorf("errors are %q, want them in the order of the inputs", got)
	}
	_, err = future.Any(future.Fail[int](errA)).Result()
	if !errors.Is(err, errA) {
		t.Errorf("Any of one failure: %v", err)
	}
	a, ra = future.New[int]()
	b, _, calls := counting()
	var pending bool
	e := future.Any(future.Fail[int](errA), a, b)
	b.Catch(func(err error) (int, error) { _, got := e.Result(); pending = got == future.ErrPending; return 0, nil })
	ra.Succeed(2)
	wantOutcome(t, e, 2, nil)
	if len(*calls) != 0 || pending {
		t.Error("a loser with another reader was canceled")
	}
}

func TestRaceCancelsBeforeItSettles(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var d *future.Deferred[int]
		var log journal
		loser := func(name string) *future.Deferred[int] {
			d0, res := future.New[int]()
			res.OnCancel(func(cause error) {
				log.add("%s", name)
				wantPending(t, d)
				if errors.Is(cause, errA) {
					t.Errorf("a loser of Race was told %v", cause)
				}
			})
			return d0
		}
		w, res := future.New[int]()
		d = future.Race(loser("1"), w, loser("2"))
		res.Settle(4, map[bool]error{true: errA}[fails])
		log.want(t, "1", "2")
		if fails {
			wantOutcome(t, d, 0, errA)
		} else {
			wantOutcome(t, d, 4, nil)
		}
	}
}

func TestJoin(t *testing.T) {
	a, ra := future.New[int]()
	b, rb := future.New[string]()
	c, rc := future.New[bool]()
	two := future.Join2(a, b, func(a int, b string) (string, error) { return fmt.Sprint(a, b), nil })
	three := future.Join3(a, b, c, func(a int, b string, c bool) (string, error) { return fmt.Sprint(a, b, c), errB })
	rc.Succeed(true)
	rb.Succeed("x")
	wantPending(t, two)
	ra.Succeed(1)
	wantOutcome(t, two, "1x", nil)
	wantOutcome(t, three, "", errB)
	boom := future.Join2(a, b, func(int, string) (int, error) { panic(errC) })
	wantError(t, boom, "c", failure.ErrPanic, errC)
}

func TestJoinFirstFailure(t *testing.T) {
	for i := range 3 {
		ds := make([]*future.Deferred[int], 3)
		ress := make([]future.Resolver[int], 3)
		calls := make([]int, 3)
		for k := range ds {
			ds[k], ress[k] = future.New[int]()
			ress[k].OnCancel(func(error) { calls[k]++ })
		}
		d := future.Join3(ds[0], ds[1], ds[2], func(_, _, _ int) (int, error) { t.Error("f ran"); return 0, nil })
		ress[i].Fail(errA)
		wantOutcome(t, d, 0, errA)
		want := []int{1, 1, 1}
		want[i] = 0
		if !slices.Equal(calls, want) {
			t.Errorf("input %d failed: canceled %v, want %v", i, calls, want)
		}
	}
}

// A gather runs where its first input does.
func TestGatherRunsWhereItsFirstInputDoes(t *testing.T) {
	x := new(foreign)
	a, ra := future.NewOn[int](x)
	b, rb := future.New[int]()
	onX := future.Then(future.All(a, b), func(vs []int) (int, error) { return len(vs), nil })
	inline := future.Then(future.All(b, a), func(vs []int) (int, error) { return len(vs), nil })
	ra.Succeed(1)
	rb.Succeed(2)
	wantOutcome(t, inline, 2, nil)
	wantPending(t, onX)
	if steps := x.run(); steps != 1 { // passing outcomes on is no step
		t.Errorf("%d steps, want 1", steps)
	}
	wantOutcome(t, onX, 2, nil)
}

func TestNestedGathers(t *testing.T) {
	clk := clock.NewVirtual()
	var log journal
	job := func(d time.Duration) *future.Deferred[int] {
		return future.After(clk, d, int(d)).Catch(func(err error) (int, error) { log.add("%d", d); return 0, err })
	}
	d := future.All(
		future.Any(job(5), job(2)),
		future.Race(job(4), future.Then(future.All(job(1), job(3)), func(vs []int) (int, error) { return vs[0] + vs[1], nil })),
		future.Then(future.MapN(2, []int{1, 2, 3}, func(i int) *future.Deferred[int] { return job(time.Duration(i)) }), func(vs []int) (int, error) { return len(vs), nil }),
	)
	clk.Run()
	wantSlice(t, d, 2, 4, 3)
	log.want(t, "5", "4")
	if n := clk.Pending(); n != 0 {
		t.Errorf("%d timers left", n)
	}
}

func TestMapN(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			clk := clock.NewVirtual()
			running, most := 0, 0
			var started []int
			in := []int{5, 1, 4, 1, 3, 2, 6}
			d := future.MapN(n, in, func(v int) *future.Deferred[int] {
				started = append(started, v)
				running++
				most = max(most, running)
				return future.After(clk, time.Duration(v), v*10).Finally(func() error { running--; return nil })
			})
			if len(started) != min(n, len(in)) {
				t.Errorf("%d started within the call, want %d", len(started), min(n, len(in)))
			}
			in[6] = 1000 // it has its own copy
			clk.Run()
			wantSlice(t, d, 50, 10, 40, 10, 30, 20, 60)
			if most != min(n, 7) || !slices.Equal(started, []int{5, 1, 4, 1, 3, 2, 6}) {
				t.Errorf("at most %d ran at a time, started in order %v", most, started)
			}
		})
	}
}

func TestMapNFirstFailure(t *testing.T) {
	for _, kind := range []string{"fails", "panics", "nil", "panics at once", "fails at once"} {
		t.Run(kind, func(t *testing.T) {
			var d *future.Deferred[[]int]
			var log journal
			resolvers := map[int]future.Resolver[int]{}
			d = future.MapN(3, []int{0, 1, 2, 3, 4, 5}, func(i int) *future.Deferred[int] {
				log.add("start%d", i)
				switch {
				case kind == "panics at once" && i == 1, kind == "panics" && i == 3:
					panic(errA)
				case kind == "fails at once" && i == 1:
					return future.Fail[int](errA)
				case kind == "nil" && i == 3:
					return nil
				}
				d0, res := future.New[int]()
				resolvers[i] = res
				res.OnCancel(func(error) {
					log.add("cancel%d", i)
					if d != nil {
						wantPending(t, d)
					}
				})
				return d0
			})
			switch kind {
			case "fails":
				resolvers[1].Succeed(1)
				resolvers[2].Fail(errA)
				log.want(t, "start0", "start1", "start2", "start3", "cancel0", "cancel3")
			case "panics", "nil":
				resolvers[1].Succeed(1)
				log.want(t, "start0", "start1", "start2", "start3", "cancel0", "cancel2")
			default: // a failure within the call starts nothing more
				log.want(t, "start0", "start1", "cancel0")
			}
			switch kind {
			case "nil":
				wantError(t, d, "nil *Deferred")
			case "panics", "panics at once":
				wantError(t, d, "a", failure.ErrPanic, errA)
			default:
				_, err := d.Result()
				if err != errA {
					t.Errorf("failed with %v, want the element's own error", err)
				}
			}
		})
	}
}

func TestMapNCancel(t *testing.T) {
	for _, kind := range []string{"fails", "succeeds"} {
		t.Run(kind, func(t *testing.T) {
			var log journal
			d := future.MapN(2, []int{0, 1, 2, 3, 4}, func(i int) *future.Deferred[int] {
				log.add("start%d", i)
				d, res := future.New[int]()
				res.OnCancel(func(error) {
					log.add("cancel%d", i)
					if kind == "succeeds" {
						res.Succeed(i)
					}
				})
				return d
			})
			d.Cancel(errCause)
			log.want(t, "start0", "start1", "cancel0", "cancel1")
			_, err := d.Result()
			wantCanceled(t, err, errCause)
		})
	}
}

// A Cancel from inside f goes to what f returns, and nothing more starts.
func TestMapNCancelInside(t *testing.T) {
	var d *future.Deferred[[]int]
	var log journal
	first, res := future.New[int]()
	d = future.MapN(1, []int{0, 1, 2}, func(i int) *future.Deferred[int] {
		log.add("start%d", i)
		if i == 0 {
			return first
		}
		d.Cancel(errCause)
		d, res := future.New[int]()
		res.OnCancel(func(error) { log.add("cancel%d", i) })
		return d
	})
	res.Succeed(1)
	log.want(t, "start0", "start1", "cancel1")
	_, err := d.Result()
	wantCanceled(t, err, errCause)
}

// Settled elements are gone through by a loop, not by recursion.
func TestMapNOfSettled(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	in := make([]int, 10_000)
	for i := range in {
		in[i] = i
	}
	for _, n := range []int{1, 7, len(in)} {
		d := future.MapN(n, in, func(i int) *future.Deferred[int] { return future.Succeed(i) })
		wantSlice(t, d, in...)
		d = future.MapN(n, in, func(i int) *future.Deferred[int] {
			return future.ThenFlat(future.Succeed(i), func(i int) *future.Deferred[int] { return future.Succeed(i) })
		})
		wantSlice(t, d, in...)
	}
	src, res := future.New[int]()
	d := future.MapN(3, in, func(i int) *future.Deferred[int] { return future.Then(src, plus(i)) })
	res.Succeed(0)
	wantSlice(t, d, in...)
}

func TestMapNOnALoop(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	d := future.MapN(3, []int{1, 2, 3, 4, 5, 6}, func(i int) *future.Deferred[int] {
		return future.Then(future.After(r, time.Duration(i), i), plus(0))
	})
	clk.Run()
	wantSlice(t, d, 1, 2, 3, 4, 5, 6)
}

func TestAsCompleted(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	run := func(ctx context.Context) (string, error) {
		var log journal
		ds := []*future.Deferred[int]{
			future.After(r, 3, 30), future.Succeed(0), future.After(r, 1, 10),
			future.Then(future.After(r, 2, 0), func(int) (int, error) { return 0, errA }),
		}
		for i, o := range future.AsCompleted(ctx, ds...) {
			log.add("%d:%d:%s", i, o.Value, text(o.Err))
		}
		return log.String(), nil
	}
	want := "1:0:ok 2:10:ok 3:0:a 0:30:ok"
	for name, d := range map[string]*future.Deferred[string]{
		"coroutine": future.AsyncOn(context.Background(), r, run),
		"inline":    future.Async(context.Background(), run),
		"worker":    future.GoOn(context.Background(), r, run),
	} {
		clk.Run()
		if got, err := d.Result(); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestAsCompletedOnAPlainGoroutine(t *testing.T) {
	a, ra := future.New[int]()
	b, rb := future.New[int]()
	c, rc := future.New[int]()
	resolvers := []future.Resolver[int]{ra, rb, rc}
	rb.Succeed(1)
	var log journal
	for i, o := range future.AsCompleted(context.Background(), a, b, c) {
		log.add("%d:%d", i, o.Value)
		if i == 1 {
			go resolvers[2].Succeed(2)
		} else {
			go resolvers[0].Succeed(0)
		}
	}
	log.want(t, "1:1", "2:2", "0:0")
}

func TestAsCompletedEndOfContext(t *testing.T) {
	a, _, aCalls := counting()
	b, _, bCalls := counting()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var indices []int
	for i, o := range future.AsCompleted(ctx, a, future.Succeed(1), b) {
		indices = append(indices, i)
		if i == 1 {
			cancel(errCause)
			continue
		}
		for _, want := range []error{context.Canceled, errCause} {
			if !errors.Is(o.Err, want) {
				t.Errorf("input %d: %v, want one that matches %v", i, o.Err, want)
			}
		}
		if o.Value != 0 {
			t.Errorf("input %d: value %d", i, o.Value)
		}
	}
	if !slices.Equal(indices, []int{1, 0, 2}) {
		t.Errorf("order is %v", indices)
	}
	for range future.AsCompleted(ctx, a, b) {
		break // while the missing ones are named
	}
	if len(*aCalls)+len(*bCalls) != 0 {
		t.Error("an input was canceled")
	}
	wantPending(t, a)
}

// After a loop has been left early, its inputs have no trace of it: they are
// not canceled, and each has as many consumers as before.
func TestAsCompletedLeftEarly(t *testing.T) {
	a, _, aCalls := counting()
	seq := future.AsCompleted(context.Background(), future.Succeed(1), a)
	for range seq {
		break
	}
	if len(*aCalls) != 0 {
		t.Error("leaving the loop canceled an input")
	}
	func() {
		defer func() { recover() }()
		for range seq {
			panic("out")
		}
	}()
	future.Then(a, plus(1)).Cancel(nil) // now it is the only consumer
	if len(*aCalls) != 1 {
		t.Error("the loop still counts as a consumer")
	}
	n := 0
	for range seq { // each range starts anew
		n++
	}
	if n != 2 {
		t.Errorf("%d outcomes, want 2", n)
	}
	before := heapNow()
	b, _ := future.New[int]()
	for range 20_000 {
		for range future.AsCompleted(context.Background(), future.Succeed(1), b) {
			break
		}
	}
	if grown := heapNow() - before; grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	wantPending(t, b)
}

// While it waits, the loop counts as a consumer.
func TestAsCompletedIsAConsumer(t *testing.T) {
	a, ra, calls := counting()
	n := 0
	d := future.Async(context.Background(), func(ctx context.Context) (int, error) {
		for range future.AsCompleted(ctx, a) {
			n++
		}
		return n, nil
	})
	future.Then(a, plus(1)).Cancel(nil)
	if len(*calls) != 0 {
		t.Error("an input that a loop waits for was canceled")
	}
	ra.Succeed(1)
	wantOutcome(t, d, 1, nil)
}

// Settled from other goroutines while the gather is being made.
func TestGatherWhileInputsSettle(t *testing.T) {
	for round := range 500 {
		const n = 6
		ds := make([]*future.Deferred[int], n)
		ress := make([]future.Resolver[int], n)
		for i := range ds {
			ds[i], ress[i] = future.New[int]()
		}
		var all *future.Deferred[[]int]
		var settled *future.Deferred[[]future.Outcome[int]]
		var any, race *future.Deferred[int]
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				<-start
				if round%3 == 0 && i == round%n {
					ress[i].Fail(errA)
				} else {
					ress[i].Succeed(i)
				}
			})
		}
		wg.Go(func() {
			<-start
			all = future.All(shielded(ds)...)
			settled = future.AllSettled(ds...)
			any = future.Any(shielded(ds)...)
			race = future.Race(shielded(ds)...)
		})
		close(start)
		wg.Wait()
		vs, err := all.Result()
		if round%3 == 0 {
			if err != errA {
				t.Fatalf("All: %v, %v", vs, err)
			}
		} else if err != nil || !slices.Equal(vs, []int{0, 1, 2, 3, 4, 5}) {
			t.Fatalf("All: %v, %v", vs, err)
		}
		outs, err := settled.Result()
		if err != nil || len(outs) != n {
			t.Fatalf("AllSettled: %v, %v", outs, err)
		}
		for i, o := range outs {
			if o.Err == nil && o.Value != i {
				t.Fatalf("AllSettled: %v", outs)
			}
		}
		if v, err := any.Result(); err != nil || v < 0 || v >= n {
			t.Fatalf("Any: %v, %v", v, err)
		}
		if v, err := race.Result(); err == future.ErrPending {
			t.Fatalf("Race: %v, %v", v, err)
		}
	}
}

func shielded(ds []*future.Deferred[int]) []*future.Deferred[int] {
	out := make([]*future.Deferred[int], len(ds))
	for i, d := range ds {
		out[i] = d.Shield()
	}
	return out
}

// A gather that has settled keeps neither its inputs nor its losers alive.
func TestAGatherLetsGo(t *testing.T) {
	keep, _ := future.New[int]()
	before := heapNow()
	for range 50_000 {
		future.Race(keep.Shield(), future.Succeed(1))
		future.Any(keep, future.Succeed(1))
	}
	if grown := heapNow() - before; grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	wantPending(t, keep)
}

// When the context has ended, an input that has settled still has its outcome.
func TestAsCompletedEndOfContextKeepsOutcomes(t *testing.T) {
	pending, _ := future.New[int]()
	late, res := future.New[int]()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := map[int]future.Outcome[int]{}
	for i, o := range future.AsCompleted(ctx, future.Succeed(1), pending, late) {
		got[i] = o
		switch i {
		case 0:
			cancel()
		case 1:
			res.Succeed(3)
		}
	}
	if got[0].Value != 1 || !errors.Is(got[1].Err, context.Canceled) || got[2] != (future.Outcome[int]{Value: 3}) {
		t.Errorf("got %v", got)
	}
}
