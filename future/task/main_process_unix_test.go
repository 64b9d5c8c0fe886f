//go:build unix

package task_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// A process is a program of Main's on its own.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
}

func start(t *testing.T, program string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), programEnv+"="+program, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // the program ends with it
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t, cmd, bufio.NewReader(out)}
	p.says("running\n")
	return p
}

// says waits for the program to say so.
func (p *process) says(want string) {
	p.t.Helper()
	if line, err := p.out.ReadString('\n'); line != want {
		p.t.Fatalf("the program said %q (%v), want %q", line, err, want)
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the end of the program, which has nothing more to say.
func (p *process) ends() syscall.WaitStatus {
	p.t.Helper()
	if rest, err := io.ReadAll(p.out); len(rest) > 0 || err != nil {
		p.t.Errorf("the program said %q (%v)", rest, err)
	}
	p.cmd.Wait()
	return p.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestMain_in_a_process(t *testing.T) {
	for _, tt := range []struct {
		signal  syscall.Signal
		program string
		status  int
	}{
		{syscall.SIGTERM, "plain", 143},
		{syscall.SIGINT, "plain", 130},
		{syscall.SIGTERM, "graceful", 0},
	} {
		t.Run(tt.signal.String()+" "+tt.program, func(t *testing.T) {
			if signal.Ignored(tt.signal) { // by whoever started the test, so by the program too
				return
			}
			p := start(t, tt.program)
			p.signal(tt.signal)
			p.says("cleaning up after " + tt.signal.String() + "\n")
			if tt.program == "plain" {
				p.says("cleaned up\n")
			}
			if got := p.ends(); !got.Exited() || got.ExitStatus() != tt.status {
				t.Errorf("wait status %v, want exit status %d", got, tt.status)
			}
		})
	}
}

func TestMain_a_second_signal_ends_the_process(t *testing.T) {
	p := start(t, "stubborn")
	p.signal(syscall.SIGTERM)
	p.says("cleaning up after terminated\n")
	p.signal(syscall.SIGTERM)
	if got := p.ends(); !got.Signaled() || got.Signal() != syscall.SIGTERM {
		t.Errorf("wait status %v, want the end by the signal", got)
	}
}
