package futuretest_test

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// Exactly these are to fit.
var (
	_ futuretest.TB = (*testing.T)(nil)
	_ futuretest.TB = (*testing.B)(nil)
	_ futuretest.TB = (*testing.F)(nil)
	_ futuretest.TB = (*rapid.T)(nil)
)

// rapidTB is a test in which a property fails on purpose.
type rapidTB struct {
	*testing.T
	report strings.Builder
	failed bool
}

func (t *rapidTB) Name() string { return "rapidTB" }
func (t *rapidTB) Errorf(format string, args ...any) {
	t.failed = true
	t.Logf(format, args...)
}
func (t *rapidTB) Fatalf(format string, args ...any) { t.Errorf(format, args...) }
func (t *rapidTB) Logf(format string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			t.report.WriteString(s + "\n")
		} else if e, ok := a.(error); ok {
			t.report.WriteString(e.Error() + "\n")
		}
	}
}
func (t *rapidTB) Log(args ...any)   { t.Logf("", args...) }
func (t *rapidTB) Fail()             { t.failed = true }
func (t *rapidTB) FailNow()          { t.failed = true }
func (t *rapidTB) Failed() bool      { return t.failed }
func (t *rapidTB) Error(args ...any) { t.Errorf("", args...) }
func (t *rapidTB) Fatal(args ...any) { t.Errorf("", args...) }

// A property that fails inside a callback, a coroutine or a worker shrinks to
// its smallest counterexample, as it does on the test's own goroutine.
func TestPropertyShrinks(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	places := map[string]func(t *rapid.T, check func()){
		"in a callback": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, time.Second, 0), func(int) (int, error) { check(); return 0, nil })
			clk.Advance(time.Second)
		},
		"in an inline callback": func(t *rapid.T, check func()) {
			future.Then(future.Succeed(0), func(int) (int, error) { check(); return 0, nil })
		},
		"in a posted function": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			r.Post(check)
			clk.Advance(0)
		},
		"in a coroutine": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
				future.After(r, time.Second, 0).Await(ctx)
				check()
				return 0, nil
			})
			clk.Advance(time.Second)
		},
		"in an inline coroutine": func(t *rapid.T, check func()) {
			future.Async(context.Background(), func(context.Context) (int, error) { check(); return 0, nil })
		},
		"in a worker": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			future.GoOn(context.Background(), r, func(context.Context) (int, error) { check(); return 0, nil })
			clk.Advance(0)
		},
		"in a job": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			r.Go(func() (deliver func()) { check(); return nil })
			clk.Advance(0)
		},
		"in a task": func(t *rapid.T, check func()) {
			r, clk := futuretest.New(t)
			task.Cooperate(task.NewCooperator(r), func(func(*future.Deferred[int]) bool) { check() })
			clk.Advance(0)
		},
	}
	for name, run := range places {
		t.Run(name, func(t *testing.T) {
			tb := &rapidTB{T: t}
			smallest := 1 << 30
			rapid.Check(tb, func(rt *rapid.T) {
				n := rapid.IntRange(0, 100_000).Draw(rt, "n")
				run(rt, func() {
					if n >= 777 {
						smallest = min(smallest, n)
						rt.Fatalf("%d is too much", n)
					}
				})
			})
			if !tb.failed || smallest != 777 {
				t.Errorf("failed: %v, shrunk to %d, want 777\n%s", tb.failed, smallest, tb.report.String())
			}
		})
		t.Run(name+", where it draws", func(t *testing.T) {
			tb := &rapidTB{T: t}
			rapid.Check(tb, func(rt *rapid.T) {
				run(rt, func() {
					if n := rapid.IntRange(0, 100_000).Draw(rt, "n"); n >= 777 {
						rt.Fatalf("%d is too much", n)
					}
				})
			})
			if report := tb.report.String(); !tb.failed || !strings.Contains(report, "is too much") || strings.Contains(report, "overrun") {
				t.Errorf("failed: %v\n%s", tb.failed, report)
			}
		})
	}
}

// Rejecting an input inside a callback is no failure.
func TestPropertySkips(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, clk := futuretest.New(rt)
		n := rapid.IntRange(0, 9).Draw(rt, "n")
		d := future.Then(future.After(r, time.Second, n), func(n int) (int, error) {
			if n == 3 {
				rt.SkipNow()
			}
			return n, nil
		})
		clk.Advance(time.Second)
		futuretest.Equal(rt, d, n)
	})
}

// What a property leaves behind counts for the input that left it, and shrinks.
func TestPropertyLeavesBehind(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	tb := &rapidTB{T: t}
	smallest := 1 << 30
	rapid.Check(tb, func(rt *rapid.T) {
		r, _ := futuretest.New(rt)
		n := rapid.IntRange(0, 100_000).Draw(rt, "n")
		if n >= 777 {
			smallest = min(smallest, n)
			future.NewOn[int](r)
		}
	})
	if !tb.failed || smallest != 777 || strings.Contains(tb.report.String(), "flaky") {
		t.Errorf("failed: %v, shrunk to %d, want 777\n%s", tb.failed, smallest, tb.report.String())
	}
}
