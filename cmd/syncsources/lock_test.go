package main

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/exit"
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
