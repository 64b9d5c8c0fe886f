package future_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// This file is the interpreter of the conformance programs. It runs one inline,
// as Twisted does, or on a reactor: where the Deferreds and coroutines are made
// is a parameter, nothing else differs.

// named is an error of a program. It does not unwrap, so that an error inside
// of it is not taken for it.
type named string

func (e named) Error() string { return string(e) }

// errAsked is the cause of the cancels that programs ask for.
var errAsked = errors.New("the program cancels")

func nameOf(err error) string {
	var n named
	switch {
	case errors.As(err, &n):
		return string(n)
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, future.ErrCanceled):
		return "Timeout"
	case errors.Is(err, future.ErrCanceled):
		return "Cancelled"
	}
	return err.Error()
}

type deferred = *future.Deferred[any]

// A machine runs one program.
type machine struct {
	books  *future.Books // makes the Deferreds
	clock  *ticks
	loop   *reactor.Reactor // nil: inline
	late   bool             // the loop runs only before time moves on, and at the end
	names  []string         // in order of the first binding
	vars   map[string]deferred
	roots  map[string]*root
	timers map[string]*tick
	taken  map[string]bool
	confThings
	trace []any
	end   func() // ends the waits of coroutines; nil: there are none
}

// root is the write side that a name was created with.
type root struct {
	d     deferred
	res   future.Resolver[any]
	fired bool
}

// newMachine returns a machine whose Deferreds are inline.
func newMachine() *machine {
	v := clock.NewVirtual()
	return &machine{
		books:  future.NewBooks(),
		clock:  &ticks{v: v, on: v, start: v.Now()},
		vars:   map[string]deferred{},
		roots:  map[string]*root{},
		timers: map[string]*tick{},
		taken:  map[string]bool{},
		confThings: confThings{
			sems:   map[string]*confSem{},
			queues: map[string]*lock.Queue[any]{},
			loops:  map[string]*confLoop{},
		},
	}
}

// confMachineOn returns a machine whose Deferreds are on a reactor.
func confMachineOn() *machine {
	m := newMachine()
	m.loop = reactor.New(m.clock.v)
	m.clock.on = m.loop
	m.books = future.NewBooksOn(m.loop)
	return m
}

// A confRun is what is left of a run.
type confRun struct {
	trace     []any    // as Twisted left it
	ends      []any    // of all names, in order, also those whose result was taken over
	unhandled []string // failures that nobody took, sorted
	panicked  string
}

// execute runs p. Between two of its steps the reactor, if there is one, runs
// what is ready.
func (m *machine) execute(p twistedProgram) (r confRun) {
	defer func() {
		if v := recover(); v != nil {
			r.panicked = fmt.Sprint("panic: ", v)
		}
	}()
	for _, s := range p.Steps {
		m.step(s)
		if !m.late {
			m.clock.v.Advance(0)
		}
	}
	m.clock.v.Advance(0)
	r.unhandled = m.unhandled()
	r.trace = slices.Clone(m.trace)
	for _, name := range m.names {
		end := m.final(name)
		r.ends = append(r.ends, end)
		if !m.taken[name] {
			r.trace = append(r.trace, end)
		}
	}
	if m.end != nil {
		m.end() // the coroutines that still wait
	}
	if m.loop != nil {
		m.loop.Stop()
	}
	return r
}

// endWith returns a context below ctx, and what ends it after what end does.
func endWith(end func(), ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, func() {
		if end != nil {
			end()
		}
		cancel()
	}
}

func (m *machine) emit(event ...any) { m.trace = append(m.trace, event) }

func (m *machine) bind(name string, d deferred) {
	if _, ok := m.vars[name]; !ok {
		m.names = append(m.names, name)
	}
	m.vars[name] = d
}

// derive binds name to what a combinator makes of the Deferred that it names,
// before a callback of that can run.
func (m *machine) derive(name string, make func(d deferred) deferred) {
	gate, open := future.NewIn[any](m.books)
	d := m.vars[name]
	m.bind(name, make(gate))
	open.Follow(d)
}

