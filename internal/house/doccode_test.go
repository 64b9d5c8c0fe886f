package house_test

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// isGo reports whether text is Go: declarations or statements. What is not,
// such as a table or a signature, only looks like code.
func isGo(text string) bool {
	for _, src := range []string{"package p\n" + text, "package p\nfunc _() {\n" + text + "\n}"} {
		if _, err := parser.ParseFile(token.NewFileSet(), "doc", src, parser.SkipObjectResolution); err == nil {
			return true
		}
	}
	return false
}

// codeInDocs returns the pieces of Go in the doc comments of a file.
func codeInDocs(f *file) (found []block) {
	eachDoc(f, func(group *ast.CommentGroup) {
		var parser comment.Parser
		for _, b := range parser.Parse(group.Text()).Content {
			code, ok := b.(*comment.Code)
			if !ok || !isGo(code.Text) {
				continue
			}
			lines := strings.Split(strings.TrimRight(code.Text, "\n"), "\n")
			found = append(found, block{f.path, lineOf(f, group, lines[0]), lines})
		}
	})
	return found
}

// eachDoc visits the doc comments of the package and of what it declares.
func eachDoc(f *file, visit func(*ast.CommentGroup)) {
	see := func(group *ast.CommentGroup) {
		if group != nil {
			visit(group)
		}
	}
	see(f.ast.Doc)
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			see(d.Doc)
		case *ast.GenDecl:
			see(d.Doc)
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok {
					see(s.Doc)
				}
			}
		}
	}
}

func lineOf(f *file, group *ast.CommentGroup, text string) int {
	for _, c := range group.List {
		if strings.Contains(c.Text, text) {
			return f.line(c.Pos())
		}
	}
	return f.line(group.Pos())
}

// What doc comments show is a piece of an example or of a test, so it compiles.
func TestCodeInDocCommentsIsCompiled(t *testing.T) {
	tests := map[string]string{}
	for _, f := range theModule(t).files {
		if f.isTest() && f.dir() != "internal/house" || f.in("examples") {
			tests[f.path] = tokens(f.src)
		}
	}
	for _, f := range theModule(t).files {
		if f.isTest() {
			continue
		}
		for _, b := range codeInDocs(f) {
			if why := fragment(b, tests); why != "" {
				t.Errorf("%s: %s", b.at(), why)
			}
		}
	}
}

func TestCodeInDocs(t *testing.T) {
	for _, s := range []struct{ doc, want string }{
		{"// Package p is this:\n//\n//\tx := f()\n//\tg(x)\npackage p\n", "x := f()\ng(x)"},
		{"package p\n\n// F is that:\n//\n//\tfunc g() {}\nfunc F() {}\n", "func g() {}"},
		{"package p\n\n// T is a table:\n//\n//\topen     a root\n//\twaiting  a reader\ntype T int\n", ""},
		{"package p\n\n// F has a signature:\n//\n//\tGo(job func() (deliver func()))\nfunc F() {}\n", ""},
		{"package p\n\n// F is prose.\nfunc F() {}\n", ""},
	} {
		f, err := parse("p/p.go", s.doc)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, b := range codeInDocs(f) {
			got += strings.Join(b.lines, "\n")
		}
		if got != s.want {
			t.Errorf("%q: found %q, want %q", s.doc, got, s.want)
		}
	}
}
