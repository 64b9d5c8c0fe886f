package timerq

// Room returns how many slots and table places the heap of q has room for.
func Room(q *Queue) (slots, table int) { return cap(q.heap.slots), cap(q.heap.table) }
