package clock

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

// driver is a Virtual as the reactors on it see it: see [seam.Driver].
type driver struct{ v *Virtual }

var _ seam.Driver = (*driver)(nil)

func (d *driver) Now() time.Time { return d.v.Now() }

func (d *driver) Births() bool { return d.v.births }

func (d *driver) Post(o *seam.Owner, t seam.Task) bool {
	v := d.v
	v.mu.Lock()
	if o.Gone {
		v.mu.Unlock()
		return false
	}
	v.q.Post(t, o)
	v.news.Store(true)
	if v.holds > 0 {
		v.cond.Broadcast()
	}
	v.mu.Unlock()
	return true
}

func (d *driver) CallLater(o *seam.Owner, delay time.Duration, f func()) (seam.Timer, bool) {
	v := d.v
	t := &virtualTimer{timerq.Timer{F: f}}
	if v.births || o.Births {
		t.Group = &timerq.Group{Home: v, Owner: o, Birth: birth.Here()}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if t.Group == nil {
		t.Group = v.groupLocked(o)
	}
	if o.Gone {
		return t, false
	}
	v.armLocked(&t.Timer, delay)
	return t, true
}

// groupLocked is that of o's timers.
func (v *Virtual) groupLocked(o *seam.Owner) *timerq.Group {
	g, ok := o.Timers.(*timerq.Group)
	if !ok {
		g = &timerq.Group{Home: v, Owner: o}
		o.Timers = g
	}
	return g
}

func (d *driver) Go(o *seam.Owner, job func(seam.Worker) func()) bool {
	v := d.v
	w := &worker{v: v, owner: o, job: job}
	if v.births || o.Births {
		w.birth = birth.Here()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if o.Gone {
		return false
	}
	b := &v.baton
	b.count++
	w.number = b.count
	if b.all == nil {
		b.all = make(map[*worker]struct{})
	}
	b.all[w] = struct{}{}
	b.ready = append(b.ready, w)
	v.news.Store(true)
	v.cond.Broadcast()
	return true
}

func (d *driver) Watch(ctx context.Context, f func()) func() bool {
	return d.v.watch(&d.v.waits, ctx, f)
}

func (d *driver) WatchParent(ctx context.Context, f func()) func() bool {
	return d.v.watch(&d.v.parents, ctx, f)
}

func (d *driver) Bind(o *seam.Owner) {
	d.v.mu.Lock()
	defer d.v.mu.Unlock()
	d.v.bound = append(d.v.bound, o)
}

func (d *driver) RunReady() {
	if d.v.tryBegin(false) {
		d.v.drive("Advance", 0, nil, math.MaxInt)
	}
}

func (d *driver) Local() *atomic.Value { return &d.v.local }

func (d *driver) Fence(at time.Time, passed func()) (lift func()) {
	v := d.v
	f := &fence{int64(at.Sub(start)), passed}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fence = f
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.fence == f {
			v.fence = nil
		}
	}
}

func (d *driver) Do(f func()) {
	v := d.v
	byWorker := inTurn(mark.Find())
	v.mu.Lock()
	if v.driving {
		v.asked = append(v.asked, f)
		v.urgent = v.urgent || !byWorker
		v.news.Store(true)
		v.cond.Broadcast()
		v.mu.Unlock()
		return
	}
	v.driving, v.doing = true, true
	v.mu.Unlock()
	defer v.end()
	mark.Loop(func() {
		f()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.endWorkersLocked()
	})
}

// inTurn reports whether k may be a worker whose turn is not over, or run within
// one: what is done now would be done beside it. A coroutine that somebody else has
// resumed waits for a worker, too, at most until that is reported as stuck.
func inTurn(k mark.Kind) bool { return k == mark.OnVirtualWorker || k == mark.OnCoroutine }

// endWorkersLocked lets the workers of stopped reactors go on that are ready
// to: Stop has woken them, and nobody may drive again.
func (v *Virtual) endWorkersLocked() {
	for len(v.asked) > 0 || v.baton.busy > v.baton.stuck || v.baton.handOnLocked(func(w *worker) bool { return w.owner.Gone }) {
		if v.baton.busy > v.baton.stuck {
			v.awaitWorkerLocked()
		}
		for len(v.asked) > 0 {
			v.doLocked()
		}
	}
	v.baton.deliverLocked(v)
}

func (d *driver) Drop(o *seam.Owner) (dropped seam.Dropped) {
	v := d.v
	v.mu.Lock()
	o.Gone = true
	v.bound = slices.DeleteFunc(v.bound, func(b *seam.Owner) bool { return b == o })
	due := v.q.Drop(o)
	var jobs []*worker
	b := &v.baton
	b.ready = slices.DeleteFunc(b.ready, func(w *worker) bool {
		if w.owner == o && w.state == queued {
			delete(b.all, w)
			jobs = append(jobs, w)
			return true
		}
		return false
	})
	now := v.q.Now
	v.mu.Unlock()
	for _, it := range due {
		if t, ok := it.Task.(seam.Dropper); ok {
			dropped.Tasks = append(dropped.Tasks, t)
		} else {
			dropped.Lost = append(dropped.Lost, describe(now, it))
		}
	}
	for _, w := range jobs {
		s := "a job that had not begun"
		if place := w.birth.String(); place != "" {
			s += ", submitted at " + place
		}
		dropped.Lost = append(dropped.Lost, s)
	}
	return dropped
}

func (d *driver) Timers(o *seam.Owner) []seam.Scheduled { return timerq.Timers(d.scheduled(o), start) }
func (d *driver) Posts(o *seam.Owner) []string          { return timerq.Posts(d.scheduled(o)) }

func (d *driver) scheduled(o *seam.Owner) []timerq.Listed {
	d.v.mu.Lock()
	defer d.v.mu.Unlock()
	return d.v.q.All(o)
}

func (d *driver) Workers(o *seam.Owner) []seam.Working {
	d.v.mu.Lock()
	defer d.v.mu.Unlock()
	var all []*worker
	for w := range d.v.baton.all {
		if w.owner == o {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(x, y *worker) int { return x.number - y.number })
	list := make([]seam.Working, len(all))
	for i, w := range all {
		list[i] = seam.Working{State: stateNames[w.state], Birth: w.birth.String()}
	}
	return list
}

// parked counts the goroutines that wait for something on v and are not the
// library's. If nobody drives for 2 real seconds, that is said, once. Its
// fields are protected by the Virtual's lock.
type parked struct {
	count int
	timer Timer
	seen  int // v.drives when the timer was started
	said  bool
}

func (d *driver) Parked(o *seam.Owner) (release func()) {
	v := d.v
	v.mu.Lock()
	defer v.mu.Unlock()
	p := &v.parked
	p.count++
	if p.timer == nil && !p.said {
		v.watchParkedLocked(o)
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		p.count--
		if p.count == 0 && p.timer != nil {
			p.timer.Stop()
			p.timer = nil
		}
	}
}

func (v *Virtual) watchParkedLocked(o *seam.Owner) {
	p := &v.parked
	p.seen = v.drives
	var timer Timer
	timer = v.real.CallLater(patience, func() {
		if v.idleParked(&timer, o) {
			o.Logger().Warn("clock: a goroutine waits for something on virtual time, and nobody has moved that for 2 real seconds; start the waiting code with future.GoOn, then call Advance, or let another goroutine drive", slog.Time("now", v.Now()))
		}
	})
	p.timer = timer
}

// idleParked reports whether it is to be said that nobody drives. timer points
// to the one that calls it, and is read with the lock that is held when it is
// set.
func (v *Virtual) idleParked(timer *Timer, o *seam.Owner) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := &v.parked
	if p.timer != *timer {
		return false
	}
	if v.driving || v.drives != p.seen {
		v.watchParkedLocked(o)
		return false
	}
	p.timer, p.said = nil, true
	return true
}
