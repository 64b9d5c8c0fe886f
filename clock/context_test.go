package clock_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/internal/lifetime"
)

type key string

// A deadline ends the context and all below it within the clock's call.
func TestWithTimeout_on_a_virtual_clock(t *testing.T) {
	v, d := virtual()
	goroutines := runtime.NumGoroutine()
	ctx, cancel := clock.WithTimeout(t.Context(), v, time.Minute)
	defer cancel()
	below, cancelBelow := context.WithTimeout(context.WithValue(ctx, key("k"), 1), time.Hour)
	defer cancelBelow()
	if _, ok := ctx.Deadline(); ok {
		t.Error("the context has a deadline of its own")
	}
	lifetime.Of(ctx).AfterFunc(func() {
		d.add("ended")
		if below.Err() != context.DeadlineExceeded {
			t.Errorf("below: %v", below.Err())
		}
	})
	v.CallLater(time.Minute, d.note("after"))
	v.Advance(time.Minute - 1)
	if ctx.Err() != nil {
		t.Errorf("early: %v", ctx.Err())
	}
	v.Advance(time.Hour)
	d.want(t, "1m0s ended", "1m0s after")
	<-ctx.Done()
	cause := context.Cause(below)
	if ctx.Err() != context.DeadlineExceeded || !errors.Is(cause, context.DeadlineExceeded) || cause != context.Cause(ctx) {
		t.Errorf("Err %v, Cause %v", ctx.Err(), cause)
	}
	if want := "clock: deadline 2000-01-01T00:01:00Z exceeded"; cause.Error() != want {
		t.Errorf("the cause is %q, want %q", cause, want)
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(cause, &timeout) || !timeout.Timeout() {
		t.Error("the cause is no timeout")
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines more", n-goroutines)
	}
}

func TestWithTimeout_ends_early(t *testing.T) {
	v := clock.NewVirtual()
	why := errors.New("why")
	for name, end := range map[string]func(parent context.CancelCauseFunc, cancel func()){
		"cancel": func(_ context.CancelCauseFunc, cancel func()) { cancel(); cancel() },
		"parent": func(parent context.CancelCauseFunc, _ func()) { parent(why); v.Advance(0) },
	} {
		t.Run(name, func(t *testing.T) {
			above, cancelAbove := context.WithCancelCause(context.Background())
			ctx, cancel := clock.WithTimeout(above, v, time.Minute)
			defer cancel()
			if v.Pending() != 1 {
				t.Fatalf("%d pending, want the timer", v.Pending())
			}
			end(cancelAbove, cancel)
			if ctx.Err() != context.Canceled {
				t.Errorf("Err %v", ctx.Err())
			}
			if name == "parent" && context.Cause(ctx) != why {
				t.Errorf("Cause %v", context.Cause(ctx))
			}
			if v.Pending() != 0 {
				t.Errorf("the timer is left: %v", v)
			}
			if live, _ := clock.Watched(v); live != 0 {
				t.Errorf("%d contexts are watched still", live)
			}
		})
	}
}

func TestWithDeadline_that_has_passed(t *testing.T) {
	v := clock.NewVirtual()
	v.Advance(time.Hour)
	for _, at := range []time.Time{epoch, v.Now()} {
		ctx, cancel := clock.WithDeadline(t.Context(), v, at)
		if ctx.Err() != context.DeadlineExceeded || v.Pending() != 0 {
			t.Errorf("Err %v, %d pending", ctx.Err(), v.Pending())
		}
		cancel()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	ctx, cancel := clock.WithTimeout(ended, v, time.Hour)
	defer cancel()
	if ctx.Err() != context.Canceled || v.Pending() != 0 {
		t.Errorf("below an ended parent: %v, %d pending", ctx.Err(), v.Pending())
	}
}

// Nested deadlines: the inner one strikes first, and the outer ends the rest.
func TestWithTimeout_nested(t *testing.T) {
	v, d := virtual()
	outer, cancel := clock.WithTimeout(t.Context(), v, time.Minute)
	defer cancel()
	short, cancelShort := clock.WithTimeout(outer, v, time.Second)
	defer cancelShort()
	long, cancelLong := clock.WithTimeout(outer, v, time.Hour)
	defer cancelLong()
	for name, ctx := range map[string]context.Context{"short": short} {
		lifetime.Of(ctx).AfterFunc(d.note(name))
	}
	lifetime.Of(long).AfterFunc(d.note("long"))
	v.Advance(2 * time.Hour)
	d.want(t, "1s short", "1m0s long")
	if !strings.Contains(context.Cause(long).Error(), "00:01:00") {
		t.Errorf("Cause(long) = %v, want that of the outer one", context.Cause(long))
	}
	if v.Pending() != 0 {
		t.Errorf("left: %v", v)
	}
}

// A parent that is not the library's is looked at when nothing is left to do
// at the instant.
func TestWithTimeout_parent_ends_within_an_event(t *testing.T) {
	v, d := virtual()
	parent, cancelParent := context.WithCancel(context.Background())
	for range 3 {
		ctx, cancel := clock.WithTimeout(parent, v, time.Hour)
		defer cancel()
		lifetime.Of(ctx).AfterFunc(d.note("ended"))
	}
	v.CallLater(time.Second, func() {
		cancelParent()
		v.CallLater(0, d.note("same instant"))
	})
	v.CallLater(2*time.Second, d.note("later"))
	v.Advance(time.Minute)
	d.want(t, "1s same instant", "1s ended", "1s ended", "1s ended", "2s later")
}

func TestWithTimeout_many_parents_leave_nothing(t *testing.T) {
	v := clock.NewVirtual()
	for i := range 10_000 {
		parent, cancelParent := context.WithCancel(context.Background())
		_, cancel := clock.WithTimeout(parent, v, time.Hour)
		if i%100 == 0 {
			v.Advance(0)
		}
		cancel()
		cancelParent()
	}
	if live, kept := clock.Watched(v); live != 0 || kept > 32 {
		t.Errorf("%d contexts are watched, %d are kept", live, kept)
	}
	if v.Pending() != 0 {
		t.Errorf("%d pending", v.Pending())
	}
}

func TestWithTimeout_on_system_is_the_standard_one(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := clock.WithTimeout(t.Context(), clock.System(), time.Minute)
		defer cancel()
		if at, ok := ctx.Deadline(); !ok || !at.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("Deadline %v %v", at, ok)
		}
		if lifetime.Of(ctx) != nil {
			t.Error("the context is the library's")
		}
		at, cancelAt := clock.WithDeadline(t.Context(), clock.System(), time.Now().Add(time.Second))
		defer cancelAt()
		<-at.Done()
		<-ctx.Done()
		if ctx.Err() != context.DeadlineExceeded {
			t.Errorf("Err %v", ctx.Err())
		}
	})
}

