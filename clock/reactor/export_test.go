package reactor

import "time"

// CountReads counts how often the loop of r, which does not run yet, reads its
// clock.
func CountReads(r *Reactor) (reads func() int) {
	l := r.engine.(*loop)
	n, since := 0, l.since
	l.since = func(t time.Time) time.Duration {
		n++
		return since(t)
	}
	return func() int { return n }
}
