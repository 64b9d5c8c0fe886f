package timerq

import "slices"

// heap is a 4-ary heap of timers. Its slots have the keys and no pointers, so
// moving them touches neither the timers nor the garbage collector; which
// timer a slot is of says the table. A timer that is taken or removed leaves its
// slot behind with an empty place in the table, which is all that keeps it in
// memory; when more than half of the slots are such, they are swept out. Often
// a timer that runs arms the next one: that gets the slot which is first.
type heap struct {
	slots []slot
	table []*Timer
	free  []uint32 // places in the table that no slot uses
	dead  int      // slots whose place in the table is empty
}

type slot struct {
	when int64
	seq  uint64
	id   uint32
}

func (a slot) before(b slot) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

func (h *heap) len() int { return len(h.slots) - h.dead }

func (h *heap) push(t *Timer, seq uint64) {
	n := len(h.slots)
	if n > 0 && h.table[h.slots[0].id] == nil {
		id := h.slots[0].id
		h.table[id], t.place = t, id
		h.slots[0] = slot{t.when, seq, id}
		h.dead--
		h.down(0)
		return
	}
	id := uint32(len(h.table))
	if k := len(h.free) - 1; k >= 0 {
		id, h.free = h.free[k], h.free[:k]
		h.table[id] = t
	} else {
		h.table = append(h.table, t)
	}
	t.place = id
	h.slots = append(h.slots, slot{t.when, seq, id})
	if n > 0 {
		h.up(n)
	}
}

// first returns the earliest timer, or nil.
func (h *heap) first() *Timer {
	for len(h.slots) > 0 {
		if t := h.table[h.slots[0].id]; t != nil {
			return t
		}
		h.dead--
		h.popSlot()
	}
	return nil
}

// pop removes the timer that first has just returned.
func (h *heap) pop() { h.remove(h.table[h.slots[0].id]) }

func (h *heap) popSlot() {
	n := len(h.slots) - 1
	if n == 0 {
		h.reset()
		return
	}
	h.free = append(h.free, h.slots[0].id)
	last := h.slots[n]
	h.slots = h.slots[:n]
	h.slots[0] = last
	h.down(0)
	if cap(h.slots) > keep && n < cap(h.slots)/4 {
		h.sweep(nil) // it gives room back
	}
}

// remove removes t, which is in h.
func (h *heap) remove(t *Timer) {
	h.table[t.place] = nil
	h.dead++
	if n := len(h.slots); h.dead == n {
		h.reset()
	} else if n > 64 && h.dead > n/2 {
		h.sweep(nil)
	}
}

// keep is the room that an empty heap does not give back.
const keep = 1024

// reset empties h, in which nothing is alive: the table has no timers.
func (h *heap) reset() {
	h.dead = 0
	if cap(h.slots) > keep {
		h.slots, h.table, h.free = nil, nil, nil
		return
	}
	h.slots = h.slots[:0]
	h.table = h.table[:0]
	h.free = h.free[:0]
}

// sweep removes the dead slots and, if drop is not nil, the timers for which
// it returns true.
func (h *heap) sweep(drop func(*Timer) bool) {
	live := h.slots[:0]
	for _, s := range h.slots {
		if t := h.table[s.id]; t == nil || drop != nil && drop(t) {
			h.table[s.id] = nil
			h.free = append(h.free, s.id)
		} else {
			live = append(live, s)
		}
	}
	h.slots, h.dead = live, 0
	if n := len(live); n == 0 {
		h.reset()
	} else if cap(live) > keep && n < cap(live)/4 {
		h.shrink()
	}
	for i := (len(live) - 2) / 4; i >= 0; i-- {
		h.down(i)
	}
}

// shrink gives room back. There are no dead slots.
func (h *heap) shrink() {
	slots := slices.Clone(h.slots)
	table := make([]*Timer, len(slots))
	for i := range slots {
		t := h.table[slots[i].id]
		slots[i].id, t.place, table[i] = uint32(i), uint32(i), t
	}
	h.slots, h.table, h.free = slots, table, nil
}

func (h *heap) up(i int) {
	s := h.slots
	x := s[i]
	for i > 0 {
		p := (i - 1) / 4
		if !x.before(s[p]) {
			break
		}
		s[i] = s[p]
		i = p
	}
	s[i] = x
}

func (h *heap) down(i int) {
	s := h.slots
	if len(s) == 0 {
		return
	}
	x := s[i]
	for {
		c := 4*i + 1
		if c >= len(s) {
			break
		}
		m := c
		for k := c + 1; k < min(c+4, len(s)); k++ {
			if s[k].before(s[m]) {
				m = k
			}
		}
		if !s[m].before(x) {
			break
		}
		s[i] = s[m]
		i = m
	}
	s[i] = x
}
