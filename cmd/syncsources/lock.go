package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
)

// lockPoll is how often a run that waits for the lock looks again.
const lockPoll = 200 * time.Millisecond

// holder says who holds a lock.
type holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

func (h holder) String() string {
	if h.PID <= 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d, since %s", h.PID, h.Since.Format(time.RFC3339))
}

// lockPortal takes the lock of applies against a portal on this host. While
// another process holds it, it waits up to timeout. The operating system gives
// it up when the process ends, however it ends.
//
// The lock is a file below the directory for temporary files, named by a hash
// of the portal; so runs with different TMPDIRs, as of services with a private
// /tmp and of containers, do not see each other's. The file is never written
// nor removed: the holder stands in a second one, which is only replaced, so
// that a link that somebody left in a directory open to all leads to nothing.
func lockPortal(ctx context.Context, portal string, timeout time.Duration) (release func(), err error) {
	sum := sha256.Sum256([]byte(rest.HostPort(portal)))
	path := filepath.Join(os.TempDir(), fmt.Sprintf("syncsources-%x.lock", sum[:8]))
	if err := createLockFile(path); err != nil {
		return nil, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: fmt.Sprintf("cannot make the lock of this portal: %v", err),
			Hints: []string{"the directory for temporary files, TMPDIR, has to exist and to be writable"}}
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	got, err := lock.TryLock()
	if err == nil && !got && timeout > 0 {
		waiting, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		got, err = lock.TryLockContext(waiting, lockPoll)
	}
	switch {
	case got:
		tellHolder(path)
		return func() {
			_ = os.Remove(holderPath(path))
			_ = lock.Unlock()
		}, nil
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return nil, exit.Interruption(ctx)
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeLocked, Message: fmt.Sprintf("cannot lock this portal: %v", err)}
	}
	return nil, &exit.Failure{
		Exit: exit.Stopped, Code: exit.CodeLocked,
		Message: fmt.Sprintf("another apply runs against %s: %s", portal, readHolder(path)),
		Hints:   []string{"wait until it has ended, or let this one wait with --lock-timeout 10m"},
	}
}

// createLockFile makes the file if there is none, for all users of the host.
func createLockFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o644), f.Close()) // whatever the umask
}

func holderPath(lock string) string { return lock + ".holder" }

// tellHolder notes that this process holds the lock. It is only for the
// message that others print, so that a failure is no reason to stop. Nobody
// without the lock writes here, so what a killed process left is in nobody's
// use.
func tellHolder(lock string) {
	content, _ := json.Marshal(holder{os.Getpid(), time.Now().Truncate(time.Second)})
	next := holderPath(lock) + ".new"
	_ = os.Remove(next)
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return
	}
	_, err = f.Write(content)
	if errors.Join(err, f.Chmod(0o644), f.Close()) == nil && os.Rename(f.Name(), holderPath(lock)) == nil {
		return
	}
	_ = os.Remove(f.Name())
}

// readHolder returns who holds the lock, as far as it is known.
func readHolder(lock string) holder {
	var h holder
	content, err := os.ReadFile(holderPath(lock))
	if err != nil || len(content) > 1024 || json.Unmarshal(content, &h) != nil {
		return holder{}
	}
	return h
}
