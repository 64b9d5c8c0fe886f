package future_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// above is the place of the line above its call.
func above() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line-1)
}

// recording is a reactor that records birthplaces.
func recording(opts ...reactor.Option) (*reactor.Reactor, *clock.Virtual) {
	clk := clock.NewVirtual()
	return reactor.New(clk, append(opts, reactor.Birthplaces())...), clk
}

// A second settle is refused, and the Deferred tells who made it and who was the
// first to settle it, if that is recorded. The second is not told.
func TestSecondSettleIsToldOfTheFirst(t *testing.T) {
	t.Parallel()
	succeed := func(res future.Resolver[int]) (bool, string) {
		ok := res.Succeed(1)
		return ok, above()
	}
	fail := func(res future.Resolver[int]) (bool, string) {
		ok := res.Fail(errA)
		return ok, above()
	}
	type settle = func(future.Resolver[int]) (bool, string)
	for name, both := range map[string][2]settle{
		"CC": {succeed, succeed}, "CE": {succeed, fail}, "EC": {fail, succeed}, "EE": {fail, fail},
	} {
		t.Run(name, func(t *testing.T) {
			secondSettle(t, both[0], both[1], true)
			secondSettle(t, both[0], both[1], false)
		})
	}
}

// secondSettle settles twice, on a reactor that records or not. Both report
// whether they did, and their line.
func secondSettle(t *testing.T, one, two func(future.Resolver[int]) (bool, string), records bool) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	if records {
		r = reactor.New(clk, reactor.Birthplaces())
	}
	d, res := future.NewOn[int](r)
	made := above()
	first, at := one(res)
	second, again := two(res)
	d.Result()
	if !first || second {
		t.Errorf("settled: %v, then %v", first, second)
	}
	text := fmt.Sprintf("%+v", d)
	want := fmt.Sprintf("\n\tmade at %s\n\tsettled at %s", made, at)
	if strings.HasSuffix(text, want) != records || strings.Contains(text, ".go:") != records {
		t.Errorf("recorded: %v, want at the end%s\ngot %s", records, want, text)
	}
	if at != again && strings.Contains(text, again) {
		t.Errorf("the second settle is told: %s", text)
	}
}

