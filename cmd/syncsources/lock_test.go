package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/runner"
)

// A signal ends the wait for a lock with the exit code of the signal.
func TestLockWaitIsInterrupted(t *testing.T) {
	const portal = "https://acme.bitrix24.com"
	locks := auth.NewFileLocks(filepath.Join(t.TempDir(), "locks"))
	held, _, err := lockPortal(t.Context(), locks, portal, 0)
	check(t, err)
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

func (l fakeLock) Acquire(context.Context, string, time.Duration) (auth.Lock, auth.Left, error) {
	return l, auth.Left{}, nil
}
func (l fakeLock) Lost() <-chan struct{} { return l.lost }
func (fakeLock) Release()                {}
func (fakeLock) ReleaseUnsettled()       {}

// An apply whose lock is lost with its connection stops, and says so.
func TestLostLockStopsTheRun(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources+"update_cost: 10s\n")
		a := &app{env: option.NewEnvironment([]string{"B24_PORTAL_URL=" + address, "B24_ACCESS_TOKEN=" + sandbox.AccessToken}), transport: portal.RoundTripper()}
		log := slog.New(slog.DiscardHandler)
		connection := must(a.connect(t.Context(), "", log))(t)
		lock := fakeLock{lost: make(chan struct{})}
		connection.locks = lock
		set, _, err := a.load(t.Context(), paths[:1], nil)
		check(t, err)
		time.AfterFunc(5*time.Second, func() { close(lock.lost) })
		run := &portalRun{app: a, flags: &runFlags{timeout: time.Hour}, limits: limits{BatchSize: 1, Concurrency: 1}, connection: connection, set: set}
		report := run.converge(t.Context(), "apply", log, nil)
		if report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != exit.CodeLocked || report.Summary.Skipped != 2 {
			t.Errorf("%s, %v, %+v", report.Outcome, report.Error, report.Summary)
		}
	})
}

// A run that does not know what became of its add leaves a note of it.
func TestRunWithAnOpenAdd(t *testing.T) {
	paths := files(t, "version: 1\nsources: [{name: s, title: \"x' union select 1\", connector: 1}]\n")
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources+"faults: [{kind: page, contains: union select, ran: true}]\n")
		env := portalEnvironment(t)
		a := &app{env: env, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, transport: portal.RoundTripper()}
		code := a.run(t.Context(), []string{"apply", paths[0]})
		lock, left, err := auth.NewFileLocks(signin.LockDirectories(env)...).Acquire(t.Context(), address, 0)
		if err != nil || left.LastAdd.IsZero() || code != exit.Failed {
			t.Fatalf("exit code %d, %v, left %+v", code, err, left)
		}
		lock.Release()
	})
}

// A run that finds what a killed one has noted waits until the portal must have
// ended its last add, and leaves no note of its own when all is settled.
func TestRunAfterAKilledOne(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources)
		env := portalEnvironment(t)
		locks := auth.NewFileLocks(signin.LockDirectories(env)...)
		lock, _, err := locks.Acquire(t.Context(), address, 0)
		if err != nil || lock.NoteAdd(t.Context(), time.Now()) != nil {
			t.Fatal(err)
		}
		lock.ReleaseUnsettled()
		got := programOf(t.Context(), &app{env: env, transport: portal.RoundTripper()}, "apply", "-o", "json", paths[0])
		if report := got.report(t); got.code != exit.OK || report.Duration < 60 {
			t.Errorf("exit code %d after %.0f s", got.code, report.Duration)
		}
		lock, left, err := locks.Acquire(t.Context(), address, 0)
		if err != nil || !left.LastAdd.IsZero() {
			t.Fatalf("%v, left %+v", err, left)
		}
		lock.Release()
	})
}
