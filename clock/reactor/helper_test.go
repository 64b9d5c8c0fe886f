package reactor_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/internal/seam"
)

// mustPanic calls f and fails t if it does not panic with a text that contains
// each of the words.
func mustPanic(t *testing.T, f func(), words ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		if v == nil {
			t.Errorf("no panic, want one with %q", words)
		}
		for _, w := range words {
			if !strings.Contains(fmt.Sprint(v), w) {
				t.Errorf("panic %v, want %q in it", v, w)
			}
		}
	}()
	f()
}

// A diary notes what happens, from any goroutine.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) note(what string) func() { return func() { d.add("%s", what) } }

func (d *diary) want(t *testing.T, lines ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, lines) {
		t.Errorf("happened\n\t%s\nwant\n\t%s", strings.Join(d.lines, "\n\t"), strings.Join(lines, "\n\t"))
	}
	d.lines = nil
}

// A record is a logger whose text can be read while it is used.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// want checks that the log has exactly these, one a line, and empties it.
func (r *record) want(t *testing.T, words ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := strings.Split(strings.TrimSuffix(r.b.String(), "\n"), "\n")
	if r.b.Len() == 0 {
		lines = nil
	}
	if len(lines) != len(words) {
		t.Errorf("%d lines in the log, want %d with %q:\n%s", len(lines), len(words), words, r.b.String())
	}
	for i := range min(len(lines), len(words)) {
		if !strings.Contains(lines[i], words[i]) {
			t.Errorf("line %d of the log is\n\t%s\nwant %q in it", i, lines[i], words[i])
		}
	}
	r.b.Reset()
}

func (r *record) option() reactor.Option {
	return reactor.Logger(slog.New(slog.NewTextHandler(r, nil)))
}

// A world is a reactor and what makes time pass on it.
type world struct {
	*testing.T
	r    *reactor.Reactor
	loop seam.Loop
	v    *clock.Virtual // nil on a real clock
	log  *record
	diary
	start time.Time
	ended chan error // of Run
}

func (w *world) begin() {
	if w.v == nil {
		w.ended = make(chan error, 1)
		go func() { w.ended <- w.r.Run(context.Background()) }()
	}
}

// pass lets d pass.
func (w *world) pass(d time.Duration) {
	if w.v != nil {
		w.v.Advance(d)
		return
	}
	time.Sleep(d)
	synctest.Wait()
}

// at notes what, and when.
func (w *world) at(what string) func() {
	return func() { w.add("%v %s", w.r.Now().Sub(w.start), what) }
}

// realTime has the shape that clock.From takes, so that the loop does not
// know that it is the system's.
type realTime struct{}

func (realTime) Now() time.Time                                  { return time.Now() }
func (realTime) AfterFunc(d time.Duration, f func()) *time.Timer { return time.AfterFunc(d, f) }

// everywhere runs test on a virtual clock, and in a bubble on the system clock
// and on a foreign one.
func everywhere(t *testing.T, test func(w *world), opts ...reactor.Option) {
	run := func(t *testing.T, c clock.Clock) {
		w := &world{T: t, log: &record{}, start: c.Now()}
		w.v, _ = c.(*clock.Virtual)
		w.r = reactor.New(c, append([]reactor.Option{w.log.option()}, opts...)...)
		w.loop = seam.LoopOf(w.r)
		test(w)
		w.r.Stop()
		if w.ended != nil {
			<-w.ended
		}
	}
	t.Run("virtual", func(t *testing.T) { run(t, clock.NewVirtual()) })
	t.Run("system", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { run(t, clock.System()) })
	})
	t.Run("foreign", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { run(t, clock.From(realTime{})) })
	})
}

// A step is a task that notes whether it ran or was dropped.
type step struct {
	d    *diary
	name string
}

func (s step) Run() seam.Task {
	s.d.add("%s ran", s.name)
	return nil
}

func (s step) Drop(err error) { s.d.add("%s dropped: %v", s.name, err) }
