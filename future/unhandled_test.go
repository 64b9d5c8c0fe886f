package future_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// A capture is a slog handler that keeps the failures it is given.
type capture struct {
	slog.Handler
	mu    sync.Mutex
	seen  []*failure.Failure
	news  chan struct{}
	level slog.Level
}

func (*capture) Enabled(context.Context, slog.Level) bool { return true }

func (c *capture) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if f, ok := a.Value.Any().(*failure.Failure); ok {
			c.mu.Lock()
			c.seen = append(c.seen, f)
			c.level = r.Level
			c.mu.Unlock()
		}
		return true
	})
	select {
	case c.news <- struct{}{}:
	default:
	}
	return nil
}

// count returns how many failures matched err, and the last of them.
func (c *capture) count(err error) (n int, last *failure.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.seen {
		if errors.Is(f, err) {
			n, last = n+1, f
		}
	}
	return n, last
}

// collect runs the garbage collection until all that was lost before the call
// has been reported: that is when a failure lost last has been, and two more
// collections have passed.
func (c *capture) collect(t *testing.T) { c.collectOn(t, nil) }

// collectOn is collect for a logger of r, or for the default one if r is nil.
func (c *capture) collectOn(t *testing.T, r future.Executor) {
	t.Helper()
	for range 2 {
		lastly := errors.New("lost last")
		onGoroutine(func() {
			if r != nil {
				_, res := future.NewOn[int](r)
				res.Fail(lastly)
			} else {
				future.Fail[int](lastly)
			}
		})
		for range 1000 {
			runtime.GC()
			if n, _ := c.count(lastly); n > 0 {
				break
			}
			runtime.Gosched()
		}
		for {
			if n, _ := c.count(lastly); n > 0 {
				break
			}
			<-c.news
		}
	}
}

