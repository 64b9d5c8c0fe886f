package future_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// A foreignJob is work of another library, as an asyncio.Future is for Twisted:
// who started it is told by a callback, and can stop it.
type foreignJob struct {
	done func(int, error)
}

var errStopped = errors.New("the job was stopped")

func (j *foreignJob) stop() { j.done(0, errStopped) }

// fromForeign is the bridge from it.
func fromForeign(j *foreignJob) intDeferred {
	d, res := future.New[int]()
	j.done = func(v int, err error) { res.Settle(v, err) }
	res.OnCancel(func(error) { j.stop() })
	return d
}

// The bridge to other code is Await, Done or Result, and a context the other
// way. Nothing is consumed: Twisted's Deferred has None after asFuture.
func TestFutureAdaptersAsInTwisted(t *testing.T) {
	t.Run("out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d, res := future.New[int]()
			got := make(chan int, 2)
			go func() { v, _ := d.Await(background); got <- v }()
			go func() { <-d.Done(); v, _ := d.Result(); got <- v }()
			synctest.Wait()
			res.Succeed(5)
			if a, b := <-got, <-got; a != 5 || b != 5 {
				t.Errorf("outside came %d and %d", a, b)
			}
			wantOutcome(t, d, 5, nil)
		})
	})
	t.Run("out-failure", func(t *testing.T) {
		d, res := future.New[int]()
		res.Fail(errA)
		if _, err := d.Await(background); err != errA {
			t.Errorf("outside came %v", err)
		}
	})
	t.Run("out-canceled-there", func(t *testing.T) {
		src, _, asked := counting()
		ctx, cancel := context.WithCancelCause(background)
		d := src.WithContext(ctx)
		cancel(errA)
		if _, err := d.Await(background); !errors.Is(err, errA) || len(*asked) != 1 {
			t.Errorf("it has %v, and was asked %d times", err, len(*asked))
		}
	})
	t.Run("out-canceled-there-answered-with-a-value", func(t *testing.T) {
		ctx, cancel := context.WithCancel(background)
		cancel()
		answering := func() intDeferred {
			d, res := future.New[int]()
			res.OnCancel(func(error) { res.Succeed(5) })
			return d
		}
		_, err := answering().Shield().WithContext(ctx).Await(background) // the other side does not want to know
		wantCanceled(t, err)
		if v, err := answering().WithContext(ctx).Await(background); v != 5 || err != nil {
			t.Errorf("(%d, %v) came, but the answer stands", v, err)
		}
	})
	t.Run("in", func(t *testing.T) {
		var job foreignJob
		d := fromForeign(&job)
		wantPending(t, d)
		job.done(5, nil)
		wantOutcome(t, d, 5, nil)
	})
	t.Run("in-stopped-there", func(t *testing.T) {
		var job foreignJob
		d := fromForeign(&job)
		job.stop()
		wantOutcome(t, d, 0, errStopped)
	})
	t.Run("in-canceled-here", func(t *testing.T) {
		var job foreignJob
		d := fromForeign(&job)
		d.Cancel(nil)
		wantOutcome(t, d, 0, errStopped) // what the other side made of it
	})
}

// What Twisted keeps in context variables is in the context.Context that a
// function was started with.
func TestContextVariablesAsInTwisted(t *testing.T) {
	type key struct{}
	value := func(ctx context.Context) int { v, _ := ctx.Value(key{}).(int); return v }
	eachStart(t, func(t *testing.T, clk *clock.Virtual, start func(context.Context, func(context.Context) (int, error)) intDeferred) {
		d, res := future.New[int]()
		ctx := context.WithValue(background, key{}, 1)
		co := start(ctx, func(ctx context.Context) (int, error) {
			before := value(ctx)
			d.Await(ctx)
			return 10*before + value(ctx), nil
		})
		other := start(context.WithValue(background, key{}, 2), func(ctx context.Context) (int, error) {
			res.Succeed(0) // resumes the first one, in the midst of this one where they are inline
			return value(ctx), nil
		})
		clk.Advance(0)
		wantOutcome(t, co, 11, nil)
		wantOutcome(t, other, 2, nil)
	})
}
