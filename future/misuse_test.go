package future_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// Misuse panics at the call, with what was wrong and what to do.
func TestMisuse(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	var (
		none deferred
		ctx  context.Context // nil
		bg   = context.Background()
		d    = future.Succeed(1)
		_, r = future.New[int]()
		zero future.Resolver[int]
		x    = new(foreign)
		f    = func(context.Context) (int, error) { return 0, nil }
		two  = func(int, int) (int, error) { return 0, nil }
		tri  = func(int, int, int) (int, error) { return 0, nil }
	)
	const (
		nilDeferred = "nil *Deferred: use one that New, Then or another function"
		nilFunction = "nil function: there is nothing to call"
		nilExecutor = "nil Executor: give a reactor, or use the form without one for inline callbacks"
		nilContext  = "nil context: use context.Background()"
		nilClock    = "nil clock.Clock: give a reactor, a *clock.Virtual or clock.System()"
		nilError    = "a failure needs an error; use Succeed, or Settle for a pair that may hold either"
		noDeferred  = "zero Resolver: get one from New or NewOn"
	)
	for _, c := range []struct {
		verb string
		call func()
		says string
	}{
		{"Then", func() { future.Then[int, int](none, inc) }, nilDeferred},
		{"ThenFlat", func() { future.ThenFlat(none, func(int) deferred { return d }) }, nilDeferred},
		{"Handle", func() { future.Handle(none, func(int, error) (int, error) { return 0, nil }) }, nilDeferred},
		{"Catch", func() { none.Catch(func(error) (int, error) { return 0, nil }) }, nilDeferred},
		{"CatchFlat", func() { none.CatchFlat(func(error) deferred { return d }) }, nilDeferred},
		{"Finally", func() { none.Finally(func() error { return nil }) }, nilDeferred},
		{"Flatten", func() { future.Flatten[int](nil) }, nilDeferred},
		{"On", func() { none.On(x) }, nilDeferred},
		{"Shield", func() { none.Shield() }, nilDeferred},
		{"Timeout", func() { none.Timeout(clock.System(), time.Second) }, nilDeferred},
		{"WithContext", func() { none.WithContext(bg) }, nilDeferred},
		{"Cancel", func() { none.Cancel(nil) }, nilDeferred},
		{"Await", func() { none.Await(bg) }, nilDeferred},
		{"Result", func() { none.Result() }, nilDeferred},
		{"Done", func() { none.Done() }, nilDeferred},
		{"Follow", func() { r.Follow(nil) }, nilDeferred},
		{"All", func() { future.All(d, nil) }, nilDeferred},
		{"AllSettled", func() { future.AllSettled(nil, d) }, nilDeferred},
		{"Any", func() { future.Any(d, none) }, nilDeferred},
		{"Race", func() { future.Race(none) }, nilDeferred},
		{"Join2", func() { future.Join2(none, d, two) }, nilDeferred},
		{"Join2", func() { future.Join2(d, none, two) }, nilDeferred},
		{"Join3", func() { future.Join3(none, d, d, tri) }, nilDeferred},
		{"Join3", func() { future.Join3(d, none, d, tri) }, nilDeferred},
		{"Join3", func() { future.Join3(d, d, none, tri) }, nilDeferred},
		{"AsCompleted", func() { future.AsCompleted(bg, d, nil) }, nilDeferred},

		{"Then", func() { future.Then[int, int](d, nil) }, nilFunction},
		{"ThenFlat", func() { future.ThenFlat[int, int](d, nil) }, nilFunction},
		{"Handle", func() { future.Handle[int, int](d, nil) }, nilFunction},
		{"Catch", func() { d.Catch(nil) }, nilFunction},
		{"CatchFlat", func() { d.CatchFlat(nil) }, nilFunction},
		{"Finally", func() { d.Finally(nil) }, nilFunction},
		{"Join2", func() { future.Join2[int, int, int](d, d, nil) }, nilFunction},
		{"Join3", func() { future.Join3[int, int, int, int](d, d, d, nil) }, nilFunction},
		{"MapN", func() { future.MapN[int, int](1, nil, nil) }, nilFunction},
		{"Go", func() { future.Go[int](bg, nil) }, nilFunction},
		{"GoOn", func() { future.GoOn[int](bg, x, nil) }, nilFunction},
		{"Async", func() { future.Async[int](bg, nil) }, nilFunction},
		{"AsyncOn", func() { future.AsyncOn[int](bg, x, nil) }, nilFunction},
		{"OnCancel", func() { r.OnCancel(nil) }, nilFunction},

		{"NewOn", func() { future.NewOn[int](nil) }, nilExecutor},
		{"On", func() { d.On(nil) }, nilExecutor},
		{"GoOn", func() { future.GoOn(bg, nil, f) }, nilExecutor},
		{"AsyncOn", func() { future.AsyncOn(bg, nil, f) }, nilExecutor},

		{"WithContext", func() { d.WithContext(ctx) }, nilContext},
		{"Await", func() { d.Await(ctx) }, nilContext},
		{"AsCompleted", func() { future.AsCompleted(ctx, d) }, nilContext},
		{"Go", func() { future.Go(ctx, f) }, nilContext},
		{"GoOn", func() { future.GoOn(ctx, x, f) }, nilContext},
		{"Async", func() { future.Async(ctx, f) }, nilContext},
		{"AsyncOn", func() { future.AsyncOn(ctx, x, f) }, nilContext},

		{"Timeout", func() { d.Timeout(nil, time.Second) }, nilClock},
		{"After", func() { future.After(nil, time.Second, 1) }, nilClock},

		{"Fail(nil)", func() { future.Fail[int](nil) }, nilError},
		{"Fail(nil)", func() { r.Fail(nil) }, nilError},
		{"MapN(0)", func() { future.MapN(0, []int{1}, func(int) deferred { return d }) }, "at least one must run at a time"},
		{"MapN(-1)", func() { future.MapN(-1, []int{}, func(int) deferred { return d }) }, "at least one must run at a time"},

		{"", func() { zero.Succeed(1) }, noDeferred},
		{"", func() { zero.Fail(errA) }, noDeferred},
		{"", func() { zero.Settle(1, nil) }, noDeferred},
		{"", func() { zero.Follow(d) }, noDeferred},
		{"", func() { zero.OnCancel(func(error) {}) }, noDeferred},
	} {
		t.Run(c.verb, func(t *testing.T) { mustPanic(t, c.call, "future: "+c.verb, c.says) })
	}
	// What was refused has done nothing.
	if !r.Succeed(1) {
		t.Error("a call that panicked has settled the Deferred")
	}
}

