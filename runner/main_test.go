package runner_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// The tests make thousands of small portals, whose heaps a patient collector
// rarely needs to walk through: it saves a fifth of what they cost.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
