package task_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/testing/futuretest"
)

var errWork = errors.New("work")

// work is the units of a task.
type work = iter.Seq[*future.Deferred[int]]

// A diary is what tasks on one loop have done.
type diary struct{ entries []string }

func (d *diary) add(format string, args ...any) {
	d.entries = append(d.entries, fmt.Sprintf(format, args...))
}

// want fails t unless the diary has just these entries, and forgets them.
func (d *diary) want(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(d.entries, " "); got != want {
		t.Errorf("happened: %q\n    want: %q", got, want)
	}
	d.entries = nil
}

// counts notes name and a number n times, a unit each, and its end.
func (d *diary) counts(name string, n int) work {
	return func(yield func(*future.Deferred[int]) bool) {
		defer d.add("%s.", name)
		for i := range n {
			d.add("%s%d", name, i)
			if !yield(nil) {
				return
			}
		}
	}
}

// outcomes notes how the task ends.
func (d *diary) outcomes(name string, t *task.Task) {
	future.Handle(t.WhenDone(), func(_ struct{}, err error) (int, error) {
		switch {
		case err == nil:
			d.add("%s:done", name)
		case errors.Is(err, task.ErrStopped):
			d.add("%s:stopped", name)
		default:
			d.add("%s:%v", name, err)
		}
		return 0, nil
	})
}

// yields is a task of just these units.
func yields(units ...*future.Deferred[int]) work {
	return slices.Values(units)
}

// panicking is a task that panics in its first unit.
func panicking(v any) work {
	return func(func(*future.Deferred[int]) bool) { panic(v) }
}

// wantStopped fails t unless the task was stopped.
func wantStopped(t *testing.T, of *task.Task) {
	t.Helper()
	err := futuretest.Failure(t, of.WhenDone())
	for _, target := range []error{task.ErrStopped, future.ErrCanceled, context.Canceled} {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not match %v", err, target)
		}
	}
}

