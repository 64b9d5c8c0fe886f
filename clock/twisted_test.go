package clock_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
)

// What Twisted's own tests say of its Clock, as far as no other test of this
// package does. Where something else happens here, the subtest says so. Which
// of Twisted's tests is shown where stands in
// internal/house/testdata/twisted_tests.txt.
func TestClockAsInTwisted(t *testing.T) {
	t.Run("the-handle-is-that-of-the-call", func(t *testing.T) {
		v, d := virtual()
		v.CallLater(10*time.Second, d.note("first"))
		if second := v.CallLater(time.Second, d.note("second")); !second.Stop() {
			t.Error("it could not be stopped")
		}
		v.Advance(time.Minute)
		d.want(t, "10s first")
	})
	t.Run("it-runs-when-it-is-due", func(t *testing.T) {
		v, d := virtual()
		timer := v.CallLater(2*time.Second, d.note("called"))
		v.Advance(time.Second)
		d.want(t)
		v.Advance(time.Second)
		d.want(t, "2s called")
		if timer.Stop() || v.Pending() != 0 {
			t.Error("it is scheduled still")
		}
		v.Advance(time.Second)
		d.want(t)
	})
	t.Run("reset-is-relative-to-now", func(t *testing.T) { // there is no delay that adds to what was set
		v, d := virtual()
		later, sooner := v.CallLater(2*time.Second, d.note("later")), v.CallLater(time.Hour, d.note("sooner"))
		v.Advance(time.Second)
		if !later.Reset(3*time.Second) || !sooner.Reset(time.Second) {
			t.Error("one of them was not scheduled")
		}
		v.Advance(time.Hour)
		d.want(t, "2s sooner", "4s later")
	})
	t.Run("order-after-a-reset-and-a-new-call", func(t *testing.T) {
		v, d := virtual()
		a := v.CallLater(10*time.Second, d.note("a"))
		v.CallLater(20*time.Second, d.note("b"))
		a.Reset(15 * time.Second)
		v.CallLater(12*time.Second, d.note("c"))
		v.Advance(time.Minute)
		d.want(t, "12s c", "15s a", "20s b")
	})
	t.Run("order-after-a-new-call-and-a-reset", func(t *testing.T) {
		v, d := virtual()
		a := v.CallLater(10*time.Second, d.note("a"))
		b := v.CallLater(20*time.Second, d.note("b"))
		v.CallLater(12*time.Second, d.note("c"))
		a.Reset(30 * time.Second)
		b.Reset(time.Second)
		v.Advance(time.Minute)
		d.want(t, "1s b", "12s c", "30s a")
	})
	t.Run("order-after-a-reset-in-a-call", func(t *testing.T) {
		v, d := virtual()
		var a clock.Timer
		v.CallLater(time.Second, func() {
			d.add("resets")
			a.Reset(4 * time.Second)
		})
		a = v.CallLater(2*time.Second, d.note("a"))
		v.CallLater(3*time.Second, d.note("b"))
		v.Advance(time.Minute)
		d.want(t, "1s resets", "3s b", "5s a")
	})
	t.Run("each-call-sees-its-own-time", func(t *testing.T) { // elsewhere all see the end of the advance
		v, d := virtual()
		v.CallLater(time.Second, func() {
			d.add("a sleep begins")
			v.CallLater(time.Second, d.note("and ends"))
		})
		v.Advance(2 * time.Second)
		d.want(t, "1s a sleep begins", "2s and ends")
	})
}

// Were setting, moving or running timers quadratic, this test would go on and
// on.
func TestVery_many_timers(t *testing.T) {
	const n = 100_000
	v := clock.NewVirtual()
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() time.Duration { return time.Duration(rng.Int64N(int64(time.Hour))) }
	ran, last := 0, v.Now()
	timers := make([]clock.Timer, n)
	for i := range timers {
		timers[i] = v.CallLater(random(), func() {
			if now := v.Now(); now.Before(last) {
				t.Fatalf("a call for %v came after one for %v", now, last)
			}
			ran, last = ran+1, v.Now()
		})
	}
	for i := range timers {
		switch i % 4 {
		case 0:
			timers[i].Reset(random())
		case 1:
			timers[i].Stop()
		}
	}
	v.Advance(time.Hour)
	if ran != n-n/4 || v.Pending() != 0 {
		t.Errorf("%d ran, %d are scheduled, want %d and none", ran, v.Pending(), n-n/4)
	}
}
