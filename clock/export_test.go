package clock

// SetReal makes v's watchdogs go by c instead of the real clock.
func SetReal(v *Virtual, c Clock) { v.real = c }

// Patience is how long the watchdogs wait.
const Patience = patience

// Watched returns how many contexts v looks at, and how many it remembers to
// have looked at.
func Watched(v *Virtual) (live, kept int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.waits.live + v.parents.live, len(v.waits.order) + len(v.parents.order)
}
