package main

import (
	"context"
	"errors"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

type user struct {
	Name string `json:"name"`
	City string `json:"city"`
}

type order struct {
	Item  string `json:"item"`
	State string `json:"state"`
}

type weather struct {
	Sky     string `json:"sky"`
	Celsius int    `json:"celsius"`
}

var errNoUser = errors.New("no such user")

// demoSources stand for services elsewhere. Each takes its time; bob's orders
// fail, carol's weather and all of dave come too late.
func demoSources(c clock.Clock) sources {
	takes := func(ctx context.Context, d time.Duration) error {
		_, err := future.After(c, d, struct{}{}).WithContext(ctx).Await(ctx)
		return err
	}
	const late = time.Hour
	return sources{
		user: func(ctx context.Context, id string) (user, error) {
			if id == "dave" {
				return user{}, takes(ctx, late)
			}
			u, ok := users[id]
			if !ok {
				return user{}, errNoUser
			}
			return u, takes(ctx, 20*time.Millisecond)
		},
		orders: func(ctx context.Context, id string) ([]order, error) {
			if id == "bob" {
				return nil, errors.New("orders: connection refused")
			}
			return orders[id], takes(ctx, 40*time.Millisecond)
		},
		weather: func(ctx context.Context, id string) (weather, error) {
			if id == "carol" {
				return weather{}, takes(ctx, late)
			}
			return weather{"Sunny", 21}, takes(ctx, 60*time.Millisecond)
		},
	}
}

var users = map[string]user{
	"ada":   {"Ada", "London"},
	"bob":   {"Bob", "Oslo"},
	"carol": {"Carol", "Rome"},
}

var orders = map[string][]order{
	"ada":   {{"A notebook", "on its way"}, {"Punched cards", "delivered"}},
	"carol": {{"An umbrella", "being packed"}},
}
