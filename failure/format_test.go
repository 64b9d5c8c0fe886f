package failure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/failure"
)

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "%X", "%d", "%30s", "%-5.2v", "%t"}

// formatted is f in every form there is.
func formatted(f *failure.Failure) map[string]string {
	all := map[string]string{"Error": f.Error()}
	for _, verb := range verbs {
		all[verb] = fmt.Sprintf(verb, f)
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "f", f)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "f", f)
	all["slog"] = b.String()
	f.Frames()
	return all
}

// check fails if a form of f reports a panic that fmt caught, or is very long.
func check(t interface{ Errorf(string, ...any) }, f *failure.Failure) {
	for form, text := range formatted(f) {
		if strings.Contains(text, "(PANIC=") && !strings.Contains(f.Error(), "(PANIC=") {
			t.Errorf("%s panicked: %s", form, text)
		}
		if form == "%s" && strings.ContainsAny(text, "\r\n") {
			t.Errorf("%s has several lines: %q", form, text)
		}
		if len(text) > 8<<20 {
			t.Errorf("%s has %d bytes", form, len(text))
		}
	}
}

func TestVerbs(t *testing.T) {
	f := failure.At(errors.New("a\nb"))
	for verb, want := range map[string]string{
		"%v": "a\nb", "%s": "a; b", "%30v|": "                           a\nb|", "%-6s|": "a; b  |", "%+q": `"a\nb"`, "%q": `"a\nb"`, "%5.1s|": "    a|", "%x": "610a62", "%X": "610A62",
		"%#v": `&failure.Failure{"a\nb"}`, "%d": "%!d(*failure.Failure=a\nb)", "%+v": "a\n  b",
	} {
		if got := fmt.Sprintf(verb, f); got != want {
			t.Errorf("%s gives %q, want %q", verb, got, want)
		}
	}
}

func TestDetails(t *testing.T) {
	inner := failure.At(errors.New("inner"), site(outside))
	for _, tt := range []struct {
		name string
		f    *failure.Failure
		want string
	}{
		{"nil", nil, "<nil>"},
		{"zero", new(failure.Failure), "failure: no error"},
		{"plain wraps add nothing", failure.At(fmt.Errorf("c: %w", fmt.Errorf("b: %w", io.EOF))), "c: b: EOF"},
		{"sites", failure.At(io.EOF, site(outside), site(caught)), "EOF|at outside|at caught"},
		{"sites of sites", failure.At(inner, site(caught)).Note("made here"), "inner|at outside|at caught|made here"},
		{"unknown site", failure.At(io.EOF, 1), "EOF|at an unknown function"},
		{"method value", failure.At(io.EOF, site(named{}.String)), "EOF|at named.String (method value)"},
		{"wrapped Failure", failure.At(fmt.Errorf("outer: %w", inner), site(caught)),
			"outer: inner|at caught/cause 1: inner|at outside"},
		{"joined", failure.At(errors.Join(io.EOF, errors.Join(inner, io.ErrNoProgress))),
			"EOF>inner>multiple Read calls return no data or error" +
				"/cause 1: EOF/cause 2: inner>multiple Read calls return no data or error" +
				"/cause 2.1: inner|at outside/cause 2.2: multiple Read calls return no data or error"},
		{"several %w", failure.At(fmt.Errorf("%w, and %w", io.EOF, inner)),
			"EOF, and inner/cause 1: EOF/cause 2: inner|at outside"},
		{"a Failure around a Failure around a Failure",
			failure.At(fmt.Errorf("a: %w", failure.At(fmt.Errorf("b: %w", inner)).Note("n"))),
			"a: b: inner/cause 1: b: inner|n/cause 1.1: inner|at outside"},
		{"a text that hides its cause", failure.At(&around{"broken", fmt.Errorf("read: %w", io.EOF)}), "broken/cause 1: read: EOF"},
		{"one after the other", failure.At(&around{"a", fmt.Errorf("in: %w", &around{"b", &around{"c", errors.New("d")}})}),
			"a/cause 1: in: b/cause 1.1: c/cause 1.1.1: d"},
		{"hidden behind plain wraps", failure.At(fmt.Errorf("x: %w", &around{"y", io.EOF})), "x: y/cause 1: EOF"},
		{"nil parts", failure.At(wide{3}), "wide"},
		{"note of two lines", failure.At(io.EOF).Note("a\nb"), "EOF|a|  b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := short(fmt.Sprintf("%+v", tt.f)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// short writes details on one line: without the package, and files and lines.
func short(details string) string {
	var b strings.Builder
	for line := range strings.Lines(details) {
		line = strings.TrimSuffix(line, "\n")
		if frame, ok := strings.CutPrefix(line, "\tat github.com/deferred-go/deferred/failure_test."); ok {
			if place := strings.LastIndexByte(frame, ' '); strings.Contains(frame[place:], ".go:") {
				frame = frame[:place]
			}
			line = "\tat " + frame
		}
		b.WriteString("\n" + line)
	}
	return strings.NewReplacer("\n\t", "|", "\n  ", ">", "\n", "/").Replace(strings.TrimPrefix(b.String(), "\n"))
}

// Who wrote Go for %v gets what Error gives; the brief text is one line, the
// detailed one begins with the same text.
func TestThreeTexts(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		f                       *failure.Failure
		brief, normal, detailed string
	}{
		{"one line", failure.At(io.EOF).Note("n"), "EOF", "EOF", "EOF|n"},
		{"joined", failure.At(errors.Join(io.EOF, errors.New("b"))), "EOF; b", "EOF\nb", "EOF>b/cause 1: EOF/cause 2: b"},
		{"blank lines and indents", failure.At(errors.New("\na:\r\n\n\t- b \n")), "a:; - b", "\na:\r\n\n\t- b \n", ">a:\r>>\t- b >"},
		{"broken", failure.At(badError{"x\ny"}),
			"a value of type failure_test.badError, whose Error method panicked: x; y",
			"a value of type failure_test.badError, whose Error method panicked: x\ny",
			"a value of type failure_test.badError, whose Error method panicked: x>y"},
		{"broken parts", failure.At(&around{"a", badError{1}}), "a", "a",
			"a/cause 1: a value of type failure_test.badError, whose Error method panicked: 1"},
		{"no text at all", failure.At(errors.New("")), "", "", ""},
		{"nil", nil, "<nil>", "<nil>", "<nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprintf("%s", tt.f); got != tt.brief {
				t.Errorf("brief: %q, want %q", got, tt.brief)
			}
			if got := fmt.Sprintf("%v", tt.f); got != tt.normal || got != tt.f.Error() {
				t.Errorf("default: %q, want %q, as Error gives", got, tt.normal)
			}
			if got := short(fmt.Sprintf("%+v", tt.f)); got != tt.detailed {
				t.Errorf("detailed: %q, want %q", got, tt.detailed)
			}
		})
	}
}

