package future_test

import (
	"context"
	"slices"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// This file holds what the programs of TestModel can do, and the two that do
// it: the library and the reference.

// A modelDeferred is a Deferred of either, to be looked at and canceled.
type modelDeferred interface {
	Cancel(cause error) bool
	peek() (value any, err error, settled bool) // takes no note
	result() (value any, err error)
	closed() bool // its Done channel is
}

// A modelInt is one of ints, to be attached to.
type modelInt interface {
	modelDeferred
	then(func(int) (int, error)) modelInt
	catch(func(error) (int, error)) modelInt
	handle(func(int, error) (int, error)) modelInt
	finally(func() error) modelInt
	thenFlat(func(int) modelInt) modelInt
	catchFlat(func(error) modelInt) modelInt
	nested(func(int) (modelInt, error)) (outer modelDeferred, flat modelInt)
	shield() modelInt
	hold() (modelInt, func())
	timeout(after time.Duration) modelInt
	withContext(i int) modelInt
}

// A modelRoot has a Resolver.
type modelRoot interface {
	modelInt
	succeed(v int) bool
	fail(err error) bool
	settle(v int, err error) bool
	follow(in modelInt) bool
	onCancel(f func(cause error))
}

type modelLib interface {
	root() modelRoot
	keep() modelRoot
	succeed(v int) modelInt
	fail(err error) modelInt
	settle(v int, err error) modelInt
	after(d time.Duration, v int) modelInt
	all(ds []modelInt, f func([]int) (int, error)) (all modelDeferred, then modelInt)
	allSettled(ds []modelInt, f func([]future.Outcome[int]) (int, error)) (all modelDeferred, then modelInt)
	first(name string, ds []modelInt) modelInt // Any or Race
	join2(a, b modelInt, f func(a, b int) (int, error)) modelInt
	context(d time.Duration)
	endContext(i int)
	advance(d time.Duration)
	unhandled() []error
}

// modelOf is a Deferred of the library.
type modelOf[T any] struct{ *future.Deferred[T] }

func (d modelOf[T]) result() (any, error) { return d.Result() }

func (d modelOf[T]) peek() (value any, err error, settled bool) {
	value, err = future.Peek(d.Deferred)
	return value, err, future.Settled(d.Deferred)
}

func (d modelOf[T]) closed() bool { return isClosed(d.Done()) }

// modelReal is a Deferred of ints of the library.
type modelReal struct {
	modelOf[int]
	res future.Resolver[int] // of a root
	lib *modelRealLib
}

// modelRealLib is the library.
type modelRealLib struct {
	books    *future.Books
	clk      *clock.Virtual
	contexts []context.Context
	ends     []context.CancelFunc
}

func newModelRealLib() *modelRealLib {
	return &modelRealLib{books: future.NewBooks(), clk: clock.NewVirtual()}
}

func (l *modelRealLib) wrap(d *future.Deferred[int]) *modelReal {
	return &modelReal{modelOf: modelOf[int]{d}, lib: l}
}

// modelInner is what a callback returns.
func modelInner(d modelInt) *future.Deferred[int] {
	if d == nil {
		return nil
	}
	return d.(*modelReal).Deferred
}

func modelInners(ds []modelInt) (inner []*future.Deferred[int]) {
	for _, d := range ds {
		inner = append(inner, modelInner(d))
	}
	return inner
}

func (d *modelReal) then(f func(int) (int, error)) modelInt {
	return d.lib.wrap(future.Then(d.Deferred, f))
}

func (d *modelReal) catch(f func(error) (int, error)) modelInt { return d.lib.wrap(d.Catch(f)) }

func (d *modelReal) handle(f func(int, error) (int, error)) modelInt {
	return d.lib.wrap(future.Handle(d.Deferred, f))
}

func (d *modelReal) finally(f func() error) modelInt { return d.lib.wrap(d.Finally(f)) }

func (d *modelReal) thenFlat(f func(int) modelInt) modelInt {
	return d.lib.wrap(future.ThenFlat(d.Deferred, func(v int) *future.Deferred[int] { return modelInner(f(v)) }))
}

func (d *modelReal) catchFlat(f func(error) modelInt) modelInt {
	return d.lib.wrap(d.CatchFlat(func(err error) *future.Deferred[int] { return modelInner(f(err)) }))
}

func (d *modelReal) nested(f func(int) (modelInt, error)) (outer modelDeferred, flat modelInt) {
	nest := future.Then(d.Deferred, func(v int) (*future.Deferred[int], error) {
		in, err := f(v)
		return modelInner(in), err
	})
	return modelOf[*future.Deferred[int]]{nest}, d.lib.wrap(future.Flatten(nest))
}

func (d *modelReal) hold() (modelInt, func()) {
	h, r := d.Hold()
	return d.lib.wrap(h), r
}

// keep is root for one whose value is not lost to a cancel.
func (l *modelRealLib) keep() modelRoot {
	r := l.root().(*modelReal)
	keeper.Keep(r.Deferred)
	return r
}

func (d *modelReal) shield() modelInt { return d.lib.wrap(d.Shield()) }

func (d *modelReal) timeout(after time.Duration) modelInt {
	return d.lib.wrap(d.Timeout(d.lib.clk, after))
}

func (d *modelReal) withContext(i int) modelInt {
	return d.lib.wrap(d.WithContext(d.lib.contexts[i]))
}

func (d *modelReal) succeed(v int) bool           { return d.res.Succeed(v) }
func (d *modelReal) fail(err error) bool          { return d.res.Fail(err) }
func (d *modelReal) settle(v int, err error) bool { return d.res.Settle(v, err) }
func (d *modelReal) follow(in modelInt) bool      { return d.res.Follow(modelInner(in)) }
func (d *modelReal) onCancel(f func(cause error)) { d.res.OnCancel(f) }

func (l *modelRealLib) root() modelRoot {
	d, res := future.NewIn[int](l.books)
	r := l.wrap(d)
	r.res = res
	return r
}

func (l *modelRealLib) succeed(v int) modelInt  { return l.wrap(future.Succeed(v)) }
func (l *modelRealLib) fail(err error) modelInt { return l.wrap(future.Fail[int](err)) }

func (l *modelRealLib) settle(v int, err error) modelInt { return l.wrap(future.Settle(v, err)) }

func (l *modelRealLib) after(d time.Duration, v int) modelInt {
	return l.wrap(future.After(l.clk, d, v))
}

func (l *modelRealLib) all(ds []modelInt, f func([]int) (int, error)) (modelDeferred, modelInt) {
	all := future.All(modelInners(ds)...)
	return modelOf[[]int]{all}, l.wrap(future.Then(all, f))
}

func (l *modelRealLib) allSettled(ds []modelInt, f func([]future.Outcome[int]) (int, error)) (modelDeferred, modelInt) {
	all := future.AllSettled(modelInners(ds)...)
	return modelOf[[]future.Outcome[int]]{all}, l.wrap(future.Then(all, f))
}

func (l *modelRealLib) first(name string, ds []modelInt) modelInt {
	if name == "Any" {
		return l.wrap(future.Any(modelInners(ds)...))
	}
	return l.wrap(future.Race(modelInners(ds)...))
}

func (l *modelRealLib) join2(a, b modelInt, f func(a, b int) (int, error)) modelInt {
	return l.wrap(future.Join2(modelInner(a), modelInner(b), f))
}

func (l *modelRealLib) context(d time.Duration) {
	ctx, end := clock.WithTimeout(background, l.clk, d)
	l.contexts, l.ends = append(l.contexts, ctx), append(l.ends, end)
}

func (l *modelRealLib) endContext(i int)        { l.ends[i]() }
func (l *modelRealLib) advance(d time.Duration) { l.clk.Advance(d) }
func (l *modelRealLib) unhandled() []error      { return l.books.Unhandled() }

// modelFake is a Deferred of the reference as a modelRoot.
type modelFake struct{ *modelRef }

func (d modelFake) Cancel(cause error) bool {
	pending := !d.settled
	d.cancel(modelCancel(cause))
	return pending
}

func (d modelFake) peek() (value any, err error, settled bool) {
	if d.failure != nil {
		return nil, d.failure.err, true
	}
	return d.value, nil, d.settled
}

func (d modelFake) result() (any, error) {
	value, err, settled := d.peek()
	if !settled {
		return nil, future.ErrPending
	}
	d.taken = true
	return value, err
}

func (d modelFake) closed() bool { return d.settled }

func modelFakeOf(d modelInt) *modelRef {
	if d == nil {
		return nil
	}
	return d.(modelFake).modelRef
}

func modelFakes(ds []modelInt) (refs []*modelRef) {
	for _, d := range ds {
		refs = append(refs, modelFakeOf(d))
	}
	return refs
}

func (d modelFake) then(f func(int) (int, error)) modelInt    { return modelFake{d.modelRef.then(f)} }
func (d modelFake) catch(f func(error) (int, error)) modelInt { return modelFake{d.modelRef.catch(f)} }

func (d modelFake) handle(f func(int, error) (int, error)) modelInt {
	return modelFake{d.modelRef.handle(f)}
}

func (d modelFake) finally(f func() error) modelInt { return modelFake{d.modelRef.finally(f)} }

func (d modelFake) thenFlat(f func(int) modelInt) modelInt {
	return modelFake{d.modelRef.thenFlat(func(v int) *modelRef { return modelFakeOf(f(v)) })}
}

func (d modelFake) catchFlat(f func(error) modelInt) modelInt {
	return modelFake{d.modelRef.catchFlat(func(err error) *modelRef { return modelFakeOf(f(err)) })}
}

func (d modelFake) nested(f func(int) (modelInt, error)) (outer modelDeferred, flat modelInt) {
	nest, in := d.modelRef.nested(func(v int) (*modelRef, error) {
		in, err := f(v)
		return modelFakeOf(in), err
	})
	return modelFake{nest}, modelFake{in}
}

func (d modelFake) hold() (modelInt, func()) {
	h, r := d.modelRef.hold()
	return modelFake{h}, r
}

func (l *modelFakeLib) keep() modelRoot {
	r := l.root().(modelFake)
	r.keeping = true
	return r
}

func (d modelFake) shield() modelInt                     { return modelFake{d.modelRef.shield()} }
func (d modelFake) timeout(after time.Duration) modelInt { return modelFake{d.modelRef.timeout(after)} }

func (d modelFake) withContext(i int) modelInt {
	return modelFake{d.modelRef.withContext(d.w.contexts[i])}
}

func (d modelFake) succeed(v int) bool           { return d.settleAsRoot(v, nil) }
func (d modelFake) fail(err error) bool          { return d.settleAsRoot(nil, err) }
func (d modelFake) settle(v int, err error) bool { return d.settleAsRoot(v, err) }
func (d modelFake) follow(in modelInt) bool      { return d.followAsRoot(modelFakeOf(in)) }

// modelFakeLib is the reference as a modelLib.
type modelFakeLib struct{ modelRefs }

func (l *modelFakeLib) root() modelRoot {
	n := l.add(true)
	n.root = true
	return modelFake{n}
}

func (l *modelFakeLib) succeed(v int) modelInt  { return l.settle(v, nil) }
func (l *modelFakeLib) fail(err error) modelInt { return l.settle(0, err) }

func (l *modelFakeLib) settle(v int, err error) modelInt {
	n := l.add(false)
	n.returned(v, err)
	return modelFake{n}
}

func (l *modelFakeLib) after(d time.Duration, v int) modelInt {
	return modelFake{l.modelRefs.after(d, v)}
}

func (l *modelFakeLib) all(ds []modelInt, f func([]int) (int, error)) (modelDeferred, modelInt) {
	all := l.modelRefs.allOf(modelFakes(ds))
	return modelFake{all}, modelFake{modelThen(all, f)}
}

func (l *modelFakeLib) allSettled(ds []modelInt, f func([]future.Outcome[int]) (int, error)) (modelDeferred, modelInt) {
	all := l.modelRefs.allSettled(modelFakes(ds))
	return modelFake{all}, modelFake{modelThen(all, f)}
}

func (l *modelFakeLib) first(name string, ds []modelInt) modelInt {
	if name == "Any" {
		return modelFake{l.modelRefs.any(modelFakes(ds))}
	}
	return modelFake{l.modelRefs.race(modelFakes(ds))}
}

func (l *modelFakeLib) join2(a, b modelInt, f func(a, b int) (int, error)) modelInt {
	all := l.modelRefs.allOf(modelFakes([]modelInt{a, b}))
	return modelFake{modelThen(all, func(vs []int) (int, error) { return f(vs[0], vs[1]) })}
}

func (l *modelFakeLib) context(d time.Duration) { l.newContext(d) }

func (l *modelFakeLib) endContext(i int) {
	l.contexts[i].end(context.Canceled, context.Canceled)
}

func (l *modelFakeLib) unhandled() []error { return slices.Clone(l.modelRefs.unhandled()) }
