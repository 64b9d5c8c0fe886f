// Package birth records where something was made, for reports: the first
// frame of the stack that is not the library's own.
package birth

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// A Place is where something was made. It is kept as program counters, which
// become a file and a line only when somebody asks. A nil *Place is unknown.
type Place struct {
	depth int
	pcs   [24]uintptr
}

// Here records the caller of the function that calls Here. It costs about a
// microsecond and 208 bytes.
func Here() *Place {
	p := new(Place)
	p.depth = runtime.Callers(2, p.pcs[:])
	return p
}

// String is "file:line" of the first frame outside of the library, or "".
func (p *Place) String() string { return p.find(false) }

// Call is String for something that the library may have done on its own: it is
// "" if a loop, a worker or a coroutine of the library's is further in than that
// frame, which then has only started or driven it.
func (p *Place) Call() string { return p.find(true) }

func (p *Place) find(call bool) string {
	if p == nil || p.depth == 0 {
		return ""
	}
	frames := runtime.CallersFrames(p.pcs[:p.depth])
	for {
		f, more := frames.Next()
		if call && strings.HasPrefix(f.Function, module+"internal/mark.") {
			return ""
		}
		if f.File != "" && !InLibrary(f) && !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, "iter.") {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

const module = "github.com/deferred-go/deferred/"

// InLibrary reports whether f is a frame of this module that is neither its
// tests' nor its examples'.
func InLibrary(f runtime.Frame) bool {
	return strings.HasPrefix(f.Function, module) &&
		!strings.HasPrefix(f.Function, module+"examples/") &&
		!strings.HasSuffix(f.File, "_test.go")
}

// Func returns the name of v: what it says itself, of a function its name, else its
// type.
func Func(v any) string {
	if s, ok := v.(fmt.Stringer); ok {
		return s.String()
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Func {
		return fmt.Sprintf("%T", v)
	}
	if f := runtime.FuncForPC(r.Pointer()); f != nil {
		name := f.Name()
		return name[strings.LastIndexByte(name, '/')+1:]
	}
	return "a function"
}
