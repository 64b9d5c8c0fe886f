package future_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// A source is a state in which a Deferred may be when something is attached.
type source struct {
	name string

	// make returns a Deferred, and a function after whose call it has settled
	// and what it made runnable has run.
	make func(v int, err error) (d *future.Deferred[int], done func())
}

var sources = []source{
	{"settled", func(v int, err error) (*future.Deferred[int], func()) {
		return future.Settle(v, err), func() {}
	}},
	{"pending", func(v int, err error) (*future.Deferred[int], func()) {
		d, res := future.New[int]()
		return d, func() { res.Settle(v, err) }
	}},
	{"settled on an executor", func(v int, err error) (*future.Deferred[int], func()) {
		x := new(foreign)
		d, res := future.NewOn[int](x)
		res.Settle(v, err)
		return d, func() { x.run() }
	}},
	{"pending on an executor", func(v int, err error) (*future.Deferred[int], func()) {
		x := new(foreign)
		d, res := future.NewOn[int](x)
		return d, func() { res.Settle(v, err); x.run() }
	}},
	{"derived", func(v int, err error) (*future.Deferred[int], func()) {
		d, res := future.New[int]()
		return future.Handle(d, func(int, error) (int, error) { return v, err }), func() { res.Succeed(-1) }
	}},
	{"following", func(v int, err error) (*future.Deferred[int], func()) {
		in, inRes := future.New[int]()
		d, res := future.New[int]()
		res.Follow(in)
		return d, func() { inRes.Settle(v, err) }
	}},
}

// later is what the callback of a link returns, pending until the test settles it.
type later struct {
	d   *future.Deferred[int]
	res future.Resolver[int]
}

func newLater() *later {
	l := new(later)
	l.d, l.res = future.New[int]()
	return l
}

