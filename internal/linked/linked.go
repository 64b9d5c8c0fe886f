// Package linked has a doubly linked list whose elements are part of what they
// list: putting one on a list, and taking it off from anywhere, allocates
// nothing and takes constant time.
package linked

// A List is a list of elements in the order in which they were added. The zero
// List is empty. Its user locks.
type List[T any] struct{ first, last *Element[T] }

// An Element is an element of at most one List.
type Element[T any] struct {
	Value T

	in         *List[T]
	prev, next *Element[T]
}

// First returns the first element, or nil.
func (l *List[T]) First() *Element[T] { return l.first }

// Next returns the element after e, or nil.
func (e *Element[T]) Next() *Element[T] { return e.next }

// Add appends e, which is on no list.
func (l *List[T]) Add(e *Element[T]) {
	e.in, e.prev, e.next = l, l.last, nil
	if l.last != nil {
		l.last.next = e
	} else {
		l.first = e
	}
	l.last = e
}

// Remove takes e off the list, and reports whether it was on it.
func (l *List[T]) Remove(e *Element[T]) bool {
	if e.in != l {
		return false
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.last = e.prev
	}
	e.in, e.prev, e.next = nil, nil, nil
	return true
}

// TakeFirst takes the first element off the list and returns it, or nil.
func (l *List[T]) TakeFirst() *Element[T] {
	e := l.first
	if e != nil {
		l.Remove(e)
	}
	return e
}
