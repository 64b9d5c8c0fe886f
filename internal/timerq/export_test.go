package timerq

// Room returns how many slots and table places the heap of q has room for.
func Room(q *Queue) (slots, table int) { return cap(q.heap.slots), cap(q.heap.table) }

// Spare returns how many empty blocks q keeps for what is posted.
func Spare(q *Queue) int { return len(q.ready.spare) }

// StartAt lets the places of q, which is empty and new, count from place, which is
// the first of a block.
func StartAt(q *Queue, place uint64) { q.ready.head, q.ready.tail = place, place }