// settledBy are the ways to settle. Each returns a Deferred that has settled, and
// what %+v is to say of that; made at is tested elsewhere.
var settledBy = map[string]func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string){
	"Settle": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		res.Settle(1, nil)
		return d, "settled at " + above()
	},
	"Cancel": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, _ := future.NewOn[int](r)
		d.Cancel(nil)
		return d, "settled at " + above()
	},
	"Cancel of what is derived": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, _ := future.NewOn[int](r)
		future.Then(d, inc).Shield().Timeout(r, time.Second).Cancel(nil)
		f := d.Shield()
		f.Cancel(nil)
		return f, "settled at " + above()
	},
	"a canceller": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		at := ""
		res.OnCancel(func(error) {
			res.Succeed(1)
			at = above()
		})
		d.Cancel(nil)
		return d, "settled at " + at
	},
	"a callback of the loop": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		at := ""
		future.Then(future.After(r, time.Second, 1), func(int) (int, error) {
			res.Fail(errA)
			at = above()
			return 0, nil
		})
		clk.Advance(time.Second)
		return d, "settled at " + at
	},
	"another goroutine": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		at := ""
		onGoroutine(func() {
			res.Succeed(1)
			at = above()
		})
		return d, "settled at " + at
	},
	"its callback": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.Then(future.After(r, time.Second, 1), inc)
		clk.Advance(time.Second)
		return d, "settled by github.com/deferred-go/deferred/future_test.inc "
	},
	"its failing callback": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.Handle(future.After(r, time.Second, 1), func(int, error) (int, error) { return 0, errA })
		clk.Advance(time.Second)
		d.Result()
		return d, "settled by github.com/deferred-go/deferred/future_test."
	},
	"its clean-up": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.After(r, time.Second, 1).Finally(closing)
		clk.Advance(time.Second)
		return d, "settled by github.com/deferred-go/deferred/future_test.closing "
	},
	"its panicking callback": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		at := ""
		d := future.Then(future.After(r, time.Second, 1), func(int) (int, error) {
			_, file, line, _ := runtime.Caller(0)
			at = fmt.Sprintf("%s:%d", file, line+2)
			panic(errA)
		})
		clk.Advance(time.Second)
		d.Result()
		return d, "settled at " + at
	},
	"its callback that ended the goroutine": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		at := ""
		d := future.Then(future.After(r, time.Second, 1), func(int) (int, error) {
			_, file, line, _ := runtime.Caller(0)
			at = fmt.Sprintf("%s:%d", file, line+2)
			runtime.Goexit()
			return 0, nil
		})
		onGoroutine(func() { clk.Advance(time.Second) })
		d.Result()
		return d, "settled at " + at
	},
	"the callback of what it follows": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.Then(future.After(r, time.Second, 1), inc).Shield().Catch(func(error) (int, error) { return 0, nil })
		all := future.All(d.Timeout(r, time.Hour), future.Succeed(1).On(r))
		clk.Advance(time.Second)
		return all, "settled by github.com/deferred-go/deferred/future_test.inc "
	},
	"who settled what it follows": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		all := future.All(d.Shield().Timeout(r, time.Hour), future.Succeed(1).On(r))
		res.Succeed(1)
		return all, "settled at " + above()
	},
	"who settled what its callback returned": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		e := future.ThenFlat(future.After(r, 0, 1), func(int) *future.Deferred[int] { return d })
		clk.Advance(0)
		res.Succeed(1)
		return e, "settled at " + above()
	},
	"a Deferred that was settled before": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.After(r, time.Second, 1).Shield().Shield()
		clk.Advance(time.Second)
		e := d.Shield()
		return e, "settled at " + above()
	},
	"a timer": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.After(r, time.Second, 1)
		clk.Advance(time.Second)
		return d, "settled by its reactor"
	},
	"a timeout": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, _ := future.NewOn[int](r)
		e := d.Timeout(r, time.Second)
		clk.Advance(time.Second)
		return e, "settled by its reactor"
	},
	"a coroutine": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.AsyncOn(context.Background(), r, waits(r))
		clk.Advance(time.Second)
		return d, "settled by github.com/deferred-go/deferred/future_test.waits.func1 "
	},
	"a job": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.GoOn(context.Background(), r, waits(r))
		clk.Advance(time.Second)
		return d, "settled by github.com/deferred-go/deferred/future_test.waits.func1 "
	},
	"a job that was canceled": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d := future.GoOn(context.Background(), r, waits(r))
		d.Cancel(nil)
		return d, "settled at " + above()
	},
	"Follow": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		d, res := future.NewOn[int](r)
		res.Follow(future.Then(future.After(r, time.Second, 1), inc))
		at := above()
		clk.Advance(time.Second)
		return d, "follows another one since " + at + "\n\tsettled by github.com/deferred-go/deferred/future_test.inc "
	},
	"whoever settled its taker": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		gate, res := future.NewOn[int](r)
		var inner *future.Deferred[int]
		future.ThenFlat(future.After(r, 0, 1), func(int) *future.Deferred[int] {
			inner = future.ThenFlat(future.After(r, 0, 1), func(int) *future.Deferred[int] { return gate })
			return inner
		})
		clk.Advance(0)
		res.Succeed(1)
		return inner, "settled at " + above()
	},
	"whoever settled its taker, before somebody attached": func(r *reactor.Reactor, clk *clock.Virtual) (fmt.Formatter, string) {
		gate, res := future.NewOn[int](r)
		var inner *future.Deferred[int]
		future.ThenFlat(future.After(r, 0, 1), func(int) *future.Deferred[int] {
			inner = future.ThenFlat(future.After(r, 0, 1), func(int) *future.Deferred[int] { return gate })
			return inner
		})
		clk.Advance(0)
		res.Succeed(1)
		at := above()
		inner.Shield() // it has a place of its own again
		return inner, "settled at " + at
	},
}

//go:noinline
func waits(r *reactor.Reactor) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) { return future.After(r, time.Second, 1).Await(ctx) }
}

func TestWhatSettledIt(t *testing.T) {
	t.Parallel()
	for name, settle := range settledBy {
		t.Run(name, func(t *testing.T) {
			r, clk := recording()
			d, want := settle(r, clk)
			text := fmt.Sprintf("%+v", d)
			if !strings.Contains(text, "\n\t"+want) || !strings.Contains(text, "\n\tmade at ") && !strings.Contains(name, "taker") || strings.Count(text, "settled ") != 1 {
				t.Errorf("want %s\ngot %s", want, text)
			}
			if text := fmt.Sprintf("%v %s", d, d); strings.Contains(text, ".go:") {
				t.Errorf("%%v and %%s have places: %s", text)
			}
			plain := clock.NewVirtual()
			d, _ = settle(reactor.New(plain), plain)
			if text := fmt.Sprintf("%+v", d); strings.Contains(text, "made at") || strings.Contains(text, "settled ") || strings.Contains(text, "since ") {
				t.Errorf("not recorded, and told: %s", text)
			}
		})
	}
}