// take returns the Deferred of a name whose result is taken over.
func (m *machine) take(name string) deferred {
	m.taken[name] = true
	return m.vars[name]
}

// value is a value of a program as JSON has it.
func value(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = value(v[i])
		}
		return out
	}
	return v
}

// confResult is event with an outcome.
func confResult(event []any, v any, err error) []any {
	if err != nil {
		return append(event, "e", nameOf(err))
	}
	return append(event, "v", value(v))
}

func (m *machine) run(steps []step) {
	for _, s := range steps {
		m.step(s)
	}
}

func (m *machine) step(s step) {
	switch s.Do {
	case "new":
		m.create(s)
	case "succeed", "fail":
		m.settled(s)
	case "then", "catch", "both", "pair":
		m.chain(s)
	case "fire", "error":
		m.fire(s)
	case "cancel":
		m.vars[s.D].Cancel(errAsked)
	case "timeout":
		m.derive(s.D, func(d deferred) deferred { return d.Timeout(m.clock, time.Duration(s.After)*time.Second) })
	case "later", "tcancel", "treset", "tdelay":
		m.timer(s)
	case "timers":
		m.emit("timers", float64(m.clock.v.Pending()))
	case "advance":
		m.clock.advance(s.By)
		m.emit("now", float64(m.clock.now))
	case "all", "settled", "any", "race":
		m.gather(s)
	case "async":
		m.async(s)
	case "sem", "acquire", "release", "run":
		m.semaphore(s)
	case "queue", "put", "get":
		m.queue(s)
	case "loop", "lstop", "lreset":
		m.looping(s)
	default:
		panic("no word for " + s.Do)
	}
}

func (m *machine) create(s step) {
	d, res := future.NewIn[any](m.books)
	m.roots[s.D] = &root{d: d, res: res}
	m.bind(s.D, d)
	if s.Canceller == nil {
		return
	}
	res.OnCancel(func(error) {
		m.emit("canceller", s.D)
		var does struct{ Ok, Err *any }
		if string(s.Canceller) == `"noop"` {
			return
		}
		if err := json.Unmarshal(s.Canceller, &does); err != nil {
			panic(err)
		}
		if does.Err != nil {
			res.Fail(named((*does.Err).(string)))
		} else {
			var v any
			if does.Ok != nil {
				v = *does.Ok
			}
			res.Succeed(v)
		}
	})
}

// settled makes a Deferred that has settled.
func (m *machine) settled(s step) {
	d, res := future.NewIn[any](m.books)
	m.roots[s.D] = &root{d, res, true}
	m.bind(s.D, d)
	if s.Do == "succeed" {
		res.Succeed(s.V)
	} else {
		res.Fail(named(s.E))
	}
}

func (m *machine) fire(s step) {
	r := m.roots[s.D]
	switch {
	case r.fired:
		m.emit("fire", s.D, "already")
		return
	case future.Settled(r.d):
		return // a cancellation did
	}
	m.emit("fire", s.D, "ok")
	r.fired = true
	if s.Do == "fire" {
		r.res.Succeed(s.V)
	} else {
		r.res.Fail(named(s.E))
	}
}

func (m *machine) chain(s step) {
	m.derive(s.D, func(d deferred) deferred {
		switch s.Do {
		case "then":
			return future.ThenFlat(d, func(v any) deferred { return m.call(s.Cb, s.Act, v, nil) })
		case "catch":
			return d.CatchFlat(func(err error) deferred { return m.call(s.Cb, s.Act, nil, err) })
		}
		return future.Flatten(future.Handle(d, func(v any, err error) (deferred, error) {
			if s.Do == "pair" && err != nil {
				return m.call(s.Eb, s.Eact, nil, err), nil
			}
			return m.call(s.Cb, s.Act, v, err), nil
		}))
	})
}

// call does what a callback does, and returns what it returns.
func (m *machine) call(name string, a *twistedAct, v any, err error) deferred {
	m.emit(confResult([]any{"cb", name}, v, err)...)
	return m.act(a, v, err)
}

