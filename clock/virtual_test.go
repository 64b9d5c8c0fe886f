package clock_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deferred-go/deferred/clock"
)

func virtual(opts ...clock.Option) (*clock.Virtual, *diary) {
	v := clock.NewVirtual(opts...)
	return v, &diary{clock: v}
}

func TestVirtual_starts_in_2000(t *testing.T) {
	v := clock.NewVirtual()
	if now := v.Now(); now != epoch || now.Location() != time.UTC {
		t.Errorf("Now() = %v, want %v", now, epoch)
	}
	v.Advance(90 * time.Minute)
	if now := v.Now(); now != epoch.Add(90*time.Minute) {
		t.Errorf("Now() = %v", now)
	}
	v.AdvanceTo(epoch.AddDate(26, 0, 0))
	if now := v.Now(); now != epoch.AddDate(26, 0, 0) {
		t.Errorf("Now() = %v", now)
	}
	if v.Pending() != 0 || v.Step() {
		t.Error("something is scheduled on a new clock")
	}
}

// By time, then in the order of the calls; Now is when a call was due, the end
// belongs to the advance, and what is scheduled on the way runs in it.
func TestAdvance_order(t *testing.T) {
	v, d := virtual()
	v.CallLater(30*time.Second, d.note("c"))
	v.CallLater(10*time.Second, d.note("a1"))
	v.CallLater(20*time.Second, func() {
		d.add("b")
		v.CallLater(5*time.Second, d.note("b+5"))
		v.CallLater(10*time.Second, d.note("b+10"))
		v.CallLater(11*time.Second, d.note("b+11"))
	})
	v.CallLater(10*time.Second, d.note("a2"))
	v.CallLater(0, d.note("0"))
	v.CallLater(-time.Hour, d.note("negative"))
	d.want(t)
	v.Advance(30 * time.Second)
	d.want(t, "0s 0", "0s negative", "10s a1", "10s a2", "20s b", "25s b+5", "30s c", "30s b+10")
	v.Advance(time.Hour)
	d.want(t, "31s b+11")
}

// With no delay a call is made in the next turn of the same instant, after
// those that are due already.
func TestCallLater_without_delay(t *testing.T) {
	v, d := virtual()
	v.CallLater(time.Second, func() {
		d.add("a")
		v.CallLater(0, func() {
			d.add("a0")
			v.CallLater(-1, d.note("a00"))
		})
		v.CallLater(0, d.note("a1"))
		d.add("a ends")
	})
	v.CallLater(time.Second, d.note("b"))
	v.Advance(time.Second)
	d.want(t, "1s a", "1s a ends", "1s b", "1s a0", "1s a1", "1s a00")
	v.CallLater(0, d.note("outside"))
	d.want(t)
	v.Advance(0)
	d.want(t, "1s outside")
}

func TestStep_and_Run(t *testing.T) {
	v, d := virtual()
	for i := range 3 {
		v.CallLater(time.Duration(3-i)*time.Minute, func() {
			d.add(fmt.Sprint(i))
			v.CallLater(0, d.note("then"))
		})
	}
	for range 2 {
		if !v.Step() {
			t.Error("Step found nothing")
		}
	}
	d.want(t, "1m0s 2", "1m0s then")
	if v.Pending() != 2 {
		t.Errorf("Pending() = %d, want 2", v.Pending())
	}
	v.Run()
	d.want(t, "2m0s 1", "2m0s then", "3m0s 0", "3m0s then")
	if v.Step() || v.Pending() != 0 || v.Now() != epoch.Add(3*time.Minute) {
		t.Errorf("after Run: %v", v)
	}
}

