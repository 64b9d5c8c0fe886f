package future

// ThenFlat calls f with the value of d when d has succeeded, and returns a
// Deferred that settles as the Deferred which f returns. While that is pending,
// a Cancel of the result goes to it. A callback that returns nil fails the
// result. Otherwise it is as [Then].
//
// A loop of the form
//
//	func poll() *Deferred[T] { return ThenFlat(ask(), func(…) *Deferred[T] { … return poll() }) }
//
// takes constant memory as long as ask returns pending Deferreds, or ones on an
// executor. Inline over settled ones every round would nest in the one before;
// a for loop in a coroutine ([Async]) does not.
func ThenFlat[T, U any](d *Deferred[T], f func(T) *Deferred[U]) *Deferred[U] {
	d.mustBe("ThenFlat")
	mustFunc(f == nil, "ThenFlat")
	l := &flat[T, U]{f: f}
	return l.start(d, l)
}

// Flatten returns a Deferred that settles as the Deferred which d succeeds
// with, or fails as d does. It takes off one level of nesting. Passing outcomes
// on is no step of an executor.
func Flatten[T any](d *Deferred[*Deferred[T]]) *Deferred[T] {
	d.mustBe("Flatten")
	l := new(flatten[T])
	return l.start(d, l)
}

// CatchFlat calls f with the error of d when d has failed, and returns a
// Deferred that settles as the one which f returns. If d succeeds, f is not
// called and the result has the same value. Otherwise it is as [ThenFlat].
func (d *Deferred[T]) CatchFlat(f func(error) *Deferred[T]) *Deferred[T] {
	d.mustBe("CatchFlat")
	mustFunc(f == nil, "CatchFlat")
	l := &catchFlat[T]{f: f}
	return l.start(d, l)
}

var errNilDeferred = &misuse{"future: the callback returned a nil *Deferred: return one to wait for, such as Succeed(v) or Fail(err)"}

// flat is a link that follows the Deferred which its callback returned.
type flat[T, U any] struct {
	link[T, U]
	following[U]
	f func(T) *Deferred[U]
}

func (l *flat[T, U]) source() *node {
	if l.inner != nil {
		return &l.inner.n
	}
	return &l.from.n
}

func (l *flat[T, U]) runs(failed bool) bool { return !failed && l.inner == nil }

func (l *flat[T, U]) step(in *fault) (*node, *fault) {
	f := l.f
	l.f = nil // the result outlives what f holds
	switch {
	case l.inner != nil:
		return l.take(&l.d, in, f)
	case in != nil:
		return l.pass(in, f)
	}
	v := l.from.value
	l.from = nil
	if l.inner = f(v); l.inner != nil {
		l.f = f // its site, if inner fails
	}
	return followed(l.inner, f)
}

// followed is what a callback f that returned inner leaves to do.
func followed[T any](inner *Deferred[T], f any) (*node, *fault) {
	if inner == nil {
		return nil, newFault(errNilDeferred, f)
	}
	return &inner.n, nil
}

func (l *flat[T, U]) own() *Deferred[U] { return &l.d }

// flatten is flat for a value that is itself a Deferred.
type flatten[T any] struct {
	link[*Deferred[T], T]
	following[T]
}

func (l *flatten[T]) source() *node {
	if l.inner != nil {
		return &l.inner.n
	}
	return &l.from.n
}

func (l *flatten[T]) runs(bool) bool { return false }

func (l *flatten[T]) step(in *fault) (*node, *fault) {
	switch {
	case l.inner != nil:
		return l.take(&l.d, in, nil)
	case in != nil:
		return l.pass(in, nil)
	}
	l.inner = l.from.value
	l.from = nil
	return followed(l.inner, nil)
}

func (l *flatten[T]) own() *Deferred[T] { return &l.d }

// catchFlat is flat for failures.
type catchFlat[T any] struct {
	link[T, T]
	following[T]
	f func(error) *Deferred[T]
}

func (l *catchFlat[T]) source() *node {
	if l.inner != nil {
		return &l.inner.n
	}
	return &l.from.n
}

func (l *catchFlat[T]) runs(failed bool) bool { return failed && l.inner == nil }

func (l *catchFlat[T]) step(in *fault) (*node, *fault) {
	f := l.f
	l.f = nil
	switch {
	case l.inner != nil:
		return l.take(&l.d, in, f)
	case in == nil:
		return l.d.takeFrom(&l.from, nil, nil)
	}
	l.from = nil
	if l.inner = f(in.err); l.inner != nil {
		l.f = f
	}
	return followed(l.inner, f)
}

func (l *catchFlat[T]) own() *Deferred[T] { return &l.d }

// follower is the role of a root that was settled by Resolver.Follow.
type follower[T any] struct {
	following[T]
	self *Deferred[T]
}

func (l *follower[T]) source() *node  { return &l.inner.n }
func (l *follower[T]) runs(bool) bool { return false }

func (l *follower[T]) step(in *fault) (*node, *fault) {
	return l.take(l.self, in, nil)
}

func (l *follower[T]) own() *Deferred[T] { return l.self }
