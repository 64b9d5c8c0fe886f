package future_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of chains: of Deferreds as a functor, a monad, a monad with errors,
// and as something that settles once and that many look at. Map of the
// textbooks is Then, bind is ThenFlat, and that for errors is CatchFlat.

type lawDeferred = *future.Deferred[int]

func TestLawsChain(t *testing.T) { lawChecks(t, lawsChain) }

var lawsChain = []lawTest{
	{1, "Then of the identity changes nothing", func(c *lawCase) {
		c.drawTies()
		x := c.tree()
		c.equal(
			func(w *lawWorld) lawDeferred { return future.Then(x.build(w), lawIdentity) },
			x.build)
	}},
	{2, "two Thens are one of both functions", lawComposition},
	{3, "ThenFlat of a success is the call", func(c *lawCase) {
		c.drawTies()
		v, f := c.value(), c.flat("f")
		c.equal(
			func(w *lawWorld) lawDeferred { return future.ThenFlat(lawSettled(w, v, nil), f.flat(w)) },
			func(w *lawWorld) lawDeferred { return f.flat(w)(v) })
	}},
	{4, "ThenFlat of Succeed changes nothing", func(c *lawCase) {
		c.drawTies()
		x := c.tree()
		c.equal(
			func(w *lawWorld) lawDeferred { return future.ThenFlat(x.build(w), lawOK(w)) },
			x.build)
	}},
	{5, "ThenFlat is associative", func(c *lawCase) {
		c.drawTies()
		x, f, g := c.tree(), c.flat("f"), c.flat("g")
		c.equal(
			func(w *lawWorld) lawDeferred {
				return future.ThenFlat(lawKeep(w, future.ThenFlat(x.build(w), f.flat(w))), g.flat(w))
			},
			func(w *lawWorld) lawDeferred {
				return future.ThenFlat(x.build(w), func(v int) lawDeferred {
					return lawKeep(w, future.ThenFlat(f.flat(w)(v), g.flat(w)))
				})
			})
	}},
	{6, "Then is ThenFlat of what is settled", func(c *lawCase) {
		c.drawTies()
		x, f := c.tree(), c.pure("f")
		c.equal(
			func(w *lawWorld) lawDeferred { return future.Then(x.build(w), f.pure(w)) },
			func(w *lawWorld) lawDeferred {
				return future.ThenFlat(x.build(w), func(v int) lawDeferred {
					return lawKeep(w, future.Settle(f.pure(w)(v)))
				})
			})
	}},
	{7, "Flatten takes a level off, at any depth", lawFlatten},
	{8, "a failure passes over ThenFlat", func(c *lawCase) {
		err, f, g := c.g.err(), c.flat("f"), c.pure("g")
		failed := func(w *lawWorld) lawDeferred { return lawSettled(w, 0, err) }
		c.equal(func(w *lawWorld) lawDeferred { return future.ThenFlat(failed(w), f.flat(w)) }, failed)
		c.equal(func(w *lawWorld) lawDeferred { return future.Then(failed(w), g.pure(w)) }, failed)
	}},
	{9, "a value passes over CatchFlat", func(c *lawCase) {
		v, h, g := c.value(), c.flat("h"), c.pure("g")
		ok := func(w *lawWorld) lawDeferred { return lawSettled(w, v, nil) }
		c.equal(func(w *lawWorld) lawDeferred { return ok(w).CatchFlat(h.caughtFlat(w)) }, ok)
		c.equal(func(w *lawWorld) lawDeferred { return ok(w).Catch(g.caught(w)) }, ok)
	}},
	{10, "CatchFlat of a failure is the call", func(c *lawCase) {
		c.drawTies()
		err, h := c.g.err(), c.flat("h")
		c.equal(
			func(w *lawWorld) lawDeferred { return lawSettled(w, 0, err).CatchFlat(h.caughtFlat(w)) },
			func(w *lawWorld) lawDeferred { return h.caughtFlat(w)(err) })
	}},
	{11, "CatchFlat of Fail changes nothing", func(c *lawCase) {
		c.drawTies()
		x := c.tree()
		c.equal(func(w *lawWorld) lawDeferred { return x.build(w).CatchFlat(lawFail(w)) }, x.build)
	}},
	{12, "CatchFlat is associative", func(c *lawCase) {
		c.drawTies()
		x, h, k := c.tree(), c.flat("h"), c.flat("k")
		c.equal(
			func(w *lawWorld) lawDeferred {
				return lawKeep(w, x.build(w).CatchFlat(h.caughtFlat(w))).CatchFlat(k.caughtFlat(w))
			},
			func(w *lawWorld) lawDeferred {
				return x.build(w).CatchFlat(func(err error) lawDeferred {
					return lawKeep(w, h.caughtFlat(w)(err).CatchFlat(k.caughtFlat(w)))
				})
			})
	}},
	{13, "of two branches just one is taken", lawBranches},
	{14, "a panic is a failure", lawPanic},
	{15, "errors are kept", lawErrorsKept},
	{16, "the first settle wins", lawSettleOnce},
	{17, "who comes late sees the same, in order", lawLateReaders},
	{18, "callbacks run in registration order", lawOrder},
	{19, "all observers see one outcome", lawObservers},
	{20, "Finally passes on, and runs once", lawFinally},
	{21, "Finally nests inside out", lawFinallyNests},
}

