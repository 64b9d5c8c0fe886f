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
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"time"

	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

func main() {
	forever := flag.Bool("forever", false, "run until Ctrl-C")
	grace := flag.Duration("grace", 300*time.Millisecond, "for jobs to end by themselves")
	flag.Parse()
	os.Exit(task.Main(func(ctx context.Context, r *reactor.Reactor) error {
		return serve(ctx, r, *forever, *grace, os.Stdout)
	}))
}

// serve runs the application until it is canceled, as Main does at Ctrl-C, or,
// unless it is to run forever, for a moment. It is a coroutine on the reactor, as
// its jobs are, so they share the app without locks.
func serve(ctx context.Context, r *reactor.Reactor, forever bool, grace time.Duration, w io.Writer) error {
	a := newApp(r, w)
	a.start("mail", a.mail)
	a.start("heartbeat", a.heartbeat)
	a.start("backup", a.backup)

	life := 250 * time.Millisecond
	if forever {
		life = math.MaxInt64
	}
	why, err := future.After(r, life, "the time is up").Await(ctx)
	var s os.Signal
	switch {
	case errors.As(err, &s):
		why = s.String()
	case err != nil:
		return err
	}
	a.log("shutting down: %s", why)
	return a.shutdown(context.WithoutCancel(ctx), grace)
}