func TestCooperator(t *testing.T) {
	t.Run("stopped_rejects_new_tasks", func(t *testing.T) {
		r, _ := futuretest.New(t)
		c := task.NewCooperator(r)
		c.Stop()
		d := &diary{}
		late := task.Cooperate(c, d.counts("a", 1))
		if _, err := late.WhenDone().Result(); !errors.Is(err, task.ErrStopped) {
			t.Errorf("got %v at once, want ErrStopped", err)
		}
		wantStopped(t, late)
		if late.Stop() {
			t.Error("Stop of a task that never was reports true")
		}
		d.want(t, "")
	})
	t.Run("stop_running", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r, task.Units(2))
		d := &diary{}
		a := task.Cooperate(c, d.counts("a", 100))
		clk.Step()
		c.Stop()
		wantStopped(t, a)
		d.want(t, "a0 a1 a.")
	})
	t.Run("stop_outstanding", func(t *testing.T) {
		r, _ := futuretest.New(t)
		c := task.NewCooperator(r)
		never, res := future.NewOn[int](r)
		waits, paused := task.Cooperate(c, yields(never)), task.Cooperate(c, yields(nil))
		paused.Pause()
		futuretest.Pending(t, waits.WhenDone())
		c.Stop()
		wantStopped(t, waits) // and not only when it is resumed
		wantStopped(t, paused)
		if res.Succeed(1) || !errors.Is(futuretest.Failure(t, never), task.ErrStopped) {
			t.Error("what the task waited for was not canceled, with the cause")
		}
	})
	t.Run("stop_tells_all", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r)
		d := &diary{}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			d.outcomes(name, task.Cooperate(c, d.counts(name, 2000)))
		}
		c.Stop()
		c.Stop()
		clk.Advance(0)
		d.want(t, "a:stopped b:stopped c:stopped d:stopped e:stopped")
	})
	t.Run("unexpected_error", func(t *testing.T) {
		r, _ := futuretest.New(t)
		c := task.NewCooperator(r)
		a := task.Cooperate(c, panicking(errWork))
		err := futuretest.Failure(t, a.WhenDone())
		var f *failure.Failure
		if !errors.As(err, &f) || !errors.Is(err, failure.ErrPanic) || !errors.Is(err, errWork) {
			t.Fatalf("got %v, want a Failure of the panic", err)
		}
		if where := f.Frames()[0].Function; !strings.Contains(where, "panicking") {
			t.Errorf("the failure leads to %s", where)
		}
	})
	t.Run("unexpected_error_actually_later", func(t *testing.T) {
		r, _ := futuretest.New(t)
		d := &diary{}
		in, res := future.NewOn[int](r)
		a := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
			defer d.add("cleaned up")
			yield(in)
		})
		done := a.WhenDone()
		futuretest.Pending(t, done)
		d.want(t, "")
		res.Fail(errWork)
		if err := futuretest.Failure(t, done); err != errWork {
			t.Errorf("failed with %v, want the error itself", err)
		}
		d.want(t, "cleaned up")
	})
	t.Run("unexpected_error_not_actually_later", func(t *testing.T) {
		r, _ := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
			defer d.add("cleaned up")
			for yield(future.Fail[int](errWork)) {
			}
		})
		if err := futuretest.Failure(t, a.WhenDone()); err != errWork {
			t.Errorf("failed with %v, want the error itself", err)
		}
		d.want(t, "cleaned up")
	})
	t.Run("waits_for_itself", func(t *testing.T) {
		r, _ := futuretest.New(t)
		var a *task.Task
		a = task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
			yield(future.Then(a.WhenDone(), func(struct{}) (int, error) { return 0, nil }))
		})
		if err := futuretest.Failure(t, a.WhenDone()); !strings.Contains(err.Error(), "waits for itself") {
			t.Errorf("failed with %v", err)
		}
	})
	t.Run("cooperation", func(t *testing.T) {
		for _, most := range []int{1, 3, 1000} { // the position is kept from slice to slice
			r, clk := futuretest.New(t)
			c := task.NewCooperator(r, task.Units(most))
			d := &diary{}
			for _, name := range []string{"a", "b", "c", "d"} {
				task.Cooperate(c, d.counts(name, 3))
			}
			clk.Advance(time.Second)
			d.want(t, "a0 b0 c0 d0 a1 b1 c1 d1 a2 b2 c2 d2 a. b. c. d.")
		}
	})
	t.Run("no_task_loses_its_turn", func(t *testing.T) {
		for _, most := range []int{1, 2, 1000} {
			r, clk := futuretest.New(t)
			c := task.NewCooperator(r, task.Units(most))
			d := &diary{}
			task.Cooperate(c, d.counts("a", 1))
			for _, name := range []string{"b", "c", "d"} {
				task.Cooperate(c, d.counts(name, 3))
			}
			clk.Advance(time.Second)
			d.want(t, "a0 b0 c0 d0 a. b1 c1 d1 b2 c2 d2 b. c. d.")
		}
	})
	t.Run("resource_exhaustion", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r, task.Units(3))
		d := &diary{}
		a := task.Cooperate(c, d.counts("a", 8))
		for _, want := range []string{"a0 a1 a2", "a3 a4 a5", "a6 a7 a.", ""} {
			if got := clk.Step(); got != (want != "") {
				t.Errorf("a slice: %v, want those of %q", got, want)
			}
			d.want(t, want)
		}
		futuretest.Success(t, a.WhenDone())
	})
	t.Run("callback_re_coiterate", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r)
		d := &diary{}
		a := task.Cooperate(c, d.counts("a", 1))
		future.Then(a.WhenDone(), func(struct{}) (int, error) {
			for _, name := range []string{"b", "c"} {
				task.Cooperate(c, d.counts(name, 1))
			}
			if n := clk.Pending(); n != 1 {
				t.Errorf("%d steps are queued, want one slice", n)
			}
			return 0, nil
		})
		clk.Advance(0)
		d.want(t, "a0 a. b0 c0 b. c.")
	})
	t.Run("removing_last_task_stops_scheduled_call", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r, task.Units(1))
		if clk.Pending() != 0 {
			t.Error("something is queued without tasks")
		}
		d := &diary{}
		a := task.Cooperate(c, d.counts("a", 10))
		b := task.Cooperate(c, d.counts("b", 10))
		if n := clk.Pending(); n != 1 {
			t.Errorf("%d steps are queued with two tasks, want one slice", n)
		}
		resume := a.Pause()
		b.Stop()
		clk.Step()
		if n := clk.Pending(); n != 0 {
			t.Errorf("%d steps are queued when no task has anything to do", n)
		}
		resume()
		if n := clk.Pending(); n != 1 {
			t.Errorf("%d steps are queued with a task again, want one slice", n)
		}
		a.Stop()
		clk.Step()
		if n := clk.Pending(); n != 0 {
			t.Errorf("%d steps are queued without tasks", n)
		}
		d.want(t, "")
	})
	t.Run("running_when_not_started", func(t *testing.T) { // tasks wait for the reactor to run
		clk := clock.NewVirtual()
		r := reactor.New(clk)
		c := task.NewCooperator(r)
		d := &diary{}
		a := task.Cooperate(c, d.counts("a", 1))
		d.want(t, "")
		clk.Advance(0)
		futuretest.Success(t, a.WhenDone())
		d.want(t, "a0 a.")
	})
	t.Run("running_when_stopped", func(t *testing.T) { // with its reactor
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r, task.Units(1))
		d := &diary{}
		a, b := task.Cooperate(c, d.counts("a", 9)), task.Cooperate(c, d.counts("b", 9))
		early := a.WhenDone()
		clk.Step()
		r.Stop()
		d.want(t, "a0 a.") // b had not begun
		for _, done := range []*future.Deferred[struct{}]{early, a.WhenDone(), b.WhenDone(), task.Cooperate(c, d.counts("c", 1)).WhenDone()} {
			if _, err := done.Result(); !errors.Is(err, reactor.ErrStopped) {
				t.Errorf("got %v, want reactor.ErrStopped", err)
			}
		}
		if a.Stop() || b.Stop() {
			t.Error("Stop of a task that has ended reports true")
		}
		a.Pause()()
		d.want(t, "")
	})
}

