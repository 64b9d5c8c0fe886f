package clock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
)

func nothing() {}

// An event is scheduled and run while others are pending.
func BenchmarkVirtual_event(b *testing.B) {
	for _, pending := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			v := clock.NewVirtual(clock.Limit(1 << 40))
			for i := range pending {
				v.CallLater(time.Duration(i%977+1)*1000*time.Hour, nothing)
			}
			n := b.N
			var next func()
			next = func() {
				if n--; n > 0 {
					v.CallLater(time.Millisecond, next)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			v.CallLater(0, next)
			v.Advance(time.Duration(b.N) * time.Millisecond)
		})
	}
}

// All events are scheduled first, at times in no order, and then run.
func BenchmarkVirtual_schedule_then_run(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			v := clock.NewVirtual()
			for done := 0; done < b.N; done += n {
				for i := range n {
					v.CallLater(time.Duration(i*7919%n)*time.Microsecond, nothing)
				}
				v.Run()
			}
		})
	}
}

func BenchmarkVirtual_CallLater_stop(b *testing.B) {
	for _, pending := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			v := clock.NewVirtual()
			for i := range pending {
				v.CallLater(time.Duration(i%977+1)*time.Hour, nothing)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				v.CallLater(time.Minute, nothing).Stop()
			}
		})
	}
}

func BenchmarkSystem_CallLater_stop(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		clock.System().CallLater(time.Minute, nothing).Stop()
	}
}

func BenchmarkVirtual_Advance_nothing(b *testing.B) {
	v := clock.NewVirtual()
	b.ReportAllocs()
	for b.Loop() {
		v.Advance(time.Second)
	}
}
