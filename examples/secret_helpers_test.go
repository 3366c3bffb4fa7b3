package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestSecretHelpers asks each helper for keys, with a stand-in for the program
// behind it.
func TestSecretHelpers(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil || runtime.GOOS == "windows" {
		t.Skip("the helpers are shell scripts that need jq")
	}
	for helper, tt := range map[string]struct{ command, fake string }{
		"vault": {"vault", `#!/bin/sh
case "$*" in
"kv get -field=api-key secret/crm") printf 'k "quoted"' ;;
"kv get -field=password secret/erp/db") printf 'p' ;;
*) echo "No value found at ${*#kv get }" >&2; exit 2 ;;
esac
`},
		"sops": {"sops", `#!/bin/sh
[ "$*" = "decrypt --output-type json secrets.enc.yaml" ] || exit 64
echo '{"crm/api-key": "k \"quoted\"", "erp/db/password": "p", "other": "not asked for"}'
`},
	} {
		t.Run(helper, func(t *testing.T) {
			bin := t.TempDir()
			check(t, os.WriteFile(filepath.Join(bin, tt.command), []byte(tt.fake), 0o755))
			script := must(filepath.Abs(filepath.Join("secret-helpers", helper)))(t)
			env := []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "SOPS_FILE=secrets.enc.yaml"}
			cmd := exec.Command(script)
			cmd.Env, cmd.Stdin = env, strings.NewReader("crm/api-key\nerp/db/password\n")
			out := must(cmd.Output())(t)
			var got map[string]string
			if err := json.Unmarshal(out, &got); err != nil || len(got) != 2 || got["crm/api-key"] != `k "quoted"` || got["erp/db/password"] != "p" {
				t.Errorf("%s %v", out, err)
			}

			// The program runs it as it is.
			manifest := filepath.Join(t.TempDir(), "m.yaml")
			check(t, os.WriteFile(manifest, []byte("version: 1\nsources:\n  - {id: 4, settings: {password: {secret: crm/api-key}}}\n"), 0o644))
			r := run(t, append(env, "SYNCSOURCES_SECRET_HELPER="+script), "apply", "--sandbox", "sandbox.yaml", manifest)
			if r.code != 0 || strings.Contains(r.stdout+r.stderr, "quoted") {
				t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
			}
			check(t, os.WriteFile(manifest, []byte("version: 1\nsources:\n  - {id: 4, settings: {password: {secret: crm/absent}}}\n"), 0o644))
			if r = run(t, append(env, "SYNCSOURCES_SECRET_HELPER="+script), "plan", "--sandbox", "sandbox.yaml", manifest); r.code != 3 {
				t.Errorf("without the key: exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}