func TestTask(t *testing.T) {
	t.Run("pause_resume", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r, task.Units(1)), d.counts("a", 2))
		clk.Step()
		d.want(t, "a0")
		resume := a.Pause()
		clk.Advance(0)
		d.want(t, "")
		resume()
		d.want(t, "") // resume does no work itself
		clk.Advance(time.Second)
		d.want(t, "a1 a.")
	})
	t.Run("resume_not_paused", func(t *testing.T) { // a second resume of one pause
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r), d.counts("a", 1))
		first, second := a.Pause(), a.Pause()
		first()
		first()
		clk.Advance(0)
		d.want(t, "")
		second()
		clk.Advance(0)
		second()
		d.want(t, "a0 a.")
	})
	t.Run("pause_twice", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r), d.counts("a", 1))
		for _, resume := range []func(){a.Pause(), a.Pause()} {
			clk.Advance(0)
			d.want(t, "")
			resume()
		}
		clk.Advance(0)
		d.want(t, "a0 a.")
	})
	t.Run("pause_while_deferred", func(t *testing.T) {
		for _, resumedFirst := range []bool{true, false} {
			r, clk := futuretest.New(t)
			d := &diary{}
			in, res := future.NewOn[int](r)
			task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
				yield(in)
				d.add("went on")
			})
			a := task.Cooperate(task.NewCooperator(r), yields(in))
			clk.Advance(0)
			resume := a.Pause()
			both := []func(){resume, func() { res.Succeed(1) }}
			if !resumedFirst {
				slices.Reverse(both)
			}
			both[0]()
			futuretest.Pending(t, a.WhenDone())
			both[1]()
			futuretest.Success(t, a.WhenDone())
			d.want(t, "went on")
		}
	})
	t.Run("pause_in_its_own_unit", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		var a *task.Task
		var resume func()
		a = task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
			resume = a.Pause()
			d.add("paused")
			yield(nil)
			d.add("went on")
		})
		clk.Advance(0)
		d.want(t, "paused")
		resume()
		clk.Advance(0)
		d.want(t, "went on")
	})
	t.Run("when_done", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r), d.counts("a", 1))
		first, second := a.WhenDone(), a.WhenDone()
		if first == second {
			t.Fatal("one Deferred for two")
		}
		first.Cancel(nil)
		clk.Advance(0)
		futuretest.Success(t, second)
		if err := futuretest.Failure(t, first); !errors.Is(err, future.ErrCanceled) {
			t.Errorf("the canceled one: %v", err)
		}
		d.want(t, "a0 a.")
	})
	t.Run("when_done_error", func(t *testing.T) {
		r, _ := futuretest.New(t)
		a := task.Cooperate(task.NewCooperator(r), panicking(errWork))
		for range 2 {
			if err := futuretest.Failure(t, a.WhenDone()); !errors.Is(err, errWork) {
				t.Errorf("failed with %v", err)
			}
		}
	})
	t.Run("when_done_stop", func(t *testing.T) {
		r, _ := futuretest.New(t)
		a := task.Cooperate(task.NewCooperator(r), yields(nil))
		if !a.Stop() || a.Stop() {
			t.Error("only the first Stop ends the task")
		}
		wantStopped(t, a)
	})
	t.Run("when_done_already_done", func(t *testing.T) {
		r, clk := futuretest.New(t)
		a := task.Cooperate(task.NewCooperator(r), yields())
		clk.Advance(0)
		if _, err := a.WhenDone().Result(); err != nil {
			t.Errorf("got %v at once", err)
		}
	})
	t.Run("stop_stops", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r, task.Units(2)), d.counts("a", 9))
		d.outcomes("a", a)
		clk.Step()
		a.Stop()
		d.want(t, "a0 a1")
		clk.Advance(0)
		d.want(t, "a. a:stopped") // the clean-up comes first
		if a.Stop() {
			t.Error("a second Stop reports true")
		}
		a.Pause()()
		clk.Advance(0)
		d.want(t, "")
	})
	t.Run("stop_in_its_own_unit", func(t *testing.T) {
		r, _ := futuretest.New(t)
		in, _ := future.NewOn[int](r)
		for _, unit := range []*future.Deferred[int]{nil, in} {
			d := &diary{}
			var a *task.Task
			a = task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
				a.Stop()
				d.add("the unit goes on")
				d.add("%v", yield(unit))
			})
			wantStopped(t, a)
			d.want(t, "the unit goes on false")
		}
		if !errors.Is(futuretest.Failure(t, in), task.ErrStopped) {
			t.Error("what was yielded to be waited for was not canceled")
		}
	})
	t.Run("stop_in_its_last_unit", func(t *testing.T) {
		r, _ := futuretest.New(t)
		var a *task.Task
		a = task.Cooperate(task.NewCooperator(r), func(func(*future.Deferred[int]) bool) { a.Stop() })
		wantStopped(t, a)
	})
	t.Run("pause_stop_resume", func(t *testing.T) {
		r, clk := futuretest.New(t)
		d := &diary{}
		a := task.Cooperate(task.NewCooperator(r), d.counts("a", 9))
		resume := a.Pause()
		a.Stop()
		resume()
		wantStopped(t, a)
		clk.Advance(0)
		d.want(t, "")
	})
	t.Run("stop_deferred", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r)
		d := &diary{}
		in, res := future.New[int]()
		res.OnCancel(func(cause error) {
			d.add("canceled: %v", cause)
			res.Fail(errWork) // the task takes note of it
		})
		shared, sharedRes := future.NewOn[int](r)
		reader := future.Then(shared, func(v int) (int, error) { return v, nil })
		a, b := task.Cooperate(c, yields(in)), task.Cooperate(c, yields(shared))
		clk.Advance(0)
		a.Stop()
		b.Stop()
		d.want(t, "canceled: task: stopped")
		wantStopped(t, a)
		wantStopped(t, b)
		futuretest.Pending(t, reader) // somebody else reads it
		sharedRes.Succeed(1)
		futuretest.Success(t, reader)
	})
	t.Run("stop_exhausted", func(t *testing.T) {
		r, clk := futuretest.New(t)
		a := task.Cooperate(task.NewCooperator(r), yields())
		clk.Advance(0)
		if a.Stop() {
			t.Error("Stop of a task that is done reports true")
		}
		futuretest.Success(t, a.WhenDone())
	})
	t.Run("stop_errored", func(t *testing.T) {
		r, clk := futuretest.New(t)
		a := task.Cooperate(task.NewCooperator(r), yields(future.Fail[int](errWork)))
		clk.Advance(0)
		if a.Stop() {
			t.Error("Stop of a task that has failed reports true")
		}
		if err := futuretest.Failure(t, a.WhenDone()); err != errWork {
			t.Errorf("failed with %v", err)
		}
	})
	t.Run("stop_cooperator_reentrancy", func(t *testing.T) {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r, task.Units(1))
		d := &diary{}
		a, b := task.Cooperate(c, d.counts("a", 1)), task.Cooperate(c, d.counts("b", 9))
		future.Then(a.WhenDone(), func(struct{}) (int, error) {
			if a.Stop() {
				t.Error("the task was still there")
			}
			c.Stop()
			return 0, nil
		})
		d.outcomes("a", a)
		d.outcomes("b", b)
		clk.Advance(time.Second)
		d.want(t, "a0 b0 a. a:done b. b:stopped")
	})
}

