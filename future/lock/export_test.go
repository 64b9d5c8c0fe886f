package lock

// CancellerOf returns the canceller of the Deferred that is first in line, to be
// called later than a Cancel would.
func CancellerOf(m *Mutex) func(cause error) { return m.p.line.first().canceled }

// LeaverOf returns what takes the first in line out, once its cancel is known to
// be one: a canceller may have got that far when it is held up.
func LeaverOf(m *Mutex) func() {
	w := m.p.line.first()
	turn := w.turn
	return func() { w.leave(turn) }
}

// InLine is how many wait.
func InLine(m *Mutex) int { return m.p.line.n }
