// Places where an implementation of the core that looks right goes wrong: what
// follows and takes over, marks of cancels, shields, order. Those of gathers
// are in pitfalls_gather_test.go, those of waits in pitfalls_await_test.go,
// those of many and of deep ones in pitfalls_size_test.go.

package future_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// pitDeferred is short for the only kind that these tests need.
type pitDeferred = *future.Deferred[int]

// pitNote returns a callback that writes name into j and adds 1.
func pitNote(j *journal, name string) func(int) (int, error) {
	return func(v int) (int, error) {
		j.add("%s", name)
		return v + 1, nil
	}
}

// pitReturning returns a link to after whose callback returns inner.
func pitReturning(after, inner pitDeferred) pitDeferred {
	return future.ThenFlat(after, func(int) pitDeferred { return inner })
}

// The Deferred that a callback returns is itself the only reader of the
// callback's Deferred, and just follows it: to let it take over would be to let
// it follow itself.
func TestReturnedDeferredIsTheOnlyReader(t *testing.T) {
	t.Parallel()
	for name, follow := range map[string]func(own pitDeferred) pitDeferred{
		"Follow": func(own pitDeferred) pitDeferred {
			d, res := future.New[int]()
			res.Follow(own)
			return d
		},
		"ThenFlat": func(own pitDeferred) pitDeferred { return pitReturning(future.Succeed(0), own) },
		"CatchFlat": func(own pitDeferred) pitDeferred {
			return future.Fail[int](errA).CatchFlat(func(error) pitDeferred { return own })
		},
		"Flatten": func(own pitDeferred) pitDeferred { return future.Flatten(future.Succeed(own)) },
		"Shield":  func(own pitDeferred) pitDeferred { return own.Shield() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate, open := future.New[int]()
			var own, returned pitDeferred
			own = future.ThenFlat(gate, func(int) pitDeferred {
				returned = follow(own)
				return returned
			})
			open.Succeed(0)
			wantError(t, own, "waits for itself")
			wantError(t, returned, "waits for itself")
		})
	}
}

// While two close a cycle, others begin to wait for it: their search for a
// cycle of their own meets a ring in which they are not. It ends all the same.
func TestCycleSearchMeetsARingOfOthers(t *testing.T) {
	t.Parallel()
	for range 500 {
		a, resA := future.New[int]()
		b, resB := future.New[int]()
		var wg sync.WaitGroup
		wg.Go(func() { resA.Follow(future.Then(b, inc)) })
		wg.Go(func() { resB.Follow(future.Then(a, inc)) })
		outside := make([]pitDeferred, 3)
		for i := range outside {
			d, res := future.New[int]()
			outside[i] = future.Then(d, inc) // with a reader it might close a cycle
			wg.Go(func() {
				if i == 0 {
					res.Follow(future.Then(a, inc))
				} else {
					res.Follow(future.Join2(a, b, func(v, w int) (int, error) { return v + w, nil }))
				}
			})
		}
		wg.Wait()
		for _, d := range append(outside, a, b) {
			wantError(t, d, "waits for itself")
		}
	}
}

// A Deferred is canceled, its source answers with a value, and its callback
// returns a pending one. So the cancel is over: a later one must go on to what
// was returned, also if a reader has taken over meanwhile and was put back.
func TestAnAnsweredCancelLeavesNoMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		followed, put    bool // a reader follows it; and is put back by another one
		readersOfTheRest int
		want             int
	}{
		{name: "read by nobody", want: 1},
		{name: "taken over", followed: true, want: 1},
		{name: "taken over and put back", followed: true, put: true, want: 1},
		{name: "put back, what it waits for is read by another", followed: true, put: true, readersOfTheRest: 1, want: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			gate, open := future.New[int]()
			open.OnCancel(func(error) { open.Succeed(0) })
			end, _, calls := counting()
			d := pitReturning(gate, end)
			last := d
			if c.followed {
				last = pitReturning(future.Succeed(0), d)
			}
			d.Cancel(errA)
			wantPending(t, last)
			var others []pitDeferred
			if c.put {
				others = append(others, future.Then(d, inc))
			}
			for range c.readersOfTheRest {
				future.Then(end, inc)
			}
			for _, one := range append(others, last) {
				one.Cancel(errB)
				wantError(t, one, "", future.ErrCanceled, errB)
			}
			if len(*calls) != c.want {
				t.Errorf("what was returned was asked %d times, want %d", len(*calls), c.want)
			}
		})
	}
}

// While the cancel of what took over is under way, somebody attaches to what it
// took over. The put-back must hand the mark of the cancel down: else the
// source would lose a consumer twice.
func TestPutBackWhileItsTakerCancels(t *testing.T) {
	t.Parallel()
	m := takeOver()
	var reader pitDeferred
	m.res.OnCancel(func(error) {
		reader = future.Then(m.inner, inc)
		reader.Cancel(errB)
		wantPending(t, reader) // it asks with the others, and waits for the answer
		m.res.Succeed(5)
	})
	m.outer.Cancel(errA)
	wantOutcome(t, m.outer, 5, nil)
	wantOutcome(t, m.inner, 5, nil)
	wantOutcome(t, reader, 6, nil)
}

