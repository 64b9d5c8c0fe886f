package lock_test

import (
	"slices"
	"testing"

	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
	"pgregory.net/rapid"
)

// A queue and a naive one run the same program, whose operations are also done
// within callbacks, and must do the same in the same order.

// A queueOp is one operation. A cancel is mostly that of a Put or Get that waits.
type queueOp struct {
	kind   queueKind
	pick   int
	within []queueOp // what the callback of a Put or a Get does
}

type queueKind int

const (
	queueTryPut queueKind = iota
	queuePut
	queueGet
	queueCancel
	queueDrain
	queueClose
)

var queueKinds = []queueKind{
	queueTryPut, queueTryPut, queueTryPut, queuePut, queuePut, queuePut,
	queueGet, queueGet, queueGet, queueGet, queueCancel, queueCancel, queueDrain, queueClose,
}

func queueOps(most, depth int) *rapid.Generator[[]queueOp] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) queueOp {
		op := queueOp{
			kind: rapid.SampledFrom(queueKinds).Draw(t, "kind"),
			pick: rapid.IntRange(0, 30).Draw(t, "pick"),
		}
		if (op.kind == queuePut || op.kind == queueGet) && depth > 0 {
			op.within = queueOps(4, depth-1).Draw(t, "within")
		}
		return op
	}), 0, most)
}

// A queueSystem is a queue of numbers. told is called once; cancel reports
// whether it was pending.
type queueSystem interface {
	tryPut(v int) error
	put(v int, told func(err error)) (cancel func() bool)
	get(told func(v int, err error)) (cancel func() bool)
	closes()
	drain() []int
	length() int
}

// A queueRun is a run of a program. The values that are put are 1, 2, 3…
type queueRun struct {
	journal
	sys     queueSystem
	last    int
	cancels []func() bool
	over    map[int]bool // those of Puts and Gets that have settled
	in, out []int        // values that were accepted, and that came out
	calls   int          // of Get and Drain that have not returned
	within  int          // callbacks that have not returned
	mixed   bool         // a value may have been seen before an older one: see called
}

func (r *queueRun) run(ops []queueOp) {
	for _, op := range ops {
		r.do(op)
	}
}

func (r *queueRun) runWithin(ops []queueOp) {
	r.within++
	r.run(ops)
	r.within--
}

func (r *queueRun) do(op queueOp) {
	switch op.kind {
	case queueTryPut:
		r.last++
		v := r.last
		r.add("try %d", v)
		err := r.sys.tryPut(v)
		if err == nil {
			r.in = append(r.in, v)
		}
		r.add("tried %d: %s, %d stored", v, errText(err), r.sys.length())
	case queuePut:
		r.put(op)
	case queueGet:
		r.get(op)
	case queueCancel:
		var some []int
		for i := range r.cancels {
			if !r.over[i] || op.pick < 5 {
				some = append(some, i)
			}
		}
		if len(some) > 0 {
			i := some[op.pick%len(some)]
			r.add("cancel %d", i)
			r.add("cancel %d: %v, %d stored", i, r.cancels[i](), r.sys.length())
		}
	case queueDrain:
		r.drain()
	case queueClose:
		r.add("close")
		r.sys.closes()
		r.add("closed, %d stored", r.sys.length())
	}
}

// called calls f, which takes values. A callback that runs within the call can
// take more, and is then the first to see what it got; and a Drain leaves those
// behind that are on their way to a Get.
func (r *queueRun) called(f func()) {
	r.mixed = r.mixed || r.calls > 0
	r.calls++
	f()
	r.calls--
}

func (r *queueRun) drain() {
	r.add("drain")
	var got []int
	r.called(func() { got = r.sys.drain() })
	r.out = append(r.out, got...)
	r.mixed = r.mixed || r.within > 0
	r.add("drained %v, %d stored", got, r.sys.length())
}

func (r *queueRun) put(op queueOp) {
	r.last++
	v, i := r.last, len(r.cancels)
	r.cancels = append(r.cancels, func() bool { return false })
	r.add("put %d", v)
	cancel := r.sys.put(v, func(err error) {
		r.over[i] = true
		r.add("put %d: %s, %d stored", v, errText(err), r.sys.length())
		if err == nil {
			r.in = append(r.in, v)
		}
		r.runWithin(op.within)
		r.add("put %d returns", v)
	})
	r.cancels[i] = cancel
	r.add("put %d was called, %d stored", v, r.sys.length())
}

func (r *queueRun) get(op queueOp) {
	i := len(r.cancels)
	r.cancels = append(r.cancels, func() bool { return false })
	r.add("get %d", i)
	var cancel func() bool
	r.called(func() {
		cancel = r.sys.get(func(v int, err error) {
			r.over[i] = true
			r.add("get %d: %d %s, %d stored", i, v, errText(err), r.sys.length())
			if err == nil {
				r.out = append(r.out, v)
			}
			r.runWithin(op.within)
			r.add("get %d returns", i)
		})
	})
	r.cancels[i] = cancel
	r.add("get %d was called, %d stored", i, r.sys.length())
}

// end checks that each value which was accepted has come out once, in order.
func (r *queueRun) end(t *rapid.T) {
	for r.sys.length() > 0 { // puts that wait move up
		r.drain()
	}
	r.sys.closes()
	if !r.mixed && !slices.IsSorted(r.out) {
		t.Errorf("values came out as %v", r.out)
	}
	slices.Sort(r.in)
	slices.Sort(r.out)
	if !slices.Equal(r.in, r.out) {
		t.Errorf("put %v, got %v", r.in, r.out)
	}
}

// queueReal is the queue.
type queueReal struct{ q *lock.Queue[int] }

func (q queueReal) tryPut(v int) error { return q.q.TryPut(v) }

