package lifetime_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/internal/lifetime"
)

type key string

var errWhy = errors.New("why")

func background(t *testing.T) *lifetime.Context {
	t.Helper()
	return lifetime.New(context.Background(), nil, nil)
}

func TestEnd_is_what_the_context_says(t *testing.T) {
	for _, asked := range []bool{false, true} { // whether Done was asked for before
		for _, tt := range []struct{ err, cause, wantCause error }{
			{context.Canceled, nil, context.Canceled},
			{context.Canceled, errWhy, errWhy},
			{context.DeadlineExceeded, nil, context.DeadlineExceeded},
			{context.DeadlineExceeded, errWhy, errWhy},
		} {
			t.Run(fmt.Sprint(asked, tt.err, tt.cause), func(t *testing.T) {
				c := background(t)
				if asked {
					c.Done()
				}
				if c.Err() != nil || context.Cause(c) != nil {
					t.Fatalf("before the end: Err %v, Cause %v", c.Err(), context.Cause(c))
				}
				if !c.End(tt.err, tt.cause) || c.End(context.Canceled, nil) {
					t.Error("the first End must return true and the second false")
				}
				if c.Err() != tt.err || context.Cause(c) != tt.wantCause {
					t.Errorf("Err %v, Cause %v, want %v, %v", c.Err(), context.Cause(c), tt.err, tt.wantCause)
				}
				<-c.Done()
				if c.Err() != tt.err {
					t.Errorf("after Done Err is %v", c.Err())
				}
				late, cancel := context.WithCancel(c)
				defer cancel()
				if late.Err() != tt.err || context.Cause(late) != tt.wantCause {
					t.Errorf("a child made later: Err %v, Cause %v", late.Err(), context.Cause(late))
				}
			})
		}
	}
}

// The cause is the context's own, also if a context above has another.
func TestCause_is_not_that_of_a_context_above(t *testing.T) {
	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		above, cancel := context.WithCancelCause(context.Background())
		c := lifetime.New(above, func(context.Context, func()) func() bool { return func() bool { return true } }, nil)
		child, cancelChild := context.WithCancel(context.WithValue(c, key("k"), 1))
		defer cancelChild()
		cancel(errors.New("another"))
		c.End(err, errWhy)
		for _, ctx := range []context.Context{c, child} {
			if ctx.Err() != err || context.Cause(ctx) != errWhy {
				t.Errorf("Err %v, Cause %v, want %v, %v", ctx.Err(), context.Cause(ctx), err, errWhy)
			}
		}
	}
}

// Standard contexts below, at any depth and also below values, have ended when
// End returns, and no goroutine was started for it.
func TestEnd_ends_standard_contexts_within_the_call(t *testing.T) {
	before := runtime.NumGoroutine()
	c := background(t)
	deep := context.Context(c)
	var all []context.Context
	for i := range 20 {
		var cancel context.CancelFunc
		if i%2 == 0 {
			deep, cancel = context.WithCancel(context.WithValue(deep, key("i"), i))
		} else {
			deep, cancel = context.WithTimeout(deep, time.Hour)
		}
		defer cancel()
		all = append(all, deep)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines were started", n-before)
	}
	c.End(context.DeadlineExceeded, errWhy)
	for i, ctx := range all {
		if ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != errWhy {
			t.Errorf("context %d: Err %v, Cause %v", i, ctx.Err(), context.Cause(ctx))
		}
	}
}

