package lifetime

import (
	"context"
	"sync/atomic"
	"time"
)

// A standard is the context of package context inside a Context. It is its
// own parent there: package context asks that for the error and the cause,
// and does not watch it with a goroutine, because it has a method AfterFunc.
// (A Context with that method alone would not do: one context.WithValue
// hides it, and package context would start a goroutine.)
type standard struct {
	ctx    context.Context
	cancel context.CancelCauseFunc

	parent context.Context
	err    error                           // what the children's Err is to say
	cause  atomic.Pointer[context.Context] // a context with the cause that they are to tell
	end    func()                          // ends ctx with err and the cause
}

// standard returns the context inside of c, which it makes if need be.
func (c *Context) standard() *standard {
	c.mu.Lock()
	s := c.std
	c.mu.Unlock()
	if s != nil {
		return s
	}
	s = &standard{parent: c.parent}
	s.ctx, s.cancel = context.WithCancelCause(s) // asks the parent, so not under the lock
	s, ended := c.publish(s, false)
	if ended {
		s.finish(c.err, c.cause)
		s, _ = c.publish(s, true)
	}
	return s
}

// publish makes s the context inside of c, unless there is one, and returns
// which it is. Of a context that has ended, s must have ended too, or Err
// would take back what it said.
func (c *Context) publish(s *standard, finished bool) (is *standard, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.std != nil {
		return c.std, false
	}
	if c.ended && !finished {
		return s, true
	}
	c.std = s
	return s, false
}

// finish ends ctx, and with it all contexts of package context below.
func (s *standard) finish(err, cause error) {
	if err == context.Canceled {
		s.cancel(cause)
		return
	}
	ctx, tell := context.WithCancelCause(context.Background())
	tell(cause)
	s.cause.Store(&ctx) // others may ask for a value meanwhile
	s.err = err
	s.end()
	s.cancel(nil) // for go vet's peace; it has ended
}

// never is the Done channel of the parent role. It must differ from that of
// any context, and not be nil, or package context would think that there is
// nothing to wait for.
var never = make(chan struct{})

// Deadline is part of the parent role, as are the following.
func (s *standard) Deadline() (time.Time, bool) { return s.parent.Deadline() }

// Done is never closed.
func (s *standard) Done() <-chan struct{} { return never }

// Err is read by package context within end.
func (s *standard) Err() error { return s.err }

// Value is the parent's; within end it has the cause.
func (s *standard) Value(key any) any {
	if cause := s.cause.Load(); cause != nil {
		if v := (*cause).Value(key); v != nil {
			return v
		}
	}
	return s.parent.Value(key)
}

// AfterFunc gives s what ends ctx.
func (s *standard) AfterFunc(f func()) (stop func() bool) {
	s.end = f
	return stopped
}

func stopped() bool { return true }
