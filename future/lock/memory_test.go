package lock_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// A value that has come out, or was withdrawn, is not held by the queue; nor is
// what f of a Run held by its result.
func TestValuesAreLetGo(t *testing.T) {
	q := lock.NewQueue[*[8]int](lock.Size(3))
	var m lock.Mutex
	var result *future.Deferred[int]
	for _, c := range []struct {
		name string
		pass func(v *[8]int)
	}{
		{"stored", func(v *[8]int) {
			q.TryPut(v)
			q.TryPut(nil)
			q.TryPut(nil)
			q.Get()
		}},
		{"drained", func(v *[8]int) {
			q.TryPut(nil)
			q.TryPut(v)
			q.Drain()
		}},
		{"handed over", func(v *[8]int) {
			q.Get()
			q.TryPut(v)
		}},
		{"withdrawn", func(v *[8]int) {
			for range 3 {
				q.TryPut(nil)
			}
			q.Put(v).Cancel(nil)
			q.Drain()
		}},
		{"waited for room", func(v *[8]int) {
			for range 3 {
				q.TryPut(nil)
			}
			q.Put(v)
			for range 4 {
				q.Get()
			}
		}},
		{"Run", func(v *[8]int) {
			result = lock.Run(m.Acquire(), func() *future.Deferred[int] { return future.Succeed(v[0]) })
		}},
	} {
		value := func() weak.Pointer[[8]int] {
			v := new([8]int)
			c.pass(v)
			return weak.Make(v)
		}()
		q.TryPut(nil) // so that the queue has not been emptied
		runtime.GC()
		if value.Value() != nil {
			t.Errorf("%s: it is held", c.name)
		}
		q.Drain()
	}
	runtime.KeepAlive(q)
	runtime.KeepAlive(result)
}

// A rush leaves no room behind.
func TestIdleLocksAndQueuesAreSmall(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 100_000
	before := heap()
	var m lock.Mutex
	first, _ := m.TryAcquire()
	for range n {
		lock.Run(m.Acquire(), one)
	}
	first.Release()
	q := lock.NewQueue[[8]int]()
	for range n {
		q.TryPut([8]int{})
	}
	for q.Len() > 1 {
		q.Get()
	}
	if grown := int64(heap() - before); grown > 1<<19 {
		t.Errorf("%d bytes are left", grown)
	}
	runtime.KeepAlive(&m)
	runtime.KeepAlive(q)
}
