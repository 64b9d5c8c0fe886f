package clock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	dclock "github.com/deferred-go/deferred/clock"
)

func Example() {
	remind := func(c dclock.Clock) {
		c.CallLater(30*24*time.Hour, func() { fmt.Println("renew:", c.Now().Format(time.DateOnly)) })
	}
	v := dclock.NewVirtual()
	remind(v)
	v.Advance(365 * 24 * time.Hour)
	// Output: renew: 2000-01-31
}

func ExampleSystem() {
	done := make(chan struct{})
	c := dclock.System()
	c.CallLater(time.Millisecond, func() { close(done) })
	<-done
	fmt.Println("a millisecond has passed")
	// Output: a millisecond has passed
}

func ExampleFrom() {
	mock := clock.NewMock() // of github.com/benbjohnson/clock
	c := dclock.From(mock)
	done := make(chan time.Time)
	c.CallLater(time.Hour, func() { done <- c.Now() })
	go mock.Add(time.Hour)
	fmt.Println((<-done).UTC())
	// Output: 1970-01-01 01:00:00 +0000 UTC
}

func ExampleWithTimeout() {
	v := dclock.NewVirtual()
	ctx, cancel := dclock.WithTimeout(context.Background(), v, time.Minute)
	defer cancel()
	v.Advance(time.Hour)
	fmt.Println(ctx.Err())
	fmt.Println(context.Cause(ctx))
	fmt.Println(errors.Is(context.Cause(ctx), context.DeadlineExceeded))
	// Output:
	// context deadline exceeded
	// clock: deadline 2000-01-01T00:01:00Z exceeded
	// true
}

func ExampleWithDeadline() {
	v := dclock.NewVirtual()
	ctx, cancel := dclock.WithDeadline(context.Background(), v, time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC))
	defer cancel()
	below, cancelBelow := context.WithCancel(ctx) // ends with it, within Advance
	defer cancelBelow()
	v.Advance(24*time.Hour - 1)
	fmt.Println(below.Err())
	v.Advance(1)
	fmt.Println(below.Err())
	// Output:
	// <nil>
	// context deadline exceeded
}

func ExampleNewVirtual() {
	v := dclock.NewVirtual()
	fmt.Println(v.Now())
	// Output: 2000-01-01 00:00:00 +0000 UTC
}

func ExampleLimit() {
	v := dclock.NewVirtual(dclock.Limit(1000))
	var tick dclock.Timer
	tick = v.CallLater(time.Second, func() { tick.Reset(time.Second) })
	defer func() {
		text, _, _ := strings.Cut(fmt.Sprint(recover()), ";")
		fmt.Println(text)
	}()
	v.Run()
	// Output: clock: Run: more than 1000 events (see clock.Limit)
}

func ExampleBirthplaces() {
	v := dclock.NewVirtual(dclock.Birthplaces())
	v.CallLater(time.Second, func() {})
	_, place, _ := strings.Cut(v.String(), "scheduled at ")
	fmt.Println(place[strings.LastIndex(place, "/")+1:])
	// Output: example_test.go:93
}

func ExampleVirtual_Now() {
	v := dclock.NewVirtual()
	v.CallLater(time.Hour, func() { fmt.Println("in the call:", v.Now().Format(time.TimeOnly)) })
	v.Advance(10 * time.Hour)
	fmt.Println("afterwards:", v.Now().Format(time.TimeOnly))
	// Output:
	// in the call: 01:00:00
	// afterwards: 10:00:00
}

func ExampleVirtual_CallLater() {
	v := dclock.NewVirtual()
	v.CallLater(2*time.Second, func() { fmt.Println("second") })
	v.CallLater(time.Second, func() {
		v.CallLater(0, func() { fmt.Println("with no delay, after this function") })
		fmt.Println("first")
	})
	never := v.CallLater(time.Second, func() { fmt.Println("never") })
	fmt.Println("stopped:", never.Stop())
	v.Advance(time.Minute)
	// Output:
	// stopped: true
	// first
	// with no delay, after this function
	// second
}

func ExampleTimer() {
	v := dclock.NewVirtual()
	n := 0
	var tick dclock.Timer
	tick = v.CallLater(time.Second, func() { // a periodic timer
		n++
		tick.Reset(time.Second)
	})
	v.Advance(time.Minute)
	fmt.Println(n, "ticks, stopped:", tick.Stop())
	// Output: 60 ticks, stopped: true
}

func ExampleVirtual_Advance() {
	v := dclock.NewVirtual()
	for _, d := range []time.Duration{3, 1, 2} {
		v.CallLater(d*time.Hour, func() { fmt.Println(v.Now().Format(time.TimeOnly)) })
	}
	v.Advance(2 * time.Hour) // what is due at the end belongs to it
	// Output:
	// 01:00:00
	// 02:00:00
}

func ExampleVirtual_AdvanceTo() {
	v := dclock.NewVirtual()
	v.CallLater(time.Hour, func() { fmt.Println("on the way") })
	v.AdvanceTo(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	fmt.Println(v.Now().Format(time.DateTime))
	// Output:
	// on the way
	// 2026-06-01 12:00:00
}

func ExampleVirtual_Step() {
	v := dclock.NewVirtual()
	v.CallLater(time.Hour, func() { fmt.Println("one") })
	v.CallLater(time.Hour, func() { fmt.Println("two") })
	for v.Step() {
		fmt.Println("it is", v.Now().Format(time.TimeOnly))
	}
	// Output:
	// one
	// it is 01:00:00
	// two
	// it is 01:00:00
}

func ExampleVirtual_Run() {
	v := dclock.NewVirtual()
	var count func(n int)
	count = func(n int) {
		if n > 0 {
			v.CallLater(time.Hour, func() { count(n - 1) })
		}
	}
	count(3)
	v.Run()
	fmt.Println(v.Now().Format(time.TimeOnly))
	// Output: 03:00:00
}

func ExampleVirtual_Pending() {
	v := dclock.NewVirtual()
	v.CallLater(time.Second, func() {})
	v.CallLater(time.Minute, func() {})
	fmt.Println(v.Pending())
	v.Advance(time.Second)
	fmt.Println(v.Pending())
	// Output:
	// 2
	// 1
}

func ExampleVirtual_String() {
	v := dclock.NewVirtual()
	v.Advance(time.Minute)
	v.CallLater(time.Hour, later)
	fmt.Println(v)
	// Output:
	// virtual time 2000-01-01T00:01:00Z, 1 scheduled
	// 	+1h0m0s, 2000-01-01T01:01:00Z: clock_test.later
}

// A goroutine that the clock knows nothing about does some work, and time
// waits for it.
func ExampleVirtual_Hold() {
	v := dclock.NewVirtual()
	v.CallLater(time.Second, func() { fmt.Println("a second later") })
	release := v.Hold()
	go func() {
		defer release()
		fmt.Println("work, at", v.Now().Format(time.TimeOnly))
	}()
	v.Advance(time.Minute)
	// Output:
	// work, at 00:00:00
	// a second later
}
