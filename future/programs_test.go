package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// A program is an ordinary function, func(ctx) (int, error), made of parts.
type program struct {
	kind string
	k    int
	subs []program
}

func (p program) String() string {
	if len(p.subs) == 0 {
		return fmt.Sprintf("%s %d", p.kind, p.k)
	}
	var subs []string
	for _, s := range p.subs {
		subs = append(subs, s.String())
	}
	return fmt.Sprintf("%s %d (%s)", p.kind, p.k, strings.Join(subs, ", "))
}

func drawProgram(t *rapid.T, depth int) program {
	kinds := []string{"return", "fail", "sleep", "settled", "panic"}
	if depth > 0 {
		kinds = []string{"add", "add", "catch", "if", "loop", "sub", "both", "both", "completed", "flat", "defer", "sleep", "any"}
	}
	p := program{kind: rapid.SampledFrom(kinds).Draw(t, "kind"), k: rapid.IntRange(0, 3).Draw(t, "k")}
	if p.kind == "panic" && p.k > 0 {
		p.kind = "return"
	}
	n := map[string]int{"add": 2, "catch": 2, "if": 3, "loop": 1, "sub": 1, "both": 2, "completed": 3, "flat": 1, "defer": 2, "any": 2}[p.kind]
	for range n {
		p.subs = append(p.subs, drawProgram(t, depth-1))
	}
	return p
}

// A way is how a function is run: how its parts are that run beside it.
type way struct {
	name  string
	start func(context.Context, *reactor.Reactor, func(context.Context) (int, error)) *future.Deferred[int]
}

var ways = []way{
	{"AsyncOn", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, r, f)
	}},
	{"Async", func(ctx context.Context, _ *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.Async(ctx, f)
	}},
	{"GoOn", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.GoOn(ctx, r, f)
	}},
	{"AsyncOn in AsyncOn", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) { return future.AsyncOn(ctx, r, f).Await(ctx) })
	}},
	{"Async in AsyncOn", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, r, func(ctx context.Context) (int, error) { return future.Async(ctx, f).Await(ctx) })
	}},
	{"AsyncOn in GoOn", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.GoOn(ctx, r, func(ctx context.Context) (int, error) { return future.AsyncOn(ctx, r, f).Await(ctx) })
	}},
	{"AsyncOn a foreign loop", func(ctx context.Context, r *reactor.Reactor, f func(context.Context) (int, error)) *future.Deferred[int] {
		return future.AsyncOn(ctx, bare{r}, f)
	}},
}

// stage is what a program runs in.
type stage struct {
	clk   *clock.Virtual
	r     *reactor.Reactor
	begun time.Time
	log   []string
	next  int // which way the next part is started, if they are mixed
	ways  []way
}

func newStage(ways ...way) *stage {
	clk := clock.NewVirtual()
	return &stage{clk: clk, r: reactor.New(clk), begun: clk.Now(), ways: ways}
}

func (w *stage) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%d: ", w.clk.Now().Sub(w.begun))+fmt.Sprintf(format, args...))
}

func (w *stage) start(ctx context.Context, f func(context.Context) (int, error)) *future.Deferred[int] {
	w.next++
	return w.ways[w.next%len(w.ways)].start(ctx, w.r, f)
}

// run is the program as an ordinary function.
func (p program) run(ctx context.Context, w *stage) (v int, err error) {
	w.note("%s %d", p.kind, p.k)
	defer func() { w.note("%s %d = %d %s", p.kind, p.k, v, text(err)) }()
	sub := func(i int) (int, error) { return p.subs[i].run(ctx, w) }
	beside := func(i int) *future.Deferred[int] {
		return w.start(ctx, func(ctx context.Context) (int, error) { return p.subs[i].run(ctx, w) })
	}
	switch p.kind {
	case "return":
		return p.k, nil
	case "fail":
		return 0, []error{errA, errB, errC}[p.k%3]
	case "panic":
		panic(errOther)
	case "sleep":
		return future.After(w.r, time.Duration(p.k), p.k).Await(ctx)
	case "settled":
		return future.Succeed(p.k).Await(ctx)
	case "add":
		a, err := sub(0)
		if err != nil {
			return 0, err
		}
		b, err := sub(1)
		return a + b, err
	case "catch":
		v, err := sub(0)
		if err != nil {
			return sub(1)
		}
		return v, nil
	case "if":
		v, err := sub(0)
		if err != nil {
			return 0, fmt.Errorf("condition: %w", err)
		}
		return sub(1 + v%2)
	case "loop":
		sum := 0
		for range p.k {
			v, err := sub(0)
			if err != nil {
				return sum, err
			}
			sum += v
		}
		return sum, nil
	case "sub":
		return beside(0).Await(ctx)
	case "both":
		a, b := beside(0), beside(1)
		x, err := a.Await(ctx)
		y, err2 := b.Await(ctx)
		return 3*x + y, errors.Join(err, err2)
	case "completed":
		sum, n := 0, 0
		for i, o := range future.AsCompleted(ctx, beside(0), beside(1), beside(2)) {
			sum += (i + 1) * o.Value
			n++
		}
		return sum + n, nil
	case "flat":
		d := future.ThenFlat(beside(0), func(v int) *future.Deferred[int] { return future.After(w.r, time.Duration(v%4), v+1) })
		return d.Catch(func(err error) (int, error) { return -1, nil }).Await(ctx)
	case "any":
		outs, err := future.AllSettled(beside(0), beside(1)).Await(ctx)
		for _, o := range outs {
			if o.Err == nil {
				return o.Value, nil
			}
		}
		return 0, err
	case "defer":
		defer func() {
			more, err2 := sub(1)
			v, err = v+more, errors.Join(err, err2)
		}()
		return sub(0)
	}
	panic(p.kind)
}

