package timerq

import "github.com/deferred-go/deferred/internal/seam"

// ring is a queue of items, first in, first out, whose places can be emptied.
// Places are counted from the first item that ever was in it. It is made of
// blocks, so that it grows without copying what is in it, and so that many
// tasks can be taken at once.
type ring struct {
	last       *block // of blocks, unless that is full or there is none
	head, tail uint64
	blocks     []*block // the first has the place head
	empty      int      // places between head and tail that have been emptied
	spare      []*block // empty ones
}

type block struct {
	tasks  [blockSize]seam.Task
	owners *[blockSize]*seam.Owner // nil: they have none
	mixed  bool                    // it has, or had, a timer or an emptied place
	end    int                     // of its tasks, once it is part of a batch
}

const (
	blockSize = 64
	spares    = 64   // as many empty blocks are kept
	rush      = 1024 // as many are kept for a while after many tasks were taken at once
)

func (b *block) set(i uint64, t seam.Task, o *seam.Owner) {
	b.tasks[i] = t
	if b.owners != nil {
		b.owners[i] = o
	} else if o != nil {
		b.owners = new([blockSize]*seam.Owner)
		b.owners[i] = o
	}
}

func (b *block) get(i uint64) Item {
	it := Item{Task: b.tasks[i]}
	if b.owners != nil {
		it.Owner = b.owners[i]
	}
	return it
}

func (r *ring) len() int { return int(r.tail-r.head) - r.empty }

// block returns the block of a place.
func (r *ring) block(place uint64) *block { return r.blocks[place/blockSize-r.head/blockSize] }

func (r *ring) at(place uint64) Item { return r.block(place).get(place % blockSize) }

func (r *ring) push(t seam.Task, o *seam.Owner) {
	if r.last == nil {
		r.grow()
	}
	i := r.tail % blockSize
	r.last.set(i, t, o)
	r.tail++
	if i == blockSize-1 {
		r.last = nil
	}
}

// pushTimer is push for a timer. It returns the low half of its place.
func (r *ring) pushTimer(t *Timer) (place uint32) {
	at := r.tail
	r.push(t, t.Group.Owner)
	r.block(at).mixed = true
	return uint32(at)
}

func (r *ring) grow() {
	if n := len(r.spare); n > 0 {
		r.last = r.spare[n-1]
		r.spare = r.spare[:n-1]
	} else {
		r.last = new(block)
	}
	r.blocks = append(r.blocks, r.last)
}

func (r *ring) pop() (Item, bool) {
	for r.head != r.tail {
		b, i := r.blocks[0], r.head%blockSize
		it := b.get(i)
		b.set(i, nil, nil)
		r.skip()
		if it.Task != nil {
			return it, true
		}
		r.empty--
	}
	return Item{}, false
}

// skip goes on to the next place.
func (r *ring) skip() {
	r.head++
	switch {
	case r.head%blockSize == 0:
		r.retire(r.detach(), spares)
	case r.head == r.tail: // the next item may as well start the block anew
		r.head -= r.head % blockSize
		r.tail = r.head
		r.last.mixed = false
	}
}

// detach takes the first block off.
func (r *ring) detach() *block {
	b := r.blocks[0]
	r.blocks[0] = nil
	r.blocks = r.blocks[1:]
	return b
}

// retire keeps b, which is empty, for later, unless enough are kept.
func (r *ring) retire(b *block, enough int) {
	if len(r.spare) < enough {
		b.mixed = false
		r.spare = append(r.spare, b)
	}
}

// clearTimer empties the place of a timer that pushTimer returned.
func (r *ring) clearTimer(place uint32) { r.clear(r.head + uint64(place-uint32(r.head))) }

func (r *ring) clear(place uint64) {
	b := r.block(place)
	b.set(place%blockSize, nil, nil)
	b.mixed = true
	r.empty++
}

// A Batch is some tasks that have been taken from a queue together. It is its
// user's alone. The zero Batch is empty.
type Batch struct {
	tasks  []seam.Task // of one block
	at     int         // the next one in tasks
	blocks []*block
	next   int // the next one in blocks
}

// Next takes the next task, if there is one.
func (b *Batch) Next() (t seam.Task, ok bool) {
	if b.at == len(b.tasks) && !b.turnOver() {
		return nil, false
	}
	t, b.tasks[b.at] = b.tasks[b.at], nil
	b.at++
	return t, true
}

// turnOver goes on to the next block, if there is one.
func (b *Batch) turnOver() bool {
	if b.next == len(b.blocks) {
		return false
	}
	next := b.blocks[b.next]
	b.tasks, b.at = next.tasks[:next.end], 0
	b.next++
	return true
}

// Empty reports whether there is none.
func (b *Batch) Empty() bool { return b.at == len(b.tasks) && b.next == len(b.blocks) }

// recycle keeps the blocks of b, which is empty. If many are kept, it first lets
// go of one: the room that a rush of posts took is there for the next rush, and
// goes by and by while there is little to do.
func (r *ring) recycle(b *Batch) {
	if n := len(r.spare); n > spares {
		r.spare[n-1] = nil
		r.spare = r.spare[:n-1]
	}
	for i, spent := range b.blocks {
		r.retire(spent, rush)
		b.blocks[i] = nil
	}
	*b = Batch{blocks: b.blocks[:0]}
}

// few is what is not worth a batch.
const few = 4

// take fills b, which is empty, with the blocks at the head that have just
// tasks.
func (r *ring) take(b *Batch) bool {
	r.recycle(b)
	if r.tail-r.head < few || r.blocks[0].mixed {
		return false
	}
	at := int(r.head % blockSize)
	for r.head != r.tail && !r.blocks[0].mixed {
		r.blocks[0].end = blockSize
		next := r.head - r.head%blockSize + blockSize
		if r.tail < next { // it is the last block, too
			r.blocks[0].end = int(r.tail % blockSize)
			r.tail, r.last = next, nil
		}
		r.head = next
		b.blocks = append(b.blocks, r.detach())
	}
	b.turnOver()
	b.at = at
	return true
}
