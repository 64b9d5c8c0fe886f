package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

// All of these tests run on virtual time. What a request meets is scripted, and
// what happens is noted with the time at which it does.

// A reply is what a request meets, after a time.
type reply struct {
	after time.Duration
	answer
	err error
}

const never = 1000 * time.Hour

var errRefused = errors.New("connection refused")

// ok is the reply of a good page.
func ok(after time.Duration) reply { return reply{after: after, answer: answer{200, 1000}} }

func status(code int) reply { return reply{answer: answer{code, 50}} }

// A world is a fetcher on a virtual clock, and the servers that it asks.
type world struct {
	fetcher
	clk     *clock.Virtual
	start   time.Time
	replies map[string][]reply // to the first request for a URL, the second…
	asked   map[string]int
	events  []string
}

func newWorld(t *testing.T, replies map[string][]reply) *world {
	r, clk := futuretest.New(t)
	w := &world{clk: clk, start: clk.Now(), replies: replies, asked: make(map[string]int)}
	w.fetcher = fetcher{
		on:   r,
		get:  w.get,
		done: func(res result) { w.note("%s: %s", res.url, reason(res.err)) },
		limits: limits{
			parallel: 2,
			tries:    3,
			timeout:  10 * time.Second,
			hedge:    4 * time.Second,
			pause:    time.Second,
			deadline: time.Hour,
			maxBytes: 1000,
		},
	}
	return w
}

// get blocks as a real request does. It waits with Await, so virtual time goes
// on meanwhile.
func (w *world) get(ctx context.Context, url string) (answer, error) {
	n := w.asked[url]
	w.asked[url]++
	w.note("%s asked", url)
	if n >= len(w.replies[url]) {
		panic(fmt.Sprintf("request %d for %s is not in the script", n+1, url))
	}
	r := w.replies[url][n]
	if _, err := future.After(w.on, r.after, struct{}{}).WithContext(ctx).Await(ctx); err != nil {
		w.note("%s given up", url)
		return answer{}, err
	}
	return r.answer, r.err
}

func (w *world) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.events = append(w.events, fmt.Sprintf("%v %s", w.clk.Now().Sub(w.start), text))
}

// mustHappen checks the events.
func (w *world) mustHappen(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.events, want) {
		t.Errorf("what happened is\n%q\nand should be\n%q", w.events, want)
	}
}

// fetchOne fetches one URL and returns what became of it.
func fetchOne(t *testing.T, w *world) result {
	t.Helper()
	d := w.fetchAll([]string{"/a"})
	w.clk.Run()
	return futuretest.Success(t, d).results[0]
}

func mustBe(t *testing.T, res result, reasonWanted string, tries, requests int, took time.Duration) {
	t.Helper()
	got := fmt.Sprintf("%s, %d tries, %d requests, %v", reason(res.err), res.tries, res.requests, res.time)
	want := fmt.Sprintf("%s, %d tries, %d requests, %v", reasonWanted, tries, requests, took)
	if got != want {
		t.Errorf("the result is %s; want %s", got, want)
	}
}

func TestGood(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(3 * time.Second)}})
	res := fetchOne(t, w)
	mustBe(t, res, "ok", 1, 1, 3*time.Second)
	if res.size != 1000 {
		t.Errorf("size = %d", res.size)
	}
}

func TestRetriesWithGrowingPauses(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {status(503), status(429), status(500), ok(0)}})
	w.tries = 4
	mustBe(t, fetchOne(t, w), "ok", 4, 4, 7*time.Second)
	w.mustHappen(t, "0s /a asked", "1s /a asked", "3s /a asked", "7s /a asked", "7s /a: ok")
}

func TestGivesUpAfterTheLastTry(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {status(503), status(503), status(502)}})
	mustBe(t, fetchOne(t, w), "502 Bad Gateway", 3, 3, 3*time.Second)
}

func TestNoRetry(t *testing.T) {
	for want, bad := range map[string]reply{
		"404 Not Found":    status(404),
		"403 Forbidden":    status(403),
		"answer too large": {answer: answer{200, 1001}},
	} {
		w := newWorld(t, map[string][]reply{"/a": {bad}})
		mustBe(t, fetchOne(t, w), want, 1, 1, 0)
	}
}

func TestHedge(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(never), ok(time.Second)}})
	mustBe(t, fetchOne(t, w), "ok", 1, 2, 5*time.Second)
	w.mustHappen(t, "0s /a asked", "4s /a asked", "5s /a given up", "5s /a: ok")
}

func TestFirstAnswerWinsAfterAll(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(6 * time.Second), ok(never)}})
	mustBe(t, fetchOne(t, w), "ok", 1, 2, 6*time.Second)
	w.mustHappen(t, "0s /a asked", "4s /a asked", "6s /a given up", "6s /a: ok")
}

