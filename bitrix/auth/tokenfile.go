package auth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"syncsources/bitrix/rest"
)

// TokenFile keeps a pair in a file that only its owner can read, as JSON of
// the form that the authorization server answers with. Two more files are
// beside it: FILE.lock, which stays, and FILE.new, which holds the new pair
// for the moment before it takes FILE's place. A process that is killed in
// that very moment leaves FILE.new, and the next run picks it up.
type TokenFile struct {
	path string
	log  *slog.Logger

	// write and rename are the steps that a full or broken disk fails in;
	// tests replace them.
	write  func(*os.File, []byte) error
	rename func(from, to string) error
}

// reserve is the room that Prepare leaves for the new pair: blanks, so that a
// pair written into it is whole before the rest is cut off.
const reserve = 8 << 10

// NewTokenFile returns the store in the file at path. logger, which may be
// nil, gets a warning where a pair had to be stored by other means.
func NewTokenFile(path string, logger *slog.Logger) (*TokenFile, error) {
	if path == "" {
		return nil, errors.New("no token file path given")
	}
	path, err := absolute(path)
	if err != nil {
		return nil, err
	}
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	return &TokenFile{path: path, log: logger, write: writeSynced, rename: os.Rename}, nil
}

// String returns "the token file PATH".
func (t *TokenFile) String() string { return "the token file " + t.path }

func (t *TokenFile) next() string { return t.path + ".new" }
func (t *TokenFile) lock() string { return t.path + ".lock" }

// Lock implements TokenStore: it locks FILE.lock, in a directory that is made
// if need be. Once it is locked, what a killed process left in FILE.new takes
// FILE's place.
func (t *TokenFile) Lock(ctx context.Context) (LockedStore, error) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return nil, storeFailure("cannot make the token file's directory", t.dirHint(), err)
	}
	unlock, err := lockFile(ctx, t.lock())
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, storeFailure("cannot lock the token file", t.dirHint(), err)
	}
	began, err := t.pickUp()
	if err == nil && !began.IsZero() {
		err = t.discard()
	}
	if err != nil {
		unlock()
		return nil, err
	}
	locked := &lockedFile{TokenFile: t, unlock: unlock}
	if !began.IsZero() {
		locked.begun = "a run began to renew it at " + began.UTC().Format(time.RFC3339)
	}
	return locked, nil
}

func (t *TokenFile) dirHint() string {
	return fmt.Sprintf("the directory %s must be writable: renewing a token replaces the file", filepath.Dir(t.path))
}

// Load implements TokenStore: it reads the file, after what a killed process
// left beside it is dealt with. Others being able to read it is an error:
// whoever has read a refresh token holds the application until the next
// renewal.
func (t *TokenFile) Load(context.Context) (Pair, error) {
	if _, err := os.Lstat(t.next()); err == nil {
		// Where the lock is held, a renewal is at work, maybe our own.
		if lock, err := openLock(t.lock()); err == nil {
			if got, err := lock.TryLock(); err == nil && got {
				_, err = t.pickUp()
				_ = lock.Unlock()
				if err != nil {
					return Pair{}, err
				}
			}
		}
	}
	return t.read(t.path)
}

func (t *TokenFile) read(path string) (Pair, error) {
	content, info, err := readRegular(path, maxPair)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Pair{}, ErrNoPair
	case errors.Is(err, os.ErrPermission):
		return Pair{}, storeFailure("cannot read the token file", "run as the user it belongs to, or: chmod 600 "+quoted(path), err)
	case errors.Is(err, errNotRegular):
		return Pair{}, storeFailure(fmt.Sprintf("the token file %s is not a regular file", path), "", nil)
	case errors.Is(err, errTooLong):
		return Pair{}, storeFailure(fmt.Sprintf("the token file %s is too long", path), "", nil)
	case err != nil:
		return Pair{}, storeFailure("cannot read the token file", "", err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return Pair{}, storeFailure(fmt.Sprintf("the token file %s can be read by others (mode %04o)", path, info.Mode().Perm()), "run: chmod 600 "+quoted(path), nil)
	case len(bytes.TrimSpace(content)) == 0:
		return Pair{}, ErrNoPair
	}
	p, err := parsePair(content, time.Time{})
	if err != nil {
		return Pair{}, because(NoPair, storeFailure(fmt.Sprintf("the token file %s is broken", path), "", err))
	}
	return p, nil
}