// drawTies draws whether times may be equal. What is drawn from then on may tie.
func (c *lawCase) drawTies() { c.g.ties = rapid.IntRange(0, 3).Draw(c.t, "ties") == 0 }

func (c *lawCase) value() int { return rapid.IntRange(0, 9).Draw(c.t, "v") }

// lawSettled is a Deferred of the world that has settled.
func lawSettled(w *lawWorld, v int, err error) lawDeferred {
	d, res := lawRoot(w)
	res.Settle(v, err)
	return d
}

// On a loop the two functions are two steps, and the one of both is one: so the
// law is up to the order of effects of one instant there.
func lawComposition(c *lawCase) {
	x, f, g := c.tree(), c.pure("f"), c.pure("g")
	cancel := c.cancel()
	c.same(
		cancel.of(func(w *lawWorld) lawDeferred {
			return future.Then(lawKeep(w, future.Then(x.build(w), f.pure(w))), g.pure(w))
		}),
		cancel.of(func(w *lawWorld) lawDeferred {
			return future.Then(x.build(w), func(v int) (int, error) {
				v, err := f.pure(w)(v)
				if err != nil {
					return 0, err
				}
				return g.pure(w)(v)
			})
		}), true)
}

func lawFlatten(c *lawCase) {
	c.drawTies()
	x, err := c.tree(), c.g.err()
	c.equal(
		func(w *lawWorld) lawDeferred { return future.Flatten(lawKeep(w, future.Succeed(x.build(w)))) },
		x.build)
	c.equal(
		func(w *lawWorld) lawDeferred { return future.Flatten(lawKeep(w, future.Fail[lawDeferred](err))) },
		func(w *lawWorld) lawDeferred { return lawSettled(w, 0, err) })
	n := rapid.IntRange(1, 40).Draw(c.t, "levels")
	c.equal(
		func(w *lawWorld) lawDeferred {
			d := x.build(w)
			for range n {
				d = lawKeep(w, future.Flatten(lawKeep(w, future.Succeed(d))))
			}
			return d
		},
		x.build)
	if one, many := lawFramesBelow(1), lawFramesBelow(n); one != many {
		c.t.Fatalf("a callback is called with %d frames on the stack behind one level, with %d behind %d", one, many, n)
	}
}

// lawFramesBelow is how deep in the stack a callback is called behind so many
// levels of nesting.
func lawFramesBelow(levels int) (frames int) {
	d, res := future.New[int]()
	e := d
	for range levels {
		e = future.Flatten(future.Succeed(e))
	}
	future.Then(e, func(v int) (int, error) {
		frames = runtime.Callers(0, make([]uintptr, 10_000))
		return v, nil
	})
	res.Succeed(0)
	return frames
}

