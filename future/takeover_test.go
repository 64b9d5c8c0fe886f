package future_test

import (
	"sync"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// A taken is a Deferred whose only reader took it over: outer waits for inner,
// whose callback has returned one that is pending, end. Since nobody else reads
// inner, outer follows end directly.
type taken struct {
	outer, inner, end *future.Deferred[int]
	res               future.Resolver[int] // end's
}

func takeOver() taken {
	var m taken
	gate, open := future.New[int]()
	m.end, m.res = future.New[int]()
	m.inner = future.ThenFlat(gate, func(int) *future.Deferred[int] { return m.end })
	m.outer = future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return m.inner })
	open.Succeed(0)
	return m
}

// Whatever is done with a Deferred that was taken over, it looks as if it never
// had been.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		do     func(j *journal, m taken)
		want   string
		reason string
	}{
		{"attach", func(j *journal, m taken) {
			future.Then(m.inner, func(v int) (int, error) { j.add("inner%d", v); return 0, nil })
			future.Then(m.outer, func(v int) (int, error) { j.add("outer%d", v); return 0, nil })
			future.Then(m.end, func(v int) (int, error) { j.add("end%d", v); return 0, nil })
			m.res.Succeed(5)
		}, "outer5 inner5 end5", "it has its place back, before what comes later to the end"},
		{"attach after readers of the end", func(j *journal, m taken) {
			future.Then(m.end, func(v int) (int, error) { j.add("end%d", v); return 0, nil })
			future.Then(m.inner, func(v int) (int, error) { j.add("inner%d", v); return 0, nil })
			m.res.Succeed(5)
		}, "inner5 end5", "it stood in the end's ring before"},
		{"attach twice", func(j *journal, m taken) {
			future.Then(m.inner, func(v int) (int, error) { j.add("one%d", v); return 0, nil })
			future.Then(m.inner, func(v int) (int, error) { j.add("two%d", v); return 0, nil })
			m.res.Succeed(5)
		}, "one5 two5", "in order of registration"},
		{"attach inside a callback of the end", func(j *journal, m taken) {
			gate, open := future.New[int]()
			d := future.ThenFlat(m.end, func(v int) *future.Deferred[int] {
				future.Then(m.inner, func(v int) (int, error) { j.add("late%d", v); return 0, nil })
				return gate
			})
			future.Then(d, func(v int) (int, error) { j.add("gate%d", v); return 0, nil })
			m.res.Succeed(5)
			open.Succeed(6)
		}, "late5 gate6", "it has settled meanwhile"},
		{"fail", func(j *journal, m taken) {
			m.res.Fail(errA)
			_, err := m.inner.Result()
			j.add("%v", err)
			_, err = m.outer.Result()
			j.add("%v", err)
		}, "a a", "the failure is that of all"},
		{"poll", func(j *journal, m taken) {
			for range 1000 {
				if _, err := m.inner.Result(); err != future.ErrPending {
					j.add("%v", err)
				}
			}
			m.res.Succeed(5)
			v, err := m.inner.Result()
			j.add("%d,%v", v, err)
		}, "5,<nil>", "looking at it does not change it"},
		{"done", func(j *journal, m taken) {
			done := m.inner.Done()
			select {
			case <-done:
				j.add("closed")
			default:
			}
			j.add("%v", done == m.inner.Done())
			m.res.Succeed(5)
			<-done
			<-m.inner.Done()
			<-m.outer.Done()
			v, err := m.inner.Result()
			j.add("%d,%v", v, err)
		}, "true 5,<nil>", "it has a channel like any other"},
		{"await", func(j *journal, m taken) {
			started := make(chan struct{})
			go func() {
				close(started)
				m.res.Succeed(5)
			}()
			<-started
			v, err := m.inner.Await(t.Context())
			j.add("%d,%v", v, err)
		}, "5,<nil>", "a wait is a reader"},
		{"cancel of the outer one", func(j *journal, m taken) {
			m.res.OnCancel(func(cause error) { j.add("asked:%v", cause) })
			j.add("%v", m.outer.Cancel(errA))
			for _, d := range []*future.Deferred[int]{m.outer, m.inner, m.end} {
				wantError(t, d, "", future.ErrCanceled, errA)
			}
		}, "asked:a true", "it goes through to the end"},
		{"cancel of the inner one", func(j *journal, m taken) {
			m.res.OnCancel(func(cause error) { j.add("asked:%v", cause) })
			j.add("%v", m.inner.Cancel(errA))
			for _, d := range []*future.Deferred[int]{m.outer, m.inner, m.end} {
				wantError(t, d, "", future.ErrCanceled, errA)
			}
		}, "asked:a true", "the outer one waits for it"},
		{"cancel of the outer one, the inner one is read", func(j *journal, m taken) {
			future.Then(m.inner, func(v int) (int, error) { j.add("inner%d", v); return 0, nil })
			m.res.OnCancel(func(cause error) { j.add("asked") })
			j.add("%v", m.outer.Cancel(errA))
			wantError(t, m.outer, "", future.ErrCanceled, errA)
			m.res.Succeed(5)
		}, "true inner5", "another reader stays"},
		{"cancel of the outer one, the end is read", func(j *journal, m taken) {
			future.Then(m.end, func(v int) (int, error) { j.add("end%d", v); return 0, nil })
			m.res.OnCancel(func(cause error) { j.add("asked") })
			j.add("%v", m.outer.Cancel(errA))
			wantError(t, m.outer, "", future.ErrCanceled, errA)
			m.res.Succeed(5)
		}, "true end5", "another reader of the end stays"},
		{"cancel of the outer one, then attach to the inner one", func(j *journal, m taken) {
			future.Then(m.end, func(v int) (int, error) { j.add("end%d", v); return 0, nil })
			m.outer.Cancel(errA)
			future.Handle(m.inner, func(v int, err error) (int, error) { j.add("inner:%v", err != nil); return 0, nil })
			m.res.Succeed(5)
		}, "inner:true end5", "with its only reader the inner one has left, too"},
		{"all readers cancel", func(j *journal, m taken) {
			a := future.Then(m.inner, inc)
			m.res.OnCancel(func(cause error) { j.add("asked:%v", cause) })
			a.Cancel(errB)
			m.outer.Cancel(errA)
		}, "asked:a", "the last one asks"},
		{"format", func(j *journal, m taken) {
			j.add("%v", m.inner)
			m.res.Succeed(5)
			j.add("%v", m.inner)
		}, "Deferred[int](pending) Deferred[int](5)", "it looks pending, then settled"},
		{"follow it", func(j *journal, m taken) {
			d, res := future.New[int]()
			res.Follow(m.inner)
			m.res.Succeed(5)
			v, err := d.Result()
			j.add("%d,%v", v, err)
		}, "5,<nil>", "a follower is a reader"},
		{"gather it", func(j *journal, m taken) {
			d := future.All(m.inner, m.outer, m.end, m.inner)
			m.res.Succeed(5)
			v, err := d.Result()
			j.add("%d,%v", v, err)
		}, "[5 5 5 5],<nil>", "a gather is a reader"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			c.do(&j, takeOver())
			if got := j.String(); got != c.want {
				t.Errorf("happened: %s\n    want: %s\n because: %s", got, c.want, c.reason)
			}
		})
	}
}

