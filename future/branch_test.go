package future_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// Any number of callbacks, first in, first out, each once.
func TestBranches(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 1000} {
		for _, s := range sources {
			d, done := s.make(1, nil)
			var got, want []int
			for i := range n {
				want = append(want, i)
				future.Then(d, func(v int) (int, error) {
					got = append(got, i)
					return v, nil
				})
			}
			done()
			if !slices.Equal(got, want) {
				t.Fatalf("%d callbacks on one that is %s ran as %v", n, s.name, got)
			}
		}
	}
}

// Depth first: what hangs below a callback runs before the next callback.
func TestBranchesRunDepthFirst(t *testing.T) {
	t.Parallel()
	var j journal
	note := func(name string) func(int) (int, error) {
		return func(v int) (int, error) {
			j.add("%s", name)
			return v, nil
		}
	}
	d, res := future.New[int]()
	a := future.Then(d, note("a"))
	b := future.Then(d, note("b"))
	future.Then(b, note("b1"))
	aa := future.Then(a, note("a1"))
	future.Then(a, note("a2"))
	future.Then(aa, note("a11"))
	res.Succeed(1)
	j.want(t, "a", "a1", "a11", "a2", "b", "b1")
}

// On an executor the order is that of becoming runnable.
func TestBranchesRunInTurnOnAnExecutor(t *testing.T) {
	t.Parallel()
	var j journal
	note := func(name string) func(int) (int, error) {
		return func(v int) (int, error) {
			j.add("%s", name)
			return v, nil
		}
	}
	x := new(foreign)
	d, res := future.NewOn[int](x)
	a := future.Then(d, note("a"))
	b := future.Then(d, note("b"))
	future.Then(b, note("b1"))
	aa := future.Then(a, note("a1"))
	future.Then(a, note("a2"))
	future.Then(aa, note("a11"))
	res.Succeed(1)
	j.want(t)
	if steps := x.run(); steps != 6 {
		t.Errorf("%d steps for six callbacks", steps)
	}
	j.want(t, "a", "b", "a1", "a2", "b1", "a11")
}

// Passing an outcome on is no step of an executor.
func TestPassingIsNoStep(t *testing.T) {
	t.Parallel()
	x := new(foreign)
	d, res := future.NewOn[int](x)
	e := d.Catch(func(error) (int, error) { return 0, nil }).Shield().WithContext(t.Context())
	f := future.Race(future.Flatten(future.Succeed(e)), e)
	g := future.All(f, e)
	res.Succeed(1)
	if v, err := g.Result(); err != nil || !slices.Equal(v, []int{1, 1}) {
		t.Errorf("got %v, %v before any step", v, err)
	}
	if steps := x.run(); steps != 0 {
		t.Errorf("passing a success took %d steps", steps)
	}
	d, res = future.NewOn[int](x)
	e = future.Then(future.Then(d, inc), inc)
	res.Fail(errA)
	wantOutcome(t, e, 0, errA)
	if steps := x.run(); steps != 0 {
		t.Errorf("passing a failure took %d steps", steps)
	}
}

func TestEachBranchSeesTheSame(t *testing.T) {
	t.Parallel()
	for _, s := range sources {
		d, done := s.make(0, errA)
		handled := d.Catch(func(error) (int, error) { return 1, nil })
		failed := d.Catch(func(error) (int, error) { return 1, errB })
		passed := future.Then(d, inc)
		done()
		wantOutcome(t, d, 0, errA)
		wantOutcome(t, handled, 1, nil)
		wantOutcome(t, failed, 0, errB)
		wantOutcome(t, passed, 0, errA)
	}
}

// What user code does inside a callback happens at once, as in any call.
func TestReentrancy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		inside func(j *journal, d *future.Deferred[int], res future.Resolver[int])
		want   []string
		reason string
	}{
		{"attach", func(j *journal, d *future.Deferred[int], _ future.Resolver[int]) {
			future.Then(d, func(int) (int, error) { j.add("late"); return 0, nil })
		}, []string{"one", "end", "two", "late"}, "the others of a Deferred came first"},
		{"attach two", func(j *journal, d *future.Deferred[int], _ future.Resolver[int]) {
			future.Then(d, func(int) (int, error) {
				j.add("late")
				future.Then(d, func(int) (int, error) { j.add("later"); return 0, nil })
				return 0, nil
			})
		}, []string{"one", "end", "two", "late", "later"}, "also in one attached late"},
		{"attach to another that has settled", func(j *journal, _ *future.Deferred[int], _ future.Resolver[int]) {
			future.Then(future.Succeed(1), func(int) (int, error) { j.add("nested"); return 0, nil })
		}, []string{"one", "nested", "end", "two"}, "a call within the call"},
		{"settle another", func(j *journal, _ *future.Deferred[int], _ future.Resolver[int]) {
			e, res := future.New[int]()
			f := future.Then(e, func(int) (int, error) { j.add("nested"); return 0, nil })
			future.Then(f, func(int) (int, error) { j.add("below"); return 0, nil })
			res.Succeed(1)
		}, []string{"one", "nested", "below", "end", "two"}, "a settle nests, as any call does"},
		{"settle again", func(j *journal, _ *future.Deferred[int], res future.Resolver[int]) {
			j.add("%v", res.Succeed(3))
			j.add("%v", res.Fail(errA))
		}, []string{"one", "false", "false", "end", "two"}, "it has settled"},
		{"cancel it", func(j *journal, d *future.Deferred[int], _ future.Resolver[int]) {
			j.add("%v", d.Cancel(nil))
		}, []string{"one", "false", "end", "two"}, "it has settled"},
		{"look at it", func(j *journal, d *future.Deferred[int], _ future.Resolver[int]) {
			v, err := d.Result()
			j.add("%v,%v", v, err)
			v, err = d.Await(t.Context())
			j.add("%v,%v", v, err)
			<-d.Done()
		}, []string{"one", "1,<nil>", "1,<nil>", "end", "two"}, "it has settled"},
		{"gather it", func(j *journal, d *future.Deferred[int], _ future.Resolver[int]) {
			future.Then(future.All(d, d), func([]int) (int, error) { j.add("gathered"); return 0, nil })
		}, []string{"one", "end", "two", "gathered"}, "a gather is one of its callbacks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			d, res := future.New[int]()
			future.Then(d, func(int) (int, error) {
				j.add("one")
				c.inside(&j, d, res)
				j.add("end")
				return 0, nil
			})
			future.Then(d, func(int) (int, error) { j.add("two"); return 0, nil })
			res.Succeed(1)
			if t.Failed() {
				t.Log(c.reason)
			}
			j.want(t, c.want...)
		})
	}
}

