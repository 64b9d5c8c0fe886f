package future_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// A twistedProgram is one line of the conformance data: what to do, and the trace that
// Twisted left when it did that.
type twistedProgram struct {
	Name      string   `json:"name"`
	Family    string   `json:"family"`
	Steps     []step   `json:"steps"`
	Trace     []any    `json:"trace"`
	Unhandled []string `json:"unhandled"`
}

type step struct {
	Do        string          `json:"do"`
	D         string          `json:"d"`
	T         string          `json:"t"`
	V         any             `json:"v"`
	E         string          `json:"e"`
	Cb        string          `json:"cb"`
	Eb        string          `json:"eb"`
	Act       *twistedAct     `json:"act"`
	Eact      *twistedAct     `json:"eact"`
	Canceller json.RawMessage `json:"canceller"`
	After     int             `json:"after"`
	To        int             `json:"to"`
	By        int             `json:"by"`
	Of        []string        `json:"of"`
	Steps     []step          `json:"steps"`
	Co        string          `json:"co"`
	Body      []instruction   `json:"body"`
}

type twistedAct struct {
	Ret   *any   `json:"-"`
	Inc   *int   `json:"inc"`
	Pass  bool   `json:"pass"`
	Raise string `json:"raise"`
	Wait  string `json:"wait"`
	Also  []step `json:"also"`
}

func (a *twistedAct) UnmarshalJSON(b []byte) error {
	type plain twistedAct
	if err := json.Unmarshal(b, (*plain)(a)); err != nil {
		return err
	}
	return ret(b, &a.Ret)
}

type instruction struct {
	Await string `json:"await"`
	Catch bool   `json:"catch"`
	Ret   *any   `json:"-"`
	Raise string `json:"raise"`
}

func (i *instruction) UnmarshalJSON(b []byte) error {
	type plain instruction
	if err := json.Unmarshal(b, (*plain)(i)); err != nil {
		return err
	}
	return ret(b, &i.Ret)
}

// ret reads "ret", which may be there and null.
func ret(b []byte, at **any) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if v, ok := m["ret"]; ok {
		*at = &v
	}
	return nil
}

// known are the families that the interpreter has words for.
var known = []string{"linear", "chain", "reentrant", "cancel", "timeout", "gather", "timer", "unhandled", "async"}

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
	books  *future.Books
	clock  *ticks
	names  []string // in order of the first binding
	vars   map[string]deferred
	roots  map[string]*root
	timers map[string]*tick
	taken  map[string]bool
	trace  []any
}

// root is the write side that a name was created with.
type root struct {
	d     deferred
	res   future.Resolver[any]
	fired bool
}

func newMachine() *machine {
	m := &machine{books: future.NewBooks(), vars: map[string]deferred{}, roots: map[string]*root{}, timers: map[string]*tick{}, taken: map[string]bool{}}
	m.clock = &ticks{}
	return m
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

func (m *machine) result(event []any, v any, err error) {
	if err != nil {
		m.emit(append(event, "e", nameOf(err))...)
	} else {
		m.emit(append(event, "v", value(v))...)
	}
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
		d, res := future.NewIn[any](m.books)
		m.roots[s.D] = &root{d, res, true}
		m.bind(s.D, d)
		if s.Do == "succeed" {
			res.Succeed(s.V)
		} else {
			res.Fail(named(s.E))
		}
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
		m.emit("timers", float64(m.clock.pending()))
	case "advance":
		m.clock.advance(s.By)
		m.emit("now", float64(m.clock.now))
	case "all", "settled", "any", "race":
		m.gather(s)
	case "async":
		m.async(s)
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
	m.result([]any{"cb", name}, v, err)
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
	case "treset":
		m.clock.move(t, m.clock.now+s.To)
	case "tdelay":
		m.clock.move(t, t.due+s.By)
	}
}

// gather gathers with the library's gathers. Those cancel their losers, which
// most of the program's do not: so each input stands behind a Resolver that
// passes on only what the program asks for.
func (m *machine) gather(s step) {
	type indexed struct {
		i int
		v any
	}
	ins := make([]*future.Deferred[indexed], len(s.Of))
	errs := make([]error, len(s.Of))
	for i, name := range s.Of {
		d := m.take(name)
		in, res := future.New[indexed]()
		ins[i] = in
		mapped := future.Handle(d, func(v any, err error) (indexed, error) {
			if err != nil {
				errs[i] = err
				err = named(fmt.Sprintf("First(%d,%s)", i, nameOf(err)))
			}
			return indexed{i, v}, err
		})
		res.OnCancel(func(cause error) {
			if s.Do == "race" || errors.Is(cause, errAsked) || errors.Is(cause, context.DeadlineExceeded) {
				d.Cancel(errAsked)
				res.Follow(mapped) // which may take its time
			}
		})
		future.Handle(mapped, func(v indexed, err error) (any, error) {
			res.Settle(v, err)
			return nil, nil
		})
	}
	outcomes := func() any {
		list := make([]any, len(ins))
		for i, in := range ins {
			if v, err := in.Result(); err != nil {
				list[i] = []any{false, map[string]any{"e": nameOf(errs[i])}}
			} else {
				list[i] = []any{true, v.v}
			}
		}
		return list
	}
	var d deferred
	switch s.Do {
	case "all":
		d = future.Then(future.All(ins...), func(vs []indexed) (any, error) {
			list := make([]any, len(vs))
			for i := range vs {
				list[i] = vs[i].v
			}
			return list, nil
		})
	case "settled":
		d = future.Then(future.AllSettled(ins...), func([]future.Outcome[indexed]) (any, error) { return outcomes(), nil })
	case "any":
		d = future.Handle(future.Any(ins...), func(v indexed, err error) (any, error) {
			if err != nil {
				return outcomes(), nil
			}
			return []any{v.v, v.i}, nil
		})
	case "race":
		d = future.Handle(future.Any(ins...), func(v indexed, err error) (any, error) {
			if err == nil {
				return []any{v.i, v.v}, nil
			}
			var group []string
			for _, err := range errs {
				group = append(group, nameOf(err))
			}
			return nil, named("Group(" + strings.Join(group, ",") + ")")
		})
	}
	out, res := future.NewIn[any](m.books)
	res.Follow(d)
	m.bind(s.D, out)
}

