package task

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A trial is a program of Main's in a bubble, with signals that the test sends.
type trial struct {
	t        *testing.T
	signals  chan os.Signal
	restored int
	log      bytes.Buffer
}

// try runs f as Main does, and returns its exit status.
func try(t *testing.T, f func(context.Context, *reactor.Reactor) error) (status int, log string) {
	t.Helper()
	return with(t, func(*trial) func(context.Context, *reactor.Reactor) error { return f })
}

// with is try for a program that knows its trial.
func with(t *testing.T, f func(*trial) func(context.Context, *reactor.Reactor) error) (status int, log string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &trial{t: t, signals: make(chan os.Signal, 1)}
		logger := slog.New(slog.NewTextHandler(&x.log, nil))
		p := &program{f: f(x), signals: x.signals, restore: func() { x.restored++ }}
		status = p.run(clock.System(), []reactor.Option{reactor.Logger(logger)})
		log = x.log.String()
		if x.restored == 0 {
			t.Error("the signals do not have the effect again that they had")
		}
	})
	return status, log
}

// wantExit fails t unless a program ended with the status and logged once that
// it failed, with all parts, or nothing if there are none.
func wantExit(t *testing.T, status int, log string, want int, parts ...string) {
	t.Helper()
	if status != want {
		t.Errorf("exit status %d, want %d; the log:\n%s", status, want, log)
	}
	if n := strings.Count(log, "the program failed"); n != min(len(parts), 1) || strings.Count(log, "level=ERROR") != n {
		t.Errorf("logged:\n%s", log)
	}
	for _, part := range parts {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %q:\n%s", part, log)
		}
	}
}

func pause(ctx context.Context, r *reactor.Reactor, d time.Duration) error {
	_, err := future.After(r, d, struct{}{}).Await(ctx)
	return err
}

func TestMain_as_react(t *testing.T) {
	t.Run("runs_until_async_callback", func(t *testing.T) {
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error { return pause(ctx, r, time.Hour) })
		wantExit(t, status, log, 0)
	})
	t.Run("runs_until_sync_callback", func(t *testing.T) {
		status, log := try(t, func(context.Context, *reactor.Reactor) error { return nil })
		wantExit(t, status, log, 0)
	})
	t.Run("runs_until_async_errback", func(t *testing.T) {
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
			return errors.Join(pause(ctx, r, time.Hour), fmt.Errorf("loading: %w", io.ErrUnexpectedEOF))
		})
		wantExit(t, status, log, 1, "loading: unexpected EOF")
	})
	t.Run("runs_until_sync_errback", func(t *testing.T) {
		status, log := try(t, func(context.Context, *reactor.Reactor) error { return io.ErrUnexpectedEOF })
		wantExit(t, status, log, 1, "unexpected EOF")
	})
	t.Run("single_stop_callback", func(t *testing.T) {
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
			r.Stop()
			return nil
		})
		wantExit(t, status, log, 0)
	})
	t.Run("single_stop_errback", func(t *testing.T) {
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
			r.Stop()
			return io.ErrUnexpectedEOF
		})
		wantExit(t, status, log, 1, "unexpected EOF")
	})
	t.Run("exit_with_defined_code", func(t *testing.T) {
		for _, err := range []error{ExitCode(23), fmt.Errorf("usage: %w", ExitCode(23)), errors.Join(ExitCode(23))} {
			status, log := try(t, func(context.Context, *reactor.Reactor) error { return err })
			wantExit(t, status, log, 23)
		}
		for _, code := range []int{0, 1, 255} {
			status, log := try(t, func(context.Context, *reactor.Reactor) error { return ExitCode(code) })
			wantExit(t, status, log, code)
		}
	})
	t.Run("synchronous_stop", func(t *testing.T) { // just before f would go on
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
			d, res := future.NewOn[int](r)
			r.Post(func() {
				r.Stop()
				res.Succeed(1)
			})
			_, err := d.Await(ctx)
			return err
		})
		wantExit(t, status, log, 0)
	})
	t.Run("asynchronous_stop", func(t *testing.T) {
		for wrap, want := range map[string]int{"": 0, "text": 0, "error": 1} {
			status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
				r.CallLater(time.Second, r.Stop)
				never, _ := future.NewOn[int](r)
				_, err := never.Await(ctx)
				switch {
				case !errors.Is(err, reactor.ErrStopped):
					t.Errorf("Await: %v", err)
				case wrap == "text":
					err = fmt.Errorf("serving: %w", err)
				case wrap == "error":
					err = errors.Join(err, io.ErrUnexpectedEOF)
				}
				return err
			})
			if want == 0 {
				wantExit(t, status, log, 0)
			} else {
				wantExit(t, status, log, 1, "unexpected EOF")
			}
		}
	})
}

