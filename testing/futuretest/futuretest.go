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
// 2000-01-01 UTC. Both record birthplaces. At the end of t, in its Cleanup, the
// reactor stops, and t fails for everything that was left behind; see the
// package documentation. Tests in parallel do not touch each other's.
func New(t TB) (*reactor.Reactor, *clock.Virtual) {
	if t == nil {
		panic("futuretest: New(nil): give the *testing.T of the test")
	}
	t.Helper()
	clk := clock.NewVirtual(clock.Birthplaces())
	r := reactor.New(clk, reactor.Birthplaces())
	books := booksOf(r)
	var givenUp atomic.Bool // by a property tester: what it leaves behind is no news
	books.KeepBooks(func(err error) {
		if err == nil {
			givenUp.Store(true)
			return
		}
		if !endedByTest(t, err) {
			t.Errorf("futuretest: in a function on the reactor: %+v", err)
		}
	})
	t.Cleanup(func() {
		t.Helper()
		report := left(t, r, books)
		r.Stop()
		if report != "" && !givenUp.Load() && !skipped(t) {
			// Fatalf, because a property tester looks no more after its test
			// has returned, but catches the panic that this is there.
			t.Fatalf("%s", report)
		}
	})
	return r, clk
}

// booksOf is what the reactor knows beyond its public surface.
func booksOf(r *reactor.Reactor) seam.Books { return seam.LoopOf(r).(seam.Books) }

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
func left(t TB, r *reactor.Reactor, books seam.Books) string {
	var b strings.Builder
	add := func(what, birth string) {
		if birth != "" {
			what += ", made at " + birth
		}
		fmt.Fprintf(&b, "\n\t%s", what)
	}
	for _, s := range books.Timers() {
		add(fmt.Sprintf("a delayed call of %s, due at %s", s.What, s.At.Format("2006-01-02 15:04:05.999999999")), s.Birth)
	}
	for _, w := range books.Workers() {
		add("a worker, "+w.State, w.Birth)
	}
	for _, p := range books.Posts() {
		add("a post that has not run: "+p, "")
	}
	ledger := ledgerOf(r)
	if ledger != nil {
		for _, u := range ledger.Unsettled() {
			add(u.What, u.Birth)
		}
	}
	report := ""
	if b.Len() > 0 {
		report = "futuretest: left behind; advance until they are done, settle or cancel them, or stop what started them:" + b.String()
	}
	if ledger != nil {
		for _, err := range ledger.Unhandled() {
			if !endedByTest(t, err) {
				report += fmt.Sprintf("\nfuturetest: a failure that nobody handled: %+v", err)
			}
		}
	}
	return strings.TrimPrefix(report, "\n")
}

// Unhandled returns the failures on r that nobody has handled so far, in the
// order in which they arose, and takes note of them: they do not fail the test
// any more. First it runs what is ready at this instant. Each is a
// *failure.Failure that wraps the error and knows the callbacks that it came
// through. Cancellations are not among them. r is a reactor that [New] made; of
// another one it knows nothing, and fails t.
func Unhandled(t TB, r *reactor.Reactor) []error {
	t.Helper()
	if loop := seam.LoopOf(r); !loop.Strict() {
		t.Fatalf("futuretest: Unhandled: this reactor was not made by futuretest.New, so nothing keeps its failures")
	}
	runReady(r)
	if l := ledgerOf(r); l != nil {
		return l.Unhandled()
	}
	return nil
}
