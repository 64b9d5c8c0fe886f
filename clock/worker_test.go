package clock_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/internal/seam"
)

// An owner stands for a reactor.
func owner(log *slog.Logger) *seam.Owner {
	return &seam.Owner{
		Failed: func(any) bool { return false },
		Lost:   func() {},
		Late:   func(what, _ string) { log.Warn("late: " + what) },
		Logger: func() *slog.Logger { return log },
	}
}

type task func()

func (t task) Run() seam.Task {
	t()
	return nil
}

// rig is a clock with one owner.
type rig struct {
	*clock.Virtual
	d     seam.Driver
	o     *seam.Owner
	diary *diary
	log   *record
}

func newRig(opts ...clock.Option) *rig {
	v := clock.NewVirtual(opts...)
	log := &record{}
	return &rig{v, seam.DriverOf(v), owner(log.logger()), &diary{clock: v}, log}
}

func (r *rig) work(job func(w seam.Worker) func()) { r.d.Go(r.o, job) }

// sleep is what Await does in a worker.
func (r *rig) sleep(w seam.Worker, d time.Duration) {
	r.CallLater(d, w.Ready)
	w.Park()
}

// Workers run one at a time, in the order in which they became ready, before
// the next event; what they deliver comes in the order of submission.
func TestWorkers_take_turns(t *testing.T) {
	want := []string(nil)
	for range 50 {
		r := newRig()
		for i, pauses := range [][]time.Duration{{10, 0, 10}, {10, 10}, {}, {0, 20}, {20}} {
			r.work(func(w seam.Worker) func() {
				r.diary.add(fmt.Sprint(i, " begins"))
				for _, d := range pauses {
					runtime.Gosched()
					r.sleep(w, d)
					r.diary.add(fmt.Sprint(i, " goes on"))
				}
				return r.diary.note(fmt.Sprint(i, " delivers"))
			})
		}
		r.diary.want(t) // nobody drives
		r.Advance(time.Second)
		if want == nil {
			want = slices.Clone(r.diary.lines)
		}
		r.diary.want(t, want...)
	}
	exact := []string{
		"0s 0 begins", "0s 1 begins", "0s 2 begins", "0s 3 begins", "0s 4 begins", "0s 3 goes on", "0s 2 delivers",
		"10ns 0 goes on", "10ns 1 goes on", "10ns 0 goes on",
		"20ns 4 goes on", "20ns 3 goes on", "20ns 1 goes on", "20ns 0 goes on",
		"20ns 4 delivers", "20ns 3 delivers", "20ns 1 delivers", "20ns 0 delivers",
	}
	if !slices.Equal(want, exact) {
		t.Errorf("happened\n%s\nwant\n%s", strings.Join(want, "\n"), strings.Join(exact, "\n"))
	}
}

// A call without delay counts as posted at the end of the worker's turn.
func TestWorkers_calls_without_delay(t *testing.T) {
	r := newRig()
	r.work(func(w seam.Worker) func() {
		r.CallLater(0, r.diary.note("1 calls"))
		r.d.Post(r.o, task(r.diary.note("1 posts")))
		r.sleep(w, 0)
		r.CallLater(0, r.diary.note("1 calls again"))
		return r.diary.note("1 delivers")
	})
	r.work(func(seam.Worker) func() {
		r.d.Post(r.o, task(r.diary.note("2 posts")))
		return r.diary.note("2 delivers")
	})
	r.Advance(0)
	r.diary.want(t, "0s 1 posts", "0s 1 calls", "0s 2 posts", "0s 2 delivers", "0s 1 calls again", "0s 1 delivers")
}

// Workers that hand on to one another, or start others, without end are stopped
// by the limit.
func TestWorkers_without_end(t *testing.T) {
	r := newRig(clock.Limit(10))
	turns := 0
	var job func(seam.Worker) func()
	job = func(seam.Worker) func() {
		if turns++; turns == 1000 {
			r.CallLater(0, r.diary.note("runs into no limit"))
			return nil
		}
		r.work(job)
		return nil
	}
	r.work(job)
	mustPanic(t, func() { r.Advance(time.Second) }, "clock: Advance: more than 10 turns of workers", "wait for time to pass")
	if turns != 10 {
		t.Errorf("%d turns, want 10", turns)
	}
}

// Where time passes, workers may have as many turns as they like.
func TestWorkers_that_wait_for_time(t *testing.T) {
	r := newRig(clock.Limit(10))
	turns := 0
	for range 3 {
		r.work(func(w seam.Worker) func() {
			for range 3 {
				r.sleep(w, time.Second)
				turns++
			}
			return nil
		})
	}
	r.Advance(time.Minute)
	if turns != 9 {
		t.Errorf("%d turns", turns)
	}
}