func TestLinks(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	isPanic := []error{failure.ErrPanic}
	for _, c := range []struct {
		name   string
		v      int
		err    error
		link   func(d deferred, l *later) deferred
		want   int
		is     error   // the error itself
		match  []error // or what it matches
		text   string
		reason string
	}{
		{name: "Then of a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { return v + 1, nil })
			}, want: 2, reason: "f maps the value"},
		{name: "Then that fails", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { return 5, errA })
			}, is: errA, reason: "the error comes out as it is, the value beside it is dropped"},
		{name: "Then of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { panic("called") })
			}, is: errA, reason: "f is not called"},
		{name: "Then that panics", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { panic("boom") })
			}, match: isPanic, text: "boom", reason: "a panic is a failure"},
		{name: "Then that panics with an error", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { panic(errB) })
			}, match: []error{failure.ErrPanic, errB}, reason: "the panic's value is matched too"},
		{name: "Then that panics with nil", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Then(d, func(v int) (int, error) { panic(nil) })
			}, match: isPanic, text: "nil", reason: "also panic(nil) is one"},

		{name: "ThenFlat to a settled one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { return future.Succeed(v + 1) })
			}, want: 2, reason: "the result is that of the inner one"},
		{name: "ThenFlat to a failed one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { return future.Fail[int](errB) })
			}, is: errB, reason: "the inner failure comes out as it is"},
		{name: "ThenFlat to a pending one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { return l.d })
			}, want: 100, reason: "it waits for the inner one"},
		{name: "ThenFlat to one derived from a pending one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { return future.Then(l.d, inc) })
			}, want: 101, reason: "it waits for the inner one"},
		{name: "ThenFlat of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { panic("called") })
			}, is: errA, reason: "f is not called"},
		{name: "ThenFlat that panics", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { panic("boom") })
			}, match: isPanic, text: "boom", reason: "a panic is a failure"},
		{name: "ThenFlat to nil", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.ThenFlat(d, func(v int) deferred { return nil })
			}, text: "nil *Deferred: return one to wait for, such as Succeed(v)", reason: "it is the link's failure, with the remedy"},

		{name: "Handle of a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Handle(d, func(v int, err error) (int, error) { return v + 1, err })
			}, want: 2, reason: "a value comes with a nil error"},
		{name: "Handle of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.Handle(d, func(v int, err error) (int, error) {
					if v != 0 || err != errA {
						return 0, errB
					}
					return 6, nil
				})
			}, want: 6, reason: "a failure comes with the zero value, and f may end it"},
		{name: "Handle that lets the failure go on", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.Handle(d, func(v int, err error) (int, error) { return v, err })
			}, is: errA, reason: "f decides"},
		{name: "Handle that panics", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.Handle(d, func(v int, err error) (int, error) { panic("boom") })
			}, match: isPanic, text: "boom", reason: "f had taken the failure"},

		{name: "Catch of a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return d.Catch(func(error) (int, error) { panic("called") })
			}, want: 1, reason: "f is not called"},
		{name: "Catch of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Catch(func(err error) (int, error) {
					if err != errA {
						return 0, errB
					}
					return 6, nil
				})
			}, want: 6, reason: "f is given the error itself"},
		{name: "Catch that lets the failure go on", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Catch(func(err error) (int, error) { return 6, err })
			}, is: errA, reason: "the same error goes on"},
		{name: "Catch that fails otherwise", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Catch(func(err error) (int, error) { return 6, errB })
			}, is: errB, reason: "f's error takes its place"},
		{name: "Catch that panics", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Catch(func(err error) (int, error) { panic("boom") })
			}, match: isPanic, text: "boom", reason: "f had taken the failure"},

		{name: "CatchFlat of a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { panic("called") })
			}, want: 1, reason: "f is not called"},
		{name: "CatchFlat to a settled one", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { return future.Succeed(8) })
			}, want: 8, reason: "the result is that of the inner one"},
		{name: "CatchFlat to a pending one", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { return l.d })
			}, want: 100, reason: "it waits for the inner one"},
		{name: "CatchFlat to a failed one", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { return future.Fail[int](errB) })
			}, is: errB, reason: "the inner failure comes out as it is"},
		{name: "CatchFlat that panics", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { panic("boom") })
			}, match: isPanic, text: "boom", reason: "f had taken the failure"},
		{name: "CatchFlat to nil", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.CatchFlat(func(error) deferred { return nil })
			}, text: "nil *Deferred: return one to wait for", reason: "it is the link's failure, with the remedy"},

		{name: "Finally of a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { return nil })
			}, want: 1, reason: "the value passes"},
		{name: "Finally of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { return nil })
			}, is: errA, reason: "the failure passes as it is"},
		{name: "Finally that fails after a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { return errB })
			}, is: errB, reason: "its error is the only one"},
		{name: "Finally that fails after a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { return errB })
			}, match: []error{errA, errB}, text: "a\nb", reason: "its error is joined behind the first"},
		{name: "Finally that panics after a value", v: 1,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { panic(errB) })
			}, match: []error{failure.ErrPanic, errB}, reason: "a panic is a failure"},
		{name: "Finally that panics after a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return d.Finally(func() error { panic(errB) })
			}, match: []error{errA, failure.ErrPanic, errB}, text: "a\npanic: b", reason: "a panic hides the first no more than an error does"},

		{name: "Shield of a value", v: 1,
			link: func(d deferred, l *later) deferred { return d.Shield() }, want: 1, reason: "it passes"},
		{name: "Shield of a failure", err: errA,
			link: func(d deferred, l *later) deferred { return d.Shield() }, is: errA, reason: "it passes as it is"},
		{name: "WithContext of a value", v: 1,
			link: func(d deferred, l *later) deferred { return d.WithContext(context.Background()) }, want: 1, reason: "it passes"},
		{name: "WithContext of a failure", err: errA,
			link: func(d deferred, l *later) deferred { return d.WithContext(context.Background()) }, is: errA, reason: "it passes as it is"},

		{name: "Flatten of a failure", err: errA,
			link: func(d deferred, l *later) deferred {
				return future.Flatten(future.Then(d, func(int) (deferred, error) { return l.d, nil }))
			}, is: errA, reason: "there is no inner one"},
		{name: "Flatten to a pending one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Flatten(future.Then(d, func(int) (deferred, error) { return l.d, nil }))
			}, want: 100, reason: "it waits for the inner one"},
		{name: "Flatten to a settled one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Flatten(future.Then(d, func(v int) (deferred, error) { return future.Succeed(v), nil }))
			}, want: 1, reason: "the result is that of the inner one"},
		{name: "Flatten to a failed one", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Flatten(future.Then(d, func(int) (deferred, error) { return future.Fail[int](errB), nil }))
			}, is: errB, reason: "the inner failure comes out as it is"},
		{name: "Flatten to nil", v: 1,
			link: func(d deferred, l *later) deferred {
				return future.Flatten(future.Then(d, func(int) (deferred, error) { return nil, nil }))
			}, text: "nil *Deferred", reason: "there is nothing to wait for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range sources {
				t.Run(s.name, func(t *testing.T) {
					d, done := s.make(c.v, c.err)
					l := newLater()
					e := c.link(d, l)
					var seen []error
					var got int
					after := future.Handle(e, func(v int, err error) (int, error) {
						got, seen = v, append(seen, err)
						return v, err
					})
					done()
					if _, err := e.Result(); err == future.ErrPending {
						l.res.Succeed(100)
						done()
					}
					if c.text == "" && c.match == nil {
						wantOutcome(t, e, c.want, c.is)
					} else {
						wantError(t, e, c.text, c.match...)
					}
					_, err := e.Result()
					if len(seen) != 1 || seen[0] != err || got != c.want {
						t.Errorf("%s: a callback saw %v and %v, Result has %v", c.reason, got, seen, err)
					}
					if _, err2 := after.Result(); err2 != err {
						t.Errorf("%s: the error %v became %v one link on", c.reason, err, err2)
					}
				})
			}
		})
	}
}

