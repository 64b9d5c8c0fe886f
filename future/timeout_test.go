package future_test

import (
	"context"
	"errors"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// wantLate fails the test unless err is a timeout and no cancellation.
func wantLate(t testing.TB, err error, causes ...error) {
	t.Helper()
	for _, target := range append([]error{context.DeadlineExceeded}, causes...) {
		if !errors.Is(err, target) {
			t.Errorf("error is %v, want one that matches %v", err, target)
		}
	}
	for _, not := range []error{future.ErrCanceled, context.Canceled} {
		if errors.Is(err, not) {
			t.Errorf("error %v matches %v", err, not)
		}
	}
}