func lawBranches(c *lawCase) {
	c.drawTies()
	x, f, h := c.tree(), c.flat("f"), c.flat("h")
	branch := func(w *lawWorld, f func(int) lawDeferred) lawDeferred {
		return future.Flatten(lawKeep(w, future.Handle(x.build(w), func(v int, err error) (lawDeferred, error) {
			if err != nil {
				return h.caughtFlat(w)(err), nil
			}
			return f(v), nil
		})))
	}
	cancel := c.cancel()
	c.each(func(k lawKind) {
		alone := c.run(k, cancel.of(x.build))
		got := c.run(k, cancel.of(func(w *lawWorld) lawDeferred { return branch(w, f.flat(w)) }))
		want, calls := alone, 0
		switch {
		case alone.settled && alone.err == nil:
			want, calls = c.run(k, cancel.of(func(w *lawWorld) lawDeferred { return future.ThenFlat(x.build(w), f.flat(w)) })), 1
		case alone.settled:
			want, calls = c.run(k, cancel.of(func(w *lawWorld) lawDeferred { return x.build(w).CatchFlat(h.caughtFlat(w)) })), 1
		}
		if n := got.count("f(") + got.count("h("); n != calls || got.String() != want.String() {
			c.t.Fatalf("%s: %d calls\ngot: %v\nwant: %v", k.name, n, got, want)
		}
	})
	c.equal( // one that stands behind does see the errors of f
		func(w *lawWorld) lawDeferred {
			return lawKeep(w, future.ThenFlat(x.build(w), f.flat(w))).CatchFlat(h.caughtFlat(w))
		},
		func(w *lawWorld) lawDeferred {
			return branch(w, func(v int) lawDeferred { return lawKeep(w, f.flat(w)(v).CatchFlat(h.caughtFlat(w))) })
		})
}

// A function that panics, or ends its goroutine, is one that returns a failure:
// up to the failure, which has the panic's value and stack. What steers a
// property tester is in TestLawControlPanic. The function is called by what
// drives the world, so it never ends the goroutine that builds the expression.
func lawPanic(c *lawCase) {
	c.apart, c.g.nevers = true, false
	x, wait := c.tree(), c.g.time()
	goexit := rapid.Bool().Draw(c.t, "goexit")
	text := rapid.StringMatching(`[a-z]{1,8}`).Draw(c.t, "text")
	breaks := func() {
		if goexit {
			runtime.Goexit()
		}
		panic(text)
	}
	became := func(err error) error {
		f, ok := errors.AsType[*failure.Failure](err)
		switch {
		case goexit && ok && errors.Is(err, failure.ErrGoexit):
			return errLawPanic
		case ok && f.Error() == "panic: "+text && errors.Is(err, failure.ErrPanic) && strings.Contains(fmt.Sprintf("%+v", f), "lawPanic"):
			return errLawPanic
		}
		return err
	}
	side := func(f func() error) lawSide {
		return func(w *lawWorld) lawDeferred {
			d := lawKeep(w, future.ThenFlat(lawKeep(w, future.After(w.timers, wait, 0)), func(int) lawDeferred { return x.build(w) }))
			e := lawKeep(w, future.Then(d, func(v int) (int, error) {
				w.note("f(%d)", v)
				return 0, f()
			}))
			return e.Catch(func(err error) (int, error) { return 0, became(err) })
		}
	}
	cancel := c.cancel()
	c.same(
		cancel.of(side(func() error { breaks(); return nil })),
		cancel.of(side(func() error { return errLawPanic })), false)
}

func lawErrorsKept(c *lawCase) {
	x, err, f, g := c.tree(), c.g.err(), c.flat("f"), c.pure("g")
	one, two := c.g.links("one"), c.g.links("two")
	fails := func(w *lawWorld) lawDeferred {
		return lawKeep(w, future.ThenFlat(x.build(w), func(int) lawDeferred { return lawSettled(w, 0, err) }))
	}
	c.equal(
		func(w *lawWorld) lawDeferred {
			d := lawKeep(w, future.ThenFlat(lawChain(w, fails(w), one), f.flat(w)))
			return lawChain(w, lawKeep(w, future.Then(d, g.pure(w))), two)
		},
		fails)
	c.each(func(k lawKind) { // an error that joins keeps the other
		alone := c.run(k, fails)
		got := c.run(k, func(w *lawWorld) lawDeferred { return fails(w).Finally(func() error { return errCause }) })
		if want := lawBehind(lawShow(alone.err), "", errCause); got.settled && lawShow(got.err) != want {
			c.t.Fatalf("%s: it became %v, want %s", k.name, lawShow(got.err), want)
		}
	})
}

