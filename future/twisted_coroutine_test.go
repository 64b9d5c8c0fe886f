package future_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/failure"
	"github.com/deferred-go/deferred/future"
)

// Twisted's inlineCallbacks functions are coroutines here. One that calls
// another does so as Go functions do, with its context; started with Async, the
// inner one is a coroutine of its own, as in Twisted.

// A coBody is what a coroutine runs.
type coBody = func(context.Context) (int, error)

// A caller runs one within another.
type caller = func(context.Context, coBody) (int, error)

// asCoroutine runs f as a coroutine within ctx, and waits for it.
func asCoroutine(ctx context.Context, f coBody) (int, error) {
	return future.Async(ctx, f).Await(ctx)
}

// asCall just calls it.
func asCall(ctx context.Context, f coBody) (int, error) { return f(ctx) }

func TestInlineCallbacksAsInTwisted(t *testing.T) {
	t.Run("a-value-a-failure-a-result", func(t *testing.T) {
		ok, resOK := future.New[int]()
		bad, resBad := future.New[int]()
		co := future.Async(background, func(ctx context.Context) (int, error) {
			v, err := ok.Await(ctx)
			if v != 5 || err != nil {
				t.Errorf("Await of a success = %d, %v", v, err)
			}
			if _, err := bad.Await(ctx); err != errA {
				t.Errorf("Await of a failure = %v", err)
			}
			return 14, nil
		})
		resOK.Succeed(5)
		resBad.Fail(errA)
		wantOutcome(t, co, 14, nil)
	})
	t.Run("a-failure-that-it-deals-with", func(t *testing.T) {
		for _, settled := range []bool{true, false} {
			d, res := future.New[int]()
			if settled {
				res.Fail(errA)
			}
			co := future.Async(background, func(ctx context.Context) (int, error) {
				v, err := asCoroutine(ctx, d.Await)
				if err != errA {
					t.Errorf("Await = %d, %v", v, err)
				}
				return 1, nil
			})
			res.Fail(errA)
			wantOutcome(t, co, 1, nil)
		}
	})
}

