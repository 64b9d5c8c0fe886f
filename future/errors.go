package future

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrCanceled is matched by the error of a Deferred that was canceled and
	// did not say otherwise. Such an error matches context.Canceled too, and
	// the cause that was given to Cancel.
	ErrCanceled = errors.New("future: canceled")

	// ErrPending is what Result returns until the Deferred has settled.
	ErrPending = errors.New("future: pending")
)

// A canceledError is the failure of what was canceled.
type canceledError struct{ cause error }

func newCanceled(cause error) *canceledError {
	if cause == ErrCanceled {
		cause = nil
	}
	return &canceledError{cause}
}

func newCancel(cause error) *fault {
	if c, ok := cause.(*canceledError); ok { // handed on: keep its identity
		return newFault(c, nil)
	}
	return newFault(newCanceled(cause), nil)
}

func (e *canceledError) Error() string {
	if e.cause == nil {
		return ErrCanceled.Error()
	}
	return fmt.Sprintf("%v: %v", ErrCanceled, e.cause)
}

func (e *canceledError) Is(target error) bool {
	return target == ErrCanceled || target == context.Canceled
}

// comesOf reports whether e is strike, the cancellation of a Timeout that struck,
// or was made of its cause: by a canceller that hands on what it was told, with
// Cancel(cause).
func (e *canceledError) comesOf(strike *canceledError) bool {
	return e == strike || errors.Is(e.cause, strike.cause)
}

// A struck is the cause of a strike. Each has its own, so that it is known again.
type struck struct{ error }

func (s *struck) Unwrap() error { return s.error }

func (e *canceledError) Unwrap() error { return e.cause }

// A lateError is the failure of a Timeout that struck, or of a WithContext
// whose context ended by its deadline. The cancellation that it asked for,
// strike, is somewhere in inner and does not match as one any more.
type lateError struct {
	text   string
	inner  error
	strike *canceledError
}

func (e *lateError) Error() string {
	if onlyBy(e.inner, func(err error) bool { return causedBy(err, e.strike) }) {
		return e.text
	}
	return e.text + ": " + e.inner.Error()
}

// Timeout makes it a timeout to those who ask as package net does.
func (e *lateError) Timeout() bool { return true }

func (e *lateError) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return true
	case context.Canceled, ErrCanceled:
		return canceledBut(e.inner, e.strike)
	}
	return errors.Is(e.inner, target)
}

func (e *lateError) As(target any) bool { return errors.As(e.inner, target) }

// causedBy reports whether err comes of the cancellation strike: it carries
// that, or is the bare error of a context, which does not say who ended it.
func causedBy(err error, strike *canceledError) bool {
	return contains(err, strike) ||
		errors.Is(err, context.Canceled) && !canceledBut(err, strike)
}

// canceledBut reports whether a cancellation other than strike is in err.
func canceledBut(err error, strike *canceledError) bool {
	switch x := err.(type) {
	case *canceledError:
		return !x.comesOf(strike)
	case *gaveUp:
		return canceledBut(x.cause, strike)
	case *lateError:
		return canceledBut(x.inner, x.strike)
	case interface{ Unwrap() error }:
		return canceledBut(x.Unwrap(), strike)
	case interface{ Unwrap() []error }:
		for _, e := range x.Unwrap() {
			if canceledBut(e, strike) {
				return true
			}
		}
	}
	return false
}

// onlyCanceled reports whether err says nothing but that something was
// canceled, by Cancel or by the end of a context.
func onlyCanceled(err error) bool {
	return onlyBy(err, func(err error) bool {
		_, ok := err.(*canceledError)
		return ok || err == context.Canceled
	})
}

// onlyBy reports whether is holds for err, or for all that it wraps.
func onlyBy(err error, is func(error) bool) bool {
	switch x := err.(type) {
	case *canceledError, *gaveUp:
		if g, ok := x.(*gaveUp); ok {
			err = g.err
			if g.cause != nil {
				err = g.cause
			}
		}
		return is(err)
	case interface{ Unwrap() []error }:
		parts := x.Unwrap()
		for _, e := range parts {
			if !onlyBy(e, is) {
				return false
			}
		}
		return len(parts) > 0
	case interface{ Unwrap() error }:
		return onlyBy(x.Unwrap(), is)
	}
	return is(err)
}

// contains reports whether the cancellation strike is in err.
func contains(err error, strike *canceledError) bool {
	switch x := err.(type) {
	case *canceledError:
		return x.comesOf(strike) || contains(x.cause, strike)
	case *lateError:
		return contains(x.inner, strike)
	case interface{ Unwrap() error }:
		return contains(x.Unwrap(), strike)
	case interface{ Unwrap() []error }:
		for _, e := range x.Unwrap() {
			if contains(e, strike) {
				return true
			}
		}
	}
	return false
}

// gaveUp is the error of an Await whose context ended.
type gaveUp struct{ err, cause error }

// gaveUpOf returns the error of a wait that gave up because ctx ended.
func gaveUpOf(ctx context.Context) error {
	return &gaveUp{ctx.Err(), context.Cause(ctx)}
}

func (e *gaveUp) Error() string {
	if e.cause == nil || e.cause == e.err {
		return fmt.Sprintf("future: gave up waiting: %v", e.err)
	}
	return fmt.Sprintf("future: gave up waiting: %v: %v", e.err, e.cause)
}

func (e *gaveUp) Unwrap() []error {
	if e.cause == nil {
		return []error{e.err}
	}
	return []error{e.err, e.cause}
}

// A misuse is an error for what cannot be told at the call.
type misuse struct{ text string }

func (e *misuse) Error() string { return e.text }

var errCycle = &misuse{"future: a Deferred waits for itself, directly or through those it waits for: it could never settle"}
