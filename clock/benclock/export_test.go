package benclock

import bclock "github.com/benbjohnson/clock"

// Idle reports whether all timers of c are garbage.
func Idle(c bclock.Clock) bool { return c.(*view).inner.live.Load() == 0 }

// Follows reports whether the Mock of c follows the Virtual.
func Follows(c bclock.Clock) bool {
	in := &c.(*view).inner
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.follows
}
