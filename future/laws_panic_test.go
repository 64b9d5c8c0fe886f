package future_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// Law 14 in small, and its exception.

// Law 14: a panic is a failure that knows its value and its stack.
func TestLawPanic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "text")
		d := future.Then(future.Succeed(1), func(int) (int, error) { panic(text) })
		_, err := d.Result()
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok || !errors.Is(err, failure.ErrPanic) || f.Error() != "panic: "+text {
			t.Fatalf("it became %v", err)
		}
		if stack := fmt.Sprintf("%+v", f); !strings.Contains(stack, "TestLawPanic") {
			t.Fatalf("the stack does not lead here: %s", stack)
		}
	})
}

// The other half: what steers a property tester passes through a callback, so
// that a property which fails there still shrinks, and the Deferred has failed.
// The tester writes its file into the current directory, so the test is not
// parallel.
func TestLawControlPanic(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		name string
		run  func(check func(v int) (int, error), v int) *future.Deferred[int]
	}{
		{"Then", func(check func(int) (int, error), v int) *future.Deferred[int] {
			d, res := future.New[int]()
			e := future.Then(d, check)
			defer res.Succeed(v)
			return e
		}},
		{"Then, on an executor", func(check func(int) (int, error), v int) *future.Deferred[int] {
			var x foreign
			d, res := future.NewOn[int](&x)
			e := future.Then(d, check)
			res.Succeed(v)
			x.run()
			return e
		}},
		{"Finally", func(check func(int) (int, error), v int) *future.Deferred[int] {
			return future.Succeed(v).Finally(func() error {
				_, err := check(v)
				return err
			})
		}},
		{"canceller", func(check func(int) (int, error), v int) *future.Deferred[int] {
			d, res := future.New[int]()
			res.OnCancel(func(error) { check(v) })
			d.Cancel(nil)
			return d
		}},
		{"Async", func(check func(int) (int, error), v int) *future.Deferred[int] {
			return future.Async(t.Context(), func(context.Context) (int, error) { return check(v) })
		}},
	} {
		tb := &fakeTB{TB: t}
		least, wentOn := -1, false
		rapid.Check(tb, func(t *rapid.T) {
			v := rapid.IntRange(0, 1_000_000).Draw(t, "v")
			c.run(func(v int) (int, error) {
				if v >= 1000 {
					least = v
					t.Fatal("too much")
				}
				return v, nil
			}, v)
			wentOn = wentOn || v >= 1000
		})
		if !tb.failed || least != 1000 || wentOn {
			t.Errorf("%s: failed: %v, the least counterexample is %d, the property went on: %v", c.name, tb.failed, least, wentOn)
		}
	}

	d, res := future.New[int]()
	e := future.Then(d, inc)
	rapid.Check(&fakeTB{TB: t}, func(t *rapid.T) {
		d, res = future.New[int]()
		e = future.Then(d, func(int) (int, error) { t.Fatal("stop"); return 0, nil })
		res.Succeed(1)
	})
	wantError(t, e, "stop", failure.ErrPanic)
}

// A fakeTB notes a failure instead of failing the test.
type fakeTB struct {
	rapid.TB
	failed bool
}

func (f *fakeTB) Name() string          { return "fake" }
func (f *fakeTB) Logf(string, ...any)   {}
func (f *fakeTB) Log(...any)            {}
func (f *fakeTB) Errorf(string, ...any) { f.failed = true }
func (f *fakeTB) Error(...any)          { f.failed = true }
func (f *fakeTB) FailNow()              { f.failed = true }
func (f *fakeTB) Fail()                 { f.failed = true }
func (f *fakeTB) Failed() bool          { return f.failed }

// A control panic leaves nothing half done: other readers see the outcome, and
// whoever asks for one that was taken over gets an answer.
func TestControlPanicSkipsNoReader(t *testing.T) {
	skipped := 0
	rapid.Check(&fakeTB{TB: t}, func(rt *rapid.T) {
		x, resX := future.New[int]()
		s := future.Then(x, func(int) (int, error) { rt.Skip(); return 0, nil })
		gate, open := future.New[int]()
		inner := future.ThenFlat(gate, func(int) *future.Deferred[int] { return s })
		_, outer := future.New[int]()
		outer.Follow(inner)
		sibling := future.Then(x, inc)
		open.Succeed(1)
		defer func() {
			skipped++
			inner.Cancel(nil)
			wantError(t, inner, "", failure.ErrPanic)
			wantOutcome(t, sibling, 2, nil)
		}()
		resX.Succeed(1)
	})
	if skipped == 0 {
		t.Error("the property has not run")
	}
}
