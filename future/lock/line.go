package lock

import (
	"sync"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/linked"
	"github.com/deferred-go/deferred/internal/seam"
)

// A desk is where the waiters of a lock or a queue are served, in one loop,
// whoever starts it: what a callback that runs within the loop changes, or
// another goroutine meanwhile, the loop picks up when it gets there. So nothing
// recurses, and no two waiters of one desk are served at a time.
type desk struct {
	mu      sync.Mutex // protects all that its owner has
	serving bool       // the loop runs
	after   []after    // what is to be done when nobody is left to be served, the last first
}

func (d *desk) self() *desk { return d }

// An owner has a desk.
type owner interface {
	self() *desk

	// next decides who is served next, and with what, and takes it off its
	// line. It returns nil if nobody can be. The desk is locked.
	next() decided
}

// A decided is a waiter whose outcome is decided, and who is to be told.
type decided interface {
	tell()   // without a lock
	forget() // afterwards; the desk is locked
}

// An after is what a Run has to do after its release.
type after func()

func (f after) tell() { f() }
func (after) forget() {}

// upcoming is next, and then what is to be done after it. A Run that ended within
// the loop goes on when those who were served because of it have been, as if its
// release had served them within that call.
func upcoming(o owner) decided {
	if w := o.next(); w != nil {
		return w
	}
	d := o.self()
	last := len(d.after) - 1
	if last < 0 {
		return nil
	}
	f := d.after[last]
	d.after[last] = nil
	d.after = d.after[:last]
	if last == 0 && cap(d.after) > maxSpare {
		d.after = nil
	}
	return f
}

// serve serves all who can be, unlocks the desk, and calls then, unless that is
// nil. If others are being served already, it leaves all of it to the loop that
// runs.
func serve(o owner, then func()) {
	d := o.self()
	if d.serving {
		if then != nil {
			d.after = append(d.after, then)
		}
		d.mu.Unlock()
		return
	}
	if then != nil {
		defer then() // also if a callback ends the goroutine
	}
	if w := o.next(); w != nil {
		d.serving = true
		serveFrom(o, w)
		return
	}
	d.mu.Unlock()
}

// serveFrom is the loop; it begins with w. The desk is locked, and unlocked
// when it returns.
//
// If a callback ends the goroutine by runtime.Goexit, or panics to steer a
// property tester, the others are served while that is on its way.
func serveFrom(o owner, w decided) {
	d := o.self()
	over := false
	defer func() {
		if !over {
			d.mu.Lock()
			w.forget()
			serveFrom(o, upcoming(o))
		}
	}()
	for w != nil {
		d.mu.Unlock()
		w.tell()
		d.mu.Lock()
		w.forget()
		w = upcoming(o)
	}
	over, d.serving = true, false
	d.mu.Unlock()
}

// A line is those who wait for one kind of thing, an R, in the order in which
// they came. Each has something with it, a P. The zero line is empty. The lock
// of its owner's desk protects it.
type line[R, P any] struct {
	of      owner    // set when the first one comes, and then read without the lock
	care    *care[R] // set likewise
	waiting linked.List[*waiter[R, P]]
	n       int // how many wait
	spare   *waiter[R, P]
	spares  int
}

// maxSpare is how many unused waiters, and how many holds, a lock keeps for those
// who come. So the number of those who wait may swing by that many, around any
// level, and nothing is allocated.
const maxSpare = 64

// A waiter is a place in a line. It is used again and again.
type waiter[R, P any] struct {
	at       linked.Element[*waiter[R, P]]
	in       *line[R, P]
	canceled func(error) // the method cancel

	// Protected by the desk's lock, but for out, d and res of one that was served:
	// these do not change until it is forgotten.
	state state
	turn  uint64 // how many have stood here before
	with  P
	out   future.Outcome[R]
	d     *future.Deferred[R]
	res   future.Resolver[R]

	next *waiter[R, P] // in the list of spare ones
}

type state uint8

const (
	unused  state = iota
	waiting       // in line
	served        // it has left the line, its outcome is decided
)

// join lets a new waiter queue up, and returns its Deferred. A cancel of that
// takes it out of the line, unless its outcome is decided.
func (l *line[R, P]) join(o owner, c *care[R], with P) *future.Deferred[R] {
	d, res := newKept(c)
	w := l.take(o, c)
	w.state, w.with, w.d, w.res = waiting, with, d, res
	l.waiting.Add(&w.at)
	l.n++
	res.OnCancel(w.canceled)
	return d
}

