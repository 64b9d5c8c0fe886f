package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of Deferreds hold for all expressions. This file has the expressions:
// what they are made of, how they are drawn, and how one is built in a world.
// The file law_world_test.go has the worlds. The laws stand in the files
// laws_*_test.go.

// A lawTree is an expression that yields a *Deferred[int].
type lawTree struct {
	op   string
	id   int           // tells it apart in logs
	v    int           // a leaf's value
	err  error         // a leaf's failure; how a root answers a Cancel
	at   time.Duration // a delay; of a root the moment at which it settles
	asks string        // of a root: what its canceller does, see lawTree.root
	f    *lawFn        // an inner node's function
	subs []*lawTree
}

// A lawFn is a total function that notes its calls. What it answers depends on
// whether its argument is even or odd. It has a form for each kind of callback.
type lawFn struct {
	name string
	add  int
	errs [2]error // of the forms that return a pair
	alts [2]*lawTree
}

var errLawPanic = errors.New("panics") // an answer of a lawFn

// half is which of its answers f gives for an argument.
func (f *lawFn) half(v int, err error) int {
	if err != nil {
		return len(lawShow(err)) % 2
	}
	return (v%2 + 2) % 2
}

func (f *lawFn) call(w *lawWorld, v int, err error) (int, error) {
	w.note("%s(%d, %s)", f.name, v, lawShow(err))
	switch out := f.errs[f.half(v, err)]; out {
	case nil:
		return (v + f.add) % 100, nil
	case errLawPanic:
		panic(f.name)
	default:
		return 0, out
	}
}

func (f *lawFn) flatCall(w *lawWorld, v int, err error) *future.Deferred[int] {
	w.note("%s(%d, %s)", f.name, v, lawShow(err))
	return f.alts[f.half(v, err)].build(w)
}

// pure is f for Then, caught for Catch, both for Handle, final for Finally.
func (f *lawFn) pure(w *lawWorld) func(int) (int, error) {
	return func(v int) (int, error) { return f.call(w, v, nil) }
}

func (f *lawFn) caught(w *lawWorld) func(error) (int, error) {
	return func(err error) (int, error) { return f.call(w, 0, err) }
}

func (f *lawFn) both(w *lawWorld) func(int, error) (int, error) {
	return func(v int, err error) (int, error) { return f.call(w, v, err) }
}

func (f *lawFn) final(w *lawWorld) func() error {
	return func() error { _, err := f.call(w, 0, nil); return err }
}

// flat is f for ThenFlat, caughtFlat for CatchFlat.
func (f *lawFn) flat(w *lawWorld) func(int) *future.Deferred[int] {
	return func(v int) *future.Deferred[int] { return f.flatCall(w, v, nil) }
}

func (f *lawFn) caughtFlat(w *lawWorld) func(error) *future.Deferred[int] {
	return func(err error) *future.Deferred[int] { return f.flatCall(w, 0, err) }
}

func (f *lawFn) String() string {
	if f.alts[0] != nil {
		return fmt.Sprintf("%s{%v | %v}", f.name, f.alts[0], f.alts[1])
	}
	return fmt.Sprintf("%s{+%d %s | %s}", f.name, f.add, lawShow(f.errs[0]), lawShow(f.errs[1]))
}

func (x *lawTree) String() string {
	var parts []string
	for _, s := range x.subs {
		parts = append(parts, s.String())
	}
	if x.f != nil {
		parts = append(parts, x.f.String())
	}
	if len(x.subs) == 0 {
		parts = append(parts, fmt.Sprint(x.v, " ", lawShow(x.err)), x.asks)
	}
	return fmt.Sprintf("%s%d@%d(%s)", x.op, x.id, x.at, strings.Join(parts, ", "))
}

// lawShow is the identity of a known error, and the class and the parts of any
// other: two errors that look the same here are the same to a program.
func lawShow(err error) string {
	if err == nil {
		return "ok"
	}
	if slices.Contains([]error{errA, errB, errC, errCause, errLawPanic}, err) {
		return err.Error()
	}
	if _, ok := err.(*failure.Failure); ok {
		return err.Error()
	}
	if late, ok := err.(interface{ Timeout() bool }); ok && late.Timeout() && err != context.DeadlineExceeded {
		return "late{" + err.Error() + "}"
	}
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		var parts []string
		for _, e := range x.Unwrap() {
			parts = append(parts, lawShow(e))
		}
		return "[" + strings.Join(parts, " & ") + "]"
	case interface{ Unwrap() error }:
		if errors.Is(err, future.ErrCanceled) {
			return "canceled{" + lawShow(x.Unwrap()) + "}"
		}
	}
	return "?" + err.Error()
}

