package manifest_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncsources/manifest"
	"syncsources/schema"
)

func loadPortals(path string) (*manifest.Portals, []*manifest.Finding, error) {
	return manifest.LoadPortals(path, manifest.PortalsOptions{Check: schema.CheckPortals})
}

func TestLoadPortals(t *testing.T) {
	tree(t, map[string]string{"etc/portals.yaml": `
version: 1
store: {env: DATABASE_URL}
x-slow: &slow {rate: 0.5, burst: 5}
defaults:
  limits: {tariff: enterprise, request_time: 60s}
  credentials: {client_id: app.5f0c, client_secret: {env: APP_SECRET}, token_file: shared.json}
portals:
  - name: acme
    url: https://acme.bitrix24.com
    manifests: [common, acme, /abs/m.yaml]
    env_file: acme/.env
    credentials: {token_file: acme/token.json, client_id: {file: id}}
    limits: {concurrency: 16, operating: 480s, batch_size: 20}
  - url: HTTPS://Beta.Bitrix24.com/
    credentials: {webhook_url: {file: /run/secrets/beta}}
    limits: *slow
  - {name: gamma, url: "https://gamma.bitrix24.com", x-note: ours, credentials: {token_helper: pairs gamma}}
`})
	p := valid(loadPortals("etc/portals.yaml"))(t)
	if p.Store == nil || p.Store.Env != "DATABASE_URL" || p.Store.Position.String() != "etc/portals.yaml:3:8" {
		t.Errorf("the store is %+v", p.Store)
	}
	var got []string
	for _, c := range p.Portals {
		line := fmt.Sprintf("%s %s %v %q", c.Name, c.URL, c.Manifests, c.EnvFile)
		for _, credential := range []*manifest.Credential{c.Credentials.WebhookURL, c.Credentials.ClientID, c.Credentials.ClientSecret} {
			if credential != nil {
				line += fmt.Sprintf(" (%s|%s|%s)", credential.Env, credential.File, credential.Literal)
			}
		}
		line += fmt.Sprintf(" %q %q", c.Credentials.TokenFile, c.Credentials.TokenHelper)
		got = append(got, line+fmt.Sprintf(" %s %v %d %d %d %s %s", c.Limits.Tariff, c.Limits.Rate, c.Limits.Burst, c.Limits.Concurrency, c.Limits.BatchSize, *cmp.Or(c.Limits.Operating, new(time.Duration(0))), c.Limits.RequestTime))
	}
	want := []string{
		`acme https://acme.bitrix24.com [etc/common etc/acme /abs/m.yaml] "etc/acme/.env" (|etc/id|) (APP_SECRET||) "etc/acme/token.json" "" enterprise 0 0 16 20 8m0s 1m0s`,
		`beta.bitrix24.com HTTPS://Beta.Bitrix24.com/ [] "" (|/run/secrets/beta|) "" ""  0.5 5 0 0 0s 1m0s`,
		`gamma https://gamma.bitrix24.com [] "" (||app.5f0c) (APP_SECRET||) "" "pairs gamma" enterprise 0 0 0 0 0s 1m0s`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if *p.Portals[0].Limits.Operating != 8*time.Minute {
		t.Error("durations are wrong")
	}
}

// A portal's own way to sign in replaces that of the defaults; the rest of the
// defaults stays.
func TestOwnCredentialsOfAPortal(t *testing.T) {
	tree(t, map[string]string{"portals.yaml": `
version: 1
defaults: {credentials: {webhook_url: {env: HOOK}, oauth_url: "https://oauth.example"}}
portals:
  - {url: "https://a.example", credentials: {client_id: app.1, client_secret: {env: SECRET}}}
  - {url: "https://b.example"}
`})
	p := valid(loadPortals("portals.yaml"))(t)
	if a, b := p.Portals[0].Credentials, p.Portals[1].Credentials; a.WebhookURL != nil || a.OAuthURL != "https://oauth.example" || b.WebhookURL == nil {
		t.Errorf("%+v\n%+v", a, b)
	}
}

// Numbers that readers of YAML take for different ones are refused, and two
// portals without a name are not of one name.
func TestFindingsOfPortals(t *testing.T) {
	for text, want := range map[string]string{
		"version: 0x1\nportals: [{url: 'https://a.example', credentials: {webhook_url: {env: W}}}]":                    "plain-integer",
		"version: 1\nportals: [{url: 'https://a.example', credentials: {webhook_url: {env: W}}, limits: {rate: 0x2}}]": "plain-integer",
		"version: 1\nportals: [{}, {}]": "",
	} {
		tree(t, map[string]string{"portals.yaml": text})
		_, found, err := loadPortals("portals.yaml")
		var rules []string
		for _, f := range found {
			rules = append(rules, f.Rule)
		}
		if err != nil || len(found) == 0 || want != "" && !slices.Contains(rules, want) || slices.Contains(rules, "duplicate-name") {
			t.Errorf("%s: %v, %v", text, rules, err)
		}
	}
}

// All that is wrong with a portals file is said at once, without a secret.
func TestGoldenPortals(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "portals"))
	paths, err := filepath.Glob("*.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		_, found, err := loadPortals(path)
		check(t, err)
		compareGolden(t, path, strings.TrimSuffix(path, ".yaml")+".out", found)
	}
}

func TestCredentials(t *testing.T) {
	tree(t, map[string]string{"token": "\uFEFFs3cret\r\n", "empty": "\n", "marks": "\uFEFF\uFEFFs3cret", "large": strings.Repeat("x", 1<<17)})
	if err := mkfifo("pipe"); err != nil {
		t.Skip(err)
	}
	lookup := environment(map[string]string{"V": "s3cret", "BOM": "\uFEFFs3cret", "EMPTY": ""})
	for _, c := range []struct {
		credential manifest.Credential
		want, rule string
	}{
		{manifest.Credential{Env: "V"}, "s3cret", ""},
		{manifest.Credential{File: "token"}, "s3cret", ""},
		{manifest.Credential{Literal: "app.5f0c"}, "app.5f0c", ""},
		{manifest.Credential{Env: "UNSET"}, "", "env-unset"},
		{manifest.Credential{Env: "EMPTY"}, "", "env-empty"},
		{manifest.Credential{Env: "BOM"}, "", "env-byte-order-mark"},
		{manifest.Credential{File: "marks"}, "", "file-byte-order-mark"},
		{manifest.Credential{File: "empty"}, "", "file-empty"},
		{manifest.Credential{File: "large"}, "", "file-too-large"},
		{manifest.Credential{File: "pipe"}, "", "file-unreadable"},
		{manifest.Credential{File: "gone"}, "", "file-unreadable"},
	} {
		c.credential.Position = manifest.Position{File: "p.yaml", Line: 5, Column: 3}
		text, found := c.credential.Text(lookup)
		switch {
		case c.rule != "":
			if found == nil || found.Rule != c.rule || found.Position != c.credential.Position || strings.Contains(found.Detail(), "s3cret") {
				t.Errorf("%+v: found %v, want %s", c.credential, found, c.rule)
			}
		case found != nil || text.Plain() != c.want:
			t.Errorf("%+v: got %q, %v", c.credential, text.Plain(), found)
		}
	}
}

func TestLoadEnvFile(t *testing.T) {
	tree(t, map[string]string{
		".env": "\uFEFF# comment\n\nA=one\r\nexport B = no\nexport C='tw o'\n  D=\"a \\\"b\\\" \\\\ $X\"  \nE=\nF=a#b=c\nA=again\nnonsense\n",
	})
	lookup, found, err := manifest.LoadEnvFile(".env")
	check(t, err)
	if len(found) != 2 || found[0].Position.String() != ".env:4:1" || found[1].Position.String() != ".env:10:1" || found[0].Rule != "env-file" {
		t.Errorf("found %v", found)
	}
	for name, want := range map[string]string{"A": "again", "C": "tw o", "D": `a "b" \ $X`, "E": "", "F": "a#b=c"} {
		if got, ok := lookup(name); !ok || got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if _, ok := lookup("X"); ok {
		t.Error("X is set")
	}
	if _, _, err := manifest.LoadEnvFile("gone"); err == nil || err.Error() != "gone: no such file or directory" {
		t.Errorf("got %v", err)
	}
}

// FuzzPortals feeds any bytes to the loader of portals files: no panic, and no
// portal without what a portal must have when nothing is found.
func FuzzPortals(f *testing.F) {
	paths, _ := filepath.Glob("testdata/portals/*.yaml")
	for _, path := range paths {
		data := must(os.ReadFile(path))(f)
		f.Add(data)
	}
	f.Add([]byte("version: 1\nstore: {env: D}\nportals: [{name: a, url: 'https://a', credentials: {webhook_url: {env: W}}, limits: {rate: 2}}]"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "portals.yaml")
		check(t, os.WriteFile(path, data, 0o600))
		p, found, err := loadPortals(path)
		if err != nil || len(found) > 0 {
			return
		}
		for _, c := range p.Portals {
			s := c.Credentials
			if c.Name == "" || c.URL == "" || s.WebhookURL == nil && s.AccessToken == nil && (s.ClientID == nil || s.ClientSecret == nil) {
				t.Fatalf("%q: %+v is no portal", data, c)
			}
		}
	})
}
