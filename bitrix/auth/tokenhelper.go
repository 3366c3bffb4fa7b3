package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"syncsources/bitrix/rest"
)

// helperTime is the time limit of one call of a helper.
const helperTime = time.Minute

// TokenHelper keeps a pair by means of a program, as git's credential helpers
// do: "PROGRAM get" prints the pair as JSON, or nothing where there is none
// yet; "PROGRAM store" reads it from standard input and ends with 0 only once
// it is stored for good. Other exit codes are failures, and what the program
// then says on standard error becomes part of the message.
type TokenHelper struct {
	program string
	lock    string
	pause   time.Duration // before a store is tried again
}

// NewTokenHelper returns the store behind a program: the path of a file, or a
// name that is looked up in PATH. It gets no arguments but get and store.
// Processes on one machine that use it for the same portal renew one after the
// other; for those on several machines the program itself has to care.
func NewTokenHelper(program, portal string) (*TokenHelper, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("the token helper cannot be run: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(path + "\x00" + portal))
	lock := filepath.Join(os.TempDir(), fmt.Sprintf("syncsources-token-%d-%x.lock", os.Getuid(), sum[:8]))
	return &TokenHelper{program: path, lock: lock, pause: time.Second}, nil
}

// String returns "the token helper PATH".
func (h *TokenHelper) String() string { return "the token helper " + h.program }

// Lock takes a lock of this machine.
func (h *TokenHelper) Lock(ctx context.Context) (unlock func(), err error) {
	unlock, err = lockFile(ctx, h.lock)
	if err != nil && ctx.Err() == nil {
		return nil, storeFailure("the token helper's lock cannot be had", "", err)
	}
	return unlock, err
}

// Load runs "PROGRAM get".
func (h *TokenHelper) Load(ctx context.Context) (Pair, error) {
	out, err := h.run(ctx, "get", nil, nil)
	if err != nil {
		if ctx.Err() != nil {
			return Pair{}, ctx.Err()
		}
		return Pair{}, storeFailure(h.String()+" failed to get the pair", "run it by hand: "+quoted(h.program)+" get", err)
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return Pair{}, ErrNoPair
	}
	p, err := parsePair(out, time.Time{})
	if err != nil {
		return Pair{}, storeFailure(h.String()+" printed something else", "\"get\" must print what \"store\" has read", err)
	}
	return p, nil
}

// Rehearse runs "PROGRAM store" with the old pair.
func (h *TokenHelper) Rehearse(ctx context.Context, old Pair) error {
	if old.fields == nil {
		return nil
	}
	if err := h.store(ctx, old); err != nil {
		return storeFailure(h.String()+" failed to store the old pair, so no new one is requested; nothing is lost", "run it by hand: "+quoted(h.program)+" store", err)
	}
	return nil
}

// Abandon does nothing: a helper keeps no room.
func (h *TokenHelper) Abandon() error { return nil }

// Store runs "PROGRAM store", up to three times. A pair that it does not take
// is kept in a file that the error names.
func (h *TokenHelper) Store(ctx context.Context, p Pair) error {
	var err error
	for attempt := 1; ; attempt++ {
		if err = h.store(ctx, p); err == nil {
			return nil
		}
		if attempt == 3 || sleep(ctx, time.Duration(attempt)*h.pause) != nil {
			break
		}
	}
	if path, rescueErr := rescue(p); rescueErr == nil {
		return storeFailure(h.String()+" failed to store the new pair; the old one is void now, and the new one is kept in "+path,
			fmt.Sprintf("run: %s store < %s && rm %s", quoted(h.program), quoted(path), quoted(path)), err)
	}
	return because(NoPair, storeFailure(h.String()+" failed to store the new pair, and the old one is no longer valid", "", err))
}

func (h *TokenHelper) store(ctx context.Context, p Pair) error {
	_, err := h.run(ctx, "store", p.encode(), rest.Scrub(p.AccessToken.Plain(), p.RefreshToken.Plain()))
	return err
}

// run calls the program. It is not in the terminal's foreground, so that an
// interrupt, which is meant for us, does not end it while it stores.
func (h *TokenHelper) run(ctx context.Context, verb string, input []byte, secrets rest.Scrubber) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.program, verb)
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdin = bytes.NewReader(input)
	stdout, stderr := capped{most: maxPair}, capped{most: 4 << 10}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	detach(cmd)
	err := cmd.Run()
	switch {
	case err == nil && stdout.over:
		return nil, errors.New("its output is too long")
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s took too long: %w", verb, ctx.Err())
	}
	if said := secrets.Text(stderr.String()); said != "" {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return nil, err
}

// capped is a buffer that keeps what fits and swallows the rest.
type capped struct {
	bytes.Buffer
	most int
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.most - c.Len(); len(p) > room {
		c.over = true
		_, _ = c.Buffer.Write(p[:room])
		return len(p), nil
	}
	return c.Buffer.Write(p)
}

// ReadFrom hides the buffer's own, which knows no limit.
func (c *capped) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// sleep waits for d, or until ctx ends.
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
