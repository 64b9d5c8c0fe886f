package futuretest_test

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// printing is a test that prints the first line of what it reports.
type printing struct{ cleanups []func() }

func (p *printing) Helper()                           {}
func (p *printing) Errorf(format string, args ...any) { p.Fatalf(format, args...) }
func (p *printing) Cleanup(f func())                  { p.cleanups = append(p.cleanups, f) }

func (p *printing) Fatalf(format string, args ...any) {
	first, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	fmt.Println(first)
}

// exampleTest runs a test function. In real tests t is a *testing.T.
func exampleTest(test func(t futuretest.TB, r *reactor.Reactor, clk *clock.Virtual)) {
	t := new(printing)
	r, clk := futuretest.New(t)
	test(t, r, clk)
	for _, f := range t.cleanups {
		f()
	}
}

// The test expects that the file is missing. Had anything else failed with
// nobody to handle it, the test would.
func ExampleUnhandledAs() {
	exampleTest(func(t futuretest.TB, r *reactor.Reactor, clk *clock.Virtual) {
		future.Then(future.After(r, time.Second, "users.db"), func(name string) (int, error) {
			return 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		clk.Advance(time.Second)
		for _, err := range futuretest.UnhandledAs[*fs.PathError](t, r) {
			fmt.Println("expected:", err.Path)
		}
	})
	// Output: expected: users.db
}

// Without the limit Run would go on until the clock's limit of events.
func ExampleLimit() {
	exampleTest(func(t futuretest.TB, r *reactor.Reactor, clk *clock.Virtual) {
		futuretest.Limit(t, clk, time.Minute)
		var again func()
		tries := 0
		again = func() {
			if tries++; tries < 500 {
				r.CallLater(time.Second, again)
			}
		}
		again()
		clk.Run()
	})
	// Output: futuretest: the time limit of 1m0s has passed: virtual time 2000-01-01T00:01:00Z, 1 scheduled
}
