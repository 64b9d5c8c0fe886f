package lock_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// lockPath is where a test has its lock.
func lockPath(t testing.TB) string { return filepath.Join(t.TempDir(), "lock") }

func ownPid() string { return strconv.Itoa(os.Getpid()) }

// signed is what a lock file has in it while the process holds it.
func signed(pid string) string { return "locked by process " + pid + "\n" }

func wantContent(t testing.TB, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); string(got) != want || err != nil {
		t.Errorf("the file has %q (%v), want %q", got, err, want)
	}
}

// wantLocked fails t unless err says that the lock is held.
func wantLocked(t testing.TB, err error, says string) {
	t.Helper()
	if !errors.Is(err, lock.ErrLocked) || !strings.HasSuffix(fmt.Sprint(err), ": "+says) {
		t.Errorf("got error %v, want one that matches ErrLocked and says %q", err, says)
	}
}

// wantTimers fails t unless that many delayed calls are to come.
func wantTimers(t testing.TB, clk *clock.Virtual, n int) {
	t.Helper()
	if clk.Pending() != n {
		t.Errorf("want %d delayed calls, have: %v", n, clk)
	}
}

// taken returns a lease on the lock at path, which is free.
func taken(t testing.TB, path string) lock.Lease {
	t.Helper()
	lease, err := lock.NewFile(clock.System(), path).TryAcquire()
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// A free lock is there at once.
func TestFileFree(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	f := lock.NewFile(r, path)
	if _, err := os.Stat(path); err == nil {
		t.Error("NewFile has made the file")
	}
	lease, err := f.Acquire().Result()
	if err != nil {
		t.Fatal(err)
	}
	wantTimers(t, clk, 0)
	wantContent(t, path, signed(ownPid()))
	lease.Release()
	wantContent(t, path, "")
}

// One that waits for a lock which is released before its time is up has it.
func TestFileReleasedBeforeTimeout(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	held := taken(t, path)
	d := lock.NewFile(r, path).Acquire().Timeout(r, 10*time.Second)
	clk.Advance(4950 * time.Millisecond)
	held.Release()
	futuretest.Pending(t, d)
	clk.Advance(50 * time.Millisecond)
	lease := futuretest.Success(t, d)
	wantTimers(t, clk, 0)
	clk.Advance(time.Hour)
	wantLocked(t, tryErr(path), path+", by process "+ownPid())
	lease.Release()
}

func tryErr(path string) error {
	_, err := lock.NewFile(clock.System(), path).TryAcquire()
	return err
}

// Several may wait on one File: they stand in line, and the first one polls.
func TestFileLine(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	held := taken(t, path)
	f := lock.NewFile(r, path)
	var order []int
	leases := make([]lock.Lease, 3)
	for i := range leases {
		future.Then(f.Acquire(), func(l lock.Lease) (int, error) {
			order = append(order, i)
			leases[i] = l
			return i, nil
		})
		wantTimers(t, clk, 1)
	}
	want := func(n int) {
		t.Helper()
		clk.Advance(0)
		if len(order) != n || n > 0 && order[n-1] != n-1 {
			t.Fatalf("%v have the lock, want %d of them in order", order, n)
		}
	}
	clk.Advance(time.Minute)
	want(0)
	held.Release()
	clk.Advance(100 * time.Millisecond)
	want(1)
	wantTimers(t, clk, 0) // what they wait for is in this process
	clk.Advance(time.Minute)
	want(1)
	leases[0].Release()
	want(2)
	leases[1].Release()
	want(3)
	leases[2].Release()
	taken(t, path).Release()
}

// A File is of use again and again.
func TestFileAgain(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	f := lock.NewFile(r, path)
	futuretest.Success(t, f.Acquire()).Release()

	held := taken(t, path)
	d := f.Acquire().Timeout(r, time.Second)
	clk.Advance(time.Second)
	futuretest.Failure(t, d)

	d = f.Acquire()
	held.Release()
	clk.Advance(100 * time.Millisecond)
	futuretest.Success(t, d).Release()
	futuretest.Success(t, f.Acquire()).Release()
}

// How often the first in line tries is a field.
func TestFilePoll(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{0, time.Nanosecond, 100 * time.Millisecond, time.Hour} {
		clk := clock.NewVirtual()
		path := lockPath(t)
		held := taken(t, path)
		f := lock.NewFile(clk, path)
		f.Poll = every
		if every == 0 {
			every = 100 * time.Millisecond
		}
		d := f.Acquire()
		clk.Advance(10 * every)
		held.Release()
		clk.Advance(every - 1)
		futuretest.Pending(t, d)
		clk.Advance(1)
		futuretest.Success(t, d).Release()
	}
}

// TryAcquire does not overtake those who wait on the File, even when the lock
// has become free.
func TestFileTryAcquire(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	held := taken(t, path)
	f := lock.NewFile(r, path)
	d := f.Acquire()
	_, err := f.TryAcquire()
	wantLocked(t, err, path+", by process "+ownPid())
	held.Release()
	_, err = f.TryAcquire()
	wantLocked(t, err, path)
	clk.Advance(100 * time.Millisecond)
	lease := futuretest.Success(t, d)
	_, err = f.TryAcquire()
	wantLocked(t, err, path+", by process "+ownPid())
	lease.Release()
	lease, err = f.TryAcquire()
	if err != nil {
		t.Fatal(err)
	}
	wantLocked(t, tryErr(path), path+", by process "+ownPid())
	lease.Release()
}

// A lock that is handed over goes on where it is released, by a loop: however
// many wait, the stack does not grow.
func TestFileHandOverDoesNotRecurse(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	const n = 10_000
	path := lockPath(t)
	held := taken(t, path)
	clk := clock.NewVirtual()
	f := lock.NewFile(clk, path)
	served := 0
	for i := range n {
		future.Then(f.Acquire(), func(l lock.Lease) (int, error) {
			if served != i {
				t.Errorf("%d has the lock after %d", i, served)
			}
			served++
			l.Release()
			return 0, nil
		})
	}
	held.Release()
	clk.Advance(100 * time.Millisecond)
	if served != n {
		t.Errorf("%d of %d had the lock", served, n)
	}
}

// collect runs a garbage collection and some of the cleanups that are due.
func collect() {
	done := make(chan struct{})
	runtime.AddCleanup(new([16]byte), func(c chan struct{}) { close(c) }, done)
	for {
		runtime.GC()
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
}

// A File that is no longer used leaves nothing with its reactor.
func TestFileIsCollected(t *testing.T) {
	t.Parallel()
	r := reactor.New(clock.NewVirtual())
	collected := make(chan struct{})
	path := lockPath(t)
	func() {
		f := lock.NewFile(r, path)
		runtime.AddCleanup(f, func(c chan struct{}) { close(c) }, collected)
		futuretest.Success(t, f.Acquire()).Release()
		held := taken(t, path)
		d := f.Acquire()
		d.Cancel(nil)
		held.Release()
	}()
	for range 10 {
		collect()
		select {
		case <-collected:
			runtime.KeepAlive(r)
			return
		default:
		}
	}
	t.Error("something holds the File")
}

// Callbacks run on the clock, if it has a loop.
func TestFileCallbacks(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	for _, c := range []clock.Clock{r, clk} {
		ran := false
		future.Then(lock.NewFile(c, path).Acquire(), func(l lock.Lease) (int, error) {
			ran = true
			l.Release()
			return 0, nil
		})
		if inline := c == clock.Clock(clk); ran != inline {
			t.Errorf("%T: the callback has run: %v", c, ran)
		}
		clk.Advance(0)
		if !ran {
			t.Errorf("%T: the callback has not run", c)
		}
	}
}

// The file tells of the holder's process, unless something else is there.
func TestFileSignature(t *testing.T) {
	t.Parallel()
	own := signed(ownPid())
	type content struct{ before, held, after string }
	kept := func(text string) content { return content{text, text, text} }
	for _, c := range []content{
		{"", own, ""},
		{signed("1"), own, ""},
		{signed("18446744073709551615"), own, ""}, // longer than the own one
		kept(signed("18446744073709551616")),
		kept(signed("")),
		kept(signed("-1")),
		kept(signed("1") + signed("2")),
		kept("42\n"), // somebody's counter, or the file of a daemon's process
		kept("\n"),
		kept(signed(strings.Repeat("1", 100))),
	} {
		path := lockPath(t)
		if err := os.WriteFile(path, []byte(c.before), 0o666); err != nil {
			t.Fatal(err)
		}
		lease := taken(t, path)
		wantContent(t, path, c.held)
		if c.held == own {
			wantLocked(t, tryErr(path), path+", by process "+ownPid())
		} else {
			wantLocked(t, tryErr(path), path)
		}
		lease.Release()
		wantContent(t, path, c.after)
	}
}

// What the holder writes into the file stays there.
func TestFileKeepsWhatTheHolderWrites(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"my state", signed(ownPid()) + "my state", signed("1")} {
		path := lockPath(t)
		lease := taken(t, path)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		lease.Release()
		wantContent(t, path, text)
	}
}
