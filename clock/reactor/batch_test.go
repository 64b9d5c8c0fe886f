package reactor_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/internal/seam"
)

// The loop takes many posts at once and runs them without looking for more.
// These tests show that nobody notices.

const many = 1000

// A call without delay comes after all that its turn has posted, and before
// what later turns post.
func TestCallLater_without_delay_among_posts(t *testing.T) {
	everywhere(t, func(w *world) {
		for i := range many {
			w.r.Post(func() {
				switch i {
				case 10:
					w.r.CallLater(0, func() { w.add("called") })
					w.r.Post(func() { w.add("posted by the same") })
				case 20:
					w.r.Post(func() { w.add("posted later") })
				case many - 1:
					w.add("last")
				}
			})
		}
		w.begin()
		w.pass(0)
		w.want(t, "last", "posted by the same", "called", "posted later")
	})
}

// What a task returns is queued before the calls without delay of that turn.
func TestTask_that_returns_another(t *testing.T) {
	everywhere(t, func(w *world) {
		w.loop.PostTask(turn(func() seam.Task {
			w.r.CallLater(0, func() { w.add("called") })
			return step{&w.diary, "what it returned"}
		}))
		w.begin()
		w.pass(0)
		w.want(t, "what it returned ran", "called")
	})
}

type turn func() seam.Task

func (f turn) Run() seam.Task { return f() }

// Stop lets the function that runs finish, and no other start.
func TestStop_among_posts(t *testing.T) {
	everywhere(t, func(w *world) {
		ran := 0
		for i := range many {
			w.loop.PostTask(turn(func() seam.Task {
				ran++
				if i == 9 {
					w.r.Stop()
				}
				return nil
			}))
		}
		w.loop.PostTask(step{&w.diary, "what wants to know"})
		w.begin()
		w.pass(0)
		if ran != 10 {
			t.Errorf("%d of 10 have run", ran)
		}
		w.want(t, "what wants to know dropped: reactor: stopped")
		w.log.want(t, fmt.Sprint(many-10))
	})
}

// A timer that becomes due has its turn before what is posted later, also while
// much is to be run.
func TestTimer_among_posts(t *testing.T) {
	r := reactor.New(clock.System())
	called := false
	for i := range many {
		r.Post(func() {
			switch i {
			case 1:
				r.CallLater(1, func() { called = true })
			case 2:
				for start := r.Now(); r.Now().Sub(start) < time.Microsecond; {
				}
			case many - 1:
				r.Post(func() {
					if !called {
						t.Error("the timer has not run")
					}
					r.Stop()
				})
			}
		})
	}
	if err := r.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// A panic among posts changes nothing for those that come after.
func TestPanic_among_posts(t *testing.T) {
	everywhere(t, func(w *world) {
		w.r.Post(func() { panic("boom") })
		w.r.Post(func() {
			w.r.CallLater(0, func() { w.add("called") })
			w.r.Post(func() { w.add("posted") })
		})
		for range many {
			w.r.Post(func() {})
		}
		w.begin()
		w.pass(0)
		w.want(t, "posted", "called")
	})
}

// What a function refers to is garbage when it has run, also while others run
// that were posted along with it.
func TestPosts_that_have_run_are_garbage(t *testing.T) {
	everywhere(t, func(w *world) {
		var all []weak.Pointer[[]byte]
		for range many {
			p := &[]byte{1}
			all = append(all, weak.Make(p))
			w.r.Post(func() { (*p)[0]++ })
		}
		w.r.Post(func() {
			runtime.GC()
			for i, p := range all {
				if p.Value() != nil {
					t.Errorf("post %d of %d is still referred to", i, many)
					return
				}
			}
		})
		for range many {
			w.r.Post(nothing)
		}
		w.begin()
		w.pass(0)
	})
}

// Posts from several goroutines, until the reactor stops: what was accepted has
// run or is dropped, once, in the order of the goroutine that posted it.
func TestStop_loses_no_post(t *testing.T) {
	const goroutines = 4
	for range 10 {
		r := reactor.New(clock.System())
		loop := seam.LoopOf(r)
		var accepted [goroutines]int
		var wg sync.WaitGroup
		a := &account{t: t, stop: r.Stop, next: make([]int, goroutines)}
		for g := range goroutines {
			wg.Go(func() {
				for loop.PostTask(entry{a, g, accepted[g]}) {
					accepted[g]++
				}
			})
		}
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if !slices.Equal(a.next, accepted[:]) {
			t.Errorf("ran or dropped of each goroutine: %v, accepted: %v", a.next, accepted)
		}
	}
}

// An account says what entry is to come next of each goroutine. After many, it
// stops the reactor.
type account struct {
	t    *testing.T
	stop func()
	ran  int
	over bool // an entry was dropped
	next []int
}

// An entry is a task that checks that it comes in order.
type entry struct {
	a    *account
	g, i int
}

func (e entry) Run() seam.Task {
	if e.a.over {
		e.a.t.Error("one runs after another was dropped")
	}
	e.come()
	if e.a.ran++; e.a.ran == 3*many {
		e.a.stop()
	}
	return nil
}

func (e entry) Drop(error) {
	e.a.over = true
	e.come()
}

func (e entry) come() {
	if want := e.a.next[e.g]; e.i != want {
		e.a.t.Errorf("goroutine %d: %d came, want %d", e.g, e.i, want)
	}
	e.a.next[e.g] = e.i + 1
}
