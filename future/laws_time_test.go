package future_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of what takes time, and of what takes it for ever.

func TestLawsTime(t *testing.T) {
	lawChecks(t, []lawTest{
		{28, "what never settles absorbs", lawNever},
		{36, "a Timeout is on time", lawTimeout},
		{37, "nested Timeouts are the shortest", lawTimeoutNests},
		{38, "timers are on time and in order", lawTimers},
		{39, "time passes in pieces as it does at once", lawPieces},
	})
}

func lawNever(c *lawCase) {
	f, h := c.flat("f"), c.flat("h")
	leaf := &lawTree{op: "never", id: 1}
	links := c.g.links("links")
	c.equal(func(w *lawWorld) lawDeferred { return future.ThenFlat(leaf.build(w), f.flat(w)) }, leaf.build)
	c.equal(func(w *lawWorld) lawDeferred { return lawChain(w, leaf.build(w), links) }, leaf.build)
	c.same( // which a Cancel, a failure, would end
		func(w *lawWorld) lawDeferred { return leaf.build(w).CatchFlat(h.caughtFlat(w)) },
		leaf.build, false)
	limit := c.g.time()
	c.each(func(k lawKind) {
		tr := c.run(k, func(w *lawWorld) lawDeferred { return lawChain(w, leaf.build(w), links).Timeout(w.timers, limit) })
		if tr.at != limit || !lawIsLate(tr.err) || tr.count("never1 is asked") != 1 || len(tr.log) != 1 {
			c.t.Fatalf("%s: a timeout of %d: %v", k.name, limit, tr)
		}
	})
}

// lawIsLate reports whether err is a timeout and no cancel.
func lawIsLate(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, future.ErrCanceled)
}

// A Timeout changes nothing of what settles before, and leaves no timer. What
// is late it cancels, and the answer stands: so the other case is that of a
// cancel at that time, up to the error: a cancellation that comes out of it is
// a timeout.
func lawTimeout(c *lawCase) {
	x, limit := c.tree(), c.g.time()
	c.each(func(k lawKind) {
		got := c.run(k, func(w *lawWorld) lawDeferred { return x.build(w).Timeout(w.timers, limit) })
		want := c.run(k, x.build)
		if want.settled && want.at < limit {
			if got.String() != want.String() {
				c.t.Fatalf("%s: within %d\ngot: %v\nwant: %v", k.name, limit, got, want)
			}
			return
		}
		want = c.run(k, lawCanceledAt(x.build, limit, context.DeadlineExceeded))
		if errors.Is(want.err, future.ErrCanceled) {
			if !lawIsLate(got.err) {
				c.t.Fatalf("%s: within %d: %v, where a cancel gives %v", k.name, limit, got, want)
			}
			got.err = want.err
		}
		if got.String() != want.String() {
			c.t.Fatalf("%s: within %d\ngot: %v\ncanceled: %v", k.name, limit, got, want)
		}
	})
	c.timeoutTies(limit)
}

// timeoutTies is for what settles at the very time of the timeout: the timer
// that was made first strikes first. On a loop, an outcome that needs a
// callback's step to reach the timeout comes too late.
func (c *lawCase) timeoutTies(limit time.Duration) {
	first := rapid.Bool().Draw(c.t, "timeout first")
	steps := rapid.IntRange(0, 2).Draw(c.t, "steps")
	c.g.ties = true
	c.each(func(k lawKind) {
		tr := c.run(k, func(w *lawWorld) lawDeferred {
			d, res := lawRoot(w)
			settle := func() { w.at(limit, func() { res.Succeed(1) }) }
			if !first {
				settle()
			}
			e := d
			for range steps {
				e = lawKeep(w, future.Then(e, lawIdentity))
			}
			e = lawKeep(w, e.Timeout(w.timers, limit))
			if first {
				settle()
			}
			return e
		})
		late := first || k.loop && steps > 0
		if tr.at != limit || late != lawIsLate(tr.err) || late == (tr.err == nil) {
			c.t.Fatalf("%s: timeout first %v, after %d steps: %v", k.name, first, steps, tr)
		}
	})
}

// One that does not end at a cancel is asked by each of the timeouts, so the
// law is for obedient expressions. A timeout of 0 does not beat what has
// settled, also if that was a moment ago.
func lawTimeoutNests(c *lawCase) {
	x := c.obedient()
	var limits []time.Duration
	for range rapid.IntRange(2, 4).Draw(c.t, "limits") {
		limits = append(limits, c.g.time())
	}
	c.equal(
		func(w *lawWorld) lawDeferred {
			d := x.build(w)
			for _, limit := range limits {
				d = lawKeep(w, d.Timeout(w.timers, limit))
			}
			return d
		},
		func(w *lawWorld) lawDeferred { return x.build(w).Timeout(w.timers, slices.Min(limits)) })
	v, err := c.value(), rapid.SampledFrom([]error{nil, errA}).Draw(c.t, "err")
	settled := func(w *lawWorld) lawDeferred { return lawSettled(w, v, err) }
	zero := rapid.SampledFrom([]time.Duration{0, -1}).Draw(c.t, "zero")
	c.equal(func(w *lawWorld) lawDeferred { return settled(w).Timeout(w.timers, zero) }, settled)
}

