package future_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
	"pgregory.net/rapid"
)

// The laws of whole programs: nothing is left behind or lost, every run is the
// same, and a coroutine is the chain that it stands for.

func TestLawsPrograms(t *testing.T) {
	lawChecks(t, []lawTest{
		{44, "nothing leaks", lawNoLeak},
		{45, "a failure nobody handles is reported once", lawUnhandled},
		{46, "the same program runs the same", lawDeterminism},
		{50, "a coroutine is the chain", lawCoroutine},
	})
}

// A lawTB is a test that notes what is reported to it.
type lawTB struct {
	reports  []string
	cleanups []func()
}

func (*lawTB) Helper() {}

func (b *lawTB) Errorf(format string, args ...any) {
	b.reports = append(b.reports, fmt.Sprintf(format, args...))
}

func (b *lawTB) Fatalf(format string, args ...any) { b.Errorf(format, args...) }
func (b *lawTB) Cleanup(f func())                  { b.cleanups = append(b.cleanups, f) }

// end ends the test and returns what was reported.
func (b *lawTB) end() string {
	for _, f := range b.cleanups {
		f()
	}
	return strings.Join(b.reports, "\n")
}

// inFuturetest calls f with a world whose reactor is futuretest's.
func (c *lawCase) inFuturetest(f func(tb *lawTB, w *lawWorld)) {
	tb := new(lawTB)
	w := newLawWorld(lawKind{name: "futuretest"})
	var r *reactor.Reactor
	r, w.virtual = futuretest.New(tb)
	w.loop, w.begun = true, w.virtual.Now()
	w.bind(r)
	defer w.close()
	f(tb, w)
}

// When nothing is left to happen, each Deferred has settled, unless it waits
// for one that never does: when those have been canceled, none is left, and so
// no coroutine. On virtual time, no timer is left at the very event after which
// all have settled. In a bubble, a goroutine that is left fails the test.
func lawNoLeak(c *lawCase) {
	c.drawTies()
	side := c.tree().build
	check := func(w *lawWorld) {
		w.advance = func(clk *clock.Virtual) {
			for (len(w.made) == 0 || w.pending() > 0) && clk.Step() {
			}
		}
		w.run(side)
		for w.pendingNevers() > 0 {
			w.do(w.endNevers)
		}
		if n := w.pending(); n > 0 {
			c.t.Fatalf("%s: %d of %d Deferreds have not settled", w.name, n, len(w.made))
		}
		if !w.bubble && w.virtual.Pending() > 0 {
			c.t.Fatalf("%s: left: %v", w.name, w.virtual)
		}
	}
	c.each(func(k lawKind) { c.in(k, check) })
	c.inFuturetest(func(tb *lawTB, w *lawWorld) {
		check(w)
		if report := tb.end(); report != "" {
			c.t.Fatal(report)
		}
	})
}

// The report is that of a reactor of futuretest. A failure is reported once,
// not once a branch that drops it.
func lawUnhandled(c *lawCase) {
	c.drawTies()
	x := c.tree()
	branches := rapid.IntRange(0, 2).Draw(c.t, "branches")
	alone := c.run(lawKinds[1], x.build)
	for _, caught := range []bool{false, true} {
		c.inFuturetest(func(tb *lawTB, w *lawWorld) {
			w.do(func() {
				d := x.build(w)
				for range branches {
					e := lawKeep(w, future.Then(d, lawIdentity))
					if caught {
						lawKeep(w, e.Catch(func(error) (int, error) { return 0, nil }))
					}
				}
				if caught {
					lawKeep(w, d.Catch(func(error) (int, error) { return 0, nil }))
				}
			})
			var got []string
			for _, err := range futuretest.Unhandled(tb, w.r) {
				got = append(got, err.Error()+": "+lawClass(err))
			}
			var want []string
			if alone.err != nil && !caught {
				want = []string{alone.err.Error() + ": " + lawClass(alone.err)}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				c.t.Fatalf("%v, caught %v: reported %q, want %q\nalone: %v", x, caught, got, want, alone)
			}
		})
	}
}

