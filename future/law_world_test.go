package future_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The worlds in which the expressions of law_tree_test.go run, what is kept of
// a run, and how two runs are compared.

// A lawKind is a kind of world: inline or bound to a reactor, on virtual time
// or on the system's in a bubble of testing/synctest.
type lawKind struct {
	name         string
	loop, bubble bool
}

var lawKinds = []lawKind{
	{name: "inline, virtual time"},
	{name: "reactor, virtual time", loop: true},
	{name: "reactor, bubble", loop: true, bubble: true},
	{name: "inline, bubble", bubble: true},
}

// A lawSide is one side of a law: a program that makes a Deferred.
type lawSide func(w *lawWorld) *future.Deferred[int]

// A lawWorld is where a side runs.
type lawWorld struct {
	lawKind
	virtual *clock.Virtual   // nil in a bubble
	r       *reactor.Reactor // nil inline
	timers  clock.Clock      // the reactor or the bare clock
	ctx     context.Context
	end     context.CancelFunc
	ended   chan struct{} // the reactor's Run has returned; nil if it has none
	begun   time.Time

	hole     lawSide              // what stands in the hole of an expression around it
	stubborn bool                 // roots are settled also after they were canceled
	apart    bool                 // functions may end the goroutine that drives
	advance  func(*clock.Virtual) // how virtual time passes; nil: Run

	mu     sync.Mutex // the timers of an inline world in a bubble have goroutines
	log    []lawNote
	made   []lawMade
	nevers []*future.Deferred[int]
	late   int // settles that were refused
	count  int // see number
}

// A lawMade is a Deferred of any type.
type lawMade struct {
	settled func() bool
	take    func() // takes note of its failure
}

// A lawNote is an entry of the effect log.
type lawNote struct {
	at   time.Duration
	text string
}

func newLawWorld(k lawKind) *lawWorld {
	w := &lawWorld{lawKind: k}
	w.ctx, w.end = context.WithCancel(context.Background())
	w.timers = clock.System()
	if !k.bubble {
		w.virtual = clock.NewVirtual()
		w.timers = w.virtual
	}
	if k.loop {
		w.bind(reactor.New(w.timers, reactor.Logger(slog.New(slog.DiscardHandler))))
	}
	w.begun = w.timers.Now()
	return w
}

// bind binds the world to r.
func (w *lawWorld) bind(r *reactor.Reactor) {
	w.r, w.timers = r, r
	if w.bubble {
		w.ended = make(chan struct{})
		go func() {
			defer close(w.ended)
			r.Run(context.Background())
		}()
	}
}

func (w *lawWorld) now() time.Duration { return w.timers.Now().Sub(w.begun) }

func (w *lawWorld) note(format string, args ...any) {
	at := w.now()
	w.mu.Lock()
	w.log = append(w.log, lawNote{at, fmt.Sprintf(format, args...)})
	w.mu.Unlock()
}

// number counts up.
func (w *lawWorld) number() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return w.count - 1
}

// settled notes whether a settle was the first.
func (w *lawWorld) settled(first bool) {
	if !first {
		w.mu.Lock()
		w.late++
		w.mu.Unlock()
	}
}

func (w *lawWorld) never(d *future.Deferred[int]) {
	w.mu.Lock()
	w.nevers = append(w.nevers, d)
	w.mu.Unlock()
}

// at calls f at a moment of the world, at once if that has come.
func (w *lawWorld) at(moment time.Duration, f func()) (stop func()) {
	wait := moment - w.now()
	if wait <= 0 {
		f()
		return func() {}
	}
	timer := w.timers.CallLater(wait, f)
	return func() { timer.Stop() }
}

// async runs f as a coroutine where the world's callbacks run.
func (w *lawWorld) async(f func(context.Context) (int, error)) *future.Deferred[int] {
	if w.loop {
		return future.AsyncOn(w.ctx, w.r, f)
	}
	return future.Async(w.ctx, f)
}

// lawRoot returns a pending Deferred of the world.
func lawRoot(w *lawWorld) (d *future.Deferred[int], res future.Resolver[int]) {
	if w.loop {
		d, res = future.NewOn[int](w.r)
	} else {
		d, res = future.New[int]()
	}
	return lawKeep(w, d), res
}

