package future

import "errors"

// A gather is the role of a Deferred that waits for several: its inputs, each
// through a member, which is a node in the ring of the input.
type gather struct {
	root
	n       *node // its Deferred
	rule    rule
	members []member

	// Guarded by n's lock.
	left    int    // inputs that have not arrived
	listing bool   // members are being listed: completion waits for that
	done    bool   // the rule was met
	out     *fault // with this
	lost    error  // what the losers are told
	with    *fault // the cancel that is under way: it reaches every input
}

// A rule says when a gather is complete, and with what.
type rule interface {
	// arrived notes the i-th input, whose failure is in, and left inputs still
	// to come. When it is done, the other inputs are canceled because of lost.
	arrived(i int, in *fault, left int) (done bool, out *fault, lost error)

	// result puts the gather's value in place and lets go of the inputs.
	result(out *fault) *fault
}

type member struct {
	n  node
	g  *gather
	of *node
	i  int32

	arrived bool // guarded by the lock of g's node
}

func (m *member) source() *node                  { return m.of }
func (m *member) runs(bool) bool                 { return false }
func (m *member) step(in *fault) (*node, *fault) { return nil, in } // never called: see work.arrive

// start makes n, a new Deferred, gather count inputs.
func (g *gather) start(n *node, r rule, count int, input func(i int) *node) {
	g.n, g.rule, g.left, g.listing = n, r, count, true
	g.members = make([]member, count)
	first := input(0)
	first.mu.Lock() // a lane of MapN may be getting its home
	h := first.home
	first.mu.Unlock()
	n.init(open, h, g)
	var there []int // inputs that had settled
	for i := range g.members {
		m := &g.members[i]
		m.g, m.i, m.of = g, int32(i), input(i)
		m.n.phase, m.n.home, m.n.role = waiting, n.home, m
		if !enlist(&m.n, m.of) {
			there = append(there, i)
		}
	}
	var w work
	for _, i := range there {
		m := &g.members[i]
		if w.arriveEarly(m) {
			break
		}
	}
	n.mu.Lock()
	g.listing = false
	w.completeAndUnlock(g)
	w.run()
}

// arriveEarly notes an input that had settled before it could be listed. It
// reports whether the rule was met.
func (w *work) arriveEarly(m *member) bool {
	w.arrive(m, m.of.fault())
	m.g.n.mu.Lock()
	defer m.g.n.mu.Unlock()
	return m.g.done
}

// arrive notes the outcome of an input.
func (w *work) arrive(m *member, in *fault) {
	m.n.mu.Lock()
	m.n.settleMember()
	m.n.mu.Unlock()
	g := m.g
	if g.n.records() {
		g.n.noteSource(m.of, w.turn != nil)
	}
	g.n.mu.Lock()
	if g.done {
		g.n.mu.Unlock()
		return
	}
	m.arrived = true
	g.left--
	g.done, g.out, g.lost = g.rule.arrived(int(m.i), in, g.left)
	w.completeAndUnlock(g)
}

// settleMember ends a member: it takes no more outcomes and passes none on.
func (n *node) settleMember() {
	n.phase, n.role = settled, nil
}

// completeAndUnlock settles g, whose node is locked, if its rule was met. The
// losers are canceled first.
func (w *work) completeAndUnlock(g *gather) {
	if !g.done || g.listing || g.n.phase != open {
		g.n.mu.Unlock()
		return
	}
	g.n.phase = running
	left, with := g.left, g.with
	if with == nil && left > 0 {
		with = newCancel(g.lost)
	}
	g.n.mu.Unlock()
	w.push(item{do: completeInput, g: g, f: g.out})
	if left > 0 {
		w.push(item{do: cancelInputs, g: g, f: with})
	}
}

// letGo drops the members of g, which is about to settle, and so the inputs:
// the result outlives them.
func (g *gather) letGo() {
	g.n.mu.Lock()
	g.members = nil
	g.n.mu.Unlock()
}

// sources returns the first input that has not arrived and adds the others to
// more. g's node is locked.
func (g *gather) sources(more *[]*node) (first *node) {
	if g.listing || g.done {
		return nil
	}
	for i := range g.members {
		switch m := &g.members[i]; {
		case m.arrived:
		case first == nil:
			first = m.of
		default:
			*more = append(*more, m.of)
		}
	}
	return first
}

// inputs copies ds and panics if one is nil.
func inputs[T any](verb string, ds []*Deferred[T]) []*Deferred[T] {
	for _, d := range ds {
		d.mustBe(verb)
	}
	return append([]*Deferred[T](nil), ds...)
}

