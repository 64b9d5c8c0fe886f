package failure

import (
	"runtime"
	"strconv"
	"strings"
)

// maxStack is how many program counters of a stack are kept, the innermost.
const maxStack = 64

// callers returns the stack of whoever called New.
func callers() []uintptr {
	var pcs [maxStack]uintptr
	n := runtime.Callers(3, pcs[:])
	return append([]uintptr(nil), pcs[:n]...)
}

// Frames returns the stack of a panic or Goexit, from the place that raised it
// outwards, without what recovered it; then the sites given to [At], the
// innermost first. It makes them from program counters in every call, about a
// microsecond a frame, and runs no code of others. A site of which the program
// knows nothing has only its PC. The frames of a nil *Failure are nil.
func (f *Failure) Frames() []runtime.Frame {
	var frames []runtime.Frame
	for _, l := range f.layers() {
		frames = append(frames, stackFrames(l.stack)...)
		frames = append(frames, siteFrames(l.sites)...)
	}
	return frames
}

// stackFrames resolves a stack and takes off what lies above the panic.
func stackFrames(pcs []uintptr) []runtime.Frame {
	var frames []runtime.Frame
	raised := 0
	for it := runtime.CallersFrames(pcs); len(frames) < len(pcs); {
		frame, more := it.Next()
		if frame.PC == 0 {
			break
		}
		frames = append(frames, frame)
		if raised == 0 && (frame.Function == "runtime.gopanic" || frame.Function == "runtime.Goexit") {
			raised = len(frames)
		}
		if !more {
			break
		}
	}
	return trim(frames, raised)
}

// trim takes the first raised frames off, and of the runtime's those that lie
// between the panic and the code that it struck, and at the stack's other end.
func trim(frames []runtime.Frame, raised int) []runtime.Frame {
	first, last := raised, len(frames)
	if raised > 0 {
		for first < last && isRuntime(frames[first]) {
			first++
		}
	}
	if first == last { // nothing but the runtime: better than nothing
		first = raised
	}
	for last > first+1 && isRuntime(frames[last-1]) {
		last--
	}
	return frames[first:last]
}

func isRuntime(f runtime.Frame) bool {
	return strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, "internal/runtime/")
}

// siteFrames resolves each site on its own.
func siteFrames(sites []uintptr) []runtime.Frame {
	var frames []runtime.Frame
	for _, pc := range sites {
		if pc == 0 {
			continue
		}
		frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		if frame.PC == 0 {
			frame = runtime.Frame{PC: pc}
		}
		frames = append(frames, frame)
	}
	return frames
}

// place describes a frame: "pkg/path.Func file.go:12".
func place(f runtime.Frame) string {
	if f.Function == "" {
		return "an unknown function"
	}
	if name, ok := strings.CutSuffix(f.Function, "-fm"); ok {
		return name + " (method value)" // of the wrapper that makes it one, the file is not known
	}
	if f.File == "" || strings.HasPrefix(f.File, "<") {
		return f.Function
	}
	return f.Function + " " + f.File[strings.LastIndexByte(f.File, '/')+1:] + ":" + strconv.Itoa(f.Line)
}

func places(frames []runtime.Frame) []string {
	list := make([]string, len(frames))
	for i, f := range frames {
		list[i] = place(f)
	}
	return list
}