// A shield that was canceled still keeps its place, whenever it came and
// left: so what the shielded one waits for is never canceled through another
// reader, and does not depend on who came first.
func TestAShieldThatLeftKeepsWhatItShields(t *testing.T) {
	t.Parallel()
	const stages = 3 // before the other reader comes, before the callback runs, after that
	for made := range stages {
		for left := made; left < stages; left++ {
			gate, open := future.New[int]()
			end, res, calls := counting()
			d := pitReturning(gate, end)
			var shield, reader pitDeferred
			for stage := range stages {
				if stage == made {
					shield = d.Shield()
				}
				if stage == left {
					shield.Cancel(errA)
					wantError(t, shield, "", future.ErrCanceled, errA)
				}
				switch stage {
				case 0:
					reader = pitReturning(future.Succeed(0), d)
				case 1:
					open.Succeed(0)
				}
			}
			reader.Cancel(errB)
			wantError(t, reader, "", future.ErrCanceled, errB)
			if len(*calls) != 0 {
				t.Errorf("made at stage %d, canceled at %d: it did not keep what it shields", made, left)
			}
			wantPending(t, d)
			res.Succeed(5)
			wantOutcome(t, d, 5, nil)
		}
	}
}

// The last Deferred of a take-over has settled and runs its first reader, which
// attaches to the one that had moved. What took that over is still to run: the
// order is that of registration, and a cancel strikes whom it was meant for.
func TestAttachToAMovedOneInACallbackOfItsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		inside func(j *journal, inner, outer pitDeferred)
		want   []string
	}{
		{"attach", func(j *journal, inner, _ pitDeferred) {
			future.Then(inner, pitNote(j, "inner"))
		}, []string{"first", "outer", "inner", "last"}},
		{"attach to both", func(j *journal, inner, outer pitDeferred) {
			future.Then(outer, pitNote(j, "outer-late"))
			future.Then(inner, pitNote(j, "inner"))
		}, []string{"first", "outer", "outer-late", "inner", "last"}},
		{"cancel, attach", func(j *journal, inner, outer pitDeferred) { // it was inner's only consumer
			outer.Cancel(errA)
			inner.Catch(func(error) (int, error) { j.add("canceled"); return 0, nil })
		}, []string{"first", "canceled", "last"}},
		{"attach, cancel", func(j *journal, inner, outer pitDeferred) {
			future.Then(inner, pitNote(j, "inner"))
			outer.Cancel(errA)
		}, []string{"first", "inner", "last"}},
		{"poll", func(j *journal, inner, _ pitDeferred) {
			_, err := inner.Result()
			j.add("%v", err == future.ErrPending)
		}, []string{"first", "true", "outer", "last"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			var inner, outer pitDeferred
			gate, open := future.New[int]()
			end, res := future.New[int]()
			future.Then(end, func(int) (int, error) {
				j.add("first")
				c.inside(&j, inner, outer)
				return 0, nil
			})
			inner = pitReturning(gate, end)
			outer = pitReturning(future.Succeed(0), inner)
			future.Then(outer, pitNote(&j, "outer"))
			open.Succeed(0)
			future.Then(end, pitNote(&j, "last"))
			res.Succeed(5)
			j.want(t, c.want...)
			if slices.Contains(c.want, "canceled") {
				wantError(t, inner, "", future.ErrCanceled, errA)
			} else {
				wantOutcome(t, inner, 5, nil)
			}
			if slices.Contains(c.want, "outer") {
				wantOutcome(t, outer, 5, nil)
			} else {
				wantError(t, outer, "", future.ErrCanceled, errA)
			}
		})
	}
}

// A cancel that comes while a callback runs is remembered, whoever canceled:
// it goes to what the callback returns, once, with its cause.
func TestCancelByAConsumerWhileTheCallbackRuns(t *testing.T) {
	t.Parallel()
	for name, consume := range map[string]func(d pitDeferred) interface{ Cancel(error) bool }{
		"All":         func(d pitDeferred) interface{ Cancel(error) bool } { return future.All(future.Succeed(1), d) },
		"AllSettled":  func(d pitDeferred) interface{ Cancel(error) bool } { return future.AllSettled(d) },
		"Race":        func(d pitDeferred) interface{ Cancel(error) bool } { return future.Race(d) },
		"twice":       func(d pitDeferred) interface{ Cancel(error) bool } { return future.Any(d, d) },
		"ThenFlat":    func(d pitDeferred) interface{ Cancel(error) bool } { return pitReturning(future.Succeed(0), d) },
		"Flatten":     func(d pitDeferred) interface{ Cancel(error) bool } { return future.Flatten(future.Succeed(d)) },
		"WithContext": func(d pitDeferred) interface{ Cancel(error) bool } { return d.WithContext(background) },
		"a chain":     func(d pitDeferred) interface{ Cancel(error) bool } { return future.Then(d, inc).Finally(pitNothing) },
		"itself":      func(d pitDeferred) interface{ Cancel(error) bool } { pitReturning(future.Succeed(0), d); return d },
		"a coroutine": func(d pitDeferred) interface{ Cancel(error) bool } { return future.Async(background, d.Await) },
	} {
		for _, x := range []*foreign{nil, new(foreign)} {
			inner, _, calls := counting()
			gate, open := future.New[int]()
			if x != nil {
				gate, open = future.NewOn[int](x)
			}
			var consumer interface{ Cancel(error) bool }
			d := future.ThenFlat(gate, func(int) pitDeferred {
				consumer.Cancel(errCause)
				return inner
			})
			consumer = consume(d)
			open.Succeed(0)
			if x != nil {
				x.run()
			}
			if !slices.Equal(*calls, []error{errCause}) {
				t.Errorf("%s, on an executor: %v: what was returned was asked with %v", name, x != nil, *calls)
			}
			_, err := d.Result()
			wantCanceled(t, err, errCause)
		}
	}
}

func pitNothing() error { return nil }
