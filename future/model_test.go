package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// TestModel makes, chains, gathers, settles and cancels inline Deferreds at
// random, also inside of callbacks, and does the same to a naive reference
// (see modelRef). After every step both must have called the same callbacks
// with the same outcomes in the same order, every call must have returned the
// same, every Deferred ever made must have the same state, and in the end the
// same failures must be unhandled.
func TestModel(t *testing.T) {
	t.Parallel()
	for range 4 { // rapid's usual number of checks is too small for so many operations
		rapid.Check(t, modelProgram)
	}
}

func modelProgram(t *rapid.T) {
	m := &modelMachine{
		real:      &modelSide{lib: newModelRealLib()},
		reference: &modelSide{lib: new(modelFakeLib)},
	}
	m.do(t, modelOp{kind: "New"})
	actions := map[string]func(*rapid.T){"": m.check}
	for name, kinds := range modelActions {
		actions[name] = func(t *rapid.T) {
			for range rapid.IntRange(1, 3).Draw(t, "ops") {
				m.do(t, m.draw(t, kinds, 2))
			}
		}
	}
	actions["tower"] = m.tower
	t.Repeat(actions)
	m.end(t)
}

// modelActions are the actions by name, each with the operations it chooses
// from.
var modelActions = map[string][]string{
	"make":    {"New", "New", "Keep", "Made", "After"},
	"settle":  {"Succeed", "Succeed", "Fail", "Settle"},
	"follow":  {"Follow"},
	"cancel":  {"Cancel"},
	"ask":     {"OnCancel"},
	"chain":   {"Then", "Catch", "Handle", "Finally", "Shield", "Hold"},
	"release": {"Release"},
	"flatten": {"ThenFlat", "ThenFlat", "CatchFlat", "Flatten"},
	"gather":  {"All", "AllSettled", "Any", "Race", "Join2"},
	"limit":   {"Timeout", "Context", "WithContext", "WithContext"},
	"time":    {"Advance", "Advance", "EndContext"},
	"look":    {"Result", "Done"},
}

// modelInside are the operations inside of callbacks.
var modelInside = []string{
	"Succeed", "Fail", "Follow", "Cancel", "Cancel", "OnCancel", "Then", "Handle", "Shield", "ThenFlat", "Any", "All",
	"Timeout", "WithContext", "EndContext", "Result", "Hold", "Release", "Release",
}

// A modelOp is one operation.
type modelOp struct {
	kind   string
	on     []int // on which Deferreds, counted from the newest
	k      int   // a delay, a cause, the number of a context
	fails  bool
	script *modelScript // what its callback or canceller does
}

// A modelScript is what a callback does.
type modelScript struct {
	id     int
	inside []modelOp
	end    string // how it ends
	on     int    // with which Deferred
}

func (op modelOp) String() string {
	s := fmt.Sprintf("%s %v k=%d fails=%t", op.kind, op.on, op.k, op.fails)
	if sc := op.script; sc != nil {
		s += fmt.Sprintf(" #%d{%v %s %d}", sc.id, sc.inside, sc.end, sc.on)
	}
	return s
}

// A modelMachine is the library and the reference, which do the same.
type modelMachine struct {
	real, reference *modelSide
	ids             int
}

// draw draws an operation of one of the kinds. Its callback does others, depth
// callbacks deep.
func (m *modelMachine) draw(t *rapid.T, kinds []string, depth int) modelOp {
	m.ids++
	op := modelOp{
		kind:  rapid.SampledFrom(kinds).Draw(t, "kind"),
		on:    rapid.SliceOfN(rapid.IntRange(0, 19), 1, 4).Draw(t, "on"),
		k:     rapid.IntRange(0, 5).Draw(t, "k"),
		fails: rapid.Bool().Draw(t, "fails"),
	}
	s := &modelScript{id: m.ids}
	op.script = s
	if depth > 0 {
		for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "inside") {
			s.inside = append(s.inside, m.draw(t, modelInside, depth-1))
		}
	}
	ends := modelEnds
	if strings.Contains(op.kind, "lat") { // ThenFlat, CatchFlat, Flatten
		ends = modelFlatEnds
	}
	s.end = rapid.SampledFrom(ends).Draw(t, "end")
	s.on = rapid.IntRange(0, 19).Draw(t, "end on")
	return op
}

