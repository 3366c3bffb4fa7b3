package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// lockDirectories are the directories for locks, of which the first one that
// can be used counts: the state directory, which lasts and is the same for cron
// as for a login of the same user, then directories that are not there
// everywhere. None of them is one that others may write to.
func lockDirectories(e option.Environment) []string {
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

// lockPortal takes the lock of applies against a portal. While another process
// holds it, it waits up to timeout.
func lockPortal(ctx context.Context, locks auth.Locks, portal string, timeout time.Duration) (auth.Lock, auth.Left, error) {
	lock, left, err := locks.Acquire(ctx, portal, timeout)
	var held *auth.HeldError
	switch {
	case err == nil:
		return lock, left, nil
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return nil, left, exit.Interruption(ctx)
	case errors.As(err, &held):
		return nil, left, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: held.Error(),
			Hints: []string{"wait until it has ended, or let this one wait with --lock-timeout 10m"}}
	}
	return nil, left, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: fmt.Sprintf("cannot lock the portal: %v", err)}
}