// lawClass is what errors.Is says of an error.
func lawClass(err error) string {
	if err == nil {
		return "ok"
	}
	var is []string
	for _, target := range []error{errA, errB, errC, errCause, failure.ErrPanic, future.ErrCanceled, context.DeadlineExceeded} {
		if errors.Is(err, target) {
			is = append(is, target.Error())
		}
	}
	return strings.Join(is, ", ")
}

// build makes the Deferred of the expression, with everything in it that starts
// at once.
func (x *lawTree) build(w *lawWorld) *future.Deferred[int] {
	switch x.op {
	case "hole":
		return w.hole(w)
	case "ok", "fail", "never", "root":
		return x.root(w)
	case "sleep":
		return lawKeep(w, future.After(w.timers, x.at, x.v))
	case "sleepfail":
		d := lawKeep(w, future.After(w.timers, x.at, 0))
		return lawKeep(w, future.Then(d, func(int) (int, error) { return 0, x.err }))
	case "co":
		return lawKeep(w, x.coroutine(w))
	case "follow":
		d, res := lawRoot(w)
		res.Follow(x.subs[0].build(w))
		return d
	}
	var subs []*future.Deferred[int]
	for _, s := range x.subs {
		subs = append(subs, s.build(w))
	}
	return lawKeep(w, x.inner(w, subs))
}

func (x *lawTree) inner(w *lawWorld, subs []*future.Deferred[int]) *future.Deferred[int] {
	switch d := subs[0]; x.op {
	case "then":
		return future.Then(d, x.f.pure(w))
	case "thenflat":
		return future.ThenFlat(d, x.f.flat(w))
	case "catch":
		return d.Catch(x.f.caught(w))
	case "catchflat":
		return d.CatchFlat(x.f.caughtFlat(w))
	case "handle":
		return future.Handle(d, x.f.both(w))
	case "finally":
		return d.Finally(x.f.final(w))
	case "flatten":
		return future.Flatten(lawNested(w, d, x.f.flat(w)))
	case "shield":
		return d.Shield()
	case "timeout":
		return d.Timeout(w.timers, x.at)
	case "all":
		return future.Then(lawKeep(w, future.All(subs...)), lawSum)
	case "settled":
		return future.Then(lawKeep(w, future.AllSettled(subs...)), lawSumSettled)
	case "any":
		return future.Any(subs...)
	case "race":
		return future.Race(subs...)
	}
	panic("no such node: " + x.op)
}

// lawNested is d with a Deferred for a value.
func lawNested(w *lawWorld, d *future.Deferred[int], f func(int) *future.Deferred[int]) *future.Deferred[*future.Deferred[int]] {
	return lawKeep(w, future.Then(d, func(v int) (*future.Deferred[int], error) { return f(v), nil }))
}

// The sums are not symmetric, so they show the order of the inputs.
func lawSum(vs []int) (sum int, err error) {
	for _, v := range vs {
		sum = (3*sum + v) % 100
	}
	return sum, nil
}

func lawSumSettled(outs []future.Outcome[int]) (sum int, err error) {
	for _, o := range outs {
		sum = (3*sum + o.Value + len(lawShow(o.Err))) % 100
	}
	return sum, nil
}

// root builds what a Resolver settles. If it is asked to cancel, it notes that
// and answers with its error, with its value, or not at all.
func (x *lawTree) root(w *lawWorld) *future.Deferred[int] {
	d, res := lawRoot(w)
	stop := func() {}
	res.OnCancel(func(cause error) {
		w.note("%s%d is asked: %s", x.op, x.id, lawShow(cause))
		if !w.stubborn {
			stop()
		}
		switch x.asks {
		case "succeeds":
			res.Succeed(x.v + 1)
		case "fails":
			res.Fail(errC)
		}
	})
	settle := func() { w.settled(res.Settle(x.v, x.err)) }
	switch x.op {
	case "never":
		w.never(d)
	case "root":
		stop = w.at(x.at, settle)
	default:
		settle()
	}
	return d
}

