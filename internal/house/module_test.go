package house_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/deferred-go/deferred"

// A file is a parsed Go file of the module.
type file struct {
	path string // from the module's root, with slashes
	src  string
	fset *token.FileSet
	ast  *ast.File
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) in(dir string) bool {
	return f.dir() == dir || strings.HasPrefix(f.path, dir+"/")
}

func (f *file) line(at token.Pos) int { return f.fset.Position(at).Line }

// say describes a problem of the file.
func (f *file) say(at token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: ", f.path, f.line(at)) + fmt.Sprintf(format, args...)
}

// methodTypeParameters are what go/parser of Go 1.26 does not accept. Without
// them a file of fluent forms parses on both versions, line by line the same.
var methodTypeParameters = regexp.MustCompile(`(?m)^(func \([^()]*\) \w+)\[[^\]]*\]\(`)

func parse(name, src string) (*file, error) {
	f := &file{path: name, src: src, fset: token.NewFileSet()}
	if path.Base(name) == "go127.go" {
		src = methodTypeParameters.ReplaceAllString(src, "$1(")
	}
	var err error
	f.ast, err = parser.ParseFile(f.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	return f, err
}

// root is the module's folder, two above this package's.
func root() string { return filepath.Join("..", "..") }

// walk calls visit with every file of the module. Folders that the go command
// does not look into are left out.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root(), func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root(), at)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		base := path.Base(name)
		hidden := name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "vendor")
		switch {
		case d.IsDir() && (hidden || name != "." && exists(filepath.Join(at, "go.mod"))):
			return fs.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		return visit(name)
	})
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func read(name string) (string, error) {
	src, err := os.ReadFile(filepath.Join(root(), filepath.FromSlash(name)))
	return string(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))), err
}

// names are the paths of all files, files the parsed Go files.
var load = sync.OnceValues(func() (tree, error) {
	var t tree
	err := walk(func(name string) error {
		t.names = append(t.names, name)
		if path.Ext(name) != ".go" {
			return nil
		}
		src, err := read(name)
		if err != nil {
			return err
		}
		f, err := parse(name, src)
		t.files = append(t.files, f)
		return err
	})
	return t, err
})

type tree struct {
	names []string
	files []*file
}

func theModule(t *testing.T) tree {
	t.Helper()
	tree, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// A guard returns what is wrong with a file.
type guard func(*file) []string

// A sample is a file to try a guard on. If want is empty, nothing is wrong
// with it; else the guard finds one problem, whose description has want in it.
type sample struct {
	path, src, want string
}

// keep shows that g finds what is wrong with the samples, and then that
// nothing is wrong with the module.
func keep(t *testing.T, g guard, samples ...sample) {
	t.Helper()
	for _, s := range samples {
		f, err := parse(s.path, s.src)
		if err != nil {
			t.Fatalf("sample: %v", err)
		}
		got := g(f)
		switch {
		case s.want == "" && len(got) > 0:
			t.Errorf("the guard finds fault with a good sample:\n%s\n%q", s.src, got)
		case s.want != "" && (len(got) != 1 || !strings.Contains(got[0], s.want)):
			t.Errorf("the guard finds %q, not %q, in a bad sample:\n%s", got, s.want, s.src)
		}
	}
	for _, f := range theModule(t).files {
		for _, problem := range g(f) {
			t.Error(problem)
		}
	}
}

func TestTheModuleIsFound(t *testing.T) {
	tree := theModule(t)
	mod, err := read("go.mod")
	if err != nil || !strings.HasPrefix(mod, "module "+module+"\n") {
		t.Fatalf("go.mod: %v, %.60q", err, mod)
	}
	for _, f := range tree.files {
		if f.path == "internal/house/module_test.go" {
			return
		}
	}
	t.Errorf("this file is not among the %d found", len(tree.files))
}
