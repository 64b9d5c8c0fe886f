package house_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A block is a fenced piece of Go in a document.
type block struct {
	doc   string
	line  int // of its first line
	lines []string
}

func (b block) text() string { return strings.Join(b.lines, "\n") + "\n" }

func (b block) at() string { return fmt.Sprintf("%s:%d", b.doc, b.line) }

// whole reports whether b is a Go file, with a package clause.
func (b block) whole() bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", b.text(), parser.PackageClauseOnly)
	return err == nil
}

// tooNew reports whether b is for a newer Go than this one.
func (b block) tooNew() bool {
	return strings.HasPrefix(b.text(), "//go:build go1.27\n") && !slices.Contains(build.Default.ReleaseTags, "go1.27")
}

// blocks returns the ```go blocks of a document, and its text without any
// fenced blocks.
func blocks(doc, text string) (found []block, prose string) {
	var rest strings.Builder
	var inside *block
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		mark := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(mark, "```"):
			fence = "```"
			if mark == "```go" {
				inside = &block{doc: doc, line: i + 2}
			}
		case fence != "" && mark == fence:
			if inside != nil {
				found = append(found, *inside)
			}
			fence, inside = "", nil
		case inside != nil:
			inside.lines = append(inside.lines, line)
		case fence == "":
			rest.WriteString(line + "\n")
		}
	}
	return found, rest.String()
}

// tokens is a text without regard to white space.
func tokens(text string) string { return " " + strings.Join(strings.Fields(text), " ") + " " }

// fragment returns why b, which is no whole file, is not a part of a file, or
// "". The files are the tokens of each by name.
func fragment(b block, files map[string]string) string {
	where, most := "", 0
	for _, name := range sortedNames(files) {
		n := 0
		for n < len(b.lines) && strings.Contains(files[name], tokens(strings.Join(b.lines[:n+1], "\n"))) {
			n++
		}
		if n == len(b.lines) {
			return ""
		}
		if matched := len(tokens(strings.Join(b.lines[:n], "\n"))); matched > most {
			where, most = name, matched
		}
	}
	if most <= 3 {
		return "this Go block is no whole file (it has no package clause), and no .go file of the module has a piece like it; " +
			"put the code into an example or a test, and copy it from there"
	}
	n := 0
	for strings.Contains(files[where], tokens(strings.Join(b.lines[:n+1], "\n"))) {
		n++
	}
	return fmt.Sprintf("this Go block is no whole file (it has no package clause), so it is to be a verbatim piece of a .go file "+
		"(but for white space); %s is the closest, up to line %d of the document, which differs: %s",
		where, b.line+n, strings.TrimSpace(b.lines[n]))
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// documents are the Markdown files of the module and their text.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, n := range theModule(t).names {
		if path.Ext(n) == ".md" {
			text, err := read(n)
			if err != nil {
				t.Fatal(err)
			}
			docs[n] = text
		}
	}
	return docs
}

func TestFragmentsInDocumentsAreCode(t *testing.T) {
	files := map[string]string{}
	for _, f := range theModule(t).files {
		if f.dir() != "internal/house" {
			files[f.path] = tokens(f.src)
		}
	}
	for name, text := range documents(t) {
		found, _ := blocks(name, text)
		for _, b := range found {
			if b.whole() {
				continue
			}
			if why := fragment(b, files); why != "" {
				t.Errorf("%s: %s", b.at(), why)
			}
		}
	}
}

func TestFragment(t *testing.T) {
	files := map[string]string{
		"a.go": tokens("package a\n\nfunc f() {\n\tx := 1 // one\n\tg(x)\n}\n"),
		"b.go": tokens("package b\n\nfunc f() {\n\tx := 1\n"),
	}
	for _, s := range []struct{ text, want string }{
		{"x := 1     // one\ng(x)", ""},
		{"func f() {\n    x := 1 // one\n\n    g(x)\n}", ""},
		{"func f() {\n\tx := 1 // one\n\tg(y)", "a.go is the closest, up to line 12 of the document, which differs: g(y)"},
		{"x := 1 // on", "no .go file"},
		{"nothing of the kind", "no .go file"},
	} {
		b := block{"README.md", 10, strings.Split(s.text, "\n")}
		if got := fragment(b, files); got != s.want && (s.want == "" || !strings.Contains(got, s.want)) {
			t.Errorf("%q: got %q, want %q", s.text, got, s.want)
		}
	}
}

