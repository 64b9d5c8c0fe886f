package house_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// budgets are the most exported names that a package may have: types,
// functions, constants, variables, methods of exported types, those of
// interfaces too. Fields do not count, nor do the fluent forms of go127.go.
var budgets = map[string]int{
	"future":             50,
	"future/lock":        35,
	"future/task":        25,
	"clock":              25,
	"clock/reactor":      17,
	"failure":            12,
	"testing/futuretest": 13,
}

const maxLines = 60 // of a function

// A name is one that a file exports.
type name struct {
	text  string // with the type, if it is a method or a field
	doc   string
	pos   token.Pos
	kind  kind
	group string // the comment of the declaration that has it among others, of a member that of its type
}

type kind uint8

const (
	own kind = iota // of the package
	field
	interfaceMethod
)

// exported returns what f exports, in the order of the source.
func exported(f *file) (names []name) {
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			receiver := receiverOf(d)
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver)) {
				names = append(names, name{text: strings.TrimPrefix(receiver+"."+d.Name.Name, "."), doc: d.Doc.Text(), pos: d.Pos()})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				names = append(names, specNames(d, spec)...)
			}
		}
	}
	return names
}

// receiverOf returns the name of a method's type, or "".
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if s, ok := t.(*ast.StarExpr); ok {
		t = s.X
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func specNames(d *ast.GenDecl, spec ast.Spec) (names []name) {
	group := ""
	if d.Lparen.IsValid() {
		group = d.Doc.Text()
	}
	doc := func(own *ast.CommentGroup, line *ast.CommentGroup) string {
		if !d.Lparen.IsValid() {
			own = d.Doc
		}
		return own.Text() + line.Text()
	}
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.IsExported() {
				names = append(names, name{text: id.Name, doc: doc(s.Doc, s.Comment), pos: id.Pos(), group: group})
			}
		}
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			names = append(names, name{text: s.Name.Name, doc: doc(s.Doc, s.Comment), pos: s.Pos(), group: group})
			names = append(names, members(s, doc(s.Doc, s.Comment))...)
		}
	}
	return names
}

// members are the exported fields of a struct or methods of an interface.
func members(s *ast.TypeSpec, doc string) (names []name) {
	var list *ast.FieldList
	var of kind
	switch t := s.Type.(type) {
	case *ast.StructType:
		list, of = t.Fields, field
	case *ast.InterfaceType:
		list, of = t.Methods, interfaceMethod
	default:
		return nil
	}
	for _, m := range list.List {
		for _, id := range m.Names {
			if id.IsExported() {
				names = append(names, name{s.Name.Name + "." + id.Name, m.Doc.Text() + m.Comment.Text(), id.Pos(), of, doc})
			}
		}
	}
	return names
}

// documented asks every exported name outside of internal for a comment that
// starts with it, after an article at most. One of several constants or
// variables may do with a comment on all, a method of an interface with that of
// the interface. A field has any comment, or stands in that of its type.
func documented(f *file) (problems []string) {
	if f.isTest() || f.in("internal") {
		return nil
	}
	for _, n := range exported(f) {
		if why := undocumentedName(n); why != "" {
			problems = append(problems, f.say(n.pos, "%s: %s", n.text, why))
		}
	}
	return problems
}

func undocumentedName(n name) string {
	short := n.text[strings.LastIndexByte(n.text, '.')+1:]
	word := regexp.MustCompile(`\b` + short + `\b`)
	doc := regexp.MustCompile(`^(A|An|The) `).ReplaceAllString(n.doc, "")
	switch {
	case n.kind == field && n.doc == "" && !word.MatchString(n.group):
		return "no comment, and none in that of its type"
	case n.kind == field || n.group != "" && n.doc == "":
		return ""
	case n.doc == "":
		return "no comment"
	case n.group == "" && !startsWith(doc, short):
		return "the comment does not start with " + short
	}
	return ""
}

func startsWith(doc, word string) bool {
	rest, ok := strings.CutPrefix(doc, word)
	return ok && (rest == "" || strings.ContainsRune(" ,.:'\n", rune(rest[0])))
}

