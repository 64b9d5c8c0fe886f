package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/memnet"
)

// These tests run in a bubble of testing/synctest: goroutines are real there,
// and the system clock is virtual.

const limit = 300 * time.Millisecond

// newDashboard returns a dashboard whose services answer at once, and its log.
func newDashboard() (*dashboard, *bytes.Buffer) {
	var logged bytes.Buffer
	return &dashboard{
		sources: sources{
			user:    answers(user{"<Ada>", "London"}),
			orders:  answers([]order{{"A notebook", "on its way"}}),
			weather: answers(weather{"Sunny", 21}),
		},
		clock: clock.System(),
		limit: limit,
		log:   slog.New(slog.NewTextHandler(&logged, nil)),
	}, &logged
}

func answers[T any](v T) source[T] {
	return func(context.Context, string) (T, error) { return v, nil }
}

func fails[T any](err error) source[T] {
	return func(context.Context, string) (v T, _ error) { return v, err }
}

// hangs returns a source that answers nothing until its context ends. It counts
// in open the requests that wait.
func hangs[T any](open *int) source[T] {
	return func(ctx context.Context, _ string) (v T, _ error) {
		*open++
		<-ctx.Done()
		*open--
		return v, ctx.Err()
	}
}

func mustBeOver(t *testing.T, open *int) {
	t.Helper()
	if *open > 0 {
		t.Error("a request goes on that nobody waits for")
	}
}

// get asks for a page and returns the answer, when all goroutines have ended or
// wait.
func get(d *dashboard, ctx context.Context, accept string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/?user=ada", nil)
	req.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	d.handler().ServeHTTP(w, req)
	synctest.Wait()
	return w
}

func check(t *testing.T, w *httptest.ResponseRecorder, status int, body ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status = %d, want %d", w.Code, status)
	}
	for _, part := range body {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("no %s in the answer:\n%s", part, w.Body)
		}
	}
}

// bubble runs f in a bubble, and reports how long it took there.
func bubble(t *testing.T, wantTook time.Duration, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		start := clock.System().Now()
		f(t)
		if took := clock.System().Now().Sub(start); took != wantTook {
			t.Errorf("it took %v, want %v", took, wantTook)
		}
	})
}

func TestPage(t *testing.T) {
	const (
		chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
		isHTML = "text/html; charset=utf-8"
		isJSON = "application/json"
	)
	for accept, want := range map[string]string{
		chrome:                        isHTML,
		"*/*":                         isJSON, // curl
		"":                            isJSON,
		"application/json":            isJSON,
		"application/json, text/html": isJSON,
	} {
		bubble(t, 0, func(t *testing.T) {
			d, _ := newDashboard()
			w := get(d, t.Context(), accept)
			if got := w.Header().Get("Content-Type"); got != want {
				t.Errorf("for %q the answer is %s, want %s", accept, got, want)
			}
			if want == isHTML {
				check(t, w, http.StatusOK, "Good day, &lt;Ada&gt;", "A notebook, on its way", "Sunny, 21 °C")
				return
			}
			check(t, w, http.StatusOK, `"city": "London"`, `"item": "A notebook"`, `"celsius": 21`)
			if strings.Contains(w.Body.String(), "missing") {
				t.Errorf("something is missing:\n%s", w.Body)
			}
		})
	}
}

func TestSectionFails(t *testing.T) {
	bubble(t, 0, func(t *testing.T) {
		d, logged := newDashboard()
		d.orders = fails[[]order](errors.New("connection refused"))
		check(t, get(d, t.Context(), "text/html"), http.StatusOK, "Your orders cannot be shown now: not available", "Sunny, 21")
		if !strings.Contains(logged.String(), "connection refused") {
			t.Errorf("the failure is not in the log: %s", logged)
		}
	})
}

// What is late is left out, at the deadline; the rest is there.
func TestSectionLate(t *testing.T) {
	bubble(t, limit, func(t *testing.T) {
		d, _ := newDashboard()
		var open int
		d.weather = hangs[weather](&open)
		check(t, get(d, t.Context(), "*/*"), http.StatusOK, `"missing": "no answer in time"`, "A notebook")
		mustBeOver(t, &open)
	})
}

func TestUserLate(t *testing.T) {
	bubble(t, limit, func(t *testing.T) {
		d, _ := newDashboard()
		var open int
		d.user = hangs[user](&open)
		check(t, get(d, t.Context(), "*/*"), http.StatusGatewayTimeout, `"error": "no answer in time"`)
		mustBeOver(t, &open)
	})
}

// Without the user there is no page, and nobody waits for the rest of it.
func TestUserFails(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		text   string
	}{
		{errNoUser, http.StatusNotFound, "no such user"},
		{errors.New("disk full"), http.StatusBadGateway, "the user cannot be looked up"},
	} {
		bubble(t, 0, func(t *testing.T) {
			d, _ := newDashboard()
			var open int
			d.user = fails[user](test.err)
			d.weather = hangs[weather](&open)
			check(t, get(d, t.Context(), "text/html"), test.status, test.text)
			mustBeOver(t, &open)
		})
	}
}

// When the client goes away, so does the work.
func TestClientGone(t *testing.T) {
	bubble(t, 0, func(t *testing.T) {
		d, logged := newDashboard()
		var users, weathers int
		d.user = hangs[user](&users)
		d.weather = hangs[weather](&weathers)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait() // until everybody waits
			cancel()
		}()
		get(d, ctx, "*/*")
		mustBeOver(t, &users)
		mustBeOver(t, &weathers)
		if logged.Len() > 0 {
			t.Errorf("logged: %s", logged)
		}
	})
}

func TestDemoSources(t *testing.T) {
	// ada takes 60 ms, bob as well, carol and dave the limit.
	bubble(t, 2*60*time.Millisecond+2*limit, func(t *testing.T) {
		d, _ := newDashboard()
		d.sources = demoSources(clock.System())
		n := memnet.New()
		l, _ := n.Listen()
		var out strings.Builder
		if err := once(t.Context(), d, l, n.Client(), &out); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/once.txt")
		if err != nil {
			t.Fatal(err)
		}
		if out.String() != string(want) {
			t.Errorf("got:\n%s\nwant:\n%s", &out, want)
		}
	})
}

// serve on a real network: it answers, and returns when its context ends.
func TestServe(t *testing.T) {
	d, _ := newDashboard()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	addr := make(chan string, 1)
	w := writerFunc(func(p []byte) { addr <- strings.Fields(string(p))[1] })
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, d, "127.0.0.1:0", w) }()

	resp, err := http.Get(<-addr)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status = %s", resp.Status)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
