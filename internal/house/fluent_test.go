package house_test

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"testing"
)

// functionsOnly are the functions on a Deferred that cannot be methods, or are
// not to be.
var functionsOnly = map[string]string{
	"Flatten": "is for a Deferred[*Deferred[T]], and a method has any Deferred[T] for its receiver",
	"Join2":   "gathers inputs of equal rank; no gather is a method",
	"Join3":   "gathers inputs of equal rank; no gather is a method",
}

// fluent compares the functions of package future whose first parameter is a
// Deferred with the methods of go127.go. (A gather that takes any number of
// Deferreds, or a slice, has no Deferred for its first parameter. As methods
// these would not compile: one that mentions Deferred[[]T] or the like is an
// instantiation cycle.)
func fluent(files []*file) (problems []string) {
	functions := map[string]*file{}
	twins := map[string]*file{}
	for _, f := range files {
		if f.dir() != "future" || f.isTest() {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case f.path == "future/go127.go":
				twins[fn.Name.Name] = f
				if why := notATwin(fn); why != "" {
					problems = append(problems, f.say(fn.Pos(), "%s: %s", fn.Name.Name, why))
				}
			case fn.Recv == nil && fn.Name.IsExported() && fn.Type.TypeParams != nil && takesDeferred(fn):
				functions[fn.Name.Name] = f
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(functions)) {
		_, only := functionsOnly[n]
		switch {
		case twins[n] == nil && !only:
			problems = append(problems, functions[n].path+": "+n+" has no fluent form in future/go127.go")
		case twins[n] != nil && only:
			problems = append(problems, "future/go127.go: "+n+" "+functionsOnly[n])
		}
	}
	for _, n := range slices.Sorted(maps.Keys(twins)) {
		if functions[n] == nil {
			problems = append(problems, "future/go127.go: there is no function "+n)
		}
	}
	return problems
}

// takesDeferred reports whether the first parameter is a *Deferred.
func takesDeferred(fn *ast.FuncDecl) bool {
	if len(fn.Type.Params.List) == 0 {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	index, ok := star.X.(*ast.IndexExpr)
	if !ok {
		return false
	}
	id, ok := index.X.(*ast.Ident)
	return ok && id.Name == "Deferred"
}

// notATwin returns why a method does not just call the function of its name
// with its receiver and its parameters.
func notATwin(fn *ast.FuncDecl) string {
	if receiverOf(fn) != "Deferred" {
		return "not a method of Deferred"
	}
	want := paramNames(fn.Recv)
	want = append(want, paramNames(fn.Type.Params)...)
	if fn.Body != nil && len(fn.Body.List) == 1 {
		if ret, ok := fn.Body.List[0].(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
			if call, ok := ret.Results[0].(*ast.CallExpr); ok && isCall(call, fn.Name.Name, want) {
				return ""
			}
		}
	}
	return fmt.Sprintf("is to be one line, return %s(%v)", fn.Name.Name, want)
}

func paramNames(list *ast.FieldList) (names []string) {
	for _, field := range list.List {
		for _, id := range field.Names {
			names = append(names, id.Name)
		}
	}
	return names
}

func isCall(call *ast.CallExpr, function string, want []string) bool {
	if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != function {
		return false
	}
	var args []string
	for _, a := range call.Args {
		if id, ok := a.(*ast.Ident); ok {
			args = append(args, id.Name)
		}
	}
	return slices.Equal(args, want) && len(args) == len(call.Args)
}

func TestFluentFormsAreComplete(t *testing.T) {
	const function = "package future\nfunc Then[T, U any](d *Deferred[T], f func(T) U) *Deferred[U] { return nil }\n"
	const method = "func (d *Deferred[T]) Then[U any](f func(T) U) *Deferred[U] "
	for _, s := range []struct {
		functions, twins string
		want             int
	}{
		{function, method + "{ return Then(d, f) }", 0},
		{function, "", 1},
		{function, method + "{ return Then(f, d) }", 1},
		{function, method + "{ return ThenFlat(d, f) }", 1},
		{function, method + "{ f = nil; return Then(d, f) }", 1},
		{"package future\n", method + "{ return Then(d, f) }", 1},
		{"package future\nfunc All[T any](ds ...*Deferred[T]) {}\nfunc then[T any](d *Deferred[T]) {}\nfunc None(d *Deferred[int]) {}\n", "", 0},
		{"package future\nfunc Flatten[T any](d *Deferred[*Deferred[T]]) {}\n", "", 0},
		{"package future\nfunc Join2[T any](d *Deferred[T]) {}\n", "func (d *Deferred[T]) Join2[U any]() int { return Join2(d) }", 1},
	} {
		f, err := parse("future/a.go", s.functions)
		if err != nil {
			t.Fatal(err)
		}
		g, err := parse("future/go127.go", "package future\n"+s.twins)
		if err != nil {
			t.Fatal(err)
		}
		if got := fluent([]*file{f, g}); len(got) != s.want {
			t.Errorf("%q, want %d problems in\n%s%s", got, s.want, s.functions, s.twins)
		}
	}
	for _, problem := range fluent(theModule(t).files) {
		t.Error(problem)
	}
}
