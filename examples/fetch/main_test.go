package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/memnet"
)

// These tests run the whole program: against servers on the loopback interface,
// or, where time matters, in a bubble of testing/synctest with a network in
// memory. The timing itself is tested in fetch_test.go.

// output is what a program has written.
type output struct{ stdout, stderr bytes.Buffer }

func newProgram(stdin io.Reader) (*program, *output) {
	var out output
	return &program{
		stdin:  stdin,
		stdout: &out.stdout,
		stderr: &out.stderr,
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		listen: func() (net.Listener, error) { return nil, fmt.Errorf("no demonstration here") },
	}, &out
}

// patient keeps the times of the program out of tests in real time.
var patient = []string{"-timeout", "1h", "-hedge", "1h", "-deadline", "1h", "-pause", "1ms"}

func run(t *testing.T, stdin string, args ...string) (exit int, out *output) {
	t.Helper()
	p, out := newProgram(strings.NewReader(stdin))
	exit = p.run(t.Context(), append(slices.Clone(patient), args...))
	return exit, out
}

// newServer serves the endpoints of the demonstration, each from its first
// request on, under a name that says what it does.
func newServer(t *testing.T) (url string) {
	mux := http.NewServeMux()
	asked := make(chan int, 1)
	asked <- 0
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { page(w, 1000) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		page(w, 10)
	})
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		n := <-asked + 1
		asked <- n
		if n < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestJSON(t *testing.T) {
	url := newServer(t)
	exit, out := run(t, "", "-json", url+"/good", url+"/missing", url+"/flaky", url+"/moved")
	if exit != exitFailed {
		t.Errorf("exit status = %d", exit)
	}
	var rows []row
	if err := json.Unmarshal(out.stdout.Bytes(), &rows); err != nil {
		t.Fatalf("%v in\n%s", err, &out.stdout)
	}
	for i := range rows {
		rows[i].Millis = 0
	}
	want := []row{
		{URL: url + "/good", OK: true, Size: 1000, Tries: 1, Requests: 1},
		{URL: url + "/missing", Error: "404 Not Found", Tries: 1, Requests: 1},
		{URL: url + "/flaky", OK: true, Tries: 3, Requests: 3},
		{URL: url + "/moved", OK: true, Size: 1000, Tries: 1, Requests: 1},
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got\n%+v\nwant\n%+v", rows, want)
	}
	if out.stderr.Len() > 0 {
		t.Errorf("on standard error: %s", &out.stderr)
	}
}

func TestTable(t *testing.T) {
	url := newServer(t)
	exit, out := run(t, "", "-hedge", "1ms", url+"/good", url+"/broken")
	if exit != exitFailed {
		t.Errorf("exit status = %d", exit)
	}
	lines := strings.Split(out.stdout.String(), "\n")
	if len(lines) != 5 {
		t.Fatalf("got\n%s", &out.stdout)
	}
	for i, want := range []string{"RESULT ", "ok ", "unexpected EOF ", "1 fetched, 1 failed, in ", ""} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d begins not with %q: %q", i+1, want, lines[i])
		}
	}
}

func TestTooLarge(t *testing.T) {
	url := newServer(t)
	for max, want := range map[string]int{"1000": exitOK, "999": exitFailed} {
		exit, out := run(t, "", "-max", max, url+"/good")
		if exit != want {
			t.Errorf("-max %s: exit status = %d\n%s", max, exit, &out.stdout)
		}
		if tooLarge := strings.Contains(out.stdout.String(), "answer too large"); tooLarge != (want == exitFailed) {
			t.Errorf("-max %s:\n%s", max, &out.stdout)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	exit, out := run(t, "", "-hedge", "1ms", url)
	if exit != exitFailed || !strings.Contains(out.stdout.String(), "refused") {
		t.Errorf("exit status = %d\n%s", exit, &out.stdout)
	}
}

// Closing a server, as a test does at its end, waits for its requests: a client
// that did not let go of them would be noticed.
func TestHangingServer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	exit, out := run(t, "", "-timeout", "10ms", "-tries", "2", s.URL)
	if exit != exitFailed || !strings.Contains(out.stdout.String(), "timeout ") {
		t.Errorf("exit status = %d\n%s", exit, &out.stdout)
	}
}

func TestInterrupt(t *testing.T) {
	good := newServer(t) + "/good"
	ctx, interrupt := context.WithCancel(t.Context())
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	p, out := newProgram(strings.NewReader(""))
	// One at a time: the first is done, the second is under way.
	exit := p.run(ctx, append(slices.Clone(patient), "-n", "1", good, hanging.URL, good))
	if exit != exitFailed {
		t.Errorf("exit status = %d", exit)
	}
	lines := strings.Split(out.stdout.String(), "\n")
	for i, want := range []string{"RESULT ", "ok ", "canceled ", "not tried ", "1 fetched, 2 failed, "} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d begins not with %q: %q", i+1, want, lines[i])
		}
	}
	if got := out.stderr.String(); !strings.Contains(got, "fetch: interrupted\n") {
		t.Errorf("on standard error: %s", got)
	}
}

// The demonstration to the millisecond, in no time.
func TestDemonstration(t *testing.T) {
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p, out := newProgram(strings.NewReader(""))
		n := memnet.New()
		p.client, p.listen = n.Client(), n.Listen
		start := clock.System().Now()
		if exit := p.run(t.Context(), nil); exit != exitOK {
			t.Errorf("exit status = %d: %s", exit, &out.stderr)
		}
		if got := out.stdout.String(); got != string(want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if took := clock.System().Now().Sub(start); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A demonstration that goes wrong is a failure.
func TestDemonstrationInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, out := newProgram(strings.NewReader(""))
		n := memnet.New()
		p.client, p.listen = n.Client(), n.Listen
		ctx, interrupt := context.WithCancel(t.Context())
		clock.System().CallLater(100*time.Millisecond, interrupt)
		if exit := p.run(ctx, nil); exit != exitFailed {
			t.Errorf("exit status = %d:\n%s", exit, &out.stdout)
		}
		if strings.Contains(out.stdout.String(), "No URLs were given") || !strings.Contains(out.stderr.String(), "fetch: interrupted\n") {
			t.Errorf("it does not say so:\n%s%s", &out.stdout, &out.stderr)
		}
	})
}

