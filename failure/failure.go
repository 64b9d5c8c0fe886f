package failure

import (
	"errors"
	"slices"
)

// ErrPanic is matched by a Failure that carries a panic:
// errors.Is(f, ErrPanic).
var ErrPanic = errors.New("failure: panic")

// ErrGoexit is matched by a Failure of a function that ended its goroutine
// with [runtime.Goexit], as [testing.T.FailNow] does.
var ErrGoexit = errors.New("failure: runtime.Goexit called")

// errNil stands in for the error that a Failure has not got.
var errNil = errors.New("failure: no error")

// A Failure is a panic, a runtime.Goexit or an error, with where it came from.
// It is used as *Failure and is an error itself. [New] and [At] make one; a
// nil *Failure and the zero Failure are harmless, and tell that they are empty.
//
// A Failure does not change once made, so any number of goroutines may use it.
// It keeps its text, the program counters of its frames, and the panic value
// or error itself, with whatever that one refers to; of the stack it keeps
// neither arguments nor variables.
type Failure struct {
	kind  kind
	text  string
	value any       // what was given to panic, or the error
	stack []uintptr // as runtime.Callers returns it, still with the recovery
	sites []uintptr
	notes []string
}

type kind uint8

const (
	empty kind = iota
	plain
	panicked
	exited
)

// New returns the Failure of a function that did not return, and is made for
// the deferred function that finds this out: New(recover()).
//
// If recovered is not nil, it is the panic's value. If it is nil, the function
// called [runtime.Goexit]: panic(nil) arrives as a [runtime.PanicNilError]. So
// a deferred function that also runs when all is well must know it, and not
// call New then. A *Failure that was given to panic is returned as it is.
//
// New first keeps the innermost 64 program counters of the stack, which are
// made readable only when somebody asks; then it takes the value's text, with
// its Error or String method, so what becomes of the value later does not
// show, and no later formatting runs code of the value's. A method that panics
// here is noted in the text. It costs some microseconds, nearly all for the
// stack. It does not stop a Goexit; nothing can.
func New(recovered any) *Failure {
	if f, ok := recovered.(*Failure); ok && f != nil {
		return f
	}
	f := &Failure{kind: exited, text: "runtime.Goexit called", value: recovered, stack: callers()}
	if recovered != nil {
		f.kind, f.text = panicked, bounded("panic: "+textOf(recovered))
	}
	return f
}

// At returns err with where it came from. The sites are the code pointers of
// the functions that it passed through, the innermost first, as
// reflect.ValueOf(f).Pointer() has them; a program counter from
// [runtime.Callers] will do as well. Sites that are 0 are left out.
//
// At takes the text of err, as [New] does that of a panic value, and a copy of
// the sites; these become names and lines only when somebody asks. If err is a
// *Failure, the sites come after its own frames. At(nil) is a Failure that
// says there was no error. It does not look at the stack.
func At(err error, sites ...uintptr) *Failure {
	if err == nil {
		err = errNil
	}
	return &Failure{kind: plain, text: bounded(textOf(err)), value: err, sites: slices.Clone(sites)}
}

// Note returns a copy of f that has one more line of text below its frames:
// where a Deferred was made, say. Only %+v and [Failure.LogValue] show it.
// Error does not, and errors.Is and errors.As are the same for both. The Note
// of a nil *Failure is nil.
func (f *Failure) Note(text string) *Failure {
	if f == nil {
		return nil
	}
	noted := *f
	noted.notes = append(slices.Clip(f.notes), bounded(text))
	return &noted
}

// Error returns "panic: " and the panic value's text, "runtime.Goexit called",
// or the text of the error, at most 8 KiB of it. It runs no code of the
// value's or the error's: the text is that of the time when f was made.
func (f *Failure) Error() string {
	switch {
	case f == nil:
		return "<nil>"
	case f.kind == empty:
		return errNil.Error()
	}
	return f.text
}

// Unwrap returns what f stands for: [ErrPanic] and, if the panic value is an
// error, that; [ErrGoexit]; or the error given to [At]. So errors.Is and
// errors.As reach all of it. It returns a slice, which errors.Unwrap does not
// look at.
func (f *Failure) Unwrap() []error {
	if f == nil {
		return nil
	}
	switch f.kind {
	case plain:
		return []error{f.value.(error)}
	case exited:
		return []error{ErrGoexit}
	case panicked:
		if err, ok := f.value.(error); ok {
			return []error{ErrPanic, err}
		}
		return []error{ErrPanic}
	}
	return nil
}

// inner returns the Failure that f was made from with At, or nil.
func (f *Failure) inner() *Failure {
	if f.kind != plain {
		return nil
	}
	in, _ := f.value.(*Failure)
	return in
}

// layers returns f and the Failures it was made from, the innermost first. It
// gives up on those below the 100th.
func (f *Failure) layers() []*Failure {
	var all []*Failure
	for ; f != nil && len(all) < 100; f = f.inner() {
		all = append(all, f)
	}
	slices.Reverse(all)
	return all
}
