package lock

import "slices"

// A fifo is a list of values of which the oldest comes out first. The zero fifo
// is empty.
type fifo[T any] struct {
	items []T
	head  int // items before it are gone
}

func (f *fifo[T]) n() int { return len(f.items) - f.head }

func (f *fifo[T]) push(v T) { f.items = append(f.items, v) }

// pop returns the oldest value, of which there is one.
func (f *fifo[T]) pop() T {
	v := f.items[f.head]
	clear(f.items[f.head : f.head+1])
	f.head++
	f.trim()
	return v
}

// unpop puts v before all others.
func (f *fifo[T]) unpop(v T) {
	if f.head > 0 {
		f.head--
		f.items[f.head] = v
	} else {
		f.items = slices.Insert(f.items, 0, v)
	}
}

// cut returns all values behind the first n, and leaves those.
func (f *fifo[T]) cut(n int) []T {
	all := f.items[f.head:]
	tail := append([]T(nil), all[n:]...)
	clear(all[n:])
	f.items = f.items[:f.head+n]
	f.trim()
	return tail
}

// trim gives the room of what is gone to what comes, or back, if there is much of
// it. It moves no more values than have gone since it moved some before.
func (f *fifo[T]) trim() {
	switch n := f.n(); {
	case n < cap(f.items)/8 && cap(f.items) > maxSpare:
		f.items, f.head = append(make([]T, 0, 2*n), f.items[f.head:]...), 0
	case n <= f.head:
		copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
}
