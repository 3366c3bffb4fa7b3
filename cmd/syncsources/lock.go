package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
)

// lockPortal takes the lock of applies against a portal. While another process
// holds it, it waits up to timeout. left is what a run that was killed has left
// with it.
func lockPortal(ctx context.Context, locks auth.Locks, portal string, timeout time.Duration) (lock auth.Lock, left auth.Left, err error) {
	lock, left, err = locks.Acquire(ctx, portal, timeout)
	var held *auth.HeldError
	switch {
	case err == nil:
		return lock, left, nil
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return nil, left, exit.Interruption(ctx)
	case errors.As(err, &held):
		return nil, left, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: held.Error(),
			Hints: []string{"wait until it ends, or make this one wait with --lock-timeout 10m"}}
	}
	return nil, left, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: fmt.Sprintf("cannot lock the portal: %v", err)}
}

// whileHeld is a context that also ends when the lock is lost, as one in a
// database is with its connection: another machine may be at work then.
func whileHeld(ctx context.Context, lock auth.Lock) (held context.Context, end func()) {
	held, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-lock.Lost():
			cancel(&rest.Error{Code: exit.CodeLocked, NotSent: true,
				Message: "the lock of this portal was lost, and another apply may have it now; what was in flight is read back, the rest is not sent"})
		case <-held.Done():
		}
	}()
	return held, func() { cancel(nil) }
}
