package signin

import (
	"fmt"
	"os"
	"path/filepath"

	"syncsources/cmd/syncsources/option"
)

// LockDirectories are the directories for locks, of which the first one that
// can be used counts: the state directory, which lasts and is the same for cron
// as for a login of the same user, then directories that are not there
// everywhere. None of them is one that others may write to.
func LockDirectories(e option.Environment) []string {
	var dirs []string
	own := fmt.Sprintf("syncsources-%d", os.Getuid())
	if dir := e.Get("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		dirs = append(dirs, filepath.Join(dir, "syncsources"))
	}
	if home := e.Get("HOME"); filepath.IsAbs(home) {
		dirs = append(dirs, filepath.Join(home, ".local", "state", "syncsources"))
	} else if local := e.Get("LocalAppData"); local != "" { // Windows
		dirs = append(dirs, filepath.Join(local, "syncsources"))
	}
	for _, parent := range []string{e.Get("XDG_RUNTIME_DIR"), "/run/lock", e.Get("TMPDIR"), os.TempDir()} {
		if info, err := os.Stat(parent); err == nil && info.IsDir() {
			dirs = append(dirs, filepath.Join(parent, own))
		}
	}
	return dirs
}
