package future_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of gathers. What a gather should give is computed from what each of
// its inputs gives alone.

func TestLawsGather(t *testing.T) {
	lawChecks(t, []lawTest{
		{22, "gathers of nothing, and of one", lawFewInputs},
		{23, "All and AllSettled keep the order of inputs", func(c *lawCase) {
			c.drawTies()
			c.gathers(c.inputs(), "All", "AllSettled")
		}},
		{24, "All is zip", lawZip},
		{25, "Race is the first to settle", lawRace},
		{26, "Any fails only if all fail", func(c *lawCase) {
			c.drawTies()
			c.gathers(c.inputs(), "Any")
			c.gathers([]*lawTree{lawFailing(c.tree()), lawFailing(c.tree())}, "Any")
			v, x := c.value(), c.tree()
			c.each(func(k lawKind) {
				got := c.run(k, func(w *lawWorld) lawDeferred { return future.Any(lawSettled(w, v, nil), x.build(w)) })
				if want := fmt.Sprintf("%d, ok at 0", v); got.out() != want {
					c.t.Fatalf("%s: Any of a success and another: %v, want %s", k.name, got, want)
				}
			})
		}},
		{27, "the order of inputs changes no outcome", lawPermutation},
	})
}

// inputs draws what to gather.
func (c *lawCase) inputs() []*lawTree {
	var xs []*lawTree
	c.g.budget = 8
	for range rapid.IntRange(1, 4).Draw(c.t, "inputs") {
		xs = append(xs, c.g.tree(2))
	}
	return xs
}

// lawFailing is x, but it does not succeed.
func lawFailing(x *lawTree) *lawTree {
	return &lawTree{op: "then", subs: []*lawTree{x}, f: &lawFn{name: "fails", errs: [2]error{errA, errB}}}
}

// sure draws an expression that does not fail.
func (c *lawCase) sure() *lawTree {
	return &lawTree{op: "catch", subs: []*lawTree{c.tree()}, f: &lawFn{name: "saves", add: 1}}
}

// lawGathers are the gathers; what they give is written as text.
var lawGathers = map[string]func(ds []lawDeferred, perm []int) *future.Deferred[string]{
	"All": func(ds []lawDeferred, perm []int) *future.Deferred[string] {
		return future.Then(future.All(ds...), func(vs []int) (string, error) { return lawList(vs, perm), nil })
	},
	"AllSettled": func(ds []lawDeferred, perm []int) *future.Deferred[string] {
		return future.Then(future.AllSettled(ds...), func(outs []future.Outcome[int]) (string, error) {
			var list []string
			for _, o := range outs {
				list = append(list, fmt.Sprintf("%d %s", o.Value, lawShow(o.Err)))
			}
			return lawList(list, perm), nil
		})
	},
	"Any": func(ds []lawDeferred, perm []int) *future.Deferred[string] {
		return future.Handle(future.Any(ds...), func(v int, err error) (string, error) {
			if all, ok := err.(interface{ Unwrap() []error }); ok {
				return lawList(lawShows(all.Unwrap()), perm), nil
			}
			return fmt.Sprint(v, " ", lawShow(err)), nil
		})
	},
	"Race": func(ds []lawDeferred, _ []int) *future.Deferred[string] {
		return future.Handle(future.Race(ds...), func(v int, err error) (string, error) {
			return fmt.Sprint(v, " ", lawShow(err)), nil
		})
	},
}

func lawShows(errs []error) (shown []string) {
	for _, err := range errs {
		shown = append(shown, lawShow(err))
	}
	return shown
}

// lawList writes a list in the order before perm.
func lawList[T any](list []T, perm []int) string {
	if perm != nil {
		before := slices.Clone(list)
		for i, from := range perm {
			before[from] = list[i]
		}
		list = before
	}
	return fmt.Sprintf("%q", fmt.Sprint(list))
}

// gathered runs a gather over inputs and returns what it gives, with the time.
func (c *lawCase) gathered(k lawKind, name string, xs []*lawTree, perm []int) (result string) {
	c.in(k, func(w *lawWorld) {
		got := "pending"
		w.run(func(w *lawWorld) lawDeferred {
			var ds []lawDeferred
			for _, x := range xs {
				ds = append(ds, x.build(w))
			}
			d := lawKeep(w, lawGathers[name](ds, perm))
			return future.Handle(d, func(s string, err error) (int, error) {
				if err != nil {
					s = lawShow(err)
				}
				got = fmt.Sprintf("%s at %d", s, w.now())
				return 0, nil
			})
		})
		result = got // before the world ends, and with it what is pending
	})
	return result
}