func TestTimer(t *testing.T) {
	v, d := virtual()
	tm := v.CallLater(time.Second, d.note("fired"))
	steps := []struct {
		name string
		do   func() bool
		want bool
		log  []string
	}{
		{"stop", tm.Stop, true, nil},
		{"stop again", tm.Stop, false, nil},
		{"reset a stopped one", func() bool { return tm.Reset(time.Second) }, false, nil},
		{"it fires", func() bool { v.Advance(time.Second); return true }, true, []string{"1s fired"}},
		{"stop a fired one", tm.Stop, false, nil},
		{"reset a fired one", func() bool { return tm.Reset(2 * time.Second) }, false, nil},
		{"reset it sooner", func() bool { return tm.Reset(time.Second) }, true, nil},
		{"it fires again, once", func() bool { v.Advance(time.Minute); return true }, true, []string{"2s fired"}},
		{"reset to the past", func() bool { return tm.Reset(-time.Second) }, false, nil},
		{"reset later", func() bool { return tm.Reset(time.Second) }, true, nil},
		{"not now", func() bool { v.Advance(0); return true }, true, nil},
		{"but then", func() bool { v.Advance(time.Second); return true }, true, []string{"1m2s fired"}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			if got := s.do(); got != s.want {
				t.Errorf("got %v, want %v", got, s.want)
			}
			d.want(t, s.log...)
		})
	}
}

// A function may stop one that is due at the same instant, and itself.
func TestTimer_is_stopped_by_a_call_of_the_same_instant(t *testing.T) {
	v, d := virtual()
	var self, later, zero, moved clock.Timer
	self = v.CallLater(time.Second, func() {
		d.add("first")
		zero = v.CallLater(0, d.note("zero"))
		if self.Stop() || !later.Stop() || !moved.Reset(time.Second) {
			t.Error("wrong answers")
		}
	})
	later = v.CallLater(time.Second, d.note("later"))
	moved = v.CallLater(time.Second, d.note("moved"))
	v.CallLater(time.Second, func() {
		if !zero.Stop() {
			t.Error("a call without delay could not be stopped")
		}
	})
	v.Advance(time.Hour)
	d.want(t, "1s first", "2s moved")
}

func TestTimer_resets_itself(t *testing.T) {
	v, d := virtual()
	var tick clock.Timer
	n := 0
	tick = v.CallLater(time.Second, func() {
		d.add("tick")
		if n++; n < 3 && tick.Reset(time.Second) {
			t.Error("Reset within the call returned true")
		}
	})
	v.Advance(time.Hour)
	d.want(t, "1s tick", "2s tick", "3s tick")
}

func TestMisuse_panics_with_the_remedy(t *testing.T) {
	v, _ := virtual()
	v.Advance(time.Hour)
	for name, tt := range map[string]struct {
		f     func()
		words []string
	}{
		"nil function":     {func() { v.CallLater(1, nil) }, []string{"clock: CallLater", "nil function"}},
		"backwards":        {func() { v.Advance(-time.Second) }, []string{"clock: Advance(-1s)", "backwards", "0 or more"}},
		"to the past":      {func() { v.AdvanceTo(epoch) }, []string{"clock: AdvanceTo", "has passed", "2000-01-01 01:00:00"}},
		"limit":            {func() { clock.Limit(0) }, []string{"clock: Limit"}},
		"nil on system":    {func() { clock.System().CallLater(1, nil) }, []string{"clock: CallLater", "nil function"}},
		"nil parent":       {func() { clock.WithTimeout(nil, v, 1) }, []string{"clock: WithTimeout", "context.Background"}}, //lint:ignore SA1012 that is the test
		"nil clock":        {func() { clock.WithDeadline(t.Context(), nil, epoch) }, []string{"clock: WithDeadline", "System()"}},
		"nil foreign":      {func() { clock.From[*time.Timer](nil) }, []string{"clock: From(nil)"}},
		"nil on a foreign": {func() { clock.From(realTime{}).CallLater(1, nil) }, []string{"nil function"}},
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, tt.f, tt.words...) })
	}
	if v.Now() != epoch.Add(time.Hour) {
		t.Error("a refused call has moved time")
	}
	v.Advance(time.Hour) // still usable
}

func TestDriving_from_within_panics(t *testing.T) {
	v, d := virtual()
	for name, f := range map[string]func(){
		"Advance":   func() { v.Advance(0) },
		"AdvanceTo": func() { v.AdvanceTo(v.Now()) },
		"Step":      func() { v.Step() },
		"Run":       v.Run,
	} {
		v.CallLater(time.Second, func() { mustPanic(t, f, "clock: "+name, "being driven", "CallLater") })
	}
	v.CallLater(2*time.Second, func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			mustPanic(t, v.Run, "two goroutines")
		}()
		<-done
		d.add("goes on")
	})
	v.Advance(time.Minute)
	d.want(t, "2s goes on")
}

