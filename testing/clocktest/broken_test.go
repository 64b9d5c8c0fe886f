package clocktest_test

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/testing/clocktest"
)

// A fake is a clock that is driven, with a defect or without. It knows no
// order but the one of a list.
type fake struct {
	defect string
	mu     sync.Mutex
	now    time.Duration
	seq    int
	armed  []*fakeTimer
}

type fakeTimer struct {
	c     *fake
	f     func()
	due   time.Duration
	seq   int
	armed bool
	dead  bool // for defects
}

func (c *fake) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, 0).Add(c.now)
}

func (c *fake) CallLater(d time.Duration, f func()) clock.Timer {
	if f == nil && c.defect != "takes nil" {
		panic("fake: nil function")
	}
	t := &fakeTimer{c: c, f: f}
	if c.defect == "calls at once" && d <= 0 {
		f()
		return t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.armLocked(d)
	return t
}

func (t *fakeTimer) armLocked(d time.Duration) {
	c := t.c
	switch {
	case c.defect == "negative delays run late" && d < 0:
		d = -d
	case c.defect == "counts from the past" && d > 0:
		d -= min(d, time.Millisecond)
	case c.defect == "never fires zero" && d <= 0:
		d = math.MaxInt64 / 2
	case c.defect == "negative goes back":
	default:
		d = max(d, 0)
	}
	t.due = c.now + d
	if t.due < c.now && c.defect != "overflows" && d > 0 {
		t.due = math.MaxInt64
	}
	if !t.armed || c.defect != "reset keeps place" {
		c.seq++
		t.seq = c.seq
	}
	if !t.armed {
		c.armed = append(c.armed, t)
	}
	t.armed = true
}

func (t *fakeTimer) Stop() bool {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	was := t.armed
	switch c.defect {
	case "stop does nothing":
		return was
	case "stop says true":
		was = true
	case "stop misses this instant":
		if was && t.due == c.now {
			return true
		}
	}
	t.disarmLocked()
	return was
}

func (t *fakeTimer) disarmLocked() {
	t.armed = false
	t.c.armed = slices.DeleteFunc(t.c.armed, func(u *fakeTimer) bool { return u == t })
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	was := t.armed
	switch c.defect {
	case "reset says true":
		defer t.armLocked(d)
		return true
	case "reset adds a call":
		if was {
			(&fakeTimer{c: c, f: t.f}).armLocked(t.due - c.now)
		}
	case "reset only pending":
		if !was {
			return false
		}
	case "reset not fired":
		if t.dead {
			return false
		}
	case "reset zero is lost":
		if d <= 0 {
			t.disarmLocked()
			return was
		}
	}
	t.armLocked(d)
	return was
}

func (c *fake) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.now + d
	if c.defect == "jumps" {
		c.now = end
	}
	batch := slices.Clone(c.armed)
	for t := c.nextLocked(end); t != nil; t = c.nextLocked(end) {
		if c.defect == "not what comes meanwhile" && !slices.Contains(batch, t) {
			break
		}
		c.fireLocked(t)
	}
	if c.defect != "stands still" {
		c.now = end
	}
}

func (c *fake) nextLocked(end time.Duration) *fakeTimer {
	if len(c.armed) == 0 {
		return nil
	}
	t := slices.MinFunc(c.armed, func(a, b *fakeTimer) int { return c.compare(a, b) })
	if t.due > end || c.defect == "end is exclusive" && t.due == end {
		return nil
	}
	return t
}

func (c *fake) compare(a, b *fakeTimer) int {
	byDue, bySeq := int(a.due-b.due), a.seq-b.seq
	if a.due == math.MaxInt64 || b.due == math.MaxInt64 {
		byDue = 1
		if a.due < b.due {
			byDue = -1
		}
	}
	switch {
	case c.defect == "in order of calls":
		return bySeq
	case byDue != 0:
		return byDue
	case c.defect == "last in first out":
		return -bySeq
	}
	return bySeq
}

func (c *fake) fireLocked(t *fakeTimer) {
	if c.defect == "fires twice" && !t.dead {
		t.dead = true
	} else {
		t.disarmLocked()
		t.dead = true
	}
	if c.defect != "jumps" && c.defect != "now lags" && (t.due > c.now || c.defect == "negative goes back") {
		c.now = t.due
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	t.f()
	if c.defect == "stops itself" {
		c.mu.Lock()
		t.disarmLocked()
		c.mu.Unlock()
	}
}

// A racy clock loses its place in the list between two goroutines, on purpose
// and every time: it lets one in while another one changes it.
type racy struct {
	*fake
	count int
}

func (c *racy) CallLater(d time.Duration, f func()) clock.Timer {
	c.mu.Lock()
	c.count++
	lost := c.count%100 == 0
	c.mu.Unlock()
	if lost {
		f = func() {}
	}
	return c.fake.CallLater(d, f)
}

// A report is what a run says.
type report struct{ errors, logs []string }

func (r *report) Helper() {}
func (r *report) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *report) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

