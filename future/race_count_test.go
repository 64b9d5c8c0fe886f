package future_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// This file counts callbacks while many goroutines and two loops work on the
// same Deferreds, and holds the interleavings that were once wrong, each in a
// test of its own.

// A raceCount is what many goroutines make: Deferreds on two loops and inline,
// each of older ones, so that all can settle. It counts the calls of every
// callback.
type raceCount struct {
	loops [2]*reactor.Reactor
	state [2]int // touched by callbacks of a loop only, without a lock

	mu    sync.Mutex
	made  []raceMade
	roots []future.Resolver[int]
	calls []*raceCall

	awaits, gaveUp, settled atomic.Int32
	wg                      sync.WaitGroup
}

// A raceMade is a Deferred and the number of its loop.
type raceMade struct {
	d    *future.Deferred[int]
	loop int
}

const raceInline = -1

// A raceCall is one callback.
type raceCall struct {
	times atomic.Int32
	least int32 // it runs at least so often: once, or perhaps not at all
}

func (c *raceCount) add(d *future.Deferred[int], loop int) {
	c.mu.Lock()
	c.made = append(c.made, raceMade{d, loop})
	c.mu.Unlock()
}

// pick is one of those that were made, rather a late one.
func (c *raceCount) pick(rng *rand.Rand) raceMade {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[len(c.made)-1-rng.IntN(min(len(c.made), 1+rng.IntN(40)))]
}

// counted returns what a callback of a Deferred of the loop does first.
func (c *raceCount) counted(t *testing.T, loop int, least int32) (called func()) {
	call := &raceCall{least: least}
	c.mu.Lock()
	c.calls = append(c.calls, call)
	c.mu.Unlock()
	return func() {
		call.times.Add(1)
		if loop == raceInline {
			return
		}
		c.state[loop]++
		if at := raceLoopOf(); at != loop {
			t.Errorf("a callback of loop %d ran on loop %d", loop, at)
		}
	}
}

// The loops run below functions of their own, which a stack shows.
func raceLoop0(r *reactor.Reactor) error { return r.Run(background) }
func raceLoop1(r *reactor.Reactor) error { return r.Run(background) }

// raceLoopOf is the number of the loop on whose goroutine it is called.
func raceLoopOf() int {
	buf := make([]byte, 1<<16)
	stack := string(buf[:runtime.Stack(buf, false)])
	for i := range 2 {
		if strings.Contains(stack, fmt.Sprintf("future_test.raceLoop%d(", i)) {
			return i
		}
	}
	return raceInline
}

// root makes a Deferred with a Resolver.
func (c *raceCount) root(t *testing.T, rng *rand.Rand) {
	loop := rng.IntN(3) - 1
	d, res := future.New[int]()
	if loop != raceInline {
		d, res = future.NewOn[int](c.loops[loop])
	}
	asked := c.counted(t, raceInline, 0)
	switch rng.IntN(3) {
	case 0:
		res.OnCancel(func(error) { asked(); res.Succeed(1) })
	case 1:
		old := c.pick(rng).d
		res.OnCancel(func(error) { asked(); res.Follow(old) })
	}
	c.add(d, loop)
	c.mu.Lock()
	c.roots = append(c.roots, res)
	c.mu.Unlock()
}

// act does one thing.
func (c *raceCount) act(t *testing.T, rng *rand.Rand) {
	a, b := c.pick(rng), c.pick(rng)
	loop := rng.IntN(2)
	switch rng.IntN(16) {
	case 0, 1:
		c.root(t, rng)
	case 2, 3, 4:
		c.mu.Lock()
		res := c.roots[rng.IntN(len(c.roots))]
		c.mu.Unlock()
		res.Settle(1, []error{nil, nil, errA}[rng.IntN(3)])
	case 5, 6:
		a.d.Cancel(errCause)
	case 7:
		d, res := future.New[int]()
		res.Follow(a.d)
		c.add(d, raceInline)
	case 8:
		c.add(a.d.On(c.loops[loop]), loop)
	case 9:
		c.add(a.d.Shield().Timeout(c.loops[loop], time.Duration(rng.IntN(50))*time.Microsecond), a.loop)
	case 10:
		c.await(a.d)
	case 11:
		a.d.Done()
		a.d.Result()
	case 12:
		c.add(raceGather(rng, a.d, b.d, c.pick(rng).d), a.loop)
	default:
		c.chain(t, rng, a, b)
	}
}