// On other clocks a foreign parent is noticed by context.AfterFunc.
func TestWithTimeout_on_a_foreign_clock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.From(realTime{})
		parent, cancelParent := context.WithCancel(t.Context())
		ctx, cancel := clock.WithTimeout(parent, c, time.Minute)
		defer cancel()
		short, cancelShort := clock.WithTimeout(parent, c, time.Second)
		defer cancelShort()
		<-short.Done()
		if short.Err() != context.DeadlineExceeded || ctx.Err() != nil {
			t.Errorf("short %v, long %v", short.Err(), ctx.Err())
		}
		cancelParent()
		<-ctx.Done()
		if ctx.Err() != context.Canceled {
			t.Errorf("Err %v", ctx.Err())
		}
	})
}

// On a reactor the context ends on the loop.
func TestWithTimeout_on_a_reactor(t *testing.T) {
	v, d := virtual()
	r := reactor.New(v)
	parent, cancelParent := context.WithCancel(t.Context())
	a, cancelA := clock.WithTimeout(parent, r, time.Second)
	defer cancelA()
	b, cancelB := clock.WithTimeout(parent, r, time.Hour)
	defer cancelB()
	lifetime.Of(a).AfterFunc(func() { d.add("a"); cancelParent() })
	lifetime.Of(b).AfterFunc(d.note("b"))
	v.Advance(time.Minute)
	d.want(t, "1s a", "1s b")
	if a.Err() != context.DeadlineExceeded || b.Err() != context.Canceled {
		t.Errorf("%v, %v", a.Err(), b.Err())
	}
}

func BenchmarkWithTimeout_cancel(b *testing.B) {
	v := clock.NewVirtual()
	b.ReportAllocs()
	for b.Loop() {
		_, cancel := clock.WithTimeout(context.Background(), v, time.Minute)
		cancel()
	}
}

// When its reactor stops, the context ends: its deadline would never come.
func TestWithTimeout_ends_with_its_reactor(t *testing.T) {
	v, _ := virtual()
	r := reactor.New(v)
	a, cancelA := clock.WithTimeout(t.Context(), r, time.Hour)
	defer cancelA()
	r.Stop()
	b, cancelB := clock.WithTimeout(t.Context(), r, time.Hour)
	defer cancelB()
	for _, ctx := range []context.Context{a, b} {
		if ctx.Err() != context.Canceled || !errors.Is(context.Cause(ctx), reactor.ErrStopped) {
			t.Errorf("%v, cause %v", ctx.Err(), context.Cause(ctx))
		}
	}
}
