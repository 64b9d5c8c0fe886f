package house_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// plain keeps out what is not plain Go.
func plain(f *file) (problems []string) {
	for _, spec := range f.ast.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == "unsafe" || name == "C" {
			problems = append(problems, f.say(spec.Pos(), "imports %q", name))
		}
	}
	eachComment(f, func(c *ast.Comment) {
		if strings.HasPrefix(c.Text, "//go:linkname") {
			problems = append(problems, f.say(c.Pos(), "uses go:linkname"))
		}
	})
	return problems
}

func eachComment(f *file, visit func(*ast.Comment)) {
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			visit(c)
		}
	}
}

func TestPlainGo(t *testing.T) {
	keep(t, plain,
		sample{"a.go", "package p\nimport _ \"unsafe\"\n", `imports "unsafe"`},
		sample{"a_test.go", "package p\nimport \"C\"\n", `imports "C"`},
		sample{"a.go", "package p\n//go:linkname now time.now\nfunc now()\n", "go:linkname"},
		sample{"a.go", "package p\n//go:noinline\nfunc f() { _ = \"//go:linkname\" }\n", ""},
	)
}

// notGo are the extensions of what the go command would build besides Go.
var notGo = []string{".s", ".S", ".sx", ".c", ".cc", ".cpp", ".h", ".m", ".f", ".swig", ".syso"}

func TestNoAssembly(t *testing.T) {
	if !slices.Contains(notGo, path.Ext("a/b_amd64.s")) {
		t.Error("would not find assembly")
	}
	for _, name := range theModule(t).names {
		if slices.Contains(notGo, path.Ext(name)) {
			t.Errorf("%s: not Go", name)
		}
	}
}

var later = regexp.MustCompile(`\b(` + `TODO|FIX` + `ME|XXX)\b`)

// finished keeps out notes of what is still to do, and tests that do not run.
// The Skip of a *rapid.T is something else: it draws again.
func finished(f *file) (problems []string) {
	eachComment(f, func(c *ast.Comment) {
		if m := later.FindString(c.Text); m != "" {
			problems = append(problems, f.say(c.Pos(), "%s in a comment", m))
		}
	})
	if !f.isTest() {
		return problems
	}
	drawsAgain := map[ast.Node]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			eachSkip(n, rapidT(n.Type), func(call ast.Node) { drawsAgain[call] = true })
		case *ast.FuncLit:
			eachSkip(n, rapidT(n.Type), func(call ast.Node) { drawsAgain[call] = true })
		}
		return true
	})
	eachSkip(f.ast, "", func(call ast.Node) {
		if !drawsAgain[call] {
			problems = append(problems, f.say(call.Pos(), "a test that skips itself"))
		}
	})
	return problems
}

// rapidT returns the name of the function's parameter of type *rapid.T.
func rapidT(fn *ast.FuncType) string {
	for _, p := range fn.Params.List {
		star, _ := p.Type.(*ast.StarExpr)
		if star == nil || len(p.Names) == 0 {
			continue
		}
		if t, ok := star.X.(*ast.SelectorExpr); ok && t.Sel.Name == "T" && isIdent(t.X, "rapid") {
			return p.Names[0].Name
		}
	}
	return "none"
}

func isIdent(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}

// eachSkip calls visit with the calls of Skip and the like on the variable
// named, or with an empty name on any.
func eachSkip(in ast.Node, on string, visit func(ast.Node)) {
	ast.Inspect(in, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && (on == "" || isIdent(s.X, on)) {
			visit(call)
		}
		return true
	})
}

func TestFinished(t *testing.T) {
	keep(t, finished,
		sample{"a.go", "package p\n// " + "TO" + "DO: later\n", "in a comment"},
		sample{"a.go", "package p\nvar x int /* a " + "FIX" + "ME */\n", "in a comment"},
		sample{"a.go", "package p\n// Mastodon, TODOS\nvar x = 1\n", ""},
		sample{"a_test.go", "package p\nfunc f(t T) { t.Skipf(\"x\") }\n", "skips itself"},
		sample{"a.go", "package p\nfunc f(t T) { t.Skip() }\n", ""},
		sample{"a_test.go", "package p\nvar f = func(t *rapid.T) { t.Skip() }\n", ""},
		sample{"a_test.go", "package p\nfunc f(t *rapid.T, u *testing.T) { u.Skip() }\n", "skips itself"},
	)
}
