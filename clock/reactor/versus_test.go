package reactor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/internal/versus"
)

// The benchmarks of this file report a ratio to something that was measured in
// the same run: see BENCHMARKS.md.

// running is a reactor on the system clock whose loop runs until stop.
func running() (r *reactor.Reactor, stop func()) {
	r = reactor.New(clock.System())
	done := make(chan error)
	go func() { done <- r.Run(context.Background()) }()
	return r, func() {
		r.Stop()
		<-done
	}
}

// runner starts a goroutine that runs what is sent to it.
func runner(buffer int) chan func() {
	funcs := make(chan func(), buffer)
	go func() {
		for f := range funcs {
			f()
		}
	}()
	return funcs
}

// Functions are posted to a running loop from outside, against sending them
// over a buffered channel to a goroutine that runs them.
func BenchmarkVersus_post(b *testing.B) {
	for _, buffer := range []int{16, 128, 1024} {
		b.Run(fmt.Sprintf("buffer=%d", buffer), func(b *testing.B) { postFromOutside(b, buffer) })
	}
}

func postFromOutside(b *testing.B, buffer int) {
	r, stop := running()
	defer stop()
	funcs := runner(buffer)
	defer close(funcs)
	var done sync.WaitGroup
	run := func(n int, send func(f func())) {
		done.Add(1)
		for range n {
			send(nothing)
		}
		send(done.Done)
		done.Wait()
	}
	b.ReportAllocs()
	versus.Compare(b, b.N,
		func(n int) { run(n, r.Post) },
		func(n int) { run(n, func(f func()) { funcs <- f }) })
}

// The same when the function that is posted posts the next.
func BenchmarkVersus_post_itself(b *testing.B) {
	r, stop := running()
	defer stop()
	funcs := runner(1024)
	defer close(funcs)
	run := func(n int, send func(f func())) {
		done := make(chan struct{})
		var next func()
		next = func() {
			if n--; n > 0 {
				send(next)
			} else {
				close(done)
			}
		}
		send(next)
		<-done
	}
	versus.Compare(b, b.N,
		func(n int) { run(n, r.Post) },
		func(n int) { run(n, func(f func()) { funcs <- f }) })
}

// A timer is set and stopped, on a loop that runs, against time.AfterFunc.
func BenchmarkVersus_callLater_stop(b *testing.B) {
	r, stop := running()
	defer stop()
	versus.Compare(b, b.N, func(n int) {
		for range n {
			r.CallLater(time.Minute, nothing).Stop()
		}
	}, func(n int) {
		for range n {
			clock.System().CallLater(time.Minute, nothing).Stop() // time.AfterFunc
		}
	})
}

// The same by a function on the loop.
func BenchmarkVersus_callLater_stop_inside(b *testing.B) {
	r, stop := running()
	defer stop()
	versus.Compare(b, b.N, func(n int) {
		done := make(chan struct{})
		r.Post(func() {
			defer close(done)
			for range n {
				r.CallLater(time.Minute, nothing).Stop()
			}
		})
		<-done
	}, func(n int) {
		for range n {
			clock.System().CallLater(time.Minute, nothing).Stop()
		}
	})
}
