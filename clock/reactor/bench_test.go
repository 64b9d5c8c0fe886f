package reactor_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
)

func nothing() {}

func BenchmarkPost_virtual(b *testing.B) {
	v := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(v)
	n := b.N
	var next func()
	next = func() {
		if n--; n > 0 {
			r.Post(next)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.Post(next)
	v.Advance(0)
}

func BenchmarkPost_loop(b *testing.B) {
	r := reactor.New(clock.System())
	n := b.N
	var next func()
	next = func() {
		if n--; n > 0 {
			r.Post(next)
		} else {
			r.Stop()
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.Post(next)
	_ = r.Run(context.Background())
}

func BenchmarkCallLater_stop(b *testing.B) {
	for _, pending := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			r := reactor.New(clock.System())
			for i := range pending {
				r.CallLater(time.Duration(i%977+1)*time.Hour, nothing)
			}
			b.ReportAllocs()
			for b.Loop() {
				r.CallLater(time.Minute, nothing).Stop()
			}
		})
	}
}

// A timer is set and runs.
func BenchmarkCallLater_run(b *testing.B) {
	r := reactor.New(clock.System())
	n := b.N
	var next func()
	next = func() {
		if n--; n > 0 {
			r.CallLater(1, next)
		} else {
			r.Stop()
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.Post(next)
	_ = r.Run(context.Background())
}

func BenchmarkGo_virtual(b *testing.B) {
	v := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(v)
	b.ReportAllocs()
	for b.Loop() {
		r.Go(func() func() { return nothing })
		v.Advance(0)
	}
}

func BenchmarkGo_loop(b *testing.B) {
	r := reactor.New(clock.System())
	n := b.N
	var next func()
	next = func() {
		if n--; n > 0 {
			r.Go(func() func() { return next })
		} else {
			r.Stop()
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.Post(next)
	_ = r.Run(context.Background())
}
