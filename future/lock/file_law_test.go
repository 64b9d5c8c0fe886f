package lock_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// Whatever the holders, the waiters and those who leave do: one at a time has
// the lock, each File's waiters get it in order, a free lock is taken at the
// next poll, one timer runs for each File that waits for another, and in the end
// nothing is left.
func TestFileLaw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := newFileModel(t, filepath.Join(dir, strconv.Itoa(n)))
		t.Repeat(map[string]func(*rapid.T){
			"acquire": m.acquire,
			"try":     m.try,
			"release": m.release,
			"cancel":  m.cancel,
			"advance": m.advance,
			"":        m.check,
		})
		m.finish(t)
	})
}

// A fileModel has some Files with one path, and knows what to expect of them.
type fileModel struct {
	clk   *clock.Virtual
	files []*lock.File
	lines [][]*future.Deferred[int] // of each File: who waits, in order
	begun int                       // how many Acquires there were

	held   []lock.Lease // at most one
	holder *lock.File
	grants int    // how many callbacks got it
	wrong  string // what a callback has found
}

func newFileModel(t *rapid.T, path string) *fileModel {
	m := &fileModel{clk: clock.NewVirtual()}
	var c clock.Clock = m.clk
	if rapid.Bool().Draw(t, "on a reactor") {
		c = reactor.New(m.clk)
	}
	for range rapid.IntRange(1, 3).Draw(t, "files") {
		m.files = append(m.files, lock.NewFile(c, path))
	}
	m.lines = make([][]*future.Deferred[int], len(m.files))
	return m
}

func (m *fileModel) file(t *rapid.T) int {
	return rapid.IntRange(0, len(m.files)-1).Draw(t, "file")
}

func (m *fileModel) acquire(t *rapid.T) {
	i := m.file(t)
	f := m.files[i]
	m.begun++
	number := m.begun
	hasty := rapid.IntRange(0, 3).Draw(t, "hasty") == 0 // releases in the callback
	d := future.Then(f.Acquire(), func(l lock.Lease) (int, error) {
		if len(m.held) > 0 {
			m.wrong = "two have the lock"
		}
		m.grants++
		if hasty {
			l.Release()
		} else {
			m.held, m.holder = append(m.held, l), f
		}
		return number, nil
	})
	m.lines[i] = append(m.lines[i], d)
	m.clk.Advance(0)
}

func (m *fileModel) try(t *rapid.T) {
	i := m.file(t)
	lease, err := m.files[i].TryAcquire()
	switch free := len(m.held) == 0 && m.waiting(i) == 0; {
	case free != (err == nil), err != nil && !errors.Is(err, lock.ErrLocked):
		t.Fatalf("free: %v, error: %v", free, err)
	case free:
		m.held, m.holder = append(m.held, lease), m.files[i]
	}
}

func (m *fileModel) release(t *rapid.T) {
	if len(m.held) == 0 {
		t.Skip("nobody holds it")
	}
	lease := m.held[0]
	m.held, m.holder = nil, nil
	lease.Release()
	m.clk.Advance(0)
}

func (m *fileModel) cancel(t *rapid.T) {
	i := m.file(t)
	if m.waiting(i) == 0 {
		t.Skip("nobody waits")
	}
	at := rapid.IntRange(0, len(m.lines[i])-1).Draw(t, "who")
	d := m.lines[i][at]
	if !d.Cancel(nil) {
		t.Fatal("it was not pending")
	}
	if _, err := d.Result(); !errors.Is(err, future.ErrCanceled) {
		t.Fatal(d)
	}
	m.lines[i] = slices.Delete(m.lines[i], at, at+1)
	m.clk.Advance(0)
}

func (m *fileModel) advance(t *rapid.T) {
	ms := rapid.SampledFrom([]int{0, 10, 50, 100, 1000}).Draw(t, "ms")
	free, grants := len(m.held) == 0, m.grants
	m.clk.Advance(time.Duration(ms) * time.Millisecond)
	if ms < 100 || !free || m.grants > grants {
		return // a hasty one may have released it since the others looked
	}
	for i := range m.files {
		if m.waiting(i) > 0 {
			t.Fatal("the lock is free, and somebody waits")
		}
	}
}

// waiting takes those who have the lock, or had it, off the line of a File, and
// returns how many are left.
func (m *fileModel) waiting(i int) int {
	line := m.lines[i]
	for len(line) > 0 && settled(line[0]) {
		line = line[1:]
	}
	if slices.ContainsFunc(line, settled) {
		m.wrong = "one has the lock before its turn"
	}
	m.lines[i] = line
	return len(line)
}

func settled(d *future.Deferred[int]) bool {
	_, err := d.Result()
	return err != future.ErrPending
}

func (m *fileModel) check(t *rapid.T) {
	timers := 0
	for i, f := range m.files {
		if m.waiting(i) > 0 && m.holder != f {
			timers++
		}
	}
	if m.wrong != "" {
		t.Fatal(m.wrong)
	}
	if m.clk.Pending() != timers {
		t.Fatalf("want %d timers, have: %v", timers, m.clk)
	}
}

// finish lets all have the lock who wait for it.
func (m *fileModel) finish(t *rapid.T) {
	for range m.begun + 1 {
		for _, lease := range m.held {
			m.held, m.holder = nil, nil
			lease.Release()
		}
		m.clk.Advance(100 * time.Millisecond)
		m.check(t)
	}
	for i, f := range m.files {
		if m.waiting(i) > 0 {
			t.Fatalf("%v still waits", m.lines[i][0])
		}
		lease, err := f.TryAcquire()
		if err != nil {
			t.Fatal(err)
		}
		lease.Release()
	}
}
