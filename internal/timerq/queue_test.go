package timerq_test

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

// model is the queue as simple as it can be: lists, sorted and searched.
type model struct {
	now   int64
	seq   int
	timed []modelItem // unsorted
	ready []modelItem
	tail  []modelItem
	held  []modelItem
}

type modelItem struct {
	id    int
	when  int64
	seq   int
	owner *seam.Owner
	timer bool
}

func (m *model) arm(it modelItem, when int64, turn bool) {
	m.seq++
	it.when, it.seq, it.timer = when, m.seq, true
	switch {
	case when > m.now:
		m.timed = append(m.timed, it)
	case turn:
		m.tail = append(m.tail, it)
	default:
		m.ready = append(m.ready, it)
	}
}

func (m *model) disarm(id int) bool {
	before := m.len()
	is := func(it modelItem) bool { return it.timer && it.id == id }
	for _, l := range []*[]modelItem{&m.timed, &m.ready, &m.tail, &m.held} {
		*l = slices.DeleteFunc(*l, is)
	}
	return m.len() < before
}

func (m *model) len() int { return len(m.timed) + len(m.ready) + len(m.tail) + len(m.held) }

func (m *model) sort() {
	slices.SortFunc(m.timed, func(a, b modelItem) int {
		return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.seq, b.seq))
	})
}

func (m *model) next() (modelItem, bool) {
	m.sort()
	if len(m.timed) > 0 && m.timed[0].when <= m.now {
		it := m.timed[0]
		m.timed = m.timed[1:]
		return it, true
	}
	if len(m.ready) == 0 {
		return modelItem{}, false
	}
	it := m.ready[0]
	m.ready = m.ready[1:]
	return it, true
}

func (m *model) all() []modelItem {
	m.sort()
	i := 0
	for i < len(m.timed) && m.timed[i].when <= m.now {
		i++
	}
	return slices.Concat(m.timed[:i], m.ready, m.tail, m.held, m.timed[i:])
}

func (m *model) ripen(now int64) {
	m.now = max(m.now, now)
	m.sort()
	for len(m.timed) > 0 && m.timed[0].when <= m.now {
		m.ready = append(m.ready, m.timed[0])
		m.timed = m.timed[1:]
	}
}

func (m *model) drop(o *seam.Owner) {
	for _, l := range []*[]modelItem{&m.timed, &m.ready, &m.tail, &m.held} {
		*l = slices.DeleteFunc(*l, func(it modelItem) bool { return it.owner == o })
	}
}

type task int

func (task) Run() seam.Task { return nil }

func newTimer(o *seam.Owner) *timerq.Timer {
	return &timerq.Timer{Group: &timerq.Group{Owner: o}}
}

// pair is a queue and its model.
type pair struct {
	q      timerq.Queue
	m      model
	timers []*timerq.Timer
	owners []*seam.Owner
	posts  int
	batch  timerq.Batch
}

func (p *pair) id(it timerq.Item) int {
	if t := it.Timer(); t != nil {
		return slices.Index(p.timers, t)
	}
	return 1_000_000 + int(it.Task.(task))
}

