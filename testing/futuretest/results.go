package futuretest

import (
	"errors"

	"github.com/google/go-cmp/cmp"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// Success returns the value of d, which must have succeeded; if not, it fails t
// at once and says what d is instead. First it runs what is ready at this
// instant on d's reactor.
func Success[T any](t TB, d *future.Deferred[T]) T {
	t.Helper()
	v, err := result(t, d)
	switch {
	case errors.Is(err, future.ErrPending):
		t.Fatalf("futuretest: Success: the Deferred is still pending: %+v", d)
	case err != nil:
		t.Fatalf("futuretest: Success: the Deferred has failed: %+v\n%+v", err, d)
	}
	return v
}

// Failure returns the error of d, which must have failed; if not, it fails t at
// once. First it runs what is ready at this instant on d's reactor. The failure
// counts as handled.
func Failure[T any](t TB, d *future.Deferred[T]) error {
	t.Helper()
	v, err := result(t, d)
	switch {
	case errors.Is(err, future.ErrPending):
		t.Fatalf("futuretest: Failure: the Deferred is still pending: %+v", d)
	case err == nil:
		t.Fatalf("futuretest: Failure: the Deferred has succeeded with %v", v)
	}
	return err
}

// Pending fails t if d has settled. First it runs what is ready at this instant
// on d's reactor.
func Pending[T any](t TB, d *future.Deferred[T]) {
	t.Helper()
	if v, err := result(t, d); err == nil {
		t.Errorf("futuretest: Pending: the Deferred has succeeded with %v", v)
	} else if !errors.Is(err, future.ErrPending) {
		t.Errorf("futuretest: Pending: the Deferred has failed: %+v\n%+v", err, d)
	}
}

// Equal fails t if d has not succeeded with want, and shows the difference as
// package cmp does with opts. First it runs what is ready at this instant on d's
// reactor.
func Equal[T any](t TB, d *future.Deferred[T], want T, opts ...cmp.Option) {
	t.Helper()
	v, err := result(t, d)
	switch {
	case errors.Is(err, future.ErrPending):
		t.Errorf("futuretest: Equal: the Deferred is still pending: %+v", d)
	case err != nil:
		t.Errorf("futuretest: Equal: the Deferred has failed: %+v\n%+v", err, d)
	default:
		if diff := cmp.Diff(want, v, opts...); diff != "" {
			t.Errorf("futuretest: Equal: (-want +got):\n%s", diff)
		}
	}
}

// result runs what is ready on d's reactor and returns d's outcome.
func result[T any](t TB, d *future.Deferred[T]) (T, error) {
	t.Helper()
	if d == nil {
		t.Fatalf("futuretest: nil *Deferred")
	}
	runReady(seam.ExecutorOf(d))
	return d.Result()
}

// runReady runs what is ready at this instant on an executor that is a reactor
// on a virtual clock, unless this is a callback that it runs.
func runReady(executor any) {
	if books, ok := seam.LoopOf(executor).(seam.Books); ok {
		books.RunReady()
	}
}
