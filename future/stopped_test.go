package future_test

import (
	"errors"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A timeout on a reactor that stops would never strike: it fails instead.
func TestTimeoutEndsWithItsReactor(t *testing.T) {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	never, _ := future.New[int]()
	before := never.Timeout(r, time.Hour)
	won := future.Succeed(1).Timeout(r, time.Hour)
	r.Stop()
	after := never.Timeout(r, time.Hour)
	for name, d := range map[string]*future.Deferred[int]{"before": before, "after": after} {
		if _, err := d.Result(); !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("made %s the stop: %v", name, err)
		}
	}
	if v, err := won.Result(); v != 1 || err != nil {
		t.Errorf("one that was there: %v, %v", v, err)
	}
	if _, err := never.Result(); err != future.ErrPending {
		t.Errorf("the source: %v", err)
	}
}
