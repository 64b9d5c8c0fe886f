package clock

import (
	"context"
	"maps"
	"slices"

	"github.com/deferred-go/deferred/internal/linked"
)

// polls are foreign contexts that are looked at between events. All that share
// a Done channel are looked at once. Its fields are protected by the Virtual's
// lock.
type polls struct {
	byDone map[<-chan struct{}]*poll
	order  []*poll // each change of what is in it makes a new slice, but appending does not
	live   int     // how many of them have watches
}

// A poll is one foreign context with the watches that wait for its end, in the
// order in which they came.
type poll struct {
	ctx     context.Context
	watches linked.List[watch]
}

type watch struct {
	of *poll
	f  func()
}

func (p *polls) add(ctx context.Context, w *linked.Element[watch]) {
	done := ctx.Done()
	g := p.byDone[done]
	if g == nil {
		if p.byDone == nil {
			p.byDone = make(map[<-chan struct{}]*poll)
		}
		g = &poll{ctx: ctx}
		p.byDone[done] = g
		if len(p.order) > 16 && p.live < len(p.order)/2 {
			p.order = slices.DeleteFunc(slices.Clone(p.order), func(g *poll) bool { return g.watches.First() == nil })
		}
		p.order = append(p.order, g)
		p.live++
	}
	w.Value.of = g
	g.watches.Add(w)
}

func (p *polls) remove(w *linked.Element[watch]) bool {
	g := w.Value.of
	if !g.watches.Remove(w) {
		return false
	}
	if g.watches.First() == nil {
		delete(p.byDone, g.ctx.Done())
		p.live--
		if p.live == 0 {
			p.order, p.byDone = nil, nil
		}
	}
	return true
}

// lookLocked calls what watches the contexts of p that have ended, in the
// order in which the contexts were first watched and then of the watches. It
// reports whether there were any. It lets go of the lock meanwhile.
func (v *Virtual) lookLocked(p *polls) (any bool) {
	if p.live == 0 {
		return false
	}
	order := p.order
	v.mu.Unlock()
	defer v.mu.Lock()
	for _, g := range order {
		if g.ctx.Err() == nil {
			continue
		}
		for f := v.nextWatch(p, g); f != nil; f = v.nextWatch(p, g) {
			any = true
			f()
		}
	}
	return any
}

// listenLocked lets the end of each context of p stir the drive, until that ends.
// It returns true if there were new ones: then it has let go of the lock.
func (v *Virtual) listenLocked(p *polls) bool {
	var fresh []context.Context
	for done, g := range p.byDone {
		if v.ears[done] == nil {
			fresh = append(fresh, g.ctx)
		}
	}
	if fresh == nil {
		return false
	}
	ears := make(map[<-chan struct{}]func() bool)
	v.mu.Unlock()
	defer func() { // also if a context of somebody's panics
		v.mu.Lock()
		if v.ears == nil {
			v.ears = make(map[<-chan struct{}]func() bool)
		}
		maps.Copy(v.ears, ears)
	}()
	for _, ctx := range fresh {
		ears[ctx.Done()] = context.AfterFunc(ctx, v.stir)
	}
	return true
}

func (v *Virtual) stir() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stirred = true
	v.cond.Broadcast()
}

// deafenLocked undoes listenLocked. It lets go of the lock meanwhile.
func (v *Virtual) deafenLocked() {
	ears := v.ears
	v.ears, v.stirred = nil, false
	if ears == nil {
		return
	}
	v.mu.Unlock()
	defer v.mu.Lock()
	for _, stop := range ears {
		stop()
	}
}

func (v *Virtual) nextWatch(p *polls, g *poll) func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := g.watches.First()
	if w == nil {
		return nil
	}
	p.remove(w)
	return w.Value.f
}

func (v *Virtual) watch(p *polls, ctx context.Context, f func()) (stop func() bool) {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	w := &linked.Element[watch]{Value: watch{f: f}}
	v.mu.Lock()
	p.add(ctx, w)
	v.news.Store(true)
	if v.holds > 0 { // a drive that is held does not listen for this one
		v.stirred = true
		v.cond.Broadcast()
	}
	v.mu.Unlock()
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return p.remove(w)
	}
}
