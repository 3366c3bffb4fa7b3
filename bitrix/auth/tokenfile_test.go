package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

func TestTokenFileRefusesToBeReadByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644, 0o610} {
		path := writePair(t, "")
		check(t, os.Chmod(path, mode))
		_, err := tokenFile(t, path).Load(context.Background())
		var e *rest.Error
		if !errors.As(err, &e) {
			t.Fatalf("mode %o: %v", mode, err)
		}
		follow(t, e)
		if _, err := tokenFile(t, path).Load(context.Background()); err != nil {
			t.Errorf("mode %o: %v after %q", mode, err, e.Hint)
		}
	}
}

func TestTokenFileThatIsNoPair(t *testing.T) {
	for name, content := range map[string]string{"broken": "canary", "empty pair": "{}", "too long": strings.Repeat("x", maxPair+1)} {
		path := filepath.Join(t.TempDir(), "token.json")
		check(t, os.WriteFile(path, []byte(content), 0o600))
		if _, err := tokenFile(t, path).Load(context.Background()); !errors.Is(err, rest.NoToken) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, path := range map[string]string{"absent": filepath.Join(t.TempDir(), "none"), "empty": emptyFile(t)} {
		if _, err := tokenFile(t, path).Load(context.Background()); !errors.Is(err, ErrNoPair) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tokenFile(t, t.TempDir()).Load(context.Background()); !errors.Is(err, rest.NoToken) {
		t.Errorf("a directory: %v", err)
	}
}

func emptyFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "empty")
	check(t, os.WriteFile(path, nil, 0o600))
	return path
}

func TestTokenFileBehindALinkStaysBehindIt(t *testing.T) {
	path := writePair(t, "")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	_, server := sandboxServer(t, "")
	must(tokenSource(t, server, tokenFile(t, link), "").Renew(context.Background(), &oauth2.Token{AccessToken: sandbox.AccessToken}))(t)
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link is gone: %v", err)
	}
	if p, err := tokenFile(t, path).Load(context.Background()); err != nil || p.AccessToken.Plain() == sandbox.AccessToken {
		t.Errorf("the file behind it was not replaced: %v", err)
	}
}

// Two processes meet an expired token at the same moment.
func TestProcessesRenewOnce(t *testing.T) {
	if address := os.Getenv("RENEW_AT"); address != "" {
		renewAsProcess(address)
		return
	}
	const processes = 4
	p, _ := sandboxServer(t, "latency: 50ms\nlimits: {unlimited: true}")
	socket := httptest.NewServer(p)
	defer socket.Close()
	srv := socket.URL
	p.ExpireTokens()
	path := writePair(t, "")
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesRenewOnce$")
			cmd.Env = append(os.Environ(), "RENEW_AT="+srv, "RENEW_FILE="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	if s := p.Stats(); s.Renewals != 1 || s.Expired < 1 {
		t.Errorf("%d renewals, %d refusals of the old token", s.Renewals, s.Expired)
	}
}

func renewAsProcess(address string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	server, err := NewAuthServer(AuthConfig{URL: address, ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret)})
	fail(err)
	file, err := NewTokenFile(os.Getenv("RENEW_FILE"), nil)
	fail(err)
	source, err := NewTokenSource(TokenConfig{Server: server, Store: file, Portal: address})
	fail(err)
	creds, err := bitrix.Application(address, source, secret.New("k"))
	fail(err)
	c := bitrix.NewReader(bitrix.Config{Credentials: creds})
	for range 5 {
		err := read(c)
		fail(err)
	}
	os.Exit(0)
}
