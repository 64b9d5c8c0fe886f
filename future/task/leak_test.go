package task_test

import (
	"os"
	"testing"

	"github.com/deferred-go/deferred/future/task"
	"github.com/deferred-go/deferred/internal/leaks"
)

// TestMain is also func main of the programs that tests start: see run.
func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		os.Exit(task.Main(run))
	}
	os.Exit(leaks.Main(m)) // the tests leave no goroutine behind
}