// Jobs that end in the gap between two events deliver in the order of
// submission, whichever was ready first.
func TestWorkers_deliver_in_order_of_submission(t *testing.T) {
	r := newRig()
	var parked []seam.Worker
	for i := range 4 {
		r.work(func(w seam.Worker) func() {
			parked = append(parked, w)
			w.Park()
			r.diary.add(fmt.Sprint(i, " ends"))
			return r.diary.note(fmt.Sprint(i, " delivers"))
		})
	}
	r.CallLater(time.Second, func() {
		for _, w := range slices.Backward(parked) {
			w.Ready()
		}
	})
	r.CallLater(time.Second, r.diary.note("next event"))
	r.Advance(time.Second)
	r.diary.want(t, "1s 3 ends", "1s 2 ends", "1s 1 ends", "1s 0 ends",
		"1s next event", "1s 0 delivers", "1s 1 delivers", "1s 2 delivers", "1s 3 delivers")
}

// Ready before Park is not lost.
func TestWorker_is_ready_before_it_parks(t *testing.T) {
	r := newRig()
	r.work(func(w seam.Worker) func() {
		w.Ready()
		w.Park()
		return r.diary.note("done")
	})
	r.Advance(0)
	r.diary.want(t, "0s done")
}

// A worker that ends its goroutine does not hold time.
func TestWorker_goexit(t *testing.T) {
	r := newRig()
	r.work(func(seam.Worker) func() { runtime.Goexit(); return nil })
	r.CallLater(time.Second, r.diary.note("later"))
	r.Advance(time.Minute)
	r.diary.want(t, "1s later")
}

// A worker that is blocked elsewhere is reported after 2 real seconds, once;
// the next one starts beside it, and the drive waits for both.
func TestWorker_is_stuck(t *testing.T) {
	for _, births := range []bool{false, true} {
		t.Run(fmt.Sprint("birthplaces ", births), func(t *testing.T) {
			var opts []clock.Option
			if births {
				opts = append(opts, clock.Birthplaces())
			}
			r := newRig(opts...)
			real := clock.NewVirtual()
			clock.SetReal(r.Virtual, real)
			meet := make(chan struct{})
			begun := make(chan struct{})
			r.work(func(seam.Worker) func() { close(begun); meet <- struct{}{}; return r.diary.note("1") })
			r.work(func(seam.Worker) func() { <-meet; return r.diary.note("2") })
			go func() {
				<-begun
				for real.Pending() == 0 { // until the drive watches the worker
					runtime.Gosched()
				}
				if real.Advance(clock.Patience - 1); r.log.String() != "" {
					t.Errorf("reported too early: %s", r.log)
				}
				real.Advance(1)
			}()
			r.Advance(0)
			r.diary.want(t, "0s 1", "0s 2")
			log := r.log.String()
			if n := strings.Count(log, "holds virtual time"); n != 1 || !strings.Contains(log, "wait with Await") {
				t.Errorf("%d reports, want 1: %s", n, log)
			}
			if strings.Contains(log, "worker_test.go:") != births || strings.Contains(log, "Birthplaces") == births {
				t.Errorf("wrong place in %s", log)
			}
		})
	}
}

// Beside a worker that is stuck, others notice the end of a context.
func TestWorker_beside_one_that_is_stuck(t *testing.T) {
	t.Run("its own", func(t *testing.T) { besideStuck(t, (*rig).watch) })
	t.Run("a parent's", func(t *testing.T) { besideStuck(t, (*rig).watchParent) })
}

func (r *rig) watch(ctx context.Context, f func()) { r.d.Watch(ctx, f) }
func (r *rig) watchParent(ctx context.Context, f func()) {
	r.d.(seam.ParentWatcher).WatchParent(ctx, f)
}

func besideStuck(t *testing.T, watch func(*rig, context.Context, func())) {
	synctest.Test(t, func(t *testing.T) { // whose time is the real one there
		r := newRig()
		ctx, cancel := context.WithCancel(t.Context())
		noticed := make(chan struct{})
		r.work(func(w seam.Worker) func() {
			watch(r, ctx, w.Ready)
			w.Park()
			close(noticed)
			return nil
		})
		r.work(func(seam.Worker) func() { <-noticed; return nil })
		go func() {
			time.Sleep(clock.Patience)
			synctest.Wait() // the drive waits for the second
			cancel()
		}()
		r.Advance(0)
	})
}

// A hold that lasts is reported; in a bubble, whose time is the real one there.
func TestHold_that_lasts_is_reported(t *testing.T) {
	var log record
	was := slog.Default()
	slog.SetDefault(log.logger())
	defer slog.SetDefault(was)
	synctest.Test(t, func(t *testing.T) {
		v := clock.NewVirtual()
		release := v.Hold()
		go func() {
			time.Sleep(time.Hour)
			release()
		}()
		v.Advance(time.Second)
	})
	if n := strings.Count(log.String(), "has been held for 2 real seconds"); n != 1 {
		t.Errorf("%d reports, want 1: %s", n, &log)
	}
}