func TestExportedNamesAreDocumented(t *testing.T) {
	keep(t, documented,
		sample{"a/a.go", "package a\n\nfunc F() {}\n", "F: no comment"},
		sample{"a/a.go", "package a\n\n// Does it.\nfunc F() {}\n", "F: the comment does not start with F"},
		sample{"a/a.go", "package a\n\n// Fast does it.\nfunc F() {}\n", "F: the comment does not start with F"},
		sample{"a/a.go", "package a\n\n// F does it.\nfunc F() {}\n", ""},
		sample{"a/a.go", "package a\n\n// An A is.\ntype A int\n\nfunc (*A) M() {}\n", "A.M: no comment"},
		sample{"a/a.go", "package a\n\n// An A is.\ntype A[T any] struct {\n\tF T\n}\n\nfunc (a) M() {}\n", "A.F: no comment, and none"},
		sample{"a/a.go", "package a\n\n// An A has an F.\ntype A[T any] struct {\n\tF T\n}\n", ""},
		sample{"a/a.go", "package a\n\n// An A is.\ntype A interface {\n\tM()\n}\n", ""},
		sample{"a/a.go", "package a\n\ntype A interface {\n\t// M does.\n\tM()\n}\n", "A: no comment"},
		sample{"a/a.go", "package a\n\n// An A is.\ntype A[T any] struct {\n\tF T // the first\n}\n", ""},
		sample{"a/a.go", "package a\n\nfunc (A[T]) M() {}\n", "A.M: no comment"},
		sample{"a/a.go", "package a\n\nfunc (*A[T, U]) M() {}\n", "A.M: no comment"},
		sample{"a/a.go", "package a\n\nconst X = 1\n", "X: no comment"},
		sample{"a/a.go", "package a\n\nvar (\n\t// X is.\n\tX, Y = 1, 2\n)\n", "Y: the comment does not"},
		sample{"a/a.go", "package a\n\n// The numbers.\nconst (\n\tX = 1\n\tY = 2\n)\n", ""},
		sample{"a/a_test.go", "package a\n\nfunc F() {}\n", ""},
		sample{"internal/a/a.go", "package a\n\nfunc F() {}\n", ""},
		sample{"a/go127.go", "package a\n\nfunc (d *D[T]) M[U any](f func(T) U) {}\n", "D.M: no comment"},
	)
}

// undocumented returns the packages without a package comment.
func undocumented(files []*file) (dirs []string) {
	has := map[string]bool{}
	for _, f := range files {
		if !f.isTest() {
			has[f.dir()] = has[f.dir()] || f.ast.Doc.Text() != ""
		}
	}
	for dir, ok := range has {
		if !ok {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func TestPackagesAreDocumented(t *testing.T) {
	bad, _ := parse("a/a.go", "// A copyright.\n\npackage a\n")
	good, _ := parse("b/b.go", "// Package b is.\npackage b\n")
	if got := undocumented([]*file{bad, good}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("found %q, not a", got)
	}
	for _, dir := range undocumented(theModule(t).files) {
		t.Errorf("%s: no package comment", dir)
	}
}

// counted returns what counts against the budget of a package.
func counted(files []*file, dir string) (names []string) {
	for _, f := range files {
		if f.dir() != dir || f.isTest() || path.Base(f.path) == "go127.go" {
			continue
		}
		for _, n := range exported(f) {
			if n.kind != field {
				names = append(names, n.text)
			}
		}
	}
	return names
}

func TestBudgetOfNames(t *testing.T) {
	src := "package a\ntype A struct{ F int }\ntype I interface { M(); n() }\ntype b int\n" +
		"func (A) M() {}\nfunc (A) n() {}\nfunc (b) M() {}\nconst X, y = 1, 2\nvar V int\nfunc G[T any]() {}\n"
	f, err := parse("a/a.go", src)
	if err != nil {
		t.Fatal(err)
	}
	test, _ := parse("a/a_test.go", src)
	twins, _ := parse("a/go127.go", "package a\nfunc (a A) N[T any]() {}\n")
	if got := strings.Join(counted([]*file{f, test, twins}, "a"), " "); got != "A I I.M A.M X V G" {
		t.Errorf("counted %s", got)
	}
	for dir, budget := range budgets {
		if names := counted(theModule(t).files, dir); len(names) > budget {
			t.Errorf("%s exports %d names, its budget is %d:\n\t%s", dir, len(names), budget, strings.Join(names, "\n\t"))
		}
	}
}

// short keeps the functions of the library short.
func short(f *file) (problems []string) {
	if f.isTest() || f.in("examples") {
		return nil
	}
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			if n := f.line(fn.End()) - f.line(fn.Pos()) + 1; n > maxLines {
				problems = append(problems, f.say(fn.Pos(), "%s has %d lines, the most is %d", fn.Name.Name, n, maxLines))
			}
		}
	}
	return problems
}

func TestFunctionsAreShort(t *testing.T) {
	of := func(lines int) string { return "package a\n\nfunc f() {" + strings.Repeat("\n", lines-1) + "}\n" }
	keep(t, short,
		sample{"a/a.go", of(maxLines), ""},
		sample{"a/a.go", of(maxLines + 1), "f has 61 lines"},
		sample{"a/a_test.go", of(maxLines + 1), ""},
	)
}