var caseName = regexp.MustCompile(`^clocktest: case "([^"]+)": `)

// failing are the cases that failed.
func (r *report) failing() (names []string) {
	for _, e := range r.errors {
		names = append(names, caseName.FindStringSubmatch(e)[1])
	}
	return names
}

func runFake(defect string, opts ...clocktest.Option) *report {
	r := new(report)
	clocktest.Run(r, func() (clock.Clock, func(time.Duration)) {
		c := &fake{defect: defect}
		return c, c.advance
	}, opts...)
	return r
}

func TestSound(t *testing.T) {
	if r := runFake(""); len(r.errors)+len(r.logs) != 0 {
		t.Errorf("a fake without a defect: %q", *r)
	}
}

// Each defect is found by the case that is there for it.
var defects = map[string]string{
	"calls at once":            "later",
	"fires twice":              "once",
	"counts from the past":     "early",
	"end is exclusive":         "early",
	"negative delays run late": "zero",
	"never fires zero":         "zero",
	"in order of calls":        "order",
	"stands still":             "now",
	"now lags":                 "now",
	"jumps":                    "exact",
	"negative goes back":       "monotone",
	"overflows":                "far",
	"takes nil":                "nil",
	"stop does nothing":        "stop",
	"stop says true":           "stop",
	"reset adds a call":        "reset/pending",
	"reset says true":          "reset/fired",
	"reset not fired":          "reset/fired",
	"reset only pending":       "reset/stopped",
	"reset zero is lost":       "reset/zero",
	"not what comes meanwhile": "inside/calllater",
	"stops itself":             "inside/reset",
	"last in first out":        "ties/order",
	"reset keeps place":        "ties/reset",
	"stop misses this instant": "ties/stop",
}

func TestDefects(t *testing.T) {
	for _, defect := range slices.Sorted(maps.Keys(defects)) {
		want := defects[defect]
		got := runFake(defect).failing()
		if !slices.Contains(got, want) {
			t.Errorf("%s: found by %v, want %s", defect, got, want)
		}
	}
}

func TestRacy(t *testing.T) {
	r := new(report)
	clocktest.Run(r, func() (clock.Clock, func(time.Duration)) {
		c := &racy{fake: &fake{}}
		return c, c.advance
	})
	if got := r.failing(); !slices.Contains(got, "goroutines") || !slices.Contains(got, "moving") || !slices.Contains(got, "many") {
		t.Errorf("a clock that loses calls: found by %v", got)
	}
}

func TestReport(t *testing.T) {
	r := runFake("reset says true")
	if len(r.errors) == 0 {
		t.Fatal("nothing found")
	}
	for _, want := range []string{
		`case "reset/fired": Reset returned true, want false`,
		"the rule: Reset of a timer whose function has been called returns false, and the function is called again",
		"cases_timer.go:",
	} {
		if !strings.Contains(strings.Join(r.errors, "\n"), want) {
			t.Errorf("no %q in:\n%s", want, strings.Join(r.errors, "\n"))
		}
	}
}

func TestWithout(t *testing.T) {
	if r := runFake("last in first out"); len(r.errors) == 0 {
		t.Error("nothing found")
	}
	r := runFake("last in first out", clocktest.Without("ties", "a heap has no order"))
	if len(r.errors) != 0 {
		t.Errorf("found without ties: %q", r.errors)
	}
	if len(r.logs) != 4 || !strings.Contains(r.logs[0], `case "ties/order" left out: a heap has no order`) || !strings.Contains(r.logs[0], "the rule: functions with equal due times") {
		t.Errorf("logs: %q", r.logs)
	}
}

func TestPanics(t *testing.T) {
	r := new(report)
	clocktest.Run(r, func() (clock.Clock, func(time.Duration)) {
		c := &fake{}
		return c, func(time.Duration) { panic("out of order") }
	})
	if len(r.errors) == 0 || !strings.Contains(r.errors[0], "it panicked: out of order") {
		t.Errorf("errors: %q", r.errors)
	}
	r = new(report)
	clocktest.Run(r, func() (clock.Clock, func(time.Duration)) { return nil, nil })
	if len(r.errors) == 0 || !strings.Contains(r.errors[0], "made no clock") {
		t.Errorf("errors: %q", r.errors)
	}
}

func TestMisuse(t *testing.T) {
	for want, f := range map[string]func(){
		"clocktest: Run with a nil function":         func() { clocktest.Run(t, nil) },
		`clocktest: Without("tie"): no such case`:    func() { clocktest.Without("tie", "why") },
		`clocktest: Without("ties") and no reason: `: func() { clocktest.Without("ties", "") },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, want) {
					t.Errorf("panic %q, want %q", text, want)
				}
			}()
			f()
		}()
	}
}
