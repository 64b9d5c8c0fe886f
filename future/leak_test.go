package future_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
)

// This file looks for goroutines that the package's tests have left blocked for
// ever: coroutines, workers and waits on what nobody can reach any more. The
// runtime's profile of leaked goroutines finds them. Go 1.27 has it, Go 1.26
// with GOEXPERIMENT=goroutineleakprofile; elsewhere nothing is looked for.

func TestMain(m *testing.M) {
	code := m.Run()
	if leaks := leakProfile(); code == 0 && leaks != "" {
		fmt.Fprintf(os.Stderr, "goroutines of the library are blocked for ever:\n%s\n", leaks)
		code = 1
	}
	os.Exit(code)
}

// leakProfile returns the stacks of the leaked goroutines that the library or
// its tests have to do with, or "".
func leakProfile() string {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return ""
	}
	var text bytes.Buffer
	if err := profile.WriteTo(&text, 1); err != nil {
		return err.Error()
	}
	_, text1, _ := strings.Cut(text.String(), "\n") // after the total
	var leaks []string
	for _, stack := range strings.Split(text1, "\n\n") {
		if strings.Contains(stack, "deferred-go/deferred") {
			leaks = append(leaks, stack)
		}
	}
	return strings.Join(leaks, "\n\n")
}
