package lock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

const (
	stormers = 8
	stormOps = 3000 / (1 + 2*underRace)
)

// storm calls f on many goroutines, each many times.
func storm(f func(rnd *rand.Rand)) {
	var done sync.WaitGroup
	for i := range stormers {
		done.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for range stormOps {
				f(rnd)
			}
		})
	}
	done.Wait()
}

// Goroutines acquire, cancel and release in many ways. At no time is more held
// than there is, and at the end all is back.
func TestStormOfPermits(t *testing.T) {
	t.Parallel()
	const permits = 3
	s := lock.NewSemaphore(permits)
	var held atomic.Int64
	hold := func(n int, l lock.Lease) {
		if now := held.Add(int64(n)); now > permits {
			t.Errorf("%d of %d are held", now, permits)
		}
		runtime.Gosched()
		held.Add(int64(-n))
		l.Release()
	}
	storm(func(rnd *rand.Rand) {
		n := 1 + rnd.IntN(permits)
		switch rnd.IntN(5) {
		case 0:
			if l, ok := s.TryAcquire(n); ok {
				hold(n, l)
			}
		case 1:
			then := future.Then(s.Acquire(n), func(l lock.Lease) (int, error) { hold(n, l); return 0, nil })
			if rnd.IntN(2) == 0 {
				then.Cancel(nil)
			}
		case 2:
			ctx, cancel := context.WithCancel(context.Background())
			go cancel()
			if l, err := s.Acquire(n).Await(ctx); err == nil {
				hold(n, l)
			}
		case 3:
			inner, res := future.New[int]()
			run := lock.Run(s.Acquire(n), func() *future.Deferred[int] { return inner })
			go res.Succeed(1)
			run.Cancel(nil)
		case 4:
			d := s.Acquire(n)
			done := make(chan struct{})
			go func() { defer close(done); d.Cancel(errCause) }()
			if l, err := d.Await(context.Background()); err == nil {
				hold(n, l)
			}
			<-done
		}
	})
	all, err := s.Acquire(permits).Await(context.Background()) // those of Run come from goroutines
	if err != nil || s.Free() != 0 {
		t.Errorf("%v, %d are free", err, s.Free())
	}
	all.Release()
}

// Goroutines put, get and cancel. Each value that was put comes out once, those
// of one goroutine in order.
func TestStormOfValues(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 2} {
		q := lock.NewQueue[int](lock.Size(size))
		var last, in, out, sum atomic.Int64
		got := func(v int) {
			out.Add(1)
			sum.Add(int64(-v))
		}
		put := func(v int) {
			in.Add(1)
			sum.Add(int64(v))
		}
		var canceling sync.WaitGroup
		storm(func(rnd *rand.Rand) {
			v := int(last.Add(1))
			switch rnd.IntN(5) {
			case 0:
				if err := q.TryPut(v); err == nil {
					put(v)
				} else if !errors.Is(err, lock.ErrFull) {
					t.Error(err)
				}
			case 1, 2:
				d := q.Put(v)
				future.Then(d, func(struct{}) (int, error) { put(v); return 0, nil })
				if rnd.IntN(2) == 0 {
					canceling.Go(func() { d.Cancel(nil) })
				}
			case 3, 4:
				d := q.Get()
				future.Then(d, func(v int) (int, error) { got(v); return 0, nil })
				if rnd.IntN(2) == 0 {
					canceling.Go(func() { d.Cancel(nil) })
				}
			}
		})
		canceling.Wait()
		for {
			left := q.Drain()
			for _, v := range left {
				got(v)
			}
			if len(left) == 0 {
				break
			}
		}
		for d := q.Get(); ; d = q.Get() { // those of Puts that wait for a Get
			v, err := d.Result()
			if err != nil {
				break
			}
			got(v)
		}
		if in.Load() != out.Load() || sum.Load() != 0 {
			t.Errorf("size %d: %d were put, %d came out, the difference is %d", size, in.Load(), out.Load(), sum.Load())
		}
	}
}

// What one goroutine puts another gets in that order, also if Gets before it
// are canceled at the same time.
func TestStormKeepsOrder(t *testing.T) {
	t.Parallel()
	const n = 5 * stormOps
	q := lock.NewQueue[int]()
	go func() {
		for v := range n {
			q.TryPut(v)
			if v%8 == 0 {
				runtime.Gosched()
			}
		}
	}()
	before := -1
	for before < n-1 {
		d := q.Get()
		canceled := make(chan struct{})
		go func() { defer close(canceled); d.Cancel(nil) }()
		v, err := d.Await(context.Background())
		<-canceled
		if err != nil {
			runtime.Gosched() // on one processor the other two would have it to themselves
			continue
		}
		if v != before+1 {
			t.Fatalf("after %d came %d", before, v)
		}
		before = v
	}
}

// Cancels that come at the moment of the grant: each lease is held by somebody, or
// comes back.
func TestStormOfLateCancels(t *testing.T) {
	t.Parallel()
	var m lock.Mutex
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range stormOps {
				d := m.Acquire()
				if (g+i)%2 == 0 {
					d.Cancel(nil)
				}
				if _, err := d.Result(); err != nil {
					d.Cancel(nil)
				}
				if l, err := d.Result(); err == nil {
					l.Release()
				}
			}
		})
	}
	wg.Wait()
	wantFree(t, &m)
}
