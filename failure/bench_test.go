package failure_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/deferred-go/deferred/failure"
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		caught(func() { panic("boom") })
	}
}

// BenchmarkNewAlone is without the panic and the recover.
func BenchmarkNewAlone(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		failure.New("boom")
	}
}

func BenchmarkNewDeep(b *testing.B) {
	var dive func(n int)
	dive = func(n int) {
		if n > 0 {
			dive(n - 1)
			return
		}
		b.ReportAllocs()
		for b.Loop() {
			failure.New("boom")
		}
	}
	dive(200)
}

func BenchmarkAt(b *testing.B) {
	sites := []uintptr{site(caught), site(outside), site(check)}
	b.ReportAllocs()
	for b.Loop() {
		failure.At(io.EOF, sites...)
	}
}

func BenchmarkDetails(b *testing.B) {
	f := failure.At(caught(func() { panic("boom") }), site(outside))
	b.ReportAllocs()
	for b.Loop() {
		_ = fmt.Sprintf("%+v", f)
	}
}
