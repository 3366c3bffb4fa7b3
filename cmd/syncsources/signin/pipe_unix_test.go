//go:build unix

package signin

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A pipe in the place of a file with a secret is read if somebody writes to
// it, as a process substitution of a shell does, and not waited for otherwise.
func TestSecretFromAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secretVariable(context.Background(), env("B24_CLIENT_SECRET_FILE="+path), ClientSecret); err == nil {
		t.Error("a pipe that nobody writes to holds a secret")
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := secretVariable(ctx, env("B24_CLIENT_SECRET_FILE="+path), ClientSecret); err == nil {
		t.Error("a writer that never ends")
	}
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := in.WriteString("s3cret\n"); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	got, err := secretVariable(context.Background(), env("B24_CLIENT_SECRET_FILE=/dev/fd/"+strconv.Itoa(int(r.Fd()))), ClientSecret)
	if os.IsNotExist(err) || err == nil && got.Plain() != "s3cret" {
		t.Errorf("%q, %v", got.Plain(), err)
	}
}
