package future_test

import (
	"errors"
	"slices"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// This file holds the reference of TestModel: what the documentation promises
// of inline Deferreds on one goroutine, in the simplest terms. Who waits stands
// in a slice, settling calls them one after the other, and everything recurses.
// There are no locks, no loop of work, no take-overs, no reused nodes.

// A modelRef is a Deferred of the reference, or an input of one of its gathers.
type modelRef struct {
	w       *modelRefs
	inBooks bool // its failures are in the books: it is derived from a root

	settled bool
	value   any
	failure *modelFailure // nil if it has succeeded
	taken   bool          // somebody took its outcome, or waits for it

	readers   []*modelRef // who waits for the outcome, in order of registration
	consumers int         // readers that have not canceled, and all shields

	source  *modelRef                        // what it waits for; of a root nil
	take    func(value any, f *modelFailure) // what it does with the source's outcome
	shields bool                             // it stays a consumer when it is canceled
	left    bool                             // it has canceled, its source counts it no longer
	instead *modelFailure                    // the cancellation that it sees instead of an outcome

	running    bool          // its own callback runs
	remembered *modelFailure // a cancel that came meanwhile

	root        bool
	keeping     bool // a root whose value is kept
	kept        bool // it has a value that is kept
	inKept      bool // the outcome it takes is
	wasCanceled bool // before the outcome came that it takes
	canceller   func(cause error)
	asked       *modelFailure // the cancellation for which its canceller was called
	stop        func()        // of a timer
	gather      *modelGather
}

// A modelFailure is a failure that arose once. It stays the same one while it
// passes from Deferred to Deferred.
type modelFailure struct{ err error }

// modelRefs is what the Deferreds of one program share.
type modelRefs struct {
	all    []*modelRef
	booked []*modelFailure // failures that nobody took when they came to rest in the books
	lost   []error         // failures of cancellers, for which no Deferred is left
	modelTime
}

func (w *modelRefs) add(inBooks bool) *modelRef {
	n := &modelRef{w: w, inBooks: inBooks}
	w.all = append(w.all, n)
	return n
}

// unhandled returns one error for each Deferred in which a failure rests that
// is in the books and that nobody took.
func (w *modelRefs) unhandled() []error {
	errs := slices.Clone(w.lost)
	for _, n := range w.all {
		if n.failure != nil && !n.taken && slices.Contains(w.booked, n.failure) {
			errs = append(errs, n.failure.err)
		}
	}
	return errs
}

// settle gives n its outcome, unless it has one, and then each reader in turn.
func (n *modelRef) settle(value any, f *modelFailure) (first bool) {
	if n.settled {
		return false
	}
	n.settled, n.value, n.failure, n.source = true, value, f, nil
	if f != nil && !n.taken && n.inBooks {
		n.w.booked = append(n.w.booked, f)
	}
	for len(n.readers) > 0 {
		r := n.readers[0]
		n.readers = n.readers[1:]
		r.inKept = n.kept
		r.see(n.value, n.failure)
	}
	return true
}

// returned settles n with what a callback returned.
func (n *modelRef) returned(value any, err error) {
	if err != nil {
		n.settle(nil, &modelFailure{err})
		return
	}
	n.settle(value, nil)
}

// read makes r wait for s. If s has settled, and all that waited before have
// had their turn, r takes the outcome at once.
func (n *modelRef) read(r *modelRef) {
	n.taken = true
	if n.hadTurns() {
		r.inKept = n.kept
		r.see(n.value, n.failure)
		return
	}
	n.list(r)
}

func (n *modelRef) hadTurns() bool { return n.settled && len(n.readers) == 0 }

func (n *modelRef) list(r *modelRef) {
	r.source = n
	n.readers = append(n.readers, r)
	n.consumers++
}

// see gives n the outcome of its source, or the cancellation in its place.
func (n *modelRef) see(value any, f *modelFailure) {
	if n.instead != nil {
		value, f = nil, n.instead
		n.inKept = false
	}
	n.wasCanceled = n.instead != nil || n.left
	n.source, n.instead = nil, nil
	n.take(value, f)
}

// derive returns a new Deferred that gives what n settles with to take.
func (n *modelRef) derive(take func(r *modelRef, value any, f *modelFailure)) *modelRef {
	r := n.w.add(n.inBooks)
	r.take = func(value any, f *modelFailure) { take(r, value, f) }
	n.read(r)
	return r
}

// call runs n's callback. A panic is its error.
func (n *modelRef) call(f func() error) error {
	n.running = true
	defer func() { n.running = false }()
	return modelCatch(f)
}

func modelCatch(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.New(v)
		}
	}()
	return f()
}

