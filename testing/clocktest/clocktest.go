package clocktest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
)

// TB is what the package needs of a test. *testing.T, *testing.B, *testing.F
// and *rapid.T have it.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run checks a clock against the rules of [clock.Clock]. The package comment
// lists the cases.
//
// start is called once for each case, and gives a new clock, on which nothing
// is scheduled, with a function that lets time pass on it: advance(d) returns
// when d has passed and every function that was due by then, at the very end
// too, has returned. Time must not pass otherwise. start and advance are called
// on the goroutine that calls Run.
//
// A case that fails reports one failure, with t.Errorf, and the others go on.
// Run does not end a case that hangs; go test's -timeout does. It panics if
// start is nil.
func Run(t TB, start func() (c clock.Clock, advance func(d time.Duration)), opts ...Option) {
	t.Helper()
	if start == nil {
		panic("clocktest: Run with a nil function: it must make a clock")
	}
	var s settings
	for _, o := range opts {
		o.apply(&s)
	}
	for _, one := range cases {
		if why, left := s.leftOut(one.name); left {
			t.Logf("clocktest: case %q left out: %s\n\tthe rule: %s", one.name, why, one.text)
			continue
		}
		runCase(t, one, start)
	}
}

// An Option is given to [Run].
type Option interface{ apply(*settings) }

// Without leaves a case out, or all of a group: name is "far", or "ties" for
// "ties/order" and all the others. Run logs the rule that is not checked, and
// why. Default: all are checked. Without panics if there is no such case, or
// why is empty.
func Without(name, why string) Option {
	if !slices.ContainsFunc(cases, func(c rule) bool { return in(c.name, name) }) {
		panic(fmt.Sprintf("clocktest: Without(%q): no such case; there are %s", name, strings.Join(names(), ", ")))
	}
	if why == "" {
		panic(fmt.Sprintf("clocktest: Without(%q) and no reason: say why the clock is not held to this rule", name))
	}
	return without{name, why}
}

type without struct{ name, why string }

func (w without) apply(s *settings) { s.out = append(s.out, w) }

type settings struct{ out []without }

func (s *settings) leftOut(name string) (why string, left bool) {
	for _, w := range s.out {
		if in(name, w.name) {
			return w.why, true
		}
	}
	return "", false
}

// in reports whether the case called name is, or is in, the group called
// group.
func in(name, group string) bool {
	return name == group || strings.HasPrefix(name, group+"/")
}

func names() (all []string) {
	for _, c := range cases {
		all = append(all, c.name)
	}
	return all
}

// A rule is one case.
type rule struct {
	name string
	text string // the rule in words, for who has to mend the clock
	f    func(e *env)
}

var cases = slices.Concat(basicCases, timerCases, insideCases, tieCases, crowdCases)
