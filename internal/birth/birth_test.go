package birth_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/mark"
)

func TestHere(t *testing.T) {
	var unknown *birth.Place
	if unknown.String() != "" || new(birth.Place).String() != "" {
		t.Error("an unknown place has a name")
	}
	_, file, line, _ := runtime.Caller(0)
	place := birth.Here().String()
	if want := fmt.Sprintf("%s:%d", file, line+1); place != want {
		t.Errorf("Here() = %q, want %q", place, want)
	}
}

// Call is the place of a function that a loop calls. (That it is not that of what
// drives the loop is tested in package future.)
func TestCall(t *testing.T) {
	var unknown *birth.Place
	if unknown.Call() != "" {
		t.Error("an unknown place has a call")
	}
	if here := birth.Here(); here.Call() == "" || here.Call() != here.String() {
		t.Errorf("Call is %q, String %q", here.Call(), here.String())
	}
	var inside *birth.Place
	mark.Loop(func() { inside = birth.Here() })
	if inside.Call() == "" {
		t.Error("a function of the user's that the loop calls is no call")
	}
}

func TestInLibrary(t *testing.T) {
	const module = "github.com/deferred-go/deferred/"
	for _, tt := range []struct {
		function, file string
		want           bool
	}{
		{module + "future.After[...]", "/x/future/timeout.go", true},
		{module + "clock/reactor.(*Reactor).CallLater", "/x/clock/reactor/reactor.go", true},
		{module + "future_test.TestX", "/x/future/x_test.go", false},
		{module + "examples/fetch.run", "/x/examples/fetch/main.go", false},
		{"main.main", "/x/main.go", false},
		{"github.com/deferred-go/deferred-fork/future.After", "/x/future/timeout.go", false},
	} {
		if got := birth.InLibrary(runtime.Frame{Function: tt.function, File: tt.file}); got != tt.want {
			t.Errorf("InLibrary(%s, %s) = %v", tt.function, tt.file, got)
		}
	}
}

type named struct{}

func (named) String() string { return "a name of its own" }

type namedFunc func()

func (namedFunc) String() string { return "a name of its own" }

func TestFunc(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{TestHere, "birth_test.TestHere"},
		{func() {}, "birth_test.TestFunc.func1"},
		{named{}, "a name of its own"},
		{namedFunc(nil), "a name of its own"},
		{42, "int"},
	} {
		if got := birth.Func(tt.v); got != tt.want {
			t.Errorf("Func(%T) = %q, want %q", tt.v, got, tt.want)
		}
	}
}
