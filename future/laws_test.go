package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of Deferreds as a functor, a monad, and a monad with errors. Two
// programs are equal if they have the same outcome at the same moment and call
// the same functions in the same order, whatever the world does. The moments
// are those at which the world settles what it was asked for.

const moments = 4

// An answer is what the world does with one question: at which moment it
// settles it, and how.
type answer struct {
	at  int // 0: it had settled, moments: never
	v   int
	err error // also errCanceledByWorld
}

var errCanceledByWorld = errors.New("canceled by the world")

// Tests that run side by side do not share generators, which remember things.
func genAnswer() *rapid.Generator[answer] { return rapid.Custom(drawAnswer) }

func drawAnswer(t *rapid.T) answer {
	a := answer{at: rapid.IntRange(0, moments).Draw(t, "at"), v: rapid.IntRange(0, 9).Draw(t, "v")}
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 0, 1:
		a.err = rapid.SampledFrom(opErrors).Draw(t, "err")
	case 2:
		a.err = errCanceledByWorld
	}
	return a
}

// A fn is a pure function from values to answers: what f, g and h of the laws
// are made of.
type fn struct {
	name    string
	answers []answer
}

func genFn(name string) *rapid.Generator[fn] {
	return rapid.Custom(func(t *rapid.T) fn {
		return fn{name, rapid.SliceOfN(genAnswer(), 3, 3).Draw(t, name)}
	})
}

// A world runs one side of a law.
type world struct {
	now    int
	log    []string
	onX    bool
	x      foreign
	settle [][]func() // by moment
}

func newWorld(onX bool) *world { return &world{onX: onX, settle: make([][]func(), moments+1)} }

// give is what the world gives for a.
func (w *world) give(a answer) *future.Deferred[int] {
	d, res := future.New[int]()
	if w.onX {
		d, res = future.NewOn[int](&w.x)
	}
	do := func() {
		switch a.err {
		case nil:
			res.Succeed(a.v)
		case errCanceledByWorld:
			d.Cancel(errCanceledByWorld)
		default:
			res.Fail(a.err)
		}
	}
	if a.at <= w.now {
		do()
	} else {
		w.settle[a.at] = append(w.settle[a.at], do)
	}
	return d
}

func (w *world) call(f fn, v any) answer {
	w.log = append(w.log, fmt.Sprintf("%d %s(%v)", w.now, f.name, v))
	k := len(fmt.Sprint(v))
	if n, ok := v.(int); ok {
		k = n
	}
	a := f.answers[k%len(f.answers)]
	a.v += k
	return a
}

// flat is f for ThenFlat, pure is f for Then, caught is f for CatchFlat.
func (w *world) flat(f fn) func(int) *future.Deferred[int] {
	return func(v int) *future.Deferred[int] { return w.give(w.call(f, v)) }
}

func (w *world) pure(f fn) func(int) (int, error) {
	return func(v int) (int, error) {
		a := w.call(f, v)
		return a.v, a.err
	}
}

func (w *world) caught(f fn) func(error) *future.Deferred[int] {
	return func(err error) *future.Deferred[int] { return w.give(w.call(f, err)) }
}

// trace runs a side of a law: what it does, and what its outcome is at each
// moment.
func trace(onX bool, side func(w *world) *future.Deferred[int]) []string {
	w := newWorld(onX)
	d := side(w)
	w.x.run()
	for {
		v, err := d.Result()
		w.log = append(w.log, fmt.Sprintf("%d: %s", w.now, outText(v, err)))
		if w.now++; w.now >= moments {
			return w.log
		}
		for len(w.settle[w.now]) > 0 {
			do := w.settle[w.now][0]
			w.settle[w.now] = w.settle[w.now][1:]
			do()
			w.x.run()
		}
	}
}

// equal fails t unless both sides of a law do the same, twice.
func equal(t *rapid.T, left, right func(w *world) *future.Deferred[int]) {
	for _, onX := range []bool{false, true} {
		l, again, r := trace(onX, left), trace(onX, left), trace(onX, right)
		if !slices.Equal(l, r) || !slices.Equal(l, again) {
			t.Fatalf("on an executor: %v\nleft:\n%s\nagain:\n%s\nright:\n%s", onX, strings.Join(l, "\n"), strings.Join(again, "\n"), strings.Join(r, "\n"))
		}
	}
}

