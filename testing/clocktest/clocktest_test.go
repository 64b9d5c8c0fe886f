package clocktest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	bclock "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/benclock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/testing/clocktest"
)

func TestVirtual(t *testing.T) {
	clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
		v := clock.NewVirtual()
		return v, v.Advance
	})
}

func TestReactorOnVirtual(t *testing.T) {
	clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
		v := clock.NewVirtual()
		return reactor.New(v), v.Advance
	})
}

func TestSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			return clock.System(), pass
		}, clocktest.Without("ties", "each function has a goroutine, and a bubble shuffles what is due at one instant"))
	})
}

// pass lets time pass in a bubble, and what that has made due come to an end.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestReactorOnSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			return started(t, clock.System()), pass
		})
	})
}

// started is a reactor that runs until t ends.
func started(t *testing.T, c clock.Clock) *reactor.Reactor {
	r := reactor.New(c)
	ctx, cancel := context.WithCancel(context.Background())
	go r.Run(ctx)
	t.Cleanup(cancel)
	return r
}

// A Mock sleeps a real millisecond for each timer; in a bubble that takes no
// time, and ends when all that the timer has woken is idle.
func TestMock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			m := bclock.NewMock()
			return clock.From(m), m.Add
		},
			clocktest.Without("ties", "a Mock starts a goroutine for each function, and sorts timers with equal times anew each time"),
			clocktest.Without("moving", "a Mock's Stop can return true for a timer that it is just about to call"))
	})
}

// A reactor makes up for what a Mock lacks.
func TestReactorOnMock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			m := bclock.NewMock()
			r := started(t, clock.From(m))
			return r, func(d time.Duration) {
				synctest.Wait() // until the reactor knows of all that was scheduled
				m.Add(d)
				synctest.Wait()
			}
		})
	})
}

// A Virtual goes the way round through a benbjohnson Clock. Wrapped, so that
// From cannot take the Virtual out again.
func TestBenclock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			v := clock.NewVirtual()
			return clock.From(wrapped{benclock.New(v)}), v.Advance
		},
			clocktest.Without("ties", "as a Mock"),
			clocktest.Without("moving", "as a Mock"),
			clocktest.Without("reset/zero", "benclock fires it when time moves next"))
	})
}

type wrapped struct{ bclock.Clock }
