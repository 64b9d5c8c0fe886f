package lock_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/testing/futuretest"
	"pgregory.net/rapid"
)

// Two laws, on a reactor with a virtual clock. Cancels come at any tick, at the
// same one as a grant too, and in the very turn of a grant: from the callback
// that has just released or put.

const lawTick = time.Second

// A permitLaw is a world for this law: at every turn, what is held is what was
// granted and not released, and no more than there is; nobody is granted before
// another one who came first and did not cancel; and who has canceled while it
// waited holds nothing.
type permitLaw struct {
	t     *rapid.T
	r     *reactor.Reactor
	s     *lock.Semaphore
	limit int
	asked []*permitAsked
}

type permitAsked struct {
	n        int
	d        lease
	result   interface{ Cancel(cause error) bool }
	released bool
}

func (w *permitLaw) check() {
	w.t.Helper()
	held, waits := 0, false
	for i, a := range w.asked {
		switch _, err := a.d.Result(); {
		case err == future.ErrPending:
			waits = true
		case err == nil && !a.released:
			held += a.n
			if waits {
				w.t.Fatalf("number %d holds, and an earlier one waits", i)
			}
		}
	}
	if held > w.limit || w.s.Free() != w.limit-held {
		w.t.Fatalf("%d of %d are held, and %d are free", held, w.limit, w.s.Free())
	}
}

func (w *permitLaw) acquire(n int) *permitAsked {
	w.check()
	a := &permitAsked{n: n, d: w.s.Acquire(n)}
	w.asked = append(w.asked, a)
	w.check()
	return a
}

// release ends a's lease. kills says that it then cancels who was first in line.
func (w *permitLaw) release(a *permitAsked, l lock.Lease, kills bool) {
	w.check()
	var next *permitAsked
	for _, b := range w.asked {
		if _, err := b.d.Result(); err == future.ErrPending && next == nil && b.result != nil {
			next = b
		}
	}
	a.released = true
	l.Release()
	w.check()
	if kills && next != nil {
		next.result.Cancel(errCause)
		w.check()
	}
}

// A permitUser is one who acquires, holds for a while, and releases.
type permitUser struct {
	style              string
	at, holds, cancels int // ticks; cancels -1: within the turn of its Acquire, -2: never
	n                  int
	kills              bool
}

var permitStyles = []string{"Then", "ThenFlat", "Run", "Timeout", "Await"}

func (w *permitLaw) start(u permitUser) {
	hold := time.Duration(u.holds) * lawTick
	if u.style == "Await" {
		var a *permitAsked
		d := future.AsyncOn(context.Background(), w.r, func(ctx context.Context) (int, error) {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			a = w.acquire(u.n)
			l, err := a.d.Await(ctx)
			if err != nil {
				return 0, err
			}
			defer w.release(a, l, u.kills)
			return future.After(w.r, hold, 1).Await(ctx)
		})
		w.cancelLater(u, d.Cancel)
		return
	}
	a := w.acquire(u.n)
	var d *future.Deferred[int]
	switch on := a.d.On(w.r); u.style {
	case "Then":
		d = future.Then(on, func(l lock.Lease) (int, error) {
			w.r.CallLater(hold, func() { w.release(a, l, u.kills) })
			return 0, nil
		})
	case "Timeout":
		on = on.Timeout(w.r, 2*lawTick)
		fallthrough
	case "ThenFlat":
		d = future.ThenFlat(on, func(l lock.Lease) *future.Deferred[int] {
			return future.After(w.r, hold, 1).Finally(func() error { w.release(a, l, u.kills); return nil })
		})
	case "Run":
		d = lock.Run(on, func() *future.Deferred[int] {
			return future.After(w.r, hold, 1).Finally(func() error { w.check(); a.released = true; return nil })
		})
	}
	a.result = d.Catch(func(error) (int, error) { return 0, nil })
	w.cancelLater(u, a.result.Cancel)
}

func (w *permitLaw) cancelLater(u permitUser, cancel func(cause error) bool) {
	switch {
	case u.cancels >= 0:
		w.r.CallLater(time.Duration(u.cancels)*lawTick, func() { cancel(errCause); w.check() })
	case u.cancels == -1:
		cancel(errCause)
		w.check()
	}
}