// lawKeep lets the world know d.
func lawKeep[T any](w *lawWorld, d *future.Deferred[T]) *future.Deferred[T] {
	w.mu.Lock()
	w.made = append(w.made, lawMade{func() bool { return future.Settled(d) }, func() { d.Result() }})
	w.mu.Unlock()
	return d
}

// do runs f where callbacks run, and all that comes of it.
func (w *lawWorld) do(f func()) {
	if w.loop {
		w.r.Post(f)
	} else {
		f()
	}
	w.drive()
}

// drive lets time pass until nothing is left to happen.
func (w *lawWorld) drive() {
	switch {
	case w.bubble:
		time.Sleep(lawHorizon)
		synctest.Wait()
	case w.advance != nil:
		w.advance(w.virtual)
	case w.apart:
		for done := false; !done; {
			onGoroutine(func() { w.virtual.Run(); done = true })
		}
	default:
		w.virtual.Run()
	}
}

// close ends what the world still runs, and takes all failures, so that none is
// logged as unhandled.
func (w *lawWorld) close() {
	w.end()
	w.drive()
	if w.loop {
		w.r.Stop()
	}
	if w.ended != nil {
		<-w.ended
	}
	w.endNevers()
	w.mu.Lock() // the end of a context comes on a goroutine of its own
	made := slices.Clone(w.made)
	w.mu.Unlock()
	for _, d := range made {
		d.take()
	}
}

// pending counts the Deferreds that have not settled.
func (w *lawWorld) pending() (n int) {
	for _, d := range w.made {
		if !d.settled() {
			n++
		}
	}
	return n
}

// endNevers cancels those that never settle, also the ones that are made on
// that occasion.
func (w *lawWorld) endNevers() {
	for {
		w.mu.Lock()
		if len(w.nevers) == 0 {
			w.mu.Unlock()
			return
		}
		d := w.nevers[0]
		w.nevers = w.nevers[1:]
		w.mu.Unlock()
		d.Cancel(errCause)
	}
}

// pendingNevers counts those that still wait.
func (w *lawWorld) pendingNevers() (n int) {
	for _, d := range w.nevers {
		if !future.Settled(d) {
			n++
		}
	}
	return n
}

// A lawTrace is what a run of a side can be told from others by.
type lawTrace struct {
	settled bool
	v       int
	err     error
	at      time.Duration // when it settled
	log     []lawNote
	idle    time.Duration // when nothing was left to happen, on virtual time
	late    int           // settles that were refused
}

// out is the outcome with its time.
func (tr lawTrace) out() string {
	if !tr.settled {
		return "pending"
	}
	return fmt.Sprintf("%d, %s at %d", tr.v, lawShow(tr.err), tr.at)
}

func (tr lawTrace) String() string {
	return fmt.Sprintf("%s\n%s\nidle at %d", tr.out(), tr.effects(), tr.idle)
}

func (tr lawTrace) effects() string {
	var b strings.Builder
	for _, n := range tr.log {
		fmt.Fprintf(&b, "\n\t%d %s", n.at, n.text)
	}
	return b.String()
}

// byInstant is the log without the order of what happened at the same time.
func (tr lawTrace) byInstant() lawTrace {
	tr.log = slices.SortedStableFunc(slices.Values(tr.log), func(a, b lawNote) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.text, b.text))
	})
	return tr
}

// count counts the entries of the log that begin so.
func (tr lawTrace) count(prefix string) (n int) {
	for _, e := range tr.log {
		if strings.HasPrefix(e.text, prefix) {
			n++
		}
	}
	return n
}

// without is the trace without the entries that begin so, only that with no
// others.
func (tr lawTrace) without(prefix string) lawTrace {
	tr.log = slices.DeleteFunc(slices.Clone(tr.log), func(e lawNote) bool { return strings.HasPrefix(e.text, prefix) })
	return tr
}

func (tr lawTrace) only(prefix string) lawTrace {
	tr.log = slices.DeleteFunc(slices.Clone(tr.log), func(e lawNote) bool { return !strings.HasPrefix(e.text, prefix) })
	return tr
}

// run runs side until nothing is left to happen.
func (w *lawWorld) run(side lawSide) (tr lawTrace) {
	w.do(func() {
		lawKeep(w, future.Handle(lawKeep(w, side(w)), func(v int, err error) (int, error) {
			tr.settled, tr.v, tr.err, tr.at = true, v, err, w.now()
			return 0, nil
		}))
	})
	tr.log, tr.late = slices.Clone(w.log), w.late
	if !w.bubble {
		tr.idle = w.now()
	}
	return tr
}

