// Places where a wait that looks right goes wrong: what happens between the
// first look at a Deferred and the suspension of who waits for it.

package future_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A pitContext calls a hook at its n-th use, where n is left at the start. By
// that a test gets into the middle of an Await, which asks its context several
// times.
type pitContext struct {
	context.Context
	left atomic.Int32
	hook func()
}

func (c *pitContext) use() {
	if c.left.Add(-1) == 0 {
		c.hook()
	}
}

func (c *pitContext) Err() error {
	c.use()
	return c.Context.Err()
}

func (c *pitContext) Done() <-chan struct{} {
	c.use()
	return c.Context.Done()
}

func (c *pitContext) Value(key any) any {
	c.use()
	return c.Context.Value(key)
}

// pitUses is more than an Await uses its context for.
const pitUses = 12

// A pitWait is a function that waits at one point of which something strikes.
type pitWait struct {
	d        pitDeferred
	res      future.Resolver[int]
	function pitDeferred
	end      context.CancelFunc // of the parent context
}

// pitStrikes are what can strike a wait, and whether the function may see the
// outcome of what it waits for, or the end of its context.
var pitStrikes = []struct {
	name          string
	strike        func(w *pitWait)
	settles, ends bool
}{
	{"settle", func(w *pitWait) { w.res.Succeed(5) }, true, false},
	{"cancel", func(w *pitWait) { w.function.Cancel(errCause) }, false, true},
	{"end of the parent context", func(w *pitWait) { w.end() }, false, true},
	{"settle and cancel", func(w *pitWait) { w.res.Succeed(5); w.function.Cancel(errCause) }, true, true},
	{"cancel and settle", func(w *pitWait) { w.function.Cancel(errCause); w.res.Succeed(5) }, true, true},
	{"cancel of what it waits for", func(w *pitWait) { w.d.Cancel(errCause) }, false, true},
}

// A cancel, an end of a context or a settle strikes at every point of an Await:
// before it is listed, between that and the moment when others know of it, and
// before it suspends. It is never lost, and resumes the function once.
func TestStrikesAtEachPointOfAnAwait(t *testing.T) {
	for name, start := range map[string]func(context.Context, *reactor.Reactor, func(context.Context) (int, error)) pitDeferred{
		"inline": coStarts[0].start, "on a loop": coStarts[1].start, "on a foreign loop": coStarts[2].start,
		"worker": func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) pitDeferred {
			return future.GoOn(ctx, r, f)
		},
		"goroutine": func(ctx context.Context, _ *reactor.Reactor, f func(context.Context) (int, error)) pitDeferred {
			return future.Go(ctx, f)
		},
	} {
		for _, s := range pitStrikes {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				struck := 0
				for use := range pitUses {
					var early bool
					var v int
					var err error
					synctest.Test(t, func(*testing.T) { early, v, err = pitStrike(use+1, start, s.strike) })
					if early {
						struck++
					}
					if err == nil && (!s.settles || v != 5) || err != nil && (!s.ends || !errors.Is(err, context.Canceled)) {
						t.Errorf("at use %d: Await = %v, %v", use+1, v, err)
					}
				}
				if struck < 3 {
					t.Errorf("only %d strikes came before the suspension", struck)
				}
			})
		}
	}
}

// pitStrike starts a function that waits, strikes at a use of its context, or,
// if there are not so many, once it is suspended, and returns what Await
// returned.
func pitStrike(use int, start func(context.Context, *reactor.Reactor, func(context.Context) (int, error)) pitDeferred, strike func(*pitWait)) (early bool, v int, err error) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	parent, end := context.WithCancel(background)
	defer end()
	w := &pitWait{end: end}
	w.d, w.res = future.New[int]()
	begin, beginning := future.New[int]()
	var struck atomic.Bool
	returned := make(chan struct{})
	w.function = start(parent, r, func(ctx context.Context) (int, error) {
		defer close(returned)
		begin.Await(ctx) // until w is complete
		hooked := &pitContext{Context: ctx, hook: func() {
			struck.Store(true)
			pitBeside(func() { strike(w) })
		}}
		hooked.left.Store(int32(use))
		v, err = w.d.Await(hooked)
		return v, err
	})
	clk.Advance(0)
	beginning.Succeed(0)
	clk.Advance(0)
	synctest.Wait()
	early = struck.Load()
	if !early {
		strike(w)
	}
	for {
		select {
		case <-returned:
			return early, v, err
		case <-time.After(time.Millisecond):
			clk.Advance(1) // the end of a foreign context is seen when something happens
		}
	}
}

// pitBeside runs f on another goroutine of the bubble until it returns or
// blocks: a settle waits for the coroutine that it resumes.
func pitBeside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(time.Microsecond): // comes when all are blocked
	}
}
