package lock_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// A raceAll is what many goroutines make of locks, a queue, and Deferreds on three
// loops: one on the system clock, one there that is stopped midway, and one on
// virtual time. Two of them record birthplaces, and are asked for reports. All wait
// for older ones only, also in the lines of the locks, so all can settle.
type raceAll struct {
	loops [3]*reactor.Reactor
	clk   *clock.Virtual

	mutex  lock.Mutex
	permit *lock.Semaphore
	queue  *lock.Queue[int]
	puts   atomic.Int64 // the number that is put next
	put    sync.Map     // the outcome of each, a Deferred
	got    sync.Map     // what somebody has got

	mu    sync.Mutex
	made  []*future.Deferred[int]
	roots []future.Resolver[int]
	busy  atomic.Int64 // goroutines and functions that run
}

// begins calls f on a goroutine.
func (c *raceAll) begins(f func()) {
	c.busy.Add(1)
	go func() {
		defer c.busy.Add(-1)
		f()
	}()
}

func (c *raceAll) add(d *future.Deferred[int]) *future.Deferred[int] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, d)
	return d
}

// pick is one of those that were made, rather a late one.
func (c *raceAll) pick(rng *rand.Rand) *future.Deferred[int] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[len(c.made)-1-rng.IntN(min(len(c.made), 1+rng.IntN(30)))]
}

func (c *raceAll) loop(rng *rand.Rand) *reactor.Reactor { return c.loops[rng.IntN(3)] }

func micros(rng *rand.Rand) time.Duration { return time.Duration(rng.IntN(60)) * time.Microsecond }

func (c *raceAll) root(rng *rand.Rand) {
	d, res := future.New[int]()
	if rng.IntN(2) == 0 {
		d, res = future.NewOn[int](c.loop(rng))
	}
	old := c.pick(rng)
	switch rng.IntN(3) {
	case 0:
		res.OnCancel(func(error) { res.Succeed(1) })
	case 1:
		res.OnCancel(func(error) { res.Follow(old) })
	}
	c.add(d)
	c.mu.Lock()
	c.roots = append(c.roots, res)
	c.mu.Unlock()
}

// context returns one that ends soon, in some way, and is asked for values meanwhile.
func (c *raceAll) context(rng *rand.Rand) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	if rng.IntN(2) == 0 {
		within, stop := clock.WithTimeout(ctx, c.loop(rng), micros(rng))
		ctx = within
		c.begins(func() { <-within.Done(); stop() })
	}
	looks := rng.IntN(40)
	c.begins(func() {
		for range looks {
			ctx.Value(c)
			runtime.Gosched()
		}
		cancel(errCause)
	})
	return ctx
}

// A raceTest is a test to futuretest, of which nobody hears.
type raceTest struct{ end func() }

func (*raceTest) Helper()               {}
func (*raceTest) Errorf(string, ...any) {}
func (*raceTest) Fatalf(string, ...any) {}
func (t *raceTest) Cleanup(f func())    { t.end = f }

// Whatever many goroutines, three loops and those who ask for reports do at a
// time, each Deferred settles, also when two loops stop meanwhile; and no lease and
// no value is lost.
func TestAllInARace(t *testing.T) {
	for seed := range uint64(6) {
		c := &raceAll{permit: lock.NewSemaphore(3), queue: lock.NewQueue[int](lock.Size(2))}
		quiet := reactor.Logger(slog.New(slog.NewTextHandler(io.Discard, nil)))
		var test raceTest
		c.loops[0] = reactor.New(clock.System(), quiet, reactor.Birthplaces())
		c.loops[1] = reactor.New(clock.System(), quiet)
		c.loops[2], c.clk = futuretest.New(&test)
		var ran sync.WaitGroup
		for _, r := range c.loops[:2] {
			ran.Go(func() { r.Run(context.Background()) })
		}
		var over atomic.Bool
		ran.Go(func() {
			for !over.Load() {
				c.clk.Advance(10 * time.Microsecond)
				runtime.Gosched()
			}
		})
		c.add(future.Succeed(0))
		c.root(rand.New(rand.NewPCG(seed, 99)))
		var actors sync.WaitGroup
		for g := range uint64(5) {
			actors.Go(func() {
				rng := rand.New(rand.NewPCG(seed, g))
				for i := range 60 {
					c.act(rng)
					if g == 0 && i == 30+int(seed) {
						c.loops[1].Stop()
					}
					if g == 1 && i == 50 && seed%2 == 0 {
						test.end()
					}
				}
			})
		}
		actors.Wait()
		c.finish(t, seed)
		c.loops[0].Stop()
		c.loops[1].Stop()
		over.Store(true)
		ran.Wait()
	}
}

// finish lets all end, and looks for what was lost.
func (c *raceAll) finish(t *testing.T, seed uint64) {
	for _, res := range c.roots {
		res.Succeed(3)
	}
	c.queue.Close()
	until := func(what string, is func() bool) {
		for range 20_000_000 / (1 + 39*underRace) {
			if is() {
				return
			}
			runtime.Gosched()
		}
		t.Errorf("seed %d: %s", seed, what)
	}
	for i, d := range c.made {
		until(fmt.Sprintf("number %d is pending", i), func() bool { _, err := d.Result(); return err != future.ErrPending })
	}
	until("somebody runs", func() bool { return c.busy.Load() == 0 })
	until("the mutex is locked", func() bool { _, ok := c.mutex.TryAcquire(); return ok })
	until("permits are lost", func() bool { return c.permit.Free() == 3 })
	for _, v := range c.queue.Drain() {
		c.got.Store(v, true)
	}
	for v := range int(c.puts.Load()) {
		put := false
		if d, ok := c.put.Load(v + 1); ok {
			_, err := d.(*future.Deferred[struct{}]).Result()
			put = err == nil
		}
		if _, got := c.got.Load(v + 1); put != got {
			t.Errorf("seed %d: value %d: put %v, got %v", seed, v+1, put, got)
		}
	}
}
