package clocktest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// tick is the delay that the cases count in.
const tick = 10 * time.Millisecond

// An env is the surroundings of one case: a clock, and a log of what ran.
type env struct {
	t       TB
	rule    rule
	c       clock.Clock
	advance func(d time.Duration)
	start   time.Time

	mu  sync.Mutex
	ran []event
}

// An event is a function that the clock has called.
type event struct {
	name string
	now  time.Duration // since the start
}

// failed is what a case panics with to end itself, having reported why.
type failed struct{}

// runCase runs one case on a clock of its own.
func runCase(t TB, r rule, start func() (clock.Clock, func(time.Duration))) {
	t.Helper()
	e := &env{t: t, rule: r}
	defer func() {
		t.Helper()
		switch v := recover(); {
		case v == nil || v == any(failed{}):
		case seam.IsControl(v):
			panic(v)
		default:
			e.report("it panicked: %v\n%s", v, debug.Stack())
		}
	}()
	e.c, e.advance = start()
	if e.c == nil || e.advance == nil {
		e.failf("the function given to Run made no clock, or none that can be advanced")
	}
	e.start = e.c.Now()
	r.f(e)
}

// report tells what is wrong, and by which line of which case.
func (e *env) report(format string, args ...any) {
	e.t.Helper()
	e.t.Errorf("clocktest: case %q: %s\n\tthe rule: %s\n\tseen at %s", e.rule.name, fmt.Sprintf(format, args...), e.rule.text, place())
}

// place is the line of the case that is running.
func place() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		file := filepath.Base(f.File)
		if strings.Contains(f.Function, "testing/clocktest.") && strings.HasPrefix(file, "cases_") || !more {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}

// failf reports a failure and ends the case. It is not for functions that the
// clock calls.
func (e *env) failf(format string, args ...any) {
	e.t.Helper()
	e.report(format, args...)
	panic(failed{})
}

// want ends the case unless ok.
func (e *env) want(ok bool, format string, args ...any) {
	e.t.Helper()
	if !ok {
		e.failf(format, args...)
	}
}

// later calls CallLater with a function that logs name.
func (e *env) later(d time.Duration, name string) clock.Timer {
	return e.do(d, name, func() {})
}

// do calls CallLater with a function that logs name and then calls f.
func (e *env) do(d time.Duration, name string, f func()) clock.Timer {
	t := e.c.CallLater(d, func() {
		e.log(name)
		f()
	})
	if t == nil {
		e.t.Errorf("clocktest: case %q: CallLater returned no Timer", e.rule.name)
	}
	return t
}

func (e *env) log(name string) {
	now := e.c.Now().Sub(e.start)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ran = append(e.ran, event{name, now})
}

// events are what has run until now.
func (e *env) events() []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.ran)
}

// wantRan ends the case unless exactly these have run, in this order.
func (e *env) wantRan(when string, want ...string) {
	e.t.Helper()
	var got []string
	for _, ev := range e.events() {
		got = append(got, ev.name)
	}
	e.want(slices.Equal(got, want), "%s %v have run, want %v", when, got, want)
}

// wantBool ends the case unless got is want.
func (e *env) wantBool(what string, got, want bool) {
	e.t.Helper()
	e.want(got == want, "%s returned %t, want %t", what, got, want)
}

// answers are what Stop and Reset returned to functions that the clock called.
type answers struct {
	mu  sync.Mutex
	got []bool
}

func (a *answers) add(b bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, b)
}

// wantAnswers ends the case unless these were the answers.
func (e *env) wantAnswers(what string, a *answers, want ...bool) {
	e.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	e.want(slices.Equal(a.got, want), "%s returned %v, want %v", what, a.got, want)
}
