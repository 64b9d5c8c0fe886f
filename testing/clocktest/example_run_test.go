package clocktest_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/testing/clocktest"
)

// A fastClock makes two seconds of each one of another clock.
type fastClock struct {
	clock clock.Clock
	since time.Time
}

func (c fastClock) Now() time.Time { return c.since.Add(c.clock.Now().Sub(c.since) * 2) }

func (c fastClock) CallLater(d time.Duration, f func()) clock.Timer {
	return fastTimer{c.clock.CallLater(half(d), f)}
}

type fastTimer struct{ timer clock.Timer }

func (t fastTimer) Stop() bool                 { return t.timer.Stop() }
func (t fastTimer) Reset(d time.Duration) bool { return t.timer.Reset(half(d)) }

// half rounds down, and that is its fault.
func half(d time.Duration) time.Duration { return d / 2 }

// printer stands for a *testing.T.
type printer struct{}

func (printer) Helper() {}
func (printer) Errorf(format string, args ...any) {
	lines := strings.Split(fmt.Sprintf(format, args...), "\n\t")
	fmt.Printf("%s\n\t%s\n", lines[0], lines[1]) // and the line of the case
}
func (printer) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// A clock at the double speed of another one, which takes 1ns for no delay.
func ExampleRun() {
	clocktest.Run(printer{}, func() (clock.Clock, func(time.Duration)) {
		v := clock.NewVirtual()
		rest := time.Duration(0)
		advance := func(d time.Duration) {
			v.Advance((rest + d) / 2)
			rest = (rest + d) % 2
		}
		return fastClock{v, v.Now()}, advance
	})
	// Output:
	// clocktest: case "zero": with delays of 1ns and -1h [due later due now] have run, want [due now due later]
	// 	the rule: a delay below 0 counts as 0: the function is called as soon as time is let pass, before all that is due later, and time does not go back
}

func ExampleWithout() {
	clocktest.Run(printer{}, func() (clock.Clock, func(time.Duration)) {
		v := clock.NewVirtual()
		return v, v.Advance
	}, clocktest.Without("far", "our device counts in 32 bits"))
	// Output:
	// clocktest: case "far" left out: our device counts in 32 bits
	// 	the rule: a delay may be as long as a Duration can be: the function then is not called in our time, and can be stopped
}
