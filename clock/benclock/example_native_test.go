package benclock_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/benclock"
)

// What needs no timer of benbjohnson's costs no real time at all.
func ExampleNew_deadline() {
	v := clock.NewVirtual()
	c := benclock.New(v)

	ctx, cancel := c.WithTimeout(context.Background(), 24*time.Hour)
	defer cancel()
	noon := c.After(12 * time.Hour)

	v.Advance(12 * time.Hour)
	fmt.Println((<-noon).Format(time.DateTime), ctx.Err())

	v.Advance(12 * time.Hour)
	fmt.Println(c.Now().Format(time.DateTime), ctx.Err())
	// Output:
	// 2000-01-01 12:00:00 <nil>
	// 2000-01-02 00:00:00 context deadline exceeded
}
