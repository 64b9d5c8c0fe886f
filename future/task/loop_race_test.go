package task_test

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// The tests of this file use one Loop from several goroutines. They look for
// races, for runs that do not end, and for what is left behind.

// storm has goroutines start, stop, reset and cancel l, and returns the
// Deferreds of all runs. Then it waits until called is closed, unless that is
// nil, and stops l.
func storm(l *task.Loop, goroutines, rounds int, called <-chan none) (runs []*future.Deferred[none]) {
	var mu sync.Mutex
	var last atomic.Pointer[future.Deferred[none]]
	start := func(i int) {
		defer func() { recover() }() // it is running
		d := l.Start(time.Duration(i%3) * time.Microsecond)
		last.Store(d)
		mu.Lock()
		runs = append(runs, d)
		mu.Unlock()
	}
	var done sync.WaitGroup
	for g := range goroutines {
		done.Go(func() {
			for i := range rounds {
				switch (i + g) % 5 {
				case 0, 1:
					start(i)
				case 2:
					l.Reset()
					l.SetInterval(time.Duration(i%4) * time.Microsecond)
				case 3:
					l.Stop()
				case 4:
					if d := last.Load(); d != nil {
						d.Cancel(nil)
					}
				}
			}
		})
	}
	done.Wait()
	if called != nil {
		start(0)
		<-called
	}
	l.Stop()
	return runs
}

// allEnd waits until the runs have ended, and checks that it was by Stop or
// Cancel.
func allEnd(t *testing.T, runs []*future.Deferred[none]) {
	t.Helper()
	if len(runs) == 0 {
		t.Error("no run")
	}
	for _, d := range runs {
		<-d.Done()
		if _, err := d.Result(); err != nil && !errors.Is(err, future.ErrCanceled) {
			t.Errorf("got %v", d)
		}
	}
}

// running is a reactor on the system clock whose loop runs until stop.
func running(t *testing.T) (r *reactor.Reactor, stop func()) {
	r = reactor.New(clock.System())
	done := make(chan error)
	go func() { done <- r.Run(t.Context()) }()
	return r, func() {
		r.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestStormOnAReactor(t *testing.T) {
	r, stop := running(t)
	calls := 0 // on the loop only: the race detector watches
	called := make(chan none)
	l := task.NewLoop(r, func(int) error {
		if calls++; calls == 1 {
			close(called)
		}
		return nil
	})
	allEnd(t, storm(l, 4, 500, called))
	stop()
}

// What is waited for is settled by other goroutines, and belongs to no loop.
func TestStormOnAReactorWithDeferreds(t *testing.T) {
	r, stop := running(t)
	calls := 0
	called := make(chan none)
	l := task.NewLoopFlat(r, func(int) *future.Deferred[int] {
		if calls++; calls == 1 {
			close(called)
		}
		d, res := future.New[int]()
		if calls%2 == 0 {
			res.Succeed(1)
		} else {
			go res.Succeed(2)
		}
		return d
	})
	allEnd(t, storm(l, 4, 500, called))
	stop()
}

// On a clock that calls on goroutines of its own, calls of two runs may overlap,
// those of one do not.
func TestStormOnTheSystemClock(t *testing.T) {
	var calls atomic.Int64
	called := make(chan none)
	l := task.NewLoopFlat(clock.System(), func(int) *future.Deferred[int] {
		d, res := future.New[int]()
		n := calls.Add(1)
		if n == 1 {
			close(called)
		}
		if n%2 == 0 {
			res.Succeed(1)
		} else {
			go res.Succeed(2)
		}
		return d
	})
	allEnd(t, storm(l, 4, 500, called))
}

func TestCallsOfARunDoNotOverlap(t *testing.T) {
	calls := 0 // without a lock: the race detector watches
	enough := make(chan none)
	l := task.NewLoop(clock.System(), func(int) error {
		if calls++; calls == 1000 {
			close(enough)
		}
		return nil
	})
	d := l.StartLater(0)
	var done sync.WaitGroup
	done.Go(func() {
		for range 1000 {
			l.Reset()
		}
	})
	<-enough
	done.Wait()
	l.Stop()
	<-d.Done()
	succeeded(t, d)
}

// The reactor stops in the middle of it: all runs end.
func TestStormWhileTheReactorStops(t *testing.T) {
	for range 20 {
		r := reactor.New(clock.System(), reactor.Logger(slog.New(slog.DiscardHandler)))
		done := make(chan error)
		go func() { done <- r.Run(t.Context()) }()
		l := task.NewLoop(r, func(int) error { return nil })
		var stopper sync.WaitGroup
		stopper.Go(r.Stop)
		runs := storm(l, 3, 50, nil)
		stopper.Wait()
		if err := <-done; err != nil && err != reactor.ErrStopped {
			t.Error(err)
		}
		for _, d := range runs {
			<-d.Done()
			if _, err := d.Result(); err != nil && !errors.Is(err, future.ErrCanceled) && !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("got %v", d)
			}
		}
	}
}