// coroutine awaits the first part and then, if that succeeds, the second.
func (x *lawTree) coroutine(w *lawWorld) *future.Deferred[int] {
	return w.async(func(ctx context.Context) (int, error) {
		a, err := x.subs[0].build(w).Await(ctx)
		w.note("co%d: %d, %s", x.id, a, lawShow(err))
		if err != nil {
			return 0, err
		}
		b, err := x.subs[1].build(w).Await(ctx)
		w.note("co%d: %d, %s", x.id, b, lawShow(err))
		return (a + 2*b) % 100, err
	})
}

// A lawGen draws expressions.
//
// Times are powers of two, each used once in a check: whatever starts whatever,
// two timers are due at the same time only if that is the same timer. All are
// even, so a cancel at an odd time meets nothing else. With ties, times are
// small numbers.
type lawGen struct {
	t        *rapid.T
	ids      int
	used     uint64 // powers of two
	budget   int    // inner nodes that may still be drawn
	ties     bool
	obedient bool // a cancel is the end of it, at once: nothing catches it, no root answers
	nevers   bool // there are leaves that never settle
}

// lawDepth is how deep expressions are at most.
const lawDepth = 4

// lawPowers is how many times there are.
const lawPowers = 40

// Whatever happens by itself has happened at lawLater, and what is done then,
// at lawHorizon.
const (
	lawLater   = 2 << lawPowers
	lawHorizon = 2 * lawLater
)

func (g *lawGen) name() int { g.ids++; return g.ids }

// time draws a delay or a moment.
func (g *lawGen) time() time.Duration {
	if g.ties {
		return 2 * time.Duration(rapid.IntRange(0, 3).Draw(g.t, "time"))
	}
	k := rapid.IntRange(0, lawPowers-1).Draw(g.t, "power")
	for g.used>>k&1 != 0 {
		k = (k + 1) % lawPowers
	}
	g.used |= 1 << k
	return 2 << k
}

// odd draws a time that is no other's, to cancel at.
func (g *lawGen) odd() time.Duration {
	if g.ties {
		return 2*time.Duration(rapid.IntRange(0, 4).Draw(g.t, "odd")) + 1
	}
	k := rapid.IntRange(1, lawPowers).Draw(g.t, "odd power")
	return time.Duration(rapid.IntRange(0, 1<<k-1).Draw(g.t, "half"))*2 + 1
}

func (g *lawGen) err() error { return rapid.SampledFrom([]error{errA, errB, errC}).Draw(g.t, "err") }

// tree draws an expression of at most this depth.
func (g *lawGen) tree(depth int) *lawTree {
	if depth == 0 || g.budget <= 0 || rapid.IntRange(0, 4).Draw(g.t, "leaf") == 0 {
		return g.leaf()
	}
	g.budget--
	ops := []string{"then", "thenflat", "flatten", "finally", "timeout", "follow", "all", "any", "race", "co", "shield"}
	if !g.obedient {
		ops = append(ops, "catch", "catchflat", "handle", "settled")
	}
	return g.node(rapid.SampledFrom(ops).Draw(g.t, "op"), depth-1, func() *lawTree { return g.tree(depth - 1) })
}

// node draws an inner node whose first part first draws.
func (g *lawGen) node(op string, depth int, first func() *lawTree) *lawTree {
	x := &lawTree{op: op, id: g.name(), subs: []*lawTree{first()}}
	switch op {
	case "timeout":
		x.at = g.time()
	case "then", "catch", "handle", "finally":
		x.f = g.pure(fmt.Sprint(op, x.id))
	case "thenflat", "catchflat", "flatten":
		x.f = g.flat(fmt.Sprint(op, x.id), depth)
	case "co":
		x.subs = append(x.subs, g.tree(depth))
	case "all", "any", "race", "settled":
		for range rapid.IntRange(0, 2).Draw(g.t, "more inputs") {
			x.subs = append(x.subs, g.tree(depth))
		}
	}
	return x
}

func (g *lawGen) leaf() *lawTree {
	ops := []string{"ok", "fail", "sleep", "sleep", "sleepfail", "root", "root", "root"}
	if g.nevers {
		ops = append(ops, "never")
	}
	x := &lawTree{op: rapid.SampledFrom(ops).Draw(g.t, "leaf op"), id: g.name()}
	x.v = rapid.IntRange(0, 9).Draw(g.t, "v")
	if x.op == "fail" || x.op == "sleepfail" || x.op == "root" && rapid.Bool().Draw(g.t, "fails") {
		x.v, x.err = 0, g.err()
	}
	if x.op == "sleep" || x.op == "sleepfail" || x.op == "root" {
		x.at = g.time()
	}
	if x.op == "root" && !g.obedient {
		x.asks = rapid.SampledFrom([]string{"", "", "succeeds", "fails"}).Draw(g.t, "answer")
	}
	return x
}