// A lawTimer is one that a test makes, and may stop before it is due.
type lawTimer struct {
	made, delay time.Duration
	stop        time.Duration // 0: never
}

// Timers that are due at the same time fire in the order in which they were
// made; one that has no delay comes after those that were due already, and not
// within the call. A timer of After calls back in a step more on a loop, so all
// are of that kind or none is.
func lawTimers(c *lawCase) {
	c.drawTies()
	one, two, after := c.g.time(), c.g.time(), rapid.Bool().Draw(c.t, "After")
	var timers []lawTimer
	for range rapid.IntRange(1, 6).Draw(c.t, "timers") {
		timer := lawTimer{made: c.g.time(), delay: c.g.time()}
		if c.g.ties {
			timer.delay -= 2 // none is negative, and counts as 0
		}
		if rapid.IntRange(0, 3).Draw(c.t, "stopped") == 0 {
			timer.stop = timer.made + c.g.odd()
		}
		timers = append(timers, timer)
	}
	slices.SortStableFunc(timers, func(a, b lawTimer) int { return cmp.Compare(a.made, b.made) })
	c.each(func(k lawKind) {
		tr := c.run(k, func(w *lawWorld) lawDeferred {
			return future.ThenFlat(lawSleep(w, one), func(int) lawDeferred { return lawSleep(w, two) })
		})
		if tr.at != one+two {
			c.t.Fatalf("%s: %d and then %d: %v", k.name, one, two, tr)
		}
		tr = c.run(k, func(w *lawWorld) lawDeferred {
			for i, timer := range timers {
				w.at(timer.made, func() { timer.start(w, i, after) })
			}
			return lawSettled(w, 0, nil)
		})
		if want := lawFired(timers); tr.effects() != want.effects() {
			c.t.Fatalf("%s: %+v\ngot: %v\nwant: %v", k.name, timers, tr, want)
		}
	})
}

// start makes the timer, by After or by CallLater.
func (timer lawTimer) start(w *lawWorld, i int, after bool) {
	fired := func() { w.note("timer %d", i) }
	var stop func()
	if after {
		d := lawSleep(w, timer.delay)
		if _, err := d.Result(); err != future.ErrPending {
			w.note("timer %d fired within the call", i)
		}
		future.Then(d, func(int) (int, error) { fired(); return 0, nil })
		stop = func() { d.Cancel(nil) }
	} else {
		t := w.timers.CallLater(timer.delay, fired)
		stop = func() { t.Stop() }
	}
	if timer.stop > 0 {
		w.at(timer.stop, stop)
	}
}

func lawSleep(w *lawWorld, d time.Duration) lawDeferred {
	return lawKeep(w, future.After(w.timers, d, 1))
}

// lawFired is what the timers do.
func lawFired(timers []lawTimer) (want lawTrace) {
	for i, timer := range timers {
		due := timer.made + max(timer.delay, 0)
		if timer.stop == 0 || timer.stop > due {
			want.log = append(want.log, lawNote{due, fmt.Sprint("timer ", i)})
		}
	}
	slices.SortStableFunc(want.log, func(a, b lawNote) int { return cmp.Compare(a.at, b.at) })
	return want
}

// A Virtual is advanced in pieces, to drawn times or event by event; and
// nowhere does time run backwards.
func lawPieces(c *lawCase) {
	c.drawTies()
	x, cancel := c.tree(), c.cancel()
	pieces := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 1<<rapid.IntRange(0, lawPowers).Draw(t, "power")).Draw(t, "piece"))
	}), 0, 6).Draw(c.t, "pieces")
	side := cancel.of(x.build)
	advance := map[string]func(*clock.Virtual){
		"at once": func(clk *clock.Virtual) { clk.Advance(lawHorizon) },
		"in pieces": func(clk *clock.Virtual) {
			end := clk.Now().Add(lawHorizon)
			for _, d := range pieces {
				clk.Advance(d)
			}
			clk.AdvanceTo(end)
		},
		"by events": func(clk *clock.Virtual) {
			end := clk.Now().Add(lawHorizon)
			for clk.Step() {
			}
			clk.AdvanceTo(end)
		},
	}
	c.each(func(k lawKind) {
		want := c.run(k, side)
		if !slices.IsSortedFunc(want.log, func(a, b lawNote) int { return cmp.Compare(a.at, b.at) }) {
			c.t.Fatalf("%s: time runs backwards: %v", k.name, want)
		}
		if k.bubble {
			return
		}
		for name, advance := range advance {
			var got lawTrace
			c.in(k, func(w *lawWorld) {
				w.advance = advance
				got = w.run(side)
			})
			if got.out() != want.out() || got.effects() != want.effects() || got.idle != lawHorizon {
				c.t.Fatalf("%s, time passes %s\ngot: %v\nwant: %v", k.name, name, got, want)
			}
		}
	})
}
