package futuretest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/seam"
)

// TB is what the package needs of a test. *testing.T, *testing.B, *testing.F
// and *rapid.T have it.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// New returns a reactor on a virtual clock of its own, which starts at
// 2000-01-01 UTC. Both record birthplaces, so every report, and %+v of a
// Deferred, tells where that was made and first settled. At the end of t, in its
// Cleanup, the reactor stops, and t fails for everything that was left behind;
// see the package documentation. If t ends by a panic, that comes out as well.
// Tests in parallel do not touch each other's.
func New(t TB) (*reactor.Reactor, *clock.Virtual) {
	if t == nil {
		panic("futuretest: New(nil): give the *testing.T of the test")
	}
	t.Helper()
	clk := clock.NewVirtual(clock.Birthplaces())
	r := reactor.New(clk, reactor.Birthplaces())
	b := &fixture{t: t, r: r, books: seam.LoopOf(r).(seam.Books)}
	seam.DriverOf(clk).Local().Store(b)
	b.books.KeepBooks(b.failed)
	t.Cleanup(b.clear)
	return r, clk
}

// A fixture is what New has set up for a test.
type fixture struct {
	t     TB
	r     *reactor.Reactor
	books seam.Books // what r knows beyond its public surface

	givenUp atomic.Bool // by a property tester: what it leaves behind is no news
	late    atomic.Bool // its time limit has passed: what is left behind was told then
}

// failed takes note of the end by err of a function on the reactor; nil is that
// of a property tester.
func (b *fixture) failed(err error) {
	b.t.Helper()
	if err == nil {
		b.givenUp.Store(true)
		return
	}
	if !endedByTest(b.t, err) {
		b.t.Errorf("futuretest: in a function on the reactor: %+v", err)
	}
}

// clear is the end of the test.
func (b *fixture) clear() {
	b.t.Helper()
	report := b.left()
	b.r.Stop()
	if report != "" && !b.givenUp.Load() && !skipped(b.t) {
		tell(b.t, report)
	}
}

// ledgerOf is what package future keeps with r, or nil if r was not used.
func ledgerOf(r *reactor.Reactor) seam.Ledger {
	l, _ := seam.LoopOf(r).Local().Load().(seam.Ledger)
	return l
}

// endedByTest reports whether err is the end of a goroutine by a test that has
// failed or was skipped there, as t.FailNow does it: that has been reported.
func endedByTest(t TB, err error) bool {
	failed, ok := t.(interface{ Failed() bool })
	return errors.Is(err, failure.ErrGoexit) && (ok && failed.Failed() || skipped(t))
}

func skipped(t TB) bool {
	s, ok := t.(interface{ Skipped() bool })
	return ok && s.Skipped()
}

// left describes what is left behind, or returns "".
func (b *fixture) left() string {
	report := ""
	if !b.late.Load() {
		var l list
		for _, s := range b.books.Timers() {
			l.add(fmt.Sprintf("a delayed call of %s, due at %s", s.What, s.At.Format("2006-01-02 15:04:05.999999999")), s.Birth)
		}
		for _, p := range b.books.Posts() {
			l.add("a post that has not run: "+p, "")
		}
		l.waiting(b)
		if len(l) > 0 {
			report = "futuretest: left behind; advance until they are done, settle or cancel them, or stop what started them:" + l.String()
		}
	}
	if ledger := ledgerOf(b.r); ledger != nil {
		for _, err := range ledger.Unhandled(func(err error) bool { return !endedByTest(b.t, err) }) {
			report += fmt.Sprintf("\nfuturetest: a failure that nobody handled: %+v", err)
		}
	}
	return strings.TrimPrefix(report, "\n")
}

// A list is one of things that are pending.
type list []string

func (l *list) add(what, birth string) {
	if birth != "" {
		what += ", made at " + birth
	}
	*l = append(*l, what)
}

// waiting adds the workers and the Deferreds of b's reactor.
func (l *list) waiting(b *fixture) {
	for _, w := range b.books.Workers() {
		l.add("a worker, "+w.State, w.Birth)
	}
	if ledger := ledgerOf(b.r); ledger != nil {
		for _, u := range ledger.Unsettled() {
			l.add(u.What, u.Birth)
		}
	}
}

// String has each on a line of its own, after a line break.
func (l list) String() string {
	var b strings.Builder
	for _, what := range l {
		b.WriteString("\n\t" + what)
	}
	return b.String()
}

// Unhandled returns the failures on r that nobody has handled so far, in the
// order in which they arose, and takes note of them: they do not fail the test
// any more. First it runs what is ready at this instant. Each is a
// *failure.Failure that wraps the error and knows the callbacks that it came
// through. Cancellations are not among them. r is a reactor that [New] made; of
// another one it knows nothing, and fails t. A test that expects failures of a
// certain kind takes only these, with [UnhandledAs].
func Unhandled(t TB, r *reactor.Reactor) []error {
	t.Helper()
	var all []error
	unhandled(t, "Unhandled", r, func(err error) bool {
		all = append(all, err)
		return true
	})
	return all
}

// UnhandledAs is [Unhandled] for the failures in which errors.As finds an E. It
// returns what that finds, which is the first of several in a failure. All other
// failures stay, to be taken by another call, or to fail the test.
func UnhandledAs[E error](t TB, r *reactor.Reactor) []E {
	t.Helper()
	var found []E
	unhandled(t, "UnhandledAs", r, func(err error) bool {
		e, ok := errors.AsType[E](err)
		if ok {
			found = append(found, e)
		}
		return ok
	})
	return found
}

// unhandled gives the failures on r that nobody has handled so far to take.
func unhandled(t TB, verb string, r *reactor.Reactor, take func(error) bool) {
	t.Helper()
	if r == nil || seam.LoopOf(r) == nil || !seam.LoopOf(r).Strict() {
		t.Fatalf("futuretest: %s: this reactor was not made by futuretest.New, so nothing keeps its failures", verb)
	}
	runReady(r)
	if l := ledgerOf(r); l != nil {
		l.Unhandled(take)
	}
}