func TestTask_clean_up_that_panics_is_joined_to_the_stop(t *testing.T) {
	r, clk := futuretest.New(t)
	a := task.Cooperate(task.NewCooperator(r, task.Units(1)), func(yield func(*future.Deferred[int]) bool) {
		for yield(nil) {
		}
		panic(errWork)
	})
	clk.Step()
	a.Stop()
	err := futuretest.Failure(t, a.WhenDone())
	for _, target := range []error{task.ErrStopped, failure.ErrPanic, errWork} {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not match %v", err, target)
		}
	}
}

// The failure of a task that nobody watches is not lost, a stop is no failure.
func TestTask_unhandled(t *testing.T) {
	r, _ := futuretest.New(t)
	c := task.NewCooperator(r)
	task.Cooperate(c, yields(future.Fail[int](errWork)))
	task.Cooperate(c, yields(nil)).Stop()
	task.Cooperate(c, yields(nil)).WhenDone()
	if got := futuretest.Unhandled(t, r); len(got) != 1 || !errors.Is(got[0], errWork) {
		t.Errorf("unhandled: %v, want the failure alone", got)
	}
	task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
		for yield(nil) {
		}
	}).WhenDone()
	c.Stop()
	if got := futuretest.Unhandled(t, r); len(got) != 0 {
		t.Errorf("unhandled: %v, want none", got)
	}
}

