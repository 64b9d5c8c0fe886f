package clocktest_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/testing/clocktest"
)

// A maker stands for a package with a clock.
type maker[C clock.Clock] struct{ New func() C }

var myclock = maker[*clock.Virtual]{func() *clock.Virtual { return clock.NewVirtual() }}

// The first piece of the package comment.
func TestMyClock(t *testing.T) {
	clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
		c := myclock.New()
		return c, c.Advance
	})
}

// The second: a clock that is not driven.
func TestMyClockInABubble(t *testing.T) {
	myclock := maker[clock.Clock]{clock.System}
	synctest.Test(t, func(t *testing.T) {
		clocktest.Run(t, func() (clock.Clock, func(time.Duration)) {
			return myclock.New(), func(d time.Duration) {
				time.Sleep(d)
				synctest.Wait()
			}
		}, clocktest.Without("ties", "each function has a goroutine of its own"))
	})
}

// The package comment lists the cases, all of them and in order.
func TestDoc(t *testing.T) {
	var text string
	func() {
		defer func() { text, _ = recover().(string) }()
		clocktest.Without("no such case", "to see the list")
	}()
	_, list, _ := strings.Cut(text, "there are ")
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(doc)
	for name := range strings.SplitSeq(list, ", ") {
		var found bool
		if _, rest, found = strings.Cut(rest, "\n//\t"+name+" "); !found {
			t.Fatalf("doc.go does not have %q, or not after the ones before", name)
		}
	}
	if strings.Contains(rest, "\n//\t") {
		t.Errorf("doc.go has more cases than there are")
	}
}