func TestDetailsOfDeepJoins(t *testing.T) {
	got := fmt.Sprintf("%+v", failure.At(deep(20, io.EOF)))
	if n := strings.Count(got, "deep\n"); n != 17 || strings.Count(got, "... and deeper causes") != 1 {
		t.Errorf("%d levels in\n%s", n, got)
	}
}

func TestDetailsOfAPanicWithCallbacks(t *testing.T) {
	f := failure.At(caught(func() { panic("boom") }), site(outside))
	got := short(fmt.Sprintf("%+v", f))
	if !strings.HasPrefix(got, "panic: boom|at TestDetailsOfAPanicWithCallbacks.func1|at caught|") ||
		!strings.HasSuffix(got, "|callbacks:|at outside") {
		t.Errorf("got %s", got)
	}
}

func TestLogValue(t *testing.T) {
	for _, tt := range []struct {
		f    *failure.Failure
		want string
	}{
		{failure.At(io.EOF), `{"error":"EOF","kind":"error"}`},
		{failure.At(io.EOF, site(named{}.String)).Note("n"),
			`{"error":"EOF","kind":"error","frames":["github.com/deferred-go/deferred/failure_test.named.String (method value)"],"notes":["n"]}`},
		{failure.At(errors.Join(failure.At(io.EOF).Note("n"), &around{"hidden", io.ErrNoProgress})),
			`{"error":"EOF\nhidden","kind":"error","causes":{"1":{"error":"EOF","kind":"error","notes":["n"]},` +
				`"2":{"error":"hidden","causes":{"1":{"error":"multiple Read calls return no data or error"}}}}}`},
		{nil, `{"error":"<nil>","kind":"none"}`},
		{new(failure.Failure), `{"error":"failure: no error","kind":"none"}`},
	} {
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "f", tt.f)
		var line struct{ F json.RawMessage }
		if err := json.Unmarshal(b.Bytes(), &line); err != nil || string(line.F) != tt.want {
			t.Errorf("got %s (%v), want %s", line.F, err, tt.want)
		}
	}
	for kind, f := range map[string]*failure.Failure{
		"panic":  failure.At(caught(func() { panic("boom") })),
		"goexit": exited(runtime.Goexit),
	} {
		attrs := f.LogValue().Group()
		if attrs[1].Value.String() != kind || len(attrs[2].Value.Any().([]string)) == 0 {
			t.Errorf("%s: %v", kind, attrs)
		}
	}
}