// tower builds what random operations seldom do: a Deferred that has settled as
// one that is pending, and that another one follows. So the latter takes over.
func (m *modelMachine) tower(t *rapid.T) {
	do := func(kind string, on, with int) {
		op := m.draw(t, []string{kind}, 1)
		op.on[0], op.script.on, op.script.end = on, with, "made"
		m.do(t, op)
	}
	const newest, second = 1, 3 // of those that are pending
	if rapid.Bool().Draw(t, "kept") {
		do("Keep", 0, 0)
		if rapid.Bool().Draw(t, "early") {
			do("Handle", newest, 0)
		}
	}
	do("New", 0, 0)
	do("ThenFlat", newest, 1+2*rapid.IntRange(0, 6).Draw(t, "inner"))
	do("New", 0, 0)
	do("Follow", newest, second)
	if rapid.Bool().Draw(t, "opens") {
		do("Succeed", newest, 0)
	}
}

// modelEnds are the ways in which a callback ends: with a value, an error of
// its own or the one that it got, a panic, the bare error of a context.
var modelEnds = []string{"value", "value", "value", "error", "again", "panic", "context"}

// modelFlatEnds are those of a callback that returns a Deferred: also one that
// was made before, its own, or none.
var modelFlatEnds = append([]string{"made", "made", "made", "made", "made", "made", "made", "own", "nil"}, modelEnds...)

func (m *modelMachine) do(t *rapid.T, op modelOp) {
	t.Log(op)
	m.real.do(op)
	m.reference.do(op)
}

// check compares both. Of what was noted it shows all up to the first
// difference.
func (m *modelMachine) check(t *rapid.T) {
	m.real.lookAtAll()
	m.reference.lookAtAll()
	got, want := append(m.real.log, "-"), append(m.reference.log, "-")
	for i, line := range got {
		if line != want[i] {
			t.Fatalf("both: %s\nthe library:   %s\nthe reference: %s", strings.Join(got[:i], "\n      "), line, want[i])
		}
	}
	m.real.log, m.reference.log = nil, nil
}

// end compares what is unhandled. Then it takes note of all failures, so that
// none is logged.
func (m *modelMachine) end(t *rapid.T) {
	m.real.noteUnhandled()
	m.reference.noteUnhandled()
	m.check(t)
	for _, d := range m.real.all {
		d.result()
	}
}

// A modelSide is one of the two, with what it has made and noted.
type modelSide struct {
	lib      modelLib
	all      []modelDeferred
	ints     []modelInt
	roots    []modelRoot
	unused   []modelRoot // those that no Resolver has settled
	contexts int
	watched  []modelDeferred // by their Done channels
	releases []func()
	running  []*modelCallback
	log      []string
}

// A modelCallback is one that was attached.
type modelCallback struct {
	source modelInt
	own    modelInt // once the call that attached it has returned
}

// enter notes that c runs, until leave is called.
func (s *modelSide) enter(c *modelCallback) (leave func()) {
	s.running = append(s.running, c)
	return func() { s.running = s.running[:len(s.running)-1] }
}

func (s *modelSide) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

// add notes a Deferred that was made.
func (s *modelSide) add(d modelInt) {
	s.note("made %d", len(s.all))
	s.all, s.ints = append(s.all, d), append(s.ints, d)
}

// at is the Deferred with a number. Some numbers mean, inside of a callback,
// what that is attached to, or its own Deferred, if that is known. Otherwise it
// is one of those that are pending, if there are any and the number is odd, or
// one of all; in each counted from the newest.
func (s *modelSide) at(number int) modelInt {
	if d := s.here(number); d != nil {
		return d
	}
	from := s.ints
	if pending := s.pending(); number%2 == 1 && len(pending) > 0 {
		from = pending
	}
	return from[len(from)-1-number/2%len(from)]
}

func (s *modelSide) here(number int) modelInt {
	if len(s.running) == 0 {
		return nil
	}
	switch c := s.running[len(s.running)-1]; number % 5 {
	case 2:
		return c.source
	case 4:
		return c.own
	}
	return nil
}

func (s *modelSide) pending() (ds []modelInt) {
	for _, d := range s.ints {
		if _, _, settled := d.peek(); !settled {
			ds = append(ds, d)
		}
	}
	return ds
}

// rootAt is the same for Resolvers: an odd number is one of those that have not
// been used.
func (s *modelSide) rootAt(number int) modelRoot {
	from := s.roots
	if number%2 == 1 && len(s.unused) > 0 {
		from = s.unused
	}
	return from[len(from)-1-number/2%len(from)]
}

// used takes r off those that have not been used, if it was settled.
func (s *modelSide) used(r modelRoot, first bool) bool {
	if first {
		s.unused = slices.DeleteFunc(s.unused, func(x modelRoot) bool { return x == r })
	}
	return first
}

func (s *modelSide) ats(numbers []int) (ds []modelInt) {
	for _, number := range numbers {
		ds = append(ds, s.at(number))
	}
	return ds
}

