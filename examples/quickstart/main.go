// Quickstart is the library in three small programs: a result that comes
// later, a chain of steps with one place for errors, and the same chain on a
// clock that is moved by hand, where thirty days take a millisecond.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

func main() {
	start := clock.System().Now()
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
	took := clock.System().Now().Sub(start)
	fmt.Fprintf(os.Stderr, "\n(all of it took %v)\n", took.Round(time.Millisecond))
}

func run(w io.Writer) error {
	fmt.Fprintln(w, "1. A result that comes later")
	if err := multiplication(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n2. A chain of steps: fetch, process, display")
	if err := weatherNow(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n3. The same chain, with answers that take thirty days")
	return weatherInAMonth(w)
}

// multiply returns a Deferred of a × b, which is worked out in a later turn of
// r's loop.
func multiply(r *reactor.Reactor, a, b int) *future.Deferred[int] {
	product, res := future.NewOn[int](r)
	r.CallLater(0, func() { res.Succeed(a * b) })
	return product
}

func multiplication(w io.Writer) error {
	ctx := context.Background()
	r := reactor.New(clock.System())
	go r.Run(ctx)
	defer r.Stop()

	product := multiply(r, 6, 7)
	text := future.Then(product, func(n int) (string, error) {
		return fmt.Sprintf("6 × 7 = %d", n), nil
	})
	fmt.Fprintln(w, "asked")
	answer, err := text.Await(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, answer)
	return nil
}

func weatherNow(w io.Writer) error {
	ctx := context.Background()
	r := reactor.New(clock.System())
	go r.Run(ctx)
	defer r.Stop()

	_, err := display(w, r, 20*time.Millisecond).Await(ctx)
	return err
}

// weatherInAMonth runs on virtual time: nothing happens until Advance, and then
// all of it within that call, always in the same order. This is also how a
// test does it.
func weatherInAMonth(w io.Writer) error {
	const month = 30 * 24 * time.Hour
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	displayed := display(w, r, month)
	fmt.Fprintln(w, "asked on", clk.Now().Format(time.DateOnly))
	clk.Advance(month)
	fmt.Fprintln(w, "done on", clk.Now().Format(time.DateOnly))
	_, err := displayed.Result()
	return err
}
