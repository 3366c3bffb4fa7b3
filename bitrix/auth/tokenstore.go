package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"syncsources/bitrix/rest"
)

// TokenStore keeps a token pair between runs: a TokenFile or a TokenHelper.
// The order of a renewal is Lock, Load, Rehearse, the request to the
// authorization server, Store, unlock.
type TokenStore interface {
	// Lock keeps other processes from renewing at the same time, until unlock
	// is called. It waits for its turn until ctx ends.
	Lock(ctx context.Context) (unlock func(), err error)
	// Load returns the pair that is stored. Without one the error is
	// ErrNoPair.
	Load(ctx context.Context) (Pair, error)
	// Rehearse stores the pair that is stored already (or the zero Pair:
	// nothing) in the way that Store is going to store its successor, and
	// reserves room for that. What would fail later should fail here, where
	// nothing is lost yet.
	Rehearse(ctx context.Context, old Pair) error
	// Abandon gives up the room of a rehearsal that no Store follows.
	Abandon() error
	// Store replaces the stored pair durably. Where it cannot, it keeps the
	// pair in another place if there is any, and the error says where.
	Store(ctx context.Context, p Pair) error
	// String names the store in messages.
	String() string
}

// ErrNoPair is the error of a store that holds no pair.
var ErrNoPair = errors.New("there is no token pair yet")

// errBroken is in the error of a store whose content is no pair.
var errBroken = errors.New("not a token pair in JSON")

// Reasons of an error that has the code rest.NoToken, or of one from the
// authorization server.
const (
	NoPair           rest.Code = "NO_PAIR"           // there is no pair that could be renewed: log in
	OtherPortal      rest.Code = "OTHER_PORTAL"      // the pair is one of another portal
	ServerUnanswered rest.Code = "SERVER_UNANSWERED" // the authorization server gave no answer, or one that is not one
)

// because gives an error its reason.
func because(reason rest.Code, e *rest.Error) *rest.Error {
	e.Reason = reason
	return e
}

// storeFailure makes the error of a store that fails: the run stops, for each
// of its calls needs the token.
func storeFailure(message, hint string, err error) *rest.Error {
	e := &rest.Error{Code: rest.NoToken, Message: message, Hint: hint, NotSent: true, Err: err}
	if err != nil {
		e.Message += ": " + rest.Clean(err.Error())
	}
	return e
}

// lockPatience is how long a process waits for another one's renewal, which
// takes a second as a rule and is bounded by renewalTime.
const lockPatience = renewalTime + 30*time.Second

// lockFile takes an advisory lock on a file that is made for it and stays: to
// delete it would let two processes hold two locks of the same name. The lock
// ends with the process that holds it, however that ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	lock := newLock(path)
	got, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	// Only now does the time count: a lock that is free is held by nobody.
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if !got {
		_, err = lock.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s is held by another run for too long: %w", path, context.Cause(ctx))
		}
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil
}

func newLock(path string) *flock.Flock { return flock.New(path, flock.SetPermissions(0o600)) }

// rescue keeps a pair that its store did not take in a new file of its own in
// the directory for temporary files, and returns its path.
func rescue(p Pair) (path string, err error) {
	f, err := os.CreateTemp("", "syncsources-token-*.json") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(p.encode())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// syncDir makes the names in a directory durable, where the system knows such
// a thing: Windows and some network file systems do not, and a directory that
// may be written but not read cannot be opened for it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// absolute resolves the links in the path of a file that need not exist, so
// that the file a link leads to is replaced and not the link.
func absolute(path string) (string, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return filepath.Abs(path)
}

// Probe finds out whether a store could store a pair, and leaves it as it is.
func Probe(ctx context.Context, store TokenStore) error {
	unlock, err := rehearsed(ctx, store)
	if err != nil {
		return err
	}
	defer unlock()
	return store.Abandon()
}

// rehearsed locks a store and rehearses it. A broken pair in it does not
// matter, for it is to be replaced.
func rehearsed(ctx context.Context, store TokenStore) (unlock func(), err error) {
	unlock, err = store.Lock(ctx)
	if err != nil {
		return nil, err
	}
	old, err := store.Load(ctx)
	if errors.Is(err, ErrNoPair) || errors.Is(err, errBroken) {
		err = nil
	}
	if err == nil {
		err = store.Rehearse(ctx, old)
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// Obtain stores the pair that get returns. The store is rehearsed before get
// is called, since what get spends for the pair, a code, cannot be spent
// twice. The pair has to be one of the portal with this address.
func Obtain(ctx context.Context, store TokenStore, portal string, get func(context.Context) (Pair, error)) error {
	at, err := rest.ParseAddress(portal)
	if err != nil {
		return err
	}
	unlock, err := rehearsed(ctx, store)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := get(ctx)
	if err != nil {
		return errors.Join(err, store.Abandon())
	}
	if err := p.belongsTo(at); err != nil {
		return errors.Join(because(OtherPortal, storeFailure("the new token pair is one of another portal", "", err)), store.Abandon())
	}
	return store.Store(context.WithoutCancel(ctx), p)
}
