package future_test

import (
	"errors"
	"slices"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/future/task"
)

// This file has the interpreter's words for what is waited for, locks and
// queues, and for looping calls.

// confThings are the locks, queues and loops of a program.
type confThings struct {
	sems   map[string]*confSem
	queues map[string]*lock.Queue[any]
	loops  map[string]*confLoop
}

// confSem is a semaphore with the leases that the program holds, the oldest
// first. In a program anybody may release, also what a run holds.
type confSem struct {
	*lock.Semaphore
	held, running []lock.Lease
}

// release takes a lease to be released, those of runs last.
func (s *confSem) release() (l lock.Lease, ok bool) {
	for _, from := range []*[]lock.Lease{&s.held, &s.running} {
		if len(*from) > 0 {
			l, *from = (*from)[0], (*from)[1:]
			return l, true
		}
	}
	return l, false
}

func (m *machine) semaphore(s step) {
	sem := m.sems[s.S]
	switch s.Do {
	case "sem":
		m.sems[s.S] = &confSem{Semaphore: lock.NewSemaphore(s.Tokens)}
	case "acquire":
		m.follow(s.D, future.Then(sem.Acquire(1), func(l lock.Lease) (any, error) {
			sem.held = append(sem.held, l)
			return s.S, nil
		}))
	case "release":
		l, ok := sem.release()
		if !ok {
			m.emit("release", s.S, "refused")
			return
		}
		m.emit("release", s.S, "ok")
		l.Release()
	case "run":
		var mine lock.Lease
		acquired := future.Then(sem.Acquire(1), func(l lock.Lease) (lock.Lease, error) {
			mine = l
			sem.running = append(sem.running, l)
			return l, nil
		})
		m.follow(s.D, lock.Run(acquired, func() deferred {
			m.emit("run", s.S, s.D)
			return m.act(s.Act, nil, nil).Finally(func() error {
				sem.running = slices.DeleteFunc(sem.running, func(l lock.Lease) bool { return l == mine })
				return nil
			})
		}))
	}
}

// follow binds name to a Deferred that the machine's books know, and that
// settles as d does.
func (m *machine) follow(name string, d deferred) {
	out, res := future.NewIn[any](m.books)
	m.bind(name, out)
	res.Follow(d)
}

func (m *machine) queue(s step) {
	q := m.queues[s.Q]
	switch s.Do {
	case "queue":
		var opts []lock.Option
		if s.Size != nil {
			opts = append(opts, lock.Size(*s.Size))
		}
		if s.Backlog != nil {
			opts = append(opts, lock.Backlog(*s.Backlog))
		}
		m.queues[s.Q] = lock.NewQueue[any](opts...)
	case "put":
		m.emit("put", s.Q, s.V)
		if err := q.TryPut(s.V); errors.Is(err, lock.ErrFull) {
			m.emit("overflow", s.Q)
		} else if err != nil {
			panic(err)
		}
	case "get":
		d := q.Get()
		if _, err := d.Result(); errors.Is(err, lock.ErrFull) {
			m.emit("underflow", s.Q)
			d = future.Succeed[any](nil)
		}
		m.follow(s.D, d)
	}
}

// confLoop is a looping call of a program.
type confLoop struct {
	*task.Loop
	d       *future.Deferred[struct{}]
	stopped bool
}

func (m *machine) looping(s step) {
	l := m.loops[s.L]
	switch s.Do {
	case "loop":
		runs := 0
		l = new(confLoop)
		m.loops[s.L] = l
		l.Loop = task.NewLoopFlat(m.clock, func(n int) deferred {
			event := []any{"loop", s.L, float64(m.clock.now)}
			if s.Count {
				event = append(event, float64(n))
			}
			m.emit(event...)
			a := s.Acts[min(runs, len(s.Acts)-1)]
			runs++
			return m.act(a, float64(runs), nil)
		})
		out, res := future.NewIn[any](m.books)
		m.bind(s.D, out)
		start := l.StartLater
		if s.Now {
			start = l.Start
		}
		l.d = start(time.Duration(s.Every) * time.Second)
		res.Follow(future.Then(l.d, func(struct{}) (any, error) { return s.L, nil }))
	case "lstop":
		if m.idle(s, l) {
			return
		}
		l.stopped = true
		l.Stop()
	case "lreset":
		if !m.idle(s, l) {
			l.Reset()
		}
	}
}

// idle emits whether l runs.
func (m *machine) idle(s step, l *confLoop) bool {
	idle := l.stopped || l.d != nil && future.Settled(l.d)
	state := "ok"
	if idle {
		state = "idle"
	}
	m.emit(s.Do, s.L, state)
	return idle
}