func (p *pair) compare(t *rapid.T) {
	if p.q.Len() != p.m.len() {
		t.Fatalf("Len() = %d, the model says %d", p.q.Len(), p.m.len())
	}
	for _, o := range append(p.owners, nil) {
		var got, want []int
		for _, it := range p.q.All(o) {
			got = append(got, p.id(it.Item))
		}
		for _, it := range p.m.all() {
			if o == nil || it.owner == o {
				want = append(want, it.id)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("All = %v, the model says %v", got, want)
		}
	}
}

func (p *pair) take(t *rapid.T) {
	it, ok := p.q.Next()
	want, wantOK := p.m.next()
	if ok != wantOK || ok && p.id(it) != want.id {
		t.Fatalf("Next() = %v %v, the model says %v %v", it, ok, want, wantOK)
	}
}

func (p *pair) post(o *seam.Owner) {
	p.q.Post(task(p.posts), o)
	p.m.ready = append(p.m.ready, modelItem{id: 1_000_000 + p.posts, owner: o})
	p.posts++
}

// takeBatch takes what a batch has, which must be what Next would give.
func (p *pair) takeBatch(t *rapid.T) {
	if when, ok := p.q.Later(); ok && when <= p.q.Now {
		t.Skip("timers that are due come first")
	}
	got := p.q.Take(&p.batch)
	if got == p.batch.Empty() {
		t.Fatalf("Take() = %v, and empty is %v", got, p.batch.Empty())
	}
	for it, ok := p.batch.Next(); ok; it, ok = p.batch.Next() {
		if want, _ := p.m.next(); p.id(timerq.Item{Task: it}) != want.id {
			t.Fatalf("the batch has %v, the model says %v", it, want)
		}
	}
}

// A batch has all that is queued, if that is tasks; a timer ends it.
func TestTake(t *testing.T) {
	var q timerq.Queue
	var b timerq.Batch
	for round, posts := range []int{3, 4, 64, 65, 1000, 5000, 10} {
		for i := range posts {
			q.Post(task(i), nil)
		}
		if got, want := q.Take(&b), posts > 3; got != want {
			t.Fatalf("round %d: Take() = %v with %d tasks", round, got, posts)
		}
		n := 0
		for it, ok := b.Next(); ok; it, ok = b.Next() {
			if it != seam.Task(task(n)) {
				t.Fatalf("round %d: got %v, want %d", round, it, n)
			}
			n++
		}
		for _, ok := q.Next(); ok; _, ok = q.Next() {
			n++
		}
		if n != posts {
			t.Fatalf("round %d: took %d of %d", round, n, posts)
		}
	}
	for i := range 100 {
		q.Post(task(i), nil)
	}
	q.Arm(newTimer(nil), 0, false)
	if !q.Take(&b) || q.Len() == 0 {
		t.Errorf("the timer is in the batch: %d left", q.Len())
	}
}

// The room that many posts took serves the next as many, and is given back when
// there are no more such.
func TestTake_keeps_room_for_a_while(t *testing.T) {
	var q timerq.Queue
	var b timerq.Batch
	rush := func(posts int) {
		for range posts {
			q.Post(task(0), nil)
		}
		q.Take(&b)
		for _, ok := b.Next(); ok; _, ok = b.Next() {
		}
		q.Take(&b)
	}
	const blocks = 1000
	if n := testing.AllocsPerRun(10, func() { rush(64 * blocks) }); n > blocks/10 {
		t.Errorf("%v allocations for as many posts as before, want few", n)
	}
	rush(200_000)
	if n := timerq.Spare(&q); n > 1024 {
		t.Errorf("%d blocks are kept", n)
	}
	for range 1000 {
		rush(1)
		q.Next()
	}
	if n := timerq.Spare(&q); n > 64 {
		t.Errorf("%d blocks are kept after the rush is long over", n)
	}
}

// A queue does the same as its model, whatever is done to it.
func TestQueue_is_like_its_model(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pair{owners: []*seam.Owner{{}, {}}}
		owner := rapid.SampledFrom(p.owners)
		when := rapid.Int64Range(0, 50)
		pick := func(t *rapid.T) int {
			if len(p.timers) == 0 {
				t.Skip("no timers")
			}
			return rapid.IntRange(0, len(p.timers)-1).Draw(t, "timer")
		}
		arm := func(t *rapid.T, i int) {
			at, turn := p.m.now+when.Draw(t, "after"), rapid.Bool().Draw(t, "turn")
			p.q.Arm(p.timers[i], at, turn)
			p.m.arm(modelItem{id: i, owner: p.timers[i].Group.Owner}, at, turn)
		}
		t.Repeat(map[string]func(*rapid.T){
			"": p.compare,
			"new": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "n") {
					p.timers = append(p.timers, newTimer(owner.Draw(t, "owner")))
					arm(t, len(p.timers)-1)
				}
			},
			"post": func(t *rapid.T) { p.post(owner.Draw(t, "owner")) },
			"post many": func(t *rapid.T) {
				for range rapid.IntRange(1, 80).Draw(t, "n") {
					p.post(nil)
				}
			},
			"batch": p.takeBatch,
			"stop": func(t *rapid.T) {
				i := pick(t)
				if got, want := p.q.Disarm(p.timers[i]), p.m.disarm(i); got != want {
					t.Fatalf("Disarm = %v, the model says %v", got, want)
				}
			},
			"reset": func(t *rapid.T) {
				i := pick(t)
				if got, want := p.q.Disarm(p.timers[i]), p.m.disarm(i); got != want {
					t.Fatalf("Disarm = %v, the model says %v", got, want)
				}
				arm(t, i)
			},
			"stop many": func(t *rapid.T) {
				for i := range p.timers {
					if rapid.IntRange(0, 3).Draw(t, "stop") > 0 {
						if got, want := p.q.Disarm(p.timers[i]), p.m.disarm(i); got != want {
							t.Fatalf("Disarm = %v, the model says %v", got, want)
						}
					}
				}
			},
			"next":     p.take,
			"end turn": func(*rapid.T) { p.q.EndTurn(); p.m.ready = append(p.m.ready, p.m.tail...); p.m.tail = nil },
			"hold":     func(*rapid.T) { p.q.Hold(); p.m.held = append(p.m.held, p.m.ready...); p.m.ready = nil },
			"release":  func(*rapid.T) { p.q.Release(); p.m.ready = append(p.m.ready, p.m.held...); p.m.held = nil },
			"ripen": func(t *rapid.T) {
				now := p.m.now + when.Draw(t, "by")
				p.q.Ripen(now)
				p.m.ripen(now)
			},
			"move": func(t *rapid.T) {
				p.q.Now += when.Draw(t, "by")
				p.m.now = p.q.Now
			},
			"drop": func(t *rapid.T) {
				o := owner.Draw(t, "owner")
				p.q.Drop(o)
				p.m.drop(o)
			},
		})
		for p.q.Len() > 0 {
			p.q.EndTurn()
			p.m.ready, p.m.tail = append(p.m.ready, p.m.tail...), nil
			p.q.Release()
			p.m.ready, p.m.held = append(p.m.ready, p.m.held...), nil
			p.q.Now = 1 << 40
			p.m.now = 1 << 40
			p.take(t)
			p.compare(t)
		}
	})
}