// A care is what is done so that no R is lost.
type care[R any] struct {
	keep *seam.Keeper
	back func(R) // takes back what nobody takes; nil: there is no need
}

func newCare[R any](back func(R)) *care[R] { return &care[R]{seam.NewKeeper(back), back} }

// Of leases and of Puts, the same for all locks.
var (
	careOfLeases = newCare(releaseUnused)
	careOfPuts   = &care[struct{}]{keep: seam.NewKeeper(nil)}
)

// releaseUnused releases a lease that nobody has got. Should somebody have released
// it who looked on the way, that is fine.
func releaseUnused(l Lease) { l.giveBack(nil) }

// newKept returns a Deferred whose value is not lost when a cancel comes at the
// same time, nor when nobody waits for it any more.
func newKept[R any](c *care[R]) (*future.Deferred[R], future.Resolver[R]) {
	d, res := future.New[R]()
	c.keep.Keep(d)
	return d, res
}

// now returns a Deferred that has succeeded with v. It is kept as well: its
// callbacks may be queued on a loop when the cancel comes.
func now[R any](c *care[R], v R) *future.Deferred[R] {
	d, res := newKept(c)
	res.Succeed(v)
	return d
}

// take returns an unused waiter.
func (l *line[R, P]) take(o owner, c *care[R]) *waiter[R, P] {
	w := l.spare
	if w == nil {
		if l.of == nil {
			l.of, l.care = o, c
		}
		w = &waiter[R, P]{in: l}
		w.at.Value = w
		w.canceled = w.cancel
		return w
	}
	l.spare, w.next = w.next, nil
	l.spares--
	return w
}

// first returns who has waited longest, or nil.
func (l *line[R, P]) first() *waiter[R, P] {
	if e := l.waiting.First(); e != nil {
		return e.Value
	}
	return nil
}

// decide takes the first off the line: it will be told out, and nothing else.
func (l *line[R, P]) decide(out future.Outcome[R]) *waiter[R, P] {
	w := l.first()
	l.remove(w)
	w.state, w.out = served, out
	return w
}

func (l *line[R, P]) remove(w *waiter[R, P]) {
	l.waiting.Remove(&w.at)
	l.n--
}

// tell settles the Deferred for which w stands. If that refuses the value, and has
// not got it by leave, it goes to nobody, and comes back.
func (w *waiter[R, P]) tell() {
	if w.res.Settle(w.out.Value, w.out.Err) || w.out.Err != nil || w.in.care.back == nil {
		return
	}
	if _, err := w.d.Result(); err != nil {
		w.in.care.back(w.out.Value)
	}
}

// forget makes w unused, for the next one.
func (w *waiter[R, P]) forget() {
	var none waiter[R, P]
	w.state, w.with, w.out, w.d, w.res = unused, none.with, none.out, nil, none.res
	w.turn++
	if l := w.in; l.spares < maxSpare {
		w.next, l.spare = l.spare, w
		l.spares++
	}
}

// cancel is the canceller of the Deferred for which w stands. It cannot say for
// which one it was called: it may come late, from a goroutine that was held up,
// when w stands for another. So it changes nothing here, but gives the Deferred
// for which w stands now a canceller that knows its turn. If that is the one
// which is canceled, OnCancel calls it at once.
func (w *waiter[R, P]) cancel(error) {
	d := w.in.of.self()
	d.mu.Lock()
	res, turn, stands := w.res, w.turn, w.state != unused
	d.mu.Unlock()
	if stands {
		res.OnCancel(func(error) { w.leave(turn) })
	}
}

// leave takes w out of the line for a cancel. If it has been served already, the
// cancel is too late, and the answer to it is what w was served.
func (w *waiter[R, P]) leave(turn uint64) {
	d := w.in.of.self()
	d.mu.Lock()
	switch {
	case w.turn != turn: // it has been told
		d.mu.Unlock()
	case w.state == served:
		out, res := w.out, w.res
		d.mu.Unlock()
		res.Settle(out.Value, out.Err)
	default:
		w.in.remove(w)
		w.forget()
		serve(w.in.of, nil) // those behind it may have waited for it only
	}
}
