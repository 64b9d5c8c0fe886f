package future

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/deferred-go/deferred/internal/seam"
)

// AsCompleted ranges over the outcomes of ds in the order in which they settle:
// each with the index of its input. Between them it waits as
// [Deferred.Await] with ctx does, and may be used wherever that may. When ctx
// ends, the missing ones follow in the order of the inputs, each with what an
// Await gives then: if it is pending, the zero value and the error of one that
// gave up.
//
// It counts as a consumer of its inputs while it waits. It cancels nothing, not
// even when the loop is left early. Each range over it starts anew. It panics
// if ctx or one of ds is nil.
func AsCompleted[T any](ctx context.Context, ds ...*Deferred[T]) iter.Seq2[int, Outcome[T]] {
	mustContext(ctx, "AsCompleted")
	ds = inputs("AsCompleted", ds)
	return func(yield func(int, Outcome[T]) bool) {
		a := arrivals{nodes: make([]arrival, len(ds)), done: make([]bool, len(ds))}
		defer a.leave()
		for i, d := range ds {
			a.wait(i, &d.n)
		}
		a.joinLoops()
		for range ds {
			i, err := a.next(ctx)
			if err != nil {
				yieldMissing(ds, a.done, err, yield)
				return
			}
			var o Outcome[T]
			if o.Err = a.nodes[i].why; o.Err == nil {
				o.Value, o.Err = ds[i].Result()
			}
			if !yield(i, o) {
				return
			}
		}
	}
}

// yieldMissing yields, for each input that is not done, what an Await gives now:
// its outcome, or err.
func yieldMissing[T any](ds []*Deferred[T], done []bool, err error, yield func(int, Outcome[T]) bool) {
	for i, d := range ds {
		if done[i] {
			continue
		}
		v, why := d.Result()
		if why == ErrPending {
			why = err
		}
		if !yield(i, Outcome[T]{v, why}) {
			return
		}
	}
}

// arrivals are the inputs that have settled and were not yielded yet.
type arrivals struct {
	nodes []arrival
	done  []bool      // yielded; of the ranging goroutine
	loops []inputLoop // of the inputs, to be told when they stop

	mu     sync.Mutex
	ready  []int
	wanted bool // somebody waits for signal
	signal Resolver[struct{}]
}

type inputLoop struct {
	loop   seam.Loop
	member *seam.Member
}

// An arrival is the place of one loop in the ring of one input.
type arrival struct {
	waiter
	to *arrivals
	i  int
}

func (a *arrivals) wait(i int, of *node) {
	at := &a.nodes[i]
	at.to, at.i = a, i
	at.of, at.by = of, at
	if ok, _ := at.list(); !ok {
		at.wake()
	}
}

func (at *arrival) tasked() *task { return nil }

// wake notes that the input has settled.
func (at *arrival) wake() {
	a := at.to
	a.mu.Lock()
	a.ready = append(a.ready, at.i)
	wanted, signal := a.wanted, a.signal
	a.wanted = false
	a.mu.Unlock()
	if wanted {
		signal.Succeed(struct{}{})
	}
}

// next waits for the next input that settles.
func (a *arrivals) next(ctx context.Context) (i int, err error) {
	a.mu.Lock()
	if len(a.ready) == 0 {
		var d *Deferred[struct{}]
		d, a.signal = New[struct{}]()
		a.wanted = true
		a.mu.Unlock()
		if _, err := d.Await(ctx); err != nil {
			return 0, err
		}
		a.mu.Lock()
	}
	defer a.mu.Unlock()
	i, a.ready = a.ready[0], a.ready[1:]
	a.done[i] = true
	return i, nil
}

// joinLoops lets the waits end for inputs whose loops stop.
func (a *arrivals) joinLoops() {
	for i := range a.nodes {
		loop := a.nodes[i].of.loop()
		if loop == nil || slices.ContainsFunc(a.loops, func(l inputLoop) bool { return l.loop == loop }) {
			continue
		}
		m := &seam.Member{Stopped: func(err error) { a.stopped(loop, err) }}
		if loop.Join(m) {
			a.loops = append(a.loops, inputLoop{loop, m})
		} else {
			a.stopped(loop, loop.Err())
		}
	}
}

func (a *arrivals) stopped(loop seam.Loop, err error) {
	for i := range a.nodes {
		if at := &a.nodes[i]; at.of.loop() == loop && at.withdraw(err) {
			at.wake()
		}
	}
}

// leave takes the loop out of the rings in which it still stands.
func (a *arrivals) leave() {
	for _, l := range a.loops {
		l.loop.Leave(l.member)
	}
	for i := range a.nodes {
		if at := &a.nodes[i]; at.to != nil {
			at.withdraw(nil)
		}
	}
}
