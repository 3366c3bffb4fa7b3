package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

// sandboxServer returns a portal of the sandbox and its authorization server.
func sandboxServer(t testing.TB, state string) (*sandbox.Portal, *AuthServer) {
	t.Helper()
	st := must(sandbox.ReadState(strings.NewReader("sources: [{id: 4, title: Old name, connectorId: 1}]\nconnectors: [{id: 1, title: SQL}]\n" + state)))(t)
	p := must(sandbox.New(st))(t)
	return p, sandboxAuth(t, p.RoundTripper())
}

// sandboxAuth is the authorization server of a portal of the sandbox.
func sandboxAuth(t testing.TB, portal http.RoundTripper) *AuthServer {
	t.Helper()
	return must(NewAuthServer(AuthConfig{URL: "https://portal.example", ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret), Transport: portal}))(t)
}

// writePair puts the sandbox's first pair into a new token file.
func writePair(t testing.TB, further string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token.json")
	content := `{"access_token":"` + sandbox.AccessToken + `","refresh_token":"` + sandbox.RefreshToken + `"` + further + `}`
	check(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func tokenSource(t testing.TB, server *AuthServer, store TokenStore, seed string) *TokenSource {
	t.Helper()
	s := must(NewTokenSource(TokenConfig{Server: server, Store: store, Portal: "https://portal.example", Seed: secret.New(seed)}))(t)
	return s
}

func tokenFile(t testing.TB, path string) *TokenFile {
	t.Helper()
	f := must(NewTokenFile(path, nil))(t)
	return f
}

func appClient(t testing.TB, p *sandbox.Portal, s *TokenSource) *bitrix.Client {
	t.Helper()
	creds := must(bitrix.Application("https://portal.example", s, secret.New(sandbox.ClientSecret)))(t)
	return bitrix.New(bitrix.Config{Credentials: creds, Transport: p.RoundTripper()})
}

// Eight workers call all the time; twice the access token expires under them.
func TestWorkersRenewOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := sandboxServer(t, "latency: 100ms\nlimits: {unlimited: true}\n")
		path := writePair(t, "")
		source := tokenSource(t, server, tokenFile(t, path), "")
		c := appClient(t, p, source)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 30 {
					if err := read(c); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		time.Sleep(time.Second)
		p.ExpireTokens()
		time.Sleep(time.Second)
		if n := p.Stats().Renewals; n != 1 {
			t.Errorf("%d renewals after the first expiry", n)
		}
		p.ExpireTokens()
		wg.Wait()
		if n := p.Stats().Renewals; n != 2 {
			t.Errorf("%d renewals for two expiries", n)
		}
		stored, err := tokenFile(t, path).Load(context.Background())
		token, _ := source.Token()
		if err != nil || stored.AccessToken.Plain() != token.AccessToken {
			t.Errorf("the file does not hold the token in use: %v", err)
		}
	})
}

func TestKnownExpiryIsRenewedBeforehand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := sandboxServer(t, "")
		source := tokenSource(t, server, tokenFile(t, writePair(t, "")), "")
		c := appClient(t, p, source)
		call := func() {
			t.Helper()
			check(t, read(c))
		}
		call() // the first pair has no known expiry
		p.ExpireTokens()
		call()
		for range 57 {
			time.Sleep(time.Minute)
			call()
		}
		if s := p.Stats(); s.Renewals != 1 || s.Expired != 1 {
			t.Errorf("renewed without need: %+v", s)
		}
		for range 10 {
			time.Sleep(time.Minute)
			call()
		}
		if s := p.Stats(); s.Renewals != 2 || s.Expired != 1 {
			t.Errorf("an expiry that was known was run into: %+v", s)
		}
	})
}

func TestFreshTokenNeedsNeitherServerNorLock(t *testing.T) {
	path := writePair(t, "")
	s := authServer(t, roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("asked for a token")
		return nil, errors.New("no")
	}))
	if token, err := tokenSource(t, s, tokenFile(t, path), "").Token(); err != nil || token.AccessToken != sandbox.AccessToken {
		t.Errorf("%v, %v", token, err)
	}
	if names := dir(t, path); names != "token.json" {
		t.Errorf("the directory holds %s", names)
	}
}