// gathers checks that each of the named gathers over xs gives what it should.
// If several inputs settle in one instant, on a loop any of them may be the
// first: that depends on the steps they take. Inline, it is the first of the
// inputs, because without ties only such can settle in one instant as had
// settled before they were gathered.
func (c *lawCase) gathers(xs []*lawTree, names ...string) {
	c.each(func(k lawKind) {
		var alone []lawTrace
		for _, x := range xs {
			alone = append(alone, c.run(k, x.build))
		}
		for _, name := range names {
			want := lawWants[name](alone)
			if !k.loop && !c.g.ties {
				want = want[:1]
			}
			if got := c.gathered(k, name, xs, nil); !slices.Contains(want, got) {
				c.t.Fatalf("%s: %s gives %s, want %v\nof %v\nwhich alone are %v", k.name, name, got, want, xs, alone)
			}
		}
	})
}

// lawWants says what a gather may give over inputs that are so alone.
var lawWants = map[string]func(alone []lawTrace) []string{
	"All": func(alone []lawTrace) []string {
		if first := lawFirst(alone, func(tr lawTrace) bool { return tr.err != nil }); first != nil {
			return lawEach(first, func(tr lawTrace) string { return fmt.Sprintf("%s at %d", lawShow(tr.err), tr.at) })
		}
		return lawAll(alone, func(tr lawTrace) string { return fmt.Sprint(tr.v) })
	},
	"AllSettled": func(alone []lawTrace) []string {
		return lawAll(alone, func(tr lawTrace) string { return fmt.Sprintf("%d %s", tr.v, lawShow(tr.err)) })
	},
	"Any": func(alone []lawTrace) []string {
		if first := lawFirst(alone, func(tr lawTrace) bool { return tr.err == nil }); first != nil {
			return lawEach(first, func(tr lawTrace) string { return fmt.Sprintf("%d ok at %d", tr.v, tr.at) })
		}
		return lawAll(alone, func(tr lawTrace) string { return lawShow(tr.err) })
	},
	"Race": func(alone []lawTrace) []string {
		first := lawFirst(alone, func(lawTrace) bool { return true })
		if first == nil {
			return []string{"pending"}
		}
		return lawEach(first, func(tr lawTrace) string { return fmt.Sprintf("%d %s at %d", tr.v, lawShow(tr.err), tr.at) })
	},
}

// lawFirst returns those that are the first to settle so.
func lawFirst(alone []lawTrace, so func(lawTrace) bool) (first []lawTrace) {
	for _, tr := range alone {
		switch {
		case !tr.settled || !so(tr) || first != nil && tr.at > first[0].at:
		case first != nil && tr.at == first[0].at:
			first = append(first, tr)
		default:
			first = []lawTrace{tr}
		}
	}
	return first
}

func lawEach(trs []lawTrace, show func(lawTrace) string) (list []string) {
	for _, tr := range trs {
		list = append(list, show(tr))
	}
	return list
}

// lawAll is the list of all, when the last has settled.
func lawAll(alone []lawTrace, show func(lawTrace) string) []string {
	last := time.Duration(0)
	for _, tr := range alone {
		if !tr.settled {
			return []string{"pending"}
		}
		last = max(last, tr.at)
	}
	return []string{fmt.Sprintf("%s at %d", lawList(lawEach(alone, show), nil), last)}
}

func lawFewInputs(c *lawCase) {
	zero := func(w *lawWorld) lawDeferred { return lawSettled(w, 0, nil) }
	empty := func(n int, isNil bool) (int, error) {
		if n != 0 || isNil {
			return 0, errA
		}
		return 0, nil
	}
	c.equal(func(w *lawWorld) lawDeferred {
		return future.Then(future.All[int](), func(vs []int) (int, error) { return empty(len(vs), vs == nil) })
	}, zero)
	c.equal(func(w *lawWorld) lawDeferred {
		return future.Then(future.AllSettled[int](), func(outs []future.Outcome[int]) (int, error) { return empty(len(outs), outs == nil) })
	}, zero)
	c.each(func(k lawKind) {
		for _, none := range []func() lawDeferred{func() lawDeferred { return future.Any[int]() }, func() lawDeferred { return future.Race[int]() }} {
			tr := c.run(k, func(*lawWorld) lawDeferred { return none() })
			if tr.at != 0 || tr.err == nil || !strings.Contains(tr.err.Error(), "no input") {
				c.t.Fatalf("%s: the first of nothing: %v", k.name, tr)
			}
		}
	})
	c.drawTies()
	x := c.tree()
	c.equal(func(w *lawWorld) lawDeferred {
		return future.Then(lawKeep(w, future.All(x.build(w))), func(vs []int) (int, error) { return vs[0], nil })
	}, x.build)
	c.equal(func(w *lawWorld) lawDeferred {
		return future.Then(lawKeep(w, future.AllSettled(x.build(w))), func(outs []future.Outcome[int]) (int, error) {
			return outs[0].Value, outs[0].Err
		})
	}, x.build)
}

