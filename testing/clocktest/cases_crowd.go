package clocktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/clock"
)

var crowdCases = []rule{
	{"many", "a thousand timers, some stopped, some Reset: each function is called as often as it is to be, in the order of due times", many},
	{"goroutines", "CallLater, Stop, Reset and Now may be called from any goroutine: a function is called once for CallLater, once more for each Reset that returned false, once less for each Stop that returned true", goroutines},
	{"moving", "so too while time passes", moving},
}

func many(e *env) {
	const n = 1000
	rng := rand.New(rand.NewPCG(1, 2))
	delay := func() time.Duration { return time.Duration(1+rng.IntN(400)) * tick }
	due := make(map[string]time.Duration)
	for i := range n {
		name := fmt.Sprint(i)
		due[name] = delay()
		t := e.later(due[name], name)
		switch i % 4 {
		case 1:
			e.wantBool("Stop", t.Stop(), true)
			delete(due, name)
		case 2:
			due[name] = delay()
			e.wantBool("Reset", t.Reset(due[name]), true)
		}
	}
	e.advance(200 * tick)
	e.advance(200 * tick)
	var got []time.Duration
	for _, ev := range e.events() {
		d, ok := due[ev.name]
		e.want(ok, "function %s was called again, or though it was stopped", ev.name)
		delete(due, ev.name)
		got = append(got, d)
	}
	e.want(len(due) == 0, "%d functions were not called", len(due))
	e.want(slices.IsSorted(got), "not in the order of due times: %v", got)
}

func goroutines(e *env) {
	c := crowd{e: e}
	c.start()
	c.all.Wait()
	c.check()
}

func moving(e *env) {
	c := crowd{e: e}
	c.start()
	for range 100 {
		e.advance(tick)
	}
	c.all.Wait()
	c.check()
}

// A crowd is goroutines that use a clock.
type crowd struct {
	e       *env
	all     sync.WaitGroup
	members [8][60]member
	back    atomic.Int32 // how often Now went back
}

// A member is one timer, and how often it is called and should be.
type member struct{ called, want atomic.Int32 }

func (c *crowd) start() {
	for g := range c.members {
		c.all.Go(func() {
			latest := c.e.c.Now()
			for i := range c.members[g] {
				c.use(&c.members[g][i], i)
				now := c.e.c.Now()
				if now.Before(latest) {
					c.back.Add(1)
				}
				latest = now
			}
		})
	}
}

// use makes a timer, and does one thing or another with it.
func (c *crowd) use(m *member, i int) {
	m.want.Store(1)
	t := c.e.c.CallLater(time.Duration(i%5)*tick, func() { m.called.Add(1) })
	switch i % 3 {
	case 1:
		stopMember(m, t)
	case 2:
		if !t.Reset(2 * tick) {
			m.want.Add(1)
		}
		if i%2 == 0 {
			stopMember(m, t)
		}
	}
}

func stopMember(m *member, t clock.Timer) {
	if t.Stop() {
		m.want.Add(-1)
	}
}

func (c *crowd) check() {
	c.e.advance(10 * tick)
	for g := range c.members {
		for i := range c.members[g] {
			m := &c.members[g][i]
			called, want := m.called.Load(), m.want.Load()
			c.e.want(called == want, "a function was called %d times, want %d", called, want)
		}
	}
	c.e.want(c.back.Load() == 0, "Now went back")
}
