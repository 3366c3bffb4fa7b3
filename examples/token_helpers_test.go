package examples

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"syncsources/bitrix/sandbox"
)

// The programs that the helpers call, as far as they do. The secret's name or
// path becomes a file below $STORE.
const (
	fakeVault = `#!/bin/sh
set -eu
[ -z "${SEALED-}" ] || { echo "Error: Vault is sealed" >&2; exit 2; }
case "$1 $2 $3" in
"kv get -format=json")
	[ -f "$STORE/$4" ] || { echo "No value found at $4" >&2; exit 2; }
	echo "WARNING! The server is older than this client." >&2
	jq -Rs --argjson version "$(cat "$STORE/$4.version")" '{data: {data: {pair: .}, metadata: {version: $version}}}' <"$STORE/$4" ;;
"kv put "-cas=*)
	[ "$5" = pair=- ] || exit 64
	mkdir -p "$STORE/secret"
	version=$(cat "$STORE/$4.version" 2>/dev/null || echo 0)
	[ "$version" = "${3#-cas=}" ] || { echo "* check-and-set parameter did not match the current version" >&2; exit 2; }
	cat >"$STORE/$4" && echo $((version + 1)) >"$STORE/$4.version" && echo "== Secret Path ==" ;;
*) exit 64 ;;
esac
`
	fakeGH = `#!/bin/sh
set -eu
[ -z "${SEALED-}" ] || { echo "HTTP 403: Resource not accessible by personal access token" >&2; exit 1; }
[ "$1 $2 $4 $5" = "secret set --repo owner/name" ] || exit 64
cat >"$STORE/$3"
`
)

// TestTokenHelpers gives each helper the life that it has in practice: a
// login, runs that use the pair, a renewal, another machine, and a store that
// refuses.
func TestTokenHelpers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the helpers are shell scripts")
	}
	check(t, depend())
	for helper, tt := range map[string]struct{ command, fake, stored string }{
		"vault":  {"vault", fakeVault, "secret/syncsources"},
		"github": {"gh", fakeGH, "TOKEN_PAIR"},
	} {
		t.Run(helper, func(t *testing.T) {
			if _, err := exec.LookPath("jq"); err != nil && helper == "vault" {
				t.Skip("the helper needs jq")
			}
			state := must(sandbox.LoadFile("sandbox.yaml"))(t)
			portal := must(sandbox.New(state))(t)
			server := httptest.NewServer(portal)
			defer server.Close()
			script := must(filepath.Abs(filepath.Join("token-helpers", helper)))(t)
			bin, store := t.TempDir(), t.TempDir()
			check(t, os.WriteFile(filepath.Join(bin, tt.command), []byte(tt.fake), 0o755))
			// machine is a computer that starts with nothing but what the store has.
			machine := func() []string {
				pair, _ := os.ReadFile(filepath.Join(store, tt.stored))
				temp := t.TempDir()
				return []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "STORE=" + store, "TMPDIR=" + temp,
					"RUNNER_TEMP=" + temp, "GITHUB_REPOSITORY=owner/name", "TOKEN_PAIR=" + string(pair),
					"B24_PORTAL_URL=" + server.URL, "B24_OAUTH_URL=" + server.URL, "B24_CLIENT_ID=" + sandbox.ClientID,
					"B24_CLIENT_SECRET=" + sandbox.ClientSecret, "B24_TOKEN_HELPER=" + script}
			}
			run := func(environ []string, stdin string, args ...string) (int, string) {
				t.Helper()
				cmd := exec.Command(program, args...)
				cmd.Env, cmd.Stdin = environ, strings.NewReader(stdin)
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
					t.Fatal(err)
				}
				if strings.Contains(out.String(), "sandbox-access") || strings.Contains(out.String(), "sandbox-refresh") {
					t.Errorf("%v prints a token: %s", args, &out)
				}
				return cmd.ProcessState.ExitCode(), out.String()
			}
			first := machine()
			if code, out := run(first, "", "plan", "docs-example.yaml"); code != 3 || !strings.Contains(out, "no token pair") {
				t.Errorf("without a pair: exit code %d: %s", code, out)
			}
			event := fmt.Sprintf(`{"auth": {"access_token": %q, "refresh_token": %q}}`, sandbox.AccessToken, sandbox.RefreshToken)
			if code, out := run(first, event, "login"); code != 0 {
				t.Fatalf("login: exit code %d: %s", code, out)
			}
			// The machine of the login, and then others, each of which finds the
			// token expired and must take what the one before it stored.
			for renewals := range 3 {
				environ := first
				if renewals > 0 {
					environ = machine()
					portal.ExpireTokens()
				}
				for range 2 {
					if code, out := run(environ, "", "plan", "docs-example.yaml"); code != 0 {
						t.Fatalf("after %d renewals: exit code %d: %s", renewals, code, out)
					}
				}
				if n := portal.Stats().Renewals; n != renewals {
					t.Errorf("%d renewals, want %d", n, renewals)
				}
			}
			portal.ExpireTokens()
			before := portal.Stats().Tokens
			if code, out := run(append(machine(), "SEALED=1"), "", "plan", "docs-example.yaml"); code == 0 || portal.Stats().Tokens != before {
				t.Errorf("with a store that refuses: exit code %d, %d requests for tokens: %s", code, portal.Stats().Tokens-before, out)
			}
			if code, out := run(machine(), "", "plan", "docs-example.yaml"); code != 0 {
				t.Errorf("afterwards: exit code %d: %s", code, out)
			}
		})
	}
}
