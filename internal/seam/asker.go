package seam

import "fmt"

// ExecutorOf returns the executor of a Deferred of package future, nil if its
// callbacks run inline. The door is the Deferred's Format method, which answers
// an [Asker] instead of writing: so a Deferred needs no exported name for it.
func ExecutorOf(deferred fmt.Formatter) any {
	a := new(Asker)
	deferred.Format(a, 'v')
	return a.Executor
}

// Keep marks a Deferred that is new, and that its Resolver will settle: once it
// has a value, a cancel comes too late to take that away from a callback that is
// about to get it, directly or through Deferreds that pass it on. The callback
// runs, and the cancel goes to what it returns. So what the value stands for,
// a permit or the last copy of something, is not lost in the race of the two.
func Keep(deferred fmt.Formatter) { deferred.Format(keep, 'v') }

var keep = &Asker{Keep: true}

// A Search finds out whether Deferreds wait for a certain one, which the core
// cannot see where that is settled by its Resolver. It is not for several
// goroutines at a time.
type Search struct{ ask Asker }

// SearchFor returns a Search for the Deferred target.
func SearchFor(target fmt.Formatter) *Search {
	s := &Search{Asker{Search: true}}
	target.Format(&s.ask, 'v')
	return s
}

// Check returns the error of a Deferred that waits for itself, if deferred is
// the target, or waits for it now.
func (s *Search) Check(deferred fmt.Formatter) error {
	s.ask.Err = nil
	deferred.Format(&s.ask, 'v')
	return s.ask.Err
}

// An Asker is a fmt.State that wants something of a Deferred.
type Asker struct {
	fmt.State
	Executor any  // the answer, unless one of the following is to be done instead
	Keep     bool // see the function

	Search bool // for Target, or, if that is nil, fill it in
	Target any
	Err    error
}
