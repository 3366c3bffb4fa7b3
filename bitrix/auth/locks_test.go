package auth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// acquire takes the lock of a portal that nobody holds.
func acquire(t *testing.T, locks Locks) Lock {
	t.Helper()
	lock, _, err := locks.Acquire(context.Background(), "https://acme.example", 0)
	check(t, err)
	return lock
}

// testLocks is what two holders of locks may expect, wherever these are kept.
func testLocks(t *testing.T, one, two Locks) {
	ctx := context.Background()
	const portal = "https://acme.example"
	lock, left, err := one.Acquire(ctx, portal, 0)
	if err != nil || !left.LastAdd.IsZero() {
		t.Fatalf("%v, left %+v", err, left)
	}
	for _, locks := range []Locks{one, two} {
		_, _, err := locks.Acquire(ctx, "https://ACME.example:443/", 0)
		var held *HeldError
		if !errors.As(err, &held) || held.Holder.PID != os.Getpid() || !strings.Contains(held.Error(), "process "+strconv.Itoa(os.Getpid())+" on ") {
			t.Errorf("a second lock: %v", err)
		}
	}
	if other, _, err := two.Acquire(ctx, "https://acme.example:8443", 0); err != nil {
		t.Errorf("another portal: %v", err)
	} else {
		other.Release()
	}
	// Who waits gets it.
	got := make(chan error)
	go func() {
		lock, _, err := two.Acquire(ctx, portal, time.Minute)
		if err == nil {
			lock.Release()
		}
		got <- err
	}()
	if err := lock.NoteAdd(ctx, time.Now()); err != nil {
		t.Error(err)
	}
	lock.Release()
	if err := <-got; err != nil {
		t.Errorf("with time to wait: %v", err)
	}
	// What a holder has settled leaves nothing behind; what it has not stays,
	// through holders that send no add, until somebody settles it.
	lock, left, err = two.Acquire(ctx, portal, 0)
	if err != nil || !left.LastAdd.IsZero() {
		t.Fatalf("%v, left %+v", err, left)
	}
	sent := time.Now()
	if err := lock.NoteAdd(ctx, sent); err != nil {
		t.Error(err)
	}
	lock.ReleaseUnsettled()
	for range 2 {
		lock, left, err = one.Acquire(ctx, portal, 0)
		if err != nil || left.LastAdd.Before(sent.Add(-100*time.Millisecond)) || left.LastAdd.After(sent.Add(noteStep+time.Second)) || left.Holder.PID != os.Getpid() {
			t.Fatalf("%v, left %+v, sent at %v", err, left, sent)
		}
		lock.ReleaseUnsettled()
	}
	acquire(t, one).Release()
	lock, left, err = two.Acquire(ctx, portal, 0)
	if err != nil || !left.LastAdd.IsZero() {
		t.Fatalf("%v, left %+v", err, left)
	}
	lock.Release()
	// A wait obeys its context.
	defer acquire(t, one).Release()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := two.Acquire(ended, portal, time.Hour); !errors.As(err, new(*HeldError)) {
		t.Errorf("%v", err)
	}
}

func TestFileLocks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "locks")
	testLocks(t, NewFileLocks(dir), NewFileLocks(filepath.Join(t.TempDir(), "no", "\x00"), dir))
}

// A note that a crash has left half written counts as an add of that moment.
func TestHalfANote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	locks := NewFileLocks(dir)
	acquire(t, locks).ReleaseUnsettled()
	notes, _ := filepath.Glob(filepath.Join(dir, "*.note"))
	if len(notes) != 1 {
		t.Fatal(notes)
	}
	check(t, os.WriteFile(notes[0], []byte(`{"pid": 12, "host`), 0o600))
	_, left, err := locks.Acquire(t.Context(), "https://acme.example", 0)
	if err != nil || time.Since(left.LastAdd) > time.Minute {
		t.Errorf("%v, left %+v", err, left)
	}
}

// A thousand adds in a second are one note.
func TestNotesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := NewFileLocks(filepath.Join(t.TempDir(), "locks"))
		lock := acquire(t, locks)
		held := lock.(*fileLock)
		writes, last := 0, time.Time{}
		for range 2000 {
			check(t, lock.NoteAdd(t.Context(), time.Now()))
			n, err := readNote(held.path)
			if err != nil || n.LastAdd.Before(time.Now()) {
				t.Fatalf("an add at %v is not covered by the note %v: %v", time.Now(), n.LastAdd, err)
			}
			if !n.LastAdd.Equal(last) {
				writes, last = writes+1, n.LastAdd
			}
			time.Sleep(time.Millisecond)
		}
		if writes > 3 {
			t.Errorf("%d writes in two seconds", writes)
		}
	})
}

// Nobody else may open a lock's file: to lock it takes no more.
func TestLockIsOursAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.json.lock")
	unlock := must(lockFile(t.Context(), path))(t)
	defer unlock()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
