package failure

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds that keep what is printed in proportion.
const (
	maxText   = 8 << 10 // bytes of a text
	maxNested = 3       // panics within the methods that describe a panic
	maxDepth  = 16      // levels of a value that has no text of its own
	maxKeys   = 64      // entries of such a map; they are sorted
	maxSteps  = 2048    // values inside of it in all
)

// textOf returns what v has to say, or why it cannot. It does not panic. It
// runs v's Error, String or Format method, and those of what v contains.
func textOf(v any) string {
	steps := maxSteps
	return describe(v, 0, &steps)
}

func describe(v any, nested int, steps *int) (text string) {
	if nested == maxNested {
		return fmt.Sprintf("%T", v)
	}
	method := ""
	defer func() {
		if r := recover(); r != nil {
			text = broken(v, method, r, nested, steps)
		}
	}()
	p := printer{nested: nested, steps: steps}
	switch v := v.(type) {
	case error:
		method = "Error"
		return v.Error()
	case fmt.Stringer:
		method = "String"
		return v.String()
	case fmt.Formatter:
		method = "Format"
		v.Format(&p, 'v')
	default:
		p.value(reflect.ValueOf(v), 0)
	}
	return p.String()
}

// broken tells of the panic r in a method of v.
func broken(v any, method string, r any, nested int, steps *int) string {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		return fmt.Sprintf("a nil %T", v)
	}
	return fmt.Sprintf("a value of type %T, whose %s method panicked: %s", v, method, describe(r, nested+1, steps))
}

// A printer prints a value much as %v does. Package fmt itself cannot be
// trusted with any value: on a slice or a map that contains itself, given as it
// is or as the panic of a method, it overflows the stack, which nothing can
// recover from. As a fmt.State it has no flags.
type printer struct {
	strings.Builder
	nested int
	steps  *int // how many more values, of all printers at work
}

func (p *printer) Width() (int, bool)     { return 0, false }
func (p *printer) Precision() (int, bool) { return 0, false }
func (p *printer) Flag(int) bool          { return false }

// value prints v, which is depth levels inside of what is printed.
func (p *printer) value(v reflect.Value, depth int) {
	*p.steps--
	if depth > maxDepth || *p.steps < 0 || p.Len() > maxText {
		p.WriteString("...")
		return
	}
	if depth > 0 && v.CanInterface() {
		switch v.Interface().(type) {
		case error, fmt.Stringer, fmt.Formatter:
			p.WriteString(describe(v.Interface(), p.nested, p.steps))
			return
		}
	}
	switch v.Kind() {
	case reflect.Interface:
		p.value(v.Elem(), depth+1)
	case reflect.Pointer:
		p.pointer(v, depth)
	case reflect.Slice, reflect.Array:
		p.list("[", v.Len(), "]", func(i int) { p.value(v.Index(i), depth+1) })
	case reflect.Struct:
		p.list("{", v.NumField(), "}", func(i int) { p.value(v.Field(i), depth+1) })
	case reflect.Map:
		p.entries(v, depth)
	default:
		p.simple(v)
	}
}

// simple prints what contains nothing.
func (p *printer) simple(v reflect.Value) {
	switch {
	case !v.IsValid():
		p.WriteString("<nil>")
	case v.Kind() == reflect.String:
		p.WriteString(v.String())
	case v.Kind() == reflect.Bool:
		fmt.Fprint(p, v.Bool())
	case v.CanInt():
		fmt.Fprint(p, v.Int())
	case v.CanUint():
		fmt.Fprint(p, v.Uint())
	case v.CanFloat():
		fmt.Fprint(p, v.Float())
	case v.CanComplex():
		fmt.Fprint(p, v.Complex())
	default: // an address says nothing to a reader
		p.WriteString("(" + v.Type().String() + ")")
	}
}

func (p *printer) pointer(v reflect.Value, depth int) {
	switch {
	case v.IsNil():
		p.WriteString("<nil>")
	case depth == 0:
		p.WriteByte('&')
		p.value(v.Elem(), 1)
	default:
		p.simple(v)
	}
}

// list prints n elements with print until there is too much.
func (p *printer) list(open string, n int, end string, print func(i int)) {
	p.WriteString(open)
	for i := range n {
		if i > 0 {
			p.WriteByte(' ')
		}
		if *p.steps < 0 || p.Len() > maxText {
			p.WriteString("...")
			break
		}
		print(i)
	}
	p.WriteString(end)
}

// entries prints a map in the order of its entries' texts.
func (p *printer) entries(v reflect.Value, depth int) {
	if v.Len() > maxKeys {
		p.WriteString("map[" + strconv.Itoa(v.Len()) + " entries]")
		return
	}
	var all []string
	for it := v.MapRange(); it.Next(); {
		entry := printer{nested: p.nested, steps: p.steps}
		entry.value(it.Key(), depth+1)
		entry.WriteByte(':')
		entry.value(it.Value(), depth+1)
		all = append(all, entry.String())
	}
	slices.Sort(all)
	p.list("map[", len(all), "]", func(i int) { p.WriteString(all[i]) })
}

// bounded returns text, or its beginning and how long it was. What it cuts off
// is not kept alive.
func bounded(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "... (" + strconv.Itoa(len(text)) + " bytes)"
}

// oneLine returns text with its lines, as far as they are not blank, joined by
// "; ".
func oneLine(text string) string {
	if !strings.ContainsAny(text, "\n\r") {
		return text
	}
	var lines []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