// The ErrStopped of another reactor is a failure like any other.
func TestMain_stop_of_another_reactor_is_a_failure(t *testing.T) {
	status, log := try(t, func(context.Context, *reactor.Reactor) error { return reactor.ErrStopped })
	wantExit(t, status, log, 1, "reactor: stopped")
}

func TestMain_panic_is_a_failure_with_its_stack(t *testing.T) {
	status, log := try(t, func(context.Context, *reactor.Reactor) error { panic("boom") })
	wantExit(t, status, log, 1, "panic: boom", "TestMain_panic_is_a_failure_with_its_stack")
}

func TestMain_panic_with_an_exit_code_is_a_panic(t *testing.T) {
	status, log := try(t, func(context.Context, *reactor.Reactor) error { panic(ExitCode(4)) })
	wantExit(t, status, log, 1, "panic: task: exit status 4", "TestMain_panic_with_an_exit_code_is_a_panic")
}

// The shell would see another status, such as 0 for 256.
func TestMain_an_exit_code_that_is_no_status_is_a_failure(t *testing.T) {
	for _, code := range []ExitCode{-1, 256, 1 << 20} {
		status, log := try(t, func(context.Context, *reactor.Reactor) error { return code })
		wantExit(t, status, log, 1, fmt.Sprintf("exit status %d: ", int(code)), "0 to 255")
	}
}

func TestMain_an_error_with_an_exit_code_is_logged(t *testing.T) {
	for _, other := range []error{io.ErrUnexpectedEOF, context.Canceled} {
		for _, err := range []error{errors.Join(ExitCode(2), other), fmt.Errorf("%w: %w", other, ExitCode(2))} {
			status, log := try(t, func(context.Context, *reactor.Reactor) error { return err })
			wantExit(t, status, log, 2, other.Error())
		}
	}
}

func TestMain_what_f_has_queued_still_runs(t *testing.T) {
	ran, later := false, false
	status, log := try(t, func(_ context.Context, r *reactor.Reactor) error {
		r.Post(func() {
			ran = true
			r.Post(func() { later = true })
		})
		r.CallLater(0, func() { later = true })
		return nil
	})
	wantExit(t, status, log, 0)
	if !ran || later {
		t.Errorf("what f had posted ran: %v, what comes later: %v", ran, later)
	}
}