// follow lets n, whose callback has returned inner, settle as inner does. A
// cancel that came while the callback ran goes to inner.
func (n *modelRef) follow(inner *modelRef) {
	asked := n.remembered
	n.remembered = nil
	switch inner {
	case nil:
		n.returned(nil, errModelNil)
		return
	case n:
		n.returned(nil, errModelCycle)
		return
	}
	n.left = false
	n.take = func(value any, f *modelFailure) { n.pass(value, f) }
	inner.read(n)
	switch {
	case n.settled:
	case inner.waitsFor(n):
		inner.drop(n)
		inner.consumers--
		n.returned(nil, errModelCycle)
	case asked != nil:
		n.cancel(asked)
	}
}

// waitsFor reports whether n cannot settle before other does.
func (n *modelRef) waitsFor(other *modelRef) bool {
	switch {
	case n == other:
		return true
	case n.settled:
		return false
	case n.gather != nil:
		return n.gather.verdict == nil &&
			slices.ContainsFunc(n.gather.members, func(m *modelRef) bool { return m.waitsFor(other) })
	}
	return n.source != nil && n.source.waitsFor(other)
}

// drop takes r off the readers of s.
func (n *modelRef) drop(r *modelRef) {
	n.readers = slices.DeleteFunc(slices.Clone(n.readers), func(x *modelRef) bool { return x == r })
}

// cancel asks n to cancel for f.
func (n *modelRef) cancel(f *modelFailure) {
	switch {
	case n.settled:
	case n.running:
		if n.remembered == nil {
			n.remembered = f
		}
	case n.gather != nil:
		n.gather.cancel(n, f)
	case n.source != nil:
		n.cancelWaiting(f)
	case n.root:
		n.cancelRoot(f)
	case n.stop != nil:
		n.stop()
		n.settle(nil, f)
	}
}

// cancelWaiting passes the cancel on to what n waits for, unless that has
// another consumer; then n alone sees the cancellation.
func (n *modelRef) cancelWaiting(f *modelFailure) {
	s := n.source
	if s.settled { // n's turn is still to come: it sees the cancellation then
		switch {
		case n.instead != nil || n.remembered != nil:
		case s.kept:
			n.remembered = f
		default:
			n.instead = f
		}
		return
	}
	if !n.left && !n.shields {
		n.left = true
		s.consumers--
	}
	if s.consumers == 0 {
		s.cancel(f)
		return
	}
	s.drop(n)
	n.inKept = false
	n.see(nil, f)
}

// cancelRoot asks the canceller, once. If that leaves n pending, n fails.
func (n *modelRef) cancelRoot(f *modelFailure) {
	if n.asked != nil { // its canceller runs, and will say
		return
	}
	n.asked = f
	if n.canceller != nil {
		err := modelCatch(func() error {
			n.canceller(f.cause())
			return nil
		})
		if err != nil {
			f = &modelFailure{errors.Join(f.err, err)}
		}
		if n.settled || n.source != nil {
			if err != nil {
				n.w.lost = append(n.w.lost, f.err)
			}
			return
		}
	}
	n.settle(nil, f)
}

// A modelGather is what a gather waits for.
type modelGather struct {
	members []*modelRef
	left    int // inputs that have not arrived
	listing bool
	rule    modelRule
	verdict *modelVerdict
	asked   *modelFailure // the cancel that reaches every input
}

// A modelRule is told the outcome of the i-th input, and how many are still to
// come. It returns what the gather settles with, when it knows.
type modelRule func(i int, value any, f *modelFailure, left int) *modelVerdict

type modelVerdict struct {
	value   any
	failure *modelFailure
	lost    error // the cause for those that have not arrived
}