func (s *modelSide) do(op modelOp) {
	switch op.kind {
	case "New":
		r := s.lib.root()
		s.roots, s.unused = append(s.roots, r), append(s.unused, r)
		s.add(r)
	case "Keep":
		r := s.lib.keep()
		s.roots, s.unused = append(s.roots, r), append(s.unused, r)
		s.add(r)
	case "Hold":
		h, release := s.at(op.on[0]).hold()
		s.releases = append(s.releases, release)
		s.add(h)
	case "Release":
		if n := len(s.releases); n > 0 {
			s.releases[n-1-op.on[0]%n]()
		}
	case "Made":
		s.made(op)
	case "After":
		s.add(s.lib.after(modelDelay(op.k-1), op.script.id))
	case "Succeed", "Fail", "Settle", "Follow", "OnCancel":
		s.resolve(op, s.rootAt(op.on[0]))
	case "Cancel":
		d := s.all[len(s.all)-1-op.on[0]%len(s.all)]
		if here := s.here(op.on[0]); here != nil {
			d = here
		}
		s.note("cancel: %t", d.Cancel([]error{nil, errA, errB, errModelOwn, future.ErrCanceled, nil}[op.k]))
	case "Then", "Catch", "Handle", "Finally", "Shield":
		s.add(s.chain(op, s.at(op.on[0])))
	case "ThenFlat", "CatchFlat", "Flatten":
		s.flatten(op, s.at(op.on[0]))
	case "All", "AllSettled", "Any", "Race", "Join2":
		s.gather(op, s.ats(op.on))
	case "Timeout":
		s.add(s.at(op.on[0]).timeout(modelDelay(op.k)))
	case "Result":
		value, err := s.at(op.on[0]).result()
		s.note("result: %s", modelText(value, err))
	case "Done":
		s.watched = append(s.watched, s.all[len(s.all)-1-op.on[0]%len(s.all)])
	case "Advance":
		s.lib.advance(modelDelay(op.k))
	default:
		s.contextual(op)
	}
}

func modelDelay(k int) time.Duration { return time.Duration(k) * time.Millisecond }

var errModelOwn = errors.New("own")

// made makes a Deferred that has settled.
func (s *modelSide) made(op modelOp) {
	err := fmt.Errorf("e%d", op.script.id)
	switch {
	case op.k < 2:
		s.add(s.lib.succeed(op.script.id))
	case op.k < 4:
		s.add(s.lib.fail(err))
	case op.fails:
		s.add(s.lib.settle(0, err))
	default:
		s.add(s.lib.settle(op.script.id, nil))
	}
}

// resolve is what can be done with a Resolver.
func (s *modelSide) resolve(op modelOp, r modelRoot) {
	id := op.script.id
	switch op.kind {
	case "Succeed":
		s.note("succeed: %t", s.used(r, r.succeed(id)))
	case "Fail":
		s.note("fail: %t", s.used(r, r.fail(fmt.Errorf("e%d", id))))
	case "Settle":
		var err error
		if op.fails {
			err = fmt.Errorf("e%d", id)
		}
		s.note("settle: %t", s.used(r, r.settle(id, err)))
	case "Follow":
		s.note("follow: %t", s.used(r, r.follow(s.at(op.script.on))))
	case "OnCancel":
		defer func() { // after a cancel the canceller runs at once
			if v := recover(); v != nil {
				s.note("on cancel: panic %v", v)
			}
		}()
		r.onCancel(func(cause error) { s.cancel(op, r, cause) })
	}
}

// cancel is what a canceller does.
func (s *modelSide) cancel(op modelOp, r modelRoot, cause error) {
	id := op.script.id
	v, err := s.call(op.script, "canceller", nil, cause)
	switch {
	case err != nil && err != cause:
		r.fail(err)
	case op.k == 1:
		r.succeed(v)
	case op.k == 2:
		s.note("follow: %t", r.follow(s.at(op.script.on)))
		if op.fails {
			panic(id)
		}
	case op.k == 3:
		r.fail(cause)
	}
	s.note("#%d returns", id)
}

// call is what a callback does that got value and err.
func (s *modelSide) call(script *modelScript, what string, value any, got error) (int, error) {
	s.note("#%d: %s of %s in %s", script.id, what, modelText(value, got), s.states())
	for _, op := range script.inside {
		s.do(op)
	}
	s.note("#%d ends", script.id)
	switch script.end {
	case "panic":
		panic(script.id)
	case "error":
		return 0, fmt.Errorf("e%d", script.id)
	case "again":
		return script.id, got
	case "context":
		return 0, context.Canceled
	}
	return script.id, nil
}

// flat is the same for a callback that returns a Deferred. own is its own, if
// that is known already.
func (s *modelSide) flat(script *modelScript, what string, own modelInt, value any, got error) modelInt {
	v, err := s.call(script, what, value, got)
	switch {
	case script.end == "made":
		return s.at(script.on)
	case script.end == "own":
		return own
	case script.end == "nil":
		return nil
	case err != nil:
		return s.lib.fail(err)
	}
	return s.lib.succeed(v)
}