// The law needs inputs that do not fail, which have been started both, and that
// nobody cancels: All cancels the other input. The effects are the same up to
// the order of those of one instant on a loop.
func lawZip(c *lawCase) {
	c.drawTies()
	x, y := c.sure(), c.sure()
	pair := func(w *lawWorld, a, b int) (int, error) { w.note("%d, %d", a, b); return 10*a + b, nil }
	zip := func(w *lawWorld) lawDeferred {
		a, b := x.build(w), y.build(w)
		return future.Then(lawKeep(w, future.All(a, b)), func(vs []int) (int, error) { return pair(w, vs[0], vs[1]) })
	}
	c.same(zip, func(w *lawWorld) lawDeferred {
		a, b := x.build(w), y.build(w)
		return future.ThenFlat(a, func(a int) lawDeferred {
			return lawKeep(w, future.Then(b, func(b int) (int, error) { return pair(w, a, b) }))
		})
	}, true)
	c.each(func(k lawKind) {
		all, a, b := c.run(k, zip), c.run(k, x.build), c.run(k, y.build)
		if all.settled != (a.settled && b.settled) || all.settled && all.at != max(a.at, b.at) {
			c.t.Fatalf("%s: %s, of %s and %s", k.name, all.out(), a.out(), b.out())
		}
	})
}

// Race(d, never) is d as long as nobody cancels: a cancel would be the end of
// never. Each loser is canceled once, when the race is over.
func lawRace(c *lawCase) {
	c.drawTies()
	x := c.tree()
	c.equal(func(w *lawWorld) lawDeferred { return future.Race(x.build(w)) }, x.build)
	front := rapid.Bool().Draw(c.t, "never in front")
	c.same(func(w *lawWorld) lawDeferred {
		never, _ := lawRoot(w)
		w.never(never)
		if front {
			return future.Race(never, x.build(w))
		}
		return future.Race(x.build(w), never)
	}, x.build, false)
	c.gathers(c.inputs(), "Race")

	var runners []*lawTree
	for range rapid.IntRange(1, 4).Draw(c.t, "runners") {
		runners = append(runners, &lawTree{op: "root", id: c.g.name(), at: c.g.time()})
	}
	end := slices.MinFunc(runners, func(a, b *lawTree) int { return int(a.at - b.at) }).at
	c.each(func(k lawKind) {
		tr := c.run(k, (&lawTree{op: "race", subs: runners}).build)
		if tr.out() != fmt.Sprintf("0, ok at %d", end) {
			c.t.Fatalf("%s: %v, of %v", k.name, tr, runners)
		}
		asked := tr.log
		for _, r := range runners {
			n := tr.count(fmt.Sprintf("root%d is asked", r.id))
			if lost := r.at > end; lost && n != 1 || !lost && n > 0 && !c.g.ties {
				c.t.Fatalf("%s: asked %d times: %v\n%v", k.name, n, r, tr)
			}
		}
		if slices.ContainsFunc(asked, func(e lawNote) bool { return e.at != end }) {
			c.t.Fatalf("%s: asked at another time than %d: %v", k.name, end, tr)
		}
	})
}

// All inputs settle at times of their own: those that settle in one instant may
// swap places.
func lawPermutation(c *lawCase) {
	xs, fails := c.inputs(), rapid.Bool().Draw(c.t, "all fail")
	for i, x := range xs {
		if fails {
			x = lawFailing(x)
		}
		wait := &lawTree{op: "sleep", at: c.g.time()}
		xs[i] = &lawTree{op: "thenflat", subs: []*lawTree{wait}, f: &lawFn{name: "starts", alts: [2]*lawTree{x, x}}}
	}
	perm := rapid.Permutation(lawIndices(len(xs))).Draw(c.t, "permutation")
	var permuted []*lawTree
	for _, i := range perm {
		permuted = append(permuted, xs[i])
	}
	c.each(func(k lawKind) {
		for name := range lawGathers {
			one, two := c.gathered(k, name, xs, nil), c.gathered(k, name, permuted, perm)
			if one != two {
				c.t.Fatalf("%s: %s gives %s, in the order %v %s\nof %v", k.name, name, one, perm, two, xs)
			}
		}
	})
}

func lawIndices(n int) []int {
	is := make([]int, n)
	for i := range is {
		is[i] = i
	}
	return is
}
