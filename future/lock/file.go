package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/internal/seam"
)

// ErrLocked is matched by the error of a [File.TryAcquire] that did not get the
// lock because somebody else holds it, or waits for it.
var ErrLocked = errors.New("lock: already locked")

// A File is a lock in the file system: of all processes that name the same file
// one at a time holds it. The system frees it when the process of the holder
// ends, however that comes about, so what a crash has left behind locks nobody
// out. Make one with [NewFile]; it must not be copied, and all its methods may be
// called from any goroutine.
//
// The file is made when it is not there, and stays when the lock is released. Do
// not delete it: whoever opens the path then gets another file, and with it
// another lock. While the lock is held, the file has a line that names the holder's
// process, for messages, unless it has other content: that is left alone, also if
// the holder writes it.
//
// On Unix the lock is the one of flock(2), so it works together with the flock
// command. On Windows the file is open for writing, which keeps others from
// opening it so. Processes that the holder starts do not inherit it. Where there
// are no such locks, Acquire and TryAcquire fail with an error that matches
// errors.ErrUnsupported.
//
// Acquire, TryAcquire and Release do not wait for the lock, but for the file
// system: a local one takes some ten microseconds, one on a network as long as
// it takes. Every try of an Acquire that polls does so too, on the clock.
type File struct {
	// Poll is the time between two tries of an Acquire while another process,
	// or another File, has the lock: that it is free again, the file system tells
	// nobody. 0 stands for 100 ms. Set it before the first Acquire.
	Poll time.Duration

	c    clock.Clock
	path string
	turn Mutex // who has it polls, or holds the lock
}

// NewFile returns a lock on the file at path. It opens nothing yet; a relative
// path is looked up at each try. An Acquire waits on c. NewFile panics if c is
// nil or path is empty.
func NewFile(c clock.Clock, path string) *File {
	if c == nil {
		panic("lock: NewFile: nil clock.Clock: give a reactor, a *clock.Virtual or clock.System()")
	}
	if path == "" {
		panic("lock: NewFile: empty path: name a file, in a folder that is there")
	}
	return &File{c: c, path: path}
}

func (f *File) mustBe(verb string) {
	switch {
	case f.c == nil:
		panic("lock: " + verb + ": zero File: get one from NewFile")
	case f.Poll < 0:
		panic("lock: " + verb + ": File.Poll is " + f.Poll.String() + ": give the time between two tries, or 0 for " + defaultPoll.String())
	}
}

// Acquire returns a Deferred of a [Lease] on the file. It has succeeded already
// if the lock is free and nobody waits on this File. Its callbacks run on the
// File's clock if that is a [future.Executor], as a reactor is, else inline:
// within this call, the Release that hands over, or the clock's call.
//
// Those who wait on one File get the lock in the order of their calls, within
// the Release of the one before them, and only the first of them polls. Among
// processes, and among several Files with one path, there is no order: the first
// to try after a Release has it.
//
// A Cancel of a pending one, also by its Timeout, ends the wait and its timer,
// and the next in line tries at once. One that comes after the lease was granted
// does not take it back: see the package documentation, also for how to bound
// the wait.
//
// An error of the file system fails the first in line, and the next one tries
// itself. It has an *fs.PathError, for errors.As, and matches fs.ErrNotExist if
// the file's folder is not there, fs.ErrPermission if the process may not write
// to the file, and syscall.EISDIR if it is a folder. If the clock is a reactor
// that has stopped, the one that polls is canceled, and so is who comes to poll
// after that, with an error that matches reactor.ErrStopped; those who wait behind a
// holder on this File are when that releases.
//
// Acquire panics if Poll is negative, or the File did not come from NewFile.
func (f *File) Acquire() *future.Deferred[Lease] {
	f.mustBe("Acquire")
	d := future.ThenFlat(f.turn.Acquire(), f.poll)
	if ex, ok := f.c.(future.Executor); ok {
		return d.On(ex)
	}
	return d
}

