package future

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/deferred-go/deferred/internal/seam"
)

// A Deferred is a value of type T that will be there, or an error. Any number
// of callbacks, goroutines and other Deferreds may take its outcome, each sees
// the same one; whoever holds its [Resolver] settles it, once.
//
// Use it as *Deferred[T]; the zero value never settles. All methods may be
// called from any goroutine. Where callbacks run is inherited from the
// Deferred they are attached to: inline, or on an [Executor]. See the package
// documentation.
type Deferred[T any] struct {
	n     node
	value T
}

// An Outcome is what a Deferred settled with: the pair that a Go call returns,
// Value and, if it failed, Err.
type Outcome[T any] struct {
	Value T
	Err   error
}

// New returns a pending Deferred whose callbacks run inline, and its Resolver.
func New[T any]() (*Deferred[T], Resolver[T]) {
	d := new(Deferred[T])
	return d, Resolver[T]{d}
}

// NewOn returns a pending Deferred whose callbacks run on ex, and its Resolver.
// It panics if ex is nil.
func NewOn[T any](ex Executor) (*Deferred[T], Resolver[T]) {
	d := new(Deferred[T])
	d.n.init(open, homeOf("NewOn", ex), nil)
	return d, Resolver[T]{d}
}

// Succeed returns a Deferred that has succeeded with v. Its callbacks run
// inline.
func Succeed[T any](v T) *Deferred[T] {
	d := &Deferred[T]{value: v}
	d.n.phase = settled
	return d
}

// Fail returns a Deferred that has failed with err. Its callbacks run inline. It
// panics if err is nil. It notes where it was called, for the report should nobody
// take the failure: that costs about a microsecond, as does a Resolver's Fail of what
// nobody reads yet.
func Fail[T any](err error) *Deferred[T] {
	mustFail(err)
	d := new(Deferred[T])
	d.n.settleLocked(newFault(err, nil))
	return d
}

// Settle returns a Deferred that has settled with what a Go call returned: it
// has failed with err, or, if that is nil, succeeded with v.
func Settle[T any](v T, err error) *Deferred[T] {
	if err != nil {
		return Fail[T](err)
	}
	return Succeed(v)
}

func mustFail(err error) {
	if err == nil {
		panic("future: Fail(nil): a failure needs an error; use Succeed, or Settle for a pair that may hold either")
	}
}

// mustBe panics if d is nil, at the call that was given it.
func (d *Deferred[T]) mustBe(verb string) {
	if d == nil {
		panic("future: " + verb + ": nil *Deferred: use one that New, Then or another function of this package has made")
	}
}

func mustFunc(isNil bool, verb string) {
	if isNil {
		panic("future: " + verb + ": nil function: there is nothing to call")
	}
}

// Result returns the outcome without waiting: the value and error that the
// Deferred settled with, or [ErrPending]. It does not count as a consumer. A
// Result that returned the failure has taken note of it: it is not reported as
// unhandled.
func (d *Deferred[T]) Result() (T, error) {
	v, f, ok := d.look(true)
	switch {
	case !ok:
		return v, ErrPending
	case f != nil:
		return v, f.err
	}
	return v, nil
}

// look returns the outcome, if it is there; with watch it has been taken.
func (d *Deferred[T]) look(watch bool) (v T, f *fault, ok bool) {
	by, f, ok := d.find(watch)
	if ok && f == nil {
		v = by.value
	}
	return v, f, ok
}

// find is look for the Deferred that has the outcome: d, or who took it over.
func (d *Deferred[T]) find(watch bool) (by *Deferred[T], f *fault, ok bool) {
	d.mustBe("Result")
	n := &d.n
	n.mu.Lock()
	for n.phase == moved { // look through, do not put back: polling must not undo take-overs
		watch = false // somebody read n, or it had not moved; who took it over is another
		by := n.role.(follows[T]).place().inner
		if !n.lockAlso(&by.n) {
			n.mu.Lock()
			continue
		}
		if n.redirect(&by.n) {
			by.n.mu.Unlock()
			continue
		}
		n.mu.Unlock()
		d, n = by, &by.n
	}
	defer n.mu.Unlock()
	if n.phase != settled {
		return d, nil, false
	}
	if watch {
		n.watch()
		n.gain()
	}
	return d, n.fault(), true
}

