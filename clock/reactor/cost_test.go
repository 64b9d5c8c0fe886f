package reactor_test

import (
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
)

// What the loop allocates, a call.
func TestCost(t *testing.T) {
	v := clock.NewVirtual(clock.Limit(1 << 40))
	on := map[string]*reactor.Reactor{"virtual": reactor.New(v), "system": reactor.New(clock.System())}
	for _, c := range []struct {
		reactor, what string
		allocs        float64 // at most
		f             func(r *reactor.Reactor)
	}{
		{"virtual", "Post and run", 0, func(r *reactor.Reactor) { r.Post(nothing); v.Advance(0) }},
		{"system", "CallLater and Stop", 1, func(r *reactor.Reactor) { r.CallLater(time.Minute, nothing).Stop() }},
		{"virtual", "CallLater and Stop", 1, func(r *reactor.Reactor) { r.CallLater(time.Minute, nothing).Stop() }},
		{"virtual", "CallLater and run", 1, func(r *reactor.Reactor) { r.CallLater(time.Second, nothing); v.Advance(time.Second) }},
	} {
		t.Run(c.reactor+" "+c.what, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, func() { c.f(on[c.reactor]) }); n > c.allocs {
				t.Errorf("%v allocations, want at most %v", n, c.allocs)
			}
		})
	}
}

// On clock.System, a loop that runs posts does not allocate, and it reads the
// clock at most once a turn: far less often while it is busy.
func TestCostOfALoopThatRuns(t *testing.T) {
	const posts = 64 * 100
	r := reactor.New(clock.System())
	reads := reactor.CountReads(r)
	n := 0
	var post func()
	post = func() {
		if n++; n == posts {
			r.Stop()
			return
		}
		r.Post(post)
	}
	r.Post(post)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := reads(); got > posts/32 {
		t.Errorf("the clock was read %d times in %d turns", got, posts)
	}
}
