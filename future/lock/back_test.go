package lock

import (
	"context"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// A value that its Deferred refuses comes back once, unless a cancel has got it.
func TestValueThatNobodyTakesComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		before func(t *testing.T, d *future.Deferred[int], res future.Resolver[int]) // what has come first
		err    error
		back   bool
	}{
		"taken":                   {nothing, nil, false},
		"canceled":                {canceled, nil, true},
		"the answer to a cancel":  {answered, nil, false},
		"an error, and canceled":  {canceled, ErrClosed, false},
		"an error":                {nothing, ErrClosed, false},
		"nobody is there to take": {refusing, nil, true},
	} {
		var back []int
		take := func(v int) { back = append(back, v) }
		cares := newCare(take)
		d, res := newKept(cares)
		w := &waiter[int, int]{in: &line[int, int]{care: cares}, d: d, res: res}
		w.out = future.Outcome[int]{Value: 7, Err: c.err}
		c.before(t, d, res)
		w.tell()
		if got := len(back) == 1; got != c.back {
			t.Errorf("%s: %v came back", name, back)
		}
		d.Catch(func(error) (int, error) { return 0, nil })
	}
}

func nothing(*testing.T, *future.Deferred[int], future.Resolver[int]) {}

func canceled(_ *testing.T, d *future.Deferred[int], _ future.Resolver[int]) { d.Cancel(nil) }

func answered(_ *testing.T, _ *future.Deferred[int], res future.Resolver[int]) { res.Succeed(7) }

// refusing lets d refuse a value: its canceller is at work, and nobody is left
// who waits for it.
func refusing(t *testing.T, d *future.Deferred[int], res future.Resolver[int]) {
	begun, leave := make(chan struct{}), make(chan struct{})
	res.OnCancel(func(error) {
		close(begun)
		<-leave
	})
	waits := future.Async(context.Background(), d.Await)
	var first sync.WaitGroup
	first.Go(func() { waits.Cancel(nil) })
	<-begun
	waits.Cancel(nil)
	t.Cleanup(func() {
		close(leave)
		first.Wait()
	})
}

// A value that comes back to a queue is the next.
func TestValueComesBackToTheHead(t *testing.T) {
	q := NewQueue[int]()
	for v := range 3 {
		q.TryPut(v)
	}
	first, _ := q.Get().Result()
	q.giveBack(first)
	q.giveBack(-1)
	for want := -1; want < 3; want++ {
		if v, err := q.Get().Result(); v != want || err != nil {
			t.Errorf("got %d, %v, want %d", v, err, want)
		}
	}
}

// A lease that comes back frees its permits.
func TestLeaseComesBack(t *testing.T) {
	s := NewSemaphore(3)
	l, _ := s.TryAcquire(2)
	releaseUnused(l)
	if n := s.Free(); n != 3 {
		t.Errorf("%d permits are free", n)
	}
}
