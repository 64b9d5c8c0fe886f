package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"pgregory.net/rapid"
)

// This file compares a Loop with a naive model of it, which counts grid points
// one by one, under programs drawn at random.

// What the function does in a call.
const (
	doOK = iota
	doFail
	doWait
	doStop
	doReset
	doRestart // Stop and Start
	doSlow    // takes 7 s; only a late clock can do that
	doKinds
)

// A modelRun is one run of the model. Times are in seconds.
type modelRun struct {
	id                     int
	origin, interval       int
	every, due, last       int
	sleeping, waiting, end bool
}

// A model is the loop as it should be.
type model struct {
	late     bool // time jumps; else it goes from one call to the next
	posts    bool // the first call of Start is posted
	queue    []func()
	now      int
	script   []int
	next     int // in script
	runs     []*modelRun
	current  *modelRun
	asked    []*modelRun // whose call returned the n-th Deferred that was waited for, nil when settled
	calls    journal
	ends     journal
	firstDue int // the interval of restarts
}

func (m *model) start(interval int, first bool) {
	r := &modelRun{id: len(m.runs), origin: m.now, interval: interval, every: interval, last: m.now}
	m.runs = append(m.runs, r)
	m.current = r
	switch {
	case !first:
		r.sleeping, r.due = true, m.now+interval
	case m.posts:
		r.last--
		r.sleeping, r.due = true, m.now
		m.queue = append(m.queue, func() {
			if r.sleeping && r.due == m.now {
				m.call(r)
			}
		})
	default:
		r.last-- // the start counts
		m.call(r)
	}
}

// call makes a call of r now.
func (m *model) call(r *modelRun) {
	n := 0
	for p := r.origin; p <= m.now && r.every > 0; p += r.every {
		if p > r.last {
			n++
		}
	}
	r.last, r.sleeping = m.now, false
	m.calls.add("%d n=%d", m.now, max(n, 1))
	switch m.script[m.next%len(m.script)] {
	case doOK, doReset:
		m.next++
	case doFail:
		m.next++
		m.over(r, "a")
		return
	case doWait:
		m.next++
		r.waiting = true
		m.asked = append(m.asked, r)
		return
	case doStop:
		m.next++
		m.stop()
	case doRestart:
		m.next++
		m.stop()
		m.start(m.firstDue, true)
	case doSlow:
		m.next++
		if m.late {
			m.now += 7
		}
	}
	m.again(r)
}

// again goes on after a call.
func (m *model) again(r *modelRun) {
	r.waiting = false
	if m.current != r {
		m.over(r, "ok")
		return
	}
	m.schedule(r)
}

func (m *model) schedule(r *modelRun) {
	r.every, r.sleeping = r.interval, true
	for r.due = r.origin; r.due <= m.now && r.every > 0; r.due += r.every {
	}
	if r.every == 0 {
		r.due = m.now
	}
}

func (m *model) over(r *modelRun, how string) {
	if m.current == r {
		m.current = nil
	}
	r.end, r.sleeping, r.waiting = true, false, false
	m.ends.add("run %d: %s", r.id, how)
}

func (m *model) stop() bool {
	r := m.current
	m.current = nil
	if r != nil && r.sleeping {
		m.over(r, "ok")
	}
	return r != nil
}

func (m *model) reset() bool {
	if r := m.current; r != nil && r.sleeping {
		r.origin, r.last = m.now, m.now
		m.schedule(r)
	}
	return m.current != nil
}

func (m *model) cancel(r *modelRun) {
	if m.current == r {
		m.current = nil
	}
	if r.sleeping {
		m.over(r, "canceled")
	} else if r.waiting {
		for i := range m.asked {
			if m.asked[i] == r {
				m.asked[i] = nil
			}
		}
		m.over(r, "canceled")
	}
}

func (m *model) settle(i int, fails bool) {
	r := m.asked[i]
	m.asked[i] = nil
	switch {
	case r == nil:
	case fails:
		m.over(r, "a")
	default:
		m.again(r)
	}
}

