package house_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// comparisons are the documents whose tables set names of elsewhere beside
// those of this module: the name there, the Go form, what differs and why. Each
// has a row for every name that is listed in the file of testdata.
var comparisons = map[string]string{
	"COMING_FROM_TWISTED.md":  "twisted_names.txt",
	"COMING_FROM_PROMISES.md": "promise_names.txt",
}

// standard are the packages of the standard library that the Go column may name.
var standard = []string{
	"context", "errors", "fmt", "iter", "log/slog", "os", "os/signal", "runtime/debug", "slices", "sync", "testing", "testing/synctest", "time",
}

// variables are the names that the Go column may use for a value of a type.
var variables = map[string]string{"d": "Deferred", "res": "Resolver", "r": "Reactor", "clk": "Virtual", "m": "Mutex"}

// dotted has what may stand behind a dot, by what stands before it: the names
// of a package, the methods and fields of a type, or, behind the parenthesis of
// a call, those of all types. Types of different packages that share a name
// share an entry.
type dotted map[string]map[string]bool

func (d dotted) add(before, behind string) {
	if d[before] == nil {
		d[before] = map[string]bool{}
	}
	d[before][behind] = true
}

// addFile adds what a file exports; of the standard library without members.
func (d dotted) addFile(f *file, members bool) {
	for _, n := range exported(f) {
		owner, member, ok := strings.Cut(n.text, ".")
		switch {
		case !ok:
			d.add(f.ast.Name.Name, n.text)
		case members:
			d.add(owner, member)
			d.add(")", member)
		}
	}
}

// everything is what the Go column may use.
func everything(t *testing.T) dotted {
	t.Helper()
	d := dotted{}
	for _, f := range theModule(t).files {
		if !f.isTest() && !f.in("internal") && !f.in("examples") {
			d.addFile(f, true)
		}
	}
	for _, name := range standard {
		for _, f := range ofStandard(t, name) {
			d.addFile(f, false)
		}
	}
	for v, of := range variables {
		d[v] = d[of]
	}
	return d
}

// ofStandard returns the files of a package of the standard library.
func ofStandard(t *testing.T, name string) (files []*file) {
	t.Helper()
	pkg, err := build.Import(name, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range pkg.GoFiles {
		src, err := os.ReadFile(filepath.Join(pkg.Dir, base))
		if err != nil {
			t.Fatal(err)
		}
		f, err := parse(base, string(src))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	selector = regexp.MustCompile(`(\w+|\))\.([A-Za-z_]\w*)`)
)

// unknown returns the names with a dot in a piece of Go that do not exist.
func (d dotted) unknown(code string) (names []string) {
	for _, m := range selector.FindAllStringSubmatch(code, -1) {
		if before, behind := m[1], m[2]; !d[before][behind] {
			names = append(names, m[0])
		}
	}
	return names
}

// mistaken is unknown for text that speaks of other languages as well: only
// what looks like a name of this module or of Go counts.
func (d dotted) mistaken(code string) []string {
	return slices.DeleteFunc(d.unknown(code), func(name string) bool {
		before, behind, _ := strings.Cut(name, ".")
		return d[before] == nil || !ast.IsExported(behind)
	})
}

// faults returns what is wrong with a comparison: rows that lack a cell, Go
// names that do not exist, and names of the list for which there is no row.
func faults(text string, known dotted, listed []string) (problems []string) {
	_, rest := blocks("", text)
	has := map[string]bool{}
	for _, line := range rows(rest) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
		if len(cells) != 3 || slices.ContainsFunc(cells, blank) {
			problems = append(problems, "a row is to have three cells with text (and no other bars): "+line)
			continue
		}
		for _, span := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
			name, _, _ := strings.Cut(span[1], "(")
			has[name] = true
		}
		for _, span := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			for _, name := range known.unknown(span[1]) {
				problems = append(problems, fmt.Sprintf("there is no %s, which stands beside%s", name, strings.TrimRight(cells[0], " ")))
			}
		}
		rest = strings.Replace(rest, line, cells[2], 1)
	}
	for _, span := range codeSpan.FindAllStringSubmatch(rest, -1) {
		for _, name := range known.mistaken(span[1]) {
			problems = append(problems, fmt.Sprintf("there is no %s, which stands in the text as %s", name, span[0]))
		}
	}
	for _, name := range listed {
		if !has[name] {
			problems = append(problems, fmt.Sprintf("no row for `%s`", name))
		}
	}
	return problems
}

