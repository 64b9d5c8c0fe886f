package clock

import (
	"cmp"
	"log/slog"
	"slices"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// A baton lets the workers of a Virtual run one at a time, between two events,
// in the order in which they became ready. Its fields are protected by the
// Virtual's lock.
type baton struct {
	count    int // of jobs, ever
	all      map[*worker]struct{}
	ready    []*worker
	finished []*worker // with something to deliver
	busy     int       // that run, and so hold time
	stuck    int       // of these, those that were reported
}

type state uint8

const (
	queued  state = iota // has not begun
	running              // holds time
	waiting              // in Park
	ready                // in Park, and waits for the baton
)

var stateNames = [...]string{"queued", "running", "waiting", "ready"}

// A worker is one job and the goroutine that runs it.
type worker struct {
	v       *Virtual
	owner   *seam.Owner
	number  int
	birth   *birth.Place
	job     func(seam.Worker) func()
	deliver func()
	baton   chan struct{} // made by the first Park

	state state
	early bool // Ready came before Park
	stuck bool
}

func (b *baton) runnable() bool { return len(b.ready) > 0 || len(b.finished) > 0 }

// handOnLocked gives the baton to the first worker that is ready and for which
// only, if it is given, returns true. It returns false if there is none.
func (b *baton) handOnLocked(only func(*worker) bool) bool {
	i := 0
	if only != nil {
		i = slices.IndexFunc(b.ready, only)
	}
	if i < 0 || i >= len(b.ready) {
		return false
	}
	w := b.ready[i]
	b.ready = slices.Delete(b.ready, i, i+1)
	b.busy++
	begun := w.state != queued
	w.state = running
	if begun {
		w.baton <- struct{}{}
	} else {
		go mark.VirtualWorker(w.main)
	}
	return true
}

func (w *worker) main() {
	defer w.end()
	w.deliver = w.job(w)
}

// end lets the drive go on. It runs deferred: job may end its goroutine.
func (w *worker) end() {
	v := w.v
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.baton.all, w)
	if w.deliver != nil {
		v.baton.finished = append(v.baton.finished, w)
	}
	v.restLocked(w)
}

// restLocked notes that w does not run any more. Its calls without delay come
// before what the next worker posts.
func (v *Virtual) restLocked(w *worker) {
	v.baton.busy--
	if w.stuck {
		w.stuck = false
		v.baton.stuck--
	} else {
		v.q.EndTurn()
	}
	v.cond.Broadcast()
}

// Park waits for Ready, and then for the baton.
func (w *worker) Park() {
	v := w.v
	v.mu.Lock()
	if w.early {
		w.early = false
		v.mu.Unlock()
		return
	}
	if w.baton == nil {
		w.baton = make(chan struct{}, 1)
	}
	w.state = waiting
	v.restLocked(w)
	v.mu.Unlock()
	<-w.baton
}

// Ready queues the worker for the baton.
func (w *worker) Ready() {
	v := w.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if w.state != waiting {
		w.early = true
		return
	}
	w.state = ready
	v.baton.ready = append(v.baton.ready, w)
	v.news.Store(true)
	v.cond.Broadcast()
}

// deliverLocked queues what finished workers deliver, in the order of
// submission.
func (b *baton) deliverLocked(v *Virtual) {
	slices.SortFunc(b.finished, func(x, y *worker) int { return cmp.Compare(x.number, y.number) })
	var late []*worker
	for _, w := range b.finished {
		if w.owner.Gone {
			late = append(late, w)
		} else {
			v.q.Post(function(w.deliver), w.owner)
		}
	}
	b.finished = nil
	if late == nil {
		return
	}
	v.mu.Unlock()
	defer v.mu.Lock()
	for _, w := range late {
		w.owner.Late("the result of a job", w.birth.String())
	}
}

// function is a function as a task.
type function func()

// Run calls it.
func (f function) Run() seam.Task {
	f()
	return nil
}

// awaitWorkerLocked waits until a worker returns or parks, or until there is
// something else to do. Workers that do neither for 2 real seconds are
// reported; then others may run beside them.
func (v *Virtual) awaitWorkerLocked() {
	b := &v.baton
	busy, alone := b.busy, b.busy > b.stuck
	if alone {
		defer v.watchdogLocked()()
	} else {
		defer func() { v.stirred = false }()
	}
	for b.busy == busy && !v.urgent && (alone || len(b.ready)+len(v.asked) == 0 && !v.stirred) {
		if v.barked {
			v.reportStuckLocked()
			return
		}
		v.cond.Wait()
	}
}

func (v *Virtual) reportStuckLocked() {
	var them []*worker
	for w := range v.baton.all {
		if w.state == running && !w.stuck {
			w.stuck = true
			v.baton.stuck++
			them = append(them, w)
		}
	}
	v.mu.Unlock()
	defer v.mu.Lock()
	for _, w := range them {
		logger := w.owner.Logger()
		logger.Warn("clock: a worker holds virtual time: it has neither returned nor waited in Await for 2 real seconds; wait with Await and the context that the worker was given (its <-ctx.Done() does not let time go on); from now on other workers run beside it, and the order of events is not reproducible", started(w.birth)...)
	}
}

func started(p *birth.Place) []any {
	if s := p.String(); s != "" {
		return []any{slog.String("started", s)}
	}
	return []any{slog.String("started", "not recorded: use the option Birthplaces")}
}
