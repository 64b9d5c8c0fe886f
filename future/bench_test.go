package future_test

import (
	"context"
	"testing"

	"github.com/deferred-go/deferred/future"
)

func BenchmarkThen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, res := future.New[int]()
		d = future.Then(d, inc)
		res.Succeed(1)
		d.Result()
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

func BenchmarkAsyncInline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, res := future.New[int]()
		future.Async(context.Background(), func(ctx context.Context) (int, error) { return d.Await(ctx) })
		res.Succeed(1)
	}
}