// A chain of take-overs, of which one in the middle is attached to.
func TestTakenOverInTheMiddle(t *testing.T) {
	t.Parallel()
	const n = 10
	for at := range n {
		gate, open := future.New[int]()
		end, res := future.New[int]()
		ds := []*future.Deferred[int]{end}
		for range n {
			before := ds[len(ds)-1]
			ds = append(ds, future.ThenFlat(gate, func(int) *future.Deferred[int] { return before }))
		}
		open.Succeed(0)
		var j journal
		for _, i := range []int{at, at, n - 1 - at} {
			future.Then(ds[i], func(v int) (int, error) { j.add("%d:%d", i, v); return 0, nil })
		}
		res.Succeed(7)
		for i, d := range ds {
			if v, err := d.Result(); v != 7 || err != nil {
				t.Errorf("link %d has (%d, %v)", i, v, err)
			}
		}
		if len(j.lines) != 3 {
			t.Errorf("ran %v", j.lines)
		}
	}
}

// One inner Deferred, cached, is returned to two callers, of whom one cancels:
// the other goes on.
func TestSharedInner(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		cancel []int
		alive  []int
	}{
		{"the first cancels", []int{0}, []int{1}},
		{"the second cancels", []int{1}, []int{0}},
		{"nobody cancels", nil, []int{0, 1}},
		{"both cancel", []int{0, 1}, nil},
		{"both cancel, the second first", []int{1, 0}, nil},
	} {
		for _, derived := range []bool{false, true} {
			for _, late := range []bool{false, true} {
				end, res := future.New[int]()
				gate, open := future.New[int]()
				shared := end
				if derived { // it is itself a link that can move
					shared = future.ThenFlat(gate, func(int) *future.Deferred[int] { return end })
				}
				if !late {
					open.Succeed(0)
				}
				asked := 0
				res.OnCancel(func(error) { asked++ })
				var callers []*future.Deferred[int]
				for range 2 {
					callers = append(callers, future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return shared }))
				}
				open.Succeed(0)
				for _, i := range c.cancel {
					callers[i].Cancel(errA)
					wantError(t, callers[i], "", future.ErrCanceled, errA)
				}
				if want := len(c.cancel) / 2; asked != want {
					t.Errorf("%s: the source was asked %d times, want %d", c.name, asked, want)
				}
				res.Succeed(5)
				for _, i := range c.alive {
					wantOutcome(t, callers[i], 5, nil)
				}
			}
		}
	}
}

