package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// TokenHelper keeps a pair by means of a program, as git's credential helpers
// do.
//
// "PROGRAM get" prints the pair as JSON, or nothing where there is none yet. A
// helper for several machines adds a "version", a text or a number that is
// another one after each store.
//
// "PROGRAM store" reads the pair from standard input and ends with 0 only once
// it is stored for good. Beside the pair is what it "replaces": the
// version that get printed, or null if it printed no pair. If another version
// is stored by now, the program stores nothing and ends with 75. A helper
// without versions is not told what is replaced, and is for one machine.
//
// Other exit codes are failures, and what the program then says on standard
// error becomes part of the message.
type TokenHelper struct {
	program  string
	args     []string // in front of get and store
	portal   string
	locks    []string
	name     string
	log      *slog.Logger
	pause    time.Duration // before a store is tried again
	patience time.Duration // see helperPatience
}

// exitNewer is the exit code of a helper that has a newer pair: EX_TEMPFAIL of
// sysexits.h.
const exitNewer = 75

// helperPatience is how long a machine that was faster may take to store what
// it got.
const helperPatience = 20 * time.Second

// prepareAttempts is how often a pair that others keep storing is stored.
const prepareAttempts = 20

// HelperConfig configures a TokenHelper.
type HelperConfig struct {
	Program string       // path of a file, or a name that is looked up in PATH; arguments may follow it, there is no shell
	Portal  string       // whose pair it keeps
	Locks   []string     // directories for the lock, see NewFileLocks
	Logger  *slog.Logger // nil logs nothing
}