func (m *machine) act(a *twistedAct, v any, err error) deferred {
	m.run(a.Also)
	switch {
	case a.Ret != nil:
		return future.Succeed(*a.Ret)
	case a.Inc != nil:
		if f, ok := v.(float64); ok && err == nil {
			return future.Succeed[any](f + float64(*a.Inc))
		}
		return future.Succeed[any](float64(*a.Inc))
	case a.Raise != "":
		return future.Fail[any](named(a.Raise))
	case a.Wait != "":
		return m.take(a.Wait)
	}
	return future.Settle(v, err)
}

func (m *machine) timer(s step) {
	if s.Do == "later" {
		m.timers[s.T] = m.clock.later(s.After, func() {
			m.emit("timer", s.T, float64(m.clock.now))
			m.run(s.Steps)
		})
		return
	}
	t := m.timers[s.T]
	state := "ok"
	switch {
	case t.called:
		state = "called"
	case t.canceled:
		state = "cancelled"
	}
	m.emit(s.Do, s.T, state)
	if state != "ok" {
		return
	}
	switch s.Do {
	case "tcancel":
		t.canceled = true
		t.Stop()
	case "treset":
		t.move(m.clock.now + s.To)
	case "tdelay":
		t.move(t.due + s.By)
	}
}

// A confIndexed is the value of an input of a gather.
type confIndexed struct {
	i int
	v any
}

// A confGather is a gather of a program, made with one of the library's, between
// its inputs and its result.
type confGather struct {
	m    *machine
	kind string
	ins  []*future.Deferred[confIndexed]
	errs []error // of the inputs that have failed
}

func (m *machine) gather(s step) {
	g := &confGather{
		m:    m,
		kind: s.Do,
		ins:  make([]*future.Deferred[confIndexed], len(s.Of)),
		errs: make([]error, len(s.Of)),
	}
	for i, name := range s.Of {
		g.input(i, m.take(name))
	}
	out, res := future.NewIn[any](m.books)
	res.Follow(g.start())
	m.bind(s.D, out)
}

// input makes the i-th input, which settles as d does. The library's gathers
// cancel their losers, which most of the program's do not: so between the two
// stands a Resolver that passes on only the cancels that the program asks for.
func (g *confGather) input(i int, d deferred) {
	in, res := future.NewIn[confIndexed](g.m.books)
	g.ins[i] = in
	var asked func(cause error)
	asked = func(cause error) {
		if g.kind != "race" && !errors.Is(cause, errAsked) && !errors.Is(cause, context.DeadlineExceeded) {
			return
		}
		answer, next := future.NewIn[confIndexed](g.m.books) // d may take its time, and be asked again
		next.OnCancel(asked)
		before := res
		res = next
		d.Cancel(errAsked)
		before.Follow(answer)
	}
	res.OnCancel(asked)
	future.Handle(d, func(v any, err error) (any, error) {
		if err != nil {
			g.errs[i] = err
			err = named(fmt.Sprintf("First(%d,%s)", i, nameOf(err)))
		}
		res.Settle(confIndexed{i, v}, err)
		return nil, nil
	})
}

func (g *confGather) start() deferred {
	switch g.kind {
	case "all":
		return future.Then(future.All(g.ins...), func(vs []confIndexed) (any, error) {
			list := make([]any, len(vs))
			for i := range vs {
				list[i] = vs[i].v
			}
			return list, nil
		})
	case "settled":
		return future.Then(future.AllSettled(g.ins...), func([]future.Outcome[confIndexed]) (any, error) { return g.outcomes(), nil })
	}
	return future.Handle(future.Any(g.ins...), func(first confIndexed, err error) (any, error) {
		switch {
		case errors.Is(err, future.ErrCanceled): // not the gather's: it came before this step
			return nil, err
		case g.kind == "any" && err != nil:
			return g.outcomes(), nil
		case g.kind == "any":
			return []any{first.v, first.i}, nil
		case err != nil:
			return nil, g.group()
		}
		return []any{first.i, first.v}, nil
	})
}

