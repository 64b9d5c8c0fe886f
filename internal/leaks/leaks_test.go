package leaks

import (
	"runtime/pprof"
	"strings"
	"testing"
)

func TestProfile(t *testing.T) {
	if left := profile(); left != "" {
		t.Errorf("found %s", left)
	}
	began := make(chan bool)
	go func() {
		began <- true
		<-make(chan bool)
	}()
	<-began
	if left := profile(); pprof.Lookup("goroutineleak") != nil && !strings.Contains(left, "TestProfile") {
		t.Errorf("a goroutine that waits for ever is not found: %q", left)
	}
}