// runtime.Goexit ends the goroutine, and nothing else: the Deferred fails, the
// other callbacks run, what waits goes on.
func TestGoexitInCallback(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	exit := func() { runtime.Goexit() }
	for _, c := range []struct {
		name string
		err  error
		link func(deferred) deferred
		also []error
	}{
		{"Then", nil, func(d deferred) deferred {
			return future.Then(d, func(int) (int, error) { exit(); return 1, nil })
		}, nil},
		{"ThenFlat", nil, func(d deferred) deferred {
			return future.ThenFlat(d, func(int) deferred { exit(); return nil })
		}, nil},
		{"Handle", nil, func(d deferred) deferred {
			return future.Handle(d, func(int, error) (int, error) { exit(); return 1, nil })
		}, nil},
		{"Catch", errA, func(d deferred) deferred {
			return d.Catch(func(error) (int, error) { exit(); return 1, nil })
		}, nil},
		{"CatchFlat", errA, func(d deferred) deferred {
			return d.CatchFlat(func(error) deferred { exit(); return nil })
		}, nil},
		{"Finally", errA, func(d deferred) deferred {
			return d.Finally(func() error { exit(); return nil })
		}, []error{errA}},
		{"Join2", nil, func(d deferred) deferred {
			return future.Join2(d, d, func(int, int) (int, error) { exit(); return 1, nil })
		}, nil},
		{"MapN", nil, func(d deferred) deferred {
			return future.Then(future.MapN(1, []deferred{d, d}, func(d deferred) deferred {
				if _, err := d.Result(); err == nil {
					exit()
				}
				return d
			}), func([]int) (int, error) { return 1, nil })
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			note := func(name string) func(int, error) (int, error) {
				return func(int, error) (int, error) {
					j.add("%s", name)
					return 0, nil
				}
			}
			d, res := future.New[int]()
			future.Handle(d, note("before"))
			e := c.link(d)
			future.Handle(e, note("derived"))
			future.Handle(d, note("after"))
			other, otherRes := future.New[int]()
			future.Handle(other, note("other"))
			returned := false
			onGoroutine(func() {
				defer otherRes.Succeed(1)
				res.Settle(1, c.err)
				returned = true
			})
			if returned {
				t.Error("the goroutine went on after Goexit")
			}
			j.want(t, "before", "derived", "after", "other")
			wantError(t, e, "Goexit", append(c.also, failure.ErrGoexit)...)
		})
	}
}

// Two callbacks of one Deferred both end the goroutine.
func TestGoexitTwice(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	exit := func(int) (int, error) { runtime.Goexit(); return 0, nil }
	a, b := future.Then(d, exit), future.Then(d, exit)
	last := future.Then(d, inc)
	onGoroutine(func() { res.Succeed(1) })
	wantError(t, a, "", failure.ErrGoexit)
	wantError(t, b, "", failure.ErrGoexit)
	wantOutcome(t, last, 2, nil)
}

// Panics skip no other callback and do not reach who settles.
func TestPanicsInSiblings(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	var ds []*future.Deferred[int]
	for i := range 100 {
		ds = append(ds, future.Then(d, func(v int) (int, error) {
			if i%2 == 0 {
				panic(i)
			}
			return v + i, nil
		}))
	}
	if !res.Succeed(1000) {
		t.Error("Succeed was refused")
	}
	for i, e := range ds {
		if i%2 == 0 {
			wantError(t, e, "panic: ", failure.ErrPanic)
		} else {
			wantOutcome(t, e, 1000+i, nil)
		}
	}
}

