package failure

import (
	"runtime"
	"strings"
)

// A detail is an error as it is told: its text and its causes.
type detail struct {
	text    string
	failure *Failure // what it is, if it is one
	causes  []*detail
	missing string // why causes are left out
}

// The bounds of how many causes are told, and of how far they are looked for.
const (
	maxCauses = 64
	maxLevels = 16
	maxWraps  = 100 // plain wrappers in a row: an error may unwrap to itself
)

// treeOf returns f with its causes, or nil if it was called by a method of an
// error of which the causes are just being looked for. Its frame on the stack
// is what within looks for.
//
//go:noinline
func treeOf(f *Failure) *detail {
	if within() {
		return nil
	}
	var t tree
	root := &detail{text: f.Error(), failure: f}
	t.grow(root, f)
	return root
}

// within reports whether treeOf runs further out on this goroutine too.
func within() bool {
	pcs := make([]uintptr, 128)
	for skip, found := 2, 0; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		if n == 0 {
			return false
		}
		for it := runtime.CallersFrames(pcs[:n]); ; {
			frame, more := it.Next()
			if frame.Function == treeOfName {
				found++
			}
			if found == 2 {
				return true
			}
			if !more {
				break
			}
		}
	}
}

const treeOfName = "github.com/deferred-go/deferred/failure.treeOf"

// A tree is what is known of all causes while they are looked for.
type tree struct{ causes, level int }

// grow adds the causes of d, which tells of err.
func (t *tree) grow(d *detail, err error) {
	if f, ok := err.(*Failure); ok {
		if err = f.innermost(); err == nil {
			return
		}
	}
	parts := causesOf(err, d.text)
	if len(parts) > 0 && t.level == maxLevels {
		d.missing = "deeper causes"
		return
	}
	t.level++
	defer func() { t.level-- }()
	for _, part := range parts {
		if t.causes == maxCauses {
			d.missing = "more causes"
			return
		}
		t.causes++
		cause := &detail{text: bounded(textOf(part))}
		cause.failure, _ = part.(*Failure)
		d.causes = append(d.causes, cause)
		t.grow(cause, part)
	}
}

// innermost is the error, or the panic value if that is one, below f and the
// Failures that it was made from, or nil.
func (f *Failure) innermost() error {
	layers := f.layers()
	if len(layers) == 0 {
		return nil
	}
	err, _ := layers[0].value.(error)
	return err
}

// causesOf follows the plain wrappers below err, of which text tells, to the
// first Failure, to the first error of several parts, or to the first one that
// text does not tell of.
func causesOf(err error, text string) []error {
	for range maxWraps {
		parts, several := unwrap(err)
		if len(parts) == 0 {
			return nil
		}
		if _, ok := parts[0].(*Failure); ok || several || !tells(text, textOf(parts[0])) {
			return parts
		}
		err = parts[0]
	}
	return nil
}

// tells reports whether text has part in it, or may have had it before it was
// cut.
func tells(text, part string) bool { return len(text) > maxText || strings.Contains(text, part) }

// unwrap returns the errors that err wraps, without nil ones. An Unwrap method
// that panics wraps nothing.
func unwrap(err error) (parts []error, several bool) {
	defer func() {
		if recover() != nil {
			parts = nil
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		parts = []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		parts = err.Unwrap()
	}
	var some []error
	for _, part := range parts[:min(len(parts), maxCauses+1)] {
		if part != nil {
			some = append(some, part)
		}
	}
	return some, len(some) > 1
}
