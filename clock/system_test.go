package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
)

// realTime has the shape that From takes.
type realTime struct{}

func (realTime) Now() time.Time                                  { return time.Now() }
func (realTime) AfterFunc(d time.Duration, f func()) *time.Timer { return time.AfterFunc(d, f) }

func TestSystem_and_From_in_a_bubble(t *testing.T) {
	for name, c := range map[string]clock.Clock{"System": clock.System(), "From": clock.From(realTime{})} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if !c.Now().Equal(time.Now()) {
					t.Error("Now is another")
				}
				d := &diary{clock: c}
				c.CallLater(2*time.Second, d.note("b"))
				c.CallLater(time.Second, d.note("a"))
				tm := c.CallLater(time.Second, d.note("stopped"))
				if !tm.Stop() || tm.Reset(3*time.Second) || !tm.Reset(4*time.Second) {
					t.Error("wrong answers")
				}
				c.CallLater(-time.Second, d.note("negative"))
				synctest.Wait()
				time.Sleep(time.Minute)
				d.want(t, "0s negative", "1s a", "2s b", "4s stopped")
			})
		})
	}
	if clock.System() != clock.System() {
		t.Error("System is not itself")
	}
}
