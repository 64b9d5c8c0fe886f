// Fetch fetches URLs, as a program has to that cannot trust the network: many
// at a time but not too many, each try with a timeout, failed tries again after
// growing pauses, a second request where the first answer is slow, and an end
// to it all after a deadline or at Ctrl-C, with a report of what was done.
//
//	go run ./examples/fetch https://go.dev https://pkg.go.dev
//	go run ./examples/fetch -json -n 4 < urls.txt
//	go run ./examples/fetch -h
//
// Without any URL it starts a server on the loopback interface, with endpoints
// that are fast, slow, flaky, hanging and broken, and fetches those:
//
//	go run ./examples/fetch
//
// The exit status is 0 if all went well, 1 if something failed, and 2 if the
// command line or the list of URLs is wrong. Without any URL it is 0 if just
// those endpoints failed that should.
//
// All that has to do with time is in fetch.go; main_test.go shows how it is
// tested without waiting.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	p := program{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		client: http.DefaultClient,
		listen: func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// A program is what run uses of the world.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	client         *http.Client
	listen         func() (net.Listener, error) // where the demonstration serves
}

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func (p *program) run(ctx context.Context, args []string) (exit int) {
	o, err := parse(args, defaults, p.stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage // parse has said why
	}
	urls, err := p.urls(ctx, o)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(p.stderr, "fetch: interrupted")
		return exitFailed
	case err != nil:
		fmt.Fprintln(p.stderr, "fetch:", err)
		return exitUsage
	}
	if len(urls) == 0 {
		return p.demonstrate(ctx, args)
	}
	sum := p.fetch(ctx, o, urls)
	return p.finish(o, sum, sum.failed() == 0)
}

// demonstrate fetches from a server of its own.
func (p *program) demonstrate(ctx context.Context, args []string) (exit int) {
	o, err := parse(args, demoDefaults, p.stderr)
	if err != nil {
		return exitUsage
	}
	d, err := startDemo(p.listen)
	if err != nil {
		fmt.Fprintln(p.stderr, "fetch:", err)
		return exitFailed
	}
	defer d.close()
	sum := p.fetch(ctx, o, d.urls())
	good := sum.stopped == nil && d.asExpected(sum.results)
	exit = p.finish(o, sum, good)
	if good && !o.json {
		fmt.Fprintln(p.stdout, "No URLs were given, so these came from a server made for the purpose: failed is what should fail.")
	}
	return exit
}

// fetch fetches urls until ctx ends.
func (p *program) fetch(ctx context.Context, o options, urls []string) summary {
	// Each URL may have two requests under way.
	r := reactor.New(clock.System(), reactor.Workers(2*o.parallel))
	go r.Run(context.Background())
	defer r.Stop()

	line := newProgress(p.stderr, len(urls))
	defer line.clear()
	f := &fetcher{on: r, get: httpGet(p.client, o.maxBytes), limits: o.limits, done: line.done}
	// WithContext cancels the work when ctx ends. What comes then is the report
	// of what was done, so Await must not give up itself.
	sum, err := f.fetchAll(urls).WithContext(ctx).Await(context.WithoutCancel(ctx))
	if err != nil {
		sum.stopped = err
	}
	return sum
}

// finish writes the report.
func (p *program) finish(o options, sum summary, good bool) (exit int) {
	write := sum.writeTable
	if o.json {
		write = sum.writeJSON
	}
	if err := write(p.stdout); err != nil {
		fmt.Fprintln(p.stderr, "fetch:", err)
		return exitFailed
	}
	switch {
	case sum.stopped == nil:
	case errors.Is(sum.stopped, context.DeadlineExceeded):
		fmt.Fprintf(p.stderr, "fetch: stopped at the deadline of %v\n", o.deadline)
	default:
		fmt.Fprintln(p.stderr, "fetch: interrupted")
	}
	if !good {
		return exitFailed
	}
	return exitOK
}
