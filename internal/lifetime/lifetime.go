// Package lifetime has the contexts that the library makes: for coroutines,
// workers and goroutines of package future, and for deadlines on a clock.
//
// A Context differs from one of package context in that its end takes effect
// within the call that ends it: all contexts of package context below it have
// ended, and the functions given to AfterFunc have run, when End returns. No
// goroutine is involved.
//
// Inside is a context of package context, made when somebody asks for what
// only that one can give: a Done channel, or a Value that is not the
// library's. Most contexts of coroutines end without.
package lifetime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/internal/linked"
)

// A Context is a [context.Context] that ends when [Context.End] is called or
// when its parent ends. It may be used from any goroutine.
type Context struct {
	parent context.Context
	owner  any

	// mu protects the following fields. Nothing that is not this package's is
	// called with it held, and no other lock is taken.
	mu         sync.Mutex
	std        *standard
	ended      bool
	over       atomic.Bool // ended, for who has no lock
	err, cause error
	hooks      linked.List[hook]
	unwatch    func() bool

	// The place in the list of a parent that is the library's own. Its fields
	// are protected by up.mu; up does not change after New.
	up   *Context
	link linked.Element[hook]
}

// A hook is one function, or one context, that the end of a Context reaches.
type hook struct {
	f     func()
	child *Context // ended instead of calling f
}

type (
	selfKey  struct{}
	ownerKey struct{}
)

// New returns a context below parent. It ends when End is called or when
// parent ends, with parent's error and cause; if parent has ended, it has too.
//
// If parent's own end is the library's (see [Of]), New's context ends within
// it. Otherwise watch is called, unless parent never ends, to have f called
// when it does; a nil watch stands for [context.AfterFunc]. The watch is
// stopped when the context ends first.
//
// owner is what [Owner] returns for the context and those below it. With nil
// they return what they return for parent.
func New(parent context.Context, watch func(ctx context.Context, f func()) (stop func() bool), owner any) *Context {
	c := &Context{parent: parent, owner: owner}
	if up := Of(parent); up != nil {
		c.below(up)
		return c
	}
	if err := parent.Err(); err != nil {
		c.End(err, context.Cause(parent))
		return c
	}
	if parent.Done() == nil {
		return c
	}
	if watch == nil {
		watch = context.AfterFunc
	}
	c.watched(watch(parent, func() { c.End(parent.Err(), context.Cause(parent)) }))
	return c
}

// below makes c end within the end of up.
func (c *Context) below(up *Context) {
	c.up = up
	c.link.Value.child = c
	if !up.add(&c.link) {
		up.mu.Lock()
		err, cause := up.err, up.cause
		up.mu.Unlock()
		c.End(err, cause)
	}
}

// watched keeps stop for the end of c, or calls it if that was faster.
func (c *Context) watched(stop func() bool) {
	c.mu.Lock()
	ended := c.ended
	if !ended {
		c.unwatch = stop
	}
	c.mu.Unlock()
	if ended {
		stop()
	}
}

// End ends c with err, which is context.Canceled or context.DeadlineExceeded,
// and the cause that [context.Cause] tells; a nil cause is err. First the
// contexts of package context below c end, then the functions given to
// AfterFunc run and the library's contexts below c end, in the order in which
// they were added, on the calling goroutine and with no lock held. Then End
// returns true. If c has ended, or somebody else is ending it, End returns
// false at once.
func (c *Context) End(err, cause error) bool {
	if cause == nil {
		cause = err
	}
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return false
	}
	c.ended, c.err, c.cause = true, err, cause
	c.over.Store(true)
	std, unwatch, hooks := c.std, c.unwatch, c.hooks.First() != nil
	c.unwatch = nil
	c.mu.Unlock()

	if unwatch != nil {
		unwatch()
	}
	if c.up != nil {
		c.up.remove(&c.link)
	}
	if std != nil {
		std.finish(err, cause)
	}
	for hooks {
		h := c.takeFirst()
		if h == nil {
			break
		}
		h.Value.run(err, cause)
	}
	return true
}

func (h *hook) run(err, cause error) {
	if h.child != nil {
		h.child.End(err, cause)
	} else {
		h.f()
	}
}

// AfterFunc calls f once when c ends, within [Context.End], or at once if c
// has ended. stop reports whether it prevented the call.
//
// [context.AfterFunc] does not use this method. It calls its function on a
// goroutine of its own, as for any context.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	h := &linked.Element[hook]{Value: hook{f: f}}
	if !c.add(h) {
		f()
		return func() bool { return false }
	}
	return func() bool { return c.remove(h) }
}

// add puts h on c's list, unless c has ended.
func (c *Context) add(h *linked.Element[hook]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.hooks.Add(h)
	return true
}

// remove takes h off c's list, if it is on it.
func (c *Context) remove(h *linked.Element[hook]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hooks.Remove(h)
}

func (c *Context) takeFirst() *linked.Element[hook] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hooks.TakeFirst()
}

// Deadline is the parent's: a Context has none of its own, because the one on
// a clock in a test would end real timeouts and I/O at once.
func (c *Context) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done is closed when c has ended.
func (c *Context) Done() <-chan struct{} { return c.standard().ctx.Done() }

// Err is nil until c ends.
func (c *Context) Err() error {
	if !c.over.Load() {
		return nil
	}
	c.mu.Lock()
	std, err := c.std, c.err
	c.mu.Unlock()
	if std != nil {
		return std.ctx.Err()
	}
	return err
}

// Value is the parent's.
func (c *Context) Value(key any) any {
	switch key.(type) {
	case selfKey:
		return c
	case ownerKey:
		if c.owner != nil {
			return c.owner
		}
		return c.parent.Value(key)
	}
	// Package context asks with a private key for the context whose list its
	// children go to. Nobody else can tell that key from others.
	return c.standard().ctx.Value(key)
}

// Of returns the library's context whose end is ctx's own: ctx itself, or what
// is below it with nothing but values between. It returns nil if there is
// none, as for a context of package context that can end on its own.
func Of(ctx context.Context) *Context {
	if c, ok := ctx.(*Context); ok {
		return c
	}
	c, ok := ctx.Value(selfKey{}).(*Context)
	if !ok || c.Done() != ctx.Done() {
		return nil
	}
	return c
}

// Owner returns the owner of the innermost Context that has one, at or above
// ctx, or nil. It also looks through contexts of package context, and through
// [context.WithoutCancel].
func Owner(ctx context.Context) any { return ctx.Value(ownerKey{}) }
