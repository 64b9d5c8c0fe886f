package failure_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/failure"
)

type leaf struct{ n int }

func (l *leaf) Error() string { return fmt.Sprintf("leaf %d", l.n) }

// A tree is an error and what it is made of.
type tree struct {
	err    error
	leaves []*leaf
	panics bool
}

// drawTree draws an error of leaves that are wrapped, with and without telling
// so, joined, panicked with and given to At, in any nesting.
func drawTree(t *rapid.T, depth int) tree {
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 7).Draw(t, "kind")
	}
	switch kind {
	case 0:
		l := &leaf{rapid.IntRange(0, 9).Draw(t, "leaf")}
		return tree{l, []*leaf{l}, false}
	case 1:
		in := drawTree(t, depth-1)
		return tree{fmt.Errorf("wrapped: %w", in.err), in.leaves, in.panics}
	case 2:
		a, b := drawTree(t, depth-1), drawTree(t, depth-1)
		return tree{errors.Join(a.err, b.err), append(a.leaves, b.leaves...), a.panics || b.panics}
	case 3:
		in := drawTree(t, depth-1)
		_, again := in.err.(*failure.Failure)
		return tree{caught(func() { panic(in.err) }), in.leaves, in.panics || !again}
	case 4:
		in := drawTree(t, depth-1)
		return tree{failure.At(in.err, site(drawTree), site(caught)), in.leaves, in.panics}
	case 5:
		a, b := drawTree(t, depth-1), drawTree(t, depth-1)
		return tree{fmt.Errorf("%w, then %w", a.err, b.err), append(a.leaves, b.leaves...), a.panics || b.panics}
	case 6:
		in := drawTree(t, depth-1)
		return tree{&around{"hidden", in.err}, in.leaves, in.panics}
	default:
		in := drawTree(t, depth-1)
		return tree{failure.At(in.err).Note("noted"), in.leaves, in.panics}
	}
}

// Whatever is wrapped, joined, panicked with and given to At, errors.Is finds
// each leaf, and nothing else.
func TestIsFindsAllThatIsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t, 5)
		f := failure.At(tree.err)
		for _, l := range tree.leaves {
			if !errors.Is(f, l) {
				t.Errorf("%v is not found in\n%+v", l, f)
			}
		}
		if errors.Is(f, &leaf{0}) {
			t.Error("a stranger is found")
		}
		if got, ok := errors.AsType[*leaf](f); !ok || got != tree.leaves[0] {
			t.Errorf("errors.AsType gives %v, want the first leaf, %v", got, tree.leaves[0])
		}
		if errors.Is(f, failure.ErrPanic) != tree.panics {
			t.Errorf("errors.Is(f, ErrPanic) is not %v", tree.panics)
		}
		if errors.Is(f, failure.ErrGoexit) {
			t.Error("errors.Is(f, ErrGoexit)")
		}
	})
}

// At keeps the text, and what errors.Is and errors.As find.
func TestAtChangesNothingButThePlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		err := drawTree(t, 4).err
		f := failure.At(err, site(caught)).Note("n")
		if f.Error() != err.Error() {
			t.Errorf("Error() = %q, want %q", f.Error(), err.Error())
		}
		if parts := f.Unwrap(); len(parts) != 1 || parts[0] != err {
			t.Errorf("Unwrap() = %v", parts)
		}
		frames := f.Frames()
		if in, ok := err.(*failure.Failure); ok && !slices.Equal(frames[:len(frames)-1], in.Frames()) {
			t.Error("the frames of the inner Failure changed")
		}
		if frames[len(frames)-1].Entry != site(caught) {
			t.Error("the site is not the last frame")
		}
	})
}

// toldOf checks that the detailed text of f, and its structured form, tell of
// every leaf, that the default text is Error's, and that each of the three
// begins with the one before.
func toldOf(t *rapid.T) {
	tree := drawTree(t, 5)
	f := failure.At(tree.err)
	brief, normal, detailed := fmt.Sprintf("%s", f), fmt.Sprintf("%v", f), fmt.Sprintf("%+v", f)
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "f", f)
	if normal != f.Error() {
		t.Errorf("%%v gives %q, Error %q", normal, f.Error())
	}
	if want := strings.ReplaceAll(normal, "\n", "; "); brief != want {
		t.Errorf("%%s gives %q, want %q", brief, want)
	}
	if head := strings.ReplaceAll(normal, "\n", "\n  "); !strings.HasPrefix(detailed, head) {
		t.Errorf("%%+v begins with %q, want %q", detailed, head)
	}
	if !json.Valid([]byte(logged.String())) {
		t.Errorf("logged %s", logged.String())
	}
	if strings.Contains(detailed, "... and more causes") {
		return
	}
	for _, l := range tree.leaves {
		if !strings.Contains(detailed, l.Error()) {
			t.Errorf("no word of %v in\n%s", l, detailed)
		}
		if !strings.Contains(logged.String(), l.Error()) {
			t.Errorf("no word of %v in\n%s", l, logged.String())
		}
	}
}

func TestAllCausesAreTold(t *testing.T) { rapid.Check(t, toldOf) }

func FuzzAllCausesAreTold(f *testing.F) { f.Fuzz(rapid.MakeFuzz(toldOf)) }

func TestFormattingNeverPanics(t *testing.T) {
	values := hostile()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(sortedKeys(values)).Draw(t, "value")
		f := caught(func() { panic(values[name]) })
		tree := drawTree(t, 3)
		check(t, failure.At(errors.Join(tree.err, f, tree.err)))
	})
}
