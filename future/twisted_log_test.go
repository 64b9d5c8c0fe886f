package future_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// The test sets slog's default handler, so it is not parallel.
func TestLogAsInTwisted(t *testing.T) {
	c := &capture{news: make(chan struct{}, 1)}
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(c))
	for _, tc := range []struct {
		name   string
		lose   func(err error)
		want   int
		reason string
	}{
		{"dropped", func(err error) { future.Fail[int](err) }, 1, "nobody took it"},
		{"dropped-in-a-function", func(err error) {
			func() {
				d, res := future.New[int]()
				future.Then(d, func(int) (int, error) { return 0, err })
				res.Succeed(1)
			}()
		}, 1, "nobody took it"},
		{"dropped-in-a-cycle", func(err error) {
			type node struct {
				next *node
				d    intDeferred
			}
			n := &node{d: future.Fail[int](err)}
			n.next = n
			d, res := future.New[*node]()
			res.Succeed(&node{next: n, d: future.Then(d, func(*node) (int, error) { return 0, nil })})
		}, 1, "a cycle does not keep it from being found"},
		{"moved-to-the-outer-one", func(err error) {
			d := future.ThenFlat(future.Succeed(1), returning[int](future.Fail[int](err)))
			d.Catch(func(error) (int, error) { return 0, nil })
		}, 0, "the inner failure was taken by the outer one"},
		{"cleared-by-a-chain", func(err error) {
			never, _ := future.New[int]()
			future.Fail[int](err).CatchFlat(returning[error](never))
		}, 0, "the errback took it, and waits for another"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := errors.New("lost by " + tc.name)
			onGoroutine(func() { tc.lose(err) })
			c.collect(t)
			if n, _ := c.count(err); n != tc.want {
				t.Errorf("reported %d times, want %d: %s", n, tc.want, tc.reason)
			}
		})
	}
}