// An error passes all links as itself, and is found by errors.Is and errors.As.
func TestErrorIdentity(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	origin := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	pass := []struct {
		name string
		link func(deferred) deferred
	}{
		{"Then", func(d deferred) deferred { return future.Then(d, inc) }},
		{"ThenFlat", func(d deferred) deferred {
			return future.ThenFlat(d, func(v int) deferred { return future.Succeed(v) })
		}},
		{"Handle", func(d deferred) deferred {
			return future.Handle(d, func(v int, err error) (int, error) { return v, err })
		}},
		{"Catch", func(d deferred) deferred { return d.Catch(func(err error) (int, error) { return 0, err }) }},
		{"CatchFlat", func(d deferred) deferred {
			return d.CatchFlat(func(err error) deferred { return future.Fail[int](err) })
		}},
		{"Finally", func(d deferred) deferred { return d.Finally(func() error { return nil }) }},
		{"Shield", func(d deferred) deferred { return d.Shield() }},
		{"On", func(d deferred) deferred { return d.On(new(foreign)) }},
		{"WithContext", func(d deferred) deferred { return d.WithContext(t.Context()) }},
		{"Follow", func(d deferred) deferred {
			e, res := future.New[int]()
			res.Follow(d)
			return e
		}},
		{"Flatten", func(d deferred) deferred { return future.Flatten(future.Succeed(d)) }},
		{"All", func(d deferred) deferred {
			return future.Then(future.All(future.Succeed(1), d), func([]int) (int, error) { return 0, nil })
		}},
		{"Race", func(d deferred) deferred { return future.Race(d) }},
		{"AllSettled", func(d deferred) deferred {
			return future.Then(future.AllSettled(d), func(o []future.Outcome[int]) (int, error) { return o[0].Value, o[0].Err })
		}},
		{"Join2", func(d deferred) deferred {
			return future.Join2(future.Succeed(1), d, func(int, int) (int, error) { return 0, nil })
		}},
		{"Join3", func(d deferred) deferred {
			return future.Join3(d, d, d, func(int, int, int) (int, error) { return 0, nil })
		}},
		{"MapN", func(d deferred) deferred {
			return future.Then(future.MapN(2, []int{1}, func(int) deferred { return d }), func([]int) (int, error) { return 0, nil })
		}},
		{"Async", func(d deferred) deferred { return future.Async(t.Context(), d.Await) }},
		{"Go", func(d deferred) deferred {
			g := future.Go(t.Context(), d.Await)
			<-g.Done()
			return g
		}},
	}
	for _, settled := range []bool{true, false} {
		d, res := future.New[int]()
		if settled {
			res.Fail(origin)
		}
		all := d
		var each []deferred
		for _, p := range pass {
			if p.name == "Go" {
				continue
			}
			each = append(each, p.link(d))
			if p.name != "On" {
				all = p.link(all)
			}
		}
		res.Fail(origin)
		each = append(each, all)
		if settled {
			each = append(each, pass[len(pass)-1].link(d))
		}
		for i, e := range each {
			_, err := e.Result()
			if err != error(origin) {
				t.Errorf("link %d made another error of it: %v", i, err)
			}
			if target, ok := errors.AsType[*fs.PathError](err); !errors.Is(err, fs.ErrNotExist) || !ok || target != origin {
				t.Errorf("link %d: errors.Is or errors.As do not find it", i)
			}
		}
		if _, err := d.Await(t.Context()); err != error(origin) {
			t.Errorf("Await made another error of it: %v", err)
		}
	}
}

// Wherever errors are joined, each is found.
func TestJoinedErrors(t *testing.T) {
	t.Parallel()
	path := &fs.PathError{Op: "close", Path: "y", Err: fs.ErrClosed}
	d := future.Fail[int](errA).Finally(func() error { return path }).Finally(func() error { return errB })
	e := future.Any(d, future.Fail[int](errC))
	for _, x := range []*future.Deferred[int]{d, e} {
		wantError(t, x, "", errA, errB, fs.ErrClosed)
		_, err := x.Result()
		if target, ok := errors.AsType[*fs.PathError](err); !ok || target != path {
			t.Error("errors.As does not find the error of Finally")
		}
	}
	wantError(t, e, "", errC)
}

func TestFinallyRunsOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(future.Resolver[int], *future.Deferred[int])
	}{
		{"success", func(r future.Resolver[int], _ *future.Deferred[int]) { r.Succeed(1) }},
		{"failure", func(r future.Resolver[int], _ *future.Deferred[int]) { r.Fail(errA) }},
		{"cancel", func(_ future.Resolver[int], d *future.Deferred[int]) { d.Cancel(nil) }},
		{"cancel of the result", func(_ future.Resolver[int], d *future.Deferred[int]) { d.Cancel(errA); d.Cancel(errB) }},
	} {
		d, res := future.New[int]()
		runs := 0
		e := d.Finally(func() error { runs++; return nil })
		c.end(res, e)
		res.Succeed(2)
		if runs != 1 {
			t.Errorf("%s: f ran %d times", c.name, runs)
		}
	}
}
