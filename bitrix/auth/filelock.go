package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockPatience is how long a process waits for another one's renewal, which
// takes a second as a rule and is bounded by renewalTime.
const lockPatience = renewalTime + 30*time.Second

// lockFile takes an advisory lock on a file that is made for it and stays: to
// delete it would let two processes hold two locks of the same name. The lock
// ends with the process that holds it, however that ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	lock, err := openLock(path)
	if err != nil {
		return nil, err
	}
	got, err := waitForLock(ctx, lockPatience, lock.TryLock)
	switch {
	case got:
		return func() { _ = lock.Unlock() }, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s is held by another run for too long: %w", path, context.Cause(ctx))
	case err == nil:
		err = fmt.Errorf("%s is held by another run for too long", path)
	}
	return nil, err
}

// openLock prepares the lock on the file at path. Whoever can write to the
// directory may have put something else there: a link, which would make us
// create or lock the file it leads to, or a pipe, which would never open. Only
// a regular file of our own is locked.
func openLock(path string) (*flock.Flock, error) {
	if info, err := os.Lstat(path); err == nil {
		if err := checkOwn(path, info); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|harmless), flock.SetPermissions(0o600)), nil
}

// checkOwn makes sure that info is that of a regular file of our own.
func checkOwn(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file; remove it", path)
	case !owned(info):
		return fmt.Errorf("%s belongs to another user; remove it", path)
	}
	return nil
}

// openOwn opens a regular file of our own, without following a link or
// waiting for a pipe.
func openOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|harmless, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkOwn(path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// readRegular reads a regular file of at most most bytes. A pipe or a device
// in its place is refused and not waited for. Links are followed.
func readRegular(path string, most int64) ([]byte, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, info, errNotRegular
	}
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = errTooLong
	}
	return content, info, err
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLong    = errors.New("too long")
)

// ownDirectory makes a directory that only we can write to, or makes sure that
// the one that is there is such a one.
func ownDirectory(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	case !owned(info):
		return fmt.Errorf("%s belongs to another user", path)
	case writableByOthers(info):
		return fmt.Errorf("%s can be written to by others (mode %04o)", path, info.Mode().Perm())
	}
	// A directory on a read-only file system is no use.
	f, err := os.CreateTemp(path, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// firstOwnDirectory returns the first of the directories that can be used.
func firstOwnDirectory(dirs []string) (string, error) {
	var problems []error
	for _, dir := range dirs {
		dir = filepath.Clean(dir)
		err := ownDirectory(dir)
		if err == nil {
			return dir, nil
		}
		problems = append(problems, err)
	}
	if len(problems) == 0 {
		return "", errors.New("there is no directory for locks")
	}
	return "", fmt.Errorf("there is no directory for locks: %w", errors.Join(problems...))
}