func TestDrop_returns_what_was_due_in_order(t *testing.T) {
	var q timerq.Queue
	a, b := &seam.Owner{}, &seam.Owner{}
	timer := func(o *seam.Owner, when int64) *timerq.Timer {
		t := newTimer(o)
		q.Arm(t, when, false)
		return t
	}
	due2, due1, other, late := timer(a, 2), timer(a, 1), timer(b, 1), timer(a, 10)
	q.Now = 5
	q.Post(task(1), a)
	q.Post(task(2), b)
	now := timer(a, 5)
	got := q.Drop(a)
	want := []timerq.Listed{
		{timerq.Item{Task: due1, Owner: a}, 1},
		{timerq.Item{Task: due2, Owner: a}, 2},
		{timerq.Item{Task: task(1), Owner: a}, 0},
		{timerq.Item{Task: now, Owner: a}, 5},
	}
	if !slices.Equal(got, want) {
		t.Errorf("Drop = %v, want %v", got, want)
	}
	if q.Disarm(late) || q.Disarm(due1) || q.Disarm(now) {
		t.Error("a dropped timer is still armed")
	}
	if q.Len() != 2 || !q.Disarm(other) {
		t.Error("Drop took something of another owner")
	}
}

// The room that stopped timers took is given back.
func TestStopped_timers_leave_nothing(t *testing.T) {
	var q timerq.Queue
	keeper := newTimer(nil)
	q.Arm(keeper, 1, false)
	var timers []*timerq.Timer
	for i := range 100_000 {
		t := newTimer(nil)
		timers = append(timers, t)
		q.Arm(t, int64(i+2), false)
	}
	for _, t := range timers {
		q.Disarm(t)
	}
	if q.Len() != 1 {
		t.Fatalf("Len() = %d, want 1", q.Len())
	}
	if slots, table := timerq.Room(&q); slots > 2048 || table > 2048 {
		t.Errorf("room for %d slots and %d timers is left, want little", slots, table)
	}
	q.Disarm(keeper)
}

// A timer knows the low half of its place only.
func TestPlaces_beyond_32_bits(t *testing.T) {
	for _, start := range []uint64{0, 1<<32 - 64, 1<<32 - 128, 1 << 32, 1<<33 - 64} {
		var q timerq.Queue
		timerq.StartAt(&q, start)
		timers := make([]*timerq.Timer, 200)
		for i := range timers {
			timers[i] = newTimer(nil)
			q.Arm(timers[i], 0, false)
		}
		for i := 0; i < len(timers); i += 2 {
			if !q.Disarm(timers[i]) {
				t.Errorf("from %d: timer %d was not armed", start, i)
			}
		}
		for i := 1; i < len(timers); i += 2 {
			if it, ok := q.Next(); !ok || it.Timer() != timers[i] {
				t.Fatalf("from %d: got %v, want timer %d", start, it, i)
			}
		}
	}
}

// So do timers that have run.
func TestRoom_is_given_back_by_timers_that_ran(t *testing.T) {
	var q timerq.Queue
	const n = 100_000
	for i := range n {
		q.Arm(newTimer(nil), int64(i+1), false)
	}
	q.Now = n - 1
	for range n - 1 {
		if _, ok := q.Next(); !ok {
			t.Fatal("it is empty")
		}
	}
	if when, ok := q.Later(); !ok || when != n || q.Len() != 1 {
		t.Fatalf("Later() = %d, %v, Len() = %d", when, ok, q.Len())
	}
	if slots, table := timerq.Room(&q); slots > 2048 || table > 2048 {
		t.Errorf("room for %d slots and %d timers is left, want little", slots, table)
	}
}

// A stopped timer is not kept in memory by what its slot leaves behind.
func TestStopped_timer_is_garbage(t *testing.T) {
	var q timerq.Queue
	for i := range 10 {
		q.Arm(newTimer(nil), int64(i+1), false)
	}
	gone := make(chan struct{})
	func() {
		t := &timerq.Timer{F: func() {}, Group: new(timerq.Group)}
		runtime.AddCleanup(t, func(struct{}) { close(gone) }, struct{}{})
		q.Arm(t, 5, false)
		q.Disarm(t)
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		default:
			runtime.Gosched()
		}
	}
}

func ExampleQueue() {
	var q timerq.Queue
	say := func(s string) *timerq.Timer {
		return &timerq.Timer{F: func() { fmt.Println(q.Now, s) }, Group: new(timerq.Group)}
	}
	q.Arm(say("later"), 20, false)
	q.Arm(say("first"), 10, false)
	q.Arm(say("second, armed later"), 10, false)
	for {
		if it, ok := q.Next(); ok {
			it.Run()
		} else if when, ok := q.Later(); ok {
			q.Now = when
		} else {
			break
		}
	}
	// Output:
	// 10 first
	// 10 second, armed later
	// 20 later
}
