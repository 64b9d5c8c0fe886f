package failure

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
)

// Format implements [fmt.Formatter]. %v, %s, %q, %x and %X print the text that
// Error returns, with the usual flags. %+v prints the text and, below it, a
// line for each frame and note; then the causes: the Failures and the parts of
// joined errors that the error, or the panic value, wraps, each with its own
// frames, numbered 1, 2, 2.1. A plain wrapped error is no cause of its own,
// because its text stands in the text of what wraps it. The further lines of a
// text of several are indented.
//
// Only %+v runs code of others, the Unwrap and Error methods of causes. One
// that panics is noted; one that formats a Failure with %+v in turn gets the
// short text. At most 64 causes and 8 KiB of each text are printed.
func (f *Failure) Format(s fmt.State, verb rune) {
	switch {
	case verb == 'v' && s.Flag('+'):
		_, _ = io.WriteString(s, f.details())
	case verb == 'v' && s.Flag('#'):
		_, _ = fmt.Fprintf(s, "&failure.Failure{%q}", f.Error())
	case strings.ContainsRune("vsqxX", verb):
		_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), f.Error())
	default:
		_, _ = fmt.Fprintf(s, "%%!%c(*failure.Failure=%s)", verb, f.Error())
	}
}

// LogValue implements [slog.LogValuer]: a group of "error", the text; "kind",
// which is "panic", "goexit" or "error"; and, where there are any, "frames" and
// "notes", lists of text. It runs no code of others.
func (f *Failure) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", f.Error()), slog.String("kind", f.kindName())}
	if frames := f.Frames(); len(frames) > 0 {
		attrs = append(attrs, slog.Any("frames", places(frames)))
	}
	var notes []string
	for _, l := range f.layers() {
		notes = append(notes, l.notes...)
	}
	if len(notes) > 0 {
		attrs = append(attrs, slog.Any("notes", notes))
	}
	return slog.GroupValue(attrs...)
}

func (f *Failure) kindName() string {
	if f == nil {
		return "none"
	}
	switch f.layers()[0].kind {
	case plain:
		return "error"
	case panicked:
		return "panic"
	case exited:
		return "goexit"
	}
	return "none"
}

// details is what %+v prints. Its frame on the stack is what within looks for.
//
//go:noinline
func (f *Failure) details() string {
	if within() {
		return f.Error()
	}
	var r report
	r.text(f.Error())
	r.failure(f, "")
	return r.b.String()
}

// within reports whether details runs further out on this goroutine too. Then
// it was called by a method of the error which that one is printing.
func within() bool {
	pcs := make([]uintptr, 128)
	for skip, found := 2, 0; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		if n == 0 {
			return false
		}
		for it := runtime.CallersFrames(pcs[:n]); ; {
			frame, more := it.Next()
			if frame.Function == detailsName {
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

const detailsName = "github.com/deferred-go/deferred/failure.(*Failure).details"

// The bounds of what %+v prints, and of how far it looks.
const (
	maxCauses = 64
	maxLevels = 16
	maxWraps  = 100 // plain wrappers in a row: an error may unwrap to itself
)

// A report is the text of %+v as it grows.
type report struct {
	b      strings.Builder
	causes int
	level  int
}

// text writes a text; its further lines are set off from those of frames.
func (r *report) text(s string) { r.b.WriteString(strings.ReplaceAll(s, "\n", "\n  ")) }

// failure writes what there is below the text of f. number is that of the
// cause which f is, with a dot, or nothing.
func (r *report) failure(f *Failure, number string) {
	layers := f.layers()
	for _, l := range layers {
		r.lines("at ", places(stackFrames(l.stack)))
		if len(l.stack) == maxStack {
			r.lines("", []string{"..."})
		}
	}
	for i, l := range layers {
		if sites := places(siteFrames(l.sites)); len(sites) > 0 {
			if i > 0 && len(layers[0].stack) > 0 {
				r.lines("", []string{"callbacks:"})
			}
			r.lines("at ", sites)
		}
	}
	for _, l := range layers {
		r.lines("", l.notes)
	}
	if len(layers) > 0 {
		r.causesOf(layers[0].value, number)
	}
}

func (r *report) lines(label string, lines []string) {
	for _, line := range lines {
		r.b.WriteString("\n\t" + label)
		r.b.WriteString(strings.ReplaceAll(line, "\n", "\n\t  "))
	}
}

// causesOf writes the causes that v, if it is an error, wraps.
func (r *report) causesOf(v any, number string) {
	err, ok := v.(error)
	if !ok {
		return
	}
	parts := partsOf(err)
	if len(parts) > 0 && r.level == maxLevels {
		r.b.WriteString("\n... and deeper causes")
		return
	}
	r.level++
	defer func() { r.level-- }()
	for i, cause := range parts {
		if r.causes == maxCauses {
			r.b.WriteString("\n... and more causes")
			return
		}
		r.cause(cause, number+strconv.Itoa(i+1))
	}
}

func (r *report) cause(err error, number string) {
	r.causes++
	r.b.WriteString("\ncause " + number + ": ")
	r.text(bounded(textOf(err)))
	if f, ok := err.(*Failure); ok {
		r.failure(f, number+".")
	} else {
		r.causesOf(err, number+".")
	}
}

// partsOf follows the plain wrappers below err to the first Failure, or to the
// first error of several parts.
func partsOf(err error) []error {
	for range maxWraps {
		parts, several := unwrap(err)
		if len(parts) == 0 {
			return nil
		}
		if _, ok := parts[0].(*Failure); ok || several {
			return parts
		}
		err = parts[0]
	}
	return nil
}

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