func TestStackedInlineCallbacksAsInTwisted(t *testing.T) {
	// A stack of functions writes into j who enters and who exits. They wait for
	// Deferreds, which fire settles in order, each as it is told.
	type stack struct {
		j    journal
		wait coBody
		fire func(how ...error)
	}
	newStack := func() *stack {
		s := new(stack)
		var waits []future.Resolver[int]
		s.wait = func(ctx context.Context) (int, error) {
			d, res := future.New[int]()
			waits = append(waits, res)
			return d.Await(ctx)
		}
		s.fire = func(how ...error) {
			for i, err := range how {
				waits[i].Settle(0, err)
			}
		}
		return s
	}
	type level = func(x int) coBody
	// waiting is the lowest level.
	waiting := func(s *stack) level {
		return func(x int) coBody {
			return func(ctx context.Context) (int, error) { v, err := s.wait(ctx); return x + v, err }
		}
	}
	// over returns a level that calls the one below so many times, and adds k.
	over := func(s *stack, name string, k, times int, call caller, below level) level {
		return func(x int) coBody {
			return func(ctx context.Context) (int, error) {
				s.j.add("%s>%d", name, x)
				for range times {
					v, err := call(ctx, below(x))
					if err != nil {
						return 0, err
					}
					x = v
				}
				s.j.add("%s<%d", name, x+k)
				return x + k, nil
			}
		}
	}
	for name, call := range map[string]caller{"coroutines": asCoroutine, "calls": asCall} {
		t.Run(name, func(t *testing.T) {
			t.Run("one-wait", func(t *testing.T) {
				s := newStack()
				f1 := over(s, "f1", 1, 1, asCall, waiting(s))
				f2 := over(s, "f2", 2, 1, call, f1)
				f3 := over(s, "f3", 4, 1, call, f2)
				co := future.Async(background, f3(1))
				s.fire(nil)
				wantOutcome(t, co, 8, nil)
				s.j.want(t, "f3>1", "f2>1", "f1>1", "f1<2", "f2<4", "f3<8")
			})
			t.Run("nine-waits", func(t *testing.T) {
				s := newStack()
				f1 := over(s, "f1", 1, 1, asCall, waiting(s))
				f2 := over(s, "f2", 2, 3, call, f1)
				f3 := over(s, "f3", 4, 3, call, f2)
				co := future.Async(background, f3(1))
				s.fire(make([]error, 9)...)
				wantOutcome(t, co, 20, nil)
				s.j.want(t, strings.Fields(`f3>1
					f2>1 f1>1 f1<2 f1>2 f1<3 f1>3 f1<4 f2<6
					f2>6 f1>6 f1<7 f1>7 f1<8 f1>8 f1<9 f2<11
					f2>11 f1>11 f1<12 f1>12 f1<13 f1>13 f1<14 f2<16
					f3<20`)...)
			})
			t.Run("a-failure-is-seen-at-the-wait-for-it", func(t *testing.T) {
				for _, good := range []int{0, 1} { // so many waits go well before
					s := newStack()
					f1 := over(s, "f1", 1, 1, asCall, waiting(s))
					co := future.Async(background, func(ctx context.Context) (int, error) {
						for range good {
							v, err := call(ctx, f1(1))
							s.j.add("got:%d,%s", v, text(err))
						}
						v, err := call(ctx, f1(2))
						s.j.add("got:%d,%s", v, text(err))
						return 6, nil
					})
					s.fire(append(make([]error, good), errA)...)
					wantOutcome(t, co, 6, nil)
					if good == 0 {
						s.j.want(t, "f1>2", "got:0,a")
					} else {
						s.j.want(t, "f1>1", "f1<2", "got:2,ok", "f1>2", "got:0,a")
					}
				}
			})
		})
	}
	t.Run("a-callback-in-between", func(t *testing.T) {
		for _, waits := range []int{0, 1, 2} { // one fewer than that before the callback is attached
			s := newStack()
			f1 := over(s, "f1", 1, min(waits, 1), asCall, waiting(s))
			co := future.Async(background, func(ctx context.Context) (int, error) {
				for range waits - 1 {
					asCoroutine(ctx, f1(0))
				}
				d := future.Then(future.Async(ctx, f1(1)), func(v int) (int, error) { s.j.add("callback:%d", v); return v + 2, nil })
				v, err := d.Await(ctx)
				s.j.add("f3<%d", v)
				return v, err
			})
			s.fire(make([]error, waits)...)
			wantOutcome(t, co, 4, nil)
			want := []string{"f1>1", "f1<2", "callback:2", "f3<4"}
			if waits == 2 {
				want = append([]string{"f1>0", "f1<1"}, want...)
			}
			s.j.want(t, want...)
		}
	})
}

func innermost(context.Context) (int, error)        { panic("it broke") }
func calling3(ctx context.Context) (int, error)     { return asCall(ctx, innermost) }
func calling2(ctx context.Context) (int, error)     { return asCall(ctx, calling3) }
func calling(ctx context.Context) (int, error)      { return asCall(ctx, calling2) }
func asyncCalling(ctx context.Context) (int, error) { return asCoroutine(ctx, calling) }

// A panic keeps the stack of where it was raised, through all that wait for it.
// Functions that are called are in it; what a coroutine waits for is another
// stack, and each Deferred names its own function.
func TestForwardTracebacksAsInTwisted(t *testing.T) {
	t.Run("called", func(t *testing.T) {
		_, err := future.Async(background, calling).Result()
		for _, name := range []string{"innermost", "calling3", "calling2", "future_test.calling "} {
			if got := fmt.Sprintf("%+v", err); !strings.Contains(got, name) || strings.Count(got, "it broke") != 1 {
				t.Errorf("the stack lacks %q, or says it more than once:\n%s", name, got)
			}
		}
	})
	t.Run("awaited", func(t *testing.T) {
		d := future.Async(background, asyncCalling)
		_, err := d.Result()
		if got := fmt.Sprintf("%+v", err); !errors.Is(err, failure.ErrPanic) || !strings.Contains(got, "innermost") {
			t.Errorf("the stack of the panic was lost:\n%s", got)
		}
		if got := fmt.Sprintf("%+v", d); !strings.Contains(got, "asyncCalling") {
			t.Errorf("the coroutine is not named:\n%s", got)
		}
	})
}

