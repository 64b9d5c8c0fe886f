package failure_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/failure"
)

// caught calls f and returns the Failure of its panic.
func caught(f func()) (got *failure.Failure) {
	returned := false
	defer func() {
		if !returned {
			got = failure.New(recover())
		}
	}()
	f()
	returned = true
	return nil
}

// exited is caught for an f that ends its goroutine.
func exited(f func()) *failure.Failure {
	got := make(chan *failure.Failure)
	go func() {
		defer func() { got <- failure.New(recover()) }()
		f()
	}()
	return <-got
}

func site(f any) uintptr { return reflect.ValueOf(f).Pointer() }

type point struct{ X, Y int }

type named struct{ name string }

func (n named) String() string { return "named " + n.name }

func TestErrorText(t *testing.T) {
	var nilMap map[string]int
	zero := 0
	for _, tt := range []struct {
		name string
		f    *failure.Failure
		want string
	}{
		{"string", caught(func() { panic("boom") }), "panic: boom"},
		{"int", caught(func() { panic(7) }), "panic: 7"},
		{"struct", caught(func() { panic(point{1, 2}) }), "panic: {1 2}"},
		{"pointer to a struct", caught(func() { panic(&point{1, 2}) }), "panic: &{1 2}"},
		{"stringer", caught(func() { panic(named{"x"}) }), "panic: named x"},
		{"error", caught(func() { panic(io.EOF) }), "panic: EOF"},
		{"nil", caught(func() { panic(nil) }), "panic: " + new(runtime.PanicNilError).Error()},
		{"nil map", caught(func() { nilMap["a"] = 1 }), "panic: assignment to entry in nil map"},
		{"division", caught(func() { zero = 1 / zero }), "panic: runtime error: integer divide by zero"},
		{"Goexit", exited(runtime.Goexit), "runtime.Goexit called"},
		{"an error", failure.At(io.EOF), "EOF"},
		{"no error", failure.At(nil), "failure: no error"},
		{"zero", new(failure.Failure), "failure: no error"},
		{"nil Failure", nil, "<nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f.Error(); got != tt.want {
				t.Errorf("Error() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestIsAndAs(t *testing.T) {
	pathErr := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	for _, tt := range []struct {
		name   string
		f      *failure.Failure
		is     []error
		isNot  []error
		asPath bool
	}{
		{"panic of a string", caught(func() { panic("boom") }), []error{failure.ErrPanic}, []error{failure.ErrGoexit}, false},
		{"panic of an error", caught(func() { panic(pathErr) }), []error{failure.ErrPanic, fs.ErrNotExist}, []error{failure.ErrGoexit}, true},
		{"Goexit", exited(runtime.Goexit), []error{failure.ErrGoexit}, []error{failure.ErrPanic}, false},
		{"error", failure.At(pathErr), []error{fs.ErrNotExist}, []error{failure.ErrPanic, failure.ErrGoexit}, true},
		{"joined", failure.At(errors.Join(io.EOF, pathErr)), []error{io.EOF, fs.ErrNotExist}, []error{failure.ErrPanic}, true},
		{"sites of a panic", failure.At(caught(func() { panic(pathErr) })), []error{failure.ErrPanic, fs.ErrNotExist}, nil, true},
		{"noted", failure.At(pathErr).Note("here"), []error{fs.ErrNotExist}, nil, true},
		{"zero", new(failure.Failure), nil, []error{failure.ErrPanic, failure.ErrGoexit, io.EOF}, false},
		{"nil", nil, nil, []error{failure.ErrPanic, failure.ErrGoexit, io.EOF}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, target := range tt.is {
				if !errors.Is(tt.f, target) {
					t.Errorf("errors.Is(f, %q) = false", target)
				}
			}
			for _, target := range tt.isNot {
				if errors.Is(tt.f, target) {
					t.Errorf("errors.Is(f, %q) = true", target)
				}
			}
			if _, ok := errors.AsType[*fs.PathError](tt.f); ok != tt.asPath {
				t.Errorf("errors.AsType[*fs.PathError](f) = %v", ok)
			}
		})
	}
}

func TestNewReturnsAFailureThatWasPanickedAgain(t *testing.T) {
	first := caught(func() { panic("boom") })
	if again := caught(func() { panic(first) }); again != first {
		t.Errorf("got %v (%p), want the first (%p)", again, again, first)
	}
	wrapped := caught(func() { panic(fmt.Errorf("again: %w", first)) })
	if wrapped == first || !errors.Is(wrapped, first) {
		t.Error("a wrapped Failure is to be a panic of its own that wraps the first")
	}
	none := caught(func() { panic((*failure.Failure)(nil)) })
	if none == nil || !errors.Is(none, failure.ErrPanic) {
		t.Errorf("the panic of a nil *Failure became %v", none)
	}
}

func TestFramesStartWhereThePanicWasRaised(t *testing.T) {
	var nilMap map[string]int
	var none []int
	var nobody *point
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"panic", func() { panic("boom") }},
		{"nil map", func() { nilMap["a"] = 1 }},
		{"index", func() { none[len(nilMap)] = 1 }},
		{"nil pointer", func() { nobody.X = 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := caught(tt.f)
			if got := f.Frames()[0].Function; !strings.Contains(got, "TestFramesStartWhereThePanicWasRaised.func") {
				t.Errorf("the first frame is %s:\n%+v", got, f)
			}
		})
	}
	if got := exited(runtime.Goexit).Frames()[0].Function; !strings.Contains(got, "exited") {
		t.Errorf("the first frame of a Goexit is %s", got)
	}
	if got := caught(panicTwice).Frames()[0].Function; !strings.HasSuffix(got, ".secondPanic") {
		t.Errorf("the first frame of a second panic is %s", got)
	}
	if got := outside().Frames()[0].Function; !strings.HasSuffix(got, ".outside") {
		t.Errorf("the first frame without a panic is %s", got)
	}
}

