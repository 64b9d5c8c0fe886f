package future

// Hold returns the outcome of d, but not before release is called: whatever is
// attached to held waits until then. Only the first call of release counts. If d
// has settled by then, release runs the callbacks of held as a settle does:
// before it returns where they are inline, else on their executor. Others that
// read d do not wait.
//
// A Cancel of held ends the hold. While d is pending it goes to d, and the answer
// is held's outcome at once; once d has settled, held fails as canceled, or has d's
// value all the same if that is a lease or a value of package lock. So a Timeout
// bounds the time that it is held. Each Hold is one of its own: after two in a row
// both have to be released.
func (d *Deferred[T]) Hold() (held *Deferred[T], release func()) {
	d.mustBe("Hold")
	h := new(hold[T])
	held = h.start(d, h)
	return held, func() { h.gate.settle(struct{}{}, nil) }
}

// hold is a link that waits for its source first and then for its gate.
type hold[T any] struct {
	link[T, T]
	gate Deferred[struct{}]
	came bool   // the source's outcome is there: its value in d,
	out  *fault // and this
}

func (h *hold[T]) source() *node {
	if h.came {
		return &h.gate.n
	}
	return &h.from.n
}

func (h *hold[T]) runs(bool) bool { return false }
func (h *hold[T]) holds() bool    { return h.came && h.out.keeper() != nil }

func (h *hold[T]) step(in *fault) (*node, *fault) {
	switch {
	case !h.came:
		if h.out = in; in == nil {
			h.out = h.d.same(h.from)
		}
		h.came, h.from = true, nil
		if !h.canceled() {
			return &h.gate.n, nil
		}
	case in != nil && h.out.keeper() == nil: // canceled
		var zero T
		h.d.value = zero
		return nil, in
	}
	return nil, h.out
}

// canceled reports whether a cancel has gone to the source.
func (h *hold[T]) canceled() bool {
	n := &h.d.n
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.flags&left != 0
}
