package benclock_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bclock "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/benclock"
)

// setup gives a Virtual, a clock on it, and the start of time. Tests with
// timers that only a Mock can make run in a bubble: there the Mock's sleeps
// take no time, and end only when all goroutines are idle.
func setup() (*clock.Virtual, bclock.Clock, time.Time) {
	v := clock.NewVirtual()
	return v, benclock.New(v), v.Now()
}

// A journal is a log from several goroutines.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, want) {
		t.Errorf("got  %q\nwant %q", j.lines, want)
	}
	j.lines = nil
}

func received(ch <-chan time.Time) string {
	select {
	case at := <-ch:
		return at.Format("05.000")
	default:
		return "nothing"
	}
}

func wantReceived(t *testing.T, ch <-chan time.Time, want string) {
	t.Helper()
	if got := received(ch); got != want {
		t.Errorf("received %s, want %s", got, want)
	}
}

func TestTime(t *testing.T) {
	v, c, start := setup()
	v.Advance(90 * time.Second)
	if got := c.Now(); !got.Equal(v.Now()) || got.Location() != time.UTC {
		t.Errorf("Now() = %v, want %v", got, v.Now())
	}
	if got := c.Since(start); got != 90*time.Second {
		t.Errorf("Since(start) = %v", got)
	}
	if got := c.Until(start); got != -90*time.Second {
		t.Errorf("Until(start) = %v", got)
	}
}

func TestNative(t *testing.T) {
	v, c, _ := setup()
	after, tick := c.After(2*time.Second), c.Tick(3*time.Second)
	wantReceived(t, c.After(0), "00.000")
	wantReceived(t, c.After(-time.Hour), "00.000")
	c.Sleep(-time.Hour)
	if c.Tick(0) != nil {
		t.Error("Tick(0) gave a channel")
	}
	v.Advance(2*time.Second - 1)
	wantReceived(t, after, "nothing")
	v.Advance(1)
	wantReceived(t, after, "02.000")
	v.Advance(8 * time.Second)
	wantReceived(t, tick, "03.000") // and the ticks at 6 and 9 were dropped
	wantReceived(t, tick, "nothing")
	v.Advance(2 * time.Second)
	wantReceived(t, tick, "12.000")
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, _ := setup()
		var j journal
		go func() {
			c.Sleep(time.Second)
			j.add("woke at %s", c.Now().Format("05"))
		}()
		synctest.Wait()
		v.Advance(time.Second)
		synctest.Wait()
		j.want(t, "woke at 01")
	})
}

func TestContexts(t *testing.T) {
	v, c, start := setup()
	a, cancel := c.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b, cancel := c.WithDeadline(context.Background(), start.Add(2*time.Second))
	defer cancel()
	below, cancel := context.WithCancel(a)
	defer cancel()
	v.Advance(time.Second)
	if !errors.Is(a.Err(), context.DeadlineExceeded) || !errors.Is(below.Err(), context.DeadlineExceeded) {
		t.Errorf("after 1s: %v, %v", a.Err(), below.Err())
	}
	if b.Err() != nil {
		t.Errorf("after 1s the other has ended: %v", b.Err())
	}
	v.Advance(time.Second)
	if !errors.Is(b.Err(), context.DeadlineExceeded) {
		t.Errorf("after 2s: %v", b.Err())
	}
}

// Without a timer that needs the Mock there is none, and no sleep: virtual
// time in the millions would take hours with it.
func TestNoMockNoCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, _ := setup()
		real := time.Now()
		tick := c.Tick(time.Millisecond)
		v.Advance(100 * time.Second)
		wantReceived(t, tick, "00.001")
		if slept := time.Since(real); slept != 0 {
			t.Errorf("slept %v", slept)
		}
	})
}

func TestInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		app := func(what string) func() {
			return func() { j.add("%s %v %v", what, c.Since(start), v.Now().Sub(start)) }
		}
		for _, at := range []time.Duration{10, 20, 30} {
			v.CallLater(at*time.Second, app("virtual"))
		}
		c.AfterFunc(15*time.Second, app("func"))
		c.AfterFunc(20*time.Second, app("func"))
		timer := c.Timer(25 * time.Second)
		v.CallLater(26*time.Second, func() { j.add("timer %s", received(timer.C)) })
		v.Advance(time.Minute)
		j.want(t, "virtual 10s 10s", "func 15s 15s", "func 20s 20s", "virtual 20s 20s", "timer 25.000", "virtual 30s 30s")
		if n := v.Pending(); n != 0 {
			t.Errorf("%d events left:\n%v", n, v)
		}
	})
}

