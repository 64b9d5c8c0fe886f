package futuretest_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

func TestFirst(t *testing.T) {
	r, clk := futuretest.New(t)
	d := future.After(r, 30*24*time.Hour, "paid")
	clk.Advance(30 * 24 * time.Hour)
	futuretest.Equal(t, d, "paid")
}

// fake is a test that is itself under test.
type fake struct {
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (f *fake) Helper() {}

func (f *fake) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *fake) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

// run runs body as a test of its own and returns what that reported.
func run(body func(t futuretest.TB)) string {
	f := new(fake)
	runOn(f, f, body)
	return strings.Join(f.errors, "\n")
}

// runOn runs body as the test t, whose core is f, with its clean-ups, each of
// which may end its goroutine.
func runOn(t futuretest.TB, f *fake, body func(t futuretest.TB)) {
	inGoroutine(func() { body(t) })
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		inGoroutine(f.cleanups[i])
	}
}

func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

var errX = errors.New("x is broken")

// A refused is an error that a test expects.
type refused struct{ n int }

func (r refused) Error() string { return fmt.Sprintf("refused %d", r.n) }

func TestReports(t *testing.T) {
	tests := []struct {
		name string
		body func(t futuretest.TB)
		want []string // parts of the report; none: nothing is reported
	}{
		{"nothing left", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			d := future.After(r, time.Second, 1)
			clk.Advance(time.Second)
			futuretest.Equal(t, d, 1)
		}, nil},
		{"a Deferred that never settles", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			d, _ := future.NewOn[int](r)
			future.Then(d, func(int) (int, error) { return 0, nil })
		}, []string{"a Deferred that has not settled", "futuretest_test.go:"}},
		{"a delayed call", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			r.CallLater(time.Hour, func() {})
		}, []string{"a delayed call", "2000-01-01 01:00:00", "futuretest_test.go:"}},
		{"a post", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			r.Post(func() {})
		}, []string{"a post that has not run", "futuretest_test.go:"}},
		{"a worker that was never driven", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			future.GoOn(context.Background(), r, func(context.Context) (int, error) { return 1, nil })
		}, []string{"a worker, queued", "futuretest_test.go:"}},
		{"a worker that waits", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			d, _ := future.NewOn[int](r)
			future.GoOn(context.Background(), r, func(ctx context.Context) (int, error) { return d.Await(ctx) })
			clk.Advance(0)
		}, []string{"a worker, waiting"}},
		{"a coroutine", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			never, _ := future.New[int]()
			future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) { return never.Await(ctx) })
			clk.Advance(0)
		}, []string{"a coroutine that has not ended", "futuretest_test.go:"}},
		{"one that an inline Deferred stands for", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			never, _ := future.New[int]()
			lost := future.ThenFlat(future.After(r, time.Second, 0), func(int) *future.Deferred[int] { return never })
			d, res := future.New[int]()
			future.ThenFlat(d, func(int) *future.Deferred[int] { return lost })
			res.Succeed(1)
			clk.Advance(time.Second)
		}, []string{"a Deferred that has not settled", "futuretest_test.go:"}},
		{"an unhandled failure", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			d := future.After(r, time.Second, 1)
			future.Then(d, func(int) (int, error) { return 0, errX })
			clk.Advance(time.Second)
		}, []string{"a failure that nobody handled", "x is broken", "futuretest_test.go:"}},
		{"a failure that was taken", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			d := future.Then(future.After(r, time.Second, 1), func(int) (int, error) { return 0, errX })
			clk.Advance(time.Second)
			if err := futuretest.Failure(t, d); err != errX {
				t.Errorf("got %v", err)
			}
		}, nil},
		{"an expected failure", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, time.Second, 1), func(int) (int, error) { return 0, errX })
			clk.Advance(time.Second)
			if errs := futuretest.Unhandled(t, r); len(errs) != 1 || !errors.Is(errs[0], errX) {
				t.Errorf("got %v", errs)
			}
		}, nil},
		{"a cancellation", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			future.After(r, time.Second, 1).Cancel(nil)
		}, nil},
		{"a panic in a post", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			r.Post(func() { panic("boom") })
			clk.Advance(0)
		}, []string{"panic: boom"}},
		{"a panic in a callback", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, 0, 1), func(int) (int, error) { panic("boom") })
			clk.Advance(0)
		}, []string{"nobody handled", "panic: boom"}},
		{"a panic in a coroutine", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.AsyncOn(context.Background(), r, func(context.Context) (int, error) { panic("boom") })
			clk.Advance(0)
		}, []string{"nobody handled", "panic: boom"}},
		{"a panic in a worker", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.GoOn(context.Background(), r, func(context.Context) (int, error) { panic("boom") })
			clk.Advance(0)
		}, []string{"nobody handled", "panic: boom"}},
		{"Goexit in a callback", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, 0, 1), func(int) (int, error) { runtime.Goexit(); return 0, nil })
			clk.Advance(0)
		}, []string{"nobody handled", "Goexit"}},
		{"Goexit in a coroutine", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.AsyncOn(context.Background(), r, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			clk.Advance(0)
		}, []string{"nobody handled", "Goexit"}},
		{"Goexit in a coroutine that was resumed", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
				future.After(r, time.Second, 0).Await(ctx)
				runtime.Goexit()
				return 0, nil
			})
			clk.Advance(time.Second)
		}, []string{"nobody handled", "Goexit"}},
		{"Goexit in a worker", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.GoOn(context.Background(), r, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			clk.Advance(0)
		}, []string{"nobody handled", "Goexit"}},
		{"FailNow in a callback", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, 0, 1), func(int) (int, error) { t.Fatalf("failed in a callback"); return 0, nil })
			clk.Advance(0)
			t.Errorf("not reached")
		}, []string{"failed in a callback"}},
		{"one of several expected failures", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			for _, err := range []error{errX, refused{1}, fmt.Errorf("w: %w", refused{2}), errX} {
				future.Then(future.After(r, time.Second, 1), func(int) (int, error) { return 0, err })
			}
			clk.Advance(time.Second)
			if got := futuretest.UnhandledAs[refused](t, r); !slices.Equal(got, []refused{{1}, {2}}) {
				t.Errorf("got %v", got)
			}
			if got := futuretest.UnhandledAs[refused](t, r); got != nil {
				t.Errorf("got %v again", got)
			}
			if got := futuretest.Unhandled(t, r); len(got) != 2 || !errors.Is(got[0], errX) || !errors.Is(got[1], errX) {
				t.Errorf("the others: %v", got)
			}
		}, nil},
		{"another failure than the expected ones", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, time.Second, 1), func(int) (int, error) { return 0, errX })
			clk.Advance(time.Second)
			if got := futuretest.UnhandledAs[refused](t, r); got != nil {
				t.Errorf("got %v", got)
			}
		}, []string{"a failure that nobody handled", "x is broken"}},
		{"all failures as what they are", func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.Then(future.After(r, 0, 1), func(int) (int, error) { panic("boom") })
			future.AsyncOn(context.Background(), r, func(context.Context) (int, error) { return 0, errX })
			clk.Advance(0)
			if got := futuretest.UnhandledAs[*failure.Failure](t, r); len(got) != 2 || !errors.Is(got[0], errX) || len(got[0].Frames()) != 1 {
				t.Errorf("got %v", got)
			}
		}, nil},
		{"a cancellation among the expected failures", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			future.After(r, time.Second, 1).Cancel(refused{1})
			if got := futuretest.UnhandledAs[refused](t, r); got != nil {
				t.Errorf("got %v", got)
			}
		}, nil},
		{"a failure that was looked at, and rests again later", func(t futuretest.TB) {
			r, _ := futuretest.New(t)
			d, res := future.NewOn[int](r)
			res.Fail(errX)
			futuretest.Failure(t, d)
			if got := futuretest.Unhandled(t, r); got != nil {
				t.Errorf("got %v", got)
			}
			future.Then(d, func(int) (int, error) { return 0, nil })
		}, []string{"a failure that nobody handled", "x is broken"}},
		{"UnhandledAs of a foreign reactor", func(t futuretest.TB) {
			futuretest.UnhandledAs[refused](t, reactor.New(clock.NewVirtual()))
		}, []string{"UnhandledAs: this reactor was not made by futuretest.New"}},
		{"Unhandled of a nil reactor", func(t futuretest.TB) { futuretest.Unhandled(t, nil) }, []string{"not made by futuretest.New"}},
		{"Unhandled of a foreign reactor", func(t futuretest.TB) {
			futuretest.Unhandled(t, reactor.New(clock.NewVirtual()))
		}, []string{"not made by futuretest.New"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			report := run(tt.body)
			if len(tt.want) == 0 && report != "" {
				t.Errorf("reported:\n%s", report)
			}
			for _, part := range tt.want {
				if !strings.Contains(report, part) {
					t.Errorf("reported:\n%s\nwithout %q", report, part)
				}
			}
			if strings.Contains(report, "not reached") {
				t.Errorf("went on after FailNow")
			}
		})
	}
}

