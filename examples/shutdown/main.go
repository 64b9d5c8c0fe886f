// Shutdown ends an application in good order: it takes on no more jobs, gives
// those that run a grace period, cancels what is left and lets it clean up, and
// then stops the reactor. See shutdown in app.go.
//
// It ends by itself after a moment:
//
//	go run ./examples/shutdown
//
// or at Ctrl-C:
//
//	go run ./examples/shutdown -forever -grace 3s
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

func main() {
	forever := flag.Bool("forever", false, "run until Ctrl-C")
	grace := flag.Duration("grace", 300*time.Millisecond, "for jobs to end by themselves")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	if err := run(ctx, *forever, *grace, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run runs the application on a reactor of its own, until ctx ends or, unless
// it is to run forever, for a moment.
func run(ctx context.Context, forever bool, grace time.Duration, w io.Writer) error {
	r := reactor.New(clock.System())
	quit := signaled(ctx, r)
	if !forever {
		quit = future.Race(quit, future.After(r, 250*time.Millisecond, "the time is up"))
	}
	end := serve(r, quit, grace, w)
	end.Finally(func() error { r.Stop(); return nil })
	if err := r.Run(context.Background()); err != nil {
		return err
	}
	_, err := end.Result()
	return err
}

// signaled returns a Deferred that succeeds when ctx, which is that of signals,
// ends.
func signaled(ctx context.Context, r *reactor.Reactor) *future.Deferred[string] {
	d, res := future.NewOn[string](r)
	context.AfterFunc(ctx, func() { res.Succeed(fmt.Sprint(context.Cause(ctx))) })
	return d
}

// serve runs the application until quit has settled. It is a coroutine on the
// reactor, as its jobs are, so they share the app without locks.
func serve(r *reactor.Reactor, quit *future.Deferred[string], grace time.Duration, w io.Writer) *future.Deferred[struct{}] {
	return future.AsyncOn(context.Background(), r, func(ctx context.Context) (none struct{}, err error) {
		a := newApp(r, w)
		a.start("mail", a.mail)
		a.start("heartbeat", a.heartbeat)
		a.start("backup", a.backup)
		why, err := quit.Await(ctx)
		if err != nil {
			return none, err
		}
		a.log("shutting down: %s", why)
		return none, a.shutdown(ctx, grace)
	})
}