func (m *model) advance(by int) {
	m.runQueue()
	to := m.now + by
	if m.late {
		m.now = to
		if r := m.current; r != nil && r.sleeping && r.due <= m.now {
			m.call(r)
		}
		return
	}
	for r := m.current; r != nil && r.sleeping && r.due <= to; r = m.current {
		m.now = r.due
		m.call(r)
		m.runQueue()
	}
	m.now = to
}

func (m *model) runQueue() {
	for len(m.queue) > 0 {
		f := m.queue[0]
		m.queue = m.queue[1:]
		f()
	}
}

// A real is a Loop that is to do as the model does.
type real struct {
	*task.Loop
	clock    clock.Clock
	advance  func(d time.Duration)
	script   []int
	next     int
	runs     []*future.Deferred[none]
	asked    []future.Resolver[int]
	calls    journal
	ends     journal
	firstDue int
}

func (w *real) start(interval int, first bool) {
	id := len(w.runs)
	w.runs = append(w.runs, nil)
	var d *future.Deferred[none]
	if first {
		d = w.Start(time.Duration(interval) * sec)
	} else {
		d = w.StartLater(time.Duration(interval) * sec)
	}
	w.runs[id] = d
	future.Handle(d, func(_ none, err error) (none, error) {
		how := "ok"
		switch {
		case errors.Is(err, future.ErrCanceled):
			how = "canceled"
		case err != nil:
			how = err.Error()
		}
		w.ends.add("run %d: %s", id, how)
		return none{}, nil
	})
}

func (w *real) f(n int) *future.Deferred[int] {
	w.calls.add("%g n=%d", since(w.clock), n)
	do := w.script[w.next%len(w.script)]
	w.next++
	switch do {
	case doFail:
		return future.Fail[int](errA)
	case doWait:
		d, res := future.New[int]()
		w.asked = append(w.asked, res)
		return d
	case doStop:
		w.Stop()
	case doReset:
		w.Reset()
	case doRestart:
		w.Stop()
		w.start(w.firstDue, true)
	case doSlow:
		if c, ok := w.clock.(*lateClock); ok {
			c.now += 7 * sec
		}
	}
	return future.Succeed(0)
}

func (w *real) settle(i int, fails bool) {
	if fails {
		w.asked[i].Fail(errA)
	} else {
		w.asked[i].Succeed(0)
	}
}

// worlds are the clocks on which a Loop is compared with the model.
var worlds = map[string]func() (m *model, w *real){
	"late clock": func() (*model, *real) {
		c := new(lateClock)
		return &model{late: true}, &real{clock: c, advance: c.advance}
	},
	"virtual": func() (*model, *real) {
		v := clock.NewVirtual()
		return new(model), &real{clock: v, advance: v.Advance}
	},
	"reactor": func() (*model, *real) {
		v := clock.NewVirtual()
		return &model{posts: true}, &real{clock: reactor.New(v), advance: v.Advance}
	},
}

func TestLoopIsAsItsModel(t *testing.T) {
	for name, world := range worlds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m, w := world()
				program(t, m, w)
			})
		})
	}
}

// program does the same with both, and compares.
func program(t *rapid.T, m *model, w *real) {
	w.Loop = task.NewLoopFlat(w.clock, w.f)
	script := rapid.SliceOfN(rapid.IntRange(0, doKinds-1), 1, 8).Draw(t, "script")
	if !m.late || strings.Trim(fmt.Sprint(script), "[5 ]") == "" {
		script = append(script, doWait) // or time stands still; a loop that only restarts does so within Start
	}
	least := 1
	if m.late {
		least = 0
	}
	interval := rapid.IntRange(least, 5)
	m.script, w.script = script, script
	m.firstDue = interval.Draw(t, "restarts every")
	w.firstDue = m.firstDue
	for range rapid.IntRange(1, 30).Draw(t, "steps") {
		same(t, "what a method returned", step(t, m, w, interval))
		m.runQueue()
		if !m.late {
			w.advance(0)
		}
		same(t, "the calls", [2]any{fmt.Sprint(m.calls.lines), fmt.Sprint(w.calls.lines)})
		same(t, "the ends", [2]any{fmt.Sprint(m.ends.lines), fmt.Sprint(w.ends.lines)})
		same(t, "the time", [2]any{float64(m.now), since(w.clock)})
	}
}

