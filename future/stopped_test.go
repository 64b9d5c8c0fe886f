package future_test

import (
	"context"
	"errors"
	"testing"
	"time"
	"weak"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A timeout on a reactor that stops would never strike: it fails instead.
func TestTimeoutEndsWithItsReactor(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	never, _ := future.New[int]()
	before := never.Timeout(r, time.Hour)
	won := future.Succeed(1).Timeout(r, time.Hour)
	r.Stop()
	after := never.Timeout(r, time.Hour)
	for name, d := range map[string]*future.Deferred[int]{"before": before, "after": after} {
		if _, err := d.Result(); !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("made %s the stop: %v", name, err)
		}
	}
	if v, err := won.Result(); v != 1 || err != nil {
		t.Errorf("one that was there: %v, %v", v, err)
	}
	if _, err := never.Result(); err != future.ErrPending {
		t.Errorf("the source: %v", err)
	}
}

// What fails because another reactor has stopped keeps neither its timer nor what
// watches its context.
func TestLimitOfAnotherReactorIsLetGo(t *testing.T) {
	c1, c2 := clock.NewVirtual(), clock.NewVirtual()
	live := reactor.New(c2)
	defer live.Stop()
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var held []weak.Pointer[big]
	for _, limit := range []func(d *future.Deferred[int]) *future.Deferred[int]{
		func(d *future.Deferred[int]) *future.Deferred[int] { return d.Timeout(live, time.Hour) },
		func(d *future.Deferred[int]) *future.Deferred[int] { return d.WithContext(ctx) },
	} {
		r := reactor.New(c1)
		b := new(big)
		held = append(held, weak.Make(b))
		d, _ := future.NewOn[int](r)
		late := limit(future.Then(d, func(int) (int, error) { return int(b.use()), nil }))
		late.Done()
		r.Stop()
		if _, err := late.Result(); !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("failed with %v", err)
		}
	}
	if n := c2.Pending(); n != 0 {
		t.Errorf("%d timers are left", n)
	}
	for _, p := range held {
		wantGone(t, "what waited", p)
	}
}

// A job that is canceled before it starts is not kept by its reactor.
func TestJobThatNeverStartsIsLetGo(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	defer r.Stop()
	b := new(big)
	p := weak.Make(b)
	future.GoOn(background, r, func(context.Context) (int, error) { return int(b.use()), nil }).Cancel(nil)
	clk.Run()
	wantGone(t, "the job", p)
}
