// Package timerq is the queue of a virtual clock and of a reactor: what is to
// be done at this instant, in order, and what later.
//
// The order is the same for both. At each instant, first the timers that are
// due run, by due time and then in the order in which they were armed; then
// what was queued at this instant, first in, first out. A timer that is armed
// with no delay during a turn is queued at the end of the turn, after what the
// turn has posted.
package timerq

import (
	"cmp"
	"slices"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

// A Timer is a delayed call, and a task as such. Its fields are protected by the
// lock of the queue's user; F and Group do not change.
type Timer struct {
	F     func()
	Group *Group

	when  int64
	place uint32
	where where
}

// A Group is what timers have in common: of one owner all, or, if birthplaces
// are recorded, those that were made at one place. It does not change.
type Group struct {
	Home  any // the queue's user
	Owner *seam.Owner
	Birth *birth.Place
}

// where says what the place of a timer is a place in.
type where uint8

const (
	nowhere where = iota // it has fired, was stopped, or was never armed
	inHeap
	inReady
	inTail
	inHeld
)

// Run calls F.
func (t *Timer) Run() seam.Task {
	t.F()
	return nil
}

// An Item is what runs in one turn: a task that was posted, or a timer. What
// its Run returns is to be given to Then.
type Item struct {
	seam.Task
	Owner *seam.Owner
}

// Timer is the item if that is a timer, else nil.
func (it Item) Timer() *Timer {
	t, _ := it.Task.(*Timer)
	return t
}

// A Queue is not safe for concurrent use: its user locks.
type Queue struct {
	// Now is the time up to which timers are due. Whoever moves it has run
	// what was due before.
	Now int64

	ready ring
	tail  ring // armed without delay in the running turn
	held  ring // ready, but not before Release
	heap  heap
	seq   uint64
}

// Post queues t.
func (q *Queue) Post(t seam.Task, o *seam.Owner) { q.ready.push(t, o) }

// Arm arms t, which is not armed, for the time when. If that is not after
// Now, t is queued: at the end of the running turn, if there is one.
func (q *Queue) Arm(t *Timer, when int64, turn bool) {
	switch t.when = when; {
	case when > q.Now:
		q.seq++
		q.heap.push(t, q.seq)
		t.where = inHeap
	case turn:
		t.where, t.place = inTail, q.tail.pushTimer(t)
	default:
		q.enqueue(t)
	}
}

// PostHeld queues t, but not before Release.
func (q *Queue) PostHeld(t seam.Task) { q.held.push(t, nil) }

func (q *Queue) enqueue(t *Timer) {
	t.where, t.place = inReady, q.ready.pushTimer(t)
}

// Disarm disarms t and reports whether it was armed.
func (q *Queue) Disarm(t *Timer) bool {
	switch t.where {
	case nowhere:
		return false
	case inHeap:
		q.heap.remove(t)
	case inReady:
		q.ready.clearTimer(t.place)
	case inTail:
		q.tail.clearTimer(t.place)
	case inHeld:
		q.held.clearTimer(t.place)
	}
	t.where = nowhere
	return true
}

// Then queues what a turn of o's has returned. It is part of that turn: to be
// called before EndTurn.
func (q *Queue) Then(next seam.Task, o *seam.Owner) {
	if next != nil {
		q.Post(next, o)
	}
}

// EndTurn queues the timers that were armed without delay in the turn.
func (q *Queue) EndTurn() {
	if q.tail.head != q.tail.tail { // seldom
		q.endTurn()
	}
}

func (q *Queue) endTurn() {
	for {
		it, ok := q.tail.pop()
		if !ok {
			return
		}
		q.enqueue(it.Timer())
	}
}

// Ripen moves Now to the time now and queues the timers that have become due,
// after what is queued already.
func (q *Queue) Ripen(now int64) {
	q.Now = max(q.Now, now)
	for t := q.heap.first(); t != nil && t.when <= q.Now; t = q.heap.first() {
		q.heap.pop()
		q.enqueue(t)
	}
}

// Hold sets aside what is queued, until Release queues it again after what
// has been queued in between.
func (q *Queue) Hold() {
	if q.ready.len() == 0 {
		return
	}
	for {
		it, ok := q.ready.pop()
		if !ok {
			return
		}
		if t := it.Timer(); t != nil {
			t.where, t.place = inHeld, q.held.pushTimer(t)
		} else {
			q.held.push(it.Task, it.Owner)
		}
	}
}

// Release queues what was set aside. It reports whether there was anything.
func (q *Queue) Release() bool {
	if q.held.head == q.held.tail {
		return false
	}
	for {
		it, ok := q.held.pop()
		if !ok {
			return true
		}
		if t := it.Timer(); t != nil {
			q.enqueue(t)
		} else {
			q.ready.push(it.Task, it.Owner)
		}
	}
}

// Next takes the next item that is due.
func (q *Queue) Next() (Item, bool) {
	if t := q.heap.first(); t != nil && t.when <= q.Now {
		q.heap.pop()
		t.where = nowhere
		return Item{t, t.Group.Owner}, true
	}
	it, ok := q.ready.pop()
	if t := it.Timer(); t != nil {
		t.where = nowhere
	}
	return it, ok
}

// Take fills b, which is empty, with tasks that Next would return next if no
// timer became due. It returns false if there are none, or so few that Next is
// as fast. The tasks have no owners.
func (q *Queue) Take(b *Batch) bool { return q.ready.take(b) }

// Later returns the due time of the earliest timer in the heap. If nothing is
// due, that is when something will be.
func (q *Queue) Later() (when int64, ok bool) {
	if t := q.heap.first(); t != nil {
		return t.when, true
	}
	return 0, false
}

// Due reports whether there is something that is due.
func (q *Queue) Due() bool {
	when, ok := q.Later()
	return q.ready.len() > 0 || q.tail.len() > 0 || ok && when <= q.Now
}

// Len counts the items.
func (q *Queue) Len() int { return q.heap.len() + q.ready.len() + q.tail.len() + q.held.len() }

// A Listed item is one of a list, with its due time if it is a timer: the
// list may be read without the lock.
type Listed struct {
	Item
	When int64
}

func listed(it Item) Listed {
	if t := it.Timer(); t != nil {
		return Listed{it, t.when}
	}
	return Listed{Item: it}
}

// All lists the items of o, or all if o is nil, in the order in which they
// will run.
func (q *Queue) All(o *seam.Owner) []Listed {
	var all []Listed
	slots := slices.Clone(q.heap.slots)
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.seq, b.seq))
	})
	i := 0
	for ; i < len(slots) && slots[i].when <= q.Now; i++ {
		all = q.heap.list(all, slots[i], o)
	}
	all = q.ready.list(all, o)
	all = q.tail.list(all, o)
	all = q.held.list(all, o)
	for ; i < len(slots); i++ {
		all = q.heap.list(all, slots[i], o)
	}
	return all
}

