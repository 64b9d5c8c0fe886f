package future_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// This file reads the programs of the conformance data: what to do, and what Twisted
// did. conformance_interp_test.go runs them, conformance_test.go compares.

// A twistedProgram is one line of the data: what to do, and the trace that
// Twisted left when it did that.
type twistedProgram struct {
	Name      string   `json:"name"`
	Family    string   `json:"family"`
	Steps     []step   `json:"steps"`
	Trace     []any    `json:"trace"`
	Unhandled []string `json:"unhandled"`
}

type step struct {
	Do        string          `json:"do"`
	D         string          `json:"d"`
	T         string          `json:"t"`
	V         any             `json:"v"`
	E         string          `json:"e"`
	Cb        string          `json:"cb"`
	Eb        string          `json:"eb"`
	Act       *twistedAct     `json:"act"`
	Eact      *twistedAct     `json:"eact"`
	Canceller json.RawMessage `json:"canceller"`
	After     int             `json:"after"`
	To        int             `json:"to"`
	By        int             `json:"by"`
	Of        []string        `json:"of"`
	Steps     []step          `json:"steps"`
	Co        string          `json:"co"`
	S         string          `json:"s"`
	Tokens    int             `json:"tokens"`
	Q         string          `json:"q"`
	Size      *int            `json:"size"`
	Backlog   *int            `json:"backlog"`
	L         string          `json:"l"`
	Every     int             `json:"every"`
	Now       bool            `json:"now"`
	Count     bool            `json:"count"`
	Acts      []*twistedAct   `json:"acts"`
	Body      []instruction   `json:"body"`
}

type twistedAct struct {
	Ret   *any   `json:"-"`
	Inc   *int   `json:"inc"`
	Pass  bool   `json:"pass"`
	Raise string `json:"raise"`
	Wait  string `json:"wait"`
	Also  []step `json:"also"`
}

func (a *twistedAct) UnmarshalJSON(b []byte) error {
	type plain twistedAct
	if err := json.Unmarshal(b, (*plain)(a)); err != nil {
		return err
	}
	return ret(b, &a.Ret)
}

type instruction struct {
	Await string `json:"await"`
	Catch bool   `json:"catch"`
	Ret   *any   `json:"-"`
	Raise string `json:"raise"`
}

func (i *instruction) UnmarshalJSON(b []byte) error {
	type plain instruction
	if err := json.Unmarshal(b, (*plain)(i)); err != nil {
		return err
	}
	return ret(b, &i.Ret)
}

// ret reads "ret", which may be there and null.
func ret(b []byte, at **any) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if v, ok := m["ret"]; ok {
		*at = &v
	}
	return nil
}

// known are the families that the interpreter has words for.
var known = []string{"linear", "chain", "reentrant", "cancel", "timeout", "gather", "timer", "unhandled", "async", "locks", "queues", "loop", "mixed"}

// confOwn reads the programs of testdata/conformance.
func confOwn(t *testing.T) (ps []twistedProgram) {
	for _, family := range known {
		f, err := os.Open(filepath.Join("testdata", "conformance", family+".jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, readPrograms(t, z)...)
	}
	return ps
}

// confIn reads the programs of a directory of .jsonl files.
func confIn(t *testing.T, dir string) (ps []twistedProgram) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .jsonl files in %s: %v", dir, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		ps = append(ps, readPrograms(t, f)...)
	}
	return ps
}

func readPrograms(t *testing.T, r io.Reader) (ps []twistedProgram) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var p twistedProgram
		if err := json.Unmarshal(sc.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return ps
}