// pure draws a function of the forms that return a pair, flat one of the forms
// that return a Deferred.
func (g *lawGen) pure(name string) *lawFn {
	f := &lawFn{name: name, add: rapid.IntRange(0, 9).Draw(g.t, "add")}
	for i := range f.errs {
		f.errs[i] = rapid.SampledFrom([]error{nil, nil, nil, errA, errB, errLawPanic}).Draw(g.t, "answer")
	}
	return f
}

func (g *lawGen) flat(name string, depth int) *lawFn {
	f := &lawFn{name: name}
	for i := range f.alts {
		f.alts[i] = g.tree(depth)
	}
	return f
}

// around draws what may stand around a side of a law: an expression with a
// hole. Beside the hole are only timers, which are due at times of their own.
// A cancel reaches all inputs of a gather in one instant, in which the one that
// takes the fewest steps is the first to settle; and a coroutine that is
// canceled goes on without what it awaits if that takes a step to settle. So
// these stand there only if it is calm: if nothing outside cancels.
func (g *lawGen) around(depth int, calm bool) *lawTree {
	if depth == 0 || rapid.IntRange(0, 2).Draw(g.t, "just a hole") == 0 {
		return &lawTree{op: "hole"}
	}
	ops := []string{"then", "thenflat", "flatten", "finally", "timeout", "follow", "catch", "catchflat", "handle", "shield"}
	if calm {
		ops = append(ops, "co", "all", "any", "race", "settled")
	}
	switch op := rapid.SampledFrom(ops).Draw(g.t, "around"); op {
	case "all", "any", "race", "settled":
		sleep := &lawTree{op: "sleep", id: g.name(), v: 1, at: g.time()}
		return &lawTree{op: op, id: g.name(), subs: []*lawTree{g.around(depth-1, false), sleep}}
	default:
		in := g.around(depth-1, calm && op != "timeout")
		return g.node(op, 1, func() *lawTree { return in })
	}
}

// A lawLink passes every outcome and every cancel on, at once.
type lawLink struct {
	name string
	on   func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int]
}

var lawLinks = []lawLink{
	{"Then", func(_ *lawWorld, d *future.Deferred[int]) *future.Deferred[int] { return future.Then(d, lawIdentity) }},
	{"ThenFlat", func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int] { return future.ThenFlat(d, lawOK(w)) }},
	{"CatchFlat", func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int] { return d.CatchFlat(lawFail(w)) }},
	{"Catch", func(_ *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		return d.Catch(func(err error) (int, error) { return 0, err })
	}},
	{"Handle", func(_ *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		return future.Handle(d, func(v int, err error) (int, error) { return v, err })
	}},
	{"Finally", func(_ *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		return d.Finally(func() error { return nil })
	}},
	{"Flatten", func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		return future.Flatten(lawNested(w, d, lawOK(w)))
	}},
	{"Follow", func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		e, res := lawRoot(w)
		res.Follow(d)
		return e
	}},
	{"Race", func(_ *lawWorld, d *future.Deferred[int]) *future.Deferred[int] { return future.Race(d) }},
	{"All", func(w *lawWorld, d *future.Deferred[int]) *future.Deferred[int] {
		return future.Then(lawKeep(w, future.All(d)), func(vs []int) (int, error) { return vs[0], nil })
	}},
}

func lawIdentity(v int) (int, error) { return v, nil }

// lawOK and lawFail are the units of ThenFlat and CatchFlat.
func lawOK(w *lawWorld) func(int) *future.Deferred[int] {
	return func(v int) *future.Deferred[int] { return lawKeep(w, future.Succeed(v)) }
}

func lawFail(w *lawWorld) func(error) *future.Deferred[int] {
	return func(err error) *future.Deferred[int] { return lawKeep(w, future.Fail[int](err)) }
}

// links draws a chain of links.
func (g *lawGen) links(label string) []int {
	return rapid.SliceOfN(rapid.IntRange(0, len(lawLinks)-1), 0, 4).Draw(g.t, label)
}

// lawChain puts links behind d.
func lawChain(w *lawWorld, d *future.Deferred[int], links []int) *future.Deferred[int] {
	for _, i := range links {
		d = lawKeep(w, lawLinks[i].on(w, d))
	}
	return d
}
