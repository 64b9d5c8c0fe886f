package future

import "github.com/deferred-go/deferred/internal/seam"

// Books keeps the failures of the Deferreds that NewIn makes, and of those
// derived from them, cancellations included.
type Books struct{ h *home }

// NewBooks returns empty books for inline Deferreds.
func NewBooks() *Books { return &Books{&home{ledger: newLedger(true)}} }

// NewBooksOn returns empty books for all Deferreds of ex, a reactor that is
// new: NewIn is NewOn there.
func NewBooksOn(ex Executor) *Books {
	loop := seam.LoopOf(ex)
	h := &home{ex: ex, loop: loop, ledger: newLedger(true)}
	loop.Local().Store(h)
	return &Books{h}
}

// NewIn is New for a Deferred that b knows.
func NewIn[T any](b *Books) (*Deferred[T], Resolver[T]) {
	d := new(Deferred[T])
	d.n.init(open, b.h, nil)
	return d, Resolver[T]{d}
}

// Unhandled returns one error for each Deferred in which a failure rests that
// nobody took.
func (b *Books) Unhandled() []error {
	var errs []error
	for _, e := range b.h.ledger.entries {
		for range e.resting {
			errs = append(errs, e.err)
		}
	}
	return errs
}

// Settled reports whether d has settled, and takes no note of it.
func Settled[T any](d *Deferred[T]) bool {
	_, _, ok := d.look(false)
	return ok
}

// Peek returns d's outcome, and takes no note of it.
func Peek[T any](d *Deferred[T]) (T, error) {
	v, f, _ := d.look(false)
	return v, f.error()
}
