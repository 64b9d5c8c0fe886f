package lock_test

import (
	"os"
	"testing"

	"github.com/deferred-go/deferred/internal/leaks"
)

// The tests leave no goroutine behind.
func TestMain(m *testing.M) { os.Exit(leaks.Main(m)) }