// Cancel asks the Deferred to cancel, with a cause that may be nil. It reports
// whether the Deferred was pending.
//
// The request goes upstream, to the pending root: through callbacks that have
// not run, into the Deferred that a callback returned, to all inputs of a
// gather. On its way it stops where others are still interested: every derived
// Deferred, gather and parked Await is a consumer of its source, and a source
// is asked only when all its consumers have canceled. A Deferred that leaves
// while others stay sees the cancellation at once, as if its source had failed
// with it. The Deferred that Cancel is called on is asked itself, whoever else
// holds it; to share one safely hand out d.Shield().
//
// The root is asked by its canceller ([Resolver.OnCancel]), which runs within
// this call, on this goroutine, and may settle it with anything. If it does
// not, or panics, the root fails with an error that matches [ErrCanceled],
// context.Canceled and cause. So a Cancel asks, and the answer stands.
//
// A cancel that comes while the Deferred's own callback runs is remembered and
// goes to the Deferred which the callback returns; if that returns none, its
// outcome stands. One that comes while the callback is queued on its executor
// takes the place of the outcome it was queued for, unless that is a lease or a
// value of package lock, which must not be lost: then it is remembered too.
//
// What a cancel does to a coroutine, a worker and a goroutine is in the package
// documentation. Cancel does not wait.
func (d *Deferred[T]) Cancel(cause error) bool {
	d.mustBe("Cancel")
	return d.n.cancelFor(newCancel(cause))
}

// String returns the type and the state: pending, or the outcome.
func (d *Deferred[T]) String() string { return fmt.Sprintf("%v", d) }

// Format writes the state, for %v and %s; for %+v also, if its executor records
// birthplaces, where the Deferred was made and, once it has settled, what first
// settled it: the line that called a method of its Resolver, or Cancel, or
// something else that had it settled within the call; the callback, coroutine or
// job that returned; or the reactor itself, for a timer. Of a failure %+v has the
// callbacks that it came from and through, with their files and lines. Format
// does not take note of a failure.
func (d *Deferred[T]) Format(s fmt.State, verb rune) {
	if d == nil {
		fmt.Fprintf(s, "Deferred[%s](nil)", typeName[T]())
		return
	}
	if a, ok := s.(*seam.Asker); ok {
		d.n.answer(a)
		return
	}
	by, f, ok := d.find(false)
	switch {
	case !ok:
		fmt.Fprintf(s, "Deferred[%s](pending)", typeName[T]())
	case f != nil:
		fmt.Fprintf(s, "Deferred[%s](failed: %v)", typeName[T](), f.err)
	default:
		fmt.Fprintf(s, "Deferred[%s](%v)", typeName[T](), shown(by.value))
	}
	if verb == 'v' && s.Flag('+') {
		past := d.n.history()
		if ok {
			past.settled = by.n.history().settled
		}
		formatOrigin(s, past.lines(), f)
	}
}

// answer opens the doors of package seam.
func (n *node) answer(a *seam.Asker) {
	switch {
	case a.Keeper != nil: // nobody else knows n yet
		n.flags |= keeping
		n.next = a.Keeper.Made(func(back any) any { return newKeeper(back) }).(*node)
	case a.Search && a.Target == nil:
		a.Target = n
	case a.Search:
		if target := a.Target.(*node); n == target || n.waitsForNode(target) {
			a.Err = errCycle
			n.lockHere()
			n.watch() // who asks gives this error on
			n.mu.Unlock()
		}
	case n.home != nil:
		a.Executor = n.home.ex
	}
}

// shown is v, or, if that is itself a Deferred, which may be the one that is
// being formatted, its state.
func shown(v any) any {
	if d, ok := v.(interface{ state() string }); ok {
		return d.state()
	}
	return v
}

// state is the type and the state, without the outcome.
func (d *Deferred[T]) state() string {
	state := "nil"
	if d != nil {
		switch _, f, ok := d.look(false); {
		case !ok:
			state = "pending"
		case f != nil:
			state = "failed"
		default:
			state = "succeeded"
		}
	}
	return fmt.Sprintf("Deferred[%s](%s)", typeName[T](), state)
}

func formatOrigin(s fmt.State, notes []string, f *fault) {
	for _, note := range notes {
		fmt.Fprintf(s, "\n\t%s", note)
	}
	if f == nil {
		return
	}
	for _, pc := range f.sites() {
		if fn := runtime.FuncForPC(pc); fn != nil {
			file, line := fn.FileLine(pc)
			fmt.Fprintf(s, "\n\tat %s %s:%d", fn.Name(), file, line)
		}
	}
}

// typeName is T as it is written in the program.
func typeName[T any]() string {
	return strings.TrimPrefix(fmt.Sprintf("%T", (*T)(nil)), "*")
}
