//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package lock_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// What only Unix refuses.
func TestFileErrorsOfUnix(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, circle := filepath.Join(dir, "plain"), filepath.Join(dir, "circle")
	for _, err := range []error{
		os.WriteFile(plain, nil, 0o666),
		os.Symlink(circle, circle),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path string
		is   error
	}{
		{filepath.Join(plain, "lock"), syscall.ENOTDIR},
		{circle, syscall.ELOOP},
	} {
		_, err := lock.NewFile(clock.System(), c.path).TryAcquire()
		wantFileError(t, err, c.path, c.is, "")
	}
	if err := tryErr(os.DevNull); err == nil || err.Error() != "lock: lock "+os.DevNull+": is no regular file" {
		t.Errorf("a device: %v", err)
	}
}

// Who may not write to the file may not lock it. Root may.
func TestFileWithoutPermission(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	lease, err := lock.NewFile(clock.System(), path).TryAcquire()
	if os.Getuid() != 0 {
		wantFileError(t, err, path, fs.ErrPermission, "permission denied")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	lease.Release()
}

// A program may drop what it needs no more and hold the lock to its end: a
// garbage collection does not take it away.
func TestFileIsHeldThoughNobodyKeepsIt(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	taken(t, path)
	for range 3 {
		collect()
	}
	if err := tryErr(path); !errors.Is(err, lock.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// A file that is deleted while somebody waits for it is another one from then
// on, and free.
func TestFileDeleted(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	clk := clock.NewVirtual()
	held := taken(t, path)
	f := lock.NewFile(clk, path)
	d := f.Acquire()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	clk.Advance(100 * time.Millisecond)
	lease := futuretest.Success(t, d)
	wantContent(t, path, signed(ownPid()))
	held.Release()
	wantContent(t, path, signed(ownPid()))
	wantLocked(t, tryErr(path), path+", by process "+ownPid())
	lease.Release()
}

// Programs that delete the file before they release it keep each other out all
// the same: one that has the deleted file does not take it for the lock.
func TestFileDeletedByItsHolders(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	var inside, had atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			f := lock.NewFile(clock.System(), path)
			for had.Load() < 2000 {
				lease, err := f.TryAcquire()
				if err != nil {
					if errors.Is(err, fs.ErrNotExist) {
						t.Error(err)
					}
					continue
				}
				if inside.Add(1) != 1 {
					t.Error("two have the lock")
				}
				runtime.Gosched()
				had.Add(1)
				inside.Add(-1)
				os.Remove(path)
				lease.Release()
			}
		})
	}
	all.Wait()
}