func (q queueReal) put(v int, told func(err error)) (cancel func() bool) {
	d := q.q.Put(v)
	future.Handle(d, func(_ struct{}, err error) (int, error) { told(err); return 0, nil })
	return func() bool { return d.Cancel(errCause) }
}

func (q queueReal) get(told func(v int, err error)) (cancel func() bool) {
	d := q.q.Get()
	future.Handle(d, func(v int, err error) (int, error) { told(v, err); return 0, nil })
	return func() bool { return d.Cancel(errCause) }
}

func (q queueReal) closes()      { q.q.Close() }
func (q queueReal) drain() []int { return q.q.Drain() }
func (q queueReal) length() int  { return q.q.Len() }

// queueNaive is what it should do. Limits below 0 are none.
type queueNaive struct {
	size, backlog int
	values        []int
	gets          []*naiveGet
	puts          []*naivePut
	admitted      []*naivePut
	closed        bool
	serving       bool
}

type naiveGet struct {
	over bool
	told func(v int, err error)
}

type naivePut struct {
	v    int
	over bool
	told func(err error)
}

func (p *naivePut) tell(err error) {
	if !p.over {
		p.over = true
		p.told(err)
	}
}

// wanted is how many Gets wait for which no value is there.
func (q *queueNaive) wanted() int { return len(q.gets) - len(q.values) }

func (q *queueNaive) length() int { return max(0, -q.wanted()) }

func (q *queueNaive) room() bool {
	return len(q.puts) == 0 && (q.size < 0 || -q.wanted() < q.size)
}

func (q *queueNaive) tryPut(v int) error {
	switch {
	case q.closed:
		return lock.ErrClosed
	case !q.room():
		return lock.ErrFull
	}
	q.values = append(q.values, v)
	q.serve()
	return nil
}

func (q *queueNaive) put(v int, told func(err error)) (cancel func() bool) {
	never := func() bool { return false }
	switch {
	case q.closed:
		told(lock.ErrClosed)
		return never
	case q.tryPut(v) == nil:
		told(nil)
		return never
	}
	p := &naivePut{v: v, told: told}
	q.puts = append(q.puts, p)
	return func() bool {
		switch i := slices.Index(q.puts, p); {
		case p.over:
			return false
		case i >= 0:
			q.puts = slices.Delete(q.puts, i, i+1)
			p.tell(future.ErrCanceled)
		default: // it has been put
			p.tell(nil)
		}
		return true
	}
}

func (q *queueNaive) get(told func(v int, err error)) (cancel func() bool) {
	g := &naiveGet{told: told}
	q.gets = append(q.gets, g)
	q.moveUp()
	never := func() bool { return false }
	switch {
	case len(q.gets) == 1 && len(q.values) > 0:
		v := q.values[0]
		q.gets, q.values = nil, q.values[1:]
		q.serve()
		told(v, nil)
		return never
	case q.wanted() > 0 && q.closed:
		q.gets = q.gets[:len(q.gets)-1]
		told(0, lock.ErrClosed)
		return never
	case q.backlog >= 0 && q.wanted() > q.backlog:
		q.gets = q.gets[:len(q.gets)-1]
		told(0, lock.ErrFull)
		return never
	}
	q.serve()
	return func() bool {
		if g.over {
			return false
		}
		i := slices.Index(q.gets, g)
		q.gets = slices.Delete(q.gets, i, i+1)
		g.over = true
		told(0, future.ErrCanceled)
		return true
	}
}

func (q *queueNaive) moveUp() {
	for len(q.puts) > 0 && !q.closed && -q.wanted() < q.size {
		q.values = append(q.values, q.puts[0].v)
		q.admitted = append(q.admitted, q.puts[0])
		q.puts = q.puts[1:]
	}
}

func (q *queueNaive) closes() {
	q.closed = true
	q.serve()
}

func (q *queueNaive) drain() []int {
	owed := min(len(q.gets), len(q.values))
	got := q.values[owed:]
	q.values = slices.Clone(q.values[:owed])
	q.moveUp()
	q.serve()
	return got
}

func (q *queueNaive) serve() {
	if q.serving {
		return
	}
	q.serving = true
	for q.serveOne() {
	}
	q.serving = false
}

func (q *queueNaive) serveOne() bool {
	switch {
	case len(q.admitted) > 0:
		p := q.admitted[0]
		q.admitted = q.admitted[1:]
		p.tell(nil)
	case len(q.gets) > 0 && len(q.values) > 0:
		g, v := q.gets[0], q.values[0]
		q.gets, q.values = q.gets[1:], q.values[1:]
		g.over = true
		g.told(v, nil)
	case len(q.gets) > 0 && q.closed:
		g := q.gets[0]
		q.gets = q.gets[1:]
		g.over = true
		g.told(0, lock.ErrClosed)
	case len(q.puts) > 0 && q.closed:
		p := q.puts[0]
		q.puts = q.puts[1:]
		p.tell(lock.ErrClosed)
	default:
		return false
	}
	return true
}

func TestQueueModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(-1, 3).Draw(t, "size")
		backlog := rapid.IntRange(-1, 3).Draw(t, "backlog")
		ops := queueOps(25, 3).Draw(t, "ops")
		var opts []lock.Option
		if size >= 0 {
			opts = append(opts, lock.Size(size))
		}
		if backlog >= 0 {
			opts = append(opts, lock.Backlog(backlog))
		}
		real := &queueRun{over: map[int]bool{}, sys: queueReal{lock.NewQueue[int](opts...)}}
		naive := &queueRun{over: map[int]bool{}, sys: &queueNaive{size: size, backlog: backlog}}
		for _, r := range []*queueRun{real, naive} {
			r.run(ops)
			r.end(t)
		}
		real.want(t, naive.journal...)
	})
}
