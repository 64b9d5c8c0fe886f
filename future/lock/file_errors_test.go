package lock_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// A callback that ends its goroutine does not end the line.
func TestFileCallbackEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dir")
	clk := clock.NewVirtual()
	f := lock.NewFile(clk, filepath.Join(dir, "lock"))
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	held := taken(t, filepath.Join(dir, "lock"))
	first, second := f.Acquire(), f.Acquire()
	ended := first.Catch(func(error) (lock.Lease, error) {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Error(err)
		}
		runtime.Goexit()
		return lock.Lease{}, nil
	})
	held.Release()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		clk.Advance(100 * time.Millisecond)
	}()
	<-done
	futuretest.Failure(t, first)
	futuretest.Failure(t, ended)
	futuretest.Success(t, second).Release()
}

// What the file system refuses is the error, with a text that helps.
func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing", "lock")
	for _, c := range []struct {
		name, path string
		is         error
		says       string
	}{
		{"a folder", dir, syscall.EISDIR, "lock: open " + dir + ": is a directory: name a file in it"},
		{"no folder", missing, fs.ErrNotExist, ": make its folder first"},
		{"a zero byte", "a\x00b", syscall.EINVAL, "lock: open "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, clk := futuretest.New(t)
			f := lock.NewFile(r, c.path)
			_, tried := f.TryAcquire()
			for _, err := range []error{tried, futuretest.Failure(t, f.Acquire())} {
				wantFileError(t, err, c.path, c.is, c.says)
			}
			wantTimers(t, clk, 0)
		})
	}
}

func wantFileError(t *testing.T, err error, path string, is error, says string) {
	t.Helper()
	var at *fs.PathError
	switch {
	case !errors.Is(err, is) || errors.Is(err, lock.ErrLocked):
		t.Errorf("got error %v, want one that matches %v only", err, is)
	case !errors.As(err, &at) || at.Path != path:
		t.Errorf("error %v has not the path %q", err, path)
	case !strings.HasPrefix(err.Error(), "lock: ") || !strings.Contains(err.Error(), says):
		t.Errorf("error %q does not say %q", err, says)
	}
}

// What the file system refuses later fails the first in line. The next one
// tries itself.
func TestFileErrorWhilePolling(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dir")
	mkdir := func() {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Error(err)
		}
	}
	mkdir()
	path := filepath.Join(dir, "lock")
	held := taken(t, path)
	clk := clock.NewVirtual()
	f := lock.NewFile(clk, path)
	line := []*future.Deferred[lock.Lease]{f.Acquire(), f.Acquire(), f.Acquire(), f.Acquire()}
	line[1].Catch(func(error) (lock.Lease, error) {
		mkdir() // inline, so before the next one tries
		return lock.Lease{}, nil
	})
	clk.Advance(time.Minute)
	held.Release()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	clk.Advance(100 * time.Millisecond)
	for _, d := range line[:2] {
		wantFileError(t, futuretest.Failure(t, d), path, fs.ErrNotExist, "")
	}
	lease := futuretest.Success(t, line[2])
	futuretest.Pending(t, line[3])
	wantTimers(t, clk, 0)
	lease.Release()
	futuretest.Success(t, line[3]).Release()
}

// A reactor that stops ends the waits, and takes no lock any more.
func TestFileOnAStoppedReactor(t *testing.T) {
	t.Parallel()
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	path := lockPath(t)
	held := taken(t, path)
	f := lock.NewFile(r, path)
	line := []*future.Deferred[lock.Lease]{f.Acquire(), f.Acquire()}
	clk.Advance(time.Second)
	r.Stop()
	line = append(line, f.Acquire())
	held.Release()
	line = append(line, f.Acquire())
	clk.Advance(time.Second)
	for _, d := range line {
		if _, err := d.Result(); !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("got %v, want ErrStopped", d)
		}
	}
	wantTimers(t, clk, 0)
	taken(t, path).Release()
	lease, err := f.TryAcquire()
	if err != nil {
		t.Fatal(err)
	}
	lease.Release()
}

// Misuse panics at the call, with what was wrong and what to do.
func TestFileMisuse(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	r := reactor.New(clock.NewVirtual())
	var zero lock.File
	negative := lock.NewFile(r, path)
	negative.Poll = -time.Second
	released := taken(t, path)
	released.Release()
	for _, c := range []struct {
		name string
		call func()
		says string
	}{
		{"nil clock", func() { lock.NewFile(nil, path) }, "lock: NewFile: nil clock.Clock: give a reactor, a *clock.Virtual or clock.System()"},
		{"empty path", func() { lock.NewFile(r, "") }, "lock: NewFile: empty path: name a file, in a folder that is there"},
		{"zero File", func() { zero.Acquire() }, "lock: Acquire: zero File: get one from NewFile"},
		{"zero File, try", func() { zero.TryAcquire() }, "lock: TryAcquire: zero File: get one from NewFile"},
		{"negative Poll", func() { negative.Acquire() }, "lock: Acquire: File.Poll is -1s: give the time between two tries, or 0 for 100ms"},
		{"negative Poll, try", func() { negative.TryAcquire() }, "lock: TryAcquire: File.Poll is -1s: give the time between two tries, or 0 for 100ms"},
		{"second Release", released.Release, "lock: Release: this lease has been released before: release each once, by a defer or by Run"},
	} {
		t.Run(c.name, func(t *testing.T) { mustPanic(t, c.call, c.says) })
	}
	taken(t, path).Release()
}
