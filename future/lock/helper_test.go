package lock_test

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
)

var errCause = errors.New("cause")

type lease = *future.Deferred[lock.Lease]

// mustPanic calls f, which must panic with text.
func mustPanic(t testing.TB, f func(), text string) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); got != text {
			t.Errorf("panic: %s\n want: %s", got, text)
		}
	}()
	f()
}

// leaseOf returns the lease with which d has succeeded.
func leaseOf(t testing.TB, d lease) lock.Lease {
	t.Helper()
	l, err := d.Result()
	if err != nil {
		t.Fatalf("no lease: %v", err)
	}
	return l
}

func wantPending[T any](t testing.TB, ds ...*future.Deferred[T]) {
	t.Helper()
	for i, d := range ds {
		if _, err := d.Result(); err != future.ErrPending {
			t.Errorf("the Deferred number %d of them has settled: %v", i, d)
		}
	}
}

func wantValue[T comparable](t testing.TB, d *future.Deferred[T], want T) {
	t.Helper()
	if v, err := d.Result(); v != want || err != nil {
		t.Errorf("got (%v, %v), want %v", v, err, want)
	}
}

func wantError[T any](t testing.TB, d *future.Deferred[T], want error) {
	t.Helper()
	if _, err := d.Result(); !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

// A journal is a list of what happened.
type journal []string

func (j *journal) add(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

func (j *journal) want(t futuretest.TB, lines ...string) {
	t.Helper()
	if !slices.Equal(*j, lines) {
		t.Errorf("happened: %s\n    want: %s", strings.Join(*j, ", "), strings.Join(lines, ", "))
	}
	*j = nil
}

// withSmallStack runs f where a stack of a megabyte ends the process. The limit
// is the process's, so these tests are not parallel.
func withSmallStack(f func()) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	f()
}

// onGoroutine runs f on a goroutine made for it and waits for its end, however
// that comes.
func onGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// errText is err in one line, or ok.
func errText(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, future.ErrCanceled):
		return "canceled"
	case errors.Is(err, lock.ErrFull):
		return "full"
	}
	return strings.ReplaceAll(err.Error(), "\n", " & ")
}