func (w *modelRefs) gatherOf(inputs []*modelRef, rule modelRule) *modelRef {
	n := w.add(inputs[0].inBooks)
	g := &modelGather{left: len(inputs), rule: rule, listing: true}
	n.gather = g
	var there []*modelRef
	for i, in := range inputs {
		m := &modelRef{w: w, source: in}
		m.take = func(value any, f *modelFailure) {
			m.settled = true
			g.arrive(n, i, value, f)
		}
		g.members = append(g.members, m)
		in.taken = true
		if in.hadTurns() {
			there = append(there, m)
		} else {
			in.list(m)
		}
	}
	for _, m := range there { // those that have settled already count first
		m.see(m.source.value, m.source.failure)
	}
	g.listing = false
	g.complete(n)
	return n
}

func (g *modelGather) arrive(n *modelRef, i int, value any, f *modelFailure) {
	if g.verdict != nil {
		return
	}
	g.left--
	g.verdict = g.rule(i, value, f, g.left)
	g.complete(n)
}

// complete cancels the losers, in order, and then settles n.
func (g *modelGather) complete(n *modelRef) {
	if g.verdict == nil || g.listing {
		return
	}
	if g.left > 0 {
		f := g.asked
		if f == nil {
			f = modelCancel(g.verdict.lost)
		}
		for _, m := range g.members {
			m.cancel(f)
		}
	}
	n.settle(g.verdict.value, g.verdict.failure)
}

func (g *modelGather) cancel(n *modelRef, f *modelFailure) {
	if g.verdict != nil {
		return
	}
	g.asked = f
	for _, m := range g.members {
		if !n.settled {
			m.cancel(f)
		}
	}
}

// What follows are the functions of the package, on the reference.

func (n *modelRef) then(f func(int) (int, error)) *modelRef { return modelThen(n, f) }

func modelThen[T any](d *modelRef, f func(T) (int, error)) *modelRef {
	return d.derive(func(n *modelRef, value any, fail *modelFailure) {
		if fail != nil {
			n.settle(nil, fail)
			return
		}
		n.handled(func() (int, error) { return f(value.(T)) })
	})
}

// handled settles n with what its callback returns.
func (n *modelRef) handled(f func() (int, error)) {
	var v int
	err := n.call(func() (err error) {
		v, err = f()
		return err
	})
	n.returned(v, err)
}

func (n *modelRef) catch(f func(error) (int, error)) *modelRef {
	return n.derive(func(r *modelRef, value any, fail *modelFailure) {
		if fail == nil {
			r.pass(value, nil)
			return
		}
		r.handled(func() (int, error) { return f(fail.err) })
	})
}

func (n *modelRef) handle(f func(int, error) (int, error)) *modelRef {
	return n.derive(func(r *modelRef, value any, fail *modelFailure) {
		r.handled(func() (int, error) {
			if fail != nil {
				return f(0, fail.err)
			}
			return f(value.(int), nil)
		})
	})
}

func (n *modelRef) finally(f func() error) *modelRef {
	return n.derive(func(r *modelRef, value any, fail *modelFailure) {
		err := r.call(f)
		switch {
		case err == nil:
			r.pass(value, fail)
		case fail == nil:
			r.returned(nil, err)
		default:
			r.returned(nil, errors.Join(fail.err, err))
		}
	})
}

func (n *modelRef) thenFlat(f func(int) *modelRef) *modelRef {
	return n.derive(func(r *modelRef, value any, fail *modelFailure) {
		if fail != nil {
			r.settle(nil, fail)
			return
		}
		r.followed(func() *modelRef { return f(value.(int)) })
	})
}

// followed lets n follow what its callback returns.
func (n *modelRef) followed(f func() *modelRef) {
	var inner *modelRef
	err := n.call(func() error {
		inner = f()
		return nil
	})
	if err != nil {
		n.returned(nil, err)
		return
	}
	n.follow(inner)
}

func (n *modelRef) catchFlat(f func(error) *modelRef) *modelRef {
	return n.derive(func(r *modelRef, value any, fail *modelFailure) {
		if fail == nil {
			r.pass(value, nil)
			return
		}
		r.followed(func() *modelRef { return f(fail.err) })
	})
}

