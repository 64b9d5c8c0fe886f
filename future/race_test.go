package future_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
)

// A storm is many goroutines that make, attach, settle, cancel and await
// Deferreds of each other at random, inline and on several loops. A Deferred
// refers only to older ones, so there are no cycles: in the end all settle.
type storm struct {
	loops []*reactor.Reactor
	calm  func() // waits until nothing goes on, if that is needed

	mu   sync.Mutex
	made []*future.Deferred[int]
	ress []future.Resolver[int]

	callbacks, cancels atomic.Int64
}

// add makes a Deferred with what makes it of two older ones.
func (s *storm) add(rng *rand.Rand, of func(a, b *future.Deferred[int]) *future.Deferred[int]) {
	s.mu.Lock()
	n := len(s.made)
	a, b := s.made[rng.IntN(n)], s.made[max(0, n-1-rng.IntN(8))]
	s.mu.Unlock()
	d := of(a, b)
	s.mu.Lock()
	s.made = append(s.made, d)
	s.mu.Unlock()
}

func (s *storm) root(rng *rand.Rand) {
	d, res := future.New[int]()
	if i := rng.IntN(len(s.loops) + 1); i < len(s.loops) {
		d, res = future.NewOn[int](s.loops[i])
	}
	switch rng.IntN(4) {
	case 0:
		res.OnCancel(func(error) { s.cancels.Add(1); res.Succeed(1) })
	case 1:
		res.OnCancel(func(error) { s.cancels.Add(1) })
	}
	s.mu.Lock()
	s.made, s.ress = append(s.made, d), append(s.ress, res)
	s.mu.Unlock()
}

// act does one thing at random.
func (s *storm) act(ctx context.Context, rng *rand.Rand) {
	type d = *future.Deferred[int]
	loop := s.loops[rng.IntN(len(s.loops))]
	delay := time.Duration(rng.IntN(20)) * time.Microsecond
	body := func(a, b d) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			v, err := a.Await(ctx)
			if err != nil {
				return future.Any(b.Shield(), future.Succeed(2)).Await(context.WithoutCancel(ctx))
			}
			w, err := b.Await(ctx)
			return v + w, err
		}
	}
	switch rng.IntN(22) {
	case 0, 1:
		s.root(rng)
	case 2, 3:
		s.mu.Lock()
		res := s.ress[rng.IntN(len(s.ress))]
		s.mu.Unlock()
		res.Settle(1, map[bool]error{true: errA}[rng.IntN(3) == 0])
	case 4, 5:
		s.mu.Lock()
		one := s.made[rng.IntN(len(s.made))]
		s.mu.Unlock()
		one.Cancel(errCause)
	case 6:
		s.add(rng, func(a, _ d) d { return future.Then(a, func(v int) (int, error) { s.callbacks.Add(1); return v, nil }) })
	case 7:
		s.add(rng, func(a, b d) d { return future.ThenFlat(a, func(int) d { s.callbacks.Add(1); return b }) })
	case 8:
		s.add(rng, func(a, b d) d {
			return future.ThenFlat(a, func(int) d { return future.ThenFlat(b, func(int) d { return future.Then(a, plus(1)) }) })
		})
	case 9:
		s.add(rng, func(a, b d) d { return a.CatchFlat(func(error) d { return b }) })
	case 10:
		s.add(rng, func(a, _ d) d { return a.Finally(func() error { panic(errB) }) })
	case 11:
		s.add(rng, func(a, b d) d {
			return future.Then(future.All(a, b), func(vs []int) (int, error) { return len(vs), nil })
		})
	case 12:
		s.add(rng, func(a, b d) d { return future.Race(a, b, a.Shield()) })
	case 13:
		s.add(rng, func(a, b d) d { return future.Any(a.Shield(), b) })
	case 14:
		s.add(rng, func(a, b d) d {
			return future.Then(future.AllSettled(a, b), func(o []future.Outcome[int]) (int, error) { return len(o), nil })
		})
	case 15:
		s.add(rng, func(a, _ d) d { return a.On(loop) })
	case 16:
		s.add(rng, func(a, _ d) d { return a.Timeout(loop, delay) })
	case 17:
		s.add(rng, func(a, b d) d { return future.Async(ctx, body(a, b)) })
	case 18:
		s.add(rng, func(a, b d) d { return future.AsyncOn(ctx, loop, body(a, b)) })
	case 19:
		s.add(rng, func(a, b d) d { return future.GoOn(ctx, loop, body(a, b)) })
	case 20:
		s.mu.Lock()
		one := s.made[rng.IntN(len(s.made))]
		s.mu.Unlock()
		short, cancel := context.WithTimeout(background, delay)
		one.Await(short)
		cancel()
	case 21:
		s.add(rng, func(a, b d) d {
			return future.Then(future.MapN(2, []int{0, 1, 2}, func(i int) d {
				if i == 1 {
					return b
				}
				return a.Shield()
			}), func(vs []int) (int, error) { return len(vs), nil })
		})
	}
}

// blow lets goroutines act, settles what is left, and waits until all has
// settled.
func (s *storm) blow(t *testing.T, seed uint64, goroutines, acts int) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	s.root(rand.New(rand.NewPCG(seed, 0)))
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(g)))
			for range acts {
				s.act(ctx, rng)
			}
		})
	}
	wg.Wait()
	if seed%2 == 0 {
		cancel()
	}
	for _, res := range s.ress {
		res.Succeed(3)
	}
	if s.calm != nil {
		s.calm()
	}
	for i, d := range s.made {
		if _, err := d.Await(background); errors.Is(err, future.ErrPending) {
			t.Errorf("seed %d: %d: %v", seed, i, err)
		}
		if d.Cancel(nil) {
			t.Errorf("seed %d: %d is pending", seed, i)
		}
	}
}

// In a bubble, what never settles is a deadlock that the runtime reports.
func TestStormInABubble(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			s := new(storm)
			for range 2 {
				r := reactor.New(clock.System())
				s.loops = append(s.loops, r)
				go r.Run(background)
				defer r.Stop()
			}
			s.blow(t, seed, 4, 60)
		})
	}
}

func TestStorm(t *testing.T) {
	for seed := range uint64(30) {
		s := new(storm)
		var ran sync.WaitGroup
		for range 2 {
			r := reactor.New(clock.System(), reactor.Workers(2))
			s.loops = append(s.loops, r)
			ran.Go(func() { r.Run(background) })
		}
		s.blow(t, 100+seed, 8, 60)
		for _, r := range s.loops {
			r.Stop()
		}
		ran.Wait()
	}
}

// A settle races with a cancel and with attaches: one of them wins, and all see
// that.
func TestSettleCancelAndAttachRace(t *testing.T) {
	for round := range 2000 {
		d, res := future.New[int]()
		var canceled atomic.Int32
		res.OnCancel(func(error) { canceled.Add(1) })
		var got [4]*future.Deferred[int]
		var won bool
		var wg sync.WaitGroup
		wg.Go(func() { won = res.Succeed(1) })
		wg.Go(func() { d.Cancel(errCause) })
		for i := range got {
			wg.Go(func() {
				if i%2 == 0 {
					runtime.Gosched()
				}
				got[i] = future.Handle(d, func(v int, err error) (int, error) { return v, err })
			})
		}
		wg.Wait()
		v, err := d.Result()
		if won != (err == nil) || won && v != 1 || !won && !errors.Is(err, future.ErrCanceled) {
			t.Fatalf("round %d: Succeed = %v, outcome %v, %v", round, won, v, err)
		}
		if n := canceled.Load(); n > 1 || n == 0 && !won {
			t.Fatalf("round %d: the canceller ran %d times", round, n)
		}
		for _, g := range got {
			if w, werr := g.Result(); w != v || !errors.Is(werr, err) {
				t.Fatalf("round %d: a reader got %v, %v, want %v, %v", round, w, werr, v, err)
			}
		}
	}
}

