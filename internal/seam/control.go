package seam

import (
	"context"
	"reflect"
)

// IsControl reports whether v, a recovered panic value, is one by which a
// property tester steers its test. Who recovers it must panic with it again,
// or the search for a smaller counterexample goes astray.
func IsControl(v any) bool {
	if v == nil {
		return false
	}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "pgregory.net/rapid"
}

// Rethrow panics with v, on another goroutine than v came from. The tester tells
// panics apart by where they are raised, so one that rejects an input must not
// look like one that fails: they have a line each.
func Rethrow(v any) {
	if reflect.TypeOf(v).Name() == "invalidData" {
		panic(v)
	}
	panic(v)
}

// A Dropper is a Task that wants to know when it will not be run because its
// loop has stopped. Drop is then called instead of Run, on the loop, in the
// order in which the tasks would have run and before the members are told.
type Dropper interface {
	Task
	Drop(err error)
}

// A ParentWatcher is a [Loop] that looks less often at contexts which are only
// the parents of the library's own: when nothing is left to do at this instant
// of virtual time, not between any two events, so that many coroutines below
// many contexts cost nothing. Give its WatchParent to lifetime.New.
type ParentWatcher interface {
	WatchParent(ctx context.Context, f func()) (stop func() bool)
}
