package house_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// Two tables say which test of this module shows what: twistedTests has a line
// for each behaviour that a test of Twisted pins down, twistedDefects one for
// each known defect of Twisted. How a line is read stands at the top of each.
const (
	twistedTests   = "internal/house/testdata/twisted_tests.txt"
	twistedDefects = "internal/house/testdata/twisted_defects.txt"
)

// A row is a line of a table, cut into its columns.
type row struct {
	at      string // path:line
	columns []string
}

// tableRows cuts a table into its lines, without comments and empty ones.
func tableRows(path, text string) (rs []row) {
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "|")
		for k := range columns {
			columns[k] = strings.TrimSpace(columns[k])
		}
		rs = append(rs, row{fmt.Sprintf("%s:%d", path, i+1), columns})
	}
	return rs
}

// filled asks for n columns, none of them empty, and a first one that no other
// row has.
func filled(rs []row, n int) (problems []string) {
	seen := map[string]bool{}
	for _, r := range rs {
		if len(r.columns) != n {
			problems = append(problems, fmt.Sprintf("%s: %d columns, want %d", r.at, len(r.columns), n))
			continue
		}
		for i, c := range r.columns {
			if c == "" {
				problems = append(problems, fmt.Sprintf("%s: column %d is empty", r.at, i+1))
			}
		}
		if seen[r.columns[0]] {
			problems = append(problems, fmt.Sprintf("%s: %s stands here twice", r.at, r.columns[0]))
		}
		seen[r.columns[0]] = true
	}
	return problems
}

// marked checks marks and the notes beside them: what needs another shape is
// adapted, what carries over directly may be.
func marked(rs []row, wantG, wantA int) (problems []string) {
	count := map[string]int{}
	for _, r := range rs {
		if len(r.columns) < 3 {
			continue
		}
		mark, how := r.columns[1], r.columns[2]
		count[mark]++
		switch {
		case mark != "G" && mark != "A":
			problems = append(problems, fmt.Sprintf("%s: the mark %s is neither G nor A", r.at, mark))
		case how != "as is" && how != "adapted", mark == "A" && how == "as is":
			problems = append(problems, fmt.Sprintf("%s: %s with the mark %s", r.at, how, mark))
		}
	}
	if count["G"] != wantG || count["A"] != wantA {
		problems = append(problems, fmt.Sprintf("%d rows with the mark G and %d with A, want %d and %d", count["G"], count["A"], wantG, wantA))
	}
	return problems
}

// shown checks that the test exists which column i of each row names.
func shown(rs []row, i int, files []*file) (problems []string) {
	for _, r := range rs {
		if i >= len(r.columns) {
			continue
		}
		if !testExists(files, r.columns[i]) {
			problems = append(problems, fmt.Sprintf("%s: %s: there is no test %q", r.at, r.columns[0], r.columns[i]))
		}
	}
	return problems
}

// testExists looks for "package Test/subtest/subtest". The name of a subtest
// must stand in the test's file as a string, with spaces for its underscores or
// without.
func testExists(files []*file, name string) bool {
	dir, test, ok := strings.Cut(name, " ")
	if !ok {
		return false
	}
	path := strings.Split(test, "/")
	if !strings.HasPrefix(path[0], "Test") && !strings.HasPrefix(path[0], "Example") {
		return false
	}
	for _, f := range files {
		if f.dir() == dir && f.isTest() && declares(f, path[0]) {
			return hasAll(literals(f), path[1:])
		}
	}
	return false
}

func declares(f *file, function string) bool {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == function {
			return true
		}
	}
	return false
}

// literals are the strings of a file, as the names of subtests that they make.
func literals(f *file) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			found[strings.ReplaceAll(text, " ", "_")] = true
		}
		return true
	})
	return found
}

func hasAll(set map[string]bool, names []string) bool {
	for _, name := range names {
		if !set[name] {
			return false
		}
	}
	return true
}

// table reads a table of this module.
func table(t *testing.T, path string) []row {
	t.Helper()
	text, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	return tableRows(path, text)
}

func TestTestsOfTwistedAreShown(t *testing.T) {
	rs := table(t, twistedTests)
	report(t, filled(rs, 5), marked(rs, 196, 100), shown(rs, 3, theModule(t).files))
}

func TestDefectsOfTwistedAreShown(t *testing.T) {
	rs := table(t, twistedDefects)
	report(t, filled(rs, 3), shown(rs, 1, theModule(t).files))
}

func report(t *testing.T, found ...[]string) {
	t.Helper()
	for _, problems := range found {
		for _, p := range problems {
			t.Error(p)
		}
	}
}

func TestTablesOfTests(t *testing.T) {
	src := "package a\n\nfunc TestX(t T) {\n\tt.Run(\"a value\", nil)\n\tfor _, c := range []string{\"b-c\"} {\n\t\tt.Run(c, nil)\n\t}\n}\n\n" +
		"func ExampleX() {}\n\nfunc helper() {}\n\nfunc (S) TestM() {}\n"
	a, err := parse("a/a_test.go", src)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := parse("a/other_test.go", "package a\n\nfunc TestY(t T) { _ = \"y\" }\n")
	plain, _ := parse("a/a.go", "package a\n\nfunc TestZ() {}\n")
	head := "# a comment\n\nx.py A.one | G | as is | a TestX | it does\n"
	for _, c := range []struct{ line, want string }{
		{"x.py A.two | A | adapted | a TestX/a_value | it does", ""},
		{"x.py A.two | A | adapted | a TestX/a_value/b-c | it does", ""},
		{"x.py A.two | A | adapted | a ExampleX | it does", ""},
		{"x.py A.two | A | adapted | a TODO | it does", "there is no test"},
		{"x.py A.two | A | adapted | TODO | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestX/missing | it does", `there is no test "a TestX/missing"`},
		{"x.py A.two | A | adapted | a TestX/a_value/missing | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestX/y | it does", "there is no test"},
		{"x.py A.two | A | adapted | b TestX | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestGone | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestM | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestZ | it does", "there is no test"},
		{"x.py A.two | A | adapted | a helper | it does", "there is no test"},
		{"x.py A.two | A | adapted | a TestX |", "table:4: column 5 is empty"},
		{"x.py A.two | A | adapted | a TestX", "4 columns, want 5"},
		{"x.py A.one | A | adapted | a TestX | it does", "x.py A.one stands here twice"},
		{"x.py A.two | A | as is | a TestX | it does", "as is with the mark A"},
		{"x.py A.two | A | kept | a TestX | it does", "kept with the mark A"},
		{"x.py A.two | G | adapted | a TestX | it does", "2 rows with the mark G and 0 with A, want 1 and 1"},
	} {
		rs := tableRows("table", head+c.line+"\n")
		files := []*file{plain, other, a}
		found := strings.Join(append(append(filled(rs, 5), marked(rs, 1, 1)...), shown(rs, 3, files)...), "\n")
		if (c.want == "") != (found == "") || !strings.Contains(found, c.want) {
			t.Errorf("%s\nfound %q, want %q", c.line, found, c.want)
		}
	}
}
