package house_test

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages of the module and, for each, the packages of the
// module that it imports, besides the internal ones and those below itself.
// Tests import what they like. An entry that ends in /... stands for what is
// below it as well.
var layers = []struct {
	dir     string
	imports []string
}{
	{"failure", nil},
	{"clock", nil},
	{"clock/reactor", []string{"clock", "failure"}},
	{"clock/benclock", []string{"clock"}},
	{"future", []string{"failure", "clock"}},
	{"future/task", []string{"future", "failure", "clock", "clock/reactor"}}, // a reactor for Main
	{"future/...", []string{"future", "failure", "clock"}},
	{"testing/...", []string{"failure", "clock", "clock/reactor", "clock/benclock", "future", "future/...", "testing/..."}},
	{"examples/...", []string{"failure", "clock", "clock/reactor", "clock/benclock", "future", "future/...", "testing/..."}},
	{"internal/versus", []string{"clock"}}, // for benchmarks only
	{"internal/...", []string{"internal/...", "failure"}},
}

// packages must be there as soon as their folder is.
var packages = []string{
	"failure", "clock", "clock/reactor", "clock/benclock", "future", "future/lock", "future/task",
	"testing/futuretest", "testing/clocktest",
	"examples/quickstart", "examples/fetch", "examples/dashboard", "examples/shutdown",
}

// thirdParty are the modules from elsewhere and who, besides tests and
// examples, imports them.
var thirdParty = map[string]string{
	"github.com/benbjohnson/clock": "clock/benclock",
	"github.com/google/go-cmp":     "testing/futuretest",
	"pgregory.net/rapid":           "testing/simtest",
}

func within(pkg, pattern string) bool {
	dir, below := strings.CutSuffix(pattern, "/...")
	return pkg == dir && !below || below && strings.HasPrefix(pkg, dir+"/")
}

func anyWithin(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(pkg, p) })
}

func imports(f *file) (problems []string) {
	for _, spec := range f.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return []string{f.say(spec.Pos(), "%v", err)}
		}
		if why := forbidden(f, name); why != "" {
			problems = append(problems, f.say(spec.Pos(), "imports %s: %s", name, why))
		}
	}
	return problems
}

func forbidden(f *file, name string) (why string) {
	first, _, _ := strings.Cut(name, "/")
	switch own, ours := strings.CutPrefix(name, module+"/"); {
	case ours:
		return forbiddenHere(f, own)
	case strings.Contains(first, "."):
		return forbiddenModule(f, name)
	case first == "testing" && !f.isTest():
		return "only _test.go files import std testing; helpers take a small interface"
	}
	return ""
}

// forbiddenHere is for an import of one of the module's own packages.
func forbiddenHere(f *file, own string) string {
	if own == "examples" || within(own, "examples/...") {
		return "nothing imports an example"
	}
	if f.isTest() || within(own, "internal/...") || within(own, f.dir()+"/...") && f.dir() != "clock" && f.dir() != "future" {
		return ""
	}
	for _, l := range layers {
		if within(f.dir(), l.dir) {
			if anyWithin(own, l.imports) {
				return ""
			}
			return f.dir() + " is not above it"
		}
	}
	return f.dir() + " is not in the table of layers"
}

// forbiddenModule is for an import from another module.
func forbiddenModule(f *file, name string) string {
	for prefix, user := range thirdParty {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			if f.isTest() || f.dir() == user || f.in("examples") {
				return ""
			}
			return "only " + user + " and tests do"
		}
	}
	return "not one of the modules that go.mod may have"
}

func TestImports(t *testing.T) {
	src := func(name string) string { return "package p\nimport _ \"" + name + "\"\n" }
	own := func(name string) string { return src(module + "/" + name) }
	keep(t, imports,
		sample{"future/a.go", src("context"), ""},
		sample{"future/a.go", own("clock"), ""},
		sample{"future/a.go", own("internal/seam"), ""},
		sample{"future/a.go", own("clock/reactor"), "future is not above it"},
		sample{"future/a_test.go", own("clock/reactor"), ""},
		sample{"future/a.go", own("future/task"), "future is not above it"},
		sample{"future/task/a.go", own("future"), ""},
		sample{"future/task/a.go", own("clock/reactor"), ""},
		sample{"future/lock/a.go", own("clock/reactor"), "future/lock is not above it"},
		sample{"clock/a.go", own("future"), "clock is not above it"},
		sample{"clock/a.go", own("clock/reactor"), "clock is not above it"},
		sample{"clock/reactor/a.go", own("failure"), ""},
		sample{"failure/a.go", own("clock"), "failure is not above it"},
		sample{"internal/x/a.go", own("future"), "internal/x is not above it"},
		sample{"elsewhere/a.go", own("future"), "table of layers"},
		sample{"future/a_test.go", own("examples/fetch"), "nothing imports an example"},
		sample{"testing/futuretest/a.go", own("clock/reactor"), ""},
		sample{"testing/futuretest/a.go", src("testing"), "small interface"},
		sample{"testing/clocktest/a.go", src("testing/synctest"), "small interface"},
		sample{"testing/futuretest/a_test.go", src("testing"), ""},
		sample{"future/a.go", src("github.com/google/go-cmp/cmp"), "only testing/futuretest"},
		sample{"testing/futuretest/a.go", src("github.com/google/go-cmp/cmp"), ""},
		sample{"clock/a.go", src("github.com/benbjohnson/clock"), "only clock/benclock"},
		sample{"clock/benclock/a.go", src("github.com/benbjohnson/clock"), ""},
		sample{"testing/futuretest/a.go", src("pgregory.net/rapid"), "only testing/simtest"},
		sample{"failure/a_test.go", src("pgregory.net/rapid"), ""},
		sample{"failure/a_test.go", src("github.com/stretchr/testify/assert"), "go.mod may have"},
	)
}

// missing returns what is wrong with the set of packages: those that the table
// lists and that have a folder with files but no package, and those that are
// in no layer.
func missing(names []string, files []*file) (problems []string) {
	has := map[string]bool{}
	for _, f := range files {
		if !f.isTest() {
			has[f.dir()] = true
		}
	}
	for _, p := range packages {
		folder := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, p+"/") })
		if folder && !has[p] {
			problems = append(problems, p+": the folder is there, the package is not")
		}
	}
	for p := range has {
		known := slices.ContainsFunc(layers, func(l struct {
			dir     string
			imports []string
		}) bool {
			return within(p, l.dir)
		})
		if !known {
			problems = append(problems, p+": not in the table of layers")
		}
	}
	return problems
}

func TestPackagesAreKnown(t *testing.T) {
	at := func(name string) *file { return &file{path: name} }
	for _, s := range []struct {
		names []string
		want  int
	}{
		{[]string{"clock/clock.go", "clock/reactor/reactor.go"}, 0},
		{[]string{"clock/clock_test.go"}, 1},
		{[]string{"clock/reactor/reactor.go"}, 1},
		{[]string{"clocks/clock.go"}, 1},
	} {
		var files []*file
		for _, name := range s.names {
			if path.Ext(name) == ".go" {
				files = append(files, at(name))
			}
		}
		if got := missing(s.names, files); len(got) != s.want {
			t.Errorf("%q: got %q, want %d problems", s.names, got, s.want)
		}
	}
	tree := theModule(t)
	for _, problem := range missing(tree.names, tree.files) {
		t.Error(problem)
	}
}