func identity(v int) (int, error) { return v, nil }

func succeed(v int) *future.Deferred[int] { return future.Succeed(v) }

func fail(err error) *future.Deferred[int] { return future.Fail[int](err) }

func TestLaws(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	for _, law := range []struct {
		name  string
		check func(t *rapid.T, a answer, f, g fn)
	}{
		{"1 map identity", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.Then(w.give(a), identity) },
				func(w *world) deferred { return w.give(a) })
		}},
		{"2 map composition", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.Then(future.Then(w.give(a), w.pure(f)), w.pure(g)) },
				func(w *world) deferred {
					return future.Then(w.give(a), func(v int) (int, error) {
						v, err := w.pure(f)(v)
						if err != nil {
							return 0, err
						}
						return w.pure(g)(v)
					})
				})
		}},
		{"3 left identity", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.ThenFlat(future.Succeed(a.v), w.flat(f)) },
				func(w *world) deferred { return w.flat(f)(a.v) })
		}},
		{"4 right identity", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.ThenFlat(w.give(a), succeed) },
				func(w *world) deferred { return w.give(a) })
		}},
		{"5 associativity", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.ThenFlat(future.ThenFlat(w.give(a), w.flat(f)), w.flat(g)) },
				func(w *world) deferred {
					return future.ThenFlat(w.give(a), func(v int) deferred { return future.ThenFlat(w.flat(f)(v), w.flat(g)) })
				})
		}},
		{"6 map by flat map", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return future.Then(w.give(a), w.pure(f)) },
				func(w *world) deferred {
					return future.ThenFlat(w.give(a), func(v int) deferred { return future.Settle(w.pure(f)(v)) })
				})
		}},
		{"7 flatten", func(t *rapid.T, a answer, f, g fn) {
			plain := func(w *world) deferred { return w.give(a) }
			equal(t, func(w *world) deferred { return future.Flatten(future.Succeed(w.give(a))) }, plain)
			equal(t, func(w *world) deferred {
				two := future.Succeed(future.Succeed(w.give(a)))
				return future.Flatten(future.Flatten(two))
			}, plain)
			equal(t, func(w *world) deferred {
				d := w.give(a)
				for range 50 {
					d = future.ThenFlat(future.Succeed(0), func(int) deferred { return d })
				}
				return d
			}, plain)
			equal(t,
				func(w *world) deferred { return future.Flatten(future.Fail[deferred](errA)) },
				func(w *world) deferred { return fail(errA) })
			equal(t,
				func(w *world) deferred {
					return future.Flatten(future.Then(w.give(a), func(v int) (deferred, error) { return w.flat(f)(v), nil }))
				},
				func(w *world) deferred { return future.ThenFlat(w.give(a), w.flat(f)) })
		}},
		{"8 error short circuit", func(t *rapid.T, a answer, f, g fn) {
			equal(t, func(w *world) deferred { return future.ThenFlat(fail(errA), w.flat(f)) }, func(*world) deferred { return fail(errA) })
			equal(t, func(w *world) deferred { return future.Then(fail(errA), w.pure(f)) }, func(*world) deferred { return fail(errA) })
		}},
		{"9 catch on success", func(t *rapid.T, a answer, f, g fn) {
			equal(t, func(w *world) deferred { return succeed(a.v).CatchFlat(w.caught(f)) }, func(*world) deferred { return succeed(a.v) })
		}},
		{"10 catch left identity", func(t *rapid.T, a answer, f, g fn) {
			equal(t, func(w *world) deferred { return fail(errA).CatchFlat(w.caught(f)) }, func(w *world) deferred { return w.caught(f)(errA) })
		}},
		{"11 catch right identity", func(t *rapid.T, a answer, f, g fn) {
			equal(t, func(w *world) deferred { return w.give(a).CatchFlat(fail) }, func(w *world) deferred { return w.give(a) })
		}},
		{"12 catch associativity", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred { return w.give(a).CatchFlat(w.caught(f)).CatchFlat(w.caught(g)) },
				func(w *world) deferred {
					return w.give(a).CatchFlat(func(err error) deferred { return w.caught(f)(err).CatchFlat(w.caught(g)) })
				})
		}},
		{"13 branches exclude", func(t *rapid.T, a answer, f, g fn) {
			calls := map[string]int{}
			trace(false, func(w *world) deferred {
				d := w.give(a)
				e := future.Flatten(future.Handle(d, func(v int, err error) (deferred, error) {
					if err != nil {
						calls[g.name]++
						return w.caught(g)(err), nil
					}
					calls[f.name]++
					return w.flat(f)(v), nil
				}))
				if calls[f.name] > 0 && calls[g.name] > 0 {
					t.Fatal("both were called")
				}
				return e
			})
			if n := calls[f.name] + calls[g.name]; n > 1 || (n == 0) != (a.at >= moments) {
				t.Fatalf("f was called %d times, g %d times", calls[f.name], calls[g.name])
			}
			equal(t, // a Catch behind does see the errors of f
				func(w *world) deferred { return future.ThenFlat(succeed(a.v), w.flat(f)).CatchFlat(w.caught(g)) },
				func(w *world) deferred { return w.flat(f)(a.v).CatchFlat(w.caught(g)) })
		}},
		{"15 errors are kept", func(t *rapid.T, a answer, f, g fn) {
			w := newWorld(false)
			d := fail(errA).CatchFlat(fail)
			for range a.v {
				d = future.Then(future.ThenFlat(d, w.flat(f)), w.pure(f)).Finally(func() error { return nil }).CatchFlat(fail)
			}
			if _, err := d.Result(); err != errA {
				t.Fatalf("it became %v", err)
			}
			d = d.Finally(func() error { return errB })
			if _, err := d.Result(); !errors.Is(err, errA) || !errors.Is(err, errB) {
				t.Fatalf("it became %v", err)
			}
		}},
		{"16 settle once", func(t *rapid.T, a answer, f, g fn) {
			d, res := future.New[int]()
			verbs := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 6).Draw(t, "verbs")
			var firstV int
			var firstErr error
			for i, verb := range verbs {
				var ok bool
				switch verb {
				case 0:
					ok = res.Succeed(i)
				case 1:
					ok = res.Fail(opErrors[i%len(opErrors)])
				case 2:
					ok = d.Cancel(errA)
				case 3:
					ok = res.Follow(future.Succeed(i))
				}
				if ok != (i == 0) {
					t.Fatalf("settle %d returned %v", i, ok)
				}
				v, err := d.Result()
				if i == 0 {
					firstV, firstErr = v, err
				}
				if v != firstV || err != firstErr {
					t.Fatalf("settle %d changed the outcome to (%d, %v)", i, v, err)
				}
			}
		}},
		{"17 late subscription, 18 order, 19 many observers", func(t *rapid.T, a answer, f, g fn) {
			var seen []string
			n := rapid.IntRange(1, 10).Draw(t, "observers")
			moment := rapid.SliceOfN(rapid.IntRange(0, moments-1), n, n).Draw(t, "attached at")
			slices.Sort(moment)
			var outs []string
			trace(rapid.Bool().Draw(t, "on an executor"), func(w *world) deferred {
				d := w.give(a)
				for i, at := range moment {
					attach := func() {
						future.Handle(d, func(v int, err error) (int, error) {
							seen = append(seen, fmt.Sprint(i))
							outs = append(outs, outText(v, err))
							return 0, errB // changes nothing for the others
						}).Catch(func(error) (int, error) { return 0, nil })
					}
					if at == 0 {
						attach()
					} else {
						w.settle[at] = append(w.settle[at], attach)
					}
				}
				return d
			})
			if a.at >= moments {
				if len(seen) > 0 {
					t.Fatalf("%v were called", seen)
				}
				return
			}
			var want []string
			for i := range n {
				want = append(want, fmt.Sprint(i))
			}
			if !slices.Equal(seen, want) || len(slices.Compact(outs)) != 1 {
				t.Fatalf("called %v, with %v", seen, outs)
			}
		}},
		{"20 finally identity", func(t *rapid.T, a answer, f, g fn) {
			runs := 0
			equal(t,
				func(w *world) deferred {
					runs = 0
					return w.give(a).Finally(func() error { runs++; return nil })
				},
				func(w *world) deferred { return w.give(a) })
			if want := min(1, moments-a.at); runs != want {
				t.Fatalf("it ran %d times", runs)
			}
		}},
		{"21 finally inside out", func(t *rapid.T, a answer, f, g fn) {
			equal(t,
				func(w *world) deferred {
					return w.give(a).Finally(func() error { w.call(f, 1); return nil }).Finally(func() error { w.call(g, 2); return nil })
				},
				func(w *world) deferred {
					return w.give(a).Finally(func() error { w.call(f, 1); w.call(g, 2); return nil })
				})
		}},
	} {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				law.check(t, genAnswer().Draw(t, "a"), genFn("f").Draw(t, "f"), genFn("g").Draw(t, "g"))
			})
		})
	}
}