// Two runs give the same log, byte for byte; and a reactor's in a bubble, on the
// system's clock, is that on virtual time; inline it is so without ties.
func lawDeterminism(c *lawCase) {
	c.drawTies()
	cancel := c.cancel()
	side := cancel.of(c.tree().build)
	traces := map[bool]string{}
	c.each(func(k lawKind) {
		one, two := c.run(k, side), c.run(k, side)
		if one.String() != two.String() {
			c.t.Fatalf("%s\none run: %v\nanother: %v", k.name, one, two)
		}
		one.idle = 0 // is not known in a bubble
		if before, ok := traces[k.loop]; ok && before != one.String() {
			c.t.Fatalf("%s: %v\non virtual time: %v", k.name, one, before)
		}
		traces[k.loop] = one.String()
	})
}

// Both parts have been started. If there is a cancel, they are obedient: a
// coroutine that was canceled does not wait for the second part any more,
// whatever the first has made of it. On a loop this is up to the order of
// effects of one instant, and the coroutine does not wait for parts that need a
// step to end: then it says itself that it was canceled.
func lawCoroutine(c *lawCase) {
	cancel := c.cancel()
	c.g.obedient = cancel.at != 0
	x, y, f := c.tree(), c.tree(), c.pure("f")
	coroutine := func(w *lawWorld) lawDeferred {
		one, two := x.build(w), y.build(w)
		return w.async(func(ctx context.Context) (int, error) {
			defer w.note("over")
			a, err := one.Await(ctx)
			if err != nil {
				return 0, err
			}
			b, err := two.Await(ctx)
			if err != nil {
				return 0, err
			}
			return f.pure(w)(10*a + b)
		})
	}
	chain := func(w *lawWorld) lawDeferred {
		one, two := x.build(w), y.build(w)
		return lawKeep(w, future.ThenFlat(one, func(a int) lawDeferred {
			return lawKeep(w, future.Then(two, func(b int) (int, error) { return f.pure(w)(10*a + b) }))
		})).Finally(func() error { w.note("over"); return nil })
	}
	c.each(func(k lawKind) {
		got, want := c.run(k, cancel.of(coroutine)), c.run(k, cancel.of(chain))
		if k.loop {
			got, want = got.byInstant(), want.byInstant()
			if want.at == cancel.at && errors.Is(want.err, future.ErrCanceled) && errors.Is(got.err, future.ErrCanceled) {
				got.err = want.err
			}
		}
		if got.String() != want.String() {
			c.t.Fatalf("%s\ncoroutine: %v\nchain: %v", k.name, got, want)
		}
	})
}

// Who has awaited a Deferred has taken its outcome, also with a context that
// had ended: law 45 for each that can wait.
func TestLawEndedAwait(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	for name, wait := range map[string]func(f func(context.Context) (int, error)){
		"goroutine": func(f func(context.Context) (int, error)) { f(t.Context()) },
		"inline":    func(f func(context.Context) (int, error)) { future.Async(t.Context(), f) },
		"on a loop": func(f func(context.Context) (int, error)) { future.AsyncOn(t.Context(), r, f) },
		"worker":    func(f func(context.Context) (int, error)) { future.GoOn(t.Context(), r, f) },
	} {
		d, res := future.NewOn[int](r)
		wait(func(ctx context.Context) (int, error) {
			ctx, end := context.WithCancel(ctx)
			end()
			if _, err := d.Await(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: Await = %v", name, err)
			}
			return 0, nil
		})
		clk.Advance(0)
		res.Fail(errA)
		if errs := futuretest.Unhandled(t, r); len(errs) > 0 {
			t.Errorf("%s: unhandled: %v", name, errs)
		}
	}
}