func TestTask_await_in_an_iterator_fails_it_with_the_remedy(t *testing.T) {
	r, _ := futuretest.New(t)
	in, res := future.NewOn[int](r)
	a := task.Cooperate(task.NewCooperator(r), func(func(*future.Deferred[int]) bool) {
		in.Await(context.Background())
	})
	if err := futuretest.Failure(t, a.WhenDone()); !errors.Is(err, failure.ErrPanic) || !strings.Contains(err.Error(), "in a task of a Cooperator, yield the Deferred") {
		t.Errorf("failed with %v", err)
	}
	res.Succeed(1)
}

// An iterator that ignores what yield returns would hold up its loop for good.
func TestTask_an_iterator_that_ignores_its_end_panics(t *testing.T) {
	r, _ := futuretest.New(t)
	ignores := func(first *future.Deferred[int]) work {
		return func(yield func(*future.Deferred[int]) bool) {
			for yield(first); ; {
				yield(nil)
			}
		}
	}
	never, _ := future.NewOn[int](r)
	stopped := task.Cooperate(task.NewCooperator(r), ignores(never))
	done := stopped.WhenDone()
	futuretest.Pending(t, done)
	stopped.Stop()
	failed := task.Cooperate(task.NewCooperator(r), ignores(future.Fail[int](errWork)))
	for done, why := range map[*future.Deferred[struct{}]]error{done: task.ErrStopped, failed.WhenDone(): errWork} {
		err := futuretest.Failure(t, done)
		if !errors.Is(err, why) || !errors.Is(err, failure.ErrPanic) || !strings.Contains(err.Error(), "return then") {
			t.Errorf("failed with %v", err)
		}
	}
	futuretest.Failure(t, never)
}

// A Stop of all by one of them keeps the order, whether its unit is its last.
func TestCooperator_stop_by_a_task_keeps_the_order(t *testing.T) {
	for _, last := range []bool{false, true} {
		r, clk := futuretest.New(t)
		c := task.NewCooperator(r)
		d := &diary{}
		for _, name := range []string{"a", "b", "c"} {
			d.outcomes(name, task.Cooperate(c, func(yield func(*future.Deferred[int]) bool) {
				if name == "b" {
					c.Stop()
				}
				for !(name == "b" && last) && yield(nil) {
				}
			}))
		}
		clk.Advance(0)
		d.want(t, "a:stopped b:stopped c:stopped")
	}
}

