package future

// Hold returns the outcome of d, but not before release is called: whatever is
// attached to held waits until then. Only the first call of release counts. If d
// has settled by then, release runs the callbacks of held as a settle does:
// before it returns where they are inline, else on their executor. Others that
// read d do not wait.
//
// A Cancel of held goes to d while that is pending, and what comes of it is held
// back as any outcome is. Once that is there, a Cancel lets held fail as canceled
// at once, and release does nothing more. Each Hold is one of its own: after two
// in a row both have to be released.
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

func (h *hold[T]) step(in *fault) (*node, *fault) {
	switch {
	case !h.came:
		if h.out = in; in == nil {
			h.out = h.d.same(h.from)
		}
		h.came, h.from = true, nil
		return &h.gate.n, nil
	case in != nil: // canceled
		var zero T
		h.d.value = zero
		return nil, in
	}
	return nil, h.out
}
