package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// testDatabase returns the address of an empty schema of the PostgreSQL server
// that SYNCSOURCES_TEST_POSTGRES names, and skips the test without one.
func testDatabase(t *testing.T) string {
	t.Helper()
	address := os.Getenv("SYNCSOURCES_TEST_POSTGRES")
	if address == "" {
		t.Skip("SYNCSOURCES_TEST_POSTGRES names no server")
	}
	schema := "test_" + strings.ToLower(rand.Text())
	query := func(sql string) {
		conn, err := pgx.Connect(t.Context(), address)
		if err == nil {
			_, err = conn.Exec(t.Context(), sql)
			_ = conn.Close(t.Context())
		}
		check(t, err)
	}
	query(`CREATE SCHEMA ` + schema)
	u := must(url.Parse(address))(t)
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func storeKey(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, auth.StoreKeySize))
}

// A token file moves into the store, which then serves any machine: renewals,
// wrong keys, a new key, and the lock of an apply.
func TestStoreOfSeveralMachines(t *testing.T) {
	database := testDatabase(t)
	portal, environ, _ := applicationPortal(t, "")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	pair := fmt.Sprintf(`{"access_token": %q, "refresh_token": %q}`, sandbox.AccessToken, sandbox.RefreshToken)
	manifest := write("m.yaml", "version: 1\nsources: [{id: 4, title: New}]\n")
	environ = slices.DeleteFunc(environ, func(e string) bool { return strings.HasPrefix(e, "B24_TOKEN_FILE=") })
	machine := func(key string, further ...string) []string {
		return slices.Concat(environ, []string{"XDG_STATE_HOME=" + t.TempDir(), "SYNCSOURCES_STORE=" + database, "SYNCSOURCES_STORE_KEY=" + key}, further)
	}
	run := func(want int, env []string, stdin string, args ...string) string {
		t.Helper()
		got := programOf(t.Context(), &app{env: option.NewEnvironment(env), stdin: strings.NewReader(stdin)}, args...)
		out := got.stdout + got.stderr
		if got.code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s", args, got.code, want, out)
		}
		if strings.Contains(out, "sandbox-access") || strings.Contains(out, "sandbox-refresh") || strings.Contains(out, key1) {
			t.Errorf("%v prints a secret\n%s", args, out)
		}
		return out
	}
	says := func(out, what string) {
		t.Helper()
		if !strings.Contains(out, what) {
			t.Errorf("%q is not in\n%s", what, out)
		}
	}

	says(run(exit.Invalid, machine(key1), "", "plan", manifest), "get a token pair with: syncsources login")
	says(run(exit.OK, machine(key1), pair, "login"), "The tokens are in the store ")
	portal.ExpireTokens()
	for range 3 {
		run(exit.OK, machine(key1), "", "plan", manifest) // another machine each time
	}
	if n := portal.Stats().Renewals; n != 1 {
		t.Errorf("%d renewals", n)
	}

	says(run(exit.Stopped, machine(key2), "", "plan", manifest), "cannot decrypt the token pair")
	says(run(exit.Invalid, machine("c2hvcnQ="), "", "plan", manifest), "SYNCSOURCES_STORE_KEY: the key has 5 bytes, not 32")
	says(run(exit.OK, machine(key2, "SYNCSOURCES_STORE_KEY_OLD="+key1), "", "status"), "ok    store")
	run(exit.OK, machine(key2), "", "plan", manifest)

	other := must(auth.OpenDatabase(auth.DatabaseConfig{URL: secret.New(database), Key: secret.New(key2)}))(t)
	defer other.Close()
	lock, _, err := other.Acquire(t.Context(), environ[0][len("B24_PORTAL_URL="):], 0)
	check(t, err)
	says(run(exit.Stopped, machine(key2), "", "apply", "--lock-timeout", "0s", manifest), "LOCKED: another apply runs against")
	lock.Release()
	says(run(exit.OK, machine(key2), "", "apply", manifest), "1 updated")
}

var key1, key2 = storeKey(1), storeKey(2)
