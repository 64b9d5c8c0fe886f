package future_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/future"
)

type point struct{ X, Y int }

// hostile panics in whatever formatting asks it.
type hostile struct{}

func (hostile) Error() string  { panic("Error panics") }
func (hostile) String() string { panic("String panics") }

// A nilHostile is asked with a nil receiver.
type nilHostile struct{ text string }

func (h *nilHostile) Error() string { return h.text }

func TestFormat(t *testing.T) {
	t.Parallel()
	pending, res := future.New[int]()
	following, followRes := future.New[int]()
	followRes.Follow(future.Then(pending, inc))
	canceled, _ := future.New[string]()
	canceled.Cancel(errors.New("enough"))
	for _, c := range []struct {
		d    any
		want string
	}{
		{pending, "Deferred[int](pending)"},
		{following, "Deferred[int](pending)"},
		{future.Then(pending, inc), "Deferred[int](pending)"},
		{future.All(pending), "Deferred[[]int](pending)"},
		{new(future.Deferred[int]), "Deferred[int](pending)"},
		{future.Succeed(7), "Deferred[int](7)"},
		{future.Succeed("a b"), "Deferred[string](a b)"},
		{future.Succeed(point{1, 2}), "Deferred[future_test.point]({1 2})"},
		{future.Succeed[any](nil), "Deferred[interface {}](<nil>)"},
		{future.Succeed[error](errA), "Deferred[error](a)"},
		{future.Succeed(struct{}{}), "Deferred[struct {}]({})"},
		{future.Succeed([]*int{nil}), "Deferred[[]*int]([<nil>])"},
		{future.Fail[int](errA), "Deferred[int](failed: a)"},
		{future.Fail[int](errors.Join(errA, errB)), "Deferred[int](failed: a\nb)"},
		{canceled, "Deferred[string](failed: future: canceled: enough)"},
		{future.All(future.Succeed(1), future.Succeed(2)), "Deferred[[]int]([1 2])"},
		{future.Succeed(future.Succeed(1)), "Deferred[*future.Deferred[int]](Deferred[int](succeeded))"},
		{future.Succeed(future.Fail[int](errA)), "Deferred[*future.Deferred[int]](Deferred[int](failed))"},
		{future.Succeed(pending), "Deferred[*future.Deferred[int]](Deferred[int](pending))"},
		{future.Succeed[*future.Deferred[int]](nil), "Deferred[*future.Deferred[int]](Deferred[int](nil))"},
		{future.Succeed(hostile{}), "Deferred[future_test.hostile](%!v(PANIC=Error method: Error panics))"},
		{future.Fail[int](hostile{}), "Deferred[int](failed: %!v(PANIC=Error method: Error panics))"},
		{future.Fail[int]((*nilHostile)(nil)), "Deferred[int](failed: <nil>)"},
		{(*future.Deferred[int])(nil), "Deferred[int](nil)"},
	} {
		for _, verb := range []string{"%v", "%s"} {
			if got := fmt.Sprintf(verb, c.d); got != c.want {
				t.Errorf("%s: %q, want %q", verb, got, c.want)
			}
		}
		if got := c.d.(fmt.Stringer).String(); got != c.want {
			t.Errorf("String: %q, want %q", got, c.want)
		}
		first, _, _ := strings.Cut(fmt.Sprintf("%+v", c.d), "\n\tat ")
		if first != c.want {
			t.Errorf("%%+v begins with %q, want %q", first, c.want)
		}
	}
	res.Succeed(1)
	if got := fmt.Sprint(following); got != "Deferred[int](2)" {
		t.Errorf("settled it is %s", got)
	}
}

// A failure that was formatted has still to be handled by somebody.
func TestFormatLooksOnly(t *testing.T) {
	t.Parallel()
	d := future.Fail[int](errA)
	_ = fmt.Sprintf("%v %+v %s %q %d %#v", d, d, d, d, d, d)
	wantOutcome(t, d, 0, errA)
}

// The plus form lists the callbacks that a failure came from and through.
func TestFormatSites(t *testing.T) {
	t.Parallel()
	d, res := future.New[int]()
	e := future.Then(d, failing)
	e = future.Then(e, inc)
	e = e.Finally(closing)
	res.Succeed(1)
	got := fmt.Sprintf("%+v", e)
	want := `^Deferred\[int\]\(failed: a\)
	at \S+future_test\.failing \S+format_test\.go:\d+
	at \S+future_test\.inc \S+helper_test\.go:\d+
	at \S+future_test\.closing \S+format_test\.go:\d+$`
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprintf("%v", e); strings.Contains(got, "\n") {
		t.Errorf("%%v has more than a line: %s", got)
	}
	two := func(int, int) (int, error) { return 0, errB }
	if got := fmt.Sprintf("%+v", future.Join2(future.Succeed(1), future.Succeed(1), two)); !strings.Contains(got, "TestFormatSites.func1") {
		t.Errorf("the callback of a join is not named: %s", got)
	}
}

// The sites of a long way are cut, and two readers that add to one failure do
// not touch what they have in common.
func TestFormatSitesOfLongWay(t *testing.T) {
	t.Parallel()
	e := future.Then(future.Succeed(1), failing)
	for range 100 {
		e = future.Then(e, inc)
	}
	before := fmt.Sprintf("%+v", e)
	if n := strings.Count(before, "\n\tat "); n < 10 || n > 20 {
		t.Errorf("%d sites", n)
	}
	done := make(chan struct{})
	join := func() {
		future.Join2(e, e, func(int, int) (int, error) { return 0, nil })
	}
	go func() {
		defer close(done)
		join()
	}()
	join()
	<-done
	if after := fmt.Sprintf("%+v", e); after != before {
		t.Errorf("another reader changed the sites of a failure:\n%s\n%s", before, after)
	}
}

func failing(int) (int, error) { return 0, errA }

func closing() error { return nil }

// A Deferred in its own value is named, not followed for ever.
func TestFormatOfItself(t *testing.T) {
	t.Parallel()
	d, res := future.New[any]()
	res.Succeed(d)
	if got, want := fmt.Sprint(d), "Deferred[interface {}](Deferred[interface {}](succeeded))"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
