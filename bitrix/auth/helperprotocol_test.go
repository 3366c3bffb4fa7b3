package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/sandbox"
)

// fakeHelper puts a shell script into the place of a helper. $VAULT is a file
// of its own.
func fakeHelper(t *testing.T, script string) (h *TokenHelper, vault string, log *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "helper")
	check(t, os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o700))
	vault = filepath.Join(dir, "vault")
	t.Setenv("VAULT", vault)
	log = &bytes.Buffer{}
	h, err := NewTokenHelper(HelperConfig{Program: program, Portal: "https://portal.example", Locks: []string{filepath.Join(dir, "locks")}, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Skip(err) // no shell
	}
	h.pause, h.patience = 0, 0
	return h, vault, log
}

func renewHelper(t *testing.T, server *AuthServer, h *TokenHelper, rejected string) (string, error) {
	t.Helper()
	token, err := tokenSource(t, server, h, "").Renew(context.Background(), &oauth2.Token{AccessToken: rejected})
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// What store reads: the pair, and which version it replaces.
func TestHelperTellsWhatItReplaces(t *testing.T) {
	_, server := sandboxServer(t, "")
	h, vault, log := fakeHelper(t, `case $1 in
get) cat "$VAULT" 2>/dev/null || true ;;
store) cat >"$VAULT.in" && cat "$VAULT.in" >>"$VAULT.all" && sed 's/"replaces": \(.*\)$/"version": "v\1"/; s/"v"/"v/; s/""/"/; s/,"$/",/' "$VAULT.in" >"$VAULT" ;;
esac`)
	// The script is no model: it makes a version of what is replaced.
	check(t, os.WriteFile(vault, []byte(`{"version": 7, "access_token": "`+sandbox.AccessToken+`", "refresh_token": "`+sandbox.RefreshToken+`"}`), 0o600))
	locked := must(h.Lock(context.Background()))(t)
	defer locked.Unlock()
	p := must(locked.Load(context.Background()))(t)
	check(t, h.store(context.Background(), p, p))
	var stored map[string]any
	content, _ := os.ReadFile(vault + ".in")
	if err := json.Unmarshal(content, &stored); err != nil || stored["replaces"] != 7.0 || stored["version"] != nil || stored["access_token"] != sandbox.AccessToken {
		t.Errorf("%v: %s", err, content)
	}
	check(t, h.store(context.Background(), p, Pair{}))
	content, _ = os.ReadFile(vault + ".in")
	if !strings.Contains(string(content), `"replaces": null`) {
		t.Errorf("into an empty store: %s", content)
	}
	check(t, h.store(context.Background(), p, Pair{fields: p.fields}))
	if content, _ = os.ReadFile(vault + ".in"); strings.Contains(string(content), "replaces") {
		t.Errorf("without versions: %s", content)
	}
	_, _ = server, log
}

// Another machine has renewed between get and the test of the store: its pair
// is read and used, and not overwritten with the old one.
func TestHelperThatHasANewerPair(t *testing.T) {
	p, server := sandboxServer(t, "")
	h, vault, _ := fakeHelper(t, `case $1 in
get) cat "$VAULT" ;;
store) echo stored >>"$VAULT.calls"; printf '{"version": 8, "access_token": "newer", "refresh_token": "r"}' >"$VAULT"; exit 75 ;;
esac`)
	check(t, os.WriteFile(vault, []byte(`{"version": 7, "access_token": "`+sandbox.AccessToken+`", "refresh_token": "`+sandbox.RefreshToken+`"}`), 0o600))
	token, err := renewHelper(t, server, h, sandbox.AccessToken)
	calls, _ := os.ReadFile(vault + ".calls")
	if err != nil || token != "newer" || p.Stats().Renewals != 0 || string(calls) != "stored\n" {
		t.Errorf("%q, %v, %d renewals, %q", token, err, p.Stats().Renewals, calls)
	}
}

// Another machine has spent the refresh token and is about to store what it
// got for it: get is asked for that for a while.
func TestHelperWaitsForTheFasterMachine(t *testing.T) {
	_, server := sandboxServer(t, "")
	h, vault, _ := fakeHelper(t, `case $1 in
get) n=$(cat "$VAULT.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$VAULT.n"
	if [ $n -ge 5 ]; then printf '{"version": 9, "access_token": "theirs", "refresh_token": "r"}'; else cat "$VAULT"; fi ;;
store) cat >/dev/null ;;
esac`)
	h.patience = 5 * time.Second
	check(t, os.WriteFile(vault, []byte(`{"version": 7, "access_token": "old", "refresh_token": "spent"}`), 0o600))
	token, err := renewHelper(t, server, h, "old")
	if err != nil || token != "theirs" {
		t.Errorf("%q, %v", token, err)
	}
}

// A helper without versions works on one machine, and that is said.
func TestHelperWithoutVersionsWarns(t *testing.T) {
	_, server := sandboxServer(t, "")
	for _, version := range []string{"", `"version": "etag-1", `} {
		h, vault, log := fakeHelper(t, `case $1 in
get) cat "$VAULT" ;;
store) if grep -q '"replaces"' "$VAULT" "$VAULT" 2>/dev/null; then exit 1; fi
	if [ -n "`+strings.ReplaceAll(version, `"`, `'`)+`" ]; then sed 's/"replaces": "etag-\([0-9]*\)"/"version": "etag-\11"/' >"$VAULT"; else cat >"$VAULT"; fi ;;
esac`)
		pair := `{` + version + `"access_token": "` + sandbox.AccessToken + `", "refresh_token": "` + sandbox.RefreshToken + `"}`
		check(t, os.WriteFile(vault, []byte(pair), 0o600))
		if version != "" {
			_, server = sandboxServer(t, "")
		}
		must(renewHelper(t, server, h, sandbox.AccessToken))(t)
		if warned := strings.Contains(log.String(), "for one machine"); warned != (version == "") {
			t.Errorf("with version %q the log is %s", version, log)
		}
	}
}

// What a helper says on standard error about get may repeat what it printed,
// or tokens that we have never seen.
func TestHelperThatRepeatsTokens(t *testing.T) {
	h, _, _ := fakeHelper(t, `printf '{"access_token": "canary-1", "refresh_token": "canary-2"}'
echo "+ curl -H X-Vault-Token:canaryCANARYcanaryCANARYcanaryCANARY failed, have canary-1 and canary-2" >&2
exit 1`)
	_, err := h.Load(context.Background())
	if err == nil || strings.Contains(strings.ToLower(err.Error()), "canary") || !strings.Contains(err.Error(), "failed, have") {
		t.Errorf("%v", err)
	}
}

// One program can keep the pairs of many portals: it is told whose it is asked
// for, and may have arguments.
func TestHelperWithArguments(t *testing.T) {
	h, vault, _ := fakeHelper(t, `printf '%s|' "$B24_PORTAL_URL" "$@" >"$VAULT"`)
	many := must(NewTokenHelper(HelperConfig{Program: h.program + " --path  secret/x", Portal: "https://acme.example"}))(t)
	_, _ = many.Load(context.Background())
	if got, _ := os.ReadFile(vault); string(got) != "https://acme.example|--path|secret/x|get|" {
		t.Errorf("%s", got)
	}
	if many.name == h.name {
		t.Error("two portals share a lock")
	}
}

// A vault that stumbles twice gets the new pair all the same.
func TestHelperThatStumbles(t *testing.T) {
	p, server := sandboxServer(t, "")
	h, vault, _ := fakeHelper(t, `case $1 in
get) cat "$VAULT" ;;
store) n=$(cat "$VAULT.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$VAULT.n"
	case $n in 2|3) exit 1 ;; esac
	cat >"$VAULT" ;;
esac`)
	check(t, os.WriteFile(vault, []byte(`{"access_token": "`+sandbox.AccessToken+`", "refresh_token": "`+sandbox.RefreshToken+`"}`), 0o600))
	token, err := renewHelper(t, server, h, sandbox.AccessToken)
	if err != nil || p.Stats().Renewals != 1 || !accepted(t, p, vault) {
		t.Errorf("%q, %v", token, err)
	}
}

// Another machine tries whether it can store the old pair while this one
// renews: that makes a new version, but not a newer pair, so that the new one
// is stored all the same. What is really newer stays, and is used.
func TestHelperStoreThatComesSecond(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile string // what the other machine has stored
		token     string // "": the new one
	}{
		"the old pair": {`{"version": 9, "access_token": "` + sandbox.AccessToken + `", "refresh_token": "` + sandbox.RefreshToken + `"}`, ""},
		"a newer pair": {`{"version": 9, "access_token": "theirs", "refresh_token": "r"}`, "theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			p, server := sandboxServer(t, "")
			h, vault, _ := fakeHelper(t, `case $1 in
get) cat "$VAULT" ;;
store) cat >"$VAULT.in"
	n=$(cat "$VAULT.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$VAULT.n"
	if [ $n = 2 ]; then printf '%s' "$MEANWHILE" >"$VAULT"; exit 75; fi
	sed 's/"replaces": [0-9]*/"version": 1'$n'/' "$VAULT.in" >"$VAULT" ;;
esac`)
			t.Setenv("MEANWHILE", tt.meanwhile)
			check(t, os.WriteFile(vault, []byte(`{"version": 7, "access_token": "`+sandbox.AccessToken+`", "refresh_token": "`+sandbox.RefreshToken+`"}`), 0o600))
			token, err := renewHelper(t, server, h, sandbox.AccessToken)
			if err != nil || p.Stats().Renewals != 1 {
				t.Fatalf("%v, %d renewals", err, p.Stats().Renewals)
			}
			stored, err := h.Load(context.Background())
			if err != nil || stored.AccessToken.Plain() != token || tt.token != "" && token != tt.token || tt.token == "" && !accepted(t, p, vault) {
				t.Errorf("%v: the token is %q, stored is %s", err, token, stored.encode())
			}
		})
	}
}
