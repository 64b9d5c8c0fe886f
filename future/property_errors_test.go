package future_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// A place is where a generated program runs.
type place struct {
	name string
	new  func() (d *future.Deferred[int], res future.Resolver[int])
	run  func() // what is ready
}

func places() []place {
	x := new(foreign)
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	return []place{
		{"inline", future.New[int], func() {}},
		{"on a foreign executor", func() (*future.Deferred[int], future.Resolver[int]) { return future.NewOn[int](x) }, func() { x.run() }},
		{"on a reactor", func() (*future.Deferred[int], future.Resolver[int]) { return future.NewOn[int](r) }, func() { clk.Advance(0) }},
	}
}

// An op is one link of a generated chain.
type chainOp struct {
	kind string
	does string // value, error, panic, again: what its callback does
	add  int
	err  error
	late bool // what a flat callback returns is pending at first
}

var opErrors = func() (errs []error) {
	for i := range 5 {
		errs = append(errs, fmt.Errorf("e%d", i))
	}
	return errs
}()

var genOp = rapid.Custom(func(t *rapid.T) chainOp {
	return chainOp{
		kind: rapid.SampledFrom([]string{"Then", "Then", "Catch", "Handle", "Finally", "ThenFlat", "CatchFlat",
			"Flatten", "Shield", "WithContext", "Race", "All", "AllSettled", "Join2", "Follow", "Async"}).Draw(t, "kind"),
		does: rapid.SampledFrom([]string{"value", "value", "error", "panic", "again"}).Draw(t, "does"),
		add:  rapid.IntRange(1, 9).Draw(t, "add"),
		err:  rapid.SampledFrom(opErrors).Draw(t, "err"),
		late: rapid.Bool().Draw(t, "late"),
	}
})

// call is what the callback of o does with an outcome.
func (o chainOp) call(v int, err error) (int, error) {
	switch {
	case o.does == "error":
		return -1, o.err
	case o.does == "panic":
		panic(o.err)
	case o.does == "again" && err != nil:
		return -1, err
	}
	return v*3 + o.add, nil
}

// link appends o to d, as a user would write it. Inner Deferreds that are late
// go to laters.
func (o chainOp) link(p place, d *future.Deferred[int], laters *[]func()) *future.Deferred[int] {
	inner := func(v int, err error) *future.Deferred[int] {
		v, err = o.call(v, err)
		if !o.late {
			return future.Settle(v, err)
		}
		in, res := p.new()
		*laters = append(*laters, func() { res.Settle(v, err) })
		return in
	}
	switch o.kind {
	case "Then":
		return future.Then(d, func(v int) (int, error) { return o.call(v, nil) })
	case "Catch":
		return d.Catch(func(err error) (int, error) { return o.call(0, err) })
	case "Handle":
		return future.Handle(d, o.call)
	case "Finally":
		return d.Finally(func() error {
			_, err := o.call(0, nil)
			return err
		})
	case "ThenFlat":
		return future.ThenFlat(d, func(v int) *future.Deferred[int] { return inner(v, nil) })
	case "CatchFlat":
		return d.CatchFlat(func(err error) *future.Deferred[int] { return inner(0, err) })
	case "Flatten":
		return future.Flatten(future.Then(d, func(v int) (*future.Deferred[int], error) { return inner(v, nil), nil }))
	case "Shield":
		return d.Shield()
	case "WithContext":
		return d.WithContext(context.Background())
	case "Race":
		never, _ := p.new()
		return future.Race(d, never)
	case "All":
		return future.Then(future.All(d, future.Succeed(o.add)), func(v []int) (int, error) { return v[0] + v[1], nil })
	case "AllSettled":
		return future.Then(future.AllSettled(d), func(outs []future.Outcome[int]) (int, error) { return outs[0].Value, outs[0].Err })
	case "Join2":
		return future.Join2(d, future.Succeed(o.add), func(a, b int) (int, error) { return o.call(a+b, nil) })
	case "Follow":
		e, res := p.new()
		res.Follow(d)
		return e
	case "Async":
		return future.Async(context.Background(), func(ctx context.Context) (int, error) {
			v, err := d.Await(ctx)
			if err != nil {
				return 0, err
			}
			return o.call(v, nil)
		})
	}
	panic(o.kind)
}

// apply is o in terms of the pair that a Go call returns.
func (o chainOp) apply(v int, err error) (int, error) {
	call := func(v int, err error) (u int, out error) {
		defer func() {
			if p := recover(); p != nil {
				u, out = 0, fmt.Errorf("panic: %w", p.(error))
			}
		}()
		u, out = o.call(v, err)
		if out != nil {
			u = 0
		}
		return u, out
	}
	switch o.kind {
	case "Then", "ThenFlat", "Flatten", "Async":
		if err != nil {
			return 0, err
		}
		return call(v, nil)
	case "Catch", "CatchFlat":
		if err == nil {
			return v, nil
		}
		return call(0, err)
	case "Handle":
		return call(v, err)
	case "Finally":
		if _, own := call(0, nil); own != nil {
			if err != nil {
				own = errors.Join(err, own)
			}
			return 0, own
		}
		return v, err
	case "All":
		if err != nil {
			return 0, err
		}
		return v + o.add, nil
	case "Join2":
		if err != nil {
			return 0, err
		}
		return call(v+o.add, nil)
	}
	return v, err
}

// checkSame fails t unless got is want: the same error, if want is one that a
// callback returned, else one with the same text that matches the same.
func checkSame(t *rapid.T, what string, v int, err error, wantV int, want error) {
	if slices.Contains(opErrors, want) || want == nil {
		if v != wantV || err != want {
			t.Fatalf("%s: got (%d, %v), want (%d, %v)", what, v, err, wantV, want)
		}
		return
	}
	if err == nil || v != 0 || err.Error() != want.Error() {
		t.Fatalf("%s: got (%d, %v), want (0, %v)", what, v, err, want)
	}
	for _, e := range opErrors {
		if errors.Is(err, e) != errors.Is(want, e) {
			t.Fatalf("%s: errors.Is(%v, %v) is %v", what, err, e, !errors.Is(want, e))
		}
	}
}

// TestErrorPropagation compares chains of links with a naive interpreter over
// pairs of value and error.
func TestErrorPropagation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ops := rapid.SliceOfN(genOp, 0, 12).Draw(t, "ops")
		v, err := rapid.IntRange(0, 9).Draw(t, "value"), error(nil)
		if rapid.Bool().Draw(t, "fails") {
			v, err = 0, rapid.SampledFrom(opErrors).Draw(t, "error")
		}
		settleAt := rapid.IntRange(0, len(ops)+1).Draw(t, "settled after")
		for _, p := range places() {
			d, res := p.new()
			ds := []*future.Deferred[int]{d}
			var laters []func()
			for i, o := range ops {
				if i == settleAt {
					res.Settle(v, err)
				}
				d = o.link(p, d, &laters)
				ds = append(ds, d)
			}
			res.Settle(v, err)
			p.run()
			for len(laters) > 0 {
				f := laters[0]
				laters = laters[1:]
				f()
				p.run()
			}
			wantV, wantErr := v, err
			for i, d := range ds {
				var kinds []string
				for k, o := range ops[:i] {
					kinds = append(kinds, o.kind+":"+o.does)
					if k == i-1 {
						wantV, wantErr = o.apply(wantV, wantErr)
					}
				}
				gotV, gotErr := d.Result()
				checkSame(t, p.name+": "+strings.Join(kinds, " "), gotV, gotErr, wantV, wantErr)
			}
		}
	})
}