// What a timer's goroutine schedules on the Virtual, in the nap that the Mock
// leaves it, runs in the same Advance at the right time.
func TestReaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		go func() {
			for n := range 3 {
				<-c.Timer(time.Second).C
				v.CallLater(time.Millisecond, func() { j.add("%d %v", n, v.Now().Sub(start)) })
			}
		}()
		synctest.Wait()
		v.Advance(10 * time.Second)
		j.want(t, "0 1.001s", "1 2.001s", "2 3.001s")
	})
}

func TestRunAndStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		c.AfterFunc(time.Second, func() {
			j.add("first %v", v.Now().Sub(start))
			c.AfterFunc(time.Second, func() { j.add("second %v", v.Now().Sub(start)) })
		})
		if !v.Step() {
			t.Error("no event")
		}
		j.want(t, "first 1s")
		v.Run()
		j.want(t, "second 2s")
		if v.Step() {
			t.Error("an event is left")
		}
	})
}

func TestNoDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		v.Advance(time.Hour)
		var j journal
		for _, d := range []time.Duration{0, -time.Hour} {
			timer := c.Timer(d)
			c.AfterFunc(d, func() { j.add("%v", c.Since(start)) })
			synctest.Wait()
			wantReceived(t, timer.C, "nothing")
			v.Advance(0)
			j.want(t, "1h0m0s")
			wantReceived(t, timer.C, "00.000")
		}
		if got := c.Since(start); got != time.Hour {
			t.Errorf("the clock went back to %v", got)
		}
		c.AfterFunc(time.Second, func() {
			c.AfterFunc(-time.Second, func() { j.add("inside %v", c.Since(start)) })
		})
		v.Advance(time.Second)
		j.want(t, "inside 1h0m1s")
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, _ := setup()
		var j journal
		timer := c.AfterFunc(time.Second, func() { j.add("ran") })
		if !timer.Stop() || timer.Stop() {
			t.Error("Stop of a pending timer, twice: want true, false")
		}
		v.CallLater(time.Second, func() { j.add("virtual") })
		v.Advance(time.Second)
		j.want(t, "virtual")
		fired := c.Timer(time.Second)
		v.Advance(time.Second)
		if fired.Stop() {
			t.Error("Stop of a timer that has fired: want false")
		}
	})
}

// Reset cannot be seen by the Virtual. Its base must be right all the same,
// and its place among the Virtual's events.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		timer := c.AfterFunc(5*time.Second, func() { j.add("func %v", c.Since(start)) })
		v.CallLater(3*time.Second, func() { j.add("reset %t", timer.Reset(4*time.Second)) })
		v.CallLater(6*time.Second, func() { j.add("virtual 6s") })
		v.CallLater(8*time.Second, func() { j.add("virtual 8s") })
		v.Advance(10 * time.Second)
		j.want(t, "reset true", "virtual 6s", "func 7s", "virtual 8s")

		if timer.Reset(time.Second) { // between two drives, at 10s
			t.Error("Reset of a timer that has fired: want false")
		}
		v.Advance(time.Second - 1)
		j.want(t)
		v.Advance(1)
		j.want(t, "func 11s")

		timer.Stop()
		timer.Reset(-time.Hour)
		v.Advance(time.Second)
		if got := c.Since(start); got != 12*time.Second {
			t.Errorf("a negative Reset moved the clock to %v", got)
		}
		j.want(t, "func 11s")
	})
}

// The limits in the package comment are as it says.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		c.AfterFunc(time.Second, func() { t.Error("a stopped timer fired") }).Stop()
		if n := v.Pending(); n != 1 {
			t.Errorf("a stopped timer has left %d events", n)
		}
		v.Run()
		if got := v.Now().Sub(start); got != time.Second {
			t.Errorf("Run went to %v", got)
		}

		var j journal
		timer := c.AfterFunc(4*time.Second, func() {
			j.add("func %v %v", c.Since(start), v.Now().Sub(start))
			v.CallLater(0, func() { j.add("virtual") })
		})
		timer.Reset(7 * time.Second)
		v.Run()
		j.want(t)
		v.Advance(5 * time.Second)
		j.want(t, "func 8s 10s")
		v.Advance(0)
		j.want(t, "virtual")
	})
}

// The commonest loop with a timer: wait, work, Reset. All of it fires in one
// Advance, and what it asks the clock is right.
func TestResetLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		stop := make(chan struct{})
		go func() {
			timer := c.Timer(time.Second)
			for {
				select {
				case at := <-timer.C:
					j.add("%v %v", at.Sub(start), c.Since(start))
					timer.Reset(2 * time.Second)
				case <-stop:
					return
				}
			}
		}()
		synctest.Wait()
		v.Advance(6 * time.Second)
		j.want(t, "1s 1s", "3s 3s", "5s 5s")
		close(stop)
	})
}

