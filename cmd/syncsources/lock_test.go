package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// A signal ends the wait for a lock with the exit code of the signal.
func TestLockWaitIsInterrupted(t *testing.T) {
	const portal = "https://acme.bitrix24.com"
	locks := auth.NewFileLocks(filepath.Join(t.TempDir(), "locks"))
	held, _, err := lockPortal(t.Context(), locks, portal, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exit.Signal{Received: syscall.SIGTERM})
	_, _, err = lockPortal(ctx, locks, portal, time.Hour)
	var f *exit.Failure
	if !errors.As(err, &f) || f.Exit != exit.Terminated {
		t.Errorf("interrupted: %v", err)
	}
}

// The state directory comes first: it is the same for cron and for a login,
// and the note of the last add in it outlives a power cut.
func TestLockDirectories(t *testing.T) {
	dirs := lockDirectories(option.NewEnvironment([]string{"HOME=/home/jane", "XDG_RUNTIME_DIR=" + t.TempDir()}))
	if len(dirs) < 2 || dirs[0] != "/home/jane/.local/state/syncsources" {
		t.Errorf("%q", dirs)
	}
	for _, dir := range dirs {
		if dir == os.TempDir() || dir == "/run/lock" {
			t.Errorf("%s is open to all", dir)
		}
	}
}
