package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"syncsources/bitrix/rest"
)

// Locks hand out the lock of an apply: FileLocks on one host, a Database for
// any number of machines.
type Locks interface {
	// Acquire takes the lock of applies to the portal with this address. While
	// somebody else holds it, Acquire waits up to wait, or until ctx ends. The
	// error is then a *HeldError.
	Acquire(ctx context.Context, portal string, wait time.Duration) (Lock, Left, error)
}

// Lock is the lock of an apply. It ends with the process that holds it,
// however that ends, but what NoteAdd noted is left for the next holder.
type Lock interface {
	// NoteAdd notes durably that an add is about to be sent at this time. The
	// portal may continue with an add whose sender is gone, so the next holder has
	// to know. An add must not be sent if it fails.
	NoteAdd(ctx context.Context, at time.Time) error
	// Lost is closed when somebody else may have got the lock: nothing must be
	// written from then on.
	Lost() <-chan struct{}
	// Release gives the lock up and forgets the note: all adds are settled.
	Release()
	// ReleaseUnsettled gives the lock up and leaves the note, for a run that
	// ends before it knows what became of its adds.
	ReleaseUnsettled()
}

// Left is what an earlier holder left behind that ended without Release.
type Left struct {
	// LastAdd is when it last sent an add, by this machine's clock, or up to
	// noteStep later. Zero: it sent none.
	LastAdd time.Time
	Holder  Holder
}

// noteStep is how far ahead a note reaches, so that a thousand adds in a
// second are one note and not a thousand writes to a disk.
const noteStep = time.Second

// Holder says who holds a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func newHolder() Holder {
	host, _ := os.Hostname()
	return Holder{PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second)}
}

// String returns "process 12 on build-3, since 2026-01-02T15:04:05Z".
func (h Holder) String() string {
	if h.PID <= 0 {
		return "another process"
	}
	s := fmt.Sprintf("process %d", h.PID)
	if h.Host != "" {
		s += " on " + rest.Clean(h.Host)
	}
	return s + ", since " + h.Since.Format(time.RFC3339)
}

// HeldError is the error of a lock that somebody else holds.
type HeldError struct {
	Portal string
	Holder Holder
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("another apply runs against %s: %s", e.Portal, e.Holder)
}

// lockKey is the name of a portal's lock: equal for all spellings of its
// address.
func lockKey(portal string) [sha256.Size]byte {
	return sha256.Sum256([]byte("syncsources apply\x00" + rest.HostPort(portal)))
}

// waitForLock tries until it gets the lock, wait is over, or ctx ends.
func waitForLock(ctx context.Context, wait time.Duration, try func() (bool, error)) (bool, error) {
	const poll = 50 * time.Millisecond
	deadline := time.Now().Add(wait)
	for {
		got, err := try()
		left := time.Until(deadline)
		if got || err != nil || left <= 0 {
			return got, err
		}
		if err := sleep(ctx, min(poll, left)); err != nil {
			return false, err
		}
	}
}
