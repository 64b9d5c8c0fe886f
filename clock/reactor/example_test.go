package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
)

// plain is a logger without times.
func plain() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func Example() {
	r := reactor.New(clock.System())
	r.CallLater(time.Millisecond, func() {
		fmt.Println("later")
		r.Stop()
	})
	r.Post(func() { fmt.Println("first") })
	fmt.Println(r.Run(context.Background()))
	// Output:
	// first
	// later
	// <nil>
}

// The same on virtual time: nothing runs by itself, and no time passes.
func Example_virtual() {
	v := clock.NewVirtual()
	r := reactor.New(v)
	r.CallLater(30*24*time.Hour, func() { fmt.Println(r.Now().Format(time.DateOnly)) })
	v.Advance(30 * 24 * time.Hour)
	// Output: 2000-01-31
}

func ExampleNew() {
	v := clock.NewVirtual()
	a, b := reactor.New(v), reactor.New(v) // one clock drives both, in one order
	a.CallLater(2*time.Second, func() { fmt.Println("a") })
	b.CallLater(1*time.Second, func() { fmt.Println("b") })
	v.Run()
	// Output:
	// b
	// a
}

func ExampleReactor_Now() {
	v := clock.NewVirtual()
	r := reactor.New(v)
	r.CallLater(time.Hour, func() { fmt.Println(r.Now().Format(time.TimeOnly)) })
	v.Advance(5 * time.Hour)
	// Output: 01:00:00
}

func ExampleReactor_CallLater() {
	v := clock.NewVirtual()
	r := reactor.New(v)
	r.CallLater(time.Second, func() { fmt.Println("a") })
	t := r.CallLater(time.Second, func() { fmt.Println("b, moved") })
	r.CallLater(time.Second, func() { fmt.Println("c") })
	t.Reset(time.Minute)
	v.Advance(time.Hour)
	// Output:
	// a
	// c
	// b, moved
}

func ExampleReactor_Post() {
	v := clock.NewVirtual()
	r := reactor.New(v)
	r.Post(func() {
		r.Post(func() { fmt.Println("3") })
		fmt.Println("1")
	})
	r.Post(func() { fmt.Println("2") })
	v.Advance(0)
	// Output:
	// 1
	// 2
	// 3
}

// What blocks runs on a worker, and what comes of it on the loop.
func ExampleReactor_Go() {
	r := reactor.New(clock.System())
	total := 0 // only the loop touches it
	for i := range 10 {
		r.Go(func() (deliver func()) {
			square := i * i // think of a call that takes its time
			return func() {
				total += square
				if total == 285 {
					r.Stop()
				}
			}
		})
	}
	_ = r.Run(context.Background())
	fmt.Println(total)
	// Output: 285
}

func ExampleReactor_Run() {
	ctx, cancel := context.WithCancel(context.Background())
	r := reactor.New(clock.System())
	r.Post(cancel)
	fmt.Println(r.Run(ctx))
	// Output: context canceled
}

// Stop lets the running function finish, and names what it leaves undone.
func ExampleReactor_Stop() {
	r := reactor.New(clock.System(), reactor.Logger(plain()))
	r.Post(func() {
		r.Stop()
		fmt.Println("still running")
	})
	r.Post(later)
	_ = r.Run(context.Background())
	r.Post(later)
	// Output:
	// still running
	// level=WARN msg="reactor: stopped before everything that was due had run" count=1 first="a posted reactor_test.later"
	// level=WARN msg="reactor: what came after Stop did not run; this is said only once" what="a posted reactor_test.later"
}

func later() {}

func ExampleErrStopped() {
	r := reactor.New(clock.System())
	r.Stop()
	fmt.Println(errors.Is(r.Run(context.Background()), reactor.ErrStopped))
	// Output: true
}

func ExampleLogger() {
	v := clock.NewVirtual()
	r := reactor.New(v, reactor.Logger(slog.New(slog.DiscardHandler))) // silent
	r.Post(func() { panic("nobody hears it") })
	r.Post(func() { fmt.Println("the loop goes on") })
	v.Advance(0)
	// Output: the loop goes on
}

func ExampleWorkers() {
	r := reactor.New(clock.System(), reactor.Workers(1)) // one after the other
	for _, s := range []string{"a", "b", "c"} {
		r.Go(func() func() { fmt.Println(s); return nil })
	}
	r.Go(func() func() { return r.Stop })
	_ = r.Run(context.Background())
	// Output:
	// a
	// b
	// c
}

func ExampleBirthplaces() {
	v := clock.NewVirtual()
	r := reactor.New(v, reactor.Birthplaces())
	r.CallLater(time.Second, later)
	fmt.Println(strings.Contains(v.String(), "example_test.go"))
	// Output: true
}