// The first of several settles counts, also if it is a Follow or a Cancel. A
// Cancel after a Follow is not among them: it goes to what is followed.
func lawSettleOnce(c *lawCase) {
	x := c.tree()
	verbs := rapid.SliceOfN(rapid.SampledFrom([]string{"succeed", "fail", "settle", "follow", "cancel"}), 1, 5).Draw(c.t, "verbs")
	if verbs[0] == "follow" {
		verbs = slices.DeleteFunc(verbs, func(verb string) bool { return verb == "cancel" })
	}
	moments := make([]time.Duration, len(verbs))
	for i := range moments {
		moments[i] = c.g.time()
		if i > 0 && rapid.Bool().Draw(c.t, "at once") {
			moments[i] = moments[i-1]
		}
	}
	slices.Sort(moments)
	side := func(n int) lawSide {
		return func(w *lawWorld) lawDeferred {
			d, res := lawRoot(w)
			for i := 0; i < n; {
				first := i
				for i < n && moments[i] == moments[first] {
					i++
				}
				w.at(moments[first], func() {
					for j := first; j < i; j++ {
						w.settled(lawSettle(w, verbs[j], j, d, res, x))
					}
				})
			}
			return d
		}
	}
	c.each(func(k lawKind) {
		got, want := c.run(k, side(len(verbs))), c.run(k, side(1))
		got.idle = want.idle
		if got.String() != want.String() || got.late != want.late+len(verbs)-1 {
			c.t.Fatalf("%s: %v at %v: %d late\ngot: %v\nwant: %v", k.name, verbs, moments, got.late, got, want)
		}
	})
}

// lawSettle settles d in the i-th place, and reports whether it was the first
// to do so.
func lawSettle(w *lawWorld, verb string, i int, d lawDeferred, res future.Resolver[int], x *lawTree) bool {
	switch verb {
	case "succeed":
		return res.Succeed(i)
	case "fail":
		return res.Fail(errA)
	case "settle":
		return res.Settle(i, nil)
	case "cancel":
		return d.Cancel(errCause)
	}
	if i > 0 {
		return res.Follow(lawSettled(w, i, nil))
	}
	return res.Follow(x.build(w))
}

func lawLateReaders(c *lawCase) {
	c.drawTies()
	x, n := c.tree(), rapid.IntRange(1, 5).Draw(c.t, "readers")
	cancel := c.cancel()
	c.each(func(k lawKind) {
		want := c.run(k, cancel.of(x.build))
		got := c.run(k, cancel.of(func(w *lawWorld) lawDeferred {
			d := x.build(w)
			w.at(lawLater, func() {
				for i := range n {
					future.Handle(d, func(v int, err error) (int, error) {
						w.note("reader %d: %d, %s", i, v, lawShow(err))
						return 0, nil
					})
				}
			})
			return d
		}))
		if want.settled {
			for i := range n {
				want.log = append(want.log, lawNote{lawLater, fmt.Sprintf("reader %d: %d, %s", i, want.v, lawShow(want.err))})
			}
		}
		if got.out() != want.out() || got.effects() != want.effects() {
			c.t.Fatalf("%s\ngot: %v\nwant: %v", k.name, got, want)
		}
	})
}

// Readers come at the start, at other moments, and from within readers.
func lawOrder(c *lawCase) {
	c.drawTies()
	x := c.tree()
	more := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 6).Draw(c.t, "more") // by reader: how many it brings
	var moments []time.Duration
	for range rapid.IntRange(0, 3).Draw(c.t, "later") {
		moments = append(moments, c.g.time())
	}
	cancel := c.cancel()
	c.each(func(k lawKind) {
		tr := c.run(k, cancel.of(func(w *lawWorld) lawDeferred {
			d := x.build(w)
			var attach func()
			attach = func() {
				i := w.number()
				w.note("attached %d", i)
				future.Handle(d, func(int, error) (int, error) {
					w.note("called %d", i)
					if i < len(more) {
						for range more[i] {
							attach()
						}
					}
					return 0, nil
				})
			}
			attach()
			attach()
			for _, moment := range moments {
				w.at(moment, attach)
			}
			return d
		}))
		var called []string
		for _, n := range tr.log {
			if i, ok := strings.CutPrefix(n.text, "called "); ok {
				called = append(called, i)
			}
		}
		n := tr.count("attached ")
		if !tr.settled {
			n = 0
		}
		for i := range max(n, len(called)) {
			if len(called) != n || called[i] != fmt.Sprint(i) {
				c.t.Fatalf("%s: called %v of %d\n%v", k.name, called, n, tr)
			}
		}
	})
}

