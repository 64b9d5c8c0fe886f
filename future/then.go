package future

import "errors"

// A link is what Deferreds derived from one source have in common: the
// Deferred, embedded to be one object with it, and the source, until it has
// been read.
type link[T, U any] struct {
	d    Deferred[U]
	from *Deferred[T]
}

func (l *link[T, U]) source() *node { return &l.from.n }

// start attaches the link, whose role r is, to its source.
func (l *link[T, U]) start(from *Deferred[T], r role) *Deferred[U] {
	l.from = from
	l.d.n.init(waiting, from.n.home, r)
	attach(&l.d.n, &from.n)
	return &l.d
}

// pass takes the source's outcome, which needs no callback, and lets go of the
// source. Its value, if it has one, is not T's.
func (l *link[T, U]) pass(in *fault, callback any) (*node, *fault) {
	l.from = nil
	return nil, in.through(callback)
}

// Then calls f with the value of d when d has succeeded, and returns a Deferred
// of what f returns. If d fails, f is not called and the result fails with the
// same error.
//
// f runs where d's callbacks run: inline, within the call that settles d or, if
// d has settled, within this one; or as a step of d's executor. If f panics,
// the result fails with a *failure.Failure. Then panics if d or f is nil. It
// does not wait.
func Then[T, U any](d *Deferred[T], f func(T) (U, error)) *Deferred[U] {
	d.mustBe("Then")
	mustFunc(f == nil, "Then")
	t := &then[T, U]{f: f}
	return t.start(d, t)
}

type then[T, U any] struct {
	link[T, U]
	f func(T) (U, error)
}

func (t *then[T, U]) runs(failed bool) bool { return !failed }

func (t *then[T, U]) step(in *fault) (*node, *fault) {
	f := t.f
	t.f = nil // the result outlives what f holds
	if in != nil {
		return t.pass(in, f)
	}
	v := t.from.value
	t.from = nil
	u, err := f(v)
	return t.d.returned(u, err, f)
}

// returned is the outcome of a callback f that returned v and err.
func (d *Deferred[T]) returned(v T, err error, f any) (*node, *fault) {
	if d.n.records() {
		d.n.noteReturn(f)
	}
	if err != nil {
		return nil, newFault(err, f)
	}
	d.value = v
	return nil, nil
}

// Handle calls f with the outcome of d, whichever it is: its value and nil, or
// the zero value and its error. The result settles with what f returns, so f
// decides whether a failure goes on. Otherwise it is as [Then].
func Handle[T, U any](d *Deferred[T], f func(T, error) (U, error)) *Deferred[U] {
	d.mustBe("Handle")
	mustFunc(f == nil, "Handle")
	h := &handle[T, U]{f: f}
	return h.start(d, h)
}

type handle[T, U any] struct {
	link[T, U]
	f func(T, error) (U, error)
}

func (h *handle[T, U]) runs(bool) bool { return true }

func (h *handle[T, U]) step(in *fault) (*node, *fault) {
	var v T
	var err error
	if in != nil {
		err = in.err
	} else {
		v = h.from.value
	}
	f := h.f
	h.from, h.f = nil, nil
	u, err := f(v, err)
	return h.d.returned(u, err, f)
}

// Catch calls f with the error of d when d has failed, and returns a Deferred
// of what f returns; an f that returns the error lets the failure go on. If d
// succeeds, f is not called and the result has the same value. Otherwise it is
// as [Then]. A cancellation is a failure too: see [ErrCanceled].
func (d *Deferred[T]) Catch(f func(error) (T, error)) *Deferred[T] {
	d.mustBe("Catch")
	mustFunc(f == nil, "Catch")
	c := &catch[T]{f: f}
	return c.start(d, c)
}

type catch[T any] struct {
	link[T, T]
	f func(error) (T, error)
}

func (c *catch[T]) runs(failed bool) bool { return failed }

func (c *catch[T]) step(in *fault) (*node, *fault) {
	from, f := c.from, c.f
	c.from, c.f = nil, nil
	if in == nil {
		return nil, c.d.same(from)
	}
	v, err := f(in.err)
	return c.d.returned(v, err, f)
}

// Finally calls f when d has settled, however it has, and then passes d's
// outcome on. An error that f returns fails the result: alone if d has
// succeeded, else joined behind d's own error, which it never hides. f runs
// once, also when d is canceled. Otherwise it is as [Then].
func (d *Deferred[T]) Finally(f func() error) *Deferred[T] {
	d.mustBe("Finally")
	mustFunc(f == nil, "Finally")
	l := &finally[T]{f: f}
	return l.start(d, l)
}

type finally[T any] struct {
	link[T, T]
	f func() error
	// The failure of the source while f runs, so that a panic does not hide it.
	in *fault
}

func (l *finally[T]) runs(bool) bool { return true }
func (l *finally[T]) held() *fault   { return l.in }

func (l *finally[T]) step(in *fault) (*node, *fault) {
	var same *fault
	if in == nil {
		same = l.d.same(l.from)
	}
	f := l.f
	l.f, l.in = nil, in
	passes := false
	defer func() {
		if !passes && in == nil {
			l.drop()
		}
		l.from = nil
	}()
	err := f()
	passes = err == nil
	l.in = nil
	if l.d.n.records() && (in == nil || err != nil) { // else it passes the failure on
		l.d.n.noteReturn(f)
	}
	switch {
	case err == nil && in == nil:
		return nil, same
	case err == nil:
		return nil, in.through(f)
	case in == nil:
		var zero T
		l.d.value = zero
		return nil, newFault(err, f)
	}
	return nil, newFault(errors.Join(in.err, err), f)
}

// On returns the same outcome with callbacks on ex. Passing it on is no step of
// either executor. It panics if ex is nil.
func (d *Deferred[T]) On(ex Executor) *Deferred[T] {
	d.mustBe("On")
	p := new(pass[T])
	p.from = d
	p.d.n.init(waiting, homeOf("On", ex), p)
	attach(&p.d.n, &d.n)
	return &p.d
}

// Shield returns the same outcome, but a Cancel of it, or of what is derived
// from it, stops there: it settles as canceled at once, and d goes on as if it
// still had that consumer.
func (d *Deferred[T]) Shield() *Deferred[T] {
	d.mustBe("Shield")
	s := new(shield[T])
	return s.start(d, s)
}

// pass just passes the outcome on.
type pass[T any] struct{ link[T, T] }

func (p *pass[T]) runs(bool) bool { return false }

func (p *pass[T]) step(in *fault) (*node, *fault) {
	if in == nil {
		in = p.d.same(p.from)
	}
	p.from = nil
	return nil, in
}

type shield[T any] struct{ pass[T] }

func (*shield[T]) shields() {}