// TryAcquire returns a lease if the lock is free and nobody waits for it on this
// File. If not, its error matches [ErrLocked], and names the process that holds
// the lock, if that can be read in the file. Other errors are those of Acquire,
// and so are the panics.
func (f *File) TryAcquire() (Lease, error) {
	f.mustBe("TryAcquire")
	turn, ok := f.turn.TryAcquire()
	if !ok {
		return Lease{}, f.locked()
	}
	h, err := f.open()
	if err == nil {
		return newHeldFile(h, turn).lease(), nil
	}
	turn.Release()
	if err == ErrLocked {
		err = f.locked()
	}
	return Lease{}, err
}

// open locks the file. The error is ErrLocked itself, or one for the user.
func (f *File) open() (handle, error) {
	h, err := open(f.path)
	switch {
	case err == nil:
		h.sign()
	case err == ErrLocked:
	case errors.Is(err, syscall.EISDIR):
		err = fmt.Errorf("lock: %w: name a file in it", err)
	case errors.Is(err, fs.ErrNotExist): // the file would have been made
		err = fmt.Errorf("lock: %w: make its folder first", err)
	default:
		err = fmt.Errorf("lock: %w", err)
	}
	return h, err
}

// A heldFile is what a lease on a file stands for.
type heldFile struct {
	hold
	handle handle
	turn   Lease
}

func newHeldFile(h handle, turn Lease) *heldFile {
	held := &heldFile{handle: h, turn: turn}
	held.by = held
	return held
}

func (h *heldFile) takeBack(_ *hold, then func()) {
	h.handle.unlock()
	h.turn.giveBack(then)
}

// locked is ErrLocked with what is known of the holder.
func (f *File) locked() error {
	if pid := signature(f.path); pid != "" {
		return fmt.Errorf("%w: %s, by process %s", ErrLocked, f.path, pid)
	}
	return fmt.Errorf("%w: %s", ErrLocked, f.path)
}

const defaultPoll = 100 * time.Millisecond

// A poll is the wait of the one whose turn it is.
type poll struct {
	f      *File
	turn   Lease
	res    future.Resolver[Lease]
	loop   seam.Loop // nil if the clock has none
	member seam.Member

	mu    sync.Mutex // protects the following fields
	timer clock.Timer
	over  bool
}

// poll tries until the one whose turn it is has the file.
func (f *File) poll(turn Lease) *future.Deferred[Lease] {
	d, res := newKept(careOfLeases)
	p := &poll{f: f, turn: turn, res: res, loop: seam.LoopOf(f.c)}
	res.OnCancel(p.canceled)
	if p.loop != nil { // once it has stopped there is nobody to take the lease
		p.member.Stopped = func(err error) { d.Cancel(err) }
		if !p.loop.Join(&p.member) {
			d.Cancel(p.loop.Err())
			return d
		}
	}
	p.try()
	return d
}

func (p *poll) try() {
	h, err := p.f.open()
	if err == ErrLocked {
		p.again()
		return
	}
	if !p.end() { // a cancel was first, and has given the turn on
		if err == nil {
			h.unlock()
		}
		return
	}
	if err != nil {
		defer p.turn.Release() // also if a callback ends the goroutine
		p.res.Fail(err)
		return
	}
	if lease := newHeldFile(h, p.turn).lease(); !p.res.Succeed(lease) {
		lease.Release()
	}
}

// again lets the next try come, unless the wait is over.
func (p *poll) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := p.f.Poll
	if every == 0 {
		every = defaultPoll
	}
	switch {
	case p.over:
	case p.timer == nil:
		p.timer = p.f.c.CallLater(every, p.try)
	default:
		p.timer.Reset(every)
	}
}

// end stops the timer. It reports whether it is the first to end the wait: that
// one has the turn to give on.
func (p *poll) end() bool {
	p.mu.Lock()
	over, timer := p.over, p.timer
	p.over = true
	p.mu.Unlock()
	if over {
		return false
	}
	if timer != nil {
		timer.Stop()
	}
	if p.loop != nil {
		p.loop.Leave(&p.member)
	}
	return true
}

func (p *poll) canceled(error) {
	if p.end() {
		p.turn.Release()
	}
}
