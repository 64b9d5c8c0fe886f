package future_test

import (
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// The first outcome counts, the other inputs are canceled.
func ExampleRace() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	hare := future.After(r, time.Second, "hare")
	tortoise := future.After(r, time.Minute, "tortoise")
	winner := future.Race(tortoise, hare)
	clk.Advance(time.Second)
	fmt.Println(winner)
	fmt.Println(tortoise)
	fmt.Println("still scheduled:", clk.Pending())
	// Output:
	// Deferred[string](hare)
	// Deferred[string](failed: future: canceled: another input came first)
	// still scheduled: 0
}

// A shield keeps the loser of a race going.
func ExampleRace_keepLoser() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)

	report := future.After(r, time.Minute, "the report")
	notice := future.After(r, time.Second, "it takes a while")
	future.Then(future.Race(report.Shield(), notice), printed)
	clk.Advance(time.Second)
	future.Then(report, printed)
	clk.Advance(time.Minute)
	// Output:
	// it takes a while
	// the report
}

func printed(text string) (string, error) {
	fmt.Println(text)
	return text, nil
}
