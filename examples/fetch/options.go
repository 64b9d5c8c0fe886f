package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// limits is how much, how often and how long.
type limits struct {
	parallel int           // most URLs at a time
	tries    int           // most tries a URL
	timeout  time.Duration // of a try
	hedge    time.Duration // without an answer until then, ask a second time
	pause    time.Duration // before the second try; doubles from try to try
	deadline time.Duration // for all URLs together
	maxBytes int64         // of an answer
}

type options struct {
	limits
	json bool
	file string
	urls []string
}

var defaults = options{
	limits: limits{
		parallel: 8,
		tries:    3,
		timeout:  10 * time.Second,
		hedge:    2 * time.Second,
		pause:    250 * time.Millisecond,
		deadline: 2 * time.Minute,
		maxBytes: 64 << 20,
	},
}

// demoDefaults fit a server on the same machine.
var demoDefaults = options{
	limits: limits{
		parallel: 8,
		tries:    3,
		timeout:  500 * time.Millisecond,
		hedge:    150 * time.Millisecond,
		pause:    50 * time.Millisecond,
		deadline: 3 * time.Second,
		maxBytes: 64 << 20,
	},
}

const usage = `Fetch fetches URLs, and prints a line for each.

usage: fetch [flags] [URL ...]

URLs come from the arguments, from a file with one a line (-f), or else from
standard input. If that is a terminal, is empty, or says nothing for a second,
fetch starts a server of its own and fetches from that, with shorter times.
"-f -" waits for standard input however long it takes.

The exit status is 1 if something failed, 2 for bad usage. With the server of
its own it is 0 if only that failed which should.

`

// parse reads the command line. It tells the user what is wrong with it.
func parse(args []string, o options, stderr io.Writer) (options, error) {
	fs := flag.NewFlagSet("fetch", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&o.file, "f", o.file, "`file` with URLs, one a line; - is standard input")
	fs.IntVar(&o.parallel, "n", o.parallel, "fetch at most `n` URLs at a time")
	fs.IntVar(&o.tries, "tries", o.tries, "try each URL at most `n` times")
	fs.DurationVar(&o.timeout, "timeout", o.timeout, "for each try")
	fs.DurationVar(&o.hedge, "hedge", o.hedge, "ask a second time when there is no answer after this `duration`")
	fs.DurationVar(&o.pause, "pause", o.pause, "before the second try; doubles from try to try")
	fs.DurationVar(&o.deadline, "deadline", o.deadline, "for everything")
	fs.Int64Var(&o.maxBytes, "max", o.maxBytes, "largest answer to accept, in `bytes`")
	fs.BoolVar(&o.json, "json", o.json, "print JSON instead of a table")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.urls = fs.Args()
	err := o.check()
	if err != nil {
		fmt.Fprintln(stderr, "fetch:", err)
	}
	return o, err
}

func (o options) check() error {
	switch {
	case o.parallel < 1 || o.tries < 1:
		return errors.New("-n and -tries must be at least 1")
	case o.timeout <= 0 || o.hedge <= 0 || o.pause <= 0 || o.deadline <= 0:
		return errors.New("-timeout, -hedge, -pause and -deadline must be more than 0")
	case o.maxBytes < 0:
		return errors.New("-max must not be negative")
	}
	return nil
}