// NewTokenHelper returns the store behind a program, which gets the verb as its
// last argument, and the portal in B24_PORTAL_URL. Processes of one user on one machine that use it for the
// same portal renew one after the other; those on several machines find out by
// the versions that another one was faster.
func NewTokenHelper(conf HelperConfig) (*TokenHelper, error) {
	path, err := exec.LookPath(conf.Program)
	var args []string
	if words := strings.Fields(conf.Program); err != nil && len(words) > 1 {
		path, err = exec.LookPath(words[0])
		args = words[1:]
	}
	if err != nil {
		return nil, fmt.Errorf("cannot run the token helper: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	conf.Logger = cmp.Or(conf.Logger, slog.New(slog.DiscardHandler))
	sum := sha256.Sum256([]byte(strings.Join(append([]string{path, endpointHost(conf.Portal)}, args...), "\x00")))
	return &TokenHelper{program: path, args: args, portal: conf.Portal, locks: conf.Locks, name: fmt.Sprintf("token-%x.lock", sum[:8]), log: conf.Logger, pause: time.Second, patience: helperPatience}, nil
}

// String returns "the token helper PATH".
func (h *TokenHelper) String() string { return "the token helper " + h.program }

// command is the program with its arguments as it appears in a command line to
// paste.
func (h *TokenHelper) command() string {
	words := []string{quoted(h.program)}
	for _, arg := range h.args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

// Lock implements TokenStore: it takes a lock of this machine.
func (h *TokenHelper) Lock(ctx context.Context) (LockedStore, error) {
	dir, err := firstOwnDirectory(h.locks)
	if err != nil {
		return nil, storeFailure("cannot acquire the token helper's lock", "", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, h.name))
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, storeFailure("cannot acquire the token helper's lock", "", err)
	}
	return &lockedHelper{TokenHelper: h, unlock: unlock}, nil
}

// Load implements TokenStore: it runs "PROGRAM get".
func (h *TokenHelper) Load(ctx context.Context) (Pair, error) {
	p, err := h.get(ctx)
	if err == nil && p.fields == nil {
		err = ErrNoPair
	}
	return p, err
}

// get returns what is stored: without a pair a Pair without fields, which has
// a version if the helper counts from nothing.
func (h *TokenHelper) get(ctx context.Context) (Pair, error) {
	out, err := h.run(ctx, "get", nil)
	if err != nil {
		if ctx.Err() != nil {
			return Pair{}, ctx.Err()
		}
		return Pair{}, storeFailure(h.String()+" failed to get the pair", "run it by hand: "+h.command()+" get", err)
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return Pair{}, nil
	}
	p, err := parsePair(out, time.Time{})
	if err != nil && p.version != nil {
		return Pair{version: p.version}, nil
	}
	if err != nil {
		return Pair{}, storeFailure(h.String()+" did not print a token pair", "\"get\" must print what \"store\" has read", err)
	}
	return p, nil
}

type lockedHelper struct {
	*TokenHelper
	unlock func()
	old    Pair // what get printed last
	warned bool
}

func (h *lockedHelper) Unlock()                 { h.unlock() }
func (h *lockedHelper) Patience() time.Duration { return h.patience }

// Discard implements LockedStore: a helper keeps no room.
func (h *lockedHelper) Discard() error { return nil }

func (h *lockedHelper) Load(ctx context.Context) (Pair, error) {
	p, err := h.get(ctx)
	if err != nil {
		return Pair{}, err
	}
	h.old = p
	if p.fields == nil {
		return p, ErrNoPair
	}
	return p, nil
}

// Prepare implements LockedStore. It runs "PROGRAM store" with the old pair,
// and then get, for the version that this made.
func (h *lockedHelper) Prepare(ctx context.Context, old Pair) error {
	if old.fields == nil {
		return nil
	}
	if err := h.store(ctx, old, h.old); err != nil {
		if errors.Is(err, errNewer) {
			return err
		}
		return storeFailure(h.String()+" failed to store the old pair, so no new one is requested; nothing is lost", "run it by hand: "+h.command()+" store", err)
	}
	now, err := h.get(ctx)
	if err != nil {
		return err
	}
	if !now.same(old) {
		return errNewer
	}
	if h.old = now; now.version == nil && !h.warned {
		h.warned = true
		h.log.Warn("the token helper prints no \"version\", so it is for one machine: two would invalidate each other's tokens", "helper", h.program)
	}
	return nil
}

// Store implements LockedStore: it runs "PROGRAM store", again where it fails.
// A pair that it does not take is kept in a file that the error names.
func (h *lockedHelper) Store(ctx context.Context, p Pair) error {
	var err error
	failed := 0
	for range prepareAttempts {
		if err = h.store(ctx, p, h.old); err == nil {
			return nil
		}
		if errors.Is(err, errNewer) {
			// Stored by an attempt of ours whose end was lost, newer than
			// ours, or the old pair with which another machine has just tried
			// whether it can be stored.
			now, getErr := h.get(ctx)
			switch {
			case getErr != nil:
				err = getErr
			case now.same(p):
				return nil
			case !now.same(h.old):
				return errNewer
			default:
				h.old = now
				if sleep(ctx, jitter()) == nil {
					continue
				}
			}
		}
		if failed++; failed == 3 || sleep(ctx, time.Duration(failed)*h.pause) != nil {
			break
		}
	}
	if path, rescueErr := rescue(p); rescueErr == nil {
		return storeFailure(h.String()+" failed to store the new pair; the old one is no longer valid, and the new one is kept in "+path,
			fmt.Sprintf("run: %s store < %s && rm %s", h.command(), quoted(path), quoted(path)), err)
	}
	return because(NoPair, storeFailure(h.String()+" failed to store the new pair, and the old one is no longer valid", "", err))
}

// store runs "PROGRAM store" with a pair that replaces another one.
func (h *TokenHelper) store(ctx context.Context, p, replaces Pair) error {
	fields := maps.Clone(p.fields)
	if replaces.version != nil || replaces.fields == nil {
		fields[keyReplaces] = replaces.version
	}
	_, err := h.run(ctx, "store", encodeFields(fields), p.AccessToken.Plain(), p.RefreshToken.Plain())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitNewer {
		return errNewer
	}
	return err
}

// jitter is a pause after which machines that got into each other's way do not
// meet again.
func jitter() time.Duration { return time.Duration(50+rand.IntN(450)) * time.Millisecond }
