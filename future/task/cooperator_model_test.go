package task_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/task"
	"pgregory.net/rapid"
)

// A plot is a drawn program of operations on one Cooperator and its tasks.
type plot struct {
	most    int       // units in a slice
	scripts [][]event // of the tasks, as they are added
	ops     []op
}

// An event is one unit of a task: first it does something, then it yields.
type event struct {
	does   op
	yields string // nil, succeeded, failed or wait; or panic, instead
}

// An op is an operation on the task, the wait or the pause with that number,
// if there is one.
type op struct {
	verb string // none, add, stop, pause, resume, settle, fail, stop all, step
	of   int
}

func drawPlot(t *rapid.T) plot {
	of := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5})
	event := rapid.Custom(func(t *rapid.T) event {
		return event{
			op{rapid.SampledFrom([]string{"none", "none", "pause", "none", "resume", "none", "add", "none", "stop"}).Draw(t, "does"), of.Draw(t, "of")},
			rapid.SampledFrom([]string{"nil", "wait", "nil", "succeeded", "wait", "nil", "nil", "failed", "nil", "panic"}).Draw(t, "yields"),
		}
	})
	ops := rapid.Custom(func(t *rapid.T) op {
		verbs := []string{"step", "add", "settle", "step", "pause", "step", "resume", "step", "settle", "add", "step", "fail", "step", "stop", "step"}
		verbs = append(slices.Repeat(verbs, 6), "stop all")
		return op{rapid.SampledFrom(verbs).Draw(t, "verb"), of.Draw(t, "of")}
	})
	return plot{
		most:    rapid.IntRange(1, 4).Draw(t, "most"),
		scripts: rapid.SliceOfN(rapid.SliceOfN(event, 3, 8), 6, 6).Draw(t, "scripts"),
		ops:     rapid.SliceOfN(ops, 50, 100).Draw(t, "ops"),
	}
}

// A stage is a plot being played, by the library.
type stage struct {
	diary
	plot
	clk     *clock.Virtual
	r       *reactor.Reactor
	c       *task.Cooperator
	tasks   []*task.Task
	waits   []future.Resolver[int]
	resumes []func()
}

func (p plot) play() []string {
	clk := clock.NewVirtual()
	r := reactor.New(clk, quiet)
	s := &stage{plot: p, clk: clk, r: r, c: task.NewCooperator(r, task.Units(p.most))}
	for _, o := range p.ops {
		s.do(o)
		s.add("/")
	}
	s.c.Stop()
	clk.Advance(0)
	return s.entries
}

func (s *stage) do(o op) {
	switch o.verb {
	case "add":
		s.newTask()
	case "stop all":
		s.c.Stop()
	case "step":
		s.clk.Step()
	case "stop":
		if o.of < len(s.tasks) {
			s.add("stop %d %v", o.of, s.tasks[o.of].Stop())
		}
	case "pause":
		if o.of < len(s.tasks) {
			s.resumes = append(s.resumes, s.tasks[o.of].Pause())
		}
	case "resume":
		if o.of < len(s.resumes) {
			s.resumes[o.of]()
		}
	case "settle":
		if o.of < len(s.waits) {
			s.add("settle %d %v", o.of, s.waits[o.of].Succeed(1))
		}
	case "fail":
		if o.of < len(s.waits) {
			s.add("fail %d %v", o.of, s.waits[o.of].Fail(errWork))
		}
	}
}

func (s *stage) newTask() {
	n := len(s.tasks)
	if n == len(s.scripts) {
		return
	}
	s.tasks = append(s.tasks, nil) // tasks that it adds come after it
	s.tasks[n] = task.Cooperate(s.c, func(yield func(*future.Deferred[int]) bool) {
		defer s.add("%d ends", n)
		for i, e := range s.scripts[n] {
			s.add("%d.%d", n, i)
			s.do(e.does)
			if !yield(s.unit(e.yields)) {
				return
			}
		}
	})
	future.Handle(s.tasks[n].WhenDone(), func(_ struct{}, err error) (int, error) {
		switch {
		case err == nil:
			s.add("%d: done", n)
		case errors.Is(err, task.ErrStopped):
			s.add("%d: stopped", n)
		case errors.Is(err, failure.ErrPanic):
			s.add("%d: panic", n)
		default:
			s.add("%d: %v", n, err)
		}
		return 0, nil
	})
}

func (s *stage) unit(yields string) *future.Deferred[int] {
	switch yields {
	case "succeeded":
		return future.Succeed(1)
	case "failed":
		return future.Fail[int](errWork)
	case "wait":
		d, res := future.NewOn[int](s.r)
		s.waits = append(s.waits, res)
		return d
	case "panic":
		panic("in a unit")
	}
	return nil
}

// A reference plays a plot as the documentation has it. What comes when follows
// from the states of the tasks; there are no lists to be kept.
type reference struct {
	diary
	plot
	queue   []func() // of the loop
	sliced  bool     // it has a slice
	resting bool     // which comes later than all that is queued
	stopped bool
	tasks   []*refTask
	waits   []*refWait
	pauses  []*refTask // nil when resumed
	tickets int
}

type refTask struct {
	n, next int // its number; its next unit
	begun   bool
	running bool
	paused  int
	wait    *refWait
	why     string // what it ends with
	over    bool

	ticket int // when it became ready, or when it was to end; the least is first
}

type refWait struct {
	by      *refTask
	settled bool
}

