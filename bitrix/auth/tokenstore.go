package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"syncsources/bitrix/rest"
)

// TokenStore keeps a token pair between runs: a TokenFile, a TokenHelper, or a
// row of a Database.
type TokenStore interface {
	// Load returns the pair that is stored. Without one the error is
	// ErrNoPair.
	Load(ctx context.Context) (Pair, error)
	// Lock keeps others from renewing at the same time, as far as the store
	// can: a file those on one host, a database all. It waits for its turn
	// until ctx ends.
	Lock(ctx context.Context) (LockedStore, error)
	// String names the store in messages.
	String() string
}

// LockedStore is a store during a renewal. Its order is Load, Prepare, the
// request to the authorization server, Store or Discard, Unlock.
type LockedStore interface {
	// Load is as that of TokenStore. What follows is about the pair that it
	// returned last.
	Load(ctx context.Context) (Pair, error)
	// Prepare stores the pair that is stored already (or the zero Pair:
	// nothing) in the way that Store is going to store its successor, and
	// reserves room for that. What would fail later should fail here, where
	// nothing is lost yet. The error is errNewer if another pair is stored
	// meanwhile.
	Prepare(ctx context.Context, old Pair) error
	// Store replaces the pair durably. Where it cannot, it keeps the new one in
	// another place if there is any, and the error says where. It stores
	// nothing over a newer pair: the error is then errNewer.
	Store(ctx context.Context, p Pair) error
	// Discard gives up what Prepare has reserved. A renewal that ends without
	// it, and without Store, leaves a note that it was cut off.
	Discard() error
	// Patience is how long another machine, which this store does not keep
	// out, may take to store the pair that it has got.
	Patience() time.Duration
	// Unlock ends it.
	Unlock()
}

// ErrNoPair is the error of a store that holds no pair.
var ErrNoPair = errors.New("there is no token pair yet")

// errNewer is the error of a store that holds another pair than the one that
// was to be replaced.
var errNewer = errors.New("another run has stored a newer token pair")

// errBroken is in the error of a store whose content is no pair.
var errBroken = errors.New("not a token pair in JSON")

// Reasons of an error that has the code rest.NoToken, or of one from the
// authorization server.
const (
	NoPair           rest.Code = "NO_PAIR"            // there is no pair that could be renewed: log in
	OtherPortal      rest.Code = "OTHER_PORTAL"       // the pair belongs to another portal
	ServerUnanswered rest.Code = "SERVER_UNANSWERED"  // the authorization server gave no answer, or one that is not one
	NewTokenRejected rest.Code = "NEW_TOKEN_REJECTED" // the portal calls tokens expired that have just been issued
	StoreDown        rest.Code = "STORE_DOWN"         // the database cannot be used
	StoreKeyWrong    rest.Code = "STORE_KEY_WRONG"    // the key does not open what the database holds
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

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Probe finds out whether a store could store a pair of the portal with this
// address, and leaves it as it is. It returns the portal of a pair that is
// stored there already and belongs to another one: StoreNew replaces that only
// if it turns out to be the same portal under an older name.
func Probe(ctx context.Context, store TokenStore, portal string) (other string, err error) {
	locked, old, err := prepared(ctx, store)
	if err != nil {
		return "", err
	}
	defer locked.Unlock()
	if err := locked.Discard(); err != nil {
		return "", err
	}
	if old.fields == nil || old.BelongsTo(portal) {
		return "", nil
	}
	if old.Member == "" {
		return "", otherPortals(store, old)
	}
	return old.portal(), nil
}

// otherPortals is the error of a store that holds another portal's pair.
func otherPortals(store TokenStore, old Pair) error {
	return because(OtherPortal, storeFailure(fmt.Sprintf("%s holds the token pair of %s, which is not replaced", store, old.portal()), "", nil))
}

// prepared locks a store and prepares it. A broken pair in it does not matter,
// for it is to be replaced; one that only another key opens is somebody's.
func prepared(ctx context.Context, store TokenStore) (locked LockedStore, old Pair, err error) {
	locked, err = store.Lock(ctx)
	if err != nil {
		return nil, Pair{}, err
	}
	for attempt := 1; ; attempt++ {
		old, err = locked.Load(ctx)
		if errors.Is(err, ErrNoPair) || errors.Is(err, errBroken) {
			old, err = Pair{}, nil
		}
		if err == nil {
			err = locked.Prepare(ctx, old)
		}
		if !errors.Is(err, errNewer) || attempt == prepareAttempts || sleep(ctx, jitter()) != nil {
			break
		}
	}
	if err != nil {
		locked.Unlock()
		return nil, Pair{}, storeError(store, err)
	}
	return locked, old, nil
}

// storeError keeps errNewer inside the package.
func storeError(store TokenStore, err error) error {
	if errors.Is(err, errNewer) {
		return storeFailure(fmt.Sprintf("other runs keep changing the token pair in %s", store), "", nil)
	}
	return err
}

// StoreNew stores the pair that get returns. The store is prepared before get
// is called, since what get spends for the pair, a code, cannot be spent
// twice. The pair must be one of the portal with this address, and replaces
// none of another portal.
func StoreNew(ctx context.Context, store TokenStore, portal string, get func(context.Context) (Pair, error)) error {
	if _, err := rest.ParseAddress(portal); err != nil {
		return err
	}
	locked, old, err := prepared(ctx, store)
	if err != nil {
		return err
	}
	defer locked.Unlock()
	p, err := get(ctx)
	if err != nil {
		return errors.Join(err, locked.Discard())
	}
	if !p.BelongsTo(portal) {
		e := because(OtherPortal, storeFailure(fmt.Sprintf("the new token pair belongs to %s, not to %s", p.portal(), rest.Clean(portal)), "", nil))
		return errors.Join(e, locked.Discard())
	}
	if old.fields != nil && !old.BelongsTo(portal) && (old.Member == "" || old.Member != p.Member) {
		return errors.Join(otherPortals(store, old), locked.Discard())
	}
	err = locked.Store(context.WithoutCancel(ctx), p)
	if errors.Is(err, errNewer) {
		return nil // somebody logged in or renewed at the same time; that pair is as good
	}
	return err
}

var plainWord = regexp.MustCompile(`^[\p{L}\p{N}_@%+=:,./-]+$`)

// quoted is a path as it appears in a command line to paste.
func quoted(path string) string {
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
