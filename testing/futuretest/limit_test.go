package futuretest_test

import (
	"context"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// Time that would pass the limit fails the test, with what is pending.
func TestLimit(t *testing.T) {
	const limit = time.Minute
	never := func(r *reactor.Reactor) { // a bit of all
		d, _ := future.NewOn[int](r)
		future.After(r, time.Hour, 1)
		future.GoOn(context.Background(), r, func(ctx context.Context) (int, error) { return d.Await(ctx) })
		future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) { return d.Await(ctx) })
	}
	all := []string{"limit of 1m0s has passed: virtual time 2000-01-01T00:01:00Z", "+59m0s", "future.After", "a worker, waiting",
		"a Deferred that has not settled", "limit_test.go:"}
	for _, tt := range []struct {
		name  string
		drive func(r *reactor.Reactor, clk *clock.Virtual)
		want  []string
	}{
		{"before it", func(r *reactor.Reactor, clk *clock.Virtual) { clk.Advance(limit - 1) }, nil},
		{"at it", func(r *reactor.Reactor, clk *clock.Virtual) {
			ran := false
			r.CallLater(limit, func() { ran = true })
			clk.Advance(limit)
			clk.Advance(0)
			if !ran {
				panic("what is due at the limit did not run")
			}
		}, nil},
		{"nothing is scheduled", func(r *reactor.Reactor, clk *clock.Virtual) {
			clk.Run()
			if clk.Step() || clk.Pending() != 0 || !strings.HasSuffix(clk.String(), "0 scheduled") {
				panic("the limit shows: " + clk.String())
			}
		}, nil},
		{"Run past it", func(r *reactor.Reactor, clk *clock.Virtual) { never(r); clk.Run() }, all},
		{"Step past it", func(r *reactor.Reactor, clk *clock.Virtual) {
			never(r)
			for clk.Step() {
			}
		}, all},
		{"Advance past it", func(r *reactor.Reactor, clk *clock.Virtual) { never(r); clk.Advance(limit + 1) }, all},
		{"AdvanceTo past it", func(r *reactor.Reactor, clk *clock.Virtual) { never(r); clk.AdvanceTo(clk.Now().Add(time.Hour)) }, all},
		{"nothing pending", func(r *reactor.Reactor, clk *clock.Virtual) { clk.Advance(limit + 1) }, []string{"has passed: virtual time 2000-01-01T00:01:00Z, 0 scheduled"}},
		{"in small steps", func(r *reactor.Reactor, clk *clock.Virtual) {
			var tick func()
			tick = func() { r.CallLater(time.Second, tick) }
			tick()
			clk.Run()
		}, []string{"has passed", "TestLimit.func", "2000-01-01T00:01:01Z"}},
		{"a timer of the clock's own", func(r *reactor.Reactor, clk *clock.Virtual) {
			clk.CallLater(time.Hour, func() {})
			clk.Run()
		}, []string{"has passed", "TestLimit.func"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			back := false
			report := run(func(t futuretest.TB) {
				r, clk := futuretest.New(t)
				futuretest.Limit(t, clk, limit)
				tt.drive(r, clk)
				back = true
			})
			if (report == "") != (tt.want == nil) || back != (tt.want == nil) {
				t.Errorf("came back: %v; reported:\n%s", back, report)
			}
			for _, part := range tt.want {
				if !strings.Contains(report, part) {
					t.Errorf("reported:\n%s\nwithout %q", report, part)
				}
			}
			if strings.Contains(report, "left behind") {
				t.Errorf("reported twice:\n%s", report)
			}
		})
	}
}

// What failed and was not handled is told also after the limit has passed.
func TestLimitHidesNoFailure(t *testing.T) {
	report := run(func(t futuretest.TB) {
		r, clk := futuretest.New(t)
		futuretest.Limit(t, clk, time.Minute)
		future.Then(future.After(r, time.Second, 1), func(int) (int, error) { return 0, errX })
		clk.Advance(time.Hour)
	})
	if !strings.Contains(report, "has passed") || !strings.Contains(report, "nobody handled: x is broken") {
		t.Errorf("reported:\n%s", report)
	}
}

// A later limit takes the place of the one before, also a longer one.
func TestLimitOfEachPhase(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second, advance time.Duration
		fails                  bool
	}{
		"longer":           {time.Second, time.Hour, time.Minute, false},
		"shorter":          {time.Hour, time.Second, time.Minute, true},
		"longer, too late": {time.Second, time.Minute, time.Hour, true},
	} {
		report := run(func(t futuretest.TB) {
			_, clk := futuretest.New(t)
			futuretest.Limit(t, clk, tt.first)
			futuretest.Limit(t, clk, tt.second)
			clk.Advance(tt.advance)
		})
		if (report != "") != tt.fails || tt.fails && !strings.Contains(report, "limit of "+tt.second.String()) {
			t.Errorf("%s: reported %q", name, report)
		}
	}
}

