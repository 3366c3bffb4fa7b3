package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// FileLocks are the locks of the applies that one user runs on one host: files
// in a directory that nobody else can write to.
type FileLocks struct{ dirs []string }

// NewFileLocks returns the locks in the first of the directories that can be
// made, is ours alone, and can be written to. It looks for it when the first
// lock is taken.
func NewFileLocks(dirs ...string) *FileLocks { return &FileLocks{dirs} }

const maxNote = 1 << 10

// note is the content of the file beside a lock. The lock's own file stays
// empty, for on Windows nobody else could read it.
type note struct {
	Holder
	LastAdd time.Time `json:"last_add,omitzero"`
}

// Acquire implements Locks.
func (l *FileLocks) Acquire(ctx context.Context, portal string, wait time.Duration) (Lock, Left, error) {
	dir, err := firstOwnDirectory(l.dirs)
	if err != nil {
		return nil, Left{}, err
	}
	key := lockKey(portal)
	path := filepath.Join(dir, fmt.Sprintf("apply-%x", key[:8]))
	lock, err := openLock(path + ".lock")
	if err != nil {
		return nil, Left{}, err
	}
	got, err := waitForLock(ctx, wait, lock.TryLock)
	if err != nil && ctx.Err() == nil {
		return nil, Left{}, err
	}
	if !got {
		_ = lock.Close()
		n, _ := readNote(path + ".note")
		return nil, Left{}, &HeldError{Portal: portal, Holder: n.Holder}
	}
	held := &fileLock{lock: lock, path: path + ".note", lost: make(chan struct{})}
	left, err := readNote(held.path)
	if err == nil {
		held.note = note{newHolder(), left.LastAdd}
		err = held.write()
	}
	if err != nil {
		_ = lock.Unlock()
		return nil, Left{}, fmt.Errorf("cannot note who holds the lock: %w", err)
	}
	if left.LastAdd.IsZero() {
		return held, Left{}, nil
	}
	return held, Left{LastAdd: left.LastAdd, Holder: left.Holder}, nil
}

// readNote reads a note. One that cannot be understood was cut off while it
// was written, so that an add may follow the time of its file.
func readNote(path string) (note, error) {
	f, err := openOwn(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return note{}, nil
	}
	if err != nil {
		return note{}, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxNote))
	if err != nil {
		return note{}, err
	}
	content = bytes.TrimRight(content, "\x00")
	var n note
	switch {
	case len(content) == 0:
	case json.Unmarshal(content, &n) != nil:
		info, err := f.Stat()
		if err != nil {
			return note{}, err
		}
		n = note{LastAdd: info.ModTime().Add(noteStep)}
	}
	return n, nil
}

type fileLock struct {
	lock *flock.Flock
	path string
	lost chan struct{} // never closed: a lock on a file ends with its process

	mu   sync.Mutex
	note note
}

func (l *fileLock) NoteAdd(_ context.Context, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !at.After(l.note.LastAdd) {
		return nil
	}
	before := l.note.LastAdd
	l.note.LastAdd = at.Add(noteStep)
	if err := l.write(); err != nil {
		l.note.LastAdd = before
		return fmt.Errorf("cannot note that something is created: %w", err)
	}
	return nil
}

// write makes the note durable.
func (l *fileLock) write() error {
	content, err := json.Marshal(l.note)
	if err != nil {
		return err
	}
	f, err := openOwn(l.path, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return err
	}
	created := false
	if info, err := f.Stat(); err == nil {
		created = info.Size() == 0
	}
	err = errors.Join(writeSynced(f, content), f.Close())
	if err == nil && created {
		err = syncDir(filepath.Dir(l.path))
	}
	return err
}

func (l *fileLock) Lost() <-chan struct{} { return l.lost }

func (l *fileLock) Release() {
	_ = os.Remove(l.path)
	_ = l.lock.Unlock()
}

func (l *fileLock) ReleaseUnsettled() { _ = l.lock.Unlock() }
