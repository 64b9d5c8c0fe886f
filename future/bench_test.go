package future_test

import (
	"context"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

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

func BenchmarkChain10(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			floorChain(10)
		}
	})
	b.Run("inline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d, res := future.New[int]()
			for range 10 {
				d = future.Then(d, inc)
			}
			res.Succeed(1)
		}
	})
}

func BenchmarkThen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, res := future.New[int]()
		d = future.Then(d, inc)
		res.Succeed(1)
		d.Result()
	}
}

func BenchmarkAll1000(b *testing.B) {
	b.ReportAllocs()
	ds := make([]*future.Deferred[int], 1000)
	res := make([]future.Resolver[int], 1000)
	for b.Loop() {
		for i := range ds {
			ds[i], res[i] = future.New[int]()
		}
		all := future.All(ds...)
		for i := range res {
			res[i].Succeed(i)
		}
		all.Result()
	}
}

func BenchmarkFlatLoop(b *testing.B) {
	b.ReportAllocs()
	var res future.Resolver[int]
	var loop func() *future.Deferred[int]
	loop = func() *future.Deferred[int] {
		d, r := future.New[int]()
		res = r
		return future.ThenFlat(d, func(int) *future.Deferred[int] { return loop() })
	}
	loop()
	for b.Loop() {
		res.Succeed(1)
	}
}

func BenchmarkAwaitParked(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		req, ans := make(chan chan int), 0
		go func() {
			for c := range req {
				c <- 1
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			c := make(chan int)
			req <- c
			ans += <-c
		}
		close(req)
	})
	b.Run("await", func(b *testing.B) {
		req := make(chan future.Resolver[int])
		go func() {
			for r := range req {
				r.Succeed(1)
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			d, r := future.New[int]()
			req <- r
			d.Await(context.Background())
		}
		close(req)
	})
}

func BenchmarkAsyncInline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, res := future.New[int]()
		future.Async(context.Background(), func(ctx context.Context) (int, error) { return d.Await(ctx) })
		res.Succeed(1)
	}
}

// A coroutine on a loop awaits a pending Deferred, there and back.
func BenchmarkAwaitOnLoop(b *testing.B) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	var res future.Resolver[int]
	future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
		for {
			var d *future.Deferred[int]
			d, res = future.New[int]()
			if _, err := d.Await(ctx); err != nil {
				return 0, nil // the reactor has stopped
			}
		}
	})
	clk.Advance(0)
	n := b.N
	var next func()
	next = func() {
		if n--; n >= 0 {
			res.Succeed(1)
			r.Post(next)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	r.Post(next)
	clk.Advance(0)
	b.StopTimer()
	r.Stop()
}

// The same exchange by a goroutine and two channels.
func BenchmarkTwoChannels(b *testing.B) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		there <- 1
		<-back
	}
	close(there)
}

func BenchmarkChain10OnReactor(b *testing.B) {
	clk := clock.NewVirtual(clock.Limit(1 << 40))
	r := reactor.New(clk)
	b.ReportAllocs()
	for b.Loop() {
		d, res := future.NewOn[int](r)
		for range 10 {
			d = future.Then(d, inc)
		}
		res.Succeed(1)
		clk.Advance(0)
	}
}
