package reactor

import (
	"bytes"
	"fmt"
	"runtime"

	"github.com/deferred-go/deferred/internal/seam"
)

// finish does what is left to do when nothing else will start: it reports what
// has been due, tells the tasks that want to know, and then the members. It
// runs on the loop.
func (r *Reactor) finish(due seam.Dropped) {
	r.reportLost(due.Lost)
	r.dropTasks(due.Tasks)
	r.tellMembers(false, ErrStopped)
}

// dropTasks tells tasks. Should one end the goroutine, the rest is told while
// that ends.
func (r *Reactor) dropTasks(tasks []seam.Task) {
	for i, t := range tasks {
		r.guarded(
			func() { t.(seam.Dropper).Drop(ErrStopped) },
			func() { r.dropTasks(tasks[i+1:]); r.tellMembers(false, ErrStopped) })
	}
}

// tellMembers tells the members, or only the bound ones, that the loop stops.
func (r *Reactor) tellMembers(bound bool, err error) {
	for {
		r.mu.Lock()
		m := r.members.TakeFirst(bound)
		r.mu.Unlock()
		if m == nil {
			return
		}
		r.guarded(func() { m.Stopped(err) }, func() { r.tellMembers(bound, err) })
	}
}

// guarded calls f, and rest if f does not return: while the goroutine ends, or
// while a control panic leaves.
func (r *Reactor) guarded(f, rest func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		handled := r.failed(v)
		if v == nil || !handled {
			rest()
		}
		if !handled {
			panic(v)
		}
	}()
	f()
	returned = true
}

// errLocked is what bound members are told that lose their thread.
var errLocked = fmt.Errorf("%w for coroutines: a function ended, with runtime.Goexit, the goroutine of the loop while it was locked to its thread, and they cannot go on on another", ErrStopped)

// lost is called on the goroutine of the loop while that ends by
// runtime.Goexit. If it is locked to its thread, what is bound to it ends too.
func (r *Reactor) lost() {
	if lockedToThread() {
		r.tellMembers(true, errLocked)
	}
}

// lockedToThread reports whether the calling goroutine is: the runtime tells it
// only in the first line of a stack trace.
func lockedToThread() bool {
	var buf [128]byte
	line, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("\n"))
	return bytes.Contains(line, []byte("locked to thread"))
}
