package future

import "github.com/deferred-go/deferred/internal/seam"

// Done returns a channel that is closed when the Deferred has settled, for
// select; Result then has the outcome. It is closed before callbacks run, so
// what those do may still be to come. It does not count as a consumer, and
// does not take note of a failure. It returns the same channel while the
// Deferred is pending. If the Deferred is derived and its reactor stops, it
// fails, and the channel is closed.
func (d *Deferred[T]) Done() <-chan struct{} {
	d.mustBe("Done")
	n := &d.n
	n.lockHere()
	if n.phase == settled {
		n.mu.Unlock()
		return closed
	}
	if n.readers != nil && !n.readers.next.gone { // the role of one that is gone is not to be read
		if s, ok := n.readers.next.role.(*signal); ok {
			n.mu.Unlock()
			return s.ch
		}
	}
	s := &signal{of: n, ch: make(chan struct{})}
	s.n.phase, s.n.role = waiting, s
	n.listFirst(&s.n)
	n.mu.Unlock()
	s.join()
	return s.ch
}

var closed = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

// signal is the reader behind a Done channel. It stands first in the ring and
// is not counted.
type signal struct {
	n      node
	of     *node
	ch     chan struct{}
	member seam.Member
}

func (s *signal) source() *node  { return s.of }
func (s *signal) runs(bool) bool { return false }

func (s *signal) step(*fault) (*node, *fault) {
	close(s.ch)
	if loop := s.of.loop(); loop != nil {
		loop.Leave(&s.member)
	}
	return nil, nil
}

// join lets a derived Deferred fail when its loop stops.
func (s *signal) join() {
	loop := s.of.loop()
	if loop == nil {
		return
	}
	s.member.Stopped = func(err error) { s.of.abandon(stoppedFault(err)) }
	if !loop.Join(&s.member) {
		s.member.Stopped(loop.Err())
	} else if s.of.isSettled() { // perhaps before it joined
		loop.Leave(&s.member)
	}
}