// outcomes lists the inputs, all of which have settled.
func (g *confGather) outcomes() any {
	list := make([]any, len(g.ins))
	for i, in := range g.ins {
		if v, err := in.Result(); err != nil {
			list[i] = []any{false, map[string]any{"e": nameOf(g.errs[i])}}
		} else {
			list[i] = []any{true, v.v}
		}
	}
	return list
}

// group is the error of a race that all have lost.
func (g *confGather) group() error {
	var names []string
	for _, err := range g.errs {
		names = append(names, nameOf(err))
	}
	return named("Group(" + strings.Join(names, ",") + ")")
}

func (m *machine) async(s step) {
	d, res := future.NewIn[any](m.books)
	m.bind(s.D, d)
	f := func(ctx context.Context) (any, error) { return m.coroutine(ctx, s) }
	if m.loop != nil {
		res.Follow(future.AsyncOn(context.Background(), m.loop, f))
	} else {
		res.Follow(future.Async(context.Background(), f))
	}
}

func (m *machine) coroutine(ctx context.Context, s step) (last any, err error) {
	ctx, m.end = endWith(m.end, context.WithoutCancel(ctx)) // Twisted's cancel strikes one wait
	for i, in := range s.Body {
		switch {
		case in.Ret != nil:
			return *in.Ret, nil
		case in.Raise != "":
			return nil, named(in.Raise)
		}
		v, err := m.take(in.Await).Await(ctx)
		if ctx.Err() != nil { // the program is over
			return nil, err
		}
		m.emit(confResult([]any{"co", s.Co, float64(i)}, v, err)...)
		if err != nil && !in.Catch {
			return nil, err
		}
		last = v
	}
	return last, nil
}

// unhandled lists the failures that nobody took.
func (m *machine) unhandled() (list []string) {
	for _, err := range m.books.Unhandled() {
		list = append(list, nameOf(err))
	}
	slices.Sort(list)
	return list
}

// final is the event that says how name has ended.
func (m *machine) final(name string) []any {
	d := m.vars[name]
	if !future.Settled(d) {
		return []any{"final", name, "pending"}
	}
	v, err := future.Peek(d)
	return confResult([]any{"final", name}, v, err)
}

// ticks is the clock of a program. It goes second by second: each first moves
// the time, then runs what is due.
type ticks struct {
	v         *clock.Virtual
	on        clock.Clock // v, or a reactor on it
	start     time.Time
	now       int
	advancing bool
}

func (c *ticks) Now() time.Time { return c.start.Add(time.Duration(c.now) * time.Second) }

func (c *ticks) CallLater(d time.Duration, f func()) clock.Timer {
	return tickTimer{c.on.CallLater(c.from(d), f), c}
}

// from is how long it is to the second that is d after this one.
func (c *ticks) from(d time.Duration) time.Duration { return c.until(c.now + int(d/time.Second)) }

type tickTimer struct {
	clock.Timer
	c *ticks
}

func (t tickTimer) Reset(d time.Duration) bool { return t.Timer.Reset(t.c.from(d)) }

// until is how long it is to the second due. Twisted runs what is due at once
// when the next second has come, and before what is due then: so that gets the
// last nanosecond before.
func (c *ticks) until(due int) time.Duration {
	at := time.Duration(due) * time.Second
	if due <= c.now && !c.advancing {
		at = time.Duration(c.now+1)*time.Second - 1
	}
	return c.start.Add(at).Sub(c.v.Now())
}

func (c *ticks) advance(by int) {
	for range by {
		c.now++
		c.advancing = true
		c.v.Advance(time.Second)
		c.advancing = false
	}
}

// A tick is a delayed call of a program.
type tick struct {
	clock.Timer
	c                *ticks
	due              int
	called, canceled bool
}

func (c *ticks) later(after int, f func()) *tick {
	t := &tick{c: c, due: c.now + after}
	t.Timer = c.on.CallLater(c.until(t.due), func() {
		t.called = true
		f()
	})
	return t
}

func (t *tick) move(due int) {
	t.due = due
	t.Reset(t.c.until(due))
}
