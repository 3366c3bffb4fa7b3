package signin

import (
	"os"
	"testing"

	"syncsources/cmd/syncsources/option"
)

// The state directory comes first: it is the same for cron and for a login,
// and the note of the last add in it outlives a power cut.
func TestLockDirectories(t *testing.T) {
	dirs := LockDirectories(option.NewEnvironment([]string{"HOME=/home/jane", "XDG_RUNTIME_DIR=" + t.TempDir()}))
	if len(dirs) < 2 || dirs[0] != "/home/jane/.local/state/syncsources" {
		t.Errorf("%q", dirs)
	}
	for _, dir := range dirs {
		if dir == os.TempDir() || dir == "/run/lock" {
			t.Errorf("%s is open to all", dir)
		}
	}
}