// A selfPart hides that it wraps another of its kind, without end.
type selfPart struct{ n int }

func (s selfPart) Error() string { return fmt.Sprintf("part <%d>", s.n) }
func (s selfPart) Unwrap() error { return selfPart{s.n + 1} }

// The structured form has the bounds that the text has.
func TestLogValueOfAnEndlessChain(t *testing.T) {
	v, depth := failure.At(selfPart{}).LogValue(), 0
	for ; v.Kind() == slog.KindGroup; depth++ {
		attrs := v.Group()
		last := attrs[len(attrs)-1]
		if last.Key == "missing" {
			if last.Value.String() != "deeper causes" || depth != 33 {
				t.Errorf("cut off at depth %d with %v", depth, last)
			}
			return
		}
		v = last.Value
	}
	t.Errorf("not cut off: %d levels", depth)
}

// A parted error has two parts.
type parted struct{ first error }

func (p parted) Error() string   { return "deep" }
func (p parted) Unwrap() []error { return []error{p.first, io.EOF} }

func deep(n int, err error) error {
	for range n {
		err = parted{err}
	}
	return err
}

// Values that break those who format them.
type (
	badError     struct{ v any } // its Error panics with v
	badString    struct{ v any }
	badFormat    struct{ v any }
	badUnwrap    struct{ v any }
	nilSensitive struct{ text string }
	selfWrap     struct{}
	wide         struct{ n int }
	endless      struct{}
)

func (e badError) Error() string           { panic(e.v) }
func (s badString) String() string         { panic(s.v) }
func (f badFormat) Format(fmt.State, rune) { panic(f.v) }
func (f badFormat) GoString() string       { panic(f.v) }
func (e endless) Error() string            { panic(e) }
func (badUnwrap) Error() string            { return "bad unwrap" }
func (u badUnwrap) Unwrap() error          { panic(u.v) }
func (e *nilSensitive) Error() string      { return e.text }
func (e selfWrap) Error() string           { return "self" }
func (e selfWrap) Unwrap() error           { return e }
func (e wide) Error() string               { return "wide" }
func (e wide) Unwrap() []error             { return fill(e.n, error(e)) }
func fill[T any](n int, v T) []T           { return append(make([]T, n-1, n), v) }
func long(n int) error                     { return errors.New(strings.Repeat("é", n)) }
func cyclicSlice() any                     { s := []any{nil}; s[0] = s; return s }
func cyclicMap() any                       { m := map[string]any{}; m["m"] = m; return m }
func nested(depth int) (v any) {
	v = 1
	for range depth {
		v = []any{v}
	}
	return v
}
func chain(depth int, err error) error {
	for range depth {
		err = fmt.Errorf("%w", err)
	}
	return err
}
func joins(depth int, err error) error {
	for range depth {
		err = errors.Join(err, err)
	}
	return err
}
func failures(n int, err error) (f error) {
	f = err
	for range n {
		f = failure.At(f, 1)
	}
	return f
}
func wraps(n int, err error) error {
	for range n {
		err = failure.At(fmt.Errorf("w %w", err))
	}
	return err
}

// thicket is a map with 60 entries that are the map itself.
func thicket() any {
	m := map[int]any{}
	for i := range 60 {
		m[i] = m
	}
	return m
}

