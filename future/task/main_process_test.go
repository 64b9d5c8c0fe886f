package task_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// programEnv tells the test binary to be a program of Main's, and which.
const programEnv = "DEFERRED_TASK_PROGRAM"

// run is that program. It waits for a signal, and tells what happens.
func run(ctx context.Context, r *reactor.Reactor) error {
	go func() { // the test that started it may have been ended
		io.Copy(io.Discard, os.Stdin)
		os.Exit(99)
	}()
	fmt.Println("running")
	never, _ := future.NewOn[int](r)
	_, err := never.Shield().Await(ctx)
	var by os.Signal
	errors.As(err, &by)
	fmt.Println("cleaning up after", by)
	switch os.Getenv(programEnv) {
	case "stubborn":
		_, err = never.Await(context.WithoutCancel(ctx))
	case "graceful":
		return nil
	}
	fmt.Println("cleaned up")
	return err
}
