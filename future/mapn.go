package future

import (
	"strconv"
	"sync"
)

// MapN calls f for each element of in, in order, with at most n of the
// Deferreds that f returned pending at a time, and returns a Deferred of their
// values, in the order of in. After the first failure it starts nothing more
// and cancels what runs, before the result settles with that failure.
//
// The first n calls of f are made within this call, the later ones where the
// callbacks of the Deferreds run that f returned, as callbacks do; the result's
// callbacks run there too. A panic in f, or a nil that it returns, is that
// element's failure. A Cancel of the result cancels what runs and starts
// nothing more. MapN copies in. It panics if n is less than 1 or f is nil.
func MapN[T, U any](n int, in []T, f func(T) *Deferred[U]) *Deferred[[]U] {
	if n < 1 {
		panic("future: MapN(" + strconv.Itoa(n) + "): at least one must run at a time")
	}
	mustFunc(f == nil, "MapN")
	if len(in) == 0 {
		return Succeed([]U{})
	}
	m := &mapN[T, U]{in: append([]T(nil), in...), out: make([]U, len(in)), f: f}
	m.lanes = make([]lane[T, U], min(n, len(in)))
	for i := range m.lanes {
		m.lanes[i].start(m)
	}
	m.gather.start(&m.d.n, m, len(m.lanes), func(i int) *node { return &m.lanes[i].n })
	return &m.d
}

// mapN is a gather over its lanes. Each lane follows one Deferred after the
// other, like a loop of ThenFlat.
type mapN[T, U any] struct {
	gather
	d     Deferred[[]U]
	in    []T
	out   []U
	f     func(T) *Deferred[U]
	lanes []lane[T, U]

	mu     sync.Mutex // protects in, out, f and following fields; taken last
	next   int
	failed bool
	with   *fault // the cancellation, if that is why nothing more starts
}

type lane[T, U any] struct {
	n  node
	m  *mapN[T, U]
	at *Deferred[U] // what it waits for
	i  int          // the element that this is for
}

func (l *lane[T, U]) start(m *mapN[T, U]) {
	l.m, l.i = m, -1
	l.n.init(running, nil, l)
	w := work{reader: &l.n, role: l}
	w.run()
}

func (l *lane[T, U]) source() *node { return &l.at.n }

// runs reports true for a value if another element may follow.
func (l *lane[T, U]) runs(failed bool) bool { return !failed && l.m.more() }

func (l *lane[T, U]) step(in *fault) (*node, *fault) {
	if in != nil {
		l.m.fail()
		l.at = nil
		return nil, in
	}
	if l.at != nil {
		l.m.store(l.i, l.at.value)
		l.at = nil
	}
	f, v, with := l.m.take(&l.i)
	if f == nil {
		return nil, with
	}
	returned := false
	defer func() {
		if !returned {
			l.m.fail()
		}
	}()
	l.at = f(v)
	returned = true
	if l.at == nil {
		l.m.fail()
	} else {
		l.n.moveIn(l.at.n.home)
	}
	return followed(l.at, f)
}

// moveIn gives n, which is running, a home if it has none. The gather of its
// lane may be looking for one.
func (n *node) moveIn(h *home) {
	n.mu.Lock()
	if n.home == nil {
		n.home = h
	}
	n.mu.Unlock()
}

func (m *mapN[T, U]) more() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.failed && m.next < len(m.in)
}

func (m *mapN[T, U]) store(i int, v U) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.failed {
		m.out[i] = v
	}
}

// take returns f and the next element to call it with. If there is none, it
// returns no f, and the cancellation if that is why.
func (m *mapN[T, U]) take(i *int) (f func(T) *Deferred[U], v T, with *fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.failed:
		return nil, v, m.with
	case m.next == len(m.in):
		return nil, v, nil
	}
	*i = m.next
	m.next++
	return m.f, m.in[*i], nil
}

func (m *mapN[T, U]) fail() {
	m.mu.Lock()
	m.failed = true
	m.mu.Unlock()
}

// canceled notes a Cancel of the result.
func (m *mapN[T, U]) canceled(f *fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.failed && m.next < len(m.in) {
		m.failed, m.with = true, f
	}
}

func (m *mapN[T, U]) arrived(_ int, in *fault, left int) (bool, *fault, error) {
	if in != nil {
		return true, in, in.err
	}
	return left == 0, nil, nil
}

func (m *mapN[T, U]) result(out *fault) *fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	if out == nil {
		m.d.value = m.out
	}
	m.failed = true // for lanes that come too late
	m.in, m.out, m.lanes, m.f = nil, nil, nil, nil
	return out
}