func TestBlocks(t *testing.T) {
	text := "# A\n```go\npackage a\n```\n- b\n  ```go\n  x := 1\n\n  ```\n```sh\ngo [x](y)\n```\n```\n[x](y)\n```\nend"
	found, prose := blocks("d.md", text)
	if len(found) != 2 || !found[0].whole() || found[1].whole() || found[1].at() != "d.md:7" || len(found[1].lines) != 2 {
		t.Errorf("found %+v", found)
	}
	if prose != "# A\n- b\nend\n" {
		t.Errorf("prose %q", prose)
	}
}

// compile compiles each block, as a package of its own in a module of its own,
// so that it sees of this one what users see. It returns what go vet says.
func compile(t *testing.T, whole []block) string {
	t.Helper()
	base, err := filepath.Abs(root())
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	write(t, filepath.Join(temp, "go.mod"), "module readme\n\ngo 1.26.0\n")
	write(t, filepath.Join(temp, "go.work"), fmt.Sprintf("go 1.26.0\n\nuse (\n\t.\n\t%q\n)\n", filepath.ToSlash(base)))
	for i, b := range whole {
		file := "block.go"
		if strings.Contains(b.text(), "\"testing\"\n") {
			file = "block_test.go"
		}
		dir := filepath.Join(temp, fmt.Sprintf("block%d", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), fmt.Sprintf("//line %s:%d\n%s", b.doc, b.line, b.text()))
	}
	cmd := exec.Command("go", "vet", "./...") // the go command that runs this test
	cmd.Dir = temp
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(temp, "go.work"), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWholeFilesInDocumentsCompile(t *testing.T) {
	var whole []block
	for name, text := range documents(t) {
		found, _ := blocks(name, text)
		for _, b := range found {
			if b.whole() && !b.tooNew() {
				whole = append(whole, b)
			}
		}
	}
	if len(whole) == 0 {
		return
	}
	if out := compile(t, whole); out != "" {
		t.Errorf("a whole Go file in a document does not compile:\n%s", out)
	}
}

func TestCompile(t *testing.T) {
	lines := func(text string) []string { return strings.Split(text, "\n") }
	good := block{"good.md", 1, lines("package main\n\nfunc main() {}")}
	test := block{"test.md", 1, lines("package p_test\n\nimport (\n\t\"testing\"\n)\n\nfunc TestX(t *testing.T) {}")}
	if out := compile(t, []block{good, test}); out != "" {
		t.Errorf("good blocks: %s", out)
	}
	inner := block{"inner.md", 1, lines("package p\n\nimport _ \"" + module + "/internal/seam\"")}
	if out := compile(t, []block{inner}); !strings.Contains(out, "internal") {
		t.Errorf("an import of an internal package: %s", out)
	}
	bad := block{"bad.md", 17, lines("package main\n\nfunc main() { var x int }")}
	badTest := block{"badtest.md", 1, lines("package p\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { x }")}
	out := compile(t, []block{good, bad, badTest})
	if !strings.Contains(out, "bad.md:19") || !strings.Contains(out, "badtest.md:5") {
		t.Errorf("bad blocks: %s", out)
	}
}

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// dead returns the relative links of a document that lead nowhere. Fenced
// blocks and what is set as code do not count.
func dead(doc, text string, there func(name string) bool) (links []string) {
	_, prose := blocks(doc, text)
	prose = regexp.MustCompile("`[^`\n]*`").ReplaceAllString(prose, "code")
	for _, m := range link.FindAllStringSubmatch(prose, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target == "" || strings.Contains(target, ":") {
			continue
		}
		if !there(path.Join(path.Dir(doc), target)) {
			links = append(links, m[1])
		}
	}
	return links
}

func TestLinks(t *testing.T) {
	there := func(name string) bool { return name == "docs/there.md" }
	text := "[a](there.md) [b](../gone.md#x) [`T`](gone.go) [c](https://x.y/z) [d](#part) [e](there.md#x) `[f](g)`\n```\n[h](i)\n```\n"
	if got := dead("docs/a.md", text, there); !slices.Equal(got, []string{"../gone.md#x", "gone.go"}) {
		t.Errorf("found %q", got)
	}
	for name, text := range documents(t) {
		for _, to := range dead(name, text, func(n string) bool { return exists(filepath.Join(root(), filepath.FromSlash(n))) }) {
			t.Errorf("%s: the link to %s leads nowhere", name, to)
		}
	}
}

// A namedTest is a link whose text is the name of a test, and whose target the
// file in which it is to stand.
var namedTest = regexp.MustCompile(`\[((?:Test|Example|Fuzz|Benchmark)\w*)\]\(([^()\s]+\.go)\)`)

// lostTests returns the links of a document to tests that do not stand in the
// file they lead to.
func lostTests(doc, text string, stands func(file, test string) bool) (lost []string) {
	_, prose := blocks(doc, text)
	for _, m := range namedTest.FindAllStringSubmatch(prose, -1) {
		if !stands(path.Join(path.Dir(doc), m[2]), m[1]) {
			lost = append(lost, m[0])
		}
	}
	return lost
}

// rows returns the rows of the tables in a text, without their heads.
func rows(prose string) (found []string) {
	head := true
	for _, line := range strings.Split(prose, "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case head:
			head = !strings.HasPrefix(line, "|---")
		default:
			found = append(found, line)
		}
	}
	return found
}

