package future_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// A nest is a generated Deferred. It refers to earlier ones by their numbers,
// so several may share one.
type nest struct {
	kind   string // leaf, or how it is derived
	src    int
	inner  int
	v      int
	err    error
	onX    bool // a leaf on the executor
	atOnce bool // a leaf that has settled when it is made
}

func genNests(t *rapid.T) []nest {
	nests := make([]nest, rapid.IntRange(1, 14).Draw(t, "size"))
	for i := range nests {
		n := &nests[i]
		n.kind = "leaf"
		if i > 0 {
			n.kind = rapid.SampledFrom([]string{"leaf", "ThenFlat", "ThenFlat", "ThenFlat", "CatchFlat", "Flatten", "Follow", "Async", "Then"}).Draw(t, "kind")
			n.src = rapid.IntRange(0, i-1).Draw(t, "src")
			n.inner = rapid.IntRange(0, i-1).Draw(t, "inner")
		}
		n.v = i
		if n.kind == "leaf" {
			n.onX = rapid.Bool().Draw(t, "on an executor")
			n.atOnce = rapid.IntRange(0, 3).Draw(t, "settled") == 0
			if rapid.IntRange(0, 2).Draw(t, "fails") == 0 {
				n.err = rapid.SampledFrom(opErrors).Draw(t, "err")
			}
		}
	}
	return nests
}

// eval is the outcome of the i-th, given the leaves that have settled: by
// recursion over the definition.
func eval(nests []nest, settled []bool, i int) (v int, err error) {
	n := nests[i]
	if n.kind == "leaf" {
		if !settled[i] && !n.atOnce {
			return 0, future.ErrPending
		}
		if n.err != nil {
			return 0, n.err
		}
		return n.v, nil
	}
	v, err = eval(nests, settled, n.src)
	switch {
	case err == future.ErrPending || n.kind == "Follow":
		return v, err
	case n.kind == "CatchFlat" && err == nil:
		return v, nil
	case n.kind != "CatchFlat" && err != nil:
		return 0, err
	case n.kind == "Then":
		return v + 100, nil
	}
	return eval(nests, settled, n.inner)
}

// A nestRun builds nests when they are needed.
type nestRun struct {
	nests []nest
	x     *foreign
	ds    []*future.Deferred[int]
	rs    []future.Resolver[int]
	log   journal
	seen  map[int][]string // what the observers of each saw, in order
	count map[int]int      // how many observe it
}

func newNestRun(nests []nest) *nestRun {
	return &nestRun{nests: nests, x: new(foreign), ds: make([]*future.Deferred[int], len(nests)),
		rs: make([]future.Resolver[int], len(nests)), seen: map[int][]string{}, count: map[int]int{}}
}

func (r *nestRun) build(i int) *future.Deferred[int] {
	if r.ds[i] == nil {
		n := r.nests[i]
		if n.kind == "leaf" {
			r.ds[i], r.rs[i] = future.New[int]()
			if n.onX {
				r.ds[i], r.rs[i] = future.NewOn[int](r.x)
			}
			if n.atOnce {
				r.rs[i].Settle(n.v, n.err)
			}
		} else {
			r.derive(i, r.build(n.src))
		}
	}
	return r.ds[i]
}

// derive makes the i-th, which is known to others before callbacks run.
func (r *nestRun) derive(i int, src *future.Deferred[int]) {
	n := r.nests[i]
	switch n.kind {
	case "ThenFlat":
		r.ds[i] = future.ThenFlat(src, func(int) *future.Deferred[int] { return r.build(n.inner) })
	case "CatchFlat":
		r.ds[i] = src.CatchFlat(func(error) *future.Deferred[int] { return r.build(n.inner) })
	case "Flatten":
		r.ds[i] = future.Flatten(future.Then(src, func(int) (*future.Deferred[int], error) { return r.build(n.inner), nil }))
	case "Follow":
		d, res := future.New[int]()
		res.Follow(src)
		r.ds[i] = d
	case "Async":
		r.ds[i] = future.Async(context.Background(), func(ctx context.Context) (int, error) {
			if _, err := src.Await(ctx); err != nil {
				return 0, err
			}
			return r.build(n.inner).Await(ctx)
		})
	case "Then":
		r.ds[i] = future.Then(src, func(v int) (int, error) { return v + 100, nil })
	}
}

func (r *nestRun) observe(i int) {
	d := r.build(i)
	k := r.count[i]
	r.count[i]++
	future.Handle(d, func(v int, err error) (int, error) {
		r.seen[i] = append(r.seen[i], fmt.Sprintf("%d:%s", k, outText(v, err)))
		r.log.add("%d:%d:%s", i, k, outText(v, err))
		return 0, nil
	})
}

// TestNestedFlattening builds nestings in any order, settles their leaves in
// any order, looks and attaches here and there, and compares every Deferred
// with what it must be after each step.
func TestNestedFlattening(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nests := genNests(t)
		var steps []string
		for i := range nests {
			steps = append(steps, fmt.Sprint("build ", i), fmt.Sprint("observe ", i), fmt.Sprint("poll ", i), fmt.Sprint("done ", i), fmt.Sprint("observe ", i))
			if nests[i].kind == "leaf" && !nests[i].atOnce {
				steps = append(steps, fmt.Sprint("settle ", i))
			}
		}
		steps = rapid.Permutation(steps).Draw(t, "steps")
		if first, again := runNests(t, nests, steps), runNests(t, nests, steps); first != again {
			t.Fatalf("two runs differ:\n%s\n%s", first, again)
		}
	})
}

func runNests(t *rapid.T, nests []nest, steps []string) string {
	r := newNestRun(nests)
	settled := make([]bool, len(nests))
	for _, step := range steps {
		var verb string
		var i int
		fmt.Sscan(step, &verb, &i)
		switch verb {
		case "build":
			r.build(i)
		case "observe":
			r.observe(i)
		case "poll":
			if r.ds[i] != nil {
				r.ds[i].Result()
			}
		case "done":
			if r.ds[i] != nil {
				r.ds[i].Done()
			}
		case "settle":
			r.build(i)
			settled[i] = true
			r.rs[i].Settle(nests[i].v, nests[i].err)
		}
		r.x.run()
		for k, d := range r.ds {
			if d == nil {
				continue
			}
			wantV, want := eval(nests, settled, k)
			if v, err := d.Result(); v != wantV || err != want {
				t.Fatalf("after %s number %d has (%d, %v), want (%d, %v)", step, k, v, err, wantV, want)
			}
			if verb != "done" {
				continue
			}
			if closed := isClosed(d.Done()); closed == (want == future.ErrPending) {
				t.Fatalf("after %s the channel of number %d is closed: %v", step, k, closed)
			}
		}
	}
	for i := range nests {
		v, err := eval(nests, settled, i)
		var want []string
		for k := range r.count[i] {
			want = append(want, fmt.Sprintf("%d:%s", k, outText(v, err)))
		}
		if !slices.Equal(r.seen[i], want) {
			t.Fatalf("observers of number %d saw %v, want %v", i, r.seen[i], want)
		}
	}
	return strings.TrimSpace(r.log.String())
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
