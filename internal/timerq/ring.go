package timerq

// ring is a queue of items, first in, first out, whose places can be emptied.
// Places are counted from the first item that ever was in it.
type ring struct {
	items      []Item // a power of two
	head, tail uint64
	empty      int // places between head and tail that have been emptied
}

func (r *ring) len() int { return int(r.tail-r.head) - r.empty }

func (r *ring) at(place uint64) *Item { return &r.items[place&uint64(len(r.items)-1)] }

func (r *ring) push(it Item) {
	if r.tail-r.head == uint64(len(r.items)) {
		r.grow()
	}
	*r.at(r.tail) = it
	r.tail++
}

func (r *ring) grow() {
	old := *r
	r.items = make([]Item, max(16, 2*len(old.items)))
	for p := old.head; p != old.tail; p++ {
		*r.at(p) = *old.at(p)
	}
}

func (r *ring) pop() (Item, bool) {
	for r.head != r.tail {
		p := r.at(r.head)
		it := *p
		*p = Item{}
		r.head++
		if it.set() {
			return it, true
		}
		r.empty--
	}
	if len(r.items) > keep {
		r.items = nil
	}
	return Item{}, false
}

func (r *ring) clear(place uint64) {
	*r.at(place) = Item{}
	r.empty++
}
