package future_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// The laws of two patterns that programs make of the library's parts. Those of
// locks and queues are beside these, in package lock.

func TestLawsPatterns(t *testing.T) {
	lawChecks(t, []lawTest{
		{40, "a retry stops at the first success, and at a Cancel", lawRetries},
		{43, "who asks for the same shares one run", lawShares},
	})
}

// A lawTry is what a try comes to, and how long it takes.
type lawTry struct {
	takes time.Duration
	err   error
}

// lawRetry tries until one of tries succeeds, and waits longer each time. A
// try gives its index.
func lawRetry(w *lawWorld, tries []lawTry, wait time.Duration) lawDeferred {
	return w.async(func(ctx context.Context) (int, error) {
		for i := 0; ; i++ {
			w.note("try %d", i)
			d := lawKeep(w, future.After(w.timers, tries[i].takes, i))
			v, err := lawKeep(w, future.Then(d, func(i int) (int, error) { return i, tries[i].err })).Await(ctx)
			if err == nil || i == len(tries)-1 {
				return v, err
			}
			pause := lawKeep(w, future.After(w.timers, wait<<i, 0))
			if _, err := lawKeep(w, pause.WithContext(ctx)).Await(ctx); err != nil { // a Cancel ends both
				return 0, err
			}
		}
	})
}

func lawRetries(c *lawCase) {
	tries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lawTry {
		return lawTry{
			takes: 2 * time.Duration(rapid.IntRange(1, 20).Draw(t, "takes")),
			err:   rapid.SampledFrom([]error{nil, errA, errB, errC}).Draw(t, "err"),
		}
	}), 1, 5).Draw(c.t, "tries")
	wait := 2 * time.Duration(rapid.IntRange(1, 5).Draw(c.t, "wait"))
	asked := 2*time.Duration(rapid.IntRange(0, 80).Draw(c.t, "cancel")) + 1

	// When each try starts, and when the last is over.
	var starts []time.Duration
	at, last := time.Duration(0), 0
	for i := range tries {
		starts, last = append(starts, at), i
		at += tries[i].takes
		if tries[i].err == nil {
			break
		}
		if i < len(tries)-1 {
			at += wait << i
		}
	}
	c.each(func(k lawKind) {
		tr := c.run(k, func(w *lawWorld) lawDeferred { return lawRetry(w, tries, wait) })
		v := last
		if tries[last].err != nil {
			v = 0
		}
		if tr.v != v || tr.err != tries[last].err || tr.at != at || fmt.Sprint(tr.log) != fmt.Sprint(lawTries(starts)) {
			c.t.Fatalf("%s: %v, want %d, %v at %d after %v", k.name, tr, v, tries[last].err, at, starts)
		}
		if asked > at {
			return
		}
		tr = c.run(k, lawCanceledAt(func(w *lawWorld) lawDeferred { return lawRetry(w, tries, wait) }, asked, errCause))
		before := slices.DeleteFunc(slices.Clone(starts), func(at time.Duration) bool { return at > asked })
		switch tried := len(before); {
		case tr.at != asked, fmt.Sprint(tr.log) != fmt.Sprint(lawTries(before)):
		case !errors.Is(tr.err, future.ErrCanceled), !errors.Is(tr.err, errCause):
		case tr.idle != 0 && tr.idle != asked:
			c.t.Fatalf("%s: something is left until %d after a Cancel at %d in try %d", k.name, tr.idle, asked, tried)
		default:
			return
		}
		c.t.Fatalf("%s: %v, canceled at %d", k.name, tr, asked)
	})
}

func lawTries(starts []time.Duration) (log []lawNote) {
	for i, at := range starts {
		log = append(log, lawNote{at, fmt.Sprintf("try %d", i)})
	}
	return log
}

// A lawMemo runs a function at most once at a time, and keeps its value. Whoever
// asks is given a shield, so that nobody can cancel it for others.
type lawMemo struct {
	f   func() lawDeferred
	mu  sync.Mutex  // in a bubble the timers have goroutines
	run lawDeferred // nil: it has not begun, or has failed
}

func (m *lawMemo) get(w *lawWorld) lawDeferred {
	m.mu.Lock()
	run := m.run
	begun := run == nil
	if begun {
		run = m.f()
		m.run = run
	}
	m.mu.Unlock()
	if begun {
		lawKeep(w, run.Catch(func(err error) (int, error) {
			m.mu.Lock()
			m.run = nil
			m.mu.Unlock()
			return 0, err
		}))
	}
	return lawKeep(w, run.Shield())
}

// A lawAsker asks for the value at some time, and may cancel.
type lawAsker struct{ asks, cancels time.Duration }

func lawShares(c *lawCase) {
	runs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lawTry {
		return lawTry{4*time.Duration(rapid.IntRange(0, 5).Draw(t, "takes")) + 2, rapid.SampledFrom([]error{nil, errA}).Draw(t, "err")}
	}), 8, 8).Draw(c.t, "runs")
	askers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lawAsker {
		asks := 4*time.Duration(rapid.IntRange(0, 20).Draw(t, "asks")) + 1
		return lawAsker{asks, asks + 4*time.Duration(rapid.IntRange(0, 8).Draw(t, "cancels")) + 1}
	}), 1, 8).Draw(c.t, "askers")
	slices.SortFunc(askers, func(a, b lawAsker) int { return cmp.Compare(a.asks, b.asks) })
	want, begun := lawShared(runs, askers)
	c.each(func(k lawKind) {
		got := make([]string, len(askers))
		tr := c.run(k, func(w *lawWorld) lawDeferred {
			n := 0
			memo := &lawMemo{f: func() lawDeferred {
				w.note("run")
				run := runs[n]
				n++
				return lawKeep(w, future.Then(lawKeep(w, future.After(w.timers, run.takes, n)), func(v int) (int, error) { return v, run.err }))
			}}
			for i, a := range askers {
				w.at(a.asks, func() {
					d := memo.get(w)
					w.at(a.cancels, func() { d.Cancel(errCause) })
					lawKeep(w, future.Handle(d, func(v int, err error) (int, error) {
						got[i] = fmt.Sprintf("%d %s at %d", v, lawShow(err), w.now())
						return 0, nil
					}))
				})
			}
			return lawKeep(w, future.Succeed(0))
		})
		if fmt.Sprint(got) != fmt.Sprint(want) || tr.count("run") != begun {
			c.t.Fatalf("%s: got %q in %d runs, want %q in %d", k.name, got, tr.count("run"), want, begun)
		}
	})
}

// lawShared is what the askers get, and how many runs begin.
func lawShared(runs []lawTry, askers []lawAsker) (want []string, begun int) {
	canceled := lawShow(lawCanceledFor(errCause))
	ends := time.Duration(-1) // of the last run
	for _, a := range askers {
		if begun == 0 || a.asks > ends && runs[begun-1].err != nil {
			ends = a.asks + runs[begun].takes
			begun++
		}
		run := runs[begun-1]
		v, at := begun, max(ends, a.asks)
		if run.err != nil {
			v = 0
		}
		if a.cancels < at {
			want = append(want, fmt.Sprintf("0 %s at %d", canceled, a.cancels))
		} else {
			want = append(want, fmt.Sprintf("%d %s at %d", v, lawShow(run.err), at))
		}
	}
	return want, begun
}

// lawCanceledFor is the error of what was canceled with this cause.
func lawCanceledFor(cause error) error {
	d, _ := future.New[int]()
	d.Cancel(cause)
	_, err := d.Result()
	return err
}