func (m *machine) async(s step) {
	d, res := future.NewIn[any](m.books)
	m.bind(s.D, d)
	res.Follow(future.Async(context.Background(), func(ctx context.Context) (any, error) {
		ctx = context.WithoutCancel(ctx) // Twisted's cancel strikes one wait
		var last any
		for i, in := range s.Body {
			switch {
			case in.Ret != nil:
				return *in.Ret, nil
			case in.Raise != "":
				return nil, named(in.Raise)
			}
			v, err := m.take(in.Await).Await(ctx)
			m.result([]any{"co", s.Co, float64(i)}, v, err)
			if err != nil && !in.Catch {
				return nil, err
			}
			last = v
		}
		return last, nil
	}))
}

// finish adds what is left at the end.
func (m *machine) finish() (unhandled []string) {
	for _, err := range m.books.Unhandled() {
		unhandled = append(unhandled, nameOf(err))
	}
	slices.Sort(unhandled)
	for _, name := range m.names {
		d := m.vars[name]
		switch {
		case m.taken[name]:
		case !future.Settled(d):
			m.emit("final", name, "pending")
		default:
			v, err := future.Peek(d)
			m.result([]any{"final", name}, v, err)
		}
	}
	return unhandled
}

// ticks is a clock that goes second by second.
type ticks struct {
	now   int
	seq   int
	calls []*tick
}

type tick struct {
	c                *ticks
	due, seq         int
	f                func()
	called, canceled bool
}

func (c *ticks) Now() time.Time { return time.Unix(int64(c.now), 0) }

func (c *ticks) CallLater(d time.Duration, f func()) clock.Timer {
	return c.later(int(d/time.Second), f)
}

func (c *ticks) later(after int, f func()) *tick {
	t := &tick{c: c, f: f}
	c.calls = append(c.calls, t)
	c.move(t, c.now+after)
	return t
}

func (c *ticks) move(t *tick, due int) {
	c.seq++
	t.due, t.seq = due, c.seq
}

func (t *tick) Stop() bool {
	was := !t.called && !t.canceled
	t.canceled = t.canceled || was
	return was
}

func (t *tick) Reset(time.Duration) bool { panic("not used") }

func (c *ticks) pending() (n int) {
	for _, t := range c.calls {
		if !t.called && !t.canceled {
			n++
		}
	}
	return n
}

func (c *ticks) advance(by int) {
	for range by {
		c.now++
		for t := c.next(); t != nil; t = c.next() {
			t.called = true
			t.f()
		}
	}
}

// next is the first call that is due.
func (c *ticks) next() (first *tick) {
	for _, t := range c.calls {
		if !t.called && !t.canceled && t.due <= c.now && (first == nil || t.due < first.due || t.due == first.due && t.seq < first.seq) {
			first = t
		}
	}
	return first
}

// execute runs p and returns its trace and its list of unhandled failures.
func execute(p twistedProgram) (trace []any, unhandled []string) {
	m := newMachine()
	m.run(p.Steps)
	unhandled = m.finish()
	return m.trace, unhandled
}

// sameJSON compares as JSON does.
func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}

func conform(p twistedProgram) (problem string) {
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprint("panic: ", v)
		}
	}()
	if !slices.Contains(known, p.Family) {
		return "no words for the family " + p.Family
	}
	trace, unhandled := execute(p)
	if !sameJSON(trace, p.Trace) {
		return fmt.Sprintf("trace\n%v\nwant\n%v", lines(trace), lines(p.Trace))
	}
	if len(unhandled)+len(p.Unhandled) > 0 && !reflect.DeepEqual(unhandled, p.Unhandled) {
		return fmt.Sprintf("unhandled %v, want %v", unhandled, p.Unhandled)
	}
	return ""
}

func lines(trace []any) string {
	var b strings.Builder
	for _, e := range trace {
		j, _ := json.Marshal(e)
		fmt.Fprintf(&b, "\t%s\n", j)
	}
	return b.String()
}

func readPrograms(t *testing.T, r io.Reader) (ps []twistedProgram) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var p twistedProgram
		if err := json.Unmarshal(sc.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// TestConformance runs the conformance programs of testdata/conformance, or of
// the directory that DEFERRED_CONFORMANCE names, and compares with what Twisted
// did.
func TestConformance(t *testing.T) {
	var programs []twistedProgram
	if dir := os.Getenv("DEFERRED_CONFORMANCE"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no .jsonl files in %s: %v", dir, err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			programs = append(programs, readPrograms(t, f)...)
			f.Close()
		}
	} else {
		for _, family := range known {
			f, err := os.Open(filepath.Join("testdata", "conformance", family+".jsonl.gz"))
			if err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			programs = append(programs, readPrograms(t, z)...)
			f.Close()
		}
	}
	identical, shown := 0, 0
	for _, p := range programs {
		problem := conform(p)
		if problem == "" {
			identical++
		} else if shown++; shown <= 5 {
			t.Errorf("%s: %s", p.Name, problem)
		}
	}
	t.Logf("conformance: %d programs, %d identical", len(programs), identical)
	if identical < len(programs) {
		t.Errorf("%d programs differ", len(programs)-identical)
	}
}