// What observers answer, and when they come, changes neither what others see
// nor what the observed does.
func lawObservers(c *lawCase) {
	c.drawTies()
	x := c.tree()
	answers := []*lawFn{}
	var moments []time.Duration
	for range rapid.IntRange(1, 4).Draw(c.t, "observers") {
		answers = append(answers, c.pure("observer"))
		moments = append(moments, rapid.SampledFrom([]time.Duration{0, c.g.time(), lawLater}).Draw(c.t, "moment"))
	}
	cancel := c.cancel()
	c.each(func(k lawKind) {
		want := c.run(k, cancel.of(x.build))
		got := c.run(k, cancel.of(func(w *lawWorld) lawDeferred {
			d := x.build(w)
			for i, f := range answers {
				w.at(moments[i], func() { lawKeep(w, future.Handle(d, f.both(w))) })
			}
			return d
		}))
		sees := fmt.Sprintf("observer(%d, %s)", want.v, lawShow(want.err))
		n := len(answers)
		if !want.settled {
			n = 0
		}
		if got.count(sees) != n || got.count("observer") != n {
			c.t.Fatalf("%s: not all of %d saw %q: %v", k.name, n, sees, got)
		}
		if got = got.without("observer"); got.out() != want.out() || got.effects() != want.effects() {
			c.t.Fatalf("%s\nobserved: %v\nalone: %v", k.name, got, want)
		}
	})
}

func lawFinally(c *lawCase) {
	c.drawTies()
	x := c.tree()
	c.equal(
		func(w *lawWorld) lawDeferred { return x.build(w).Finally(func() error { return nil }) },
		x.build)
	cancel := c.cancel()
	c.each(func(k lawKind) {
		want := c.run(k, cancel.of(x.build))
		got := c.run(k, cancel.of(func(w *lawWorld) lawDeferred {
			return x.build(w).Finally(func() error { w.note("g"); return nil })
		}))
		n := 0
		if want.settled {
			n = 1
		}
		if got.count("g") != n || got.without("g").String() != want.String() {
			c.t.Fatalf("%s: called %d times, want %d\ngot: %v\nwant: %v", k.name, got.count("g"), n, got, want)
		}
	})
}

// The error of a Finally stands alone if there was none before, else behind it.
// The effects are those of one Finally that calls both functions; on a loop
// others may have a turn between them.
func lawFinallyNests(c *lawCase) {
	x, g1, g2 := c.tree(), c.pure("g1"), c.pure("g2")
	cancel := c.cancel()
	c.each(func(k lawKind) {
		want := c.run(k, cancel.of(x.build))
		got := c.run(k, cancel.of(func(w *lawWorld) lawDeferred {
			return lawKeep(w, x.build(w).Finally(g1.final(w))).Finally(g2.final(w))
		}))
		out, calls := want.out(), ""
		if want.settled {
			v, err := want.v, lawShow(want.err)
			for _, g := range []*lawFn{g1, g2} {
				calls += fmt.Sprintf("\n\t%d %s(0, ok)", want.at, g.name)
				if answer := g.errs[0]; answer != nil {
					v, err = 0, lawBehind(err, g.name, answer)
				}
			}
			out = fmt.Sprintf("%d, %s at %d", v, err, want.at)
		}
		if got.out() != out || got.only("g").effects() != calls || got.without("g").effects() != want.effects() {
			c.t.Fatalf("%s: want %s\ngot: %v\nalone: %v", k.name, out, got, want)
		}
	})
}

// lawBehind is what becomes of err when a Finally fails.
func lawBehind(err, name string, answer error) string {
	last := lawShow(answer)
	if answer == errLawPanic {
		last = "panic: " + name
	}
	if err == "ok" {
		return last
	}
	return "[" + err + " & " + last + "]"
}
