// Package mark keeps one bit a goroutine: "this goroutine is a loop's or a
// coroutine's". A loop sets it while it runs, the driver of a virtual clock while it
// drives, a coroutine for its whole life. Await reads it to tell a
// callback of a loop, which must not block, from a goroutine of the user's,
// which may.
//
// Go has no goroutine-local variables. The bit is the setting of
// [debug.SetPanicOnFault], which is documented to be the current goroutine's
// only, is not inherited, and returns its previous value: 4 ns to read. Its
// side effect is that a fault on an unexpected memory address panics on such a
// goroutine, and so becomes a failure, instead of ending the process. User
// code may set it too; so before Await panics over a misuse it asks
// [Find] for what is really on the stack.
package mark

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// Set sets the bit of the calling goroutine and returns what it was.
func Set(on bool) (was bool) { return debug.SetPanicOnFault(on) }

// IsSet reports the bit of the calling goroutine.
func IsSet() bool {
	on := debug.SetPanicOnFault(false)
	if on {
		debug.SetPanicOnFault(true)
	}
	return on
}

// Loop calls f on a goroutine marked as a loop's. Its frame is what
// [Find] finds on the stack.
//
//go:noinline
func Loop(f func()) {
	was := Set(true)
	defer Set(was)
	f()
}

// Coroutine is [Loop] for the body of a coroutine.
//
//go:noinline
func Coroutine(f func()) {
	was := Set(true)
	defer Set(was)
	f()
}

// Worker calls f on a worker's goroutine. That is marked by the frame alone: the bit
// says that a goroutine is a loop's, which must not block, or a coroutine's.
//
//go:noinline
func Worker(f func()) { frame(f) }

// VirtualWorker is [Worker] for one of a virtual clock, which takes turns with
// others.
//
//go:noinline
func VirtualWorker(f func()) { frame(f) }

// Goroutine is [Worker] for one that is no loop's.
//
//go:noinline
func Goroutine(f func()) { frame(f) }

// frame has something to do after f, so that its caller is not replaced by f.
func frame(f func()) {
	defer runtime.KeepAlive(f)
	f()
}

// Kind is what a goroutine is to the library.
type Kind int

// The kinds, by the innermost marked frame on the stack.
const (
	None Kind = iota
	OnLoop
	OnCoroutine
	OnWorker
	OnVirtualWorker
	OnGoroutine
)

// IsWorker reports whether k is that of a worker, of whatever clock.
func (k Kind) IsWorker() bool { return k == OnWorker || k == OnVirtualWorker }

// Find walks the stack of the calling goroutine to its innermost marked
// frame. It costs up to some microseconds, so it only confirms a misuse.
func Find() Kind {
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		if n == 0 {
			return None
		}
		frames := runtime.CallersFrames(pcs[:n])
		for {
			frame, more := frames.Next()
			if name, ok := strings.CutPrefix(frame.Function, prefix); ok {
				if kind, ok := kinds[name]; ok {
					return kind
				}
			}
			if !more {
				break
			}
		}
	}
}

const prefix = "github.com/deferred-go/deferred/internal/mark."

var kinds = map[string]Kind{"Loop": OnLoop, "Coroutine": OnCoroutine, "Worker": OnWorker, "VirtualWorker": OnVirtualWorker, "Goroutine": OnGoroutine}