// What is pending tells where it was made, and whom it was told to follow where.
func TestPendingTellsWhereItWasMade(t *testing.T) {
	t.Parallel()
	r, _ := recording()
	d, res := future.NewOn[int](r)
	made := above()
	if text, want := fmt.Sprintf("%+v", d), "Deferred[int](pending)\n\tmade at "+made; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	other, _ := future.New[int]()
	res.Follow(other)
	at := above()
	if res.Succeed(1) {
		t.Error("a settle after Follow was not refused")
	}
	if text, want := fmt.Sprintf("%+v", d), "Deferred[int](pending)\n\tmade at "+made+"\n\tfollows another one since "+at; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// A failure that nobody handled is reported when its Deferred is garbage, with
// where that was made and settled.
func TestReportsTellWhereItWasMadeAndSettled(t *testing.T) {
	t.Parallel()
	var made, settled string
	for name, lose := range map[string]func(r *reactor.Reactor, err error){
		"dropped": func(r *reactor.Reactor, err error) {
			_, res := future.NewOn[int](r)
			made = above()
			res.Fail(err)
			settled = "settled at " + above()
		},
		"held by a frame that has gone": func(r *reactor.Reactor, err error) {
			func() {
				d, res := future.NewOn[int](r)
				made = above()
				func() {
					res.Fail(err)
					settled = "settled at " + above()
				}()
				runtime.KeepAlive(d)
			}()
		},
		"in a cycle": func(r *reactor.Reactor, err error) {
			type cycle struct {
				d    *future.Deferred[int]
				self *cycle
			}
			d, res := future.NewOn[int](r)
			made = above()
			c := &cycle{d: d}
			c.self = c
			res.OnCancel(func(error) { c.self = c })
			res.Fail(err)
			settled = "settled at " + above()
		},
		"at the end of a chain": func(r *reactor.Reactor, err error) {
			d, res := future.NewOn[int](r)
			future.Then(d.Shield(), inc)
			made = above()
			res.Fail(err)
			settled = "settled at " + above()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &capture{news: make(chan struct{}, 1)}
			r, clk := recording(reactor.Logger(slog.New(c)))
			err := errors.New("lost, " + name)
			onGoroutine(func() { lose(r, err) })
			clk.Advance(0)
			c.collectOn(t, r)
			n, f := c.count(err)
			if n != 1 {
				t.Fatalf("reported %d times", n)
			}
			want := "\n\tmade at " + made + "\n\t" + settled
			if text := fmt.Sprintf("%+v", f); !strings.HasSuffix(text, want) {
				t.Errorf("the report ends without%s\n%s", want, text)
			}
		})
	}
}

// What is recorded of a Deferred that has settled keeps neither it nor those
// that it came from: an endless loop takes constant memory all the same.
func TestRecordsKeepNothingThatHasSettled(t *testing.T) {
	r, clk := recording()
	gone := make(chan struct{})
	var before int64
	d := future.Succeed(1).On(r)
	onGoroutine(func() {
		first, res := future.NewOn[int](r)
		runtime.AddCleanup(first, func(c chan struct{}) { close(c) }, gone)
		d = future.Then(first, inc)
		res.Succeed(1)
		first = nil
	})
	const rounds = 40_000 / (1 + 9*underRace)
	for i := range rounds {
		d = future.ThenFlat(d, func(int) *future.Deferred[int] { return future.After(r, 1, 0) }).Shield().Catch(func(error) (int, error) { return 0, nil })
		clk.Advance(1)
		if i == rounds/4 {
			before = heapNow()
		}
	}
	if grown := heapNow() - before; grown > little {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	collected(t, gone)
	runtime.KeepAlive(d)
}

// A reactor that records, and is dropped with pending Deferreds, is garbage.
func TestRecordsKeepNoReactor(t *testing.T) {
	gone := make(chan struct{})
	onGoroutine(func() {
		r, _ := recording()
		future.NewOn[int](r)
		runtime.AddCleanup(r, func(c chan struct{}) { close(c) }, gone)
	})
	collected(t, gone)
}

// collected waits until gone is closed by the garbage collection.
func collected(t *testing.T, gone chan struct{}) {
	t.Helper()
	for range 1000 {
		runtime.GC()
		select {
		case <-gone:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("not garbage")
}