// Standard contexts first, then functions and the library's contexts in order.
func TestEnd_has_an_order(t *testing.T) {
	c := background(t)
	std, cancel := context.WithCancel(c)
	defer cancel()
	var log []string
	note := func(s string) func() {
		return func() {
			log = append(log, s)
			if std.Err() == nil || c.Err() == nil {
				t.Error(s, "ran before the standard contexts had ended")
			}
		}
	}
	c.AfterFunc(note("1"))
	child := lifetime.New(c, nil, nil)
	child.AfterFunc(note("child 1"))
	c.AfterFunc(note("2"))
	stop := c.AfterFunc(note("stopped"))
	lifetime.New(context.WithValue(c, key("k"), 1), nil, nil).AfterFunc(note("below a value"))
	c.AfterFunc(func() {
		note("3")()
		c.AfterFunc(note("added within"))
	})
	c.AfterFunc(note("4"))
	if !stop() || stop() {
		t.Error("stop must return true once")
	}
	c.End(context.Canceled, errWhy)
	want := []string{"1", "child 1", "2", "below a value", "3", "added within", "4"}
	if !slices.Equal(log, want) {
		t.Errorf("order %q, want %q", log, want)
	}
	if child.Err() != context.Canceled || context.Cause(child) != errWhy {
		t.Errorf("child: %v, %v", child.Err(), context.Cause(child))
	}
	late := false
	if stop := c.AfterFunc(func() { late = true }); !late || stop() {
		t.Error("AfterFunc of an ended context must call at once, and there is nothing to stop")
	}
}

func TestNew_below_an_ended_context_has_ended(t *testing.T) {
	std, cancel := context.WithCancelCause(context.Background())
	cancel(errWhy)
	lib := background(t)
	lib.End(context.DeadlineExceeded, errWhy)
	for _, parent := range []context.Context{std, lib, context.WithValue(lib, key("k"), 1)} {
		c := lifetime.New(parent, nil, nil)
		if c.Err() != parent.Err() || context.Cause(c) != errWhy {
			t.Errorf("Err %v, Cause %v, want %v, %v", c.Err(), context.Cause(c), parent.Err(), errWhy)
		}
	}
}

func TestNew_watches_a_foreign_parent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancelCause(context.Background())
		c := lifetime.New(parent, nil, nil)
		cancel(errWhy)
		synctest.Wait()
		if c.Err() != context.Canceled || context.Cause(c) != errWhy {
			t.Errorf("Err %v, Cause %v", c.Err(), context.Cause(c))
		}
	})
}

func TestNew_asks_watch_and_stops_it(t *testing.T) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ended func()
	stopped := 0
	watch := func(ctx context.Context, f func()) func() bool {
		if ctx != parent {
			t.Error("watch was asked for another context")
		}
		ended = f
		return func() bool { stopped++; return true }
	}
	c := lifetime.New(parent, watch, nil)
	c.End(context.Canceled, nil)
	if stopped != 1 {
		t.Errorf("the watch was stopped %d times, want 1", stopped)
	}
	c = lifetime.New(parent, watch, nil)
	cancel()
	if c.Err() != nil {
		t.Error("ended before the watch said so")
	}
	ended()
	if c.Err() != context.Canceled {
		t.Errorf("Err %v", c.Err())
	}
	lifetime.New(context.Background(), func(context.Context, func()) func() bool {
		t.Error("watch was asked for a context that never ends")
		return nil
	}, nil)
	lifetime.New(c, func(context.Context, func()) func() bool {
		t.Error("watch was asked for a context of the library")
		return nil
	}, nil)
	// A watch that calls before it has returned.
	parent, cancel2 := context.WithCancel(context.Background())
	defer cancel2()
	stopped = 0
	c = lifetime.New(parent, func(_ context.Context, f func()) func() bool {
		cancel2()
		f()
		return func() bool { stopped++; return false }
	}, nil)
	if c.Err() == nil || stopped != 1 {
		t.Errorf("Err %v, stopped %d times", c.Err(), stopped)
	}
}

func TestOf(t *testing.T) {
	c := background(t)
	value := context.WithValue(context.WithValue(c, key("a"), 1), key("b"), 2)
	std, cancel := context.WithCancel(c)
	defer cancel()
	inner := lifetime.New(std, nil, nil)
	defer inner.End(context.Canceled, nil)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want *lifetime.Context
	}{
		{"itself", c, c},
		{"a value between", value, c},
		{"a cancel between", std, nil},
		{"a value above a cancel", context.WithValue(std, key("c"), 3), nil},
		{"without cancel", context.WithoutCancel(c), nil},
		{"background", context.Background(), nil},
		{"the innermost", context.WithValue(inner, key("d"), 4), inner},
	} {
		if got := lifetime.Of(tt.ctx); got != tt.want {
			t.Errorf("%s: Of = %p, want %p", tt.name, got, tt.want)
		}
	}
}