// A misuse inside a callback is a panic there, and so that callback's failure.
func TestMisuseInCallback(t *testing.T) {
	t.Parallel()
	d := future.Then(future.Succeed(1), func(v int) (*future.Deferred[[]int], error) {
		return future.All(future.Succeed(v), nil), nil
	})
	wantError(t, d, "future: All: nil *Deferred", failure.ErrPanic)
}

// A nil that comes out of a callback is the failure of its Deferred.
func TestNilFromMapN(t *testing.T) {
	t.Parallel()
	asked := 0
	d := future.MapN(2, []int{1, 2, 3}, func(v int) *future.Deferred[int] {
		if v == 2 {
			return nil
		}
		d, res := future.New[int]()
		res.OnCancel(func(error) { asked++ })
		return d
	})
	wantError(t, d, "nil *Deferred: return one to wait for, such as Succeed(v) or Fail(err)")
	if asked != 1 {
		t.Errorf("of one that ran %d were canceled", asked)
	}
}

func TestEmptyGathers(t *testing.T) {
	t.Parallel()
	if v, err := future.All[int]().Result(); v == nil || len(v) != 0 || err != nil {
		t.Errorf("All: %#v, %v", v, err)
	}
	if v, err := future.AllSettled[int]().Result(); v == nil || len(v) != 0 || err != nil {
		t.Errorf("AllSettled: %#v, %v", v, err)
	}
	if v, err := future.MapN(1, nil, func(int) *future.Deferred[int] { panic("called") }).Result(); v == nil || len(v) != 0 || err != nil {
		t.Errorf("MapN: %#v, %v", v, err)
	}
	wantError(t, future.Any[int](), "future: Any: no input, so none can be the first")
	wantError(t, future.Race[int](), "future: Race: no input, so none can be the first")
	for range future.AsCompleted[int](t.Context()) {
		t.Error("AsCompleted of nothing yielded")
	}
}

// A canceller that panics still leaves its Deferred failed, with both.
func TestCancellerPanics(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	d, res := future.New[int]()
	e := future.Then(d, inc)
	res.OnCancel(func(error) { panic(boom) })
	if !e.Cancel(errA) {
		t.Error("it was pending")
	}
	for _, d := range []*future.Deferred[int]{d, e} {
		wantError(t, d, "", future.ErrCanceled, context.Canceled, errA, failure.ErrPanic, boom)
	}
	if res.Succeed(1) {
		t.Error("a late settle was not refused")
	}
	// One that has settled it before it panics is heard.
	d, res = future.New[int]()
	res.OnCancel(func(error) { res.Succeed(7); panic(boom) })
	d.Cancel(nil)
	wantOutcome(t, d, 7, nil)
}
