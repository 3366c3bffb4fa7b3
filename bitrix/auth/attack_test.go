//go:build unix

package auth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncsources/bitrix/rest"
)

// atOnce fails the test if f waits.
func atOnce(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}

// planted puts what an attacker may have left into the place of a file.
var planted = map[string]func(t *testing.T, path string){
	"a pipe": func(t *testing.T, path string) {
		check(t, syscall.Mkfifo(path, 0o666))
	},
	"a dangling link": func(t *testing.T, path string) {
		check(t, os.Symlink(filepath.Join(t.TempDir(), "made"), path))
	},
	"a directory": func(t *testing.T, path string) {
		check(t, os.Mkdir(path, 0o777))
	},
	"another user's file": func(t *testing.T, path string) {
		if os.Getuid() != 0 {
			t.Skip("only root can give files away")
		}
		check(t, errors.Join(os.WriteFile(path, nil, 0o666), os.Chown(path, 12345, 12345)))
	},
}

// What somebody planted under the name of a lock is refused at once: a pipe
// would be waited for without end, a link would make us create the file that it
// leads to.
func TestPlantedLock(t *testing.T) {
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, filepath.Join(dir, "token.json.lock"))
			atOnce(t, func() {
				_, err := tokenFile(t, filepath.Join(dir, "token.json")).Lock(context.Background())
				if !errors.Is(err, rest.NoToken) || !strings.Contains(err.Error(), "remove it") {
					t.Errorf("%v", err)
				}
			})

			locks := NewFileLocks(filepath.Join(dir, "locks"))
			acquire(t, locks).Release()
			files, _ := filepath.Glob(filepath.Join(dir, "locks", "apply-*.lock"))
			if len(files) != 1 {
				t.Fatal(files)
			}
			for _, file := range []string{files[0], strings.TrimSuffix(files[0], ".lock") + ".note"} {
				_ = os.Remove(file)
				plant(t, file)
				atOnce(t, func() {
					if _, _, err := locks.Acquire(context.Background(), "https://acme.example", time.Hour); err == nil {
						t.Errorf("%s is used", file)
					}
				})
				_ = os.Remove(file)
			}
		})
	}
}

// A pipe or a device in the place of a token file is refused, not read.
func TestPlantedTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.json")
	planted["a pipe"](t, path)
	for _, path := range []string{path, "/dev/zero"} {
		atOnce(t, func() {
			_, err := tokenFile(t, path).Load(context.Background())
			if !errors.Is(err, rest.NoToken) || !strings.Contains(err.Error(), "is not a regular file") {
				t.Errorf("%s: %v", path, err)
			}
		})
	}
}

// Only what a holder can have written of a note is read, however big the file.
func TestNoteOfManyGigabytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apply-1.note")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	check(t, err)
	if err := errors.Join(f.Truncate(3<<30), f.Close()); err != nil {
		t.Skip(err)
	}
	if n := testing.AllocsPerRun(1, func() { _, err = readNote(path) }); err != nil || n > 50 {
		t.Errorf("%v, %v allocations", err, n)
	}
}

// A directory that others can write to, or that is another user's, is passed
// over.
func TestDirectoryOfLocksIsOurs(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	check(t, errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777)))
	ours := filepath.Join(t.TempDir(), "ours")
	linked := filepath.Join(t.TempDir(), "linked")
	check(t, os.Symlink(ours, linked))
	dirs := []string{open, linked, filepath.Join(open, "\x00")}
	if os.Getuid() == 0 {
		theirs := filepath.Join(t.TempDir(), "theirs")
		check(t, errors.Join(os.Mkdir(theirs, 0o700), os.Chown(theirs, 12345, 12345)))
		dirs = append(dirs, theirs)
	}
	if _, err := firstOwnDirectory(dirs); err == nil {
		t.Errorf("one of %q is used", dirs)
	}
	if got, err := firstOwnDirectory(append(dirs, ours)); err != nil || got != ours {
		t.Errorf("%s, %v", got, err)
	}
	if info, err := os.Stat(ours); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

// A link in the place of the new pair is replaced, not followed.
func TestPlantedNewPair(t *testing.T) {
	path := writePair(t, "")
	precious := filepath.Join(t.TempDir(), "precious")
	check(t, os.WriteFile(precious, []byte("precious"), 0o666))
	locked := must(tokenFile(t, path).Lock(context.Background()))(t)
	defer locked.Unlock()
	for _, step := range []func() error{
		func() error { return locked.Prepare(context.Background(), mustLoad(t, path)) },
		func() error { return locked.Store(context.Background(), mustLoad(t, path)) },
	} {
		_ = os.Remove(path + ".new")
		check(t, os.Symlink(precious, path+".new"))
		if err := step(); err != nil {
			t.Log(err)
		}
		if content, _ := os.ReadFile(precious); string(content) != "precious" {
			t.Errorf("the link was followed: %q", content)
		}
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
