package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// What the program prints, to the millisecond.
const output = ` 100ms  mail: letter 1 of 4
 120ms  heartbeat
 200ms  mail: letter 2 of 4
 240ms  heartbeat
 250ms  shutting down: the time is up
 300ms  mail: letter 3 of 4
 360ms  heartbeat
 360ms  heartbeat: done
 400ms  mail: letter 4 of 4
 400ms  mail: done
 550ms  1 left after 300ms
 600ms  backup: removed the half of it
 600ms  backup: canceled
`

const grace = 300 * time.Millisecond

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// start serves on r.
func start(t *testing.T, r *reactor.Reactor, forever bool, w io.Writer) *future.Deferred[struct{}] {
	return future.AsyncOn(t.Context(), r, func(ctx context.Context) (none struct{}, err error) {
		return none, serve(ctx, r, forever, grace, w)
	})
}

func TestServe(t *testing.T) {
	r, clk := futuretest.New(t)
	var out strings.Builder
	end := start(t, r, false, &out)
	clk.Run()
	futuretest.Success(t, end)
	check(t, out.String(), output)
}

// interrupted is a cause from which errors.As takes a signal, as from that of Main.
type interrupted struct{ error }

func (interrupted) As(target any) bool {
	s, ok := target.(*os.Signal)
	if ok {
		*s = os.Interrupt
	}
	return ok
}

// What Main does at Ctrl-C is to cancel.
func TestServeForever(t *testing.T) {
	r, clk := futuretest.New(t)
	var out strings.Builder
	end := start(t, r, true, &out)
	clk.Advance(250 * time.Millisecond)
	end.Cancel(interrupted{})
	clk.Run()
	futuretest.Success(t, end)
	check(t, out.String(), strings.ReplaceAll(output, "the time is up", "interrupt"))
}

// The same in a bubble, where the system clock does not wait.
func TestServeOnTheSystemClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		r := reactor.New(clock.System())
		end := start(t, r, false, &out).Finally(func() error { r.Stop(); return nil })
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := end.Result(); err != nil {
			t.Error(err)
		}
		check(t, out.String(), output)
	})
}

// A job is what takes returns: something to start in an app.
type job func(*app) func(context.Context) error

// shutDown starts jobs, shuts down after a second with a grace period of ten,
// and returns the error and the time that it took.
func shutDown(t *testing.T, jobs ...job) (took time.Duration, err error) {
	r, clk := futuretest.New(t)
	a := newApp(r, new(strings.Builder))
	for _, job := range jobs {
		if err := a.start("job", job(a)); err != nil {
			t.Fatal(err)
		}
	}
	clk.Advance(time.Second)
	begun := clk.Now()
	end := future.AsyncOn(t.Context(), r, func(ctx context.Context) (time.Duration, error) {
		err := a.shutdown(ctx, 10*time.Second)
		return clk.Now().Sub(begun), err
	})
	clk.Advance(0)
	if err := a.start("late", nil); err != errClosing {
		t.Errorf("start during the shutdown: %v", err)
	}
	clk.Run()
	return end.Result()
}

// takes returns a job that takes d, and cleanup more when it is canceled.
func takes(d, cleanup time.Duration) job {
	return func(a *app) func(context.Context) error {
		return func(ctx context.Context) error {
			err := a.pause(ctx, d)
			if err != nil {
				a.pause(context.WithoutCancel(ctx), cleanup)
			}
			return err
		}
	}
}

func TestShutdown(t *testing.T) {
	const second = time.Second
	for name, test := range map[string]struct {
		jobs []job
		took time.Duration
	}{
		"nothing runs":       {nil, 0},
		"all had ended":      {[]job{takes(0, 0)}, 0},
		"within the grace":   {[]job{takes(3*second, 0), takes(11*second-1, 0)}, 10*second - 1},
		"after it":           {[]job{takes(3*second, 0), takes(12*second, 0)}, 10 * second},
		"and cleans up long": {[]job{takes(12*second, second-1)}, 11*second - 1},
	} {
		t.Run(name, func(t *testing.T) {
			if took, err := shutDown(t, test.jobs...); err != nil || took != test.took {
				t.Errorf("it took %v, and returned %v; want %v", took, err, test.took)
			}
		})
	}
}

func TestCleanUpDoesNotEnd(t *testing.T) {
	_, err := shutDown(t, takes(12*time.Second, time.Hour))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}
