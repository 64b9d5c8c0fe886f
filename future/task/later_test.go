package task_test

import (
	"testing"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// Twisted's deferLater needs no name here: it is a Then of an After. These are
// its tests.

func TestDeferLaterCallback(t *testing.T) {
	v := clock.NewVirtual()
	var log journal
	d := future.Then(future.After(v, 3*sec, "x"), func(s string) (string, error) {
		log.add("called at %g with %s", since(v), s)
		return s + "!", nil
	})
	v.Advance(3*sec - 1)
	log.want(t, "")
	v.Advance(1)
	log.want(t, "called at 3 with x")
	if got, err := d.Result(); got != "x!" || err != nil {
		t.Errorf("got %v", d)
	}
}

func TestDeferLaterErrback(t *testing.T) {
	v := clock.NewVirtual()
	d := future.Then(future.After(v, 3*sec, none{}), func(none) (none, error) { return none{}, errA })
	v.Advance(3 * sec)
	failed(t, d, errA)
}

func TestDeferLaterCancel(t *testing.T) {
	v := clock.NewVirtual()
	f := func(none) (none, error) {
		t.Error("called")
		return none{}, nil
	}
	d := future.Then(future.After(v, 3*sec, none{}), f)
	d.Cancel(nil)
	failed(t, d, future.ErrCanceled)
	idle(t, v)
	v.Advance(10 * sec)

	// When the time has come, the cancel goes to what the function returned.
	in, res := future.New[none]()
	res.OnCancel(func(error) { res.Fail(errA) })
	d = future.ThenFlat(future.After(v, 3*sec, none{}), func(none) *future.Deferred[none] { return in })
	v.Advance(3 * sec)
	d.Cancel(nil)
	failed(t, d, errA)
}

func TestDeferLaterNoCallback(t *testing.T) {
	v := clock.NewVirtual()
	d := future.After(v, 3*sec, none{})
	pending(t, d)
	v.Advance(3 * sec)
	succeeded(t, d)
}
