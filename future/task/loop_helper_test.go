package task_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

const sec = time.Second

var errA = errors.New("a")

type none = struct{}

// A lateClock moves at once to where it is told to go, as a busy program finds
// its clock: what is due then runs late. A function may move it. What is
// scheduled in one turn runs in a later one.
type lateClock struct {
	now   time.Duration
	calls []*lateCall
}

type lateCall struct {
	c   *lateClock
	due time.Duration
	f   func()
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *lateClock) Now() time.Time { return epoch.Add(c.now) }

func (c *lateClock) CallLater(d time.Duration, f func()) clock.Timer {
	t := &lateCall{c: c, f: f}
	t.Reset(d)
	return t
}

// advance moves the clock and makes the calls that are due, in the order of
// their times.
func (c *lateClock) advance(d time.Duration) {
	c.now += d
	for _, t := range slices.SortedStableFunc(slices.Values(c.calls), func(a, b *lateCall) int { return int(a.due - b.due) }) {
		if t.due <= c.now && t.Stop() {
			t.f()
		}
	}
}

func (t *lateCall) Stop() bool {
	i := slices.Index(t.c.calls, t)
	if i >= 0 {
		t.c.calls = slices.Delete(t.c.calls, i, i+1)
	}
	return i >= 0
}

func (t *lateCall) Reset(d time.Duration) bool {
	was := t.Stop()
	t.due = t.c.now + max(d, 0)
	t.c.calls = append(t.c.calls, t)
	return was
}

// A journal is what has happened, one line each.
type journal struct{ lines []string }

func (j *journal) add(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// want compares with the lines, which are separated by "; ", and starts anew.
func (j *journal) want(t testing.TB, lines string) {
	t.Helper()
	if got := strings.Join(j.lines, "; "); got != lines {
		t.Errorf("got  %s\nwant %s", got, lines)
	}
	j.lines = nil
}

// since is the time of c in seconds from its beginning.
func since(c clock.Clock) float64 { return c.Now().Sub(epoch).Seconds() }

// calls returns a function for a Loop that notes the time of each call.
func (j *journal) calls(c clock.Clock) func(int) error {
	return func(int) error {
		j.add("%g", since(c))
		return nil
	}
}

// counts is calls with n.
func (j *journal) counts(c clock.Clock) func(int) error {
	return func(n int) error {
		j.add("%g n=%d", since(c), n)
		return nil
	}
}

// succeeded and its like check how a run has ended.
func succeeded(t testing.TB, d *future.Deferred[none]) {
	t.Helper()
	if _, err := d.Result(); err != nil {
		t.Errorf("got %v, want success", d)
	}
}

func pending(t testing.TB, d *future.Deferred[none]) {
	t.Helper()
	if _, err := d.Result(); err != future.ErrPending {
		t.Errorf("got %v, want it pending", d)
	}
}

func failed(t testing.TB, d *future.Deferred[none], want error) {
	t.Helper()
	if _, err := d.Result(); !errors.Is(err, want) {
		t.Errorf("got %v, want the failure %v", d, want)
	}
}

// idle checks that nothing is scheduled on v.
func idle(t testing.TB, v *clock.Virtual) {
	t.Helper()
	if n := v.Pending(); n != 0 {
		t.Errorf("left scheduled: %v", v)
	}
}

// mustPanic calls f, which must panic with a text that has all parts: what was
// wrong, and the remedy.
func mustPanic(t testing.TB, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		text := fmt.Sprint(recover())
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("panic %q lacks %q", text, part)
			}
		}
	}()
	f()
}