// A goroutine that waits while nobody drives is reported, once.
func TestParked(t *testing.T) {
	r := newRig()
	real := clock.NewVirtual()
	clock.SetReal(r.Virtual, real)
	short := r.d.Parked(r.o)
	short()
	real.Advance(time.Hour)
	release := r.d.Parked(r.o)
	also := r.d.Parked(r.o)
	real.Advance(time.Second)
	r.Advance(0) // a drive
	real.Advance(clock.Patience - 1)
	if log := r.log.String(); log != "" {
		t.Errorf("reported in spite of a drive: %s", log)
	}
	real.Advance(time.Hour)
	for _, w := range []string{"nobody has moved", "GoOn", "Advance"} {
		if !strings.Contains(r.log.String(), w) {
			t.Errorf("no %q in %s", w, r.log)
		}
	}
	release()
	also()
	defer r.d.Parked(r.o)()
	real.Advance(time.Hour)
	if n := strings.Count(r.log.String(), "nobody has moved"); n != 1 {
		t.Errorf("%d reports, want 1", n)
	}
	if real.Pending() != 0 {
		t.Errorf("a watchdog is left: %v", real)
	}
}

// What waits with foreign contexts is called between two events, in order;
// parents when nothing is left to do.
func TestWatch(t *testing.T) {
	r := newRig()
	a, cancelA := context.WithCancel(t.Context())
	b, cancelB := context.WithCancel(t.Context())
	defer cancelB()
	r.d.WatchParent(a, r.diary.note("parent a"))
	r.d.Watch(a, r.diary.note("a1"))
	r.d.Watch(context.WithValue(a, key("k"), 1), r.diary.note("a2"))
	r.d.Watch(b, r.diary.note("b"))
	stop := r.d.Watch(a, r.diary.note("stopped"))
	r.CallLater(time.Second, func() { cancelB(); cancelA(); r.diary.add("canceled") })
	r.CallLater(time.Second, r.diary.note("next"))
	if !stop() || stop() {
		t.Error("stop must return true once")
	}
	r.Advance(time.Minute)
	r.diary.want(t, "1s canceled", "1s a1", "1s a2", "1s b", "1s next", "1s parent a")
	if live, _ := clock.Watched(r.Virtual); live != 0 {
		t.Errorf("%d contexts are watched", live)
	}
	if stop := r.d.Watch(context.Background(), r.diary.note("never")); !stop() {
		t.Error("what never ends can be stopped")
	}
	r.d.Watch(a, r.diary.note("had ended"))
	r.Advance(0)
	r.diary.want(t, "1m0s had ended")
}

// Do works at once, or after the running function.
func TestDo(t *testing.T) {
	r := newRig()
	r.d.Do(r.diary.note("at once"))
	r.CallLater(time.Second, func() {
		r.d.Do(func() {
			r.diary.add("after")
			r.d.Do(r.diary.note("after that"))
			mustPanic(t, r.Run, "being driven")
		})
		r.diary.add("running")
	})
	r.CallLater(time.Second, r.diary.note("next"))
	r.Advance(time.Minute)
	r.diary.want(t, "0s at once", "1s running", "1s after", "1s after that", "1s next")
	r.d.Do(func() {
		r.d.Do(r.diary.note("nested"))
		r.diary.add("outer")
	})
	r.diary.want(t, "1m0s outer", "1m0s nested")
}

func TestDrop(t *testing.T) {
	r := newRig(clock.Birthplaces())
	other := owner(r.log.logger())
	r.d.Post(r.o, task(r.diary.note("posted")))
	r.d.Post(other, task(r.diary.note("other")))
	r.d.CallLater(r.o, 0, r.diary.note("due"))
	late, _ := r.d.CallLater(r.o, time.Hour, r.diary.note("late"))
	r.work(func(seam.Worker) func() { t.Error("a dropped job ran"); return nil })
	if len(r.d.Timers(r.o)) != 2 || len(r.d.Posts(r.o)) != 1 || len(r.d.Workers(r.o)) != 1 || r.Pending() != 4 {
		t.Errorf("timers %v, posts %v, workers %v", r.d.Timers(r.o), r.d.Posts(r.o), r.d.Workers(r.o))
	}
	var dropped seam.Dropped
	r.d.Do(func() { dropped = r.d.Drop(r.o) })
	if len(dropped.Lost) != 3 || len(dropped.Tasks) != 0 || !strings.Contains(dropped.Lost[1], "worker_test.go:") {
		t.Errorf("dropped %q", dropped)
	}
	_, ok := r.d.CallLater(r.o, 0, func() {})
	if ok || r.d.Post(r.o, task(nil)) || r.d.Go(r.o, nil) || late.Reset(time.Second) || late.Stop() {
		t.Error("something was taken for an owner that is gone")
	}
	if r.Pending() != 1 {
		t.Errorf("left: %v", r.Virtual)
	}
	r.Advance(2 * time.Hour)
	r.diary.want(t, "0s other")
}