// pickUp puts a complete pair in FILE.new into FILE's place, unless FILE is
// the later one. It is called with the lock held, so nobody is writing there.
// What is not a pair is the room of a renewal that was cut off; pickUp returns
// when that began.
func (t *TokenFile) pickUp() (began time.Time, err error) {
	info, err := os.Lstat(t.next())
	if err != nil || !info.Mode().IsRegular() {
		return time.Time{}, nil
	}
	p, err := t.read(t.next())
	switch {
	case errors.Is(err, ErrNoPair), errors.Is(err, errBroken), err == nil && p.AccessToken.Plain() == "":
		// The room of Prepare, or half of a pair that was never used.
		return info.ModTime(), nil
	case err != nil:
		return time.Time{}, err // it may be the only pair that is worth something
	}
	if old, err := os.Stat(t.path); err == nil && old.ModTime().After(info.ModTime()) {
		return time.Time{}, nil
	}
	if err := t.install(); err != nil {
		return time.Time{}, storeFailure("cannot put the new token pair in "+t.next()+" in its place", fmt.Sprintf("run: mv %s %s", quoted(t.next()), quoted(t.path)), err)
	}
	t.log.Warn("recovered the token pair that a killed run left", "file", t.path)
	return time.Time{}, nil
}

func (t *TokenFile) discard() error {
	if err := os.Remove(t.next()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// replace is an atomic and durable replacement of the file.
func (t *TokenFile) replace(content []byte) error {
	f, err := t.create()
	if err != nil {
		return err
	}
	if err := errors.Join(t.write(f, content), f.Close()); err != nil {
		return err
	}
	return t.install()
}

// create makes FILE.new anew, so that neither its mode nor a link in its place
// are somebody else's.
func (t *TokenFile) create() (*os.File, error) {
	const anew = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := os.OpenFile(t.next(), anew, 0o600)
	if !errors.Is(err, os.ErrExist) {
		return f, err
	}
	if err := t.discard(); err != nil {
		return nil, err
	}
	return os.OpenFile(t.next(), anew, 0o600)
}

func (t *TokenFile) install() error {
	if err := t.rename(t.next(), t.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(t.path))
}

// writeSynced makes content the whole and durable content of f.
func writeSynced(f *os.File, content []byte) error {
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return err
	}
	return f.Sync()
}

type lockedFile struct {
	*TokenFile
	unlock func()
	begun  string
}

func (t *lockedFile) Unlock() { t.unlock() }

// Patience implements LockedStore: the lock keeps all others out.
func (t *lockedFile) Patience() time.Duration { return 0 }

func (t *lockedFile) Load(context.Context) (Pair, error) {
	p, err := t.read(t.path)
	p.begun = t.begun
	return p, err
}

// Prepare implements LockedStore. It replaces the file by itself, and leaves
// room for the new pair in FILE.new: a full disk, a directory that is
// read-only, and a file that cannot be replaced because it is a mount of its
// own all show here.
func (t *lockedFile) Prepare(_ context.Context, old Pair) error {
	hint := t.dirHint()
	if old.fields != nil {
		if err := t.replace(old.encode()); err != nil {
			_ = t.discard()
			return storeFailure("cannot replace the token file, so the token is not renewed; nothing is lost", hint, err)
		}
	}
	f, err := t.create()
	if err == nil {
		err = errors.Join(t.write(f, bytes.Repeat([]byte{' '}, reserve)), f.Close())
	}
	if err != nil {
		_ = t.discard()
		return storeFailure("there is no room beside the token file for a new pair, so none is requested; nothing is lost", hint, err)
	}
	return nil
}

func (t *lockedFile) Discard() error { return t.discard() }

// Store implements LockedStore: it writes FILE.new into the room that Prepare
// reserved, syncs it, renames it, and syncs the directory. Where that fails the
// old pair is no longer valid, and p must not be lost: it goes over the old one
// in the same file, or, if that fails too, into a file that the error names.
func (t *lockedFile) Store(_ context.Context, p Pair) error {
	content := p.encode()
	f, err := openOwn(t.next(), os.O_WRONLY|os.O_CREATE)
	if err == nil {
		err = errors.Join(t.write(f, content), f.Close())
	}
	if err == nil {
		if err = t.rename(t.next(), t.path); err != nil {
			return storeFailure("the new token pair could not replace the old one, which is no longer valid; it is kept in "+t.next(),
				fmt.Sprintf("run: mv %s %s", quoted(t.next()), quoted(t.path)), err)
		}
		if err = syncDir(filepath.Dir(t.path)); err != nil {
			return storeFailure("the new token pair is in "+t.path+", but could not be synced to disk", "check the disk, then run again", err)
		}
		return nil
	}
	// Its old content has room for the new one.
	if over, openErr := openOwn(t.path, os.O_WRONLY); openErr == nil {
		if errors.Join(t.write(over, content), over.Close()) == nil {
			_ = t.discard()
			t.log.Warn("the token file was overwritten, because it could not be replaced", "file", t.path, "error", rest.Clean(err.Error()))
			return nil
		}
	}
	if path, rescueErr := rescue(p); rescueErr == nil {
		return storeFailure("the new token pair could not be stored; the old one is no longer valid, and the new one is kept in "+path,
			fmt.Sprintf("fix the disk, then run: mv %s %s", quoted(path), quoted(t.path)), err)
	}
	return because(NoPair, storeFailure("the new token pair could not be stored anywhere, and the old one is no longer valid", "fix the disk", err))
}
