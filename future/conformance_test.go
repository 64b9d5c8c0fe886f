package future_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// This file compares what the conformance programs do here with what they did
// on Twisted, and what they do on a reactor with what they do inline.

// TestConformance runs the conformance programs of testdata/conformance, or of
// the directory that DEFERRED_CONFORMANCE names, inline and compares with what
// Twisted did.
func TestConformance(t *testing.T) {
	var programs []twistedProgram
	if dir := os.Getenv("DEFERRED_CONFORMANCE"); dir != "" {
		programs = confIn(t, dir)
	} else {
		programs = confOwn(t)
	}
	identical, shown := 0, 0
	for _, p := range programs {
		problem := conform(p)
		if problem == "" {
			identical++
		} else if shown++; shown <= 5 {
			t.Errorf("%s: %s", p.Name, problem)
		}
	}
	t.Logf("conformance: %d programs, %d identical", len(programs), identical)
	if identical < len(programs) {
		t.Errorf("%d programs differ", len(programs)-identical)
	}
}

func conform(p twistedProgram) (problem string) {
	if !slices.Contains(known, p.Family) {
		return "no words for the family " + p.Family
	}
	got := newMachine().execute(p)
	switch {
	case got.panicked != "":
		return got.panicked
	case !sameJSON(got.trace, p.Trace):
		return fmt.Sprintf("trace\n%v\nwant\n%v", lines(got.trace), lines(p.Trace))
	case !slices.Equal(got.unhandled, p.Unhandled):
		return fmt.Sprintf("unhandled %v, want %v", got.unhandled, p.Unhandled)
	}
	return ""
}

// confFirstSettler is a reason why a program can end otherwise on a reactor.
const confFirstSettler = "a callback attaches one to a Deferred that has settled, and then settles a name that the attached one settles too: " +
	"inline that runs inside the call that attaches it and comes first, on a reactor it is a later step and comes second"

// confNeedsInline names the programs that end otherwise on a reactor, for they
// need a callback to run inside the call that attaches it or settles its
// source: what becomes of which names, and why.
var confNeedsInline = map[string]struct{ diff, why string }{
	"reentrant-0002": {`["final","d3","v",2] became ["final","d3","e","E2"]`, confFirstSettler},
	"mixed-0074": {`["final","k1","v",5] became ["final","k1","v",2]`,
		"a callback attaches another to its own name, after which the program attaches a third: on a reactor the callback is a later step, " +
			"so what it attaches comes after the third"},
	"mixed-0096": {`["final","d3","e","Cancelled"] became ["final","d3","v",4]`,
		"one turn settles two inputs of a race: inline the first of them cancels the second before it is settled, on a reactor both are settled by then"},
}

// TestConformance_on_a_reactor runs the same programs with all Deferreds on a
// reactor, which runs what is ready after each step of the program: every name
// must end as it does inline, and the same failures must be left unhandled. So
// where callbacks run makes no difference, except to the programs listed above.
func TestConformance_on_a_reactor(t *testing.T) {
	programs := confOwn(t)
	same, listed := 0, 0
	for _, p := range programs {
		diff, traces := confDifference(p, confMachineOn())
		needs, ok := confNeedsInline[p.Name]
		if ok {
			listed++
			t.Logf("%s: %s", p.Name, needs.why)
		}
		if diff == "" {
			same++
		}
		if diff != needs.diff {
			t.Errorf("%s: on a reactor %q, want %q\n%s", p.Name, diff, needs.diff, traces)
		}
	}
	t.Logf("conformance on a reactor: %d programs, %d with the same outcomes, %d need callbacks inside the call", len(programs), same, listed)
	if listed < len(confNeedsInline) {
		t.Errorf("%d are listed, %d of them are programs", len(confNeedsInline), listed)
	}
}

// TestConformance_on_a_late_reactor lets the reactor run only before time moves
// on and at the end of a program. Then whole chains are attached, settled and
// gathered before the first callback runs. What does not depend on which of two
// things comes first must still end as it does inline.
func TestConformance_on_a_late_reactor(t *testing.T) {
	programs := slices.DeleteFunc(confOwn(t), func(p twistedProgram) bool { return slices.ContainsFunc(p.Steps, confOrders) })
	same := 0
	for _, p := range programs {
		m := confMachineOn()
		m.late = true
		if diff, traces := confDifference(p, m); diff != "" {
			t.Errorf("%s: on a late reactor %s\n%s", p.Name, diff, traces)
		} else {
			same++
		}
	}
	t.Logf("conformance on a late reactor: %d programs in which no order counts, %d with the same outcomes", len(programs), same)
	if len(programs) < 1000 {
		t.Errorf("only %d programs were left", len(programs))
	}
}

// confOrders reports whether s can make a program depend on what comes first: a
// cancel and a callback that is ready, one input of a gather and another, or a
// callback that settles or attaches and what comes after it in the program.
func confOrders(s step) bool {
	switch s.Do {
	case "cancel", "all", "any", "race", "release":
		return true
	}
	return s.Act != nil && s.Act.Also != nil || s.Eact != nil && s.Eact.Also != nil
}

// confDifference runs p inline and on m, and says what ends otherwise, and how
// both went.
func confDifference(p twistedProgram, m *machine) (diff, traces string) {
	want, got := newMachine().execute(p), m.execute(p)
	var diffs []string
	for i := range want.ends {
		if i >= len(got.ends) || !sameJSON(want.ends[i], got.ends[i]) {
			diffs = append(diffs, confText(want.ends, i)+" became "+confText(got.ends, i))
		}
	}
	if len(diffs) == 0 && !slices.Equal(got.unhandled, want.unhandled) {
		diffs = append(diffs, fmt.Sprintf("unhandled %v became %v", want.unhandled, got.unhandled))
	}
	if text := want.panicked + got.panicked; text != "" {
		diffs = append(diffs, text)
	}
	return strings.Join(diffs, ", "), fmt.Sprintf("got\n%swant\n%s", lines(got.trace), lines(want.trace))
}

func confText(events []any, i int) string {
	if i >= len(events) {
		return "nothing"
	}
	return strings.TrimSpace(lines(events[i : i+1]))
}

// sameJSON compares as JSON does.
func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}

func lines(trace []any) string {
	var b strings.Builder
	for _, e := range trace {
		j, _ := json.Marshal(e)
		fmt.Fprintf(&b, "\t%s\n", j)
	}
	return b.String()
}
