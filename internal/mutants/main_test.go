package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every mutant still fits the file that it changes. Whether its test catches it
// takes long to see: that is check.sh mutants.
func TestMutantsFit(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	mutants, err := readAll(filepath.Join("internal", "mutants"))
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, m := range mutants {
		if _, err := m.apply(); err != nil {
			t.Errorf("%s: %s: %v", m.where, m.title, err)
		}
		if at, ok := titles[m.title]; ok {
			t.Errorf("%s: %s: so is the one at %s", m.where, m.title, at)
		}
		titles[m.title] = m.where
	}
}

func TestParse(t *testing.T) {
	const good = "# a comment\n== one\nfile: f.go\ntest: ./p TestIt/sub\n-\told\n-\tlines\n+\tnew\n\n== two\nfile: f.go\ntest: ./p T\n-x\n"
	mutants, err := parse("m.txt", good)
	if err != nil || len(mutants) != 2 {
		t.Fatalf("got %d mutants, %v", len(mutants), err)
	}
	want := mutant{"one", "m.txt:2", "f.go", test{"./p", "TestIt/sub"}, "\told\n\tlines\n", "\tnew\n"}
	if mutants[0] != want {
		t.Errorf("got %q, want %q", mutants[0], want)
	}
	for bad, part := range map[string]string{
		"file: f.go\n":                          "cannot read",
		"== one\nnonsense\n":                    "cannot read",
		"== one\nfile: f.go\ntest: ./p\n-x\n":   "cannot read",
		"== one\nfile: f.go\n-x\n":              "lacks",
		"== one\nfile: f.go\ntest: ./p T\n+x\n": "lacks",
	} {
		if _, err := parse("m.txt", bad); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v, want %q", bad, err, part)
		}
	}
}

// The old lines are to be whole lines, and to occur once.
func TestApply(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f.go")
	if err := os.WriteFile(name, []byte("a\nb\nc\nbb\na\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]string{
		"b\n":    "a\nX\nc\nbb\na\n",
		"b\nc\n": "a\nX\nbb\na\n",
		"a\n":    "",
		"d\n":    "",
	} {
		m := mutant{file: name, old: old, new: "X\n"}
		got, err := m.apply()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("instead of %q: got %q, %v", old, got, err)
		}
	}
}