// A cancel of a coroutine goes to what it waits for: itself, in a function that
// it calls, or in one that it awaits; in the first wait or in the second.
func TestCancelOfInlineCallbacksAsInTwisted(t *testing.T) {
	// Each shape runs wait as the last of its waits, where that is another
	// coroutine by start, and after on what came of it.
	type then = func(int, error) (int, error)
	shapes := map[string]func(start caller, wait coBody, after then) coBody{
		"alone": func(_ caller, wait coBody, after then) coBody {
			return func(ctx context.Context) (int, error) { return after(wait(ctx)) }
		},
		"stacked": func(start caller, wait coBody, after then) coBody {
			return func(ctx context.Context) (int, error) { return after(start(ctx, wait)) }
		},
		"called": func(_ caller, wait coBody, after then) coBody {
			return func(ctx context.Context) (int, error) { return after(asCall(ctx, wait)) }
		},
		"second-wait": func(start caller, wait coBody, after then) coBody {
			return func(ctx context.Context) (int, error) {
				if _, err := start(ctx, future.Succeed(1).Await); err != nil {
					return 0, err
				}
				return after(start(ctx, wait))
			}
		},
	}
	patiently := func(ctx context.Context, f coBody) (int, error) {
		return future.Async(ctx, f).Await(context.WithoutCancel(ctx))
	}
	pass := func(v int, err error) (int, error) { return v, err }
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Run("what-it-waits-for-is-canceled", func(t *testing.T) {
				d, _, asked := counting()
				co := future.Async(background, shape(asCoroutine, d.Await, pass))
				co.Cancel(errA)
				if len(*asked) != 1 || (*asked)[0] != errA {
					t.Errorf("what it waited for was asked with %v", *asked)
				}
			})
			t.Run("it-fails-as-canceled", func(t *testing.T) {
				d, _, _ := counting()
				co := future.Async(background, shape(asCoroutine, d.Await, pass))
				co.Cancel(errA)
				_, err := co.Result()
				wantCanceled(t, err, errA)
			})
			t.Run("it-may-fail-otherwise", func(t *testing.T) {
				d, _, _ := counting()
				co := future.Async(background, shape(asCoroutine, d.Await, func(int, error) (int, error) { return 0, errB }))
				co.Cancel(nil)
				wantOutcome(t, co, 0, errB)
			})
			t.Run("it-may-succeed", func(t *testing.T) {
				d, _, _ := counting()
				co := future.Async(background, shape(asCoroutine, d.Await, func(int, error) (int, error) { return 5, nil }))
				co.Cancel(nil)
				wantOutcome(t, co, 5, nil)
			})
			t.Run("it-may-wait-for-a-clean-up", func(t *testing.T) { // each with a context that does not end
				d, _, _ := counting()
				cleanUp, done := future.New[int]()
				cleaned := d.CatchFlat(returning[error](cleanUp))
				wait := func(ctx context.Context) (int, error) { return cleaned.Await(context.WithoutCancel(ctx)) }
				co := future.Async(background, shape(patiently, wait, pass))
				co.Cancel(nil)
				wantPending(t, co)
				done.Fail(errB)
				wantOutcome(t, co, 0, errB)
			})
			t.Run("it-need-not-wait-for-a-clean-up", func(t *testing.T) { // with its own context
				d, _, _ := counting()
				cleanUp, done := future.New[int]()
				cleaned := d.CatchFlat(returning[error](cleanUp))
				co := future.Async(background, shape(asCoroutine, cleaned.Await, pass))
				co.Cancel(errA)
				wantError(t, co, "", context.Canceled, errA)
				wantPending(t, cleaned)
				done.Succeed(1)
			})
		})
	}
}