func TestOwner(t *testing.T) {
	outer := lifetime.New(context.Background(), nil, "outer")
	inner := lifetime.New(context.WithValue(outer, key("k"), "v"), nil, "inner")
	none := lifetime.New(inner, nil, nil)
	std, cancel := context.WithTimeout(none, time.Hour)
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		want any
	}{
		{context.Background(), nil},
		{background(t), nil},
		{outer, "outer"},
		{inner, "inner"},
		{none, "inner"},
		{std, "inner"},
		{context.WithoutCancel(std), "inner"},
		{lifetime.New(context.WithoutCancel(outer), nil, nil), "outer"},
	} {
		if got := lifetime.Owner(tt.ctx); got != tt.want {
			t.Errorf("Owner(%v) = %v, want %v", tt.ctx, got, tt.want)
		}
	}
	if inner.Value(key("k")) != "v" {
		t.Error("a value of the parent is not seen")
	}
}

func TestDeadline_is_the_parents(t *testing.T) {
	if _, ok := background(t).Deadline(); ok {
		t.Error("there is a deadline")
	}
	std, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	want, _ := std.Deadline()
	c := lifetime.New(std, nil, nil)
	defer c.End(context.Canceled, nil)
	if got, ok := c.Deadline(); !ok || got != want {
		t.Errorf("Deadline = %v %v, want %v", got, ok, want)
	}
}

// 100,000 contexts made and ended below one parent leave nothing there.
func TestEnded_contexts_leave_nothing_in_their_parent(t *testing.T) {
	std, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, parent := range map[string]context.Context{"library": background(t), "standard": std} {
		t.Run(name, func(t *testing.T) {
			heap := func() uint64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before := heap()
			for range 100_000 {
				c := lifetime.New(parent, nil, nil)
				c.Done()
				c.End(context.Canceled, nil)
			}
			if grown := int64(heap()) - int64(before); grown > 4<<20 {
				t.Errorf("%d bytes are left", grown)
			}
			runtime.KeepAlive(parent)
		})
	}
}

// Everything at once, for the race detector.
func TestConcurrent_use(t *testing.T) {
	for range 50 {
		parent := background(t)
		c := lifetime.New(parent, nil, nil)
		var wg sync.WaitGroup
		var mu sync.Mutex
		called := 0
		for i := range 8 {
			wg.Go(func() {
				switch i {
				case 0:
					c.End(context.DeadlineExceeded, errWhy)
				case 1:
					parent.End(context.Canceled, nil)
				case 2:
					<-c.Done()
					if c.Err() == nil || context.Cause(c) == nil {
						t.Error("Done is closed and there is no error")
					}
				case 3:
					ctx, cancel := context.WithCancel(c)
					<-ctx.Done()
					cancel()
				case 4:
					lifetime.New(c, nil, nil).Done()
				default:
					stop := c.AfterFunc(func() { mu.Lock(); called++; mu.Unlock() })
					if i == 7 && stop() {
						mu.Lock()
						called++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		<-c.Done()
	}
}

func BenchmarkNew_end(b *testing.B) {
	parent := lifetime.New(context.Background(), nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		lifetime.New(parent, nil, "owner").End(context.Canceled, nil)
	}
}

func BenchmarkNew_done_end(b *testing.B) {
	parent := lifetime.New(context.Background(), nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		c := lifetime.New(parent, nil, "owner")
		c.Done()
		c.End(context.DeadlineExceeded, nil)
	}
}

func BenchmarkStandard_WithCancel_done_end(b *testing.B) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		c, cancel := context.WithCancel(parent)
		c.Done()
		cancel()
	}
}

func ExampleContext_End() {
	c := lifetime.New(context.Background(), nil, nil)
	below, cancel := context.WithCancel(context.WithValue(c, key("user"), "ann"))
	defer cancel()
	c.AfterFunc(func() { fmt.Println("below:", below.Err()) })
	c.End(context.DeadlineExceeded, errors.New("it took too long"))
	fmt.Println("cause:", context.Cause(below))
	// Output:
	// below: context deadline exceeded
	// cause: it took too long
}
