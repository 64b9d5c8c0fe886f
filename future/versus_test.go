package future_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/versus"
)

// The benchmarks of this file report a ratio to something that was measured in
// the same run: see BENCHMARKS.md.

// floor is what a chain cannot do without: as many objects of as many bytes,
// and the same calls through pointers.
type floor struct {
	_    [7]uintptr
	v    int
	from *floor
	f    func(int) (int, error)
}

type floorRoot struct {
	_ [7]uintptr
	v int
}

//go:noinline
func (l *floor) call(v int) { l.v, _ = l.f(v) }

var (
	sinkRoot  *floorRoot
	sinkFloor *floor
)

func floorChain(n int) int {
	root := &floorRoot{}
	sinkRoot = root
	var last *floor
	links := last
	for range n {
		last = &floor{from: last, f: inc}
		if links == nil {
			links = last
		}
		sinkFloor = last
	}
	root.v = 1
	v := root.v
	for l := last; l != nil; l = l.from {
		l.call(v)
		v = l.v
	}
	return v
}

// A chain inline, against the floor.
func BenchmarkVersus_chain10_floor(b *testing.B) {
	versus.Compare(b, b.N, chain10Inline, func(n int) {
		for range n {
			floorChain(10)
		}
	})
}

func chain10Inline(n int) {
	for range n {
		d, res := future.New[int]()
		for range 10 {
			d = future.Then(d, inc)
		}
		res.Succeed(1)
	}
}

// A reactor on a virtual clock, which has to be advanced, against inline.
func BenchmarkVersus_chain10_reactor(b *testing.B) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	versus.Compare(b, b.N, func(n int) {
		for range n {
			d, res := future.NewOn[int](r)
			for range 10 {
				d = future.Then(d, inc)
			}
			res.Succeed(1)
			clk.Advance(0)
		}
	}, chain10Inline)
}

// A goroutine parks, and another wakes it, against a channel receive. On one
// processor both always park; on two the answer may be there before.
func BenchmarkVersus_await_parked(b *testing.B) {
	reqs := make(chan future.Resolver[int])
	defer close(reqs)
	go func() {
		for r := range reqs {
			r.Succeed(1)
		}
	}()
	chans := make(chan chan int)
	defer close(chans)
	go func() {
		for c := range chans {
			c <- 1
		}
	}()
	b.Run("background", func(b *testing.B) { awaitParked(b, context.Background(), reqs, chans) })
	b.Run("cancelable", func(b *testing.B) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		awaitParked(b, ctx, reqs, chans)
	})
	b.Run("outcome", func(b *testing.B) { awaitOutcome(b, reqs) })
}

func awaitEach(ctx context.Context, reqs chan future.Resolver[int]) func(n int) {
	return func(n int) {
		for range n {
			d, r := future.New[int]()
			reqs <- r
			d.Await(ctx)
		}
	}
}

// Against a channel that does the same: it brings a value or an error, and who
// sends need not wait for who receives.
func awaitOutcome(b *testing.B, reqs chan future.Resolver[int]) {
	chans := make(chan chan future.Outcome[int])
	defer close(chans)
	go func() {
		for c := range chans {
			c <- future.Outcome[int]{Value: 1}
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	versus.Compare(b, b.N, awaitEach(context.Background(), reqs), func(n int) {
		for range n {
			c := make(chan future.Outcome[int], 1)
			chans <- c
			<-c
		}
	})
}

func awaitParked(b *testing.B, ctx context.Context, reqs chan future.Resolver[int], chans chan chan int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	versus.Compare(b, b.N, awaitEach(ctx, reqs), func(n int) {
		for range n {
			c := make(chan int)
			chans <- c
			if ctx.Done() == nil {
				<-c
				continue
			}
			select {
			case <-c:
			case <-ctx.Done():
			}
		}
	})
}

// Two coroutines on a loop hand over to one another, against two goroutines
// with two unbuffered channels. One operation is an await, there and back.
func BenchmarkVersus_await_on_loop(b *testing.B) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	defer close(there)
	versus.Compare(b, b.N, pingPong, func(n int) {
		for range n {
			there <- 1
			<-back
		}
	})
}

func pingPong(n int) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	defer r.Stop()
	var to [2]future.Resolver[int]
	for i := range to {
		future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
			for n > 0 {
				var d *future.Deferred[int]
				d, to[i] = future.New[int]()
				if other := to[1-i]; other != (future.Resolver[int]{}) {
					other.Succeed(1)
				}
				n--
				if _, err := d.Await(ctx); err != nil {
					break // the reactor has stopped
				}
			}
			return 0, nil
		})
	}
	clk.Advance(0)
}

func BenchmarkVersus_all1000(b *testing.B) {
	ds, fill, settle := inputs(1000)
	versus.Compare(b, b.N, func(n int) {
		for range n {
			fill()
			future.All(ds...)
			settle()
		}
	}, func(n int) {
		for range n {
			fill()
			for _, d := range ds {
				future.Then(d, inc)
			}
			settle()
		}
	})
}