func TestBothRequestsFail(t *testing.T) {
	refused := reply{err: errRefused}
	w := newWorld(t, map[string][]reply{"/a": {refused, refused}})
	w.tries = 1
	mustBe(t, fetchOne(t, w), "connection refused", 1, 2, 4*time.Second)
}

func TestTimeoutOfEachTry(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(never), ok(never), ok(never), ok(time.Second)}})
	w.tries = 2
	mustBe(t, fetchOne(t, w), "ok", 2, 4, 16*time.Second)
	w.mustHappen(t,
		"0s /a asked", "4s /a asked", "10s /a given up", "10s /a given up",
		"11s /a asked", "15s /a asked", "16s /a given up", "16s /a: ok")
}

func TestTimeoutOfTheLastTry(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(never), ok(never)}})
	w.tries = 1
	mustBe(t, fetchOne(t, w), "timeout", 1, 2, 10*time.Second)
}

func TestAtMostNAtATime(t *testing.T) {
	second := []reply{ok(time.Second)}
	w := newWorld(t, map[string][]reply{"/a": second, "/b": {ok(3 * time.Second)}, "/c": second, "/d": second})
	d := w.fetchAll([]string{"/a", "/b", "/c", "/d"})
	w.clk.Run()
	sum := futuretest.Success(t, d)
	if sum.time != 3*time.Second || sum.failed() != 0 || sum.stopped != nil {
		t.Errorf("%d failed in %v, stopped: %v", sum.failed(), sum.time, sum.stopped)
	}
	w.mustHappen(t,
		"0s /a asked", "0s /b asked", "1s /a: ok", "1s /c asked", "2s /c: ok", "2s /d asked",
		"3s /b: ok", "3s /d: ok")
}

func TestNothingToDo(t *testing.T) {
	w := newWorld(t, nil)
	d := w.fetchAll(nil)
	w.clk.Run()
	if sum := futuretest.Success(t, d); len(sum.results) != 0 || sum.time != 0 {
		t.Errorf("%d results in %v", len(sum.results), sum.time)
	}
}

// stopped is what there is to fetch when it is stopped after 5 seconds: one is
// done, one hangs, one is in a pause, one has not been begun.
var stopped = map[string][]reply{
	"/done":    {ok(time.Second)},
	"/pausing": {{after: 3500 * time.Millisecond, answer: answer{status: 503}}},
	"/hanging": {ok(never), ok(never)},
}

func fetchStopped(w *world) *future.Deferred[summary] {
	w.parallel = 2
	w.pause = 10 * time.Second
	return w.fetchAll([]string{"/done", "/hanging", "/pausing", "/unbegun"})
}

func mustReportStopped(t *testing.T, w *world, sum summary) {
	t.Helper()
	w.mustHappen(t,
		"0s /done asked", "0s /hanging asked", "1s /done: ok", "1s /pausing asked", "4s /hanging asked",
		"5s /hanging given up", "5s /hanging given up", "5s /pausing: canceled", "5s /hanging: canceled")
	second := time.Second
	mustBe(t, sum.results[0], "ok", 1, 1, second)
	mustBe(t, sum.results[1], "canceled", 1, 2, 5*second)
	mustBe(t, sum.results[2], "canceled", 1, 1, 4*second)
	mustBe(t, sum.results[3], "not tried", 0, 0, 0)
	if sum.time != 5*second {
		t.Errorf("it took %v", sum.time)
	}
}

func TestDeadline(t *testing.T) {
	w := newWorld(t, stopped)
	w.deadline = 5 * time.Second
	d := fetchStopped(w)
	w.clk.Run()
	sum := futuretest.Success(t, d)
	mustReportStopped(t, w, sum)
	if !errors.Is(sum.stopped, context.DeadlineExceeded) {
		t.Errorf("stopped: %v", sum.stopped)
	}
}

// The same when there is nothing left to begin.
func TestDeadlineOfTheLast(t *testing.T) {
	w := newWorld(t, map[string][]reply{"/a": {ok(never)}})
	w.deadline = 3 * time.Second
	d := w.fetchAll([]string{"/a"})
	w.clk.Run()
	sum := futuretest.Success(t, d)
	mustBe(t, sum.results[0], "canceled", 1, 1, 3*time.Second)
	if !errors.Is(sum.stopped, context.DeadlineExceeded) {
		t.Errorf("stopped: %v", sum.stopped)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t, stopped)
	ctx, cancel := context.WithCancelCause(t.Context())
	d := fetchStopped(w).WithContext(ctx)
	w.clk.Advance(5 * time.Second)
	futuretest.Pending(t, d)
	interrupt := errors.New("interrupt")
	cancel(interrupt)
	w.clk.Run()
	sum := futuretest.Success(t, d)
	mustReportStopped(t, w, sum)
	if !errors.Is(sum.stopped, future.ErrCanceled) || !errors.Is(sum.stopped, interrupt) {
		t.Errorf("stopped: %v", sum.stopped)
	}
}