// A Mock itself hangs here.
func TestResetUndrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, _ := setup()
		timer := c.Timer(time.Second)
		v.Advance(time.Second)
		timer.Reset(time.Second)
		v.Advance(time.Second)
		wantReceived(t, timer.C, "01.000")
		wantReceived(t, timer.C, "nothing")
	})
}

func TestTicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		ticker := c.Ticker(2 * time.Second)
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for {
				select {
				case at := <-ticker.C:
					j.add("tick %v", at.Sub(start))
				case <-stop:
					return
				}
			}
		}()
		for _, at := range []time.Duration{3, 4, 5} {
			v.CallLater(at*time.Second, func() { j.add("virtual %v", v.Now().Sub(start)) })
		}
		v.Advance(6 * time.Second)
		j.want(t, "tick 2s", "virtual 3s", "tick 4s", "virtual 4s", "virtual 5s", "tick 6s")

		ticker.Reset(5 * time.Second)
		v.Advance(9 * time.Second)
		j.want(t, "tick 11s")

		ticker.Stop()
		v.Run() // comes to an end, though there was a ticker
		v.Advance(time.Hour)
		j.want(t)
	})
}

func TestTickerDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, _ := setup()
		ticker := c.Ticker(time.Second)
		v.Advance(3 * time.Second)
		wantReceived(t, ticker.C, "01.000")
		wantReceived(t, ticker.C, "nothing")
		v.Advance(time.Second)
		wantReceived(t, ticker.C, "04.000")
	})
}

// Time that a Mock with timers is asked for never goes back, whatever is Reset.
func TestMonotone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		v.Advance(time.Minute)
		var j journal
		a := c.AfterFunc(time.Hour, func() { j.add("a %v", c.Since(start)) })
		a.Reset(-time.Minute)
		v.Advance(time.Second)
		j.want(t, "a 1m0s")
	})
}

// When all timers are garbage, the Mock does not follow any more, and does
// again when it is needed.
func TestGarbage(t *testing.T) {
	v, c, start := setup()
	c.AfterFunc(time.Millisecond, func() {})
	v.Advance(time.Millisecond)
	for !benclock.Idle(c) {
		runtime.GC()
		runtime.Gosched()
	}
	v.Advance(time.Hour)
	if got, want := c.Since(start), time.Hour+time.Millisecond; got != want {
		t.Errorf("Since(start) = %v, want %v", got, want)
	}
	if benclock.Follows(c) {
		t.Error("the Mock follows, though it has no timers")
	}
	fired := make(chan time.Time)
	c.AfterFunc(time.Second, func() { fired <- c.Now() })
	go v.Advance(time.Second)
	if got, want := (<-fired).Sub(start), time.Hour+time.Second+time.Millisecond; got != want {
		t.Errorf("fired at %v, want %v", got, want)
	}
}

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var j journal
		timer := c.AfterFunc(time.Second, func() { j.add("func %v", c.Since(start)) })
		release := v.Hold()
		go func() {
			j.add("stop %t", timer.Stop())
			c.AfterFunc(2*time.Second, func() { j.add("other %v", c.Since(start)) })
			release()
		}()
		v.Advance(3 * time.Second)
		j.want(t, "stop true", "other 2s")
	})
}

func TestFrom(t *testing.T) {
	v, c, _ := setup()
	if got := clock.From(c); got != clock.Clock(v) {
		t.Errorf("From gives %T %v, want the Virtual", got, got)
	}
}

func TestMisuse(t *testing.T) {
	_, c, _ := setup()
	for name, f := range map[string]func(){
		"New(nil)":   func() { benclock.New(nil) },
		"nil func":   func() { c.AfterFunc(time.Second, nil) },
		"Ticker(0)":  func() { c.Ticker(0) },
		"Ticker(-1)": func() { c.Ticker(-1) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "benclock: ") {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			f()
		}()
	}
}

// Many goroutines make, stop and reset timers while time moves.
func TestConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c, start := setup()
		var workers sync.WaitGroup
		for g := range 8 {
			workers.Go(func() {
				for n := range 20 {
					before := c.Now()
					timer := c.Timer(time.Duration(g+1) * time.Millisecond)
					other := c.AfterFunc(time.Minute, func() {})
					other.Reset(time.Hour)
					<-timer.C
					other.Stop()
					if now := c.Now(); now.Before(before) {
						t.Errorf("goroutine %d, round %d: the time went back from %v to %v", g, n, before, now)
					}
				}
			})
		}
		for range 400 {
			synctest.Wait()
			v.Advance(time.Millisecond)
		}
		workers.Wait()
		if got := c.Since(start); got != 400*time.Millisecond {
			t.Errorf("time is %v", got)
		}
	})
}
