package clock_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

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

// A diary notes what happens, and when on a clock.
type diary struct {
	mu    sync.Mutex
	clock clock.Clock
	lines []string
}

func (d *diary) add(what string) {
	at := d.clock.Now().Sub(epoch)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%v %s", at, what))
}

// note returns a function that notes what.
func (d *diary) note(what string) func() { return func() { d.add(what) } }

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

func (r *record) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }
