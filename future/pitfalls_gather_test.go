// Places where a gather that looks right goes wrong: inputs that settle while
// it is being made, cancels that come back to it, cycles.

package future_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/deferred-go/deferred/future"
)

// Inputs settle on another goroutine while the gather lists its inputs: it must
// not settle, and cancel the rest, before it knows the rest.
func TestAnInputSettlesWhileTheRestIsListed(t *testing.T) {
	t.Parallel()
	const inputs = 300
	for round := range 300 {
		ds := make([]pitDeferred, inputs)
		ress := make([]future.Resolver[int], inputs)
		var mu sync.Mutex
		asked := map[int]int{}
		for i := range ds {
			ds[i], ress[i] = future.New[int]()
			ress[i].OnCancel(func(error) { mu.Lock(); asked[i]++; mu.Unlock() })
		}
		first := round % 3 // it settles one of the first while all are being listed
		var wg sync.WaitGroup
		start := make(chan struct{})
		wg.Go(func() { <-start; ress[first].Succeed(first) })
		var race pitDeferred
		wg.Go(func() { <-start; race = future.Race(ds...) })
		close(start)
		wg.Wait()
		wantOutcome(t, race, first, nil)
		for i, d := range ds {
			if i == first {
				continue
			}
			if _, err := d.Result(); asked[i] != 1 || err == future.ErrPending {
				t.Fatalf("round %d: loser %d was asked %d times and has %v", round, i, asked[i], err)
			}
		}
	}
}

// pitInputs are three inputs of a gather. What the canceller of each does is
// set later.
type pitInputs struct {
	j       journal
	ds      []pitDeferred
	ress    []future.Resolver[int]
	gather  interface{ Cancel(error) bool }
	answers [3]func(p *pitInputs)
}

func newPitInputs() *pitInputs {
	p := new(pitInputs)
	for i := range p.answers {
		d, res := future.New[int]()
		res.OnCancel(func(error) {
			p.j.add("%d", i)
			if answer := p.answers[i]; answer != nil {
				answer(p)
			}
		})
		p.ds, p.ress = append(p.ds, d), append(p.ress, res)
	}
	return p
}

// A gather is canceled, and a canceller does something that comes back to it.
// Each input is asked once, in order, and the gather settles.
func TestCancellersComeBackToTheirGather(t *testing.T) {
	t.Parallel()
	gathers := map[string]func(ds []pitDeferred) interface{ Cancel(error) bool }{
		"All":        func(ds []pitDeferred) interface{ Cancel(error) bool } { return future.All(ds...) },
		"AllSettled": func(ds []pitDeferred) interface{ Cancel(error) bool } { return future.AllSettled(ds...) },
		"Any":        func(ds []pitDeferred) interface{ Cancel(error) bool } { return future.Any(ds...) },
		"Race":       func(ds []pitDeferred) interface{ Cancel(error) bool } { return future.Race(ds...) },
	}
	for name, gather := range gathers {
		for _, c := range []struct {
			does   string
			answer func(p *pitInputs)
			want   []string
			reason string
		}{
			{"cancel the gather again", func(p *pitInputs) { p.gather.Cancel(errB) },
				[]string{"0", "1", "2"}, "a second cancel does not start over, nor recurse for ever"},
			{"settle the input", func(p *pitInputs) { p.ress[0].Succeed(7) },
				[]string{"0", "1", "2"}, "a gather that settles midway still asks the rest"},
			{"fail the last input", func(p *pitInputs) { p.ress[2].Fail(errB) },
				[]string{"0", "1"}, "it is no input to ask any more"},
			{"settle the next input", func(p *pitInputs) { p.ress[1].Succeed(7) },
				[]string{"0", "2"}, "it is no input to ask any more"},
			{"cancel the last input", func(p *pitInputs) { p.ds[2].Cancel(errB) },
				[]string{"0", "2", "1"}, "who asks first is heard"},
			{"panic", func(*pitInputs) { panic("boom") },
				[]string{"0", "1", "2"}, "a panic skips nobody"},
		} {
			t.Run(name+"/"+c.does, func(t *testing.T) {
				t.Parallel()
				p := newPitInputs()
				p.gather = gather(p.ds)
				p.answers[0] = c.answer
				p.gather.Cancel(errA)
				p.j.want(t, c.want...)
				if p.gather.Cancel(nil) {
					t.Errorf("it is pending, although %s", c.reason)
				}
				for i, d := range p.ds {
					if d.Cancel(nil) {
						t.Errorf("input %d is pending, although %s", i, c.reason)
					}
				}
			})
		}
	}
}