func TestMain_signal(t *testing.T) {
	// The program waits for in, cleans up for a while, and returns what end makes
	// of the error of its wait.
	for name, tt := range map[string]struct {
		signal os.Signal
		end    func(ctx context.Context, err error) error
		want   int
		logged []string
	}{
		"the error of the wait":       {syscall.SIGTERM, func(_ context.Context, err error) error { return err }, 143, nil},
		"an interrupt":                {os.Interrupt, func(_ context.Context, err error) error { return err }, 130, nil},
		"wrapped":                     {os.Interrupt, func(_ context.Context, err error) error { return fmt.Errorf("serving: %w", err) }, 130, nil},
		"the error of the context":    {os.Interrupt, func(ctx context.Context, _ error) error { return ctx.Err() }, 130, nil},
		"its cause":                   {os.Interrupt, func(ctx context.Context, _ error) error { return context.Cause(ctx) }, 130, nil},
		"the cause alone":             {os.Interrupt, func(ctx context.Context, _ error) error { return errors.Unwrap(context.Cause(ctx)) }, 130, nil},
		"another wait with it":        {os.Interrupt, func(ctx context.Context, _ error) error { return waitMore(ctx) }, 130, nil},
		"a cancel with another cause": {os.Interrupt, func(context.Context, error) error { return canceledBecause(io.ErrUnexpectedEOF) }, 130, nil},
		"a timeout":                   {os.Interrupt, func(context.Context, error) error { return context.DeadlineExceeded }, 1, []string{"deadline"}},
		"joined in a text": {os.Interrupt, func(_ context.Context, err error) error {
			return fmt.Errorf("serving: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}, 1, []string{"unexpected EOF"}},
		"all went well":              {os.Interrupt, func(context.Context, error) error { return nil }, 0, nil},
		"another error":              {os.Interrupt, func(context.Context, error) error { return io.ErrUnexpectedEOF }, 1, []string{"unexpected EOF"}},
		"another error with it":      {os.Interrupt, func(_ context.Context, err error) error { return errors.Join(err, io.ErrUnexpectedEOF) }, 1, []string{"unexpected EOF"}},
		"a status":                   {os.Interrupt, func(_ context.Context, err error) error { return errors.Join(err, ExitCode(3)) }, 3, nil},
		"a panic while it cleans up": {os.Interrupt, func(context.Context, error) error { panic("boom") }, 1, []string{"boom"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, log := with(t, func(x *trial) func(context.Context, *reactor.Reactor) error {
				return func(ctx context.Context, r *reactor.Reactor) error {
					time.AfterFunc(time.Second, func() { x.signals <- tt.signal })
					in, _ := future.NewOn[int](r)
					_, err := in.Await(ctx)
					var by os.Signal
					if !errors.As(err, &by) || by != tt.signal || !errors.Is(err, future.ErrCanceled) {
						t.Errorf("the wait ended with %v", err)
					}
					if by = nil; !errors.As(context.Cause(ctx), &by) || by != tt.signal || ctx.Err() != context.Canceled {
						t.Errorf("the context ended with %v because of %v", ctx.Err(), context.Cause(ctx))
					}
					if x.restored != 1 {
						t.Error("a second signal would not end the process")
					}
					if err := pause(context.WithoutCancel(ctx), r, time.Minute); err != nil {
						t.Errorf("while it cleans up: %v", err)
					}
					return tt.end(ctx, err)
				}
			})
			wantExit(t, status, log, tt.want, tt.logged...)
		})
	}
}

func waitMore(ctx context.Context) error {
	d, _ := future.New[int]()
	_, err := d.Await(ctx)
	return err
}

// canceledBecause is the error of what f has canceled itself.
func canceledBecause(why error) error {
	d, _ := future.New[int]()
	d.Cancel(why)
	_, err := d.Result()
	return err
}

// A cancellation that no signal asked for is a failure.
func TestMain_cancel_without_a_signal_is_a_failure(t *testing.T) {
	status, log := try(t, func(context.Context, *reactor.Reactor) error { return context.Canceled })
	wantExit(t, status, log, 1, "context canceled")
}

// When f has stopped the reactor itself after a signal, that is part of it.
func TestMain_signal_and_stop(t *testing.T) {
	status, log := with(t, func(x *trial) func(context.Context, *reactor.Reactor) error {
		return func(ctx context.Context, r *reactor.Reactor) error {
			x.signals <- os.Interrupt
			err := pause(ctx, r, time.Hour)
			r.CallLater(time.Second, r.Stop)
			return errors.Join(err, pause(context.WithoutCancel(ctx), r, time.Hour))
		}
	})
	wantExit(t, status, log, 130)
}

// A Goexit ends the goroutine of the loop, and Main returns all the same, after
// what was to run: be it one of f or of another function on the loop.
func TestMain_goexit(t *testing.T) {
	t.Run("of_f", func(t *testing.T) {
		cleaned := false
		status, log := try(t, func(ctx context.Context, r *reactor.Reactor) error {
			future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) {
				defer func() {
					over := make(chan struct{})
					clock.System().CallLater(time.Second, func() { close(over) })
					<-over // Main is to wait for it
					cleaned = true
				}()
				return 0, pause(context.WithoutCancel(ctx), r, time.Hour)
			})
			if err := pause(ctx, r, time.Second); err != nil {
				t.Error(err)
			}
			runtime.Goexit()
			return nil
		})
		if status != 1 || !strings.Contains(log, "the program failed") || !strings.Contains(log, "runtime.Goexit called") {
			t.Errorf("exit status %d, the log: %s", status, log)
		}
		if !cleaned {
			t.Error("the coroutines did not end")
		}
	})
	t.Run("of_another", func(t *testing.T) {
		for stops, want := range map[bool]int{false: 7, true: 0} { // the reactor, before f returns
			status, _ := try(t, func(ctx context.Context, r *reactor.Reactor) error {
				r.Post(runtime.Goexit)
				if stops {
					r.CallLater(time.Minute, r.Stop)
				}
				return errors.Join(pause(ctx, r, time.Hour), map[bool]error{false: ExitCode(7)}[stops])
			})
			if status != want {
				t.Errorf("exit status %d, want %d", status, want)
			}
		}
	})
}

func TestMain_misuse(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "task: Main: nil function") {
			t.Errorf("panic %q", text)
		}
	}()
	Main(nil)
}