func TestChecks(t *testing.T) {
	tests := []struct {
		name string
		body func(t futuretest.TB)
		want string // "": passes
	}{
		{"Success of a success", func(t futuretest.TB) { futuretest.Success(t, future.Succeed(1)) }, ""},
		{"Success of a failure", func(t futuretest.TB) { futuretest.Success(t, future.Fail[int](errX)) }, "has failed: x is broken"},
		{"Success of a pending one", func(t futuretest.TB) { futuretest.Success(t, pending()) }, "still pending"},
		{"Failure of a failure", func(t futuretest.TB) { futuretest.Failure(t, future.Fail[int](errX)) }, ""},
		{"Failure of a success", func(t futuretest.TB) { futuretest.Failure(t, future.Succeed(1)) }, "has succeeded with 1"},
		{"Failure of a pending one", func(t futuretest.TB) { futuretest.Failure(t, pending()) }, "still pending"},
		{"Pending of a pending one", func(t futuretest.TB) { futuretest.Pending(t, pending()) }, ""},
		{"Pending of a success", func(t futuretest.TB) { futuretest.Pending(t, future.Succeed(1)) }, "has succeeded with 1"},
		{"Pending of a failure", func(t futuretest.TB) { futuretest.Pending(t, future.Fail[int](errX)) }, "has failed"},
		{"Equal of an equal one", func(t futuretest.TB) { futuretest.Equal(t, future.Succeed([]int{1}), []int{1}) }, ""},
		{"Equal of another one", func(t futuretest.TB) { futuretest.Equal(t, future.Succeed([]int{1}), []int{2}) }, "-want +got"},
		{"Equal of a failure", func(t futuretest.TB) { futuretest.Equal(t, future.Fail[int](errX), 1) }, "has failed"},
		{"Equal of a pending one", func(t futuretest.TB) { futuretest.Equal(t, pending(), 1) }, "still pending"},
		{"a nil Deferred", func(t futuretest.TB) { futuretest.Equal(t, nil, 1) }, "nil *Deferred"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := run(tt.body)
			if (report == "") != (tt.want == "") || !strings.Contains(report, tt.want) {
				t.Errorf("reported %q, want %q", report, tt.want)
			}
		})
	}
}