// All returns a Deferred of the values of all inputs, in the order of the
// inputs. The first failure in time fails it, with the input's own error; the
// other inputs are canceled before it settles, each as by its own consumer: one
// that others still read goes on. Shield an input to keep it in any case. All
// of nothing is an empty slice, at once.
//
// A Cancel of the result cancels every input, in order. The result's callbacks
// run where those of the first input do. All copies ds; it panics if one of
// them is nil.
func All[T any](ds ...*Deferred[T]) *Deferred[[]T] {
	g := &all[T]{ds: inputs("All", ds)}
	if len(ds) == 0 {
		return Succeed([]T{})
	}
	g.start(&g.d.n, g, len(ds), func(i int) *node { return &g.ds[i].n })
	return &g.d
}

type all[T any] struct {
	gather
	d  Deferred[[]T]
	ds []*Deferred[T]
}

func (g *all[T]) arrived(i int, in *fault, left int) (bool, *fault, error) {
	if in != nil {
		return true, in, in.err
	}
	return left == 0, nil, nil
}

func (g *all[T]) result(out *fault) *fault {
	if out == nil {
		g.d.value = make([]T, len(g.ds))
		for i, d := range g.ds {
			g.d.value[i], _, _ = d.look(false)
		}
	}
	g.ds = nil
	return out
}

// AllSettled returns a Deferred of the outcomes of all inputs, in the order of
// the inputs, when all have settled. It never fails, and cancels nothing by
// itself; a Cancel of the result cancels every input, and the result still
// waits for what they settle with. Otherwise it is as [All].
func AllSettled[T any](ds ...*Deferred[T]) *Deferred[[]Outcome[T]] {
	g := &allSettled[T]{ds: inputs("AllSettled", ds)}
	if len(ds) == 0 {
		return Succeed([]Outcome[T]{})
	}
	g.start(&g.d.n, g, len(ds), func(i int) *node { return &g.ds[i].n })
	return &g.d
}

type allSettled[T any] struct {
	gather
	d    Deferred[[]Outcome[T]]
	ds   []*Deferred[T]
	outs []*fault // by input; one that left its input has a failure of its own
}

func (g *allSettled[T]) arrived(i int, in *fault, left int) (bool, *fault, error) {
	if in != nil {
		if g.outs == nil {
			g.outs = make([]*fault, len(g.ds))
		}
		g.outs[i] = in
	}
	return left == 0, nil, nil
}

func (g *allSettled[T]) result(*fault) *fault {
	g.d.value = make([]Outcome[T], len(g.ds))
	for i, d := range g.ds {
		if g.outs != nil && g.outs[i] != nil {
			g.d.value[i].Err = g.outs[i].err
		} else {
			g.d.value[i].Value, _, _ = d.look(false)
		}
	}
	g.ds, g.outs = nil, nil
	return nil
}

var (
	errNothing = errors.New("no input, so none can be the first")
	errLost    = errors.New("another input came first")
)

// Any returns a Deferred of the first success. The other inputs are canceled
// before it settles; Shield one to keep it. If all inputs fail, it fails with
// their errors joined, in the order of the inputs; until then it waits for the
// others, however early one has failed. Any of nothing fails at once. Otherwise it is as [All].
func Any[T any](ds ...*Deferred[T]) *Deferred[T] {
	return firstOf("Any", ds, true)
}

// Race returns a Deferred of the first outcome, be it a value or an error. The
// other inputs are canceled before it settles; Shield one to keep it. Race of
// nothing fails at once. Otherwise it is as [All].
func Race[T any](ds ...*Deferred[T]) *Deferred[T] {
	return firstOf("Race", ds, false)
}

func firstOf[T any](verb string, ds []*Deferred[T], success bool) *Deferred[T] {
	g := &first[T]{ds: inputs(verb, ds), success: success}
	if len(ds) == 0 {
		return Fail[T](&misuse{"future: " + verb + ": " + errNothing.Error()})
	}
	g.start(&g.d.n, g, len(ds), func(i int) *node { return &g.ds[i].n })
	return &g.d
}

type first[T any] struct {
	gather
	d       Deferred[T]
	ds      []*Deferred[T]
	success bool    // a failure does not count, unless all fail
	errs    []error // the failures so far, by input
	winner  int
}

func (g *first[T]) arrived(i int, in *fault, left int) (bool, *fault, error) {
	g.winner = i
	if in == nil || !g.success {
		return true, in, errLost
	}
	if g.errs == nil {
		g.errs = make([]error, len(g.ds))
	}
	g.errs[i] = in.err
	if left > 0 {
		return false, nil, nil
	}
	return true, newFault(errors.Join(g.errs...), nil), nil
}

func (g *first[T]) result(out *fault) *fault {
	if out == nil {
		g.d.value, _, _ = g.ds[g.winner].look(false)
	}
	g.ds, g.errs = nil, nil
	return out
}
