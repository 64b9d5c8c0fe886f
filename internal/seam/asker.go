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

// An Asker is a fmt.State that wants to know an executor.
type Asker struct {
	fmt.State
	Executor any
}