func (h *heap) list(all []Listed, s slot, o *seam.Owner) []Listed {
	if t := h.table[s.id]; t != nil && (o == nil || t.Group.Owner == o) {
		all = append(all, Listed{Item{t, t.Group.Owner}, t.when})
	}
	return all
}

func (r *ring) list(all []Listed, o *seam.Owner) []Listed {
	for p := r.head; p != r.tail; p++ {
		if it := r.at(p); it.Task != nil && (o == nil || it.Owner == o) {
			all = append(all, listed(it))
		}
	}
	return all
}

// Drop removes all items of o and returns those that were due, in order.
func (q *Queue) Drop(o *seam.Owner) (due []Listed) {
	for _, it := range q.All(o) {
		if it.Timer() == nil || it.When <= q.Now {
			due = append(due, it)
		}
	}
	q.heap.sweep(func(t *Timer) bool {
		if t.Group.Owner != o {
			return false
		}
		t.where = nowhere
		return true
	})
	q.ready.drop(o)
	q.tail.drop(o)
	q.held.drop(o)
	return due
}

func (r *ring) drop(o *seam.Owner) {
	for p := r.head; p != r.tail; p++ {
		if it := r.at(p); it.Task != nil && it.Owner == o {
			if t := it.Timer(); t != nil {
				t.where = nowhere
			}
			r.clear(p)
		}
	}
}
