package seam

import (
	"fmt"
	"sync"
)

// ExecutorOf returns the executor of a Deferred of package future, nil if its
// callbacks run inline. The door is the Deferred's Format method, which answers
// an [Asker] instead of writing: so a Deferred needs no exported name for it.
func ExecutorOf(deferred fmt.Formatter) any {
	a := new(Asker)
	deferred.Format(a, 'v')
	return a.Executor
}

// A Keeper cares for values that are not to be lost: permits, or the last copies of
// something.
type Keeper struct {
	ask  Asker
	back any
	once sync.Once
	made any
}

// NewKeeper returns a Keeper that gives back to back, a func(T) for Deferreds of T.
// It may be called on any goroutine, and may settle others. back may be nil: then
// nothing is given back.
func NewKeeper(back any) *Keeper {
	k := &Keeper{back: back}
	k.ask.Keeper = k
	return k
}

// Keep marks a Deferred that is new, and that its Resolver will settle: once it
// has a value, a cancel comes too late to take that away from a callback that is
// about to get it, directly or through Deferreds that pass it on. The callback
// runs, and the cancel goes to what it returns. If the last that was interested
// gives up without a cancel, the value is given back where it gets to nobody; and
// if that is the Deferred itself, its Resolver refuses the value.
func (k *Keeper) Keep(deferred fmt.Formatter) { deferred.Format(&k.ask, 'v') }

// Made is what package future makes of k, once.
func (k *Keeper) Made(of func(back any) any) any {
	k.once.Do(func() { k.made = of(k.back) })
	return k.made
}

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
	Executor any // the answer, unless one of the following is to be done instead
	Keeper   *Keeper

	Search bool // for Target, or, if that is nil, fill it in
	Target any
	Err    error
}
