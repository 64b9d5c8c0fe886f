package futuretest_test

import (
	"flag"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// In a process of its own, a doomed test runs the body that is named by this
// variable; elsewhere, none.
const doomVariable = "DEFERRED_FUTURETEST_DOOM"

// dooms leave a Deferred behind, and end in ways of which the test must tell.
var dooms = map[string]func(t futuretest.TB){
	"a panic": func(t futuretest.TB) {
		leave(t)
		panic("the roof is on fire")
	},
	"a panic in a clean-up": func(t futuretest.TB) {
		leave(t)
		t.Cleanup(func() { panic("the roof is on fire") })
	},
	"a panic, and two reactors": func(t futuretest.TB) {
		leave(t)
		leave(t)
		panic("the roof is on fire")
	},
	"a panic of a clock's function": func(t futuretest.TB) {
		leave(t)
		_, clk := futuretest.New(t)
		clk.CallLater(time.Second, func() { panic("the roof is on fire") })
		clk.Run()
	},
	"Fatalf": func(t futuretest.TB) {
		leave(t)
		t.Fatalf("the roof is on fire")
	},
	"Goexit": func(t futuretest.TB) {
		leave(t)
		runtime.Goexit()
	},
	"a panic, and a clean-up that passes the limit": func(t futuretest.TB) {
		_, clk := futuretest.New(t)
		futuretest.Limit(t, clk, time.Minute)
		t.Cleanup(func() { clk.Advance(time.Hour) })
		panic("the roof is on fire")
	},
	"a panic, and a deferred function that passes the limit": func(t futuretest.TB) {
		_, clk := futuretest.New(t)
		futuretest.Limit(t, clk, time.Minute)
		defer clk.Advance(time.Hour)
		panic("the roof is on fire")
	},
}

// leave leaves a Deferred behind.
func leave(t futuretest.TB) {
	r, _ := futuretest.New(t)
	future.NewOn[int](r)
}

func doom(t futuretest.TB) {
	if body := dooms[os.Getenv(doomVariable)]; body != nil {
		body(t)
	}
}

func TestDoomed(t *testing.T)         { doom(t) }
func TestDoomedSubtest(t *testing.T)  { t.Run("sub", func(t *testing.T) { doom(t) }) }
func TestDoomedParent(t *testing.T)   { t.Run("sub", func(*testing.T) { doom(t) }) }
func BenchmarkDoomed(b *testing.B)    { doom(b) }
func FuzzDoomed(f *testing.F)         { doom(f); f.Fuzz(func(*testing.T, int) {}) }
func FuzzDoomedInput(f *testing.F)    { f.Add(1); f.Fuzz(func(t *testing.T, _ int) { doom(t) }) }
func TestDoomedProperty(t *testing.T) { rapid.Check(t, func(t *rapid.T) { doom(t) }) }

// A panic comes out with its text and stack, whatever is reported besides.
func TestPanicsComeOut(t *testing.T) {
	t.Parallel()
	const left, fire, late = "a Deferred that has not settled", "panic: the roof is on fire", "the time limit of 1m0s has passed"
	for _, s := range []struct {
		doom, runs string
		want       []string
	}{
		{"a panic", "TestDoomed", []string{fire, left, "panic_test.go:"}},
		{"a panic", "TestDoomedSubtest", []string{fire, left}},
		{"a panic", "TestDoomedParent", []string{fire, left}},
		{"a panic", "FuzzDoomed", []string{fire, left}},
		{"a panic", "FuzzDoomedInput", []string{fire, left}},
		{"a panic", "BenchmarkDoomed", []string{fire}}, // of a benchmark that panics, package testing prints nothing else
		{"a panic", "TestDoomedProperty", []string{"the roof is on fire", left}},
		{"a panic in a clean-up", "TestDoomed", []string{fire, left}},
		{"a panic, and two reactors", "TestDoomed", []string{fire, left}},
		{"a panic of a clock's function", "TestDoomed", []string{fire, left}},
		{"Fatalf", "TestDoomed", []string{"the roof is on fire", left}},
		{"Goexit", "TestDoomed", []string{"test executed panic(nil) or runtime.Goexit", left}},
		{"Goexit", "TestDoomedParent", []string{"test executed panic(nil) or runtime.Goexit", left}},
		{"a panic, and a clean-up that passes the limit", "TestDoomed", []string{fire, late}},
		{"a panic, and a deferred function that passes the limit", "TestDoomed", []string{fire, late}},
	} {
		t.Run(s.doom+"/"+s.runs, func(t *testing.T) {
			t.Parallel()
			out := doomed(t, s.runs, s.doom)
			for _, part := range s.want {
				if !strings.Contains(out, part) {
					t.Errorf("no %q in\n%s", part, out)
				}
			}
		})
	}
}

// doomed returns what a test that must fail prints, in a process of its own.
func doomed(t *testing.T, name, doom string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pattern := "^" + name + "$"
	cmd := exec.CommandContext(t.Context(), self, "-test.run="+pattern, "-test.bench="+pattern, "-rapid.nofailfile")
	cmd.Env = append(os.Environ(), doomVariable+"="+doom, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the test passed")
	}
	return string(out)
}

// A property that rejects its input has no failure, whatever that left behind.
func TestPropertyRejectsAndLeavesBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if rapid.Bool().Draw(t, "reject") {
			leave(t)
			t.SkipNow()
		}
	})
}

// A property that fails and leaves something behind shrinks for what it failed
// for, and tells that.
func TestPropertyFailsAndLeavesBehind(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(t *rapid.T){
		"Fatalf": func(t *rapid.T) { t.Fatalf("too much") },
		"Errorf": func(t *rapid.T) { t.Errorf("too much") },
		"panic":  func(*rapid.T) { panic("too much") },
	} {
		tb := &rapidTB{T: t}
		smallest := 1 << 30
		rapid.Check(tb, func(t *rapid.T) {
			n := rapid.IntRange(0, 100_000).Draw(t, "n")
			if n >= 777 {
				smallest = min(smallest, n)
				leave(t)
				end(t)
			}
		})
		report := tb.report.String()
		if !tb.failed || smallest != 777 || !strings.Contains(report, "too much") || strings.Contains(report, "flaky") {
			t.Errorf("%s: failed: %v, shrunk to %d, want 777\n%s", name, tb.failed, smallest, report)
		}
	}
}