// A failure that nobody handled is reported once, and nothing else is. The test
// sets slog's default handler, so it is not parallel.
func TestUnhandled(t *testing.T) {
	c := &capture{news: make(chan struct{}, 1)}
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(c))
	ignore := func(error) (int, error) { return 0, nil }
	type deferred = *future.Deferred[int]

	for _, tc := range []struct {
		name   string
		lose   func(err error)
		want   int
		reason string
	}{
		{"Fail", func(err error) { future.Fail[int](err) }, 1, "nobody saw it"},
		{"Resolver.Fail", func(err error) {
			_, res := future.New[int]()
			res.Fail(err)
		}, 1, "nobody saw it"},
		{"callback", func(err error) {
			future.Then(future.Succeed(1), func(int) (int, error) { return 0, err })
		}, 1, "nobody saw it"},
		{"panic", func(err error) {
			future.Then(future.Succeed(1), func(int) (int, error) { panic(err) })
		}, 1, "a panic is a failure"},
		{"at the end of a chain", func(err error) {
			d := future.Fail[int](err)
			for range 50 {
				d = future.Then(d, inc).Finally(func() error { return nil }).Shield()
			}
		}, 1, "one failure, however many links it passed"},
		{"two branches", func(err error) {
			d := future.Fail[int](err)
			future.Then(d, inc)
			future.Then(d, inc)
			future.Then(future.Then(d, inc), inc)
		}, 1, "once a failure, not once a branch"},
		{"one branch drops it", func(err error) {
			d := future.Fail[int](err)
			d.Catch(ignore)
			future.Then(d, inc)
		}, 1, "another branch has handled it, this one has not"},
		{"one branch drops it, the other one comes later", func(err error) {
			d := future.Fail[int](err)
			future.Then(d, inc)
			d.Catch(ignore)
		}, 1, "another branch has handled it, this one has not"},
		{"both branches handle it", func(err error) {
			d := future.Fail[int](err)
			d.Catch(ignore)
			future.Then(d, inc).Catch(ignore)
		}, 0, "handled"},
		{"caught", func(err error) { future.Fail[int](err).Catch(ignore) }, 0, "handled"},
		{"caught late", func(err error) {
			d := future.Fail[int](err)
			runtime.GC()
			d.Catch(ignore)
		}, 0, "handled before it was lost"},
		{"replaced", func(err error) {
			future.Fail[int](errors.New("first")).Catch(func(error) (int, error) { return 0, err })
		}, 1, "the failure that took its place was lost"},
		{"raised again", func(err error) {
			d := future.Fail[int](err)
			d.Catch(func(err error) (int, error) { return 0, err })
		}, 1, "a new failure of the same error was lost"},
		{"Handle", func(err error) {
			future.Handle(future.Fail[int](err), func(int, error) (int, error) { return 0, nil })
		}, 0, "handled"},
		{"Finally only", func(err error) {
			future.Fail[int](err).Finally(func() error { return nil })
		}, 1, "Finally passes it on"},
		{"Result", func(err error) { future.Fail[int](err).Result() }, 0, "Result gave it"},
		{"Result too early", func(err error) {
			d, res := future.New[int]()
			d.Result()
			res.Fail(err)
		}, 1, "Result gave no failure"},
		{"Await", func(err error) { future.Fail[int](err).Await(context.Background()) }, 0, "Await gave it"},
		{"Done", func(err error) {
			d := future.Fail[int](err)
			<-d.Done()
		}, 1, "Done does not give it"},
		{"Done, pending", func(err error) {
			d, res := future.New[int]()
			done := d.Done()
			res.Fail(err)
			<-done
		}, 1, "Done does not give it"},
		{"formatted", func(err error) { _ = fmt.Sprintf("%v %+v", future.Fail[int](err), future.Fail[int](errors.New("x"))) }, 1, "to print is not to handle"},
		{"a cancellation", func(err error) {
			d, _ := future.New[int]()
			d.Cancel(err)
			e, res := future.New[int]()
			future.Then(e, inc).Cancel(err)
			res.Fail(err)
		}, 0, "it was asked for"},
		{"a late settle", func(err error) {
			d, res := future.New[int]()
			d.Cancel(nil)
			res.Fail(err)
			e, res := future.New[int]()
			res.Succeed(1)
			res.Fail(err)
			e.Result()
		}, 0, "it was refused"},
		{"All", func(err error) { future.All(future.Fail[int](err), future.Succeed(1)) }, 1, "the gather's failure is that of its input"},
		{"All, two fail", func(err error) {
			future.All(future.Fail[int](err), future.Fail[int](err)).Catch(func(error) ([]int, error) { return nil, nil })
		}, 0, "the gather took both"},
		{"AllSettled", func(err error) { future.AllSettled(future.Fail[int](err)) }, 0, "the outcome is in its value"},
		{"Any", func(err error) { future.Any(future.Fail[int](err), future.Succeed(1)) }, 0, "another input came first"},
		{"Any, all fail", func(err error) { future.Any(future.Fail[int](err), future.Fail[int](errA)) }, 1, "the joined error was lost"},
		{"loser of a race", func(err error) {
			d, res := future.New[int]()
			future.Race(d.Shield(), future.Succeed(1))
			res.Fail(err)
		}, 0, "it was taken into the race"},
		{"Follow", func(err error) {
			d, res := future.New[int]()
			in, inRes := future.New[int]()
			res.Follow(in)
			inRes.Fail(err)
			_ = d
		}, 1, "the follower's is lost, not once each"},
		{"what a callback returned", func(err error) {
			future.ThenFlat(future.Succeed(1), func(int) deferred { return future.Fail[int](err) }).Catch(ignore)
		}, 0, "handled"},
		{"taken over", func(err error) {
			m := takeOver()
			m.res.Fail(err)
		}, 1, "the outer one's is lost"},
		{"taken over, the inner one is asked", func(err error) {
			m := takeOver()
			m.res.Fail(err)
			m.inner.Result()
		}, 1, "who looks at the inner one does not handle the outer one's"},
		{"taken over, the outer one is asked", func(err error) {
			m := takeOver()
			m.res.Fail(err)
			m.outer.Result()
		}, 0, "handled"},
		{"Go", func(err error) {
			<-future.Go(context.Background(), func(context.Context) (int, error) { return 0, err }).Done()
		}, 1, "nobody saw it"},
		{"Async", func(err error) {
			future.Async(context.Background(), func(context.Context) (int, error) { return 0, err })
		}, 1, "nobody saw it"},
		{"awaited in a coroutine", func(err error) {
			future.Async(context.Background(), func(ctx context.Context) (int, error) {
				future.Fail[int](err).Await(ctx)
				return 0, nil
			})
		}, 0, "Await gave it"},
		{"AsCompleted", func(err error) {
			for range future.AsCompleted(context.Background(), future.Fail[int](err)) {
			}
		}, 0, "the loop was given it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := fmt.Errorf("lost by %s", tc.name)
			onGoroutine(func() { tc.lose(err) }) // on a stack that is gone then
			c.collect(t)
			if n, _ := c.count(err); n != tc.want {
				t.Errorf("reported %d times, want %d: %s", n, tc.want, tc.reason)
			}
		})
	}

	t.Run("report", func(t *testing.T) {
		err := errors.New("lost on its way")
		onGoroutine(func() {
			d := future.Then(future.Succeed(1), func(int) (int, error) { return 0, err })
			future.Then(d, inc)
		})
		c.collect(t)
		n, f := c.count(err)
		if n != 1 {
			t.Fatalf("reported %d times", n)
		}
		text := fmt.Sprintf("%+v", f)
		for _, part := range []string{"lost on its way", "TestUnhandled", "unhandled_test.go:", "future_test.inc"} {
			if !strings.Contains(text, part) {
				t.Errorf("the report lacks %q:\n%s", part, text)
			}
		}
		if c.level != slog.LevelError {
			t.Errorf("reported as %v", c.level)
		}
	})
}

// Two failures with the same error are two.
func TestUnhandledTwice(t *testing.T) {
	c := &capture{news: make(chan struct{}, 1)}
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(c))
	err := errors.New("twice")
	onGoroutine(func() {
		future.Fail[int](err)
		future.Fail[string](err)
	})
	c.collect(t)
	if n, _ := c.count(err); n != 2 {
		t.Errorf("reported %d times, want 2", n)
	}
}