func TestLimit(t *testing.T) {
	t.Run("one instant", func(t *testing.T) {
		v, _ := virtual(clock.Limit(10))
		n := 0
		var again func()
		again = func() { n++; v.CallLater(0, again) }
		v.CallLater(0, again)
		mustPanic(t, func() { v.Advance(time.Second) }, "clock: Advance: more than 10 events", "one instant", "TestLimit", "1 scheduled")
		if n != 10 || v.Pending() != 1 {
			t.Errorf("%d ran, %d are scheduled, want 10 and 1", n, v.Pending())
		}
		mustPanic(t, func() { v.Advance(0) }, "more than 10")
	})
	t.Run("a periodic timer", func(t *testing.T) {
		v, _ := virtual(clock.Limit(10), clock.Birthplaces())
		var tick clock.Timer
		tick = v.CallLater(time.Second, func() { tick.Reset(time.Second) })
		mustPanic(t, v.Run, "clock: Run: more than 10 events", "use Advance", "virtual_test.go:", "scheduled at")
		if v.Now() != epoch.Add(11*time.Second) {
			t.Errorf("it is %v", v.Now())
		}
	})
	t.Run("a periodic timer on the way", func(t *testing.T) {
		v, _ := virtual(clock.Limit(10))
		var tick clock.Timer
		tick = v.CallLater(time.Second, func() { tick.Reset(time.Second) })
		mustPanic(t, func() { v.Advance(time.Minute) }, "clock: Advance: more than 10 events", "on the way", "in parts")
	})
	t.Run("one instant, later", func(t *testing.T) {
		v, _ := virtual(clock.Limit(10))
		v.CallLater(time.Second, func() {})
		var again func()
		again = func() { v.CallLater(0, again) }
		v.CallLater(time.Minute, again)
		mustPanic(t, v.Run, "clock: Run: more than 10 events", "one instant: give it a delay")
	})
	t.Run("exactly so many", func(t *testing.T) {
		v, _ := virtual(clock.Limit(10))
		for range 10 {
			v.CallLater(time.Second, func() {})
		}
		v.CallLater(time.Hour, func() {})
		v.Advance(time.Minute)
		v.Run()
	})
}

// A panic leaves the drive as it is, at its time, and what is due stays.
func TestPanic_comes_out_of_the_drive(t *testing.T) {
	v, d := virtual()
	boom := fmt.Errorf("boom")
	v.CallLater(time.Second, func() {
		v.CallLater(0, d.note("scheduled before"))
		panic(boom)
	})
	v.CallLater(time.Second, d.note("same instant"))
	v.CallLater(time.Minute, d.note("later"))
	func() {
		defer func() {
			if r := recover(); r != boom {
				t.Errorf("recovered %v, want the same value", r)
			}
		}()
		v.Advance(time.Hour)
	}()
	d.want(t)
	if v.Now() != epoch.Add(time.Second) || v.Pending() != 3 {
		t.Errorf("after the panic: %v", v)
	}
	v.Advance(time.Hour)
	d.want(t, "1s same instant", "1s scheduled before", "1m0s later")
}