// A limit counts from the call, ends with its test, and is spent when it has
// passed: the functions that a test calls at its end may drive.
func TestLimitEnds(t *testing.T) {
	clk := clock.NewVirtual()
	clk.Advance(time.Hour)
	if report := run(func(t futuretest.TB) {
		futuretest.Limit(t, clk, time.Minute)
		clk.Advance(time.Minute)
	}); report != "" {
		t.Errorf("reported %q", report)
	}
	clk.Advance(time.Hour) // the test that had the limit is over
	cleaned := false
	report := run(func(t futuretest.TB) {
		t.Cleanup(func() { clk.Advance(time.Hour); cleaned = true })
		futuretest.Limit(t, clk, 0)
		t.Cleanup(func() { clk.Advance(time.Hour) })
		clk.Advance(time.Nanosecond)
	})
	if strings.Count(report, "has passed") != 1 || !cleaned {
		t.Errorf("cleaned: %v, reported %q", cleaned, report)
	}
}

// In an event Now is the event's time, and a limit counts from there. One that
// is set in an event is not before the drive that goes on.
func TestLimitSetInACallback(t *testing.T) {
	report := run(func(t futuretest.TB) {
		r, clk := futuretest.New(t)
		r.CallLater(time.Hour, func() { futuretest.Limit(t, clk, time.Minute) })
		clk.Advance(2 * time.Hour)
	})
	if !strings.Contains(report, "2000-01-01T01:01:00Z") {
		t.Errorf("reported %q", report)
	}
}

// A test whose Fatalf returns goes on.
func TestLimitOfATestThatGoesOn(t *testing.T) {
	f := &stubborn{}
	r, clk := futuretest.New(f)
	futuretest.Limit(f, clk, time.Minute)
	d := future.After(r, time.Hour, 1)
	clk.Run()
	futuretest.Equal(f, d, 1)
	if len(f.errors) != 1 || clk.Now() != time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC) {
		t.Errorf("at %v, reported %q", clk.Now(), f.errors)
	}
}

type stubborn struct{ fake }

func (s *stubborn) Fatalf(format string, args ...any) { s.Errorf(format, args...) }

func TestLimitMisuse(t *testing.T) {
	_, clk := futuretest.New(t)
	for name, call := range map[string]func(){
		"nil test":   func() { futuretest.Limit(nil, clk, 1) },
		"nil clock":  func() { futuretest.Limit(t, nil, 1) },
		"zero clock": func() { futuretest.Limit(t, new(clock.Virtual), 1) },
		"negative":   func() { futuretest.Limit(t, clk, -1) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.HasPrefix(v, "futuretest: Limit") {
					t.Errorf("%s: panicked with %q", name, v)
				}
			}()
			call()
		}()
	}
}

// A property that passes its limit shrinks.
func TestLimitShrinks(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	tb := &rapidTB{T: t}
	smallest := 1 << 30
	rapid.Check(tb, func(rt *rapid.T) {
		r, clk := futuretest.New(rt)
		n := rapid.IntRange(0, 100_000).Draw(rt, "n")
		futuretest.Limit(rt, clk, 776*time.Second)
		if n >= 777 {
			smallest = min(smallest, n)
		}
		d := future.After(r, time.Duration(n)*time.Second, n)
		clk.Run()
		futuretest.Equal(rt, d, n)
	})
	if !tb.failed || smallest != 777 || strings.Contains(tb.report.String(), "flaky") {
		t.Errorf("failed: %v, shrunk to %d, want 777\n%s", tb.failed, smallest, tb.report.String())
	}
}

// A coroutine that is suspended when the limit passes ends with the test.
func TestLimitEndsCoroutines(t *testing.T) {
	var ended error
	report := run(func(t futuretest.TB) {
		r, clk := futuretest.New(t)
		futuretest.Limit(t, clk, time.Minute)
		future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
			_, ended = future.After(r, time.Hour, 1).Await(ctx)
			return 0, ended
		})
		clk.Run()
	})
	if !errors.Is(ended, reactor.ErrStopped) || strings.Count(report, "futuretest:") != 1 {
		t.Errorf("the coroutine saw %v; reported:\n%s", ended, report)
	}
}