// Jobs that clean up when their contexts end have the time to do so.
func TestMainWaitsForJobs(t *testing.T) {
	job := func(takes time.Duration, over *bool) func(*trial) func(context.Context, *reactor.Reactor) error {
		return func(x *trial) func(context.Context, *reactor.Reactor) error {
			return func(ctx context.Context, r *reactor.Reactor) error {
				work := future.GoOn(ctx, r, func(ctx context.Context) (int, error) {
					x.signals <- os.Interrupt
					<-ctx.Done()
					time.Sleep(takes) // of the bubble
					*over = true
					return 0, nil
				})
				_, err := work.Await(ctx)
				return err
			}
		}
	}
	var cleaned bool
	status, log := with(t, job(time.Second-1, &cleaned))
	wantExit(t, status, log, 130)
	if !cleaned || log != "" {
		t.Errorf("cleaned: %v, logged:\n%s", cleaned, log)
	}
	var late bool
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		x := &trial{t: t, signals: make(chan os.Signal, 1)}
		p := &program{f: job(time.Hour, &late)(x), signals: x.signals, restore: func() {}}
		status = p.run(clock.System(), []reactor.Option{reactor.Logger(slog.New(slog.NewTextHandler(&x.log, nil)))})
		if took := time.Since(start); took != time.Second {
			t.Errorf("Main waited for %v", took)
		}
		log = x.log.String()
		time.Sleep(time.Hour)
	})
	wantExit(t, status, log, 130)
	if !late || !strings.Contains(log, "jobs still run") {
		t.Errorf("the job ended: %v, logged:\n%s", late, log)
	}
}

// A signal that comes while jobs have their time ends that.
func TestMainWaitsForJobsUntilASignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		x := &trial{t: t, signals: make(chan os.Signal, 1)}
		p := &program{signals: x.signals, restore: func() {}, f: func(_ context.Context, r *reactor.Reactor) error {
			begun := make(chan struct{})
			r.Go(func() func() {
				close(begun)
				time.Sleep(time.Hour) // of the bubble
				return nil
			})
			<-begun
			return nil
		}}
		go func() {
			time.Sleep(time.Second / 2)
			x.signals <- os.Interrupt
		}()
		if status := p.run(clock.System(), []reactor.Option{reactor.Logger(slog.New(slog.DiscardHandler))}); status != 0 {
			t.Errorf("status %d", status)
		}
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("Main returned after %v", took)
		}
		time.Sleep(time.Hour)
	})
}
