package auth

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/errgroup"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// shared says where the pairs of a test are kept, for the test itself and for
// its workers, each of which stands for a machine.
type shared struct {
	Server string // the authorization server
	File   string // a token file; one portal only
	Vault  string // what the helper keeps; one portal only
	Locks  string // of the machine
	// Impatient machines wait less than usual for a faster one, of which there
	// may be none.
	Impatient bool
	URL       string // of the database
	Key       string
	OldKey    string
	DieAt     string // a point of a Database's renewal at which the worker kills itself
}

// key is a key of 32 bytes.
const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// open returns the store of a portal. The caller closes it.
func (c shared) open(portal string) (TokenStore, func(), error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	switch {
	case c.File != "":
		store, err := NewTokenFile(c.File, logger)
		return store, func() {}, err
	case c.Vault != "":
		store, err := NewTokenHelper(HelperConfig{Program: os.Args[0], Portal: "https://" + portal, Locks: []string{c.Locks}, Logger: logger})
		if err != nil {
			return nil, nil, err
		}
		if c.Impatient {
			store.patience = 3 * time.Second
		}
		return store, func() {}, nil
	}
	d, err := OpenDatabase(DatabaseConfig{URL: secret.New(c.URL), Key: secret.New(c.Key), OldKey: secret.New(c.OldKey), Logger: logger})
	if err != nil {
		return nil, nil, err
	}
	if c.DieAt != "" {
		d.hook = func(point string) {
			if point == c.DieAt {
				kill(os.Getpid())
				select {} // it takes a moment
			}
		}
	}
	return d.Tokens("https://"+portal, "local.1"), d.Close, nil
}

// renew is what a run does that is told that its token has expired.
func (c shared) renew(ctx context.Context, store TokenStore, portal, rejected string) (string, error) {
	server, err := NewAuthServer(AuthConfig{URL: c.Server, ClientID: "local.1", ClientSecret: secret.New("s"), UserAgent: fmt.Sprintf("process-%d", os.Getpid())})
	if err != nil {
		return "", err
	}
	source, err := NewTokenSource(TokenConfig{Server: server, Store: store, Portal: "https://" + portal})
	if err != nil {
		return "", err
	}
	if _, err := source.Stored(ctx); err != nil {
		return "", err
	}
	token, err := source.Renew(ctx, &oauth2.Token{AccessToken: rejected})
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// order is a line that a worker gets: the portals to renew, and the tokens
// that have expired.
type order struct{ Portals, Rejected []string }

// outcome is a line that it answers: the tokens it got.
type outcome struct{ Tokens, Errors []string }

// workerMain is the test binary as a machine.
func workerMain(config string) int {
	var c shared
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		panic(err)
	}
	ctx := context.Background()
	var database *Database
	if c.URL != "" {
		store, closeStore, err := c.open("x.example")
		if err != nil {
			panic(err)
		}
		defer closeStore()
		database = store.(*databasePair).d
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return 0
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			panic(err)
		}
		out := outcome{Tokens: make([]string, len(o.Portals)), Errors: make([]string, len(o.Portals))}
		var group errgroup.Group
		group.SetLimit(64)
		for i, portal := range o.Portals {
			group.Go(func() error {
				var store TokenStore
				closeStore := func() {}
				if database != nil {
					store = database.Tokens("https://"+portal, "local.1")
				} else if store, closeStore, err = c.open(portal); err != nil {
					panic(err)
				}
				defer closeStore()
				token, err := c.renew(ctx, store, portal, o.Rejected[i])
				out.Tokens[i] = token
				if err != nil {
					var e *rest.Error
					errors.As(err, &e)
					out.Errors[i] = err.Error() + " " + e.Hint
				}
				return nil
			})
		}
		_ = group.Wait()
		if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
			return 1
		}
	}
}

// worker is a machine in a process of its own.
type worker struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	gone *os.File // ends when the process and all that it has started are gone
}

func startWorker(t *testing.T, c shared) *worker {
	t.Helper()
	config := must(json.Marshal(c))(t)
	w := &worker{cmd: exec.Command(os.Args[0])}
	w.cmd.Env = append(os.Environ(), "AUTH_WORKER="+string(config), "HELPER_VAULT="+c.Vault)
	w.cmd.Stderr = os.Stderr
	w.in = must(w.cmd.StdinPipe())(t)
	w.out = bufio.NewReader(must(w.cmd.StdoutPipe())(t))
	gone, alive, err := os.Pipe()
	check(t, err)
	w.gone = gone
	w.cmd.ExtraFiles = []*os.File{alive}
	check(t, errors.Join(w.cmd.Start(), alive.Close()))
	t.Cleanup(w.stop)
	return w
}

func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	_, _ = io.Copy(io.Discard, w.gone)
	_ = w.gone.Close()
}

// do gives an order; ok is false if the process died over it.
func (w *worker) do(o order) (out outcome, ok bool) {
	line, _ := json.Marshal(o)
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return out, false
	}
	answer, err := w.out.ReadBytes('\n')
	if err != nil || json.Unmarshal(answer, &out) != nil {
		return outcome{}, false
	}
	return out, true
}

// all gives an order to all workers at once. died is how many did not survive
// it; these are started again.
func all(t *testing.T, workers []*worker, configs []shared, o order) (outcomes []outcome, died int) {
	t.Helper()
	outcomes = make([]outcome, len(workers))
	alive := make([]bool, len(workers))
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() { outcomes[i], alive[i] = w.do(o) })
	}
	wg.Wait()
	for i := range workers {
		if !alive[i] {
			died++
			workers[i].stop()
			workers[i] = startWorker(t, configs[i])
		}
	}
	return outcomes, died
}

// vaultMain is the test binary as a helper with versions, on a store that all
// machines share.
func vaultMain(file, verb string) int {
	unlock, err := lockFile(context.Background(), file+".lock")
	if err != nil {
		panic(err)
	}
	defer unlock()
	stored := map[string]any{}
	if content, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(content, &stored); err != nil {
			panic(err)
		}
	}
	if verb == "get" {
		if len(stored) > 0 {
			_ = json.NewEncoder(os.Stdout).Encode(stored)
		}
		return 0
	}
	next := map[string]any{}
	if err := json.NewDecoder(os.Stdin).Decode(&next); err != nil {
		return 1
	}
	if fmt.Sprint(next["replaces"]) != fmt.Sprint(stored["version"]) {
		return exitNewer
	}
	version, _ := stored["version"].(float64)
	delete(next, "replaces")
	next["version"] = version + 1
	content, _ := json.Marshal(next)
	if os.WriteFile(file+".next", content, 0o600) != nil || os.Rename(file+".next", file) != nil {
		return 1
	}
	return 0
}

// explained reports whether an error names what is lost.
func explained(text string) bool {
	return strings.Contains(text, "was cut off") || strings.Contains(text, "invalid_grant")
}
