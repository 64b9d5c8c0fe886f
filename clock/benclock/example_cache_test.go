package benclock_test

import (
	"fmt"
	"time"

	bclock "github.com/benbjohnson/clock"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/benclock"
)

// A Session is code that insists on a benbjohnson Clock.
type Session struct {
	clock bclock.Clock
	idle  *bclock.Timer
	since time.Time
}

func NewSession(c bclock.Clock) *Session {
	return &Session{c, c.Timer(30 * time.Minute), c.Now()}
}

func (s *Session) Touch() {
	s.idle.Stop()
	s.idle = s.clock.Timer(30 * time.Minute)
}

func (s *Session) Age() time.Duration { return s.clock.Since(s.since) }

// The session's clock and the test's are one: whatever is scheduled on either
// happens in order.
func ExampleNew() {
	v := clock.NewVirtual()
	s := NewSession(benclock.New(v))     // takes a benbjohnson Clock
	v.CallLater(20*time.Minute, s.Touch) // the same time
	v.Advance(40 * time.Minute)          // moves both

	select {
	case <-s.idle.C:
		fmt.Println("idle")
	default:
		fmt.Println("in use after", s.Age())
	}

	v.Advance(10 * time.Minute)
	<-s.idle.C
	fmt.Println("idle after", s.Age())
	// Output:
	// in use after 40m0s
	// idle after 50m0s
}