func TestGoexit_leaves_the_clock_usable(t *testing.T) {
	v, d := virtual()
	v.CallLater(time.Second, runtime.Goexit)
	v.CallLater(time.Second, d.note("next"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.Advance(time.Hour)
		t.Error("Advance returned")
	}()
	<-done
	v.Advance(time.Minute)
	d.want(t, "1s next")
}

func TestFar_away(t *testing.T) {
	v, d := virtual()
	v.CallLater(math.MaxInt64, d.note("the end"))
	v.CallLater(math.MaxInt64-1, d.note("nearly"))
	v.Advance(time.Second)
	v.CallLater(math.MaxInt64, d.note("after the end is the end"))
	v.Advance(math.MaxInt64)
	end := time.Duration(math.MaxInt64)
	d.want(t, fmt.Sprint(end-1, " nearly"), fmt.Sprint(end, " the end"), fmt.Sprint(end, " after the end is the end"))
	v.CallLater(time.Second, d.note("no more time"))
	v.Advance(time.Second)
	d.want(t, fmt.Sprint(end, " no more time"))
	if v.Now() != epoch.Add(end) {
		t.Errorf("it is %v", v.Now())
	}
}

func TestString_lists_what_is_scheduled(t *testing.T) {
	v := clock.NewVirtual(clock.Birthplaces())
	v.Advance(time.Second)
	v.CallLater(time.Hour, later)
	v.CallLater(0, now)
	got := v.String()
	lines := strings.Split(got, "\n\t")
	want := []string{"virtual time 2000-01-01T00:00:01Z, 2 scheduled", "now: clock_test.now, scheduled at ", "+1h0m0s, 2000-01-01T01:00:01Z: clock_test.later, scheduled at "}
	for i, w := range want {
		if i >= len(lines) || !strings.HasPrefix(lines[i], w) {
			t.Fatalf("String() =\n%s\nwant line %d to begin with %q", got, i, w)
		}
	}
	if !strings.Contains(got, "clock/virtual_test.go:") {
		t.Errorf("no birthplace in %s", got)
	}
	for range 200 {
		v.CallLater(time.Hour, later)
	}
	if got := v.String(); !strings.HasSuffix(got, "and 102 more") {
		t.Errorf("the list does not end: %s", got[len(got)-200:])
	}
	plain := clock.NewVirtual()
	plain.CallLater(0, now)
	if got := plain.String(); strings.Contains(got, "_test.go") {
		t.Errorf("a birthplace that nobody asked for: %s", got)
	}
}

func later() {}
func now()   {}

// What other goroutines do to the clock while it is driven.
func TestVirtual_from_many_goroutines(t *testing.T) {
	v := clock.NewVirtual()
	var wg sync.WaitGroup
	var mu sync.Mutex
	ran := 0
	count := func() { mu.Lock(); ran++; mu.Unlock() }
	const each = 1000
	for range 8 {
		wg.Go(func() {
			for i := range each {
				v.CallLater(time.Duration(i), count)
				tm := v.CallLater(time.Second, func() { t.Error("a stopped call ran") })
				tm.Reset(time.Minute)
				if !tm.Stop() {
					t.Error("Stop returned false")
				}
				_, _, _ = v.Pending(), v.Now(), i%100 == 0 && v.String() == ""
			}
		})
	}
	stop := make(chan struct{})
	driver := make(chan struct{})
	go func() {
		defer close(driver)
		for {
			select {
			case <-stop:
				return
			default:
				v.Advance(10)
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-driver
	v.Advance(time.Second)
	if ran != 8*each || v.Pending() != 0 {
		t.Errorf("%d ran, %d are pending", ran, v.Pending())
	}
}

func TestHold(t *testing.T) {
	v, d := virtual()
	release := v.Hold()
	again := v.Hold()
	v.CallLater(0, d.note("ready"))
	v.CallLater(time.Second, d.note("later"))
	working := make(chan struct{})
	go func() {
		<-working
		d.add("work done")
		v.CallLater(0, d.note("its result"))
		release()
		release() // counts once
		d.add("still held")
		again()
	}()
	v.CallLater(0, func() { close(working) })
	v.Advance(time.Second)
	got := strings.Join(d.lines, ", ")
	if !strings.HasPrefix(got, "0s ready, 0s work done, 0s ") || !strings.Contains(got, "0s its result") || !strings.HasSuffix(got, "1s later") {
		t.Errorf("happened %s", got)
	}
}

// A drive also waits before it returns, so that what comes of the work at this
// instant is there.
func TestHold_delays_the_return(t *testing.T) {
	for name, drive := range map[string]func(*clock.Virtual){
		"Advance(0)": func(v *clock.Virtual) { v.Advance(0) },
		"Run":        func(v *clock.Virtual) { v.Run() },
		"Advance":    func(v *clock.Virtual) { v.Advance(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			v, d := virtual()
			release := v.Hold()
			go func() {
				v.CallLater(0, d.note("result"))
				release()
			}()
			drive(v)
			d.want(t, "0s result")
		})
	}
}

func TestZeroVirtual(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "NewVirtual") {
			t.Errorf("panic %q", text)
		}
	}()
	new(clock.Virtual).Advance(0)
}
