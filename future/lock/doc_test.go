package lock_test

import (
	"context"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// The pieces of code in the documentation of the package.

func TestDocumentation(t *testing.T) {
	stored := 1
	load := func() *future.Deferred[int] { return future.Succeed(stored) }
	save := func(v int) *future.Deferred[int] {
		stored = v + 1
		return future.Succeed(stored)
	}

	var m lock.Mutex
	total := lock.Run(m.Acquire(), func() *future.Deferred[int] {
		return future.ThenFlat(load(), save)
	})
	wantValue(t, total, 2)
	wantFree(t, &m)
}

func TestDocumentationOfLeases(t *testing.T) {
	var m lock.Mutex
	enter := func(ctx context.Context) error {
		lease, err := m.Acquire().Await(ctx)
		if err != nil {
			return err
		}
		defer lease.Release()
		return nil
	}
	if err := enter(t.Context()); err != nil {
		t.Error(err)
	}
	wantFree(t, &m)
}

func TestDocumentationOfPlacesAndTimes(t *testing.T) {
	r, clk := futuretest.New(t)
	var m lock.Mutex
	runs := 0
	update := func() *future.Deferred[int] {
		runs++
		return future.Succeed(runs)
	}

	lock.Run(m.Acquire().On(r), update)

	clk.Advance(0)
	lock.Run(m.Acquire().Timeout(clk, time.Second), update)

	if runs != 2 {
		t.Errorf("%d of 2 updates ran", runs)
	}
	wantFree(t, &m)
}
