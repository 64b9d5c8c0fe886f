package house_test

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"testing"
)

// wall are the names of the standard library that read the wall clock or wait
// for it.
var wall = map[string][]string{
	"time":    {"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"},
	"context": {"WithTimeout", "WithDeadline", "WithTimeoutCause", "WithDeadlineCause"},
}

// imported returns the name by which f knows a package of the standard
// library, or "".
func imported(f *file, pkg string) string {
	for _, spec := range f.ast.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == pkg {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return path.Base(pkg)
		}
	}
	return ""
}

// uses calls found with each of the names of a package below n.
func uses(f *file, n ast.Node, pkg string, found func(*ast.SelectorExpr)) {
	local := imported(f, pkg)
	if local == "" {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				found(s)
			}
		}
		return true
	})
}

// wallClock keeps the wall clock out of all but the system clock. A context
// with a deadline of the standard library is for package clock to make. Tests
// may measure, examples may show.
func wallClock(f *file) (problems []string) {
	if f.isTest() || f.in("examples") || f.path == "clock/system.go" {
		return nil
	}
	for pkg, names := range wall {
		uses(f, f.ast, pkg, func(s *ast.SelectorExpr) {
			if slices.Contains(names, s.Sel.Name) && (pkg != "context" || f.dir() != "clock") {
				problems = append(problems, f.say(s.Pos(), "%s.%s: time comes from an injected clock", pkg, s.Sel.Name))
			}
		})
	}
	return problems
}

func TestNoWallClock(t *testing.T) {
	src := "package p\nimport \"time\"\nvar x = time.Now\n"
	keep(t, wallClock,
		sample{"future/a.go", src, "time.Now"},
		sample{"future/a.go", "package p\nimport t \"time\"\nfunc f() { t.Sleep(1) }\n", "time.Sleep"},
		sample{"future/a.go", "package p\nimport \"context\"\nfunc f() { context.WithTimeout(nil, 1) }\n", "context.WithTimeout"},
		sample{"clock/context.go", "package p\nimport \"context\"\nfunc f() { context.WithTimeout(nil, 1) }\n", ""},
		sample{"clock/system.go", src, ""},
		sample{"clock/system2.go", src, "time.Now"},
		sample{"future/a_test.go", src, ""},
		sample{"examples/x/main.go", src, ""},
		sample{"future/a.go", "package p\nimport \"time\"\nvar x = time.Second\n", ""},
		sample{"future/a.go", "package p\nfunc f(time T) { time.Now() }\n", ""},
	)
}

// sleepless keeps tests from sleeping, except in a bubble of synctest, where it
// takes no time.
func sleepless(f *file) (problems []string) {
	if !f.isTest() {
		return nil
	}
	for _, d := range f.ast.Decls {
		bubble := false
		uses(f, d, "testing/synctest", func(*ast.SelectorExpr) { bubble = true })
		uses(f, d, "time", func(s *ast.SelectorExpr) {
			if s.Sel.Name == "Sleep" && !bubble {
				problems = append(problems, f.say(s.Pos(), "time.Sleep outside of synctest"))
			}
		})
	}
	return problems
}

func TestTestsDoNotSleep(t *testing.T) {
	keep(t, sleepless,
		sample{"a_test.go", "package p\nimport \"time\"\nfunc f() { time.Sleep(1) }\n", "time.Sleep"},
		sample{"a_test.go", "package p\nimport (\n\"time\"\n\"testing/synctest\"\n)\n" +
			"func f() { synctest.Test(nil, func() { time.Sleep(1) }) }\n", ""},
		sample{"a_test.go", "package p\nimport (\n\"time\"\n\"testing/synctest\"\n)\n" +
			"func f() { synctest.Wait() }\nfunc g() { time.Sleep(1) }\n", "a_test.go:7: time.Sleep"},
	)
}
