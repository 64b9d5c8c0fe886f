package clock_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	benbjohnson "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/versus"
)

// The benchmarks of this file report a ratio to something that was measured in
// the same run: see BENCHMARKS.md. An event is a timer that is set and runs
// while others are pending.

var manyPending = []int{1_000, 100_000}

// farAway is when the timer i of those that stay pending is due.
func farAway(i int) time.Duration { return time.Duration(i%977+1) * 1000 * time.Hour }

// chainOf returns a function that calls itself n times with callLater, and then
// end.
func chainOf(n int, callLater func(time.Duration, func()), end func()) (start func()) {
	var next func()
	next = func() {
		if n--; n > 0 {
			callLater(time.Millisecond, next)
		} else {
			end()
		}
	}
	return func() { callLater(time.Millisecond, next) }
}

// eventsOnVirtual runs n events while others are pending.
func eventsOnVirtual(pending int) func(n int) {
	v := clock.NewVirtual(clock.Limit(1 << 40))
	for i := range pending {
		v.CallLater(farAway(i), nothing)
	}
	return func(n int) {
		chainOf(n, func(d time.Duration, f func()) { v.CallLater(d, f) }, nothing)()
		v.Advance(time.Duration(n) * time.Millisecond)
	}
}

// Against the time of package time in a bubble of testing/synctest.
func BenchmarkVersus_event_synctest(b *testing.B) {
	for _, pending := range manyPending {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			peer, end := eventsInBubble(pending)
			defer end()
			versus.Compare(b, b.N, eventsOnVirtual(pending), peer)
		})
	}
}

// eventsInBubble starts a bubble that runs n events whenever it is told so from
// outside, where time is real.
func eventsInBubble(pending int) (run func(n int), end func()) {
	counts, done := make(chan int), make(chan bool)
	bubble := func(t *testing.T) {
		synctest.Test(t, func(*testing.T) {
			timers := make([]*time.Timer, pending)
			for i := range timers {
				timers[i] = time.AfterFunc(farAway(i), nothing)
			}
			for n := range counts {
				ran := make(chan bool)
				chainOf(n, func(d time.Duration, f func()) { time.AfterFunc(d, f) }, func() { close(ran) })()
				<-ran
				done <- true
			}
			for _, t := range timers {
				t.Stop()
			}
		})
	}
	// Only a test can have a bubble.
	go func() {
		testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: bubble}})
		close(done)
	}()
	return func(n int) { counts <- n; <-done }, func() { close(counts); <-done }
}

// Against the Mock of github.com/benbjohnson/clock, which sleeps a real
// millisecond a timer. Give a count of rounds, as -benchtime 100x.
func BenchmarkVersus_event_mock(b *testing.B) {
	for _, pending := range manyPending {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			mock := benbjohnson.NewMock()
			for i := range pending {
				mock.AfterFunc(farAway(i), nothing)
			}
			versus.Compare(b, b.N, eventsOnVirtual(pending), func(n int) {
				ran := make(chan bool, 1)
				chainOf(n, func(d time.Duration, f func()) { mock.AfterFunc(d, f) }, func() { ran <- true })()
				for len(ran) == 0 {
					mock.Add(time.Millisecond)
				}
			})
		})
	}
}