// raceGather gathers ds in one of the ways. All run where the first one does.
func raceGather(rng *rand.Rand, ds ...*future.Deferred[int]) *future.Deferred[int] {
	switch rng.IntN(5) {
	case 0:
		return future.Race(ds...)
	case 1:
		return future.Any(ds...)
	case 2:
		return future.Then(future.All(ds...), func(vs []int) (int, error) { return len(vs), nil })
	case 3:
		return future.Join2(ds[0], ds[1], func(a, b int) (int, error) { return a + b, nil })
	}
	return future.Then(future.AllSettled(ds...), func(outs []future.Outcome[int]) (int, error) { return len(outs), nil })
}

// chain attaches a counted callback to a.
func (c *raceCount) chain(t *testing.T, rng *rand.Rand, a, b raceMade) {
	kind := rng.IntN(4)
	least := int32(1)
	if kind == 2 {
		least = 0
	}
	called := c.counted(t, a.loop, least)
	inner := func(int) *future.Deferred[int] {
		called()
		return b.d
	}
	var d *future.Deferred[int]
	switch kind {
	case 0:
		d = future.Handle(a.d, func(v int, err error) (int, error) { called(); return v, err })
	case 1:
		d = a.d.Finally(func() error { called(); return nil })
	case 2:
		d = future.ThenFlat(a.d, inner)
	case 3:
		d = future.Flatten(future.Handle(a.d, func(v int, _ error) (*future.Deferred[int], error) { return inner(v), nil }))
	}
	c.add(d, a.loop)
}

// await waits for d on a goroutine, with a context that ends meanwhile.
func (c *raceCount) await(d *future.Deferred[int]) {
	ctx, cancel := context.WithCancelCause(background)
	c.awaits.Add(1)
	c.wg.Go(func() {
		if _, err := d.Await(ctx); err == future.ErrPending {
			return
		}
		c.gaveUp.Add(1)
	})
	c.wg.Go(func() {
		runtime.Gosched()
		cancel(errCause)
	})
}

// Whatever many goroutines and two loops do to each other's Deferreds, each
// settles, each callback runs once, where it belongs, and each Await returns.
func TestCountInARace(t *testing.T) {
	for seed := range uint64(12) {
		c := new(raceCount)
		var ran sync.WaitGroup
		for i, run := range []func(*reactor.Reactor) error{raceLoop0, raceLoop1} {
			c.loops[i] = reactor.New(clock.System(), quietly)
			ran.Go(func() { run(c.loops[i]) })
		}
		c.add(future.Succeed(0), raceInline)
		c.root(t, rand.New(rand.NewPCG(seed, 99)))
		var actors sync.WaitGroup
		for g := range uint64(6) {
			actors.Go(func() {
				rng := rand.New(rand.NewPCG(seed, g))
				for range 80 {
					c.act(t, rng)
				}
			})
		}
		actors.Wait()
		c.finish(t, seed)
		for _, r := range c.loops {
			r.Stop()
		}
		ran.Wait()
	}
}

// finish settles the roots and counts.
func (c *raceCount) finish(t *testing.T, seed uint64) {
	for _, res := range c.roots {
		res.Succeed(3)
	}
	for _, m := range c.made {
		m.d.Await(background)
		if _, err := m.d.Result(); err != future.ErrPending {
			c.settled.Add(1)
		}
	}
	c.wg.Wait()
	if int(c.settled.Load()) != len(c.made) {
		t.Errorf("seed %d: %d of %d have settled", seed, c.settled.Load(), len(c.made))
	}
	if c.gaveUp.Load() != c.awaits.Load() {
		t.Errorf("seed %d: %d of %d awaits have returned", seed, c.gaveUp.Load(), c.awaits.Load())
	}
	for i, call := range c.calls {
		if n := call.times.Load(); n < call.least || n > 1 {
			t.Errorf("seed %d: callback %d ran %d times, want at least %d", seed, i, n, call.least)
		}
	}
}

// A reader that leaves a Deferred is in its ring for a while, and is run by
// another goroutine meanwhile: Done looks at the ring.
func TestDoneRacesWithALeave(t *testing.T) {
	for range 500 {
		d, res := future.New[int]()
		first := future.Then(d, inc)
		future.Then(d, inc)
		var wg sync.WaitGroup
		wg.Go(func() { first.Cancel(nil) })
		wg.Go(func() { d.Done() })
		wg.Wait()
		res.Succeed(1)
		if _, err := first.Result(); !errors.Is(err, future.ErrCanceled) || !isClosed(d.Done()) {
			t.Fatalf("%v, %v", first, d)
		}
	}
}

