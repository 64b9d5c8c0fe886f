// Mutants shows that the tests can fail: it breaks the library in one place at
// a time and runs the test that is to notice.
//
//	go run ./internal/mutants               all mutants
//	go run ./internal/mutants -run 'law 1'  those whose titles match
//
// The mutants stand in the .txt files of this directory, one block each:
//
//	== law 18: readers run in the order of registration
//	file: future/node.go
//	test: ./future TestLaws/law_18
//	-	n.readers = r
//	+	// not the last
//
// The lines with a minus must occur just once in the file, those with a plus
// take their place. The working tree is not touched: the go command gets the
// changed file as an overlay. A mutant is caught if the test fails or does not
// end within a minute. One that survives, that does not fit the file any more
// or does not compile makes the command fail, and so does a test that fails
// without a mutant.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	title := flag.String("run", "", "run only the mutants whose titles match this regular expression")
	flag.Parse()
	if err := run(*title); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(title string) error {
	only, err := regexp.Compile(title)
	if err != nil {
		return err
	}
	mutants, err := readAll("internal/mutants")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lab := &lab{dir: dir, binaries: make(map[string]string), sound: make(map[test]error)}
	count, bad := 0, 0
	for _, m := range mutants {
		if !only.MatchString(m.title) {
			continue
		}
		count++
		if err := lab.try(m); err != nil {
			bad++
			fmt.Printf("BAD     %s (%s): %v\n", m.title, m.where, err)
		} else {
			fmt.Printf("caught  %s\n", m.title)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants were not caught", bad, count)
	}
	if count == 0 {
		return fmt.Errorf("no mutant's title matches %q", title)
	}
	fmt.Printf("mutants: %d, all caught\n", count)
	return nil
}

// A mutant is one change of the library, and the test that is to notice it.
type mutant struct {
	title    string
	where    string // its block: file:line
	file     string
	test     test
	old, new string
}

// A test is a package and a pattern for -run.
type test struct{ pkg, pattern string }

func readAll(dir string) (all []mutant, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no mutants in %s: run this in the module's root", dir)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mutants, err := parse(name, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, mutants...)
	}
	return all, nil
}

// parse reads the blocks of one file.
func parse(name, text string) (mutants []mutant, err error) {
	var m *mutant
	for i, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", name, i+1)
		if title, ok := strings.CutPrefix(line, "== "); ok {
			mutants = append(mutants, mutant{title: title, where: where})
			m = &mutants[len(mutants)-1]
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if m == nil || !m.read(line) {
			return nil, fmt.Errorf("%s: cannot read %q", where, line)
		}
	}
	for _, m := range mutants {
		if m.file == "" || m.test.pattern == "" || m.old == "" {
			return nil, fmt.Errorf("%s: lacks its file, its test or its old lines", m.where)
		}
	}
	return mutants, nil
}

func (m *mutant) read(line string) bool {
	switch rest := line[1:]; line[0] {
	case '-':
		m.old += rest + "\n"
		return true
	case '+':
		m.new += rest + "\n"
		return true
	}
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "file":
		m.file = value
		return true
	case "test":
		var ok bool
		m.test.pkg, m.test.pattern, ok = strings.Cut(value, " ")
		return ok
	}
	return false
}

// apply returns the changed text of the mutant's file.
func (m *mutant) apply() (string, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	switch n := strings.Count("\n"+string(text), "\n"+m.old); n {
	case 1:
		return strings.Replace("\n"+string(text), "\n"+m.old, "\n"+m.new, 1)[1:], nil
	default:
		return "", fmt.Errorf("its old lines occur %d times in %s", n, m.file)
	}
}

// A lab tries mutants, in a directory of its own.
type lab struct {
	dir      string
	binaries map[string]string // of packages without a mutant
	sound    map[test]error    // of the tests that ran without a mutant
}

// try returns nil if m's test catches it.
func (l *lab) try(m mutant) error {
	if err := l.soundness(m.test); err != nil {
		return err
	}
	text, err := m.apply()
	if err != nil {
		return err
	}
	overlay, err := l.overlay(m.file, text)
	if err != nil {
		return err
	}
	binary, err := l.build(m.test.pkg, "mutant.test", overlay)
	if err != nil {
		return err
	}
	err = runTest(m.test, binary)
	if failed := new(testFailed); errors.As(err, &failed) {
		return nil
	}
	if err == nil {
		err = errors.New("it survives")
	}
	return err
}

// soundness returns nil if the test passes without a mutant.
func (l *lab) soundness(t test) error {
	binary, ok := l.binaries[t.pkg]
	if !ok {
		var err error
		if binary, err = l.build(t.pkg, fmt.Sprintf("sound%d.test", len(l.binaries)), ""); err != nil {
			return fmt.Errorf("without the mutant: %w", err)
		}
		l.binaries[t.pkg] = binary
	}
	err, ok := l.sound[t]
	if !ok {
		err = runTest(t, binary)
		l.sound[t] = err
	}
	if err != nil {
		return fmt.Errorf("without the mutant: %w", err)
	}
	return nil
}

// overlay writes what the go command is to read instead of the file.
func (l *lab) overlay(file, text string) (name string, err error) {
	changed := filepath.Join(l.dir, "changed.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	at, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {at: changed}})
	if err != nil {
		return "", err
	}
	name = filepath.Join(l.dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

// testFailed is the error of a test that was built, ran and failed.
type testFailed struct{ output string }

func (e *testFailed) Error() string { return "the test fails:\n" + e.output }

// build builds the tests of a package.
func (l *lab) build(pkg, name, overlay string) (binary string, err error) {
	binary = filepath.Join(l.dir, name)
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay="+overlay, "-o", binary, pkg).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("does not build: %w\n%s", err, out)
	}
	return binary, err
}

// runTest runs the test.
func runTest(t test, binary string) error {
	cmd := exec.Command(binary, "-test.run="+t.pattern, "-test.v", "-test.timeout=1m")
	cmd.Dir = t.pkg
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1", "RAPID_SHRINKTIME=2s") // a failure is all that is asked for
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		return &testFailed{tail(out)}
	case !bytes.Contains(out, []byte("=== RUN")):
		return fmt.Errorf("no test of %s matches %s", t.pkg, t.pattern)
	}
	return nil
}

// tail is the end of a test's output.
func tail(out []byte) string {
	const most = 4000
	return string(out[max(0, len(out)-most):])
}