func (s *modelSide) chain(op modelOp, d modelInt) modelInt {
	c := &modelCallback{source: d}
	call := func(what string, value any, err error) (int, error) {
		defer s.enter(c)()
		return s.call(op.script, what, value, err)
	}
	switch op.kind {
	case "Then":
		c.own = d.then(func(v int) (int, error) { return call("then", v, nil) })
	case "Catch":
		c.own = d.catch(func(err error) (int, error) { return call("catch", nil, err) })
	case "Handle":
		c.own = d.handle(func(v int, err error) (int, error) { return call("handle", v, err) })
	case "Finally":
		c.own = d.finally(func() error {
			_, err := call("finally", nil, nil)
			return err
		})
	case "Shield":
		c.own = d.shield()
	}
	return c.own
}

func (s *modelSide) flatten(op modelOp, d modelInt) {
	c := &modelCallback{source: d}
	call := func(what string, value any, err error) modelInt {
		defer s.enter(c)()
		return s.flat(op.script, what, c.own, value, err)
	}
	switch op.kind {
	case "ThenFlat":
		c.own = d.thenFlat(func(v int) modelInt { return call("flat", v, nil) })
	case "CatchFlat":
		c.own = d.catchFlat(func(err error) modelInt { return call("catchflat", nil, err) })
	case "Flatten":
		var outer modelDeferred
		outer, c.own = d.nested(func(v int) (modelInt, error) {
			in := call("nested", v, nil)
			if op.script.end == "error" {
				return nil, fmt.Errorf("e%d", op.script.id)
			}
			return in, nil
		})
		s.all = append(s.all, outer)
	}
	s.add(c.own)
}

func (s *modelSide) gather(op modelOp, ds []modelInt) {
	var all modelDeferred
	var d modelInt
	switch op.kind {
	case "All":
		all, d = s.lib.all(ds, func(vs []int) (int, error) { return s.call(op.script, "all", vs, nil) })
	case "AllSettled":
		all, d = s.lib.allSettled(ds, func(outs []future.Outcome[int]) (int, error) {
			return s.call(op.script, "settled", outs, nil)
		})
	case "Any", "Race":
		s.add(s.lib.first(op.kind, ds))
		return
	case "Join2":
		s.add(s.lib.join2(ds[0], ds[len(ds)-1], func(a, b int) (int, error) {
			return s.call(op.script, "join", []int{a, b}, nil)
		}))
		return
	}
	s.all = append(s.all, all)
	s.add(d)
}

// contextual is what has to do with contexts.
func (s *modelSide) contextual(op modelOp) {
	switch {
	case op.kind == "Context":
		s.lib.context(modelDelay(op.k + 1))
		s.contexts++
	case s.contexts == 0:
	case op.kind == "WithContext":
		s.add(s.at(op.on[0]).withContext(op.k % s.contexts))
	case op.kind == "EndContext":
		s.lib.endContext(op.k % s.contexts)
	}
}

// states are the states of all Deferreds, as a callback sees them.
func (s *modelSide) states() string {
	var b strings.Builder
	for _, d := range s.all {
		switch _, err, settled := d.peek(); {
		case !settled:
			b.WriteByte('.')
		case err != nil:
			b.WriteByte('e')
		default:
			b.WriteByte('v')
		}
	}
	for _, d := range s.watched {
		fmt.Fprintf(&b, " %t", d.closed())
	}
	return b.String()
}

// lookAtAll notes the outcome of every Deferred.
func (s *modelSide) lookAtAll() {
	s.note("%s", s.states())
	for i, d := range s.all {
		if value, err, settled := d.peek(); settled {
			s.note("%d has %s", i, modelText(value, err))
		}
	}
}

func (s *modelSide) noteUnhandled() {
	var texts []string
	for _, err := range s.lib.unhandled() {
		texts = append(texts, modelText(nil, err))
	}
	slices.Sort(texts)
	s.note("unhandled: %q", texts)
}

// modelText is an outcome, with what its error matches.
func modelText(value any, err error) string {
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "+")
		for i, target := range []error{future.ErrCanceled, context.Canceled, context.DeadlineExceeded, errA, errB} {
			if errors.Is(err, target) {
				text += " " + "CcDab"[i:i+1]
			}
		}
		return "error " + text
	}
	switch value := value.(type) {
	case int, []int:
		return fmt.Sprint(value)
	case []future.Outcome[int]:
		var parts []string
		for _, o := range value {
			parts = append(parts, modelText(o.Value, o.Err))
		}
		return strings.Join(parts, ", ")
	}
	return "a Deferred"
}