// Take-overs race with attaches to what has moved, with cancels and with
// settles.
func TestTakeOverRace(t *testing.T) {
	for round := range 1000 {
		const depth = 6
		type d = *future.Deferred[int]
		last, res := future.New[int]()
		mids := make([]d, depth)
		gates := make([]future.Resolver[int], depth)
		next := last
		for i := range depth {
			in := next
			gate, gateRes := future.New[int]()
			gates[i] = gateRes
			mids[i] = future.ThenFlat(gate, func(int) d { return in })
			next = mids[i]
		}
		var extra [depth]d
		var wg sync.WaitGroup
		for i := range depth {
			wg.Go(func() { gates[i].Succeed(0) })
			wg.Go(func() {
				extra[i] = future.Then(mids[i], plus(i))
				mids[i].Result()
				if round%3 == 0 {
					extra[i].Cancel(nil)
				}
			})
		}
		wg.Go(func() { res.Succeed(10) })
		if round%5 == 0 {
			wg.Go(func() { mids[depth-1].Cancel(errCause) })
		}
		wg.Wait()
		for i := range depth {
			for _, one := range []d{mids[i], extra[i]} {
				v, err := one.Result()
				if err == future.ErrPending || err == nil && v != 10 && v != 10+i || err != nil && !errors.Is(err, future.ErrCanceled) {
					t.Fatalf("round %d, level %d: %v, %v", round, i, v, err)
				}
				if err != nil && round%3 != 0 && round%5 != 0 {
					t.Fatalf("round %d, level %d: %v although nothing was canceled", round, i, err)
				}
			}
		}
	}
}

// Many goroutines await what two loops hand to each other.
func TestTwoLoopsHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := reactor.New(clock.System()), reactor.New(clock.System())
		go a.Run(background)
		go b.Run(background)
		defer a.Stop()
		defer b.Stop()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				d := future.After(a, time.Duration(i)*time.Millisecond, i)
				for range 10 {
					d = future.Then(future.Then(d.On(b), plus(1)).On(a), plus(1))
				}
				co := future.AsyncOn(background, b, func(ctx context.Context) (int, error) { return d.Await(ctx) })
				if v, err := co.Await(background); v != i+20 || err != nil {
					t.Error(fmt.Errorf("%d: %v, %w", i, v, err))
				}
			})
		}
		wg.Wait()
	})
}

// A reactor stops in the midst of everything: all ends.
func TestStopInAStorm(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			s := &storm{calm: synctest.Wait} // a loop that stops needs its time
			for range 2 {
				r := reactor.New(clock.System(), quietly)
				s.loops = append(s.loops, r)
				go r.Run(background)
			}
			go func() {
				runtime.Gosched()
				for range rand.New(rand.NewPCG(seed, 7)).IntN(200) {
					runtime.Gosched()
				}
				for _, r := range s.loops {
					r.Stop()
				}
			}()
			s.blow(t, 200+seed, 4, 40)
			for _, r := range s.loops {
				r.Stop()
			}
		})
	}
}

// Of two coroutines that wait for the same, and are canceled at the same time, the
// last to leave asks what they wait for.
func TestCancelOfTwoWhoWait(t *testing.T) {
	for range 2000 {
		root, _ := future.New[int]()
		var both sync.WaitGroup
		var ds []*future.Deferred[int]
		for range 2 {
			ds = append(ds, future.Async(background, root.Await))
		}
		for _, d := range ds {
			both.Go(func() { d.Cancel(errCause) })
		}
		both.Wait()
		if _, err := root.Result(); !errors.Is(err, errCause) {
			t.Fatalf("the root has %v", err)
		}
	}
}
