package futuretest

import "runtime"

// tell reports at the end of t what is wrong with it.
//
// That is Fatalf: a property tester looks no more after its test has returned,
// but catches the panic that this is there. But if t ends by a panic or by
// runtime.Goexit, Fatalf would take its place, in package testing without a
// trace. Such a test has failed already, or a property has rejected its input,
// and that is to come out. So the report goes to the log.
func tell(t TB, report string) {
	t.Helper()
	if !ending() {
		t.Fatalf("%s", report)
	} else if l, ok := t.(interface{ Logf(string, ...any) }); ok {
		l.Logf("%s", report)
	} else {
		t.Errorf("%s", report)
	}
}

// ending reports whether the caller runs in a deferred function of a goroutine
// that ends by a panic or by runtime.Goexit; the clean-ups of a test do, if it
// ends so. Only the stack tells: recover sees nothing from here.
func ending() bool {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" || f.Function == "runtime.Goexit" {
			return true
		}
		if !more {
			return false
		}
	}
}