// blank reports whether a cell says nothing.
func blank(cell string) bool { return !strings.ContainsFunc(cell, unicode.IsLetter) }

func TestComparisonsAreComplete(t *testing.T) {
	docs, known := documents(t), everything(t)
	for doc, list := range comparisons {
		text, ok := docs[doc]
		if !ok {
			t.Errorf("%s is not there", doc)
			continue
		}
		names, err := read("internal/house/testdata/" + list)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range faults(text, known, strings.Split(strings.TrimSpace(names), "\n")) {
			t.Errorf("%s: %s", doc, problem)
		}
	}
}

func TestFaults(t *testing.T) {
	known := everything(t)
	const head = "# A\n| there | here | why |\n|---|---|---|\n"
	for _, s := range []struct {
		rows string
		want []string
	}{
		{"| `a(x)`, `B.c` | `future.Then(d, f)`, `Deferred.Catch`, `errors.Is` | that |\n| `__d__` | none | that |", nil},
		{"| `a`, `B.c`, `__d__` | `Resolver.Follow`, `clk.Advance`, `time.Second`, `Clock.Now` `Outcome.Err` | that |", nil},
		{"| `a`, `B.c`, `__d__` | `future.All(ds...).Shield().Timeout(r, x).Await(ctx)` | that |", nil},
		{"| `a`, `B.c`, `__d__` | `future.All(ds...).Shield().Forget(r)` | that |", []string{"there is no ).Forget, which stands beside `a`, `B.c`, `__d__`"}},
		{"| `a`, `B.c`, `__d__` | `future.All(ds).Then2(r)`, `x.y` | `future.Gone` |", []string{"no ).Then2", "no x.y", "no future.Gone"}},
		{"| `a`, `B.c`, `__d__` | `future.Map`, `Deferred.Each`, `Promise.All`, `errors.Has`, `d.Run` | that |",
			[]string{"no future.Map", "no Deferred.Each", "no Promise.All", "no errors.Has", "no d.Run"}},
		{"| `a`, `B.c`, `__d__` | `future.ErrGone` and `Context.Done` | that |", []string{"no future.ErrGone", "no Context.Done"}},
		{"| `a`, `B.c`, `__d__` | |  that |", []string{"three cells", "no row for `a`", "no row for `B.c`", "no row for `__d__`"}},
		{"| `a`, `B.c`, `__d__` | none | – |\n| `a`, `B.c`, `__d__` | none | that |", []string{"three cells"}},
		{"| `a`, `B.c`, `__d__` | none | that |\n| b | c |\n| b | c | d | e |", []string{"three cells", "three cells"}},
		{"| `a b`, `B.c (x)` | none | `future.Gone`, `d.Run()`, `promise.Then`, `d.then`, `errors.Join(a, b)` |\n\n`Deferred.Each(f)`",
			[]string{"no future.Gone, which stands in the text", "no d.Run", "no Deferred.Each", "no row for `a`", "no row for `B.c`", "no row for `__d__`"}},
		{"| `aa`, `B.c(a)` | `a` | `a` a |\n\n`__d__`\n```\n| `__d__` | x | y |\n```\n", []string{"no row for `a`", "no row for `__d__`"}},
	} {
		got := faults(head+s.rows, known, []string{"a", "B.c", "__d__"})
		same := slices.EqualFunc(got, s.want, strings.Contains)
		if !same {
			t.Errorf("found %q, want %q, in\n%s", got, s.want, s.rows)
		}
	}
}