// unshown returns the rows of the tables in the section "Guarantees" of a
// document which link to no test.
func unshown(doc, text string) []string {
	_, prose := blocks(doc, text)
	_, section, _ := strings.Cut(prose, "\n## Guarantees\n")
	section, _, _ = strings.Cut(section, "\n## ")
	return slices.DeleteFunc(rows(section), namedTest.MatchString)
}

// declared returns the names of the functions of each file of the module.
func declared(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	for _, f := range theModule(t).files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[f.path] = append(names[f.path], fn.Name.Name)
			}
		}
	}
	return names
}

func TestTestsInDocumentsExist(t *testing.T) {
	names := declared(t)
	stands := func(file, test string) bool { return slices.Contains(names[file], test) }
	for name, text := range documents(t) {
		for _, l := range lostTests(name, text, stands) {
			t.Errorf("%s: %s: there is no such test in that file; name one that shows what the text says", name, l)
		}
		for _, row := range unshown(name, text) {
			t.Errorf("%s: this guarantee links to no test that shows it: %s", name, row)
		}
	}
}

func TestNamedTests(t *testing.T) {
	stands := func(file, test string) bool { return file == "a/x_test.go" && test == "TestX" }
	text := "[TestX](x_test.go) [TestY](x_test.go) [TestX](y_test.go) [the test](x_test.go) [FuzzX](../a/x_test.go)\n" +
		"```\n[TestZ](x_test.go)\n```\n[TestX](../a/x_test.go) [ExampleT_M](z.go)\n"
	want := []string{"[TestY](x_test.go)", "[TestX](y_test.go)", "[FuzzX](../a/x_test.go)", "[ExampleT_M](z.go)"}
	if got := lostTests("a/doc.md", text, stands); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	table := "# A\n| x | y |\n|---|---|\n| not | looked at |\n\n## Guarantees\n\n| guarantee | shown by |\n|---|---|\n" +
		"| one | [TestX](x_test.go) |\n| two | TestY |\n| three | [here](x_test.go) |\n\ntext\n\n## B\n| x |\n|---|\n| y |\n"
	if got := unshown("doc.md", table); !slices.Equal(got, []string{"| two | TestY |", "| three | [here](x_test.go) |"}) {
		t.Errorf("found %q", got)
	}
	if got := unshown("doc.md", "# A\n| x |\n|---|\n| y |\n"); got != nil {
		t.Errorf("found %q without such a section", got)
	}
}