// outcome runs p in w from its start, and returns the result with its time.
func (p program) outcome(w *stage) string {
	var got string
	d := w.start(background, func(ctx context.Context) (int, error) { return p.run(ctx, w) })
	future.Handle(d, func(v int, err error) (int, error) {
		got = fmt.Sprintf("%d, %s at %d", v, text(err), w.clk.Now().Sub(w.begun))
		return 0, nil
	})
	w.clk.Run()
	w.r.Stop()
	return got
}

// An ordinary function that nobody cancels gives the same result at the same
// virtual time, however it and its parts are run: as coroutine of a loop,
// inline, as worker, within one another, mixed. And what happens on the way is
// the same each time.
func TestProgramsRunAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProgram(t, 4)
		var want string
		for i, w := range append(slices.Clone(ways), way{name: "mixed"}) {
			these := []way{w}
			if w.start == nil {
				these = ways
			}
			one, two := newStage(these...), newStage(these...)
			got, again := p.outcome(one), p.outcome(two)
			if i == 0 {
				want = got
			}
			if got == "" || got != want {
				t.Errorf("%s: %q, by %s %q\nprogram %v", w.name, got, ways[0].name, want, p)
			}
			if got != again || !slices.Equal(one.log, two.log) {
				t.Errorf("%s: two runs differ\n%s\n%s", w.name, strings.Join(one.log, "\n"), strings.Join(two.log, "\n"))
			}
		}
	})
}

// Three workers, three coroutines and callbacks, with ties: one trace.
func TestMixedTraceIsReproducible(t *testing.T) {
	trace := func() string {
		w := newStage(ways...)
		defer w.r.Stop()
		gate := future.After(w.r, 2, 0)
		body := func(name string, i int) func(context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				w.note("%s starts", name)
				for round := range 4 {
					if _, err := future.After(w.r, time.Duration(1+(i+round)%2), 0).Await(ctx); err != nil {
						return 0, err
					}
					w.note("%s %d", name, round)
				}
				gate.Await(ctx)
				v, err := future.All(future.After(w.r, 1, i), gate.Shield()).Await(ctx)
				w.note("%s ends with %v", name, v)
				return i, err
			}
		}
		var all []*future.Deferred[int]
		for i := range 3 {
			all = append(all,
				future.GoOn(background, w.r, body(fmt.Sprint("worker", i), i)),
				future.AsyncOn(background, w.r, body(fmt.Sprint("coroutine", i), i)),
				future.Then(future.ThenFlat(future.After(w.r, 1, i), func(v int) *future.Deferred[int] {
					w.note("callback %d", v)
					return future.After(w.r, time.Duration(v), v)
				}), func(v int) (int, error) { w.note("callback %d again", v); return v, nil }))
		}
		future.Then(future.All(all...), func(vs []int) (int, error) { w.note("all %v", vs); return 0, nil })
		future.Race(all[2].Shield(), all[5].Shield(), all[0].Shield()).Finally(func() error { w.note("race"); return nil })
		w.clk.Run()
		return strings.Join(w.log, "\n")
	}
	want := trace()
	if !strings.Contains(want, "all [") {
		t.Fatalf("it did not come to its end:\n%s", want)
	}
	for i := range 50 {
		if got := trace(); got != want {
			t.Fatalf("run %d:\n%s\nthe first run:\n%s", i, got, want)
		}
	}
}
