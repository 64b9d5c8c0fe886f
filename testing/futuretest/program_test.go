package futuretest_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// The program that COMING_FROM_PROMISES.md shows in three languages, without its
// main function, and its test, which stands there too.

func ask(c clock.Clock) *future.Deferred[string] {
	return future.After(c, 100*time.Millisecond, "19.99")
}

func parse(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func unknown(err error) (float64, error) {
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, nil
	}
	return 0, err
}

func price(c clock.Clock) *future.Deferred[float64] {
	return future.Then(ask(c), parse).Catch(unknown)
}

func total(ctx context.Context, c clock.Clock) (float64, error) {
	both, err := future.All(price(c), price(c)).Timeout(c, time.Second).Await(ctx)
	if err != nil {
		return 0, err
	}
	return both[0] + both[1], nil
}

func TestTotal(t *testing.T) {
	r, clk := futuretest.New(t)
	sum := future.AsyncOn(t.Context(), r, func(ctx context.Context) (float64, error) { return total(ctx, r) })
	clk.Advance(100 * time.Millisecond)
	futuretest.Equal(t, sum, 39.98)
}
