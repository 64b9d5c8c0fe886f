package futuretest_test

import (
	"context"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// silent is a server that never answers.
func silent(ctx context.Context) (int, error) {
	never, _ := future.New[int]()
	return never.Await(ctx)
}

// A fake that hangs in Await lets virtual time go on, and ends with its context.
func TestAFakeThatHangs(t *testing.T) {
	r, clk := futuretest.New(t)
	d := future.GoOn(t.Context(), r, silent).Timeout(r, time.Second)
	clk.Advance(time.Second)
	futuretest.Failure(t, d)
}
