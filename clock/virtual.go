package clock

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
	"github.com/deferred-go/deferred/internal/timerq"
)

// handle makes a Virtual known to reactors, and keeps that out of sight.
type handle = seam.DriverHandle

// A Virtual is a clock that moves only when it is told to, by Advance,
// AdvanceTo, Step or Run: it is driven. Functions given to CallLater run on
// the goroutine that drives, one after the other, and while one runs, Now is
// the time for which it was due. Time starts at 2000-01-01 00:00:00 UTC.
//
// The package comment has the order of events. [NewVirtual] makes one; the
// zero value is of no use. All methods may be called from any goroutine, but
// only one goroutine may drive at a time. Time ends 292 years later: what would be
// due after that is due then.
type Virtual struct {
	handle

	limit  int
	births bool
	real   Clock        // what the watchdogs go by
	local  atomic.Value // see seam.Driver

	// mu protects all that follows. It is not held while anything of others
	// runs: functions that are due, contexts that are looked at, loggers. It
	// may be held while real is called, which never calls back.
	mu   sync.Mutex
	cond *sync.Cond // that the drive may go on
	q    timerq.Queue
	own  *timerq.Group // of timers that are no reactor's

	// news says that something is to be done before the step that the running
	// one returns. It is set with mu held, and read by the drive without.
	news atomic.Bool

	driving bool
	doing   bool // it is a Do for which nobody drives
	drives  int  // how many there have been
	run     drive
	holds   int
	asked   []func() // what Do has for the drive
	urgent  bool     // not just workers have asked

	baton   baton
	waits   polls                           // contexts that somebody waits with
	parents polls                           // contexts that only others are below of
	ears    map[<-chan struct{}]func() bool // stop what tells of their ends, for one drive
	stirred bool                            // a context has ended, or is new
	parked  parked
	bound   []*seam.Owner
	fence   *fence // that time is not to pass, or nil
	dog     int    // number of the newest watchdog
	barked  bool
}

// start is when virtual time starts.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewVirtual returns a Virtual on which nothing is scheduled.
func NewVirtual(opts ...Option) *Virtual {
	v := &Virtual{limit: 20_000_000, real: System()}
	v.handle = seam.HandleDriver(&driver{v})
	v.cond = sync.NewCond(&v.mu)
	v.own = &timerq.Group{Home: v}
	for _, o := range opts {
		o.apply(v)
	}
	return v
}

// Now returns the virtual time, in UTC and without a monotonic reading. During
// an event that is when the event was due.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return timeOf(v.q.Now)
}

func timeOf(when int64) time.Time { return start.Add(time.Duration(when)) }

// after returns the time d after now; the end of time, if it is later.
func after(now int64, d time.Duration) int64 {
	if d <= 0 {
		return now
	}
	if when := now + int64(d); when > now {
		return when
	}
	return math.MaxInt64
}

// CallLater schedules f for d from now. A negative d counts as 0. With no
// delay f runs in the next drive or, if it is scheduled by a function that
// this clock runs, in the same drive: after that function has returned and
// what that has posted to reactors has run.
//
// A panic in f comes out of the call that drives; the Virtual stays usable,
// and f is gone. CallLater panics if f is nil. It costs about 50 ns and one
// allocation.
func (v *Virtual) CallLater(d time.Duration, f func()) Timer {
	mustFunc(f)
	t := &virtualTimer{timerq.Timer{F: f, Group: v.own}}
	if v.births {
		t.Group = &timerq.Group{Home: v, Birth: birth.Here()}
	}
	v.mu.Lock()
	v.armLocked(&t.Timer, d)
	v.mu.Unlock()
	return t
}

func (v *Virtual) armLocked(t *timerq.Timer, d time.Duration) {
	when := after(v.q.Now, d)
	v.q.Arm(t, when, v.driving)
	if when > v.q.Now {
		return
	}
	v.news.Store(true)
	if v.holds > 0 {
		v.cond.Broadcast()
	}
}

type virtualTimer struct{ timerq.Timer }

func (t *virtualTimer) Stop() bool {
	v := t.Group.Home.(*Virtual)
	v.mu.Lock()
	was := v.q.Disarm(&t.Timer)
	v.mu.Unlock()
	return was
}

func (t *virtualTimer) Reset(d time.Duration) bool {
	v := t.Group.Home.(*Virtual)
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.q.Disarm(&t.Timer)
	if o := t.Group.Owner; o == nil || !o.Gone {
		v.armLocked(&t.Timer, d)
	}
	return was
}

// Pending counts what is scheduled: delayed calls, and what has been posted to
// reactors on v and has not run. What belongs to a stopped reactor does not
// count.
func (v *Virtual) Pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.q.Len()
}

// String tells the time and lists what is scheduled, in order, one a line:
// how far away it is, when it is due, the function, and where it was scheduled
// if that was recorded ([Birthplaces]). It lists at most 100.
func (v *Virtual) String() string {
	v.mu.Lock()
	now, items := v.q.Now, v.q.All(nil)
	v.mu.Unlock()
	return fmt.Sprintf("virtual time %s, %s", timeOf(now).Format(time.RFC3339Nano), list(now, items, 100))
}

// list describes the first of items.
func list(now int64, items []timerq.Listed, most int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d scheduled", len(items))
	for i, it := range items {
		if i == most {
			fmt.Fprintf(&b, "\n\tand %d more", len(items)-most)
			break
		}
		fmt.Fprintf(&b, "\n\t%s", describe(now, it))
	}
	return b.String()
}

func describe(now int64, it timerq.Listed) string {
	t := it.Timer()
	if t == nil {
		return "now: posted " + birth.Func(it.Task)
	}
	s := "now: "
	if when := it.When; when > now {
		s = fmt.Sprintf("+%v, %s: ", time.Duration(when-now), timeOf(when).Format(time.RFC3339Nano))
	}
	s += birth.Func(t.F)
	if place := t.Group.Birth.String(); place != "" {
		s += ", scheduled at " + place
	}
	return s
}

// Hold makes time stand still until release is called: a drive runs what is
// due at this instant, and then waits, before it moves time on and before it
// returns. It is for work on goroutines that v does not know of. Call Hold
// before starting the goroutine, and release when it has settled or scheduled
// what comes of the work. Only the first call of release counts.
//
// A drive that has waited for 2 real seconds logs once what it waits for, and
// goes on waiting. Workers of a reactor need no Hold.
func (v *Virtual) Hold() (release func()) {
	v.mu.Lock()
	v.holds++
	v.mu.Unlock()
	return sync.OnceFunc(func() {
		v.mu.Lock()
		v.holds--
		v.cond.Broadcast()
		v.mu.Unlock()
	})
}