// What the first calls of MapN started settles, on another goroutine, before
// MapN has put its result together.
func TestMapNRacesWithItsStart(t *testing.T) {
	for range 500 {
		var wg sync.WaitGroup
		d := future.MapN(2, []int{1, 2, 3, 4}, func(i int) *future.Deferred[int] {
			d, res := future.New[int]()
			wg.Go(func() { res.Succeed(i) })
			return d
		})
		if vs, err := d.Await(t.Context()); err != nil || fmt.Sprint(vs) != "[1 2 3 4]" {
			t.Fatalf("%v, %v", vs, err)
		}
		wg.Wait()
	}
}

// One goroutine closes a cycle, another cancels what is to fail for it, which
// leaves what it has just begun to follow. It leaves once.
func TestCycleRacesWithACancel(t *testing.T) {
	for range 3000 {
		d, res := future.New[int]()
		root, open := future.New[int]()
		next := future.Any(future.Then(d, inc).Shield(), root)
		others := []*future.Deferred[int]{future.Then(next, inc), future.Then(next, inc), future.Then(d, inc)}
		var wg sync.WaitGroup
		wg.Go(func() { res.Follow(next) })
		wg.Go(func() { d.Cancel(errCause) })
		wg.Wait()
		open.Succeed(1)
		for _, o := range append(others, d, next) {
			if _, err := o.Result(); err == future.ErrPending {
				t.Fatalf("%v of %v is pending", o, others)
			}
		}
		wantOutcome(t, others[0], 2, nil)
		wantOutcome(t, others[1], 2, nil)
	}
}

// The end of a function's context runs callbacks, while the function's Deferred
// has settled and its reader, which took over another one, is still to be run.
// One of them attaches to that one.
func TestEndOfAContextMeetsATakeOver(t *testing.T) {
	t.Parallel()
	given := make(chan context.Context)
	job := future.Go(background, func(ctx context.Context) (int, error) {
		given <- ctx
		<-ctx.Done()
		return 0, ctx.Err()
	})
	ctx := <-given
	gate, open := future.New[int]()
	inner := future.ThenFlat(gate, func(int) *future.Deferred[int] { return job })
	outer := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return inner })
	open.Succeed(0)
	watched, _ := future.New[int]()
	var got *future.Deferred[int]
	watched.WithContext(ctx).Catch(func(error) (int, error) {
		got = future.Then(inner, inc)
		return 0, nil
	})
	outer.Cancel(errA)
	for _, d := range []*future.Deferred[int]{job, inner, outer, got} {
		wantError(t, d, "", future.ErrCanceled, errA)
	}
}

// The end of two take-overs has settled, and a callback before its turn cancels
// the one that took over and attaches to the one that was: that has been
// canceled too, for nobody else read it.
func TestCancelOfATakerWhoseTurnComes(t *testing.T) {
	t.Parallel()
	gate, open := future.New[int]()
	end, res := future.New[int]()
	var inner, outer, got *future.Deferred[int]
	future.Then(end, func(int) (int, error) {
		outer.Cancel(errA)
		got = future.Then(inner, inc)
		return 0, nil
	})
	inner = future.ThenFlat(gate, func(int) *future.Deferred[int] { return end })
	outer = future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return inner })
	open.Succeed(0)
	res.Succeed(5)
	for _, d := range []*future.Deferred[int]{inner, outer, got} {
		wantError(t, d, "", future.ErrCanceled, errA)
	}
}

// A canceller that lets its Deferred follow another has settled it: the panic
// after that is reported, and no reader is lost.
func TestCancellerFollowsAndPanics(t *testing.T) {
	t.Parallel()
	books := future.NewBooks()
	d, res := future.NewIn[int](books)
	inner, innerRes := future.New[int]()
	res.OnCancel(func(error) { res.Follow(inner); panic("after") })
	var j journal
	for i := range 3 {
		future.Then(d, func(v int) (int, error) { j.add("d%d:%d", i, v); return 0, nil })
	}
	d.Cancel(errA)
	for i := range 2 {
		future.Then(inner, func(v int) (int, error) { j.add("inner%d:%d", i, v); return 0, nil })
	}
	innerRes.Succeed(5)
	j.want(t, "d0:5", "d1:5", "d2:5", "inner0:5", "inner1:5")
	if errs := books.Unhandled(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "after") {
		t.Errorf("unhandled: %v", errs)
	}
}
