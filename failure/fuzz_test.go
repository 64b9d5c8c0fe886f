package failure_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/deferred-go/deferred/failure"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// FuzzFormatting builds a value by the instructions in program, one a byte,
// and formats the Failures made of it in all ways.
func FuzzFormatting(f *testing.F) {
	f.Add("x", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add("%v\n\x00\xff", []byte{12, 12, 11, 3, 0, 5, 8})
	f.Add("loop", []byte{9, 10, 9, 10, 4, 6})
	f.Fuzz(func(t *testing.T, text string, program []byte) {
		v := build(text, program[:min(len(program), 40)])
		check(t, caught(func() { panic(v) }))
		if err, ok := v.(error); ok {
			check(t, failure.At(err, site(build)).Note(text))
		}
		check(t, failure.At(&around{text, badUnwrap{v}}))
	})
}

// An around wraps an error without asking for its text.
type around struct {
	text string
	err  error
}

func (a *around) Error() string { return a.text }
func (a *around) Unwrap() error { return a.err }

// A several wraps errors without asking for their texts.
type several struct {
	text string
	errs []error
}

func (s *several) Error() string   { return s.text }
func (s *several) Unwrap() []error { return s.errs }

func build(text string, program []byte) any {
	var v any = text
	for _, op := range program {
		v = wrap(v, text, int(op))
	}
	return v
}

func wrap(v any, text string, op int) any {
	err, ok := v.(error)
	if !ok {
		err = errors.New(text)
	}
	makers := []func() any{
		func() any { return badError{v} },
		func() any { return badString{v} },
		func() any { return badFormat{v} },
		func() any { return badUnwrap{v} },
		func() any { return []any{v, v} },
		func() any { return map[string]any{text: v} },
		func() any { return &struct{ V any }{v} },
		func() any { return &around{text, err} },
		func() any { return errors.Join(err, errors.New(text)) },
		func() any { return failure.At(err, uintptr(op)) },
		func() any { return caught(func() { panic(v) }) },
		func() any { n := &nosy{verb: verbs[op%len(verbs)]}; n.f = failure.At(errors.Join(n, err)); return n },
		func() any { s := []any{v, nil}; s[1] = s; return s },
		func() any { return &several{text, []error{err, nil, selfPart{op}, err}} },
		func() any { return wide{op + 1} },
	}
	return makers[op%len(makers)]()
}