// A callback deals with its own Deferred, whose outcome it is about to give.
func TestOwnDeferredInsideCallback(t *testing.T) {
	t.Parallel()
	type deferred = *future.Deferred[int]
	for _, c := range []struct {
		name   string
		inside func(j *journal, own deferred) deferred
		want   string
		reason string
	}{
		{"attach", func(j *journal, own deferred) deferred {
			future.Then(own, func(v int) (int, error) { j.add("late%d", v); return 0, nil })
			return future.Succeed(5)
		}, "before5 late5", "it comes after those that were there"},
		{"attach, pending", func(j *journal, own deferred) deferred {
			future.Then(own, func(v int) (int, error) { j.add("late%d", v); return 0, nil })
			d, res := future.New[int]()
			future.Then(d, func(int) (int, error) { j.add("inner"); return 0, nil })
			defer res.Succeed(6)
			return d
		}, "inner before6 late6", "the inner one settles before it is returned"},
		{"look", func(j *journal, own deferred) deferred {
			_, err := own.Result()
			j.add("%v", err == future.ErrPending)
			return future.Succeed(5)
		}, "true before5", "it has no outcome yet"},
		{"cancel", func(j *journal, own deferred) deferred {
			j.add("%v", own.Cancel(nil))
			return future.Succeed(5)
		}, "true before5", "nothing is left to cancel: the outcome stands"},
		{"cancel, pending", func(j *journal, own deferred) deferred {
			j.add("%v", own.Cancel(errA))
			d, res := future.New[int]()
			res.OnCancel(func(cause error) {
				j.add("asked:%v", cause == errA)
				res.Succeed(7)
			})
			return d
		}, "true asked:true before7", "the cancel is remembered and goes to what is returned"},
		{"cancel twice, pending", func(j *journal, own deferred) deferred {
			own.Cancel(errA)
			own.Cancel(errB)
			d, res := future.New[int]()
			res.OnCancel(func(cause error) {
				j.add("asked:%v", cause == errA)
				res.Succeed(7)
			})
			return d
		}, "asked:true before7", "the first counts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			var own deferred
			d, res := future.New[int]()
			own = future.ThenFlat(d, func(int) deferred { return c.inside(&j, own) })
			future.Handle(own, func(v int, err error) (int, error) {
				j.add("before%d", v)
				return 0, err
			})
			res.Succeed(1)
			if got := j.String(); got != c.want {
				t.Errorf("happened: %s\n    want: %s\n    for %s", got, c.want, c.reason)
			}
		})
	}
}

// Callbacks attached while the ring is being run, by the callbacks themselves,
// as a queue that feeds itself.
func TestSelfFeedingCallbacks(t *testing.T) {
	t.Parallel()
	const n = 10_000
	d, res := future.New[int]()
	runs := 0
	var again func(int) (int, error)
	again = func(int) (int, error) {
		if runs++; runs < n {
			future.Then(d, again)
		}
		return 0, nil
	}
	future.Then(d, again)
	last := false
	future.Then(d, func(int) (int, error) { last = runs == 1; return 0, nil })
	res.Succeed(1)
	if runs != n || !last {
		t.Errorf("%d runs, the one that was there first came second: %v", runs, last)
	}
}

// A settle in a callback runs all that hangs below before it returns, also when
// that comes back to the Deferred whose callbacks are running.
func TestSettlesNest(t *testing.T) {
	t.Parallel()
	var j journal
	var ds [4]*future.Deferred[int]
	var rs [4]future.Resolver[int]
	for i := range ds {
		ds[i], rs[i] = future.New[int]()
	}
	for i := range ds {
		for k := range 2 {
			future.Then(ds[i], func(int) (int, error) {
				j.add("%d%c", i, 'a'+k)
				if i+1 < len(rs) {
					rs[i+1].Succeed(1)
				}
				for _, r := range rs {
					if r.Succeed(2) && i+1 == len(rs) {
						panic(fmt.Sprint("settled twice in ", i))
					}
				}
				return 0, nil
			})
		}
	}
	rs[0].Succeed(1)
	j.want(t, "0a", "1a", "2a", "3a", "3b", "2b", "1b", "0b")
}