func TestTask_waits_for_what_is_inline_or_on_another_loop(t *testing.T) {
	r, clk := futuretest.New(t)
	inline, res := future.New[int]()
	elsewhere := reactor.New(clk)
	after := future.After(elsewhere, time.Second, 1)
	var at []time.Duration
	start := r.Now()
	a := task.Cooperate(task.NewCooperator(r), func(yield func(*future.Deferred[int]) bool) {
		for _, d := range []*future.Deferred[int]{inline, after, future.Succeed(1), future.After(r, time.Second, 1)} {
			yield(d)
			at = append(at, r.Now().Sub(start))
		}
	})
	clk.Advance(0)
	res.Succeed(1)
	clk.Advance(2 * time.Second)
	futuretest.Success(t, a.WhenDone())
	if want := []time.Duration{0, time.Second, time.Second, time.Second}; !slices.Equal(at, want) {
		t.Errorf("went on after %v, want %v", at, want)
	}
}

func TestCooperator_misuse(t *testing.T) {
	r, _ := futuretest.New(t)
	for _, tt := range []struct {
		name  string
		f     func()
		parts []string
	}{
		{"nil executor", func() { task.NewCooperator(nil) }, []string{"task: NewCooperator", "reactor"}},
		{"nil option", func() { task.NewCooperator(r, nil) }, []string{"task: NewCooperator", "nil Option"}},
		{"slice", func() { task.Slice(0) }, []string{"task: Slice", "Units(1)"}},
		{"units", func() { task.Units(0) }, []string{"task: Units below 1"}},
		{"nil cooperator", func() { task.Cooperate(nil, yields()) }, []string{"task: Cooperate", "NewCooperator"}},
		{"zero cooperator", func() { new(task.Cooperator).Stop() }, []string{"task: Stop", "NewCooperator"}},
		{"nil iterator", func() { task.Cooperate[int](task.NewCooperator(r), nil) }, []string{"task: Cooperate", "nil iterator"}},
		{"nil task", func() { (*task.Task)(nil).Stop() }, []string{"task: Stop", "Cooperate"}},
		{"zero task, Pause", func() { new(task.Task).Pause() }, []string{"task: Pause", "Cooperate"}},
		{"zero task, WhenDone", func() { new(task.Task).WhenDone() }, []string{"task: WhenDone", "Cooperate"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				text := fmt.Sprint(recover())
				for _, part := range tt.parts {
					if !strings.Contains(text, part) {
						t.Errorf("panic %q lacks %q", text, part)
					}
				}
			}()
			tt.f()
		})
	}
}

// A Cooperator without tasks is unknown to its loop, so it is garbage when
// nobody else knows it.
func TestCooperator_leaves_its_loop(t *testing.T) {
	r, clk := futuretest.New(t)
	made := func() weak.Pointer[task.Cooperator] {
		c := task.NewCooperator(r)
		done := task.Cooperate(c, yields(nil)).WhenDone()
		clk.Advance(0)
		futuretest.Success(t, done)
		return weak.Make(c)
	}()
	for range 10 { // what ran last is still known in places
		r.Post(func() {})
	}
	clk.Advance(0)
	runtime.GC()
	if made.Value() != nil {
		t.Error("the loop still knows the Cooperator")
	}
}

// A task that has not ended fails a test, with the place where it was made.
func TestTask_left_behind(t *testing.T) {
	tb := &fakeTB{}
	r, clk := futuretest.New(tb)
	_, _, line, _ := runtime.Caller(0)
	a := task.Cooperate(task.NewCooperator(r), yields(nil))
	a.Pause()
	clk.Advance(0)
	tb.cleanup()
	if place := fmt.Sprintf("cooperator_test.go:%d", line+1); !strings.Contains(tb.report, place) || strings.Count(tb.report, "\n") != 1 {
		t.Errorf("reported: %s\nwant %s", tb.report, place)
	}
}

// A fakeTB keeps what would fail a test.
type fakeTB struct {
	report  string
	cleanup func()
}

func (*fakeTB) Helper()                        {}
func (f *fakeTB) Cleanup(c func())             { f.cleanup = c }
func (f *fakeTB) Errorf(s string, args ...any) { f.report += fmt.Sprintf(s, args...) }
func (f *fakeTB) Fatalf(s string, args ...any) { f.Errorf(s, args...) }
