package task_test

import (
	"context"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/internal/versus"
)

// byHand calls f on the same grid with a timer that it resets, but has no end.
func byHand(c clock.Clock, interval time.Duration, f func()) clock.Timer {
	start := c.Now()
	var timer clock.Timer
	timer = c.CallLater(interval, func() {
		f()
		if interval == 0 {
			timer.Reset(0)
			return
		}
		timer.Reset(interval - c.Now().Sub(start)%interval)
	})
	return timer
}

// A tick of a Loop on a Virtual, against a loop written by hand.
func BenchmarkVersus_tick(b *testing.B) {
	for _, on := range []struct {
		name string
		make func(v *clock.Virtual) clock.Clock
	}{
		{"virtual", func(v *clock.Virtual) clock.Clock { return v }},
		{"reactor", func(v *clock.Virtual) clock.Clock { return reactor.New(v) }},
	} {
		b.Run(on.name, func(b *testing.B) {
			ours, theirs := clock.NewVirtual(clock.Limit(1<<40)), clock.NewVirtual(clock.Limit(1<<40))
			task.NewLoop(on.make(ours), beat).StartLater(sec)
			byHand(on.make(theirs), sec, func() {})
			b.ReportAllocs()
			versus.Compare(b, b.N,
				func(n int) { ours.Advance(time.Duration(n) * sec) },
				func(n int) { theirs.Advance(time.Duration(n) * sec) })
		})
	}
}

// With an interval of 0, on a loop that runs: a tick is a turn.
func BenchmarkVersus_tick_everyTurn(b *testing.B) {
	r := reactor.New(clock.System())
	done := make(chan error)
	go func() { done <- r.Run(context.Background()) }()
	defer func() {
		r.Stop()
		<-done
	}()
	b.ReportAllocs()
	versus.Compare(b, b.N, func(n int) {
		ended := make(chan none)
		var l *task.Loop
		l = task.NewLoop(r, func(int) error {
			if n--; n <= 0 {
				l.Stop()
			}
			return nil
		})
		future.Then(l.StartLater(0), func(none) (none, error) {
			close(ended)
			return none{}, nil
		})
		<-ended
	}, func(n int) {
		ended := make(chan none)
		r.Post(func() {
			var timer clock.Timer
			timer = byHand(r, 0, func() {
				if n--; n <= 0 {
					timer.Stop()
					r.CallLater(0, func() { timer.Stop(); close(ended) })
				}
			})
		})
		<-ended
	})
}