// Law 14: a panic is a failure that knows its value and its stack.
func TestLawPanic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "text")
		d := future.Then(future.Succeed(1), func(int) (int, error) { panic(text) })
		_, err := d.Result()
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok || !errors.Is(err, failure.ErrPanic) || f.Error() != "panic: "+text {
			t.Fatalf("it became %v", err)
		}
		if stack := fmt.Sprintf("%+v", f); !strings.Contains(stack, "TestLawPanic") {
			t.Fatalf("the stack does not lead here: %s", stack)
		}
	})
}

// The other half: what steers a property tester passes through a callback, so
// that a property which fails there still shrinks, and the Deferred has failed.
// The tester writes its file into the current directory, so the test is not
// parallel.
func TestLawControlPanic(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		name string
		run  func(check func(v int) (int, error), v int) *future.Deferred[int]
	}{
		{"Then", func(check func(int) (int, error), v int) *future.Deferred[int] {
			d, res := future.New[int]()
			e := future.Then(d, check)
			defer res.Succeed(v)
			return e
		}},
		{"Then, on an executor", func(check func(int) (int, error), v int) *future.Deferred[int] {
			var x foreign
			d, res := future.NewOn[int](&x)
			e := future.Then(d, check)
			res.Succeed(v)
			x.run()
			return e
		}},
		{"Finally", func(check func(int) (int, error), v int) *future.Deferred[int] {
			return future.Succeed(v).Finally(func() error {
				_, err := check(v)
				return err
			})
		}},
		{"canceller", func(check func(int) (int, error), v int) *future.Deferred[int] {
			d, res := future.New[int]()
			res.OnCancel(func(error) { check(v) })
			d.Cancel(nil)
			return d
		}},
		{"Async", func(check func(int) (int, error), v int) *future.Deferred[int] {
			return future.Async(t.Context(), func(context.Context) (int, error) { return check(v) })
		}},
	} {
		tb := &fakeTB{TB: t}
		least, wentOn := -1, false
		rapid.Check(tb, func(t *rapid.T) {
			v := rapid.IntRange(0, 1_000_000).Draw(t, "v")
			c.run(func(v int) (int, error) {
				if v >= 1000 {
					least = v
					t.Fatal("too much")
				}
				return v, nil
			}, v)
			wentOn = wentOn || v >= 1000
		})
		if !tb.failed || least != 1000 || wentOn {
			t.Errorf("%s: failed: %v, the least counterexample is %d, the property went on: %v", c.name, tb.failed, least, wentOn)
		}
	}

	d, res := future.New[int]()
	e := future.Then(d, inc)
	rapid.Check(&fakeTB{TB: t}, func(t *rapid.T) {
		d, res = future.New[int]()
		e = future.Then(d, func(int) (int, error) { t.Fatal("stop"); return 0, nil })
		res.Succeed(1)
	})
	wantError(t, e, "stop", failure.ErrPanic)
}

// A fakeTB notes a failure instead of failing the test.
type fakeTB struct {
	rapid.TB
	failed bool
}

func (f *fakeTB) Name() string          { return "fake" }
func (f *fakeTB) Logf(string, ...any)   {}
func (f *fakeTB) Log(...any)            {}
func (f *fakeTB) Errorf(string, ...any) { f.failed = true }
func (f *fakeTB) Error(...any)          { f.failed = true }
func (f *fakeTB) FailNow()              { f.failed = true }
func (f *fakeTB) Fail()                 { f.failed = true }
func (f *fakeTB) Failed() bool          { return f.failed }
