package clock_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/clock"
)

// A model is a virtual clock as simple as it can be: one list, sorted by time
// and then by number. Calls without delay get their number at the end of the
// turn.
type model struct {
	now     time.Duration
	seq     int
	list    []*modelTimer
	tail    []*modelTimer
	running bool
}

type modelTimer struct {
	m     *model
	f     func()
	when  time.Duration
	seq   int
	armed bool
}

func (m *model) CallLater(d time.Duration, f func()) clock.Timer {
	t := &modelTimer{m: m, f: f}
	t.Reset(d)
	return t
}

func (m *model) Now() time.Time { return epoch.Add(m.now) }

func (t *modelTimer) Stop() bool {
	was := t.armed
	t.armed = false
	is := func(x *modelTimer) bool { return x == t }
	t.m.list = slices.DeleteFunc(t.m.list, is)
	t.m.tail = slices.DeleteFunc(t.m.tail, is)
	return was
}

func (t *modelTimer) Reset(d time.Duration) bool {
	was := t.Stop()
	t.armed = true
	t.when = t.m.now + max(d, 0)
	if d <= 0 && t.m.running {
		t.m.tail = append(t.m.tail, t)
	} else {
		t.m.enter(t)
	}
	return was
}

func (m *model) enter(t *modelTimer) {
	m.seq++
	t.seq = m.seq
	m.list = append(m.list, t)
}

func (m *model) step(until time.Duration) bool {
	slices.SortFunc(m.list, func(a, b *modelTimer) int {
		return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.seq, b.seq))
	})
	if len(m.list) == 0 || m.list[0].when > until {
		return false
	}
	t := m.list[0]
	m.now = max(m.now, t.when)
	t.Stop()
	m.running = true
	t.f()
	m.running = false
	for _, t := range m.tail {
		m.enter(t)
	}
	m.tail = nil
	return true
}

func (m *model) Advance(d time.Duration) {
	until := m.now + d
	for m.step(until) {
	}
	m.now = until
}

func (m *model) Step() bool { return m.step(1 << 62) }

func (m *model) Run() {
	for m.Step() {
	}
}

func (m *model) Pending() int { return len(m.list) + len(m.tail) }

// A driven is what a Virtual and its model have in common.
type driven interface {
	clock.Clock
	Advance(d time.Duration)
	Step() bool
	Run()
	Pending() int
}

// An act is what a function does to the clock when it is called.
type act struct {
	what  string // "call", "stop", "reset"
	delay time.Duration
	on    int // which timer
}

// A program is a table of acts: the function of timer i does acts[i%len].
type program struct {
	acts  [][]act
	start []act
	drive []act // "advance", "step", "run" and acts from outside
}

func acts(t *rapid.T, label string, most int) []act {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			what:  rapid.SampledFrom([]string{"call", "call", "stop", "reset"}).Draw(t, "what"),
			delay: time.Duration(rapid.IntRange(-1, 6).Draw(t, "delay")),
			on:    rapid.IntRange(0, 30).Draw(t, "on"),
		}
	}), 0, most).Draw(t, label)
}

func programs(t *rapid.T) program {
	var p program
	for range rapid.IntRange(1, 6).Draw(t, "functions") {
		p.acts = append(p.acts, acts(t, "acts", 3))
	}
	p.start = acts(t, "start", 20)
	p.drive = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			what:  rapid.SampledFrom([]string{"advance", "advance", "step", "call", "stop", "reset"}).Draw(t, "what"),
			delay: time.Duration(rapid.IntRange(0, 10).Draw(t, "delay")),
			on:    rapid.IntRange(0, 30).Draw(t, "on"),
		}
	}), 1, 15).Draw(t, "drive")
	return p
}

// run runs p on c and returns a log of all that can be seen.
func (p program) run(c driven) (log []string) {
	var timers []clock.Timer
	fired := 0 // programs must end
	say := func(format string, args ...any) {
		log = append(log, fmt.Sprintf("%v ", c.Now().Sub(epoch))+fmt.Sprintf(format, args...))
	}
	var do func(a act)
	call := func(delay time.Duration) {
		i := len(timers)
		timers = append(timers, nil)
		timers[i] = c.CallLater(delay, func() {
			say("timer %d, %d pending", i, c.Pending())
			if fired++; fired > 60 {
				return
			}
			for _, a := range p.acts[i%len(p.acts)] {
				do(a)
			}
		})
	}
	do = func(a act) {
		switch a.what {
		case "call":
			call(a.delay)
		case "advance":
			c.Advance(a.delay)
			say("advanced, %d pending", c.Pending())
		case "step":
			say("step %v, %d pending", c.Step(), c.Pending())
		default:
			if len(timers) == 0 {
				return
			}
			i := a.on % len(timers)
			if a.what == "stop" {
				say("stop %d: %v", i, timers[i].Stop())
			} else {
				say("reset %d: %v", i, timers[i].Reset(a.delay))
			}
		}
	}
	for _, a := range slices.Concat(p.start, p.drive) {
		do(a)
	}
	c.Run()
	say("end")
	return log
}

// The order of all events is that of the model, by (time, number).
func TestVirtual_is_like_its_model(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		mustEqual(t, p.run(clock.NewVirtual()), p.run(&model{}))
	})
}

// The same program has the same log, twice.
func TestVirtual_is_deterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		mustEqual(t, p.run(clock.NewVirtual()), p.run(clock.NewVirtual()))
	})
}

// Advancing in parts is advancing by their sum.
func TestAdvance_in_parts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		p.drive = nil
		parts := rapid.SliceOfN(rapid.IntRange(0, 8), 1, 6).Draw(t, "parts")
		run := func(parts ...int) (log []string) {
			v := clock.NewVirtual()
			p := p
			for _, d := range parts {
				p.drive = append(p.drive, act{what: "advance", delay: time.Duration(d)})
			}
			log = p.run(v)
			return slices.DeleteFunc(log, func(s string) bool { return strings.Contains(s, "advanced") })
		}
		sum := 0
		for _, d := range parts {
			sum += d
		}
		mustEqual(t, run(parts...), run(sum))
	})
}

// mustEqual compares two logs.
func mustEqual(t *rapid.T, got, want []string) {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("they differ from line %d on:\ngot  %q\nwant %q", i, got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
		}
	}
}

// Steps one by one are a Run.
func TestSteps_are_a_run(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		p.drive = nil
		stepped := p
		for range 200 {
			stepped.drive = append(stepped.drive, act{what: "step"})
		}
		a, b := p.run(clock.NewVirtual()), stepped.run(clock.NewVirtual())
		b = slices.DeleteFunc(b, func(s string) bool { return strings.Contains(s, "step") })
		mustEqual(t, b, a)
	})
}
