package lock

import (
	"errors"
	"strconv"

	"github.com/deferred-go/deferred/future"
)

var (
	// ErrFull is matched by the error of a TryPut for which there is no room,
	// and of a Get when as many wait as may.
	ErrFull = errors.New("lock: full")

	// ErrClosed is what Puts and Gets fail with after Close.
	ErrClosed = errors.New("lock: the queue is closed")
)

// A Queue passes values from those who put to those who get: each value to one
// of them, the oldest first, to who has waited longest. Values for which nobody
// waits are stored. The zero Queue has no limits; [NewQueue] can set some. It
// must not be copied. All methods may be called from any goroutine, and none of
// them waits.
type Queue[T any] struct {
	desk
	size    *limit // of what is stored; nil: none
	backlog *limit // of the Gets that wait
	closed  bool
	care    *care[T]

	// The first values are owed to the Gets that wait, if there are any: the
	// desk has not come to them yet. The others are stored.
	values   fifo[T]
	gets     line[T, struct{}]
	puts     line[struct{}, T]          // they wait for room
	admitted fifo[*waiter[struct{}, T]] // Puts that got room, and are to be told
}

// An Option is given to [NewQueue].
type Option interface{ apply(*limits) }

type option func(*limits)

func (o option) apply(l *limits) { o(l) }

type limits struct{ size, backlog *limit }

// A limit is a number, and the error for what is over it.
type limit struct {
	n    int
	over error
}

type overLimit struct{ text string }

func (e *overLimit) Error() string        { return ErrFull.Error() + ": " + e.text }
func (e *overLimit) Is(target error) bool { return target == ErrFull }

// Size sets how many values a queue stores; those that are on their way to a
// Get that waits do not count. With 0 it stores nothing, and a value must be put
// for a Get that waits. A value that was taken in for one which then is canceled
// stays, even above n. Default: no limit. Size panics if n < 0.
func Size(n int) Option {
	if n < 0 {
		panic("lock: Size below 0: 0 stores nothing; leave the option out for no limit")
	}
	l := &limit{n, &overLimit{"the queue stores no more than " + strconv.Itoa(n)}}
	return option(func(to *limits) { to.size = l })
}

// Backlog sets how many Gets may wait at a time. With 0 a Get takes what is
// there or fails. Default: no limit. Backlog panics if n < 0.
func Backlog(n int) Option {
	if n < 0 {
		panic("lock: Backlog below 0: with 0 no Get may wait; leave the option out for no limit")
	}
	l := &limit{n, &overLimit{"no more than " + strconv.Itoa(n) + " may wait to get"}}
	return option(func(to *limits) { to.backlog = l })
}

// NewQueue returns an empty Queue.
func NewQueue[T any](opts ...Option) *Queue[T] {
	var l limits
	for _, o := range opts {
		if o == nil {
			panic("lock: NewQueue: nil Option: leave it out")
		}
		o.apply(&l)
	}
	return &Queue[T]{size: l.size, backlog: l.backlog}
}

// TryPut puts v, if that can be done at once: it hands v to the Get that has
// waited longest, whose callbacks run within this call, or stores it. If a
// hand-over of this queue is in progress, on this goroutine or another, the Get
// is served there, and TryPut returns before that.
//
// It returns an error that matches [ErrFull] if there is no room, or if other
// Puts wait for it; and [ErrClosed] after Close.
func (q *Queue[T]) TryPut(v T) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	if !q.hasRoom() {
		q.mu.Unlock()
		return q.size.over
	}
	q.values.push(v)
	serve(q, nil)
	return nil
}

// Put puts v as soon as there is room, first come, first served, and returns a
// Deferred that succeeds when v has been put, with inline callbacks. If there is
// room it has succeeded already, and v has gone where that of TryPut goes.
//
// A Cancel of a pending one withdraws v; once v has been put, a cancel does not
// keep callbacks from hearing of it. After Close it fails with [ErrClosed].
func (q *Queue[T]) Put(v T) *future.Deferred[struct{}] {
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return future.Fail[struct{}](ErrClosed)
	case q.hasRoom():
		q.values.push(v)
		serve(q, nil)
		return now(careOfPuts, struct{}{})
	}
	defer q.mu.Unlock()
	return q.puts.join(q, careOfPuts, v)
}

// Get returns a Deferred of the oldest value that nobody else waits for, with
// inline callbacks. If there is one it has succeeded already, and a Put that
// waited has its room. Otherwise it waits for its turn, and succeeds within the
// Put that brings its value.
//
// A Cancel of a pending one leaves the line. One that comes after it was given a
// value does not take that away: see the package documentation. If as many wait
// as Backlog allows, Get fails with an error that matches [ErrFull]; after Close,
// if nothing is left, with [ErrClosed].
func (q *Queue[T]) Get() *future.Deferred[T] {
	q.mu.Lock()
	if q.care == nil {
		q.care = newCare(q.giveBack)
	}
	q.admit(1)
	left := q.values.n() - q.gets.n // what those who wait leave for this one
	switch {
	case q.gets.n == 0 && left > 0:
		v := q.values.pop()
		serve(q, nil)
		return now(q.care, v)
	case left <= 0 && q.closed:
		q.mu.Unlock()
		return future.Fail[T](ErrClosed)
	case q.backlog != nil && -left >= q.backlog.n:
		q.mu.Unlock()
		return future.Fail[T](q.backlog.over)
	}
	d := q.gets.join(q, q.care, struct{}{})
	serve(q, nil)
	return d
}

// Close ends the queue: Puts and Gets that wait fail with [ErrClosed], and so
// do all Puts from now on. What is stored can still be got. Closing twice is
// fine.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	q.closed = true
	serve(q, nil)
}

// Drain takes all that is stored, oldest first. Then Puts that wait have room,
// and are put, within this call.
func (q *Queue[T]) Drain() []T {
	q.mu.Lock()
	stored := q.values.cut(q.owed())
	q.admit(0)
	serve(q, nil)
	return stored
}

// Len returns how many values are stored.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.values.n() - q.owed()
}

// owed is how many values are on their way to Gets that wait.
func (q *Queue[T]) owed() int { return min(q.gets.n, q.values.n()) }

// fits reports whether another value may come in when more Gets than those that
// wait are to be served.
func (q *Queue[T]) fits(more int) bool {
	return q.size == nil || q.values.n() < q.size.n+q.gets.n+more
}

// hasRoom reports whether one who puts now need not wait.
func (q *Queue[T]) hasRoom() bool { return q.puts.n == 0 && q.fits(0) }

// admit lets those who wait to put have the room that there is.
func (q *Queue[T]) admit(more int) {
	for q.puts.n > 0 && q.fits(more) && !q.closed {
		q.values.push(q.puts.first().with)
		q.admitted.push(q.puts.decide(future.Outcome[struct{}]{}))
	}
}

// giveBack puts v, which nobody has got, before all others.
func (q *Queue[T]) giveBack(v T) {
	q.mu.Lock()
	q.values.unpop(v)
	serve(q, nil)
}

// next tells those whose value has been put, then gives values to those who
// wait for one, then closes the lines.
func (q *Queue[T]) next() decided {
	switch {
	case q.admitted.n() > 0:
		return q.admitted.pop()
	case q.gets.n > 0 && q.values.n() > 0:
		return q.gets.decide(future.Outcome[T]{Value: q.values.pop()})
	case q.gets.n > 0 && q.closed:
		return q.gets.decide(future.Outcome[T]{Err: ErrClosed})
	case q.puts.n > 0 && q.closed:
		return q.puts.decide(future.Outcome[struct{}]{Err: ErrClosed})
	}
	return nil
}
