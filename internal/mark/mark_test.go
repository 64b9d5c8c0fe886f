package mark_test

import (
	"iter"
	"testing"

	"github.com/deferred-go/deferred/internal/mark"
)

// What the package assumes of debug.SetPanicOnFault: it is the goroutine's own,
// it returns what it was, and neither goroutines nor coroutines inherit it.
func TestTheBitIsTheGoroutines(t *testing.T) {
	if mark.IsSet() {
		t.Fatal("set from the start")
	}
	defer mark.Set(mark.Set(true))
	for range 2 {
		if !mark.IsSet() {
			t.Error("not set, or reading clears it")
		}
	}
	inherited := make(chan bool)
	go func() { inherited <- mark.IsSet() }()
	if <-inherited {
		t.Error("a goroutine inherits it")
	}
	next, stop := iter.Pull(func(yield func(bool) bool) {
		yield(mark.IsSet())
		mark.Set(true)
		yield(mark.IsSet())
	})
	defer stop()
	if on, _ := next(); on {
		t.Error("a coroutine inherits it")
	}
	mark.Set(false)
	if on, _ := next(); !on || mark.IsSet() {
		t.Error("a coroutine shares it with who resumes it")
	}
	mark.Set(true)
}

func TestMarkedFramesSetAndRestore(t *testing.T) {
	for name, f := range map[string]func(func()){"Loop": mark.Loop, "Coroutine": mark.Coroutine} {
		within := false
		f(func() { within = mark.IsSet() })
		if !within || mark.IsSet() {
			t.Errorf("%s: within %v, after %v", name, within, mark.IsSet())
		}
		func() {
			defer func() { _ = recover() }()
			f(func() { panic("out") })
		}()
		if mark.IsSet() {
			t.Errorf("%s: still set after a panic", name)
		}
	}
}

func TestFindIsTheInnermost(t *testing.T) {
	if k := mark.Find(); k != mark.None {
		t.Errorf("unmarked: %v", k)
	}
	var got []mark.Kind
	note := func() { got = append(got, mark.Find()) }
	mark.Loop(note)
	mark.Worker(note)
	mark.Coroutine(note)
	mark.VirtualWorker(note)
	mark.Goroutine(note)
	mark.Worker(func() { mark.Loop(func() { deep(200, note) }) })
	want := []mark.Kind{mark.OnLoop, mark.OnWorker, mark.OnCoroutine, mark.OnVirtualWorker, mark.OnGoroutine, mark.OnLoop}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: found %v, want %v", i, got[i], want[i])
		}
	}
	// A coroutine has a stack of its own: what resumes it is not on it.
	mark.Loop(func() {
		next, stop := iter.Pull(func(yield func(mark.Kind) bool) { yield(mark.Find()) })
		defer stop()
		if k, _ := next(); k != mark.None {
			t.Errorf("in an unmarked coroutine: %v", k)
		}
	})
}

//go:noinline
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
}

func BenchmarkIsSet(b *testing.B) {
	for b.Loop() {
		mark.IsSet()
	}
}
