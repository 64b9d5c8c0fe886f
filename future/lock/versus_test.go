package lock_test

import (
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/internal/versus"
)

// The benchmarks of this file report a ratio to something that was measured in
// the same run: see BENCHMARKS.md. The peer is a link of a chain: one Then,
// attached and run.

func thenLinks(n int) {
	for done := 0; done < n; done += 10 {
		d, res := future.New[int]()
		for range 10 {
			d = future.Then(d, inc)
		}
		res.Succeed(1)
	}
}

func inc(v int) (int, error) { return v + 1, nil }

// One operation is an Acquire that waits, the Release that hands over to it, and
// taking the lease.
func BenchmarkVersus_mutex(b *testing.B) {
	var m lock.Mutex
	lease, _ := m.TryAcquire()
	versus.Compare(b, b.N, func(n int) {
		for range n {
			d := m.Acquire()
			lease.Release()
			lease, _ = d.Result()
		}
	}, thenLinks)
}

func BenchmarkVersus_mutex_uncontended(b *testing.B) {
	var m lock.Mutex
	versus.Compare(b, b.N, func(n int) {
		for range n {
			lease, _ := m.Acquire().Result()
			lease.Release()
		}
	}, thenLinks)
}

// The same with 1,000 waiting all the time.
func BenchmarkVersus_semaphore(b *testing.B) {
	s := lock.NewSemaphore(2)
	lease, _ := s.TryAcquire(2)
	line := make([]*future.Deferred[lock.Lease], 1000)
	for i := range line {
		line[i] = s.Acquire(2)
	}
	i := 0
	versus.Compare(b, b.N, func(n int) {
		for range n {
			lease.Release()
			lease, _ = line[i].Result()
			line[i] = s.Acquire(2)
			i = (i + 1) % len(line)
		}
	}, thenLinks)
}

// One operation is a Get that waits and the TryPut that serves it.
func BenchmarkVersus_queue(b *testing.B) {
	q := lock.NewQueue[int]()
	versus.Compare(b, b.N, func(n int) {
		for i := range n {
			d := q.Get()
			q.TryPut(i)
			d.Result()
		}
	}, thenLinks)
}

// One operation is a TryPut that stores, and the Get that takes it.
func BenchmarkVersus_queue_stored(b *testing.B) {
	q := lock.NewQueue[int]()
	versus.Compare(b, b.N, func(n int) {
		for i := range n {
			q.TryPut(i)
			q.Get().Result()
		}
	}, thenLinks)
}

// One operation is a Put that waits for room, and the Get that makes it.
func BenchmarkVersus_queue_full(b *testing.B) {
	q := lock.NewQueue[int](lock.Size(1))
	q.TryPut(0)
	versus.Compare(b, b.N, func(n int) {
		for i := range n {
			q.Put(i)
			q.Get()
		}
	}, thenLinks)
}
