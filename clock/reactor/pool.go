package reactor

import (
	"cmp"
	"slices"
	"sync"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
	"github.com/deferred-go/deferred/internal/seam"
)

// pool runs the jobs of a reactor on a real clock. Its goroutines start when
// there is work and end when there is none.
type pool struct {
	r *Reactor

	// mu protects the following. No other lock is taken while it is held.
	mu      sync.Mutex
	count   int // of jobs, ever
	all     map[*job]struct{}
	queue   []*job // that have not begun
	running int    // that occupy one of the slots
	stopped bool

	over    chan struct{} // closed when, after the stop, no job is left, or those that are have been reported
	sayOver sync.Once
}

// A job is also the goroutine that runs it, as package future sees it.
type job struct {
	p      *pool
	l      *loop
	number int
	birth  *birth.Place
	f      func(seam.Worker) func()
	wake   chan struct{} // made by the first Park or Ready
	state  string
}

func (p *pool) init(r *Reactor) {
	p.r, p.all, p.over = r, make(map[*job]struct{}), make(chan struct{})
}

func (p *pool) end() { p.sayOver.Do(func() { close(p.over) }) }

func (p *pool) submit(l *loop, f func(seam.Worker) func()) bool {
	j := &job{p: p, l: l, f: f, state: "queued"}
	if p.r.births {
		j.birth = birth.Here()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	p.count++
	j.number = p.count
	p.all[j] = struct{}{}
	p.queue = append(p.queue, j)
	p.startLocked()
	return true
}

// startLocked starts a goroutine for the first job, if there are a job and a
// slot.
func (p *pool) startLocked() {
	if p.running >= p.r.workers || len(p.queue) == 0 {
		return
	}
	j := p.shiftLocked()
	p.running++
	go mark.Worker(func() { p.serve(j) })
}

func (p *pool) shiftLocked() *job {
	j := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	j.state = "running"
	return j
}

// serve runs j and then other jobs, until there are none.
func (p *pool) serve(j *job) {
	for j != nil {
		j.run()
		j = p.next()
	}
}

// next gives the slot to the next job, or frees it.
func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running > p.r.workers || len(p.queue) == 0 {
		p.running--
		return nil
	}
	return p.shiftLocked()
}

// run runs the job. If that ends its goroutine, the slot goes on on another.
func (j *job) run() {
	returned := false
	defer func() {
		if !returned {
			j.leave()
			j.p.mu.Lock()
			defer j.p.mu.Unlock()
			j.p.running--
			j.p.startLocked()
		}
	}()
	deliver := j.f(j)
	returned = true
	j.leave()
	if deliver != nil && !j.l.post(function(deliver)) {
		j.p.r.late("the result of a job", j.birth.String())
	}
}

func (j *job) leave() {
	j.p.mu.Lock()
	defer j.p.mu.Unlock()
	delete(j.p.all, j)
	if j.p.stopped && len(j.p.all) == 0 {
		j.p.end()
	}
}

// Park gives the slot to the next job, and waits.
func (j *job) Park() {
	p := j.p
	p.mu.Lock()
	j.state = "waiting"
	p.running--
	p.startLocked()
	wake := j.wakeLocked()
	p.mu.Unlock()
	<-wake
	p.mu.Lock()
	j.state = "running"
	p.running++
	p.mu.Unlock()
}

// Ready ends the Park.
func (j *job) Ready() {
	j.p.mu.Lock()
	wake := j.wakeLocked()
	j.p.mu.Unlock()
	wake <- struct{}{}
}

func (j *job) wakeLocked() chan struct{} {
	if j.wake == nil {
		j.wake = make(chan struct{}, 1)
	}
	return j.wake
}

// stop lets no job start any more, and names those that have not.
func (p *pool) stop() (lost []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, j := range p.queue {
		delete(p.all, j)
		lost = append(lost, name("a job that had not begun", j.birth))
	}
	p.queue = nil
	if len(p.all) == 0 {
		p.end()
	}
	return lost
}

func (p *pool) list() []seam.Working {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*job, 0, len(p.all))
	for j := range p.all {
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b *job) int { return cmp.Compare(a.number, b.number) })
	list := make([]seam.Working, len(all))
	for i, j := range all {
		list[i] = seam.Working{State: j.state, Birth: j.birth.String()}
	}
	return list
}
