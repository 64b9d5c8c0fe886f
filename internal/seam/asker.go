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

// An Asker is a fmt.State that wants something of a Deferred.
type Asker struct {
	fmt.State
	Executor any  // the answer
	Keep     bool // see the function, instead of a question
}
