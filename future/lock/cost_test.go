package lock_test

import (
	"runtime"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"github.com/deferred-go/deferred/internal/versus"
)

// cost is what one call of f allocates.
func cost(f func()) (bytes, allocs int) { return versus.Cost(100, f) }

// What things cost in memory once a lock is in use, on a 64-bit machine. A wait
// costs what its Deferred does.
func TestCost(t *testing.T) {
	var free, busy lock.Mutex
	held, _ := busy.TryAcquire()
	s := lock.NewSemaphore(10)
	heavy, _ := s.TryAcquire(10)
	line := make([]lease, 50)
	for i := range line {
		line[i] = s.Acquire(7)
	}
	i := 0
	q := lock.NewQueue[int]()
	full := lock.NewQueue[int](lock.Size(1))
	full.TryPut(1)
	for _, c := range []struct {
		name          string
		bytes, allocs int // exactly
		f             func()
	}{
		{"TryAcquire", 0, 0, func() {
			l, _ := free.TryAcquire()
			l.Release()
		}},
		{"Acquire of a free Mutex", 80, 1, func() { leaseOf(t, free.Acquire()).Release() }},
		{"Acquire, hand-over and Release", 80, 1, func() {
			d := busy.Acquire()
			held.Release()
			held = leaseOf(t, d)
		}},
		{"the same with a line of 50", 80, 1, func() {
			heavy.Release()
			heavy = leaseOf(t, line[i])
			line[i] = s.Acquire(7)
			i = (i + 1) % len(line)
		}},
		{"TryPut and Get of what is stored", 64, 1, func() {
			q.TryPut(1)
			q.Get()
		}},
		{"Get that waits, and TryPut", 64, 1, func() {
			q.Get()
			q.TryPut(1)
		}},
		{"Put that waits, and Get", 128, 2, func() {
			full.Put(1)
			full.Get()
		}},
		{"TryPut without room", 0, 0, func() { full.TryPut(1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes, allocs := cost(c.f)
			if underRace == 0 && (bytes != c.bytes || allocs != c.allocs) {
				t.Errorf("%d bytes in %d allocations, want %d in %d", bytes, allocs, c.bytes, c.allocs)
			}
		})
	}
}

// A lock for which many have waited keeps little of that.
func TestSpareIsBounded(t *testing.T) {
	const n = 100_000
	var m lock.Mutex
	s := lock.NewSemaphore(n)
	q := lock.NewQueue[int]()
	before := heapNow()
	first, _ := m.TryAcquire()
	leases := make([]lock.Lease, n)
	for i := range n {
		future.Then(m.Acquire(), func(l lock.Lease) (int, error) { l.Release(); return 0, nil })
		leases[i], _ = s.TryAcquire(1)
		q.TryPut(i)
	}
	first.Release()
	for i := range n {
		leases[i].Release()
		q.Get()
	}
	leases = nil
	if grown := heapNow() - before; grown > 1<<18 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	runtime.KeepAlive([]any{&m, s, q})
}

// heapNow is the size of the live heap.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