// So is one that does not come to its end.
func TestDemonstrationWithoutTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, out := newProgram(strings.NewReader(""))
		n := memnet.New()
		p.client, p.listen = n.Client(), n.Listen
		if exit := p.run(t.Context(), []string{"-deadline", "1s"}); exit != exitFailed {
			t.Errorf("exit status = %d:\n%s", exit, &out.stdout)
		}
		if !strings.Contains(out.stderr.String(), "fetch: stopped at the deadline of 1s\n") {
			t.Errorf("it does not say so: %s", &out.stderr)
		}
	})
}

func TestInterruptedBeforeThereIsAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, other := io.Pipe()
		defer other.Close()
		p, out := newProgram(silent)
		ctx, interrupt := context.WithCancel(t.Context())
		clock.System().CallLater(time.Minute, interrupt)
		exit := p.run(ctx, []string{"-f", "-"})
		if exit != exitFailed || out.stderr.String() != "fetch: interrupted\n" {
			t.Errorf("exit status = %d: %s", exit, &out.stderr)
		}
	})
}

func TestWhereURLsComeFrom(t *testing.T) {
	good := newServer(t) + "/good"
	list := "# comment\n\n  " + good + "  \r\n" + good
	file := filepath.Join(t.TempDir(), "urls")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, stdin string
		args        []string
		want        int
	}{
		{"arguments", "", []string{good, good, good}, 3},
		{"arguments, not standard input", list, []string{good}, 1},
		{"a file", "", []string{"-f", file}, 2},
		{"a file and arguments", list, []string{"-f", file, good}, 3},
		{"standard input", list, nil, 2},
		{"standard input by name", list, []string{"-f", "-"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			exit, out := run(t, test.stdin, test.args...)
			if want := fmt.Sprintf("%d fetched, 0 failed", test.want); exit != exitOK || !strings.Contains(out.stdout.String(), want) {
				t.Errorf("exit status = %d\n%s%s", exit, &out.stdout, &out.stderr)
			}
		})
	}
}

func TestBadUsage(t *testing.T) {
	for _, test := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{"-n", "0", "http://x"}, "must be at least 1"},
		{"", []string{"-tries", "-1", "http://x"}, "must be at least 1"},
		{"", []string{"-timeout", "0", "http://x"}, "must be more than 0"},
		{"", []string{"-max", "-1", "http://x"}, "must not be negative"},
		{"", []string{"-frob"}, "not defined"},
		{"", []string{"go.dev"}, `"go.dev" is no URL`},
		{"", []string{"http://a b/"}, "invalid character"},
		{"", []string{"ftp://go.dev"}, "is no URL that begins with http"},
		{"", []string{"-f", "no/such/file"}, "no/such/file"},
		{"", []string{"-f", "-"}, "standard input holds no URL"},
		{"http://x\n\nnonsense\n", nil, `standard input, line 3: "nonsense" is no URL`},
		{strings.Repeat("x", 1<<20), nil, "standard input: "},
	} {
		exit, out := run(t, test.stdin, test.args...)
		if exit != exitUsage || !strings.Contains(out.stderr.String(), test.want) || out.stdout.Len() > 0 {
			t.Errorf("%q: exit status = %d, want %d and %s\n%s%s", test.args, exit, exitUsage, test.want, &out.stdout, &out.stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	exit, out := run(t, "", "-h")
	if exit != exitOK || !strings.Contains(out.stderr.String(), "usage: fetch [flags] [URL ...]") {
		t.Errorf("exit status = %d: %s", exit, &out.stderr)
	}
}

// Standard input that is a pipe, and says nothing, is not waited for.
func TestSilentStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, other := io.Pipe()
		defer other.Close()
		p, out := newProgram(silent)
		urls, err := p.urls(t.Context(), options{})
		if urls != nil || err != nil {
			t.Errorf("urls = %q, %v", urls, err)
		}
		if !strings.Contains(out.stderr.String(), "nothing on standard input for 1s") {
			t.Errorf("on standard error: %q", &out.stderr)
		}
	})
}

// Once somebody feeds it, it is read to its end.
func TestSlowStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		p, _ := newProgram(in)
		go func() {
			io.WriteString(feed, "http://a\n")
			future.After(clock.System(), time.Hour, struct{}{}).Await(t.Context())
			io.WriteString(feed, "http://b\n")
			feed.Close()
		}()
		urls, err := p.urls(t.Context(), options{})
		if want := []string{"http://a", "http://b"}; !slices.Equal(urls, want) || err != nil {
			t.Errorf("urls = %q, %v", urls, err)
		}
	})
}

func TestProgress(t *testing.T) {
	var terminal bytes.Buffer
	p := &progress{w: &terminal, total: 2}
	p.show()
	p.done(result{})
	p.done(result{err: errNotTried})
	p.clear()
	blank := strings.Repeat(" ", len("0 of 2 done, 0 failed"))
	want := "\r\r0 of 2 done, 0 failed" +
		"\r" + blank + "\r1 of 2 done, 0 failed" +
		"\r" + blank + "\r2 of 2 done, 1 failed" +
		"\r" + blank + "\r"
	if terminal.String() != want {
		t.Errorf("got  %q\nwant %q", &terminal, want)
	}
}