// The same, moved to the first caller before the second one comes.
func TestSharedInnerMovedFirst(t *testing.T) {
	t.Parallel()
	m := takeOver()
	second := future.ThenFlat(future.Succeed(0), func(int) *future.Deferred[int] { return m.inner })
	m.outer.Cancel(errA)
	wantError(t, m.outer, "", future.ErrCanceled, errA)
	wantPending(t, second)
	wantPending(t, m.inner)
	m.res.Succeed(5)
	wantOutcome(t, second, 5, nil)
	wantOutcome(t, m.inner, 5, nil)
}

// Attaching to a Deferred that has moved while what took it over is queued on
// its executor: the order is that of registration.
func TestAttachWhileTakerIsQueued(t *testing.T) {
	t.Parallel()
	x := new(foreign)
	var j journal
	note := func(name string) func(int) (int, error) {
		return func(v int) (int, error) {
			j.add("%s%d", name, v)
			return v, nil
		}
	}
	gate, open := future.NewOn[int](x)
	end, res := future.NewOn[int](x)
	inner := future.ThenFlat(gate, func(int) *future.Deferred[int] { return end })
	outer := future.ThenFlat(gate, func(int) *future.Deferred[int] { return inner })
	future.Then(outer, note("outer"))
	open.Succeed(0)
	x.run()
	res.Succeed(5)
	future.Then(inner, note("inner"))
	future.Then(outer, note("late"))
	x.run()
	j.want(t, "outer5", "inner5", "late5")
}

// Attach, poll, cancel and settle race around take-overs: nothing hangs, and
// what was not canceled has the outcome.
func TestTakeOverFromManyGoroutines(t *testing.T) {
	t.Parallel()
	for round := range 400 {
		gate, open := future.New[int]()
		end, res := future.New[int]()
		inner := future.ThenFlat(gate, func(int) *future.Deferred[int] { return end })
		middle := future.ThenFlat(gate, func(int) *future.Deferred[int] { return inner })
		outer := future.ThenFlat(gate, func(int) *future.Deferred[int] { return middle })
		var readers [4]*future.Deferred[int]
		var wg sync.WaitGroup
		start := make(chan struct{})
		do := func(f func()) {
			wg.Go(func() {
				<-start
				f()
			})
		}
		do(func() { open.Succeed(0) })
		do(func() { res.Succeed(5) })
		do(func() { readers[0] = future.Then(inner, inc) })
		do(func() { readers[1] = future.Then(middle, inc) })
		do(func() { readers[2] = future.Then(end, inc); middle.Result(); <-inner.Done() })
		do(func() {
			if round%2 == 0 {
				outer.Cancel(errA)
			}
			readers[3] = future.Then(middle.Shield(), inc)
		})
		close(start)
		wg.Wait()
		for i, d := range readers {
			if v, err := d.Await(t.Context()); round%2 == 1 && (v != 6 || err != nil) {
				t.Fatalf("reader %d has (%d, %v)", i, v, err)
			}
		}
		if _, err := outer.Result(); err == future.ErrPending {
			t.Fatal("the outer one is pending")
		}
	}
}