// nested returns a Deferred of what f returns, which is a Deferred, and what
// Flatten makes of it.
func (n *modelRef) nested(f func(int) (*modelRef, error)) (outer, flat *modelRef) {
	outer = n.derive(func(r *modelRef, value any, fail *modelFailure) {
		if fail != nil {
			r.settle(nil, fail)
			return
		}
		var inner *modelRef
		err := r.call(func() (err error) {
			inner, err = f(value.(int))
			return err
		})
		r.returned(inner, err)
	})
	flat = outer.derive(func(r *modelRef, value any, fail *modelFailure) {
		if fail != nil {
			r.settle(nil, fail)
			return
		}
		r.follow(value.(*modelRef))
	})
	return outer, flat
}

// pass settles n with the outcome of its source.
func (n *modelRef) pass(value any, f *modelFailure) bool {
	if !n.settled {
		n.kept = n.inKept && f == nil
	}
	return n.settle(value, f)
}

// hold is a link that takes the outcome of its gate after that of its source, and
// has the latter, or, if it was canceled meanwhile, the cancellation.
func (n *modelRef) hold() (*modelRef, func()) {
	gate := &modelRef{w: n.w, root: true}
	r := n.derive(func(r *modelRef, value any, f *modelFailure) {
		kept := r.inKept
		if r.wasCanceled {
			r.pass(value, f)
			return
		}
		asked := r.remembered
		r.remembered = nil
		r.left = false
		r.take = func(_ any, g *modelFailure) {
			if g != nil && !kept {
				r.inKept = false
				r.settle(nil, g)
				return
			}
			r.inKept = kept
			r.pass(value, f)
		}
		gate.read(r)
		if asked != nil {
			r.cancel(asked)
		}
	})
	return r, func() { gate.settleAsRoot(nil, nil) }
}

func (n *modelRef) shield() *modelRef {
	r := n.w.add(n.inBooks)
	r.shields = true
	r.take = func(value any, f *modelFailure) { r.pass(value, f) }
	n.read(r)
	return r
}

func (w *modelRefs) allOf(ds []*modelRef) *modelRef {
	values := make([]int, len(ds))
	return w.gatherOf(ds, func(i int, value any, f *modelFailure, left int) *modelVerdict {
		if f != nil {
			return &modelVerdict{failure: f, lost: f.err}
		}
		values[i] = value.(int)
		if left > 0 {
			return nil
		}
		return &modelVerdict{value: values}
	})
}

func (w *modelRefs) allSettled(ds []*modelRef) *modelRef {
	outs := make([]future.Outcome[int], len(ds))
	return w.gatherOf(ds, func(i int, value any, f *modelFailure, left int) *modelVerdict {
		if f != nil {
			outs[i].Err = f.err
		} else {
			outs[i].Value = value.(int)
		}
		if left > 0 {
			return nil
		}
		return &modelVerdict{value: outs}
	})
}

func (w *modelRefs) race(ds []*modelRef) *modelRef {
	return w.gatherOf(ds, func(_ int, value any, f *modelFailure, _ int) *modelVerdict {
		return &modelVerdict{value, f, errModelLost}
	})
}

func (w *modelRefs) any(ds []*modelRef) *modelRef {
	errs := make([]error, len(ds))
	return w.gatherOf(ds, func(i int, value any, f *modelFailure, left int) *modelVerdict {
		if f == nil {
			return &modelVerdict{value: value, lost: errModelLost}
		}
		errs[i] = f.err
		if left > 0 {
			return nil
		}
		return &modelVerdict{failure: &modelFailure{errors.Join(errs...)}}
	})
}

// onCancel sets the canceller of a root. After a cancel f runs at once.
func (n *modelRef) onCancel(f func(cause error)) {
	switch {
	case n.settled && n.failure != nil && modelIsCancel(n.failure.err):
		f(n.failure.cause())
	case n.settled || n.source != nil:
	case n.asked != nil:
		f(n.asked.cause())
	default:
		n.canceller = f
	}
}

func (n *modelRef) followAsRoot(in *modelRef) bool {
	if n.settled || n.source != nil {
		return false
	}
	n.follow(in)
	return true
}

func (n *modelRef) settleAsRoot(value any, err error) bool {
	if n.settled || n.source != nil {
		return false
	}
	n.kept = n.keeping && err == nil
	n.returned(value, err)
	return true
}
