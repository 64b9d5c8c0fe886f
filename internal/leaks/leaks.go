// Package leaks looks for goroutines that tests have left blocked for ever:
// coroutines, workers and waits on what nobody can reach any more. The runtime's
// profile of leaked goroutines finds them. Go 1.27 has it, Go 1.26 with
// GOEXPERIMENT=goroutineleakprofile; elsewhere nothing is looked for.
package leaks

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
)

// Main runs the tests of a package and returns its exit status, for os.Exit.
// It is not 0 if the tests have left goroutines of this module behind.
func Main(m interface{ Run() int }) (code int) {
	code = m.Run()
	if left := profile(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are blocked for ever:\n%s\n", left)
		code = 1
	}
	return code
}

// profile returns the stacks of the leaked goroutines that this module or its
// tests have to do with, or "".
func profile() string {
	p := pprof.Lookup("goroutineleak")
	if p == nil {
		return ""
	}
	var text bytes.Buffer
	if err := p.WriteTo(&text, 1); err != nil {
		return err.Error()
	}
	_, stacks, _ := strings.Cut(text.String(), "\n") // after the total
	var left []string
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		if strings.Contains(stack, "deferred-go/deferred") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
