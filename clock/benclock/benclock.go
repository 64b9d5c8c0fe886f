package benclock

import (
	"context"
	"time"

	bclock "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// New returns a clock of github.com/benbjohnson/clock that v drives. It may be
// used from any goroutine. New panics if v is nil.
//
// The package comment says which of its methods are exact, and what the
// others cost. Several clocks on one Virtual show the same time; each has a
// Mock of its own, if it needs one.
func New(v *clock.Virtual) bclock.Clock {
	if v == nil {
		panic("benclock: New(nil): give it a Virtual, clock.NewVirtual()")
	}
	d := seam.DriverOf(v)
	return &view{handle: seam.HandleDriver(d), v: v, inner: inner{v: v, driver: d}}
}

// handle makes clock.From recognise a view, and keeps that out of sight.
type handle = seam.DriverHandle

// A view is a Virtual as a benbjohnson Clock.
type view struct {
	handle
	v     *clock.Virtual
	inner inner
}

func (c *view) Now() time.Time                  { return c.inner.now() }
func (c *view) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
func (c *view) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }

// later calls f on the drive, d from now.
func (c *view) later(d time.Duration, f func()) clock.Timer {
	return c.v.CallLater(d-c.v.Now().Sub(c.Now()), f)
}

func (c *view) After(d time.Duration) <-chan time.Time {
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- c.Now()
		return ch
	}
	c.later(d, func() { ch <- c.v.Now() })
	return ch
}

func (c *view) Sleep(d time.Duration) {
	if d > 0 {
		<-c.After(d)
	}
}

func (c *view) Tick(d time.Duration) <-chan time.Time {
	if d <= 0 {
		return nil
	}
	ch := make(chan time.Time, 1)
	var tick func()
	tick = func() {
		offer(ch, c.v.Now())
		c.v.CallLater(d, tick)
	}
	c.later(d, tick)
	return ch
}

// offer sends t unless ch is full.
func offer(ch chan<- time.Time, t time.Time) {
	select {
	case ch <- t:
	default:
	}
}

func (c *view) WithDeadline(parent context.Context, t time.Time) (context.Context, context.CancelFunc) {
	return clock.WithDeadline(parent, c.v, t)
}

func (c *view) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return clock.WithDeadline(parent, c.v, c.Now().Add(d))
}

func (c *view) AfterFunc(d time.Duration, f func()) *bclock.Timer {
	if f == nil {
		panic("benclock: AfterFunc with a nil function: give it what is to be called")
	}
	return c.inner.afterFunc(d, f)
}

func (c *view) Timer(d time.Duration) *bclock.Timer {
	ch := make(chan time.Time, 1)
	t := c.inner.afterFunc(d, func() { offer(ch, c.Now()) })
	t.C = ch
	return t
}

func (c *view) Ticker(d time.Duration) *bclock.Ticker {
	if d <= 0 {
		panic("benclock: Ticker with an interval of 0 or less: it would tick for ever at one instant")
	}
	return c.inner.ticker(d)
}
