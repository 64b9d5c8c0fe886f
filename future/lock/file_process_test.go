package lock_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// What another process is to do is in its environment: the name of a role, and
// the path of the lock.
const (
	roleVariable = "DEFERRED_LOCK_TEST_ROLE"
	pathVariable = "DEFERRED_LOCK_TEST_PATH"
)

// The tests' own program plays the other process.
func init() {
	path := os.Getenv(pathVariable)
	switch os.Getenv(roleVariable) {
	case "":
		return
	case "hold":
		hold(path, func() error { return nil })
	case "hold, with a child":
		hold(path, func() error {
			cmd := again("idle", path)
			cmd.Stdin = os.Stdin
			return cmd.Start()
		})
	case "idle":
		io.Copy(io.Discard, os.Stdin)
	}
	os.Exit(0)
}

// hold takes the lock, does what else is to be done, says so, and releases the
// lock when it is told to.
func hold(path string, also func() error) {
	lease, err := lock.NewFile(clock.System(), path).TryAcquire()
	if err == nil {
		err = also()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	if line, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil || line != "release\n" {
		os.Exit(1)
	}
	lease.Release()
	fmt.Println("released")
	io.Copy(io.Discard, os.Stdin)
}

func again(role, path string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	return cmd
}

// A process is another one, which holds a lock.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a process and returns when it has the lock. It lives as long as
// the test, unless that ends it.
func start(t *testing.T, role, path string) *process {
	t.Helper()
	p := &process{t: t, cmd: again(role, path)}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	t.Cleanup(p.kill)
	p.says("held")
	return p
}

func (p *process) says(want string) {
	p.t.Helper()
	if line, err := p.out.ReadString('\n'); line != want+"\n" {
		p.t.Fatalf("the other process says %q (%v), want %q", line, err, want)
	}
}

func (p *process) release() {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "release\n"); err != nil {
		p.t.Fatal(err)
	}
	p.says("released")
}

// kill returns when the process is no more.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

// The lock of a process that is killed is free: the next try has it. What the
// process wrote into the file stands there until then.
func TestFileOfAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"hold", "hold, with a child"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r, clk := futuretest.New(t)
			path := lockPath(t)
			other := start(t, role, path)

			f := lock.NewFile(r, path)
			d := f.Acquire()
			clk.Advance(time.Hour)
			futuretest.Pending(t, d)

			other.kill()
			futuretest.Pending(t, d)
			wantContent(t, path, signed(other.pid()))
			clk.Advance(100 * time.Millisecond)
			lease := futuretest.Success(t, d)
			wantContent(t, path, signed(ownPid()))
			lease.Release()
			wantContent(t, path, "")
		})
	}
}

// A process that lives on releases the lock.
func TestFileOfAProcessThatReleasesIt(t *testing.T) {
	t.Parallel()
	r, clk := futuretest.New(t)
	path := lockPath(t)
	other := start(t, "hold", path)

	f := lock.NewFile(r, path)
	_, err := f.TryAcquire()
	wantLocked(t, err, path+", by process "+other.pid())
	d := f.Acquire()
	clk.Advance(time.Hour)
	futuretest.Pending(t, d)

	other.release()
	futuretest.Pending(t, d)
	clk.Advance(100 * time.Millisecond)
	futuretest.Success(t, d).Release()

	lease, err := f.TryAcquire()
	if err != nil {
		t.Fatal(err)
	}
	lease.Release()
}

// A process that finds the lock held gets nothing.
func TestFileIsHeldAgainstOtherProcesses(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	lease, err := lock.NewFile(clock.System(), path).TryAcquire()
	if err != nil {
		t.Fatal(err)
	}
	out, _ := again("hold", path).Output()
	if want := "lock: already locked: " + path + ", by process " + ownPid(); strings.TrimSpace(string(out)) != want {
		t.Errorf("the other process says %q, want %q", out, want)
	}
	lease.Release()
	start(t, "hold", path)
}
