package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// A source is a service that knows something about users. It is a plain
// function that blocks, and ends when its context does.
type source[T any] func(ctx context.Context, id string) (T, error)

// ask asks on a goroutine of its own.
func (s source[T]) ask(ctx context.Context, id string) *future.Deferred[T] {
	return future.Go(ctx, func(ctx context.Context) (T, error) { return s(ctx, id) })
}

type sources struct {
	user    source[user]
	orders  source[[]order]
	weather source[weather]
}

type dashboard struct {
	sources
	clock clock.Clock
	limit time.Duration // for a page
	log   *slog.Logger
}

type page struct {
	User    user             `json:"user"`
	Orders  section[[]order] `json:"orders"`
	Weather section[weather] `json:"weather"`
}

// A section is a part of a page that may be missing.
type section[T any] struct {
	Value   T      `json:"value,omitzero"`
	Missing string `json:"missing,omitempty"` // why
}

// load gets a page together.
//
// When the limit is reached, Timeout cancels what is still under way. If that
// is a section, it is missing, the page is complete without it, and the page is
// what comes out. If it is the user, the page fails with the timeout.
func (d *dashboard) load(ctx context.Context, id string) *future.Deferred[page] {
	user := d.user.ask(ctx, id)
	orders := optional(d, "orders", d.orders.ask(ctx, id))
	weather := optional(d, "weather", d.weather.ask(ctx, id))
	return future.Join3(user, orders, weather, newPage).Timeout(d.clock, d.limit)
}

func newPage(u user, o section[[]order], w section[weather]) (page, error) {
	return page{u, o, w}, nil
}

// optional makes a section of an outcome, so that a failure is no failure of
// the page.
func optional[T any](d *dashboard, name string, in *future.Deferred[T]) *future.Deferred[section[T]] {
	return future.Handle(in, func(v T, err error) (section[T], error) {
		switch {
		case err == nil:
			return section[T]{Value: v}, nil
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			// By the limit. (Or nobody waits for the page any more.)
			return section[T]{Missing: "no answer in time"}, nil
		}
		d.log.Error("a section is missing", "section", name, "err", err)
		return section[T]{Missing: "not available"}, nil
	})
}
