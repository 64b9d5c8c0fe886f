package failure

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// Format implements [fmt.Formatter]. There are three texts:
//
//   - %s, the brief one: the text that Error returns, on one line; where it
//     has several, as that of errors.Join, they are joined by "; "
//   - %v, the default: the text that Error returns
//   - %+v, the detailed one: the text and, below it, a line for each frame and
//     note; then the causes, numbered 1, 2, 2.1
//
// A cause is a Failure, a part of joined errors, or an error whose text does
// not stand in the text above it, that the error, or the panic value, wraps.
// Each has frames and causes of its own. A wrapped error whose text stands
// there already, as with fmt.Errorf, is no cause of its own. The further lines
// of a text of several are indented.
//
// %q, %x and %X print the text that Error returns, %#v is that in Go syntax,
// and any other verb says that it is none, as package fmt does. Width,
// precision and flags work as for a string.
//
// Only %+v runs code of others, the Unwrap and Error methods of causes. One
// that panics is noted; one that formats a Failure with %+v in turn gets the
// short text. At most 64 causes, 16 deep, and 8 KiB of each text are printed.
func (f *Failure) Format(s fmt.State, verb rune) {
	switch {
	case verb == 'v' && s.Flag('+'):
		_, _ = io.WriteString(s, f.details())
	case verb == 'v' && s.Flag('#'):
		_, _ = fmt.Fprintf(s, "&failure.Failure{%q}", f.Error())
	case verb == 's':
		_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), oneLine(f.Error()))
	case strings.ContainsRune("vqxX", verb):
		_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), f.Error())
	default:
		_, _ = fmt.Fprintf(s, "%%!%c(*failure.Failure=%s)", verb, f.Error())
	}
}

// LogValue implements [slog.LogValuer]. It is the detailed text as data: a group
// of "error", the text; "kind", which is "panic", "goexit" or "error"; and,
// where there are any, "frames" and "notes", lists of text, and "causes", a
// group of such groups under their numbers; a cause that is no Failure has no
// kind. It holds text only, so who keeps it keeps nothing of what the Failure
// was made of. It runs the code that %+v runs, with the same bounds.
func (f *Failure) LogValue() slog.Value {
	if f == nil {
		return slog.GroupValue(slog.String("error", f.Error()), slog.String("kind", "none"))
	}
	root := treeOf(f)
	if root == nil {
		root = &detail{text: f.Error(), failure: f}
	}
	return slog.GroupValue(root.attrs()...)
}

func (d *detail) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("error", d.text)}
	if f := d.failure; f != nil {
		attrs = append(attrs, slog.String("kind", f.kindName()))
		if frames := f.Frames(); len(frames) > 0 {
			attrs = append(attrs, slog.Any("frames", places(frames)))
		}
		if notes := f.allNotes(); len(notes) > 0 {
			attrs = append(attrs, slog.Any("notes", notes))
		}
	}
	var causes []slog.Attr
	for i, c := range d.causes {
		causes = append(causes, slog.Attr{Key: strconv.Itoa(i + 1), Value: slog.GroupValue(c.attrs()...)})
	}
	if d.missing != "" {
		causes = append(causes, slog.String("missing", d.missing))
	}
	if len(causes) > 0 {
		attrs = append(attrs, slog.Attr{Key: "causes", Value: slog.GroupValue(causes...)})
	}
	return attrs
}

func (f *Failure) kindName() string {
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

func (f *Failure) allNotes() (notes []string) {
	for _, l := range f.layers() {
		notes = append(notes, l.notes...)
	}
	return notes
}

// details is what %+v prints.
func (f *Failure) details() string {
	root := treeOf(f)
	if root == nil {
		return f.Error()
	}
	var r report
	r.text(root.text)
	r.below(root, "")
	return r.b.String()
}

// A report is the text of %+v as it grows.
type report struct{ b strings.Builder }

// text writes a text; its further lines are set off from those of frames.
func (r *report) text(s string) { r.b.WriteString(strings.ReplaceAll(s, "\n", "\n  ")) }

// below writes what there is below the text of d. number is that of the cause
// which d is, with a dot, or nothing.
func (r *report) below(d *detail, number string) {
	if d.failure != nil {
		r.failure(d.failure)
	}
	for i, c := range d.causes {
		own := number + strconv.Itoa(i+1)
		r.b.WriteString("\ncause " + own + ": ")
		r.text(c.text)
		r.below(c, own+".")
	}
	if d.missing != "" {
		r.b.WriteString("\n... and " + d.missing)
	}
}

// failure writes the frames and notes of f.
func (r *report) failure(f *Failure) {
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
	r.lines("", f.allNotes())
}

func (r *report) lines(label string, lines []string) {
	for _, line := range lines {
		r.b.WriteString("\n\t" + label)
		r.b.WriteString(strings.ReplaceAll(line, "\n", "\n\t  "))
	}
}
