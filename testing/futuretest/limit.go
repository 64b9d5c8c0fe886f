package futuretest

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// Limit is a time limit on virtual time: t fails as soon as clk would move past
// the time that is d from now, with a list of what is pending then, each with
// its birthplace. What happens at that very instant still happens, and it is
// the time that clk then shows. So a test in which something is never done says
// what it waits for, instead of going on to the end of its last Advance, or
// without end in Run.
//
// t fails by its Fatalf, which Limit calls on the goroutine that drives clk,
// between two events: Advance, AdvanceTo, Step or Run does not return, and the
// test ends there. A property of pgregory.net/rapid shrinks. If another
// goroutine than the test's drives, that one ends. In a deferred function or a
// clean-up after a panic it is Errorf instead, and the drive goes on, so that
// the panic is not lost. The limit is spent then, so functions that t calls at
// its end may drive on; and what is left behind is not reported a second time.
//
// The limit holds until t ends. A later Limit of clk takes the place of the one
// before, so each phase of a test can have its own. It is no event: Pending,
// String, Step and Run know nothing of it. Limit panics if d is negative, or clk
// was not made by [New] or clock.NewVirtual.
func Limit(t TB, clk *clock.Virtual, d time.Duration) {
	if t == nil || clk == nil || seam.DriverOf(clk) == nil {
		panic("futuretest: Limit of a nil test or clock: give the *testing.T of the test, and the clock that New returned")
	}
	if d < 0 {
		panic(fmt.Sprintf("futuretest: Limit(%v): that has passed; give the time that the test may take", d))
	}
	t.Helper()
	lift := seam.DriverOf(clk).Fence(clk.Now().Add(d), func() {
		t.Helper()
		report := fmt.Sprintf("futuretest: the time limit of %v has passed: %s", d, pending(clk))
		if ending() { // Fatalf would take the place of the panic
			t.Errorf("%s", report)
		} else {
			t.Fatalf("%s", report)
		}
	})
	t.Cleanup(lift)
}

// pending lists what is pending on clk, of whichever reactor, and on that which
// New made with it, and sees to it that this is not reported again.
func pending(clk *clock.Virtual) string {
	var l list
	if b, ok := seam.DriverOf(clk).Local().Load().(*fixture); ok {
		b.late.Store(true)
		l.waiting(b)
	}
	return clk.String() + l.String()
}
