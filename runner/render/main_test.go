package render_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// Reports are written by the thousand here, and gone at once: a patient
// collector saves a fifth of what the tests cost.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