func TestLawPermits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, clk := futuretest.New(t)
		limit := rapid.IntRange(1, 3).Draw(t, "limit")
		w := &permitLaw{t: t, r: r, s: lock.NewSemaphore(limit), limit: limit}
		users := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) permitUser {
			return permitUser{
				style:   rapid.SampledFrom(permitStyles).Draw(t, "style"),
				at:      rapid.IntRange(0, 5).Draw(t, "at"),
				holds:   rapid.IntRange(0, 3).Draw(t, "holds"),
				cancels: rapid.IntRange(-2, 4).Draw(t, "cancels"),
				n:       rapid.IntRange(1, limit).Draw(t, "n"),
				kills:   rapid.Bool().Draw(t, "kills"),
			}
		}), 1, 12).Draw(t, "users")
		for _, u := range users {
			r.CallLater(time.Duration(u.at)*lawTick, func() { w.start(u) })
		}
		clk.Advance(time.Hour)
		w.check()
		if w.s.Free() != limit {
			t.Errorf("at the end %d of %d are free", w.s.Free(), limit)
		}
	})
}

// A valueLaw is a world for this law: those who get are given the values in the
// order in which they came and were put, each value once; and what was put was
// got or is stored, also when those who get are canceled.
type valueLaw struct {
	t       *rapid.T
	r       *reactor.Reactor
	q       *lock.Queue[int]
	puts    int
	roots   []*future.Deferred[int]
	results []*future.Deferred[int]
	seen    []int // by callbacks
}

func (w *valueLaw) check() {
	w.t.Helper()
	got := 0
	for _, d := range w.roots {
		if v, err := d.Result(); err == nil {
			if got++; v != got {
				w.t.Fatalf("value %d came as number %d", v, got)
			}
		}
	}
	if w.puts != got+w.q.Len() {
		w.t.Fatalf("%d were put, %d were got, %d are stored", w.puts, got, w.q.Len())
	}
}

// put puts the next value. kills says that it then cancels who was first in line.
func (w *valueLaw) put(kills bool) {
	w.check()
	next := slices.IndexFunc(w.roots, func(d *future.Deferred[int]) bool {
		_, err := d.Result()
		return err == future.ErrPending
	})
	w.puts++
	if w.q.TryPut(w.puts) != nil {
		w.puts--
	}
	w.check()
	if kills && next >= 0 && w.results[next] != nil {
		w.results[next].Cancel(errCause)
		w.check()
	}
}

func (w *valueLaw) see(v int) (int, error) {
	w.check()
	w.seen = append(w.seen, v)
	return v, nil
}

func (w *valueLaw) get(style string, cancels int) {
	w.check()
	i, d := len(w.roots), w.q.Get()
	w.roots, w.results = append(w.roots, d), append(w.results, nil)
	switch style {
	case "Then":
		d = future.Then(d.On(w.r), w.see)
	case "ThenFlat":
		d = future.ThenFlat(d.On(w.r), func(v int) *future.Deferred[int] {
			w.see(v)
			return future.After(w.r, lawTick, v)
		})
	case "Timeout":
		d = future.Then(d.Timeout(w.r, 2*lawTick), w.see)
	case "Await":
		wait := d
		d = future.AsyncOn(context.Background(), w.r, func(ctx context.Context) (int, error) {
			v, err := wait.Await(ctx)
			if err != nil {
				return 0, err
			}
			return w.see(v)
		})
	}
	w.results[i] = d.Catch(func(error) (int, error) { return 0, nil })
	switch {
	case cancels >= 0:
		w.r.CallLater(time.Duration(cancels)*lawTick, func() { w.results[i].Cancel(errCause); w.check() })
	case cancels == -1: // within this turn
		w.results[i].Cancel(errCause)
	}
	w.check()
}

func TestLawValues(t *testing.T) {
	t.Parallel()
	type event struct {
		style   string
		at      int
		cancels int
		kills   bool
	}
	rapid.Check(t, func(t *rapid.T) {
		r, clk := futuretest.New(t)
		w := &valueLaw{t: t, r: r, q: lock.NewQueue[int](lock.Size(rapid.IntRange(0, 3).Draw(t, "size")))}
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
			return event{
				style:   rapid.SampledFrom([]string{"Then", "ThenFlat", "Timeout", "Await", "", "", ""}).Draw(t, "style"),
				at:      rapid.IntRange(0, 5).Draw(t, "at"),
				cancels: rapid.IntRange(-2, 4).Draw(t, "cancels"),
				kills:   rapid.Bool().Draw(t, "kills"),
			}
		}), 1, 16).Draw(t, "events")
		for _, e := range events {
			r.CallLater(time.Duration(e.at)*lawTick, func() {
				if e.style == "" {
					w.put(e.kills)
				} else {
					w.get(e.style, e.cancels)
				}
			})
		}
		clk.Advance(time.Hour)
		w.check()
		w.q.Close() // those that wait for ever
		clk.Advance(time.Hour)
		slices.Sort(w.seen)
		if n := w.puts - w.q.Len(); len(w.seen) != n || n > 0 && w.seen[n-1] != n {
			t.Errorf("%d values were got, callbacks have seen %v", n, w.seen)
		}
	})
}
