package future_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

var (
	errA = errors.New("a")
	errB = errors.New("b")
	errC = errors.New("c")
)

// mustPanic calls f, which must panic with a text that has all parts: what was
// wrong, and the remedy.
func mustPanic(t testing.TB, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		if v == nil {
			t.Fatal("no panic")
		}
		text := fmt.Sprint(v)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("panic %q lacks %q", text, part)
			}
		}
	}()
	f()
}

// wantOutcome fails t unless d has settled with v and with err itself.
func wantOutcome[T comparable](t testing.TB, d *future.Deferred[T], v T, err error) {
	t.Helper()
	if gotV, gotErr := d.Result(); gotV != v || gotErr != err {
		t.Errorf("got (%v, %v), want (%v, %v)", gotV, gotErr, v, err)
	}
}

// wantError fails t unless d has failed with an error that matches every target
// and, if text is given, contains it.
func wantError[T any](t testing.TB, d *future.Deferred[T], text string, targets ...error) {
	t.Helper()
	_, err := d.Result()
	if err == nil || err == future.ErrPending {
		t.Errorf("got %v, want a failure", d)
		return
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not match %v", err, target)
		}
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q lacks %q", err, text)
	}
}

func wantPending[T any](t testing.TB, d *future.Deferred[T]) {
	t.Helper()
	if _, err := d.Result(); err != future.ErrPending {
		t.Errorf("got %v, want it pending", d)
	}
}

// onGoroutine runs f on a goroutine made for it and waits for its end, however
// that comes.
func onGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// A foreign is an executor over a loop that the library does not know: what is
// posted runs when the test says so.
type foreign struct {
	mu    sync.Mutex
	posts []func()
}

func (*foreign) Now() time.Time { return time.Time{} }

func (*foreign) CallLater(time.Duration, func()) clock.Timer {
	panic("this executor has no timers")
}

func (x *foreign) Post(f func()) {
	x.mu.Lock()
	x.posts = append(x.posts, f)
	x.mu.Unlock()
}

// step runs the oldest post. It reports whether there was one.
func (x *foreign) step() bool {
	x.mu.Lock()
	if len(x.posts) == 0 {
		x.mu.Unlock()
		return false
	}
	f := x.posts[0]
	x.posts = x.posts[1:]
	x.mu.Unlock()
	f()
	return true
}

// run runs posts until there are none, and returns how many there were.
func (x *foreign) run() (steps int) {
	for x.step() {
		steps++
	}
	return steps
}

// A journal is a list of what happened, written from any goroutine.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
	j.mu.Unlock()
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, " ")
}

// want fails t unless the journal has just these lines.
func (j *journal) want(t testing.TB, lines ...string) {
	t.Helper()
	if got, want := j.String(), strings.Join(lines, " "); got != want {
		t.Errorf("happened: %s\n    want: %s", got, want)
	}
}

// text is err in one line, or ok.
func text(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.ReplaceAll(err.Error(), "\n", " & ")
}

// inputs are n Deferreds: fill makes them anew, settle settles them in order.
func inputs(n int) (ds []*future.Deferred[int], fill, settle func()) {
	ds = make([]*future.Deferred[int], n)
	res := make([]future.Resolver[int], n)
	fill = func() {
		for i := range ds {
			ds[i], res[i] = future.New[int]()
		}
	}
	settle = func() {
		for i := range res {
			res[i].Succeed(i)
		}
	}
	return ds, fill, settle
}

// heapNow is the size of the live heap.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// noContext is the nil context that misuse gives.
var noContext context.Context

func inc(v int) (int, error) { return v + 1, nil }
