package main

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
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

// fakeLock is a lock that a database has taken away.
type fakeLock struct {
	auth.Lock
	lost chan struct{}
}

func (l fakeLock) Lost() <-chan struct{} { return l.lost }

// An apply whose lock is lost with its connection stops, and says so.
func TestLostLockStopsTheRun(t *testing.T) {
	lost := make(chan struct{})
	ctx, end := whileHeld(t.Context(), fakeLock{lost: lost})
	defer end()
	close(lost)
	<-ctx.Done()
	var e *rest.Error
	if !errors.As(context.Cause(ctx), &e) || e.Code != exit.CodeLocked {
		t.Errorf("%v", context.Cause(ctx))
	}
}
