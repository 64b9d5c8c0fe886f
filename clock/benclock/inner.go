package benclock

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bclock "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// An inner is the Mock that makes a view's timers, and follows the Virtual:
// whenever that has moved, Mock.Set is called on the drive, before the events
// of the new time. So the base of a Reset, which nothing can see, is right.
//
// The Virtual tells that time is about to move by looking at a context, see
// [watcher]; that asks for follow, which the Virtual does next: when time has
// moved, or the drive ends.
type inner struct {
	v      *clock.Virtual
	driver seam.Driver

	// live counts the timers and tickers that are not garbage yet.
	live atomic.Int64

	// mu protects the following fields. It is not held while the Mock follows,
	// because code that a timer wakes makes timers meanwhile.
	mu      sync.Mutex
	mock    *bclock.Mock  // made with the first timer
	follows bool          // that the Mock does. It need not while it has no timers
	shift   time.Duration // how far the Mock's time is ahead of the Virtual's
	floor   time.Time     // where the last Set began: a timer that is due before must not show
	due     bool          // a timer is due that was made after the last Set
	tickers []*ticker
}

// now is what code with this clock sees: the Mock's time, while that follows.
// It is the Virtual's, but for the moment in which the Mock catches up.
func (in *inner) now() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.follows {
		return in.v.Now()
	}
	if now := in.mockLocked(); now.After(in.floor) {
		return now
	}
	return in.floor
}

// mockLocked is the Mock's time, as the Virtual counts.
func (in *inner) mockLocked() time.Time { return in.mock.Now().Add(-in.shift).UTC() }

// afterFunc makes a timer that calls f on a goroutine of its own.
func (in *inner) afterFunc(d time.Duration, f func()) *bclock.Timer {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.readyLocked()
	d = max(d, 0)
	t := in.mock.AfterFunc(d, f)
	runtime.AddCleanup(t, func(in *inner) { in.live.Add(-1) }, in)
	in.eventLocked(in.mockLocked().Add(d))
	return t
}

// readyLocked counts a timer that is about to be made, and sees to a Mock that
// follows. That has no timers, so it need not be set, which takes a
// millisecond: it begins where it is.
func (in *inner) readyLocked() {
	if in.mock == nil {
		in.mock = bclock.NewMock()
		in.driver.WatchParent(&watcher{context.Background(), make(chan struct{}), in}, func() {})
	}
	in.live.Add(1)
	if !in.follows {
		in.follows, in.floor = true, in.v.Now()
		in.shift = in.mock.Now().Sub(in.floor)
	}
}

// eventLocked makes an event of the Virtual for a timer that is due at t.
func (in *inner) eventLocked(t time.Time) {
	rest := t.Sub(in.v.Now())
	if rest <= 0 {
		in.due = true
	}
	in.v.CallLater(rest, in.follow)
}

// A watcher is a context that never ends. The Virtual looks at it when nothing
// is left to do at an instant and when a drive begins.
type watcher struct {
	context.Context
	done chan struct{}
	in   *inner
}

func (w *watcher) Done() <-chan struct{} { return w.done }

// Err asks for follow as the next thing on the drive, which is after the move.
func (w *watcher) Err() error {
	w.in.mu.Lock()
	follows := w.in.follows
	w.in.mu.Unlock()
	if follows {
		w.in.driver.Do(w.in.follow)
	}
	return nil
}

// follow sets the Mock to the Virtual's time, unless it is there. It runs on
// the drive.
func (in *inner) follow() {
	tickers, to, late := in.begin()
	if !late {
		return
	}
	done := make(chan struct{})
	var forwards sync.WaitGroup
	for _, t := range tickers {
		forwards.Go(func() { t.forward(done, in.shift) })
	}
	in.mock.Set(to)
	close(done)
	forwards.Wait()
	in.schedule(tickers)
}

// begin reports whether there is something to do, what the Mock is to be set
// to for that, and which tickers may tick.
func (in *inner) begin() (tickers []*ticker, to time.Time, late bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.live.Load() == 0 {
		in.follows = false
		return nil, to, false
	}
	from, now := in.mockLocked(), in.v.Now()
	if from.Equal(now) && !in.due {
		return nil, to, false
	}
	in.floor, in.due = from, false
	in.tickers = slices.DeleteFunc(in.tickers, func(t *ticker) bool { return t.gone.Load() })
	return slices.Clone(in.tickers), now.Add(in.shift), true
}

// A ticker has what the Mock's ticker sends, and hands it on to C.
type ticker struct {
	from <-chan time.Time
	to   chan time.Time
	d    time.Duration
	gone atomic.Bool // the Ticker is garbage

	next   time.Time // when its event is due, if it has one. Protected by inner.mu.
	ticked time.Time // the last tick. Written by forward, read when that has ended.
}

func (in *inner) ticker(d time.Duration) *bclock.Ticker {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.readyLocked()
	out := in.mock.Ticker(d)
	t := &ticker{from: out.C, to: make(chan time.Time, 1), d: d}
	out.C = t.to
	runtime.AddCleanup(out, func(t *ticker) {
		t.gone.Store(true)
		in.live.Add(-1)
	}, t)
	in.tickers = append(in.tickers, t)
	in.tickLocked(t, in.mockLocked())
	return out
}

// tickLocked makes an event of t's next tick, if the last one was at now.
func (in *inner) tickLocked(t *ticker, now time.Time) {
	t.next = now.Add(t.d)
	in.eventLocked(t.next)
}

// forward hands on what t ticks until done, shifted to the Virtual's time.
func (t *ticker) forward(done <-chan struct{}, shift time.Duration) {
	for {
		select {
		case now := <-t.from:
			t.tick(now.Add(-shift).UTC())
			continue
		case <-done:
		}
		select {
		case now := <-t.from:
			t.tick(now.Add(-shift).UTC())
		default:
		}
		return
	}
}

func (t *ticker) tick(now time.Time) {
	t.ticked = now
	offer(t.to, now)
}

// schedule makes events of the next ticks of those that have ticked when they
// were expected to. One that has not was stopped or Reset; it gets no event
// any more, or a stopped Ticker would keep time moving for ever.
func (in *inner) schedule(tickers []*ticker) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, t := range tickers {
		if t.ticked.Equal(t.next) {
			in.tickLocked(t, t.ticked)
		}
	}
}
