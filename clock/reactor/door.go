package reactor

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/internal/lifetime"
	"github.com/deferred-go/deferred/internal/seam"
)

// door is a Reactor as package future and the test helpers see it: see
// [seam.Loop] and [seam.Books].
type door struct{ r *Reactor }

var (
	_ seam.Loop  = (*door)(nil)
	_ seam.Books = (*door)(nil)
)

func (d *door) PostTask(t seam.Task) bool { return !d.r.stopping.Load() && d.r.engine.post(t) }

func (d *door) PostBehind(t seam.Task) bool {
	return !d.r.stopping.Load() && d.r.engine.postBehind(t)
}

func (d *door) Rest(delay time.Duration, f func()) seam.Timer {
	if e, virtual := d.r.engine.(*driven); virtual {
		if t, ok := e.callLater(delay, f); ok {
			return t
		}
	}
	return nil
}

func (d *door) Elapsed() time.Duration { return d.r.engine.elapsed() }

func (d *door) Err() error {
	if d.r.stopping.Load() {
		return ErrStopped
	}
	return nil
}

func (d *door) Join(m *seam.Member) bool {
	r := d.r
	r.mu.Lock()
	if r.stopping.Load() {
		r.mu.Unlock()
		return false
	}
	r.members.Add(m)
	bind := m.Bound && !r.bound
	r.bound = r.bound || bind
	r.mu.Unlock()
	if bind {
		r.engine.bind()
	}
	return true
}

func (d *door) Leave(m *seam.Member) {
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	d.r.members.Remove(m)
}

func (d *door) Go(job func(w seam.Worker) (deliver func())) bool {
	return !d.r.stopping.Load() && d.r.engine.work(d.r.guard(job))
}

func (d *door) Watch(ctx context.Context, f func()) (stop func() bool) {
	return d.watch(ctx, f, false)
}

// WatchParent is Watch for a context that is only the parent of one of the
// library's: see [seam.ParentWatcher].
func (d *door) WatchParent(ctx context.Context, f func()) (stop func() bool) {
	return d.watch(ctx, f, true)
}

func (d *door) watch(ctx context.Context, f func(), parent bool) (stop func() bool) {
	if c := lifetime.Of(ctx); c != nil {
		return c.AfterFunc(f)
	}
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return d.r.engine.watch(ctx, f, parent)
}

func (d *door) Parked() (release func()) { return d.r.engine.parked() }

func (d *door) Births() bool { return d.r.births }

func (d *door) Strict() bool { return d.r.books.Load() != nil }

func (d *door) Logger() *slog.Logger { return d.r.log() }

func (d *door) Local() *atomic.Value { return &d.r.local }

func (d *door) KeepBooks(failed func(err error)) { d.r.books.Store(&failed) }

func (d *door) Timers() []seam.Scheduled { return d.r.engine.timers() }

func (d *door) Posts() []string { return d.r.engine.posts() }

func (d *door) Workers() []seam.Working { return d.r.engine.workers() }

func (d *door) JobsOver() <-chan struct{} { return d.r.engine.jobsOver() }

func (d *door) RunReady() { d.r.engine.runReady() }