func panicTwice() {
	defer secondPanic()
	panic("first")
}

func secondPanic() { panic("second") }

func outside() *failure.Failure { return failure.New("no panic at all") }

func TestFramesEndWithTheProgram(t *testing.T) {
	for _, frame := range exited(runtime.Goexit).Frames() {
		if strings.HasPrefix(frame.Function, "runtime.") {
			t.Errorf("a frame of the runtime: %s", frame.Function)
		}
	}
}

func TestDeepStack(t *testing.T) {
	var dive func(n int)
	dive = func(n int) {
		if n == 0 {
			panic("deep")
		}
		dive(n - 1)
	}
	f := caught(func() { dive(1000) })
	if n := len(f.Frames()); n < 50 || n > 64 {
		t.Errorf("%d frames", n)
	}
	if got := fmt.Sprintf("%+v", f); !strings.HasSuffix(got, "\n\t...") {
		t.Errorf("the end of the stack is not shown as cut off:\n%s", got)
	}
}

func TestSites(t *testing.T) {
	f := failure.At(failure.At(io.EOF, site(outside)), 0, site(caught), 1)
	var got []string
	for _, frame := range f.Frames() {
		got = append(got, frame.Function[strings.LastIndexByte(frame.Function, '.')+1:])
	}
	if want := []string{"outside", "caught", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if file := f.Frames()[0].File; !strings.HasSuffix(file, "/failure_test.go") {
		t.Errorf("file %q", file)
	}
}

func TestManyLayersAreCutOff(t *testing.T) {
	f := failure.At(io.EOF)
	for range 1000 {
		f = failure.At(f, site(outside))
	}
	if n := len(f.Frames()); n != 100 {
		t.Errorf("%d frames", n)
	}
}

func TestAtTakesACopyOfTheSites(t *testing.T) {
	sites := []uintptr{site(outside)}
	f := failure.At(io.EOF, sites...)
	sites[0] = site(caught)
	if got := f.Frames()[0].Function; !strings.HasSuffix(got, ".outside") {
		t.Errorf("the site became %s", got)
	}
}

func TestAtTakesACallersProgramCounter(t *testing.T) {
	pc, _, line, _ := runtime.Caller(0)
	frame := failure.At(io.EOF, pc).Frames()[0]
	if frame.Line != line || !strings.HasSuffix(frame.Function, "TestAtTakesACallersProgramCounter") {
		t.Errorf("got %s:%d, want line %d", frame.Function, frame.Line, line)
	}
}

func TestNoteLeavesTheOriginal(t *testing.T) {
	f := failure.At(io.EOF).Note("1").Note("2").Note("3")
	four, five := f.Note("4"), f.Note("5")
	for f, want := range map[*failure.Failure]string{
		f: "EOF\n\t1\n\t2\n\t3", four: "EOF\n\t1\n\t2\n\t3\n\t4", five: "EOF\n\t1\n\t2\n\t3\n\t5",
	} {
		if got := fmt.Sprintf("%+v", f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if none := (*failure.Failure)(nil).Note("x"); none != nil {
		t.Errorf("the note of nil is %v", none)
	}
}