// dir lists the directory that path is in.
func dir(t testing.TB, path string) string {
	t.Helper()
	entries := must(os.ReadDir(filepath.Dir(path)))(t)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestSeed(t *testing.T) {
	p, server := sandboxServer(t, "")
	path := filepath.Join(t.TempDir(), "token.json")

	// A seed that is refused leaves nothing behind that would outlive it.
	_, err := tokenSource(t, server, tokenFile(t, path), "spent").Token()
	if !errors.Is(err, rest.Code("invalid_grant")) {
		t.Fatalf("%v", err)
	}
	source := tokenSource(t, server, tokenFile(t, path), sandbox.RefreshToken)
	token, err := source.Token()
	if err != nil || token.AccessToken == "" || p.Stats().Renewals != 1 {
		t.Fatalf("%v, %d renewals", err, p.Stats().Renewals)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// From now on the file counts, not the seed.
	if _, err := tokenSource(t, server, tokenFile(t, path), sandbox.RefreshToken).Token(); err != nil || p.Stats().Renewals != 1 {
		t.Errorf("%v, %d renewals", err, p.Stats().Renewals)
	}
	if names := dir(t, path); names != "token.json token.json.lock" {
		t.Errorf("the directory holds %s", names)
	}
}

func TestAnotherProcessRenewed(t *testing.T) {
	p, server := sandboxServer(t, "")
	path := writePair(t, "")
	one, two := tokenSource(t, server, tokenFile(t, path), ""), tokenSource(t, server, tokenFile(t, path), "")
	old := must(one.Token())(t)
	must(two.Token())(t)
	a := must(one.Renew(context.Background(), old))(t)
	b, err := two.Renew(context.Background(), old)
	if err != nil || a.AccessToken != b.AccessToken || p.Stats().Renewals != 1 {
		t.Errorf("%v, %d renewals", err, p.Stats().Renewals)
	}
}

func TestRenewalFailsOnceForAll(t *testing.T) {
	for name, tt := range map[string]struct {
		state  string
		pair   string
		code   rest.Code
		reason rest.Code
	}{
		"refused":              {"faults: [{kind: error, method: oauth/token, nth: [1], status: 402, code: PAYMENT_REQUIRED}]", "", "PAYMENT_REQUIRED", ""},
		"spent":                {"", `,"refresh_token":"spent"`, "invalid_grant", ""},
		"no refresh token":     {"", `,"refresh_token":""`, rest.NoToken, NoPair},
		"pair of other portal": {"", `,"client_endpoint":"https://other.example/rest/"`, rest.NoToken, OtherPortal},
		"answer for another":   {"address: https://other.example", "", rest.NoToken, OtherPortal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := sandboxServer(t, tt.state)
				p.ExpireTokens()
				source := tokenSource(t, server, tokenFile(t, writePair(t, tt.pair)), "")
				c := appClient(t, p, source)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						err := read(c)
						var e *rest.Error
						if !errors.As(err, &e) || e.Code != tt.code || e.Reaction() != rest.Fatal || e.Reason != tt.reason {
							t.Errorf("%v (%+v)", err, e)
						}
					})
				}
				wg.Wait()
				if n := p.Stats().Tokens; n > 1 {
					t.Errorf("the authorization server was asked %d times", n)
				}
			})
		})
	}
}

func TestAuthorizationServerThatStumbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []*scripted{{status: 502, body: "<html>"}, {status: 503}, {status: 200, body: pairJSON(1)}}
		n := 0
		s := authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			n++
			return answers[min(n, len(answers))-1].RoundTrip(req)
		}))
		start := time.Now()
		source := tokenSource(t, s, tokenFile(t, filepath.Join(t.TempDir(), "t")), "seed")
		token, err := source.Token()
		if err != nil || token.AccessToken != "access-1" || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := authServer(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }))
		path := writePair(t, `,"expires":1`)
		before, _ := os.ReadFile(path)
		start := time.Now()
		source := tokenSource(t, s, tokenFile(t, path), "")
		_, err := source.Renew(context.Background(), seedPair(secret.New("x")).Token())
		if err != nil {
			t.Errorf("the file's token was not tried: %v", err)
		}
		token, _ := source.Token()
		_, err = source.Renew(context.Background(), token)
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != rest.Network || e.Reaction() != rest.Fatal || time.Since(start) != retryTime {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		after, _ := tokenFile(t, path).Load(context.Background())
		if after.RefreshToken.Plain() != sandbox.RefreshToken {
			t.Errorf("the old pair is gone: %s, before %s", after.encode(), before)
		}
	})
}

// A signal ends the attempts to reach the authorization server between two of
// them.
func TestInterruptBetweenAttemptsOfARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := authServer(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }))
		source := tokenSource(t, s, tokenFile(t, writePair(t, `,"expires":1`)), "")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		token := must(source.Token())(t)
		start := time.Now()
		if _, err := source.Renew(ctx, token); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestLostAnswerOfARenewalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := sandboxServer(t, "faults: [{kind: dropped, ran: true, method: oauth/token, nth: [1]}]")
		p.ExpireTokens()
		_, err := tokenSource(t, server, tokenFile(t, writePair(t, `,"expires":900000000`)), "").Token()
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != "invalid_grant" || !strings.Contains(e.Message, "answer to an earlier attempt was lost") {
			t.Errorf("%v (%+v)", err, e)
		}
	})
}

// A renewal in progress is finished and stored even where the run ends.
func TestInterruptDoesNotCutARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := sandboxServer(t, "latency: 2s")
		p.ExpireTokens()
		path := writePair(t, `,"expires":900000000`)
		source := tokenSource(t, server, tokenFile(t, path), "")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		token, err := source.TokenContext(ctx)
		stored, loadErr := tokenFile(t, path).Load(context.Background())
		if err != nil || loadErr != nil || p.Stats().Renewals != 1 || stored.AccessToken.Plain() != token.AccessToken {
			t.Errorf("%v, %v, %d renewals", err, loadErr, p.Stats().Renewals)
		}
		// Who waits for it need not.
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
		_ = source.turn.Acquire(context.Background(), 1)
		_, err = source.TokenContext(ctx)
		var e *rest.Error
		if !errors.As(err, &e) || e.Reaction() != rest.NotDelivered {
			t.Errorf("%v", err)
		}
	})
}

func TestLogsHoldNoTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := sandboxServer(t, "faults: [{kind: internal_error, method: oauth/token, nth: [1]}]")
		p.ExpireTokens()
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		file := must(NewTokenFile(writePair(t, ""), logger))(t)
		source := must(NewTokenSource(TokenConfig{Server: server, Store: file, Portal: "https://portal.example", Logger: logger}))(t)
		creds, _ := bitrix.Application("https://portal.example", source, secret.New(sandbox.ClientSecret))
		c := bitrix.New(bitrix.Config{Credentials: creds, Transport: p.RoundTripper(), Logger: logger})
		check(t, read(c))
		out := log.String()
		if !strings.Contains(out, "renewed the access token") {
			t.Error(out)
		}
		for _, secret := range []string{"sandbox-access-token", "sandbox-refresh-token", sandbox.ClientSecret} {
			if strings.Contains(out, secret) {
				t.Errorf("%s is in the log:\n%s", secret, out)
			}
		}
	})
}
