package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/testing/futuretest"
)

const output = `1. A result that comes later
asked
6 × 7 = 42

2. A chain of steps: fetch, process, display
Oslo: -5 °C, 23 °F
Rome: 20 °C, 68 °F
Paris: no weather: strconv.Atoi: parsing "mild": invalid syntax
Atlantis: no weather: there is no station

3. The same chain, with answers that take thirty days
asked on 2000-01-01
Oslo: -5 °C, 23 °F
Rome: 20 °C, 68 °F
Paris: no weather: strconv.Atoi: parsing "mild": invalid syntax
Atlantis: no weather: there is no station
done on 2000-01-31
`

// In a synctest bubble the system clock does not wait either.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(&out); err != nil {
			t.Fatal(err)
		}
		if out.String() != output {
			t.Errorf("got:\n%s\nwant:\n%s", &out, output)
		}
	})
}

func TestMultiply(t *testing.T) {
	r, clk := futuretest.New(t)
	product := multiply(r, 6, 7)
	if _, err := product.Result(); err != future.ErrPending {
		t.Errorf("the product is there within the call: err = %v", err)
	}
	clk.Advance(0)
	futuretest.Equal(t, product, 42)
}

func TestReport(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for city, want := range map[string]string{
		"Rome":     "Rome: 20 °C, 68 °F",
		"Paris":    `Paris: no weather: strconv.Atoi: parsing "mild": invalid syntax`,
		"Atlantis": "Atlantis: no weather: there is no station",
	} {
		t.Run(city, func(t *testing.T) {
			r, clk := futuretest.New(t)
			d := report(r, month, city)
			clk.Advance(month - 1)
			futuretest.Pending(t, d)
			clk.Advance(1)
			futuretest.Equal(t, d, want)
		})
	}
}
