package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncsources/cmd/syncsources/exit"
)

func lockIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // Windows
	return dir
}

// One lock is of one portal: host and port count, case does not.
func TestLockIsOfOnePortal(t *testing.T) {
	lockIn(t)
	release, err := lockPortal(t.Context(), "https://acme.bitrix24.com", 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockPortal(t.Context(), "https://ACME.bitrix24.com:443", 0)
	var f *exit.Failure
	if !errors.As(err, &f) || f.Exit != exit.Stopped || f.Code != exit.CodeLocked {
		t.Fatalf("a second lock: %v", err)
	}
	if want := "process " + strconv.Itoa(os.Getpid()) + ", since 20"; !strings.Contains(f.Message, want) {
		t.Errorf("message %q does not say %q", f.Message, want)
	}
	other, err := lockPortal(t.Context(), "https://acme.bitrix24.com:8443", 0)
	if err != nil {
		t.Errorf("another portal: %v", err)
	} else {
		other()
	}
	release()
	again, err := lockPortal(t.Context(), "https://acme.bitrix24.com", 0)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again()
}

func TestLockWaits(t *testing.T) {
	lockIn(t)
	const portal = "https://acme.bitrix24.com"
	release, err := lockPortal(t.Context(), portal, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		release, err := lockPortal(t.Context(), portal, time.Minute)
		if err == nil {
			release()
		}
		got <- err
	}()
	release()
	if err := <-got; err != nil {
		t.Errorf("with time to wait: %v", err)
	}
}

// A signal ends the wait for a lock with the exit code of the signal.
func TestLockWaitIsInterrupted(t *testing.T) {
	lockIn(t)
	const portal = "https://acme.bitrix24.com"
	release, err := lockPortal(t.Context(), portal, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exit.Signal{Received: syscall.SIGTERM})
	_, err = lockPortal(ctx, portal, time.Hour)
	var f *exit.Failure
	if !errors.As(err, &f) || f.Exit != exit.Terminated {
		t.Errorf("interrupted: %v", err)
	}
}

// A link that somebody planted where the holder is noted is replaced, not
// followed.
func TestLockFollowsNoLink(t *testing.T) {
	dir := lockIn(t)
	const portal = "https://acme.bitrix24.com"
	release, err := lockPortal(t.Context(), portal, 0)
	if err != nil {
		t.Fatal(err)
	}
	release()
	locks, _ := filepath.Glob(filepath.Join(dir, "*.lock"))
	if len(locks) != 1 {
		t.Fatalf("locks %v", locks)
	}
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, holderPath(locks[0])); err != nil {
		t.Skip(err)
	}
	release, err = lockPortal(t.Context(), portal, 0)
	if err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(precious); string(content) != "precious" {
		t.Errorf("the link was followed: %q", content)
	}
	if h := readHolder(locks[0]); h.PID != os.Getpid() {
		t.Errorf("holder %+v", h)
	}
	release()
	left, _ := filepath.Glob(filepath.Join(dir, "syncsources-*"))
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHolderThatIsUnknown(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "x.lock")
	for _, content := range []string{"", "nonsense", `{"pid": -1}`, strings.Repeat(" ", 2000) + `{"pid": 1}`} {
		if err := os.WriteFile(holderPath(lock), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readHolder(lock).String(); got != "another process" {
			t.Errorf("holder of %.20q: %s", content, got)
		}
	}
}
