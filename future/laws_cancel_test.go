package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of cancellation. A Cancel asks, and the answer stands: so some laws
// hold for obedient expressions only, in which no root answers with an outcome
// of its own and nothing catches the cancellation.

func TestLawsCancel(t *testing.T) {
	lawChecks(t, []lawTest{
		{29, "a Cancel settles", lawCancelSettles},
		{30, "a second Cancel changes nothing", lawCancelTwice},
		{31, "a Cancel goes up, to what is pending", lawCancelGoesUp},
		{32, "a Cancel does not go sideways", lawCancelSideways},
		{33, "a late result is dropped", lawLateResult},
		{34, "a Cancel stops at a Shield", lawShield},
		{35, "a Catch recovers from a Cancel", lawRecovers},
	})
}

// obedient draws an obedient expression.
func (c *lawCase) obedient() *lawTree {
	c.g.obedient = true
	defer func() { c.g.obedient = false }()
	return c.tree()
}

// Inline it has settled when Cancel returns, on a loop at the same time: each
// callback on the way is a step.
func lawCancelSettles(c *lawCase) {
	c.drawTies()
	x, moment := c.obedient(), c.g.odd()
	c.each(func(k lawKind) {
		alone := c.run(k, x.build)
		pending := !alone.settled || alone.at > moment
		tr := c.run(k, func(w *lawWorld) lawDeferred {
			d := x.build(w)
			w.at(moment, func() {
				ok := d.Cancel(errCause)
				_, err := d.Result()
				if ok != pending || !w.loop && pending && !errors.Is(err, future.ErrCanceled) {
					w.note("Cancel returned %v, Result %s", ok, lawShow(err))
				}
			})
			return d
		})
		switch {
		case tr.count("Cancel returned") > 0:
		case !pending && tr.out() == alone.out():
			return
		case pending && tr.at == moment && lawIsAll(tr.err, future.ErrCanceled, context.Canceled, errCause):
			return
		}
		c.t.Fatalf("%s: canceled at %d: %v\nalone: %v", k.name, moment, tr, alone)
	})
}

func lawIsAll(err error, targets ...error) bool {
	return !slices.ContainsFunc(targets, func(target error) bool { return !errors.Is(err, target) })
}

// One that catches the cancellation and then waits for something else would be
// canceled anew, so the first half is for obedient expressions. On a loop these
// are still pending when the second Cancel comes, if callbacks are queued; it
// takes the place of what those were queued for. So there the law is up to
// which of the cancellations comes out.
func lawCancelTwice(c *lawCase) {
	x, y, moment, times := c.obedient(), c.tree(), c.g.odd(), rapid.IntRange(2, 4).Draw(c.t, "times")
	cancels := func(times int) lawSide {
		return func(w *lawWorld) lawDeferred {
			d := x.build(w)
			w.at(moment, func() {
				for i := range times {
					d.Cancel([]error{errCause, errA, nil, errB}[i])
				}
			})
			return d
		}
	}
	c.each(func(k lawKind) {
		one, more := c.run(k, cancels(1)), c.run(k, cancels(times))
		if k.loop && lawIsAll(one.err, future.ErrCanceled) && lawIsAll(more.err, future.ErrCanceled) {
			more.err = one.err
		}
		if one.String() != more.String() {
			c.t.Fatalf("%s\nonce: %v\n%d times: %v", k.name, one, times, more)
		}
	})
	side := c.cancel().of(y.build)
	late := func(cancel func(w *lawWorld, d lawDeferred)) lawSide {
		return func(w *lawWorld) lawDeferred {
			d := side(w)
			w.at(lawLater, func() {
				if _, err := d.Result(); err != future.ErrPending {
					cancel(w, d)
				}
			})
			return d
		}
	}
	c.same(
		late(func(w *lawWorld, d lawDeferred) {
			_, before := d.Result()
			if ok := d.Cancel(errCause); ok {
				w.note("Cancel returned true")
			}
			if _, err := d.Result(); err != before {
				w.note("Cancel changed the outcome to %s", lawShow(err))
			}
		}),
		late(func(*lawWorld, lawDeferred) {}), false)
}

