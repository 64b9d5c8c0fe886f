package reactor_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
)

// What Twisted's own tests say of threads and its reactor, as far as no other
// test does. Which of them is shown where stands in
// internal/house/testdata/twisted_tests.txt.

// Twisted's callFromThread is Post.
func TestCallFromThreadAsInTwisted(t *testing.T) {
	t.Run("from-the-loop", func(t *testing.T) {
		everywhere(t, func(w *world) {
			w.r.Post(func() {
				w.r.Post(w.note("posted"))
				w.add("returned") // it is never called within Post
			})
			w.begin()
			w.pass(0)
			w.want(w.T, "returned", "posted")
		})
	})
	t.Run("from-a-worker", func(t *testing.T) {
		everywhere(t, func(w *world) {
			w.r.Go(func() func() { w.r.Post(w.note("posted")); return nil })
			w.begin()
			w.pass(0)
			w.want(w.T, "posted")
		})
	})
	t.Run("very-many", func(t *testing.T) { // the loop is woken, and nothing that wakes it overflows
		const n = 100_000
		r := reactor.New(clock.System())
		next := 0
		r.Post(func() {
			go func() {
				for i := range n {
					r.Post(func() {
						if next != i {
							t.Errorf("post %d came when %d was due", i, next)
						}
						next++
					})
				}
				r.Post(r.Stop)
			}()
		})
		if err := r.Run(context.Background()); err != nil || next != n {
			t.Errorf("Run = %v, %d of %d posts ran", err, next, n)
		}
	})
	t.Run("idle", func(t *testing.T) { // a loop with nothing to do is woken
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			var ran sync.WaitGroup
			ended := make(chan error)
			go func() { ended <- r.Run(context.Background()) }()
			for range 3 {
				synctest.Wait() // it waits
				ran.Add(1)
				r.Post(ran.Done)
				ran.Wait()
			}
			r.Stop()
			<-ended
		})
	})
}

// Twisted's callInThread is Go.
func TestCallInThreadAsInTwisted(t *testing.T) {
	t.Run("beside-the-loop", func(t *testing.T) { // both go on at the same time
		synctest.Test(t, func(t *testing.T) {
			r := reactor.New(clock.System())
			ended := make(chan error)
			go func() { ended <- r.Run(context.Background()) }()
			fromLoop := make(chan int)
			r.Go(func() func() {
				r.Post(func() { fromLoop <- 5 }) // the loop waits here for the worker
				v := <-fromLoop
				return func() {
					if v != 5 {
						t.Errorf("the worker was given %d", v)
					}
					r.Stop()
				}
			})
			if err := <-ended; err != nil {
				t.Errorf("Run = %v", err)
			}
		})
	})
	t.Run("before-the-loop", func(t *testing.T) { // if that never runs, the stop reports what was queued
		var log record
		r := reactor.New(clock.NewVirtual(), log.option())
		r.Post(func() { t.Error("a post ran without a loop") })
		r.Go(func() func() { t.Error("a job ran without a loop"); return nil })
		r.Stop()
		log.want(t, "stopped before everything that was due had run\" count=2")
	})
	t.Run("before-the-loop-on-a-real-clock", func(t *testing.T) { // there a job needs no loop, only its result does
		synctest.Test(t, func(t *testing.T) {
			var log record
			r := reactor.New(clock.System(), log.option())
			ran := false
			r.Go(func() func() { ran = true; return func() { t.Error("a result was delivered without a loop") } })
			synctest.Wait()
			r.Stop()
			if !ran {
				t.Error("the job did not run")
			}
			log.want(t, "stopped before everything that was due")
		})
	})
	t.Run("after-the-loop", func(t *testing.T) { // elsewhere that is dropped in silence
		var log record
		r := reactor.New(clock.System(), log.option())
		r.Post(r.Stop)
		if err := r.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		log.want(t)
		r.Go(func() func() { t.Error("a job ran after the stop"); return nil })
		log.want(t, "after Stop")
	})
}