func same(t *rapid.T, what string, pair [2]any) {
	t.Helper()
	if pair[0] != pair[1] {
		t.Fatalf("%s: the model has\n%v\nand the Loop\n%v", what, pair[0], pair[1])
	}
}

// step does one step and returns what it returned.
func step(t *rapid.T, m *model, w *real, interval *rapid.Generator[int]) (got [2]any) {
	switch rapid.SampledFrom([]string{"advance", "advance", "start", "start", "settle", "settle", "stop", "reset", "cancel", "interval"}).Draw(t, "step") {
	case "advance":
		by := rapid.IntRange(0, 12).Draw(t, "by")
		m.advance(by)
		w.advance(time.Duration(by) * sec)
	case "start":
		if m.current == nil {
			every, first := interval.Draw(t, "every"), rapid.Bool().Draw(t, "first")
			m.start(every, first)
			w.start(every, first)
		}
	case "settle":
		if len(m.asked) > 0 && len(m.asked) == len(w.asked) {
			i, fails := rapid.IntRange(0, len(m.asked)-1).Draw(t, "which"), rapid.IntRange(0, 3).Draw(t, "fails") == 0
			m.settle(i, fails)
			w.settle(i, fails)
		}
	case "stop":
		return [2]any{m.stop(), w.Stop()}
	case "reset":
		return [2]any{m.reset(), w.Reset()}
	case "cancel":
		if len(m.runs) > 0 && len(m.runs) == len(w.runs) {
			i := rapid.IntRange(0, len(m.runs)-1).Draw(t, "run")
			m.cancel(m.runs[i])
			w.runs[i].Cancel(nil)
		}
	case "interval":
		d := interval.Draw(t, "interval")
		if m.current != nil {
			m.current.interval = d
		}
		w.SetInterval(time.Duration(d) * sec)
	}
	return got
}

// The counts of a run sum to the intervals that have passed, whatever the clock
// and the function do.
func TestCountsSumToElapsedByInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c lateClock
		nanos := func(most int64) *rapid.Generator[time.Duration] {
			return rapid.Map(rapid.Int64Range(1, most), func(n int64) time.Duration { return time.Duration(n) })
		}
		every := nanos(1_000_000).Draw(t, "every")
		slow := rapid.SliceOfN(rapid.Map(nanos(3_000_000), func(d time.Duration) time.Duration { return d - 1 }), 1, 5).Draw(t, "slow")
		sum, calls := 0, 0
		var last time.Duration
		l := task.NewLoop(&c, func(n int) error {
			sum += n
			last = c.now // counted up to here
			c.now += slow[calls%len(slow)]
			calls++
			return nil
		})
		l.StartLater(every)
		for range rapid.IntRange(1, 50).Draw(t, "turns") {
			before := calls
			c.advance(nanos(3_000_000).Draw(t, "by"))
			if calls > before && sum != int(last/every) || calls > before+1 {
				t.Fatalf("after %v, %d calls in this turn, the counts sum to %d intervals of %v", last, calls-before, sum, every)
			}
		}
	})
}

// A program on virtual time leaves the same log each time, byte for byte.
func TestLoopRunTwiceIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 4).Draw(t, "every")
		took := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 5).Draw(t, "took")
		run := func() string {
			clk := clock.NewVirtual()
			r := reactor.New(clk)
			var log journal
			for i, s := range every {
				calls := 0
				task.NewLoopFlat(r, func(n int) *future.Deferred[none] {
					log.add("loop %d at %g n=%d", i, since(r), n)
					calls++
					return future.After(r, time.Duration(took[calls%len(took)])*sec, none{})
				}).Start(time.Duration(s) * sec)
			}
			clk.Advance(100 * sec)
			return strings.Join(log.lines, "\n")
		}
		if one, two := run(), run(); one != two {
			t.Fatalf("first\n%s\nthen\n%s", one, two)
		}
	})
}