// hostile are panic values that must be survived.
func hostile() map[string]any {
	return map[string]any{
		"Error panics for ever":      endless{},
		"Error panics":               badError{"x"},
		"Error panics with an error": badError{badError{badError{badError{badError{1}}}}},
		"String panics":              badString{badString{2}},
		"Format panics":              badFormat{badFormat{badFormat{3}}},
		"Unwrap panics":              badUnwrap{badUnwrap{4}},
		"nil pointer with Error":     (*nilSensitive)(nil),
		"inside of others":           []any{badError{1}, map[string]any{"k": badFormat{badError{2}}}, &badString{3}},
		"slice that contains itself": cyclicSlice(),
		"map that contains itself":   cyclicMap(),
		"deep":                       nested(100_000),
		"thicket":                    thicket(),
		"panics with a cycle":        []any{badError{cyclicSlice()}, badFormat{cyclicMap()}},
		"wide slice":                 make([]int, 1<<20),
		"long string inside":         []string{strings.Repeat("x", 1<<20)},
		"long error":                 long(1 << 20),
		"unwraps to itself":          selfWrap{},
		"unwraps without end":        selfPart{},
		"wraps itself 10,000 times":  wide{10_000},
		"long chain":                 chain(10_000, io.EOF),
		"exponential join":           joins(10, badError{1}),
		"many Failures around":       failures(1000, io.EOF),
		"many Failures inside":       wraps(200, io.EOF),
		"function":                   func() {},
		"channel":                    make(chan int),
	}
}

func TestFormattingSurvives(t *testing.T) {
	for name, v := range hostile() {
		t.Run(name, func(t *testing.T) {
			check(t, caught(func() { panic(v) }))
			if err, ok := v.(error); ok {
				check(t, failure.At(err, site(outside)))
				check(t, failure.At(errors.Join(err, badUnwrap{err})).Note("n"))
			}
		})
	}
}

func TestTextOfHostileValues(t *testing.T) {
	for want, v := range map[string]any{
		"panic: a value of type failure_test.badError, whose Error method panicked: x":                                                                       badError{"x"},
		"panic: a value of type failure_test.badString, whose String method panicked: 2":                                                                     badString{2},
		"panic: a nil *failure_test.nilSensitive":                                                                                                            (*nilSensitive)(nil),
		"panic: " + strings.Repeat("[", 9) + "..." + strings.Repeat("]", 9):                                                                                  cyclicSlice(),
		"panic: " + strings.Repeat("map[m:", 8) + "map[...:..." + strings.Repeat("]", 9):                                                                     cyclicMap(),
		"panic: a value of type failure_test.badError, whose Error method panicked: a value of type failure_test.badError, whose Error method panicked: EOF": badError{badError{io.EOF}},
	} {
		if got := caught(func() { panic(v) }).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	got := failure.At(long(10_000)).Error()
	if len(got) > 9000 || !strings.HasSuffix(got, "é... (20000 bytes)") {
		t.Errorf("a long text became %d bytes that end with %q", len(got), got[len(got)-30:])
	}
}

// A nosy error formats the Failure that wraps it, once it has one.
type nosy struct {
	f    *failure.Failure
	verb string
}

func (n *nosy) Error() string {
	if n.f == nil {
		return "nosy"
	}
	return "nosy about " + fmt.Sprintf(n.verb, n.f) + " and " + fmt.Sprintf(n.verb, n.f)
}

func (n *nosy) Unwrap() []error {
	_ = fmt.Sprintf(n.verb, n.f)
	return []error{n, n}
}

func TestFormattingThatCallsBack(t *testing.T) {
	for _, verb := range verbs {
		n := &nosy{verb: verb}
		n.f = failure.At(n, site(outside))
		check(t, n.f)
		other := &nosy{verb: verb, f: n.f}
		n.f = failure.At(errors.Join(n, other))
		check(t, n.f)
		if got := n.f.Error(); !strings.Contains(got, "nosy about") {
			t.Errorf("got %s", got)
		}
	}
	n := &nosy{verb: "%+v"}
	n.f = failure.At(n)
	if got := fmt.Sprintf("%+v", n.f); !strings.HasPrefix(got, "nosy\ncause 1: nosy about nosy and nosy\n") {
		t.Errorf("got %s", got)
	}
}

func TestFormattingFromManyGoroutines(t *testing.T) {
	f := failure.At(errors.Join(caught(func() { panic("boom") }), io.EOF), site(outside))
	want := fmt.Sprintf("%+v", f)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := fmt.Sprintf("%+v", f); got != want {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	wg.Wait()
}

func TestTextIsTakenOnce(t *testing.T) {
	e := &nilSensitive{"before"}
	f := failure.At(e)
	e.text = "after"
	if got := f.Error(); got != "before" {
		t.Errorf("Error() = %q", got)
	}
	if e, _ := errors.AsType[*nilSensitive](f); e.text != "after" {
		t.Error("not the error itself")
	}
}