func (p plot) reference() []string {
	s := &reference{plot: p}
	for _, o := range p.ops {
		s.do(o)
		s.add("/")
	}
	s.do(op{verb: "stop all"})
	for len(s.queue) > 0 {
		s.do(op{verb: "step"})
	}
	return s.entries
}

func (s *reference) do(o op) {
	switch o.verb {
	case "add":
		s.newTask()
	case "stop all":
		s.stopped = true
		for _, t := range s.tasks {
			s.stop(t)
		}
	case "step":
		if len(s.queue) > 0 {
			f := s.queue[0]
			s.queue = s.queue[1:]
			f()
		} else if s.resting {
			s.resting = false
			s.slice()
		}
	case "stop":
		if o.of < len(s.tasks) {
			s.add("stop %d %v", o.of, s.stop(s.tasks[o.of]))
		}
	case "pause":
		if o.of < len(s.tasks) {
			s.tasks[o.of].paused++
			s.pauses = append(s.pauses, s.tasks[o.of])
		}
	case "resume":
		if o.of < len(s.pauses) && s.pauses[o.of] != nil {
			s.pauses[o.of].paused--
			s.pauses[o.of] = nil
		}
	case "settle", "fail":
		if o.of < len(s.waits) {
			s.settle(o, s.waits[o.of])
		}
	}
	s.look()
}

func (s *reference) newTask() {
	n := len(s.tasks)
	if n == len(s.scripts) {
		return
	}
	t := &refTask{n: n}
	s.tasks = append(s.tasks, t)
	if s.stopped {
		t.why = "stopped"
		s.ends(t)
	}
}

// stop reports whether it was the first thing to end t.
func (s *reference) stop(t *refTask) bool {
	if t.over || t.why != "" {
		return false
	}
	t.why = "stopped"
	w := t.wait
	t.wait = nil
	s.look()
	s.cancel(w)
	return true
}

func (s *reference) cancel(w *refWait) {
	if w != nil && !w.settled {
		w.settled = true
		s.queue = append(s.queue, func() {}) // the task sees that, and does nothing
	}
}

func (s *reference) settle(o op, w *refWait) {
	s.add("%s %d %v", o.verb, o.of, !w.settled)
	if w.settled {
		return
	}
	w.settled = true
	s.queue = append(s.queue, func() {
		if w.by.wait == w {
			w.by.wait = nil
			if o.verb == "fail" {
				w.by.why = errWork.Error()
			}
		}
	})
}

func (s *reference) ends(t *refTask) {
	t.over = true
	s.queue = append(s.queue, func() { s.add("%d: %s", t.n, t.why) })
}

// ready reports whether something is to be done for t: a unit, or its end.
func (t *refTask) ready() bool {
	return !t.over && (t.why != "" || !t.running && t.wait == nil && t.paused == 0)
}

// look gives tickets to those that have become ready, and queues a slice.
func (s *reference) look() {
	any, ends := false, false
	for _, t := range s.tasks {
		switch {
		case !t.ready():
			t.ticket = 0
		case t.ticket == 0 || t.why != "" && t.ticket > 0: // ends come before all units, so they count from below
			s.tickets++
			t.ticket = s.tickets
			if t.why != "" {
				t.ticket -= 1 << 30
			}
		}
		any = any || t.ready()
		ends = ends || t.ready() && t.why != ""
	}
	if any && !s.sliced || s.resting && ends {
		s.sliced, s.resting = true, false
		s.queue = append(s.queue, s.slice)
	}
}

func (s *reference) first() (t *refTask) {
	for _, x := range s.tasks {
		if x.ready() && (t == nil || x.ticket < t.ticket) {
			t = x
		}
	}
	return t
}

func (s *reference) slice() {
	for n := 0; n < s.most; {
		t := s.first()
		switch {
		case t == nil:
			s.sliced = false
			return
		case t.why != "":
			if t.begun {
				s.add("%d ends", t.n)
			}
			s.ends(t)
		default:
			n++
			s.turn(t)
		}
		s.look()
	}
	if t := s.first(); t != nil && t.why == "" {
		s.resting = true
	} else {
		s.sliced = false
	}
}

func (s *reference) turn(t *refTask) {
	t.running, t.begun = true, true
	s.look()
	defer func() { t.running = false }()
	end := func(why string) {
		s.add("%d ends", t.n)
		if t.why == "" {
			t.why = why
			s.ends(t)
		}
		t.begun = false // nothing is left to end
	}
	if t.next == len(s.scripts[t.n]) {
		end("done")
		return
	}
	e := s.scripts[t.n][t.next]
	s.add("%d.%d", t.n, t.next)
	t.next++
	s.do(e.does)
	switch e.yields {
	case "panic":
		end("panic")
	case "wait":
		w := &refWait{by: t}
		s.waits = append(s.waits, w)
		if t.why != "" {
			s.cancel(w)
		} else {
			t.wait = w
		}
	case "failed":
		if t.why == "" {
			t.why = errWork.Error()
		}
	}
}

func TestCooperator_model(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlot(t)
		first, want := strings.Join(p.play(), "\n"), strings.Join(p.reference(), "\n")
		if first != want {
			t.Fatalf("%s", differ(first, want))
		}
		if second := strings.Join(p.play(), "\n"); second != first {
			t.Fatalf("the same program again: %s", differ(second, first))
		}
	})
}

// differ tells from where on two logs are not the same.
func differ(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	from := max(0, i-10)
	return fmt.Sprintf("after %q\n got %q\nwant %q", w[from:i], g[i:min(len(g), i+5)], w[i:min(len(w), i+5)])
}