func pending() *future.Deferred[int] {
	d, _ := future.New[int]()
	return d
}

// Each check first runs what is ready, so a test need not Advance(0).
func TestChecksRunWhatIsReady(t *testing.T) {
	r, _ := futuretest.New(t)
	d, res := future.NewOn[int](r)
	e := future.Then(d, func(v int) (int, error) { return v + 1, nil })
	futuretest.Pending(t, e)
	res.Succeed(1)
	futuretest.Equal(t, e, 2)
	f := future.Then(e, func(v int) (int, error) { return 0, errX })
	if err := futuretest.Failure(t, f); err != errX {
		t.Errorf("failed with %v", err)
	}
}

// A check inside a callback cannot drive the clock that runs it.
func TestCheckInCallback(t *testing.T) {
	r, clk := futuretest.New(t)
	checked := false
	r.Post(func() {
		futuretest.Equal(t, future.Succeed(1).On(r), 1)
		checked = true
	})
	clk.Advance(0)
	if !checked {
		t.Error("the callback did not run")
	}
}

func TestFailuresSayWhere(t *testing.T) {
	r, clk := futuretest.New(t)
	d := future.Then(future.After(r, 0, 1), func(int) (int, error) { return 0, errX })
	future.Then(d, func(int) (int, error) { return 1, nil })
	clk.Advance(0)
	errs := futuretest.Unhandled(t, r)
	if len(errs) != 1 {
		t.Fatalf("unhandled: %v", errs)
	}
	var f *failure.Failure
	if !errors.As(errs[0], &f) || len(f.Frames()) != 2 {
		t.Errorf("not with two sites: %+v", errs[0])
	}
}

// What is left behind, or lost, in each of these fails the test.
func TestNothingIsLost(t *testing.T) {
	ctx := context.Background()
	tests := map[string]func(r *reactor.Reactor, clk *clock.Virtual){
		"a panic of a worker that was canceled": func(r *reactor.Reactor, clk *clock.Virtual) {
			gate, _ := future.NewOn[int](r)
			d := future.GoOn(ctx, r, func(ctx context.Context) (int, error) {
				gate.Await(ctx)
				panic(errX)
			})
			clk.Advance(0)
			d.Cancel(nil)
			clk.Advance(0)
		},
		"a panic of a canceller": func(r *reactor.Reactor, clk *clock.Virtual) {
			d, res := future.NewOn[int](r)
			res.OnCancel(func(error) { panic(errX) })
			d.Cancel(nil)
		},
		"a clean-up that fails after a cancel": func(r *reactor.Reactor, clk *clock.Virtual) {
			d, _ := future.NewOn[int](r)
			d.Finally(func() error { return errX }).Cancel(nil)
			clk.Advance(0)
		},
		"a failure that joins a cancellation": func(r *reactor.Reactor, clk *clock.Virtual) {
			d, _ := future.NewOn[int](r)
			d.Catch(func(err error) (int, error) { return 0, errors.Join(err, errX) }).Cancel(nil)
			clk.Advance(0)
		},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			report := run(func(t futuretest.TB) {
				r, clk := futuretest.New(t)
				body(r, clk)
			})
			if !strings.Contains(report, errX.Error()) {
				t.Errorf("reported %q", report)
			}
		})
	}
}

