package future_test

import (
	"testing"

	"github.com/deferred-go/deferred/future"
)

func TestCancellersAsInTwisted(t *testing.T) {
	settles := map[string]func(future.Resolver[int]) bool{
		"success": func(r future.Resolver[int]) bool { return r.Succeed(1) },
		"failure": func(r future.Resolver[int]) bool { return r.Fail(errB) },
	}
	t.Run("without-one", func(t *testing.T) {
		d, _ := future.New[int]()
		d.Cancel(errA)
		wantError(t, d, "", future.ErrCanceled, errA)
	})
	t.Run("every-late-result-is-refused", func(t *testing.T) { // Twisted swallows one and raises on the next
		for name, settle := range settles {
			d, res := future.New[int]()
			d.Cancel(errA)
			for i := range 3 {
				if settle(res) {
					t.Errorf("late %s number %d was taken", name, i+1)
				}
			}
			wantError(t, d, "", future.ErrCanceled, errA)
		}
	})
	t.Run("more-cancels-change-nothing", func(t *testing.T) {
		for name, settle := range settles {
			d, res := future.New[int]()
			var answers []bool
			for range 3 {
				answers = append(answers, d.Cancel(errA), settle(res))
			}
			for i, a := range answers {
				if a != (i == 0) {
					t.Errorf("%s: of cancel and settle in turns, number %d answered %v", name, i+1, a)
				}
			}
			wantError(t, d, "", future.ErrCanceled, errA)
		}
	})
	t.Run("called-once", func(t *testing.T) {
		d, _, calls := counting()
		for range 3 {
			d.Cancel(nil)
		}
		if len(*calls) != 1 {
			t.Errorf("the canceller ran %d times", len(*calls))
		}
	})
	t.Run("with-one-a-late-result-is-refused-too", func(t *testing.T) { // Twisted raises
		for name, settle := range settles {
			d, res, _ := counting()
			d.Cancel(errA)
			if settle(res) {
				t.Errorf("a late %s was taken", name)
			}
			wantError(t, d, "", future.ErrCanceled, errA)
		}
	})
	t.Run("not-called-once-settled", func(t *testing.T) {
		for name, settle := range settles {
			d, res, calls := counting()
			settle(res)
			before := d.String()
			if d.Cancel(errA) || len(*calls) != 0 || d.String() != before {
				t.Errorf("after a %s, Cancel made %v of %s, %d calls", name, d, before, len(*calls))
			}
			d.Result() // takes the failure
		}
	})
	t.Run("that-of-what-is-waited-for", func(t *testing.T) {
		outer, res, outerCalls := counting()
		inner, _, innerCalls := counting()
		d := future.ThenFlat(outer, returning[int](inner))
		res.Succeed(0)
		d.Cancel(errA)
		wantError(t, d, "", future.ErrCanceled, errA)
		if len(*innerCalls) != 1 || len(*outerCalls) != 0 {
			t.Errorf("the inner canceller ran %d times, the outer one %d", len(*innerCalls), len(*outerCalls))
		}
	})
	t.Run("the-deepest-one", func(t *testing.T) { // and the failure passes each errback on its way up
		var j journal
		deepest, _, calls := counting()
		d := deepest
		for i := range 3 {
			inner := d
			d = future.ThenFlat(future.Succeed(0), returning[int](inner)).Catch(func(err error) (int, error) {
				j.add("%d", i)
				return 0, err
			})
		}
		d.Cancel(errA)
		wantError(t, d, "", future.ErrCanceled, errA)
		j.want(t, "0", "1", "2")
		if len(*calls) != 1 {
			t.Errorf("the deepest canceller ran %d times", len(*calls))
		}
	})
}
