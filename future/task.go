package future

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/seam"
)

// A task is what coroutines, workers and goroutines have in common: a function
// that runs with a context of its own, and may wait.
type task struct {
	root
	n      *node             // of its Deferred
	life   *lifetime.Context // its context
	member seam.Member       // of the loop, if it has one

	at   atomic.Pointer[waiter] // what it waits for
	ends atomic.Bool            // a cancel is under way, which will end the context; set with mu held

	mu    sync.Mutex
	woken *waiter // its wait is over, but it has to wait for that end
}

func (t *task) tasked() *task { return t }

// ending says that the context is about to end; ended says that it has, and
// returns the wait that was over meanwhile, or nil.
func (t *task) ending() {
	t.mu.Lock()
	t.ends.Store(true)
	t.mu.Unlock()
}

func (t *task) ended() (woken *waiter) {
	if t.life.Err() == nil { // another goroutine is about to end it
		<-t.life.Done()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	woken, t.woken = t.woken, nil
	t.ends.Store(false)
	return woken
}

// wakesLate notes that the wait at is over if that has to wait for the end of
// the context.
func (t *task) wakesLate(at *waiter) bool {
	if !t.ends.Load() { // nearly always
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	late := t.ends.Load()
	if late {
		t.woken = at
	}
	return late
}

// begin gives the task, which is the core of owner, its Deferred and its
// context.
func (t *task) begin(ctx context.Context, n *node, h *home, owner runner) {
	t.n = n
	n.init(open, h, owner)
	var watch func(context.Context, func()) func() bool
	if h != nil && h.loop != nil {
		watch = h.loop.Watch
		if p, ok := h.loop.(seam.ParentWatcher); ok {
			watch = p.WatchParent
		}
	}
	t.life = lifetime.New(ctx, watch, owner)
}

// waitsForItself reports whether what the task waits for now waits for the
// task, so that neither would ever go on.
func (t *task) waitsForItself() bool {
	t.n.mu.Lock()
	read := t.n.readers != nil // without readers it closes no cycle
	t.n.mu.Unlock()
	return read && t.n.waitsForNode(t.n)
}

// current is what the task waits for, or nil.
func (t *task) current() *waiter { return t.at.Load() }

// over ends the task's context, for its function has returned.
func (t *task) over() {
	t.life.End(context.Canceled, nil)
	if loop := t.n.loop(); loop != nil {
		loop.Leave(&t.member)
	}
}

// run calls f and returns its outcome: what it returned, or a failure if it
// panicked. If it ends by runtime.Goexit, run sets out and does not return.
func run[T any](ctx context.Context, f func(context.Context) (T, error), v *T, out **fault, control *any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		p := recover()
		*out = newFault(failure.New(p), f)
		if seam.IsControl(p) {
			*control = p
		}
	}()
	u, err := f(ctx)
	returned = true
	if err != nil {
		*out = newFault(err, f)
	} else {
		*v = u
	}
}
