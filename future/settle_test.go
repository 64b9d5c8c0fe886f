package future_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// The ways to settle a Deferred, and what it then has.
var settles = []struct {
	name string
	do   func(future.Resolver[int]) bool
	v    int
	err  error
}{
	{"Succeed", func(r future.Resolver[int]) bool { return r.Succeed(1) }, 1, nil},
	{"Fail", func(r future.Resolver[int]) bool { return r.Fail(errA) }, 0, errA},
	{"Settle value", func(r future.Resolver[int]) bool { return r.Settle(2, nil) }, 2, nil},
	{"Settle error", func(r future.Resolver[int]) bool { return r.Settle(3, errB) }, 0, errB},
	{"Follow success", func(r future.Resolver[int]) bool { return r.Follow(future.Succeed(4)) }, 4, nil},
	{"Follow failure", func(r future.Resolver[int]) bool { return r.Follow(future.Fail[int](errC)) }, 0, errC},
}

func TestSettleOnce(t *testing.T) {
	t.Parallel()
	for _, first := range settles {
		t.Run(first.name, func(t *testing.T) {
			t.Parallel()
			d, res := future.New[int]()
			runs := 0
			future.Handle(d, func(v int, err error) (int, error) {
				runs++
				return 0, nil
			})
			if !first.do(res) {
				t.Fatal("the first settle was refused")
			}
			for _, late := range settles {
				if late.do(res) {
					t.Errorf("a late %s was not refused", late.name)
				}
				wantOutcome(t, d, first.v, first.err)
			}
			if d.Cancel(errA) {
				t.Error("Cancel took a settled Deferred for pending")
			}
			wantOutcome(t, d, first.v, first.err)
			if runs != 1 {
				t.Errorf("the callback ran %d times", runs)
			}
		})
	}
}

func TestSettleAfterCancel(t *testing.T) {
	t.Parallel()
	for _, late := range settles {
		d, res := future.New[int]()
		if !d.Cancel(errors.New("enough")) {
			t.Fatal("Cancel took a pending Deferred for settled")
		}
		if late.do(res) {
			t.Errorf("a late %s was not refused", late.name)
		}
		wantError(t, d, "enough", future.ErrCanceled)
	}
}

func TestSettleFromManyGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines = 8
	for round := range 500 {
		d, res := future.New[int]()
		e := future.Then(d, inc)
		var wins, runs atomic.Int32
		var winner atomic.Int32
		future.Handle(e, func(int, error) (int, error) {
			runs.Add(1)
			return 0, nil
		})
		var wg sync.WaitGroup
		start := make(chan struct{})
		for g := range goroutines {
			how := (round + g) % len(settles)
			wg.Go(func() {
				<-start
				if settles[how].do(res) {
					wins.Add(1)
					winner.Store(int32(how))
				}
			})
		}
		close(start)
		wg.Wait()
		if wins.Load() != 1 || runs.Load() != 1 {
			t.Fatalf("%d settles won, the callback ran %d times", wins.Load(), runs.Load())
		}
		won := settles[winner.Load()]
		wantOutcome(t, d, won.v, won.err)
		if won.err == nil {
			wantOutcome(t, e, won.v+1, nil)
		} else {
			wantOutcome(t, e, 0, won.err)
		}
	}
}

// The place in which to attach is raced for by those who attach: none is lost,
// none runs twice.
func TestAttachWhileSettling(t *testing.T) {
	t.Parallel()
	for range 300 {
		d, res := future.New[int]()
		var runs [6]atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for g := range runs {
			wg.Go(func() {
				<-start
				future.Then(d, func(int) (int, error) {
					runs[g].Add(1)
					return 0, nil
				})
			})
		}
		wg.Go(func() {
			<-start
			res.Succeed(1)
		})
		close(start)
		wg.Wait()
		for g := range runs {
			if n := runs[g].Load(); n != 1 {
				t.Fatalf("callback %d ran %d times", g, n)
			}
		}
	}
}

func TestConstructors(t *testing.T) {
	t.Parallel()
	wantOutcome(t, future.Succeed(7), 7, nil)
	wantOutcome(t, future.Fail[int](errA), 0, errA)
	wantOutcome(t, future.Settle(strconv.Atoi("12")), 12, nil)
	wantError(t, future.Settle(strconv.Atoi("x")), "invalid syntax", strconv.ErrSyntax)
	if v, err := future.Settle(5, errA).Result(); v != 0 || err != errA {
		t.Errorf("a failure has the value %v and error %v: the value is not given out", v, err)
	}
	var zero future.Deferred[int]
	wantPending(t, &zero)
	d, _ := future.New[int]()
	wantPending(t, d)
}
