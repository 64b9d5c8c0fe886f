package lock_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/internal/seam"
)

// This file has what a raceAll does.

// passed is d by way of such as just pass its outcome on.
func passed[T any](c *raceAll, rng *rand.Rand, d *future.Deferred[T]) *future.Deferred[T] {
	for range rng.IntN(4) {
		switch rng.IntN(7) {
		case 0:
			d = d.On(c.loop(rng))
		case 1:
			d = d.Timeout(c.loop(rng), micros(rng))
		case 2:
			d = d.WithContext(c.context(rng))
		case 3:
			held, release := d.Hold()
			c.begins(release)
			d = held
		case 4:
			d = d.Catch(func(err error) (T, error) { var none T; return none, err })
		case 5:
			next, res := future.New[T]()
			res.Follow(d)
			d = next
		case 6:
			was := d
			d = future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[T] { return was })
		}
	}
	return d
}

// function runs f in some way, with a context that ends meanwhile.
func (c *raceAll) function(rng *rand.Rand, does func(ctx context.Context) (int, error)) {
	ctx, loop := c.context(rng), c.loop(rng)
	f := func(ctx context.Context) (v int, err error) {
		c.busy.Add(1)
		defer c.busy.Add(-1)
		return does(ctx)
	}
	switch rng.IntN(5) {
	case 0:
		c.add(future.Async(ctx, f))
	case 1:
		c.add(future.AsyncOn(ctx, loop, f))
	case 2:
		c.add(future.GoOn(ctx, loop, f))
	case 3:
		c.add(future.Go(ctx, f))
	default:
		c.begins(func() { f(ctx) })
	}
}

// take takes something that must not be lost: a lease, permits or a value.
func (c *raceAll) take(rng *rand.Rand) {
	old, passes, kind := c.pick(rng), rand.New(rand.NewPCG(rng.Uint64(), 0)), rng.IntN(6)
	c.function(rng, func(ctx context.Context) (int, error) {
		var lease lock.Lease
		var err error
		switch kind {
		case 0:
			lease, err = passed(c, passes, c.mutex.Acquire()).Await(ctx)
		case 1:
			lease, err = passed(c, passes, c.permit.Acquire(1+passes.IntN(3))).Await(ctx)
		case 2:
			v, err := passed(c, passes, c.queue.Get()).Await(ctx)
			if err == nil {
				c.got.Store(v, true)
			}
			return v, err
		case 3:
			v := int(c.puts.Add(1))
			put := c.queue.Put(v)
			c.put.Store(v, put)
			_, err := passed(c, passes, put).Await(ctx)
			return v, err
		case 4:
			v := int(c.puts.Add(1))
			if c.queue.TryPut(v) == nil {
				c.put.Store(v, future.Succeed(struct{}{}))
			}
			return v, nil
		case 5:
			inner := c.pick(passes)
			return lock.Run(passed(c, passes, c.mutex.Acquire()), func() *future.Deferred[int] { return inner }).Await(ctx)
		}
		if err != nil {
			return 0, err
		}
		defer lease.Release()
		return old.Await(ctx)
	})
}

// derive makes one of others.
func (c *raceAll) derive(rng *rand.Rand) *future.Deferred[int] {
	a, b := c.pick(rng), c.pick(rng)
	switch rng.IntN(11) {
	case 0:
		return future.Race(a, b)
	case 1:
		return future.Any(a, b.Shield())
	case 2:
		return future.Then(future.AllSettled(a, b), func(outs []future.Outcome[int]) (int, error) { return len(outs), nil })
	case 3:
		return future.Join2(a, b, func(a, b int) (int, error) { return a + b, nil })
	case 4:
		return future.Then(future.MapN(2, []int{1, 2, 3}, func(i int) *future.Deferred[int] {
			return []*future.Deferred[int]{nil, a, b, a.Shield()}[i]
		}), func(vs []int) (int, error) { return len(vs), nil })
	case 5:
		return future.Handle(a, func(v int, err error) (int, error) { return v, err })
	case 6:
		return a.Finally(func() error { return nil })
	case 7:
		return a.CatchFlat(func(error) *future.Deferred[int] { return b })
	case 8:
		return lock.Run(passed(c, rng, c.mutex.Acquire()), func() *future.Deferred[int] { return a })
	case 9:
		return lock.Run(passed(c, rng, c.permit.Acquire(2)), func() *future.Deferred[int] { return passed(c, rand.New(rand.NewPCG(1, 1)), a) })
	}
	return passed(c, rng, future.ThenFlat(a, func(int) *future.Deferred[int] { return b }))
}

// look asks for all that is told about what goes on.
func (c *raceAll) look(rng *rand.Rand) {
	d, loop := c.pick(rng), seam.LoopOf(c.loop(rng))
	_ = fmt.Sprintf("%v %+v %v", d, d, c.clk)
	d.Done()
	if _, err := d.Result(); err != nil {
		_ = fmt.Sprintf("%+v", err)
	}
	if l, ok := loop.Local().Load().(seam.Ledger); ok {
		l.Unsettled()
		l.Unhandled(func(error) bool { return true })
	}
	books := loop.(seam.Books)
	_ = fmt.Sprint(books.Timers(), books.Posts(), books.Workers(), c.clk.Pending(), c.permit.Free(), c.queue.Len())
}

// act does one thing.
func (c *raceAll) act(rng *rand.Rand) {
	switch rng.IntN(12) {
	case 0, 1:
		c.root(rng)
	case 2, 3:
		c.mu.Lock()
		res := c.roots[rng.IntN(len(c.roots))]
		c.mu.Unlock()
		res.Settle(1, []error{nil, nil, errCause}[rng.IntN(3)])
	case 4:
		c.pick(rng).Cancel(errCause)
	case 5:
		c.look(rng)
	case 6:
		a, b := c.pick(rng), c.pick(rng)
		c.function(rng, func(ctx context.Context) (n int, err error) {
			for _, out := range future.AsCompleted(ctx, a, b) {
				n, err = out.Value, out.Err
			}
			return n, err
		})
	case 7, 8, 9:
		c.take(rng)
	default:
		c.add(c.derive(rng))
	}
}