// These were asked for.
func TestCancellationsAreNoFailures(t *testing.T) {
	ctx := context.Background()
	tests := map[string]func(r *reactor.Reactor, clk *clock.Virtual){
		"a coroutine that returns its context's error": func(r *reactor.Reactor, clk *clock.Virtual) {
			d, _ := future.NewOn[int](r)
			c := future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) {
				d.Await(ctx)
				return 0, fmt.Errorf("ended: %w", ctx.Err())
			})
			clk.Advance(0)
			c.Cancel(nil)
			clk.Advance(0)
		},
		"a gather whose inputs were canceled": func(r *reactor.Reactor, clk *clock.Virtual) {
			a, _ := future.NewOn[int](r)
			b, _ := future.NewOn[int](r)
			future.Any(a, b).Cancel(errX)
		},
		"a reactor that was stopped": func(r *reactor.Reactor, clk *clock.Virtual) {
			d := future.After(r, time.Hour, 1)
			future.Then(d, func(int) (int, error) { return 1, nil })
			future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) { d.Await(ctx); return 0, nil })
			clk.Advance(0)
			r.Stop()
		},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			report := run(func(t futuretest.TB) {
				r, clk := futuretest.New(t)
				body(r, clk)
			})
			if report != "" {
				t.Errorf("reported %s", report)
			}
		})
	}
}

// A report of a failure tells where its Deferred was made and first settled, and
// what is left behind where it was told to follow another one.
func TestReportsTellPlaces(t *testing.T) {
	places := regexp.MustCompile(`(made at|settled at|settled by [^ ]*|since) [^ ]*/futuretest_test\.go:(\d+)`)
	var start int
	report := run(func(t futuretest.TB) {
		_, _, start, _ = runtime.Caller(0)
		r, clk := futuretest.New(t)
		_, res := future.NewOn[int](r) // start+2
		res.Fail(errX)                 // start+3
		future.Then(future.After(r, 0, 1), func(int) (int, error) { return 0, errX })
		never, _ := future.New[int]()
		_, res = future.NewOn[int](r) // start+6
		res.Follow(never)
		clk.Advance(0)
	})
	const name = "settled by github.com/deferred-go/deferred/testing/futuretest_test.TestReportsTellPlaces.func1.1"
	var got []string
	for _, m := range places.FindAllStringSubmatch(report, -1) {
		line, _ := strconv.Atoi(m[2])
		got = append(got, fmt.Sprintf("%s +%d", m[1], line-start))
	}
	want := []string{"since +7", "made at +6", "made at +2", "settled at +3", "made at +4", name + " +4"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q in\n%s", got, want, report)
	}
}

// Of Deferreds that wait for one another only the one that the others wait for
// is named, also if there are others than the reactor's between them.
func TestReportsNameTheOneThatAllWaitFor(t *testing.T) {
	report := run(func(t futuretest.TB) {
		r, _ := futuretest.New(t)
		d, _ := future.NewOn[int](r)
		between, res := future.New[int]()
		res.Follow(d)
		future.Then(future.All(between.Shield().On(r), future.Succeed(1)).On(r), func([]int) (int, error) { return 0, nil })
	})
	if n := strings.Count(report, "has not settled"); n != 1 {
		t.Errorf("%d are named in\n%s", n, report)
	}
}

// A test that is skipped or fails within a callback has said so: the end of the
// goroutine is no failure besides, and a skipped test leaves what it likes.
func TestEndedInACallback(t *testing.T) {
	skipped, failed := &skippable{}, &skippable{}
	for f, end := range map[*skippable]func(){skipped: skipped.skip, failed: failed.fail} {
		runOn(f, &f.fake, func(t futuretest.TB) {
			r, clk := futuretest.New(t)
			future.After(r, 0, 0)
			future.Then(future.After(r, 0, 1), func(int) (int, error) { end(); return 0, nil })
			future.AsyncOn(context.Background(), r, func(context.Context) (int, error) { return 0, nil })
			clk.Advance(0)
		})
	}
	if len(skipped.errors) != 0 {
		t.Errorf("skipped, and reported %q", skipped.errors)
	}
	for _, e := range failed.errors {
		if strings.Contains(e, "Goexit") {
			t.Errorf("failed, and reported %q", e)
		}
	}
}

// skippable is a fake that knows how it ended.
type skippable struct {
	fake
	isSkipped, isFailed bool
}

func (s *skippable) Skipped() bool { return s.isSkipped }
func (s *skippable) Failed() bool  { return s.isFailed }

func (s *skippable) skip() {
	s.isSkipped = true
	runtime.Goexit()
}

func (s *skippable) fail() {
	s.isFailed = true
	runtime.Goexit()
}