// A lawCase is one check of a law.
type lawCase struct {
	t     *rapid.T
	g     *lawGen
	drawn []*lawTree
	apart bool // functions may end the goroutine that drives
}

// tree draws an expression.
func (c *lawCase) tree() *lawTree {
	c.g.budget = 8
	x := c.g.tree(lawDepth)
	c.drawn = append(c.drawn, x)
	return x
}

// pure and flat draw functions.
func (c *lawCase) pure(name string) *lawFn { return c.g.pure(name) }

func (c *lawCase) flat(name string) *lawFn {
	c.g.budget = 4
	return c.g.flat(name, 2)
}

// cancel draws whether and when a side is canceled from outside.
func (c *lawCase) cancel() lawCancel {
	if rapid.IntRange(0, 2).Draw(c.t, "canceled") > 0 {
		return lawCancel{}
	}
	return lawCancel{c.g.odd()}
}

// A lawCancel is when a side is canceled from outside; 0 is never.
type lawCancel struct{ at time.Duration }

func (x lawCancel) of(side lawSide) lawSide {
	if x.at == 0 {
		return side
	}
	return lawCanceledAt(side, x.at, errCause)
}

func lawCanceledAt(side lawSide, moment time.Duration, cause error) lawSide {
	return func(w *lawWorld) *future.Deferred[int] {
		d := side(w)
		w.at(moment, func() { d.Cancel(cause) })
		return d
	}
}

// lawIn is side in the hole of around.
func lawIn(around *lawTree, side lawSide) lawSide {
	return func(w *lawWorld) *future.Deferred[int] {
		w.hole = side
		return around.build(w)
	}
}

// each calls f for the kinds of worlds in which what was drawn has one order of
// events: timers that are due at the same time race in the inline world in a
// bubble.
func (c *lawCase) each(f func(k lawKind)) {
	for _, k := range lawKinds {
		if !c.g.ties || k.loop || !k.bubble {
			f(k)
		}
	}
}

// run runs side in a world of its own.
func (c *lawCase) run(k lawKind, side lawSide) (tr lawTrace) {
	c.in(k, func(w *lawWorld) { tr = w.run(side) })
	return tr
}

// in calls f with a world of its own.
func (c *lawCase) in(k lawKind, f func(w *lawWorld)) {
	do := func() {
		w := newLawWorld(k)
		w.apart = c.apart
		defer w.close()
		f(w)
	}
	if k.bubble {
		rapid.SyncTest(c.t, func(*rapid.T) { do() })
		return
	}
	do()
}

// equal fails unless both sides are the same, in every world, within any
// expression and under any cancel: they have the same outcome at the same time,
// the same effects in the same order, and leave the world idle at the same
// time.
//
// A side that takes a step more on a loop lets others have a turn. So within
// another expression this is up to the order of effects of one instant there,
// and that expression makes no sides race within an instant (see lawGen.around).
func (c *lawCase) equal(left, right lawSide) {
	c.t.Helper()
	around, cancel := &lawTree{op: "hole"}, c.cancel()
	if !c.g.ties {
		around = c.g.around(2, cancel.at == 0)
	}
	c.same(cancel.of(lawIn(around, left)), cancel.of(lawIn(around, right)), around.op != "hole")
}

// same compares both sides as they are; upToOrder is whether the order of the
// effects of one instant on a loop may differ.
func (c *lawCase) same(left, right lawSide, upToOrder bool) {
	c.t.Helper()
	c.each(func(k lawKind) {
		l, r := c.run(k, left), c.run(k, right)
		if upToOrder && k.loop {
			l, r = l.byInstant(), r.byInstant()
		}
		if l.String() != r.String() {
			c.t.Fatalf("%s, of %v\nleft: %v\nright: %v", k.name, c.drawn, l, r)
		}
	})
}

// lawTest is a law and its property. The property draws what it needs.
type lawTest struct {
	number int
	name   string
	check  func(c *lawCase)
}

// lawChecks checks each of the laws over many drawn expressions.
func lawChecks(t *testing.T, laws []lawTest) {
	t.Parallel()
	for _, law := range laws {
		t.Run(fmt.Sprintf("law %d: %s", law.number, law.name), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				law.check(&lawCase{t: t, g: &lawGen{t: t, nevers: true}})
			})
		})
	}
}