// While the first part is pending it is asked, once, and the function is not
// called; while what the function returned is pending, that is asked.
func lawCancelGoesUp(c *lawCase) {
	first := &lawTree{op: "root", id: 1, v: c.value(), at: c.g.time()}
	second := &lawTree{op: "root", id: 2, v: c.value(), at: c.g.time()}
	var links [3][]int
	for i := range links {
		links[i] = c.g.links("links")
	}
	moment := c.g.odd()
	c.each(func(k lawKind) {
		tr := c.run(k, lawCanceledAt(func(w *lawWorld) lawDeferred {
			d := lawChain(w, first.build(w), links[0])
			e := lawKeep(w, future.ThenFlat(d, func(v int) lawDeferred {
				w.note("f(%d)", v)
				return lawChain(w, second.build(w), links[1])
			}))
			return lawChain(w, e, links[2])
		}, moment, errCause))
		want := lawTrace{settled: true, err: tr.err, at: moment}
		end := max(first.at, second.at)
		if moment < first.at {
			want.log = []lawNote{{moment, "root1 is asked: the cause"}}
		} else {
			want.log = []lawNote{{first.at, fmt.Sprintf("f(%d)", first.v)}}
			if moment < end {
				want.log = append(want.log, lawNote{moment, "root2 is asked: the cause"})
			} else {
				want.v, want.at = second.v, end
			}
		}
		if canceled := lawIsAll(tr.err, future.ErrCanceled, errCause); canceled != (moment < end) || tr.out() != want.out() || tr.effects() != want.effects() {
			c.t.Fatalf("%s, through %v, canceled at %d\ngot: %v\nwant: %v", k.name, links, moment, tr, want)
		}
	})
}

// A source is asked only when all its consumers have canceled; one that leaves
// sees the cancellation at once. Consumers are callbacks, gathers and awaits.
// This is up to the order of what happens in one instant.
func lawCancelSideways(c *lawCase) {
	root := &lawTree{op: "root", id: 1, v: c.value(), at: c.g.time()}
	type branch struct {
		kind  int
		links []int
		at    time.Duration
	}
	var branches []branch
	for range rapid.IntRange(1, 4).Draw(c.t, "branches") {
		branches = append(branches, branch{rapid.IntRange(0, 2).Draw(c.t, "kind"), c.g.links("links"), c.g.odd()})
	}
	side := func(w *lawWorld) lawDeferred {
		d := root.build(w)
		for i, b := range branches {
			e := lawConsumer(w, d, b.kind)
			e = lawChain(w, e, b.links)
			future.Handle(e, func(v int, err error) (int, error) {
				w.note("branch %d: %d, canceled: %v", i, v, lawIsAll(err, future.ErrCanceled, errCause) && err != nil)
				return 0, nil
			})
			w.at(b.at, func() { e.Cancel(errCause) })
		}
		return lawSettled(w, 0, nil)
	}
	last := slices.MaxFunc(branches, func(a, b branch) int { return int(a.at - b.at) }).at
	c.each(func(k lawKind) {
		tr := c.run(k, side)
		var want lawTrace
		for i, b := range branches {
			note := lawNote{root.at, fmt.Sprintf("branch %d: %d, canceled: false", i, root.v)}
			if b.at < root.at {
				note = lawNote{b.at, fmt.Sprintf("branch %d: 0, canceled: true", i)}
			}
			want.log = append(want.log, note)
		}
		if last < root.at {
			want.log = append(want.log, lawNote{last, "root1 is asked: the cause"})
		}
		if tr.byInstant().effects() != want.byInstant().effects() {
			c.t.Fatalf("%s: %+v of %v\ngot: %v\nwant: %v", k.name, branches, root, tr, want)
		}
	})
}

