package task_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
)

// The function main of such a program is os.Exit(task.Main(run)).
func ExampleMain() {
	run := func(ctx context.Context, r *reactor.Reactor) error {
		greeting, err := future.After(r, time.Millisecond, "hello").Await(ctx)
		fmt.Println(greeting)
		return err
	}
	fmt.Println("exit status", task.Main(run))
	// Output:
	// hello
	// exit status 0
}

// What has been told to the user in its own way is not logged.
func ExampleExitCode() {
	run := func(context.Context, *reactor.Reactor) error {
		if err := errors.New("no file given"); err != nil {
			fmt.Println("usage: count file...")
			return fmt.Errorf("%w: %v", task.ExitCode(2), err)
		}
		return nil
	}
	fmt.Println("exit status", task.Main(run))
	// Output:
	// usage: count file...
	// exit status 2
}
