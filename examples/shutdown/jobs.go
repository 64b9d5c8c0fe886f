package main

import (
	"context"
	"time"

	"github.com/deferred-go/deferred/future"
)

// mail has a little to do, and ends within the grace period.
func (a *app) mail(ctx context.Context) error {
	for letter := 1; letter <= 4; letter++ {
		if err := a.pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		a.log("mail: letter %d of 4", letter)
	}
	return nil
}

// heartbeat looks itself whether it is time to go.
func (a *app) heartbeat(ctx context.Context) error {
	for !a.closing {
		if err := a.pause(ctx, 120*time.Millisecond); err != nil {
			return err
		}
		a.log("heartbeat")
	}
	return nil
}

// backup takes too long. When it is canceled, it cleans up; to wait for
// something there, it needs a context that has not ended.
func (a *app) backup(ctx context.Context) error {
	err := a.pause(ctx, time.Minute)
	if err != nil {
		a.pause(context.WithoutCancel(ctx), 50*time.Millisecond)
		a.log("backup: removed the half of it")
	}
	return err
}

// pause waits for d.
func (a *app) pause(ctx context.Context, d time.Duration) error {
	_, err := future.After(a.r, d, struct{}{}).Await(ctx)
	return err
}