// lawConsumer is a consumer of d: a callback, a gather or an await.
func lawConsumer(w *lawWorld, d lawDeferred, kind int) lawDeferred {
	switch kind {
	case 0:
		return lawKeep(w, future.Then(d, lawIdentity))
	case 1:
		return lawKeep(w, future.Race(d))
	}
	return lawKeep(w, w.async(func(ctx context.Context) (int, error) { return d.Await(ctx) }))
}

// What a producer does after it was canceled makes no difference: as little as
// if it had given up.
func lawLateResult(c *lawCase) {
	c.drawTies()
	x, moment := c.tree(), c.g.odd()
	side := func(stubborn bool) lawSide {
		return func(w *lawWorld) lawDeferred {
			w.stubborn = stubborn
			return lawCanceledAt(x.build, moment, errCause)(w)
		}
	}
	c.each(func(k lawKind) {
		got, want := c.run(k, side(true)), c.run(k, side(false))
		if got.out() != want.out() || got.effects() != want.effects() {
			c.t.Fatalf("%s\ngot: %v\nwant: %v", k.name, got, want)
		}
		if asked := got.count("root"); got.late != asked || want.late != 0 {
			c.t.Fatalf("%s: %d were asked, and %d late results refused: %v", k.name, asked, got.late, got)
		}
	})
}

// The shield may be the only consumer: then others come at lawLater only, and
// what is shielded goes on for them.
func lawShield(c *lawCase) {
	c.drawTies()
	x, moment, links := c.tree(), c.g.odd(), c.g.links("links")
	only := rapid.Bool().Draw(c.t, "only consumer")
	c.each(func(k lawKind) {
		alone := c.run(k, x.build)
		got := c.run(k, func(w *lawWorld) lawDeferred {
			d := x.build(w)
			s := lawChain(w, lawKeep(w, d.Shield()), links)
			future.Handle(s, func(v int, err error) (int, error) {
				w.note("shield: %d, %s", v, lawShow(err))
				return 0, nil
			})
			w.at(moment, func() { s.Cancel(errCause) })
			if !only {
				return d
			}
			later, res := lawRoot(w)
			w.at(lawLater, func() { res.Follow(d) })
			return later
		})
		note := fmt.Sprintf("\n\t%d shield: 0, canceled{the cause}", moment)
		if alone.settled && alone.at < moment {
			note = fmt.Sprintf("\n\t%d shield: %d, %s", alone.at, alone.v, lawShow(alone.err))
		}
		if got.only("shield").effects() != note {
			c.t.Fatalf("%s: the shield saw %s, want %s", k.name, got.only("shield").effects(), note)
		}
		if only {
			alone.at = lawLater
		}
		if got = got.without("shield"); got.out() != alone.out() || got.effects() != alone.effects() {
			c.t.Fatalf("%s\ngot: %v\nalone: %v", k.name, got, alone)
		}
	})
}

// The value takes the place of the failure, at the same time, and nothing is
// asked a second time. The expression is obedient, and may fail otherwise. This
// is up to the order of effects of one instant.
func lawRecovers(c *lawCase) {
	x, v, moment := c.obedient(), c.value(), c.g.odd()
	flat := rapid.Bool().Draw(c.t, "flat")
	c.each(func(k lawKind) {
		want := c.run(k, lawCanceledAt(x.build, moment, errCause))
		got := c.run(k, lawCanceledAt(func(w *lawWorld) lawDeferred {
			if flat {
				return x.build(w).CatchFlat(func(err error) lawDeferred {
					w.note("caught %s", lawShow(err))
					return lawSettled(w, v, nil)
				})
			}
			return x.build(w).Catch(func(err error) (int, error) {
				w.note("caught %s", lawShow(err))
				return v, nil
			})
		}, moment, errCause))
		if want.err != nil {
			want.log = append(want.log, lawNote{want.at, "caught " + lawShow(want.err)})
			want.v, want.err = v, nil
		}
		if got.byInstant().String() != want.byInstant().String() {
			c.t.Fatalf("%s\ngot: %v\nwant: %v", k.name, got, want)
		}
	})
}
