package auth

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestDatabaseLock(t *testing.T) {
	c := shared{URL: testDatabase(t), Key: key}
	testLocks(t, machine(t, c), machine(t, c))
}

// The lock ends with its connection, and its holder is told.
func TestDatabaseLockEndsWithTheConnection(t *testing.T) {
	ctx := context.Background()
	c := shared{URL: testDatabase(t), Key: key}
	one, two := machine(t, c), machine(t, c)
	lock := acquire(t, one)
	sent := time.Now()
	check(t, lock.NoteAdd(ctx, sent))
	endConnections(t, c.URL)
	other, left, err := two.Acquire(ctx, "https://acme.example", 10*time.Second)
	check(t, err)
	defer other.Release()
	if left.LastAdd.Before(sent.Add(-time.Second)) || left.LastAdd.After(sent.Add(3*time.Second)) || left.Holder.PID != os.Getpid() {
		t.Errorf("left %+v, sent at %v", left, sent)
	}
	if err := lock.NoteAdd(ctx, time.Now().Add(time.Minute)); !errors.Is(err, errLockLost) {
		t.Errorf("an add could still be sent: %v", err)
	}
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Error("the holder is not told")
	}
	lock.Release() // harms nobody
	if err := other.NoteAdd(ctx, time.Now()); err != nil {
		t.Error(err)
	}
}

// A pooler that hands each transaction to another connection cannot keep the
// lock; the next look finds that out.
func TestDatabaseLockThatIsNotThereAnyMore(t *testing.T) {
	ctx := context.Background()
	d := machine(t, shared{URL: testDatabase(t), Key: key})
	lock := acquire(t, d)
	must(d.locks.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`))(t)
	if err := lock.NoteAdd(ctx, time.Now()); !errors.Is(err, errLockLost) {
		t.Errorf("%v", err)
	}
	<-lock.Lost()
}

// A mistake of ours in looking for the lock is as if it were lost: the run that
// holds it ends, instead of the process.
func TestDatabaseLockThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newSession(&Database{log: slog.New(slog.NewTextHandler(&log, nil))}, &pgx.ConnConfig{})
		lock := &databaseLock{s: s, lost: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		s.conn, s.stop, s.held[0] = &pgx.Conn{}, stop, lock // any use of it panics
		go s.beat(ctx)
		<-lock.Lost()
		lock.Release()
		if !strings.Contains(log.String(), "internal error") || !strings.Contains(log.String(), "databaselock.go") {
			t.Errorf("%s", log.String())
		}
	})
}

func TestDatabaseTables(t *testing.T) {
	ctx := context.Background()
	url := testDatabase(t)
	// All machines come at once; each finds the tables made.
	errs := make(chan error)
	for range 8 {
		go func() { errs <- machine(t, shared{URL: url, Key: key}).Check(ctx) }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	query(t, url, `UPDATE syncsources_schema SET version = 99`)
	err := machine(t, shared{URL: url, Key: key}).Check(ctx)
	if err == nil || !strings.Contains(err.Error(), "later version of syncsources") {
		t.Errorf("%v", err)
	}
}
