package reactor

import "log/slog"

// An Option is given to [New].
type Option interface{ apply(*Reactor) }

type option func(*Reactor)

func (o option) apply(r *Reactor) { o(r) }

// Workers sets how many jobs run at a time; more than n wait until one has
// returned. A job that waits in the Await of package future does not count.
// Default: 64. Workers panics if n < 1. On a virtual clock one job runs at a
// time, whatever n is.
func Workers(n int) Option {
	if n < 1 {
		panic("reactor: Workers below 1: jobs need a worker; leave the option out if there are none")
	}
	return option(func(r *Reactor) { r.workers = n })
}

// Logger sets where reports go: panics of functions and jobs, what Stop has
// left undone, and failures that nobody handled. It is called on whatever
// goroutine finds out, also one of the garbage collector's. Default: what
// slog.Default returns at that time. Logger panics if l is nil; a logger with
// slog.DiscardHandler is silent.
func Logger(l *slog.Logger) Option {
	if l == nil {
		panic("reactor: Logger(nil): leave the option out for slog.Default(), or use slog.New(slog.DiscardHandler) for silence")
	}
	return option(func(r *Reactor) { r.logger = l })
}

// Birthplaces makes the reactor record where delayed calls, jobs and Deferreds
// were made, for reports, and of the Deferreds of package future also what first
// settled them: %+v of a Deferred tells both, and so does the report of a failure
// that nobody handled. Default: recorded only if the reactor is on a Virtual that
// was made with clock.Birthplaces. It costs about a microsecond and 250 bytes for
// each, for a Deferred up to twice that, which go with it. It is
// switched on for the whole life of a reactor; where it is not, it costs nothing.
func Birthplaces() Option {
	return option(func(r *Reactor) { r.births = true })
}