// Losers are canceled, and the canceller of one comes back to the gather, which
// is about to settle: the winner stands.
func TestALoserComesBackToItsGather(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(p *pitInputs){
		"it cancels the gather":     func(p *pitInputs) { p.gather.Cancel(errB) },
		"it wins too late":          func(p *pitInputs) { p.ress[0].Succeed(8) },
		"another wins too late":     func(p *pitInputs) { p.ress[2].Succeed(8) },
		"it panics":                 func(*pitInputs) { panic("boom") },
		"it attaches to the gather": func(p *pitInputs) { future.Then(p.gather.(pitDeferred), pitNote(&p.j, "reader")) },
	} {
		for kind, gather := range map[string]func(...pitDeferred) pitDeferred{"Race": future.Race[int], "Any": future.Any[int]} {
			p := newPitInputs()
			d := gather(p.ds...)
			p.gather, p.answers[0] = d, answer
			p.ress[1].Succeed(5)
			if v, err := d.Result(); v != 5 || err != nil {
				t.Errorf("%s, %s: it has %d, %v", kind, name, v, err)
			}
			for i, one := range p.ds {
				if one.Cancel(nil) {
					t.Errorf("%s, %s: input %d is pending", kind, name, i)
				}
			}
		}
	}
}

// Two goroutines close a cycle that leads through gathers, while readers beside
// it leave: it is seen all the same.
func TestACycleThroughGathersClosedByTwo(t *testing.T) {
	t.Parallel()
	for range 500 {
		a, all, race, follow := pitCycle()
		leaves, stays := future.Then(a, inc), race.Finally(pitNothing)
		var wg sync.WaitGroup
		wg.Go(follow[0])
		wg.Go(follow[1])
		wg.Go(func() { leaves.Cancel(errA) })
		wg.Wait()
		for _, d := range []pitDeferred{a, race, stays} {
			wantError(t, d, "waits for itself")
		}
		wantError(t, all, "waits for itself")
	}
}

// A cycle of two is closed from both sides, while a gather of them, and each of
// them, is canceled: nobody waits for a lock that waits for it, no cancel walks
// round for ever, and all settle, with what came first.
func TestCancelOfACycleInTheMaking(t *testing.T) {
	t.Parallel()
	for round := range 1000 {
		a, resA := future.New[int]()
		b, resB := future.New[int]()
		race := future.Race(a, b)
		later := func(f func()) func() { // a cancel that is too early leaves no cycle to close
			return func() {
				for range round % 8 {
					runtime.Gosched()
				}
				f()
			}
		}
		var wg sync.WaitGroup
		for _, do := range []func(){
			later(func() { race.Cancel(errA) }), later(func() { a.Cancel(errB) }),
			func() { resA.Follow(b) }, func() { resB.Follow(a) },
		} {
			wg.Go(do)
		}
		wg.Wait()
		for _, d := range []pitDeferred{a, b, race} {
			if d.Cancel(nil) {
				t.Fatalf("%v has not settled", d)
			}
		}
	}
}

// pitCycle returns parts of a cycle from a to all to race to a, which both
// functions together close.
func pitCycle() (a pitDeferred, all *future.Deferred[[]int], race pitDeferred, follow [2]func()) {
	a, resA := future.New[int]()
	b, resB := future.New[int]()
	x, _ := future.New[int]()
	all = future.All(x, a)
	race = future.Race(b, x.Shield())
	sum := future.Then(all, func(vs []int) (int, error) { return len(vs), nil })
	return a, all, race, [2]func(){
		func() { resA.Follow(future.Then(race, inc)) },
		func() { resB.Follow(sum) },
	}
}
