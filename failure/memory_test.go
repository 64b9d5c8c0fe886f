package failure_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"weak"

	"github.com/deferred-go/deferred/failure"
)

// A ballast is what a Failure may keep alive. It is an error, for some.
type ballast struct{ _ [1 << 10]byte }

func (*ballast) Error() string { return "ballast" }

// collected reports whether the garbage collector takes what p points to.
func collected(p weak.Pointer[ballast]) bool {
	for range 3 { // a conservative look at a register may keep it for one
		runtime.GC()
		if p.Value() == nil {
			return true
		}
	}
	return false
}

//go:noinline
func use(*ballast) {}

// work panics with v; it has an argument, a variable, and one in a closure.
//
//go:noinline
func work(argument *ballast, v any) (variable, captured weak.Pointer[ballast], f *failure.Failure) {
	local, inClosure := new(ballast), new(ballast)
	variable, captured = weak.Make(local), weak.Make(inClosure)
	f = caught(func() {
		defer use(argument)
		defer use(local)
		func() {
			use(inClosure)
			panic(v)
		}()
	})
	return variable, captured, f
}

// Of the stack a Failure keeps neither arguments nor variables: what a
// traceback of other languages holds on to is gone with the call.
func TestNothingOfTheStackIsKept(t *testing.T) {
	argument := new(ballast)
	arg := weak.Make(argument)
	local, captured, f := work(argument, "boom")
	for name, p := range map[string]weak.Pointer[ballast]{"an argument": arg, "a variable": local, "a captured variable": captured} {
		if !collected(p) {
			t.Errorf("%s is kept alive", name)
		}
	}
	runtime.KeepAlive(f)
}

// It does keep the panic value and the error, which errors.As is to find, for
// as long as it is kept itself; the texts and the structured form keep nothing.
func TestWhatIsKept(t *testing.T) {
	for name, from := range map[string]func(*ballast) *failure.Failure{
		"panic value": func(b *ballast) *failure.Failure { return caught(func() { panic(b) }) },
		"error":       func(b *ballast) *failure.Failure { return failure.At(b, site(work)).Note("n") },
		"inside":      func(b *ballast) *failure.Failure { return failure.At(fmt.Errorf("w: %w", failure.At(b))) },
	} {
		t.Run(name, func(t *testing.T) {
			p, f := failureOf(from)
			if collected(p) {
				t.Error("gone, while the Failure is there")
			}
			text, data := texts(f)
			runtime.KeepAlive(f)
			f = nil
			if !collected(p) {
				t.Error("kept by a text or by what LogValue returned")
			}
			runtime.KeepAlive(text)
			runtime.KeepAlive(&data)
		})
	}
}

//go:noinline
func failureOf(from func(*ballast) *failure.Failure) (weak.Pointer[ballast], *failure.Failure) {
	b := new(ballast)
	return weak.Make(b), from(b)
}

//go:noinline
func texts(f *failure.Failure) (string, slog.Value) {
	return fmt.Sprintf("%s %v %+v", f, f, f), f.LogValue()
}
