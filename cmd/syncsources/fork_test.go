package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
)

// Secrets of the one who runs the program. None may show in any output, or
// reach a portal as a setting.
const (
	ourToken = sandbox.AccessToken
	secretOf = "canary-of-the-runner"
)

// fork is a checkout of a pull request from a stranger, with what lies beside
// it on the machine that runs it.
type fork struct {
	t      *testing.T
	dir    string // the checkout
	portal *sandbox.Portal
	url    string
	evil   *httptest.Server
	hits   atomic.Int32 // of evil
	env    []string
}

func newFork(t *testing.T, files map[string]string, links map[string]string) *fork {
	t.Helper()
	home := t.TempDir()
	f := &fork{t: t, dir: filepath.Join(home, "checkout")}
	files["../home/id"] = secretOf
	files["../home/token.json"] = fmt.Sprintf(`{"access_token": %q}`, secretOf)
	files["token"] = ourToken // a careless place for it: in the checkout
	for name, content := range files {
		path := filepath.Join(f.dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(f.dir, name)); err != nil {
			t.Skip(err)
		}
	}
	f.portal = openPortal(t, `
connectors: [{id: 1, title: SQL, settings: [{code: login}, {code: password}]}]
sources: [{id: 4, title: Old, connectorId: 1, settings: {login: admin, password: old}}]
limits: {unlimited: true}
`)
	server := httptest.NewServer(f.portal)
	f.evil = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.hits.Add(1)
		_, _ = w.Write([]byte(`{"result":[]}`))
	}))
	t.Cleanup(func() {
		server.Close()
		f.evil.Close()
	})
	f.url = server.URL
	f.env = []string{"TMPDIR=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir(), "B24_PORTAL_URL=" + server.URL, "B24_ACCESS_TOKEN_FILE=" + filepath.Join(f.dir, "token"),
		"CRM_PASSWORD=" + secretOf, "SYNCSOURCES_SECRET=" + secretOf, "GITHUB_TOKEN=" + secretOf}
	return f
}

// attack runs a command on the checkout and returns what was printed, in forms
// that are others for plan and for apply. Nothing secret may be in it.
func (f *fork) attack(command string, want int) string {
	f.t.Helper()
	all, forms := "", []string{"text", "github"}
	if command == "apply" {
		forms = []string{"json", "markdown"}
	}
	for _, form := range forms {
		summary := filepath.Join(f.t.TempDir(), "summary")
		report := filepath.Join(f.t.TempDir(), "report")
		args := []string{command, "-o", form, "--log-level", "debug"}
		if command != "validate" {
			args = append(args, "--report", report+".json", "--report", report+".md", "--report", report+".xml")
		} else {
			args = []string{command, "-o", form}
		}
		got := program(context.Background(), append(f.env, "GITHUB_STEP_SUMMARY="+summary), append(args, f.dir)...)
		if got.code != want {
			f.t.Errorf("%s -o %s: exit code %d, want %d\n%s%s", command, form, got.code, want, got.stdout, got.stderr)
		}
		out := got.stdout + got.stderr
		for _, path := range []string{summary, report + ".json", report + ".md", report + ".xml"} {
			content, _ := os.ReadFile(path)
			out += string(content)
		}
		all += out
	}
	for _, secret := range []string{secretOf, ourToken} {
		if at := strings.Index(all, secret); at >= 0 {
			f.t.Errorf("%s prints a secret: ...%s...", command, all[max(0, at-80):min(len(all), at+80)])
		}
	}
	if f.hits.Load() > 0 {
		f.t.Error("something was sent to a host that the manifest names")
	}
	return all
}

// stolen checks that the portal has not got a secret as a setting.
func (f *fork) stolen() {
	f.t.Helper()
	for _, s := range f.portal.Sources() {
		if text := fmt.Sprintf("%+v", s); strings.Contains(text, secretOf) || strings.Contains(text, ourToken) {
			f.t.Errorf("the portal has got a secret: %s", text)
		}
	}
}

// A manifest that takes what it must not take is refused before anything is
// sent.
func TestPullRequestFromAFork(t *testing.T) {
	t.Parallel()
	setting := func(value string) string {
		return "version: 1\nsources:\n  - id: 4\n    settings: {login: " + value + "}\n    reveal: [login]\n"
	}
	for name, tt := range map[string]struct {
		manifest string
		links    map[string]string
		rule     string
	}{
		"parent directory":         {setting("{file: ../home/id}"), nil, "file-outside"},
		"parent behind a child":    {setting("{file: sub/../../home/id}"), nil, "file-outside"},
		"absolute path":            {setting("{file: /etc/hostname}"), nil, "file-outside"},
		"absolute path to secrets": {setting("{file: /run/secrets/../../etc/hostname}"), nil, "file-outside"},
		"link":                     {setting("{file: link}"), map[string]string{"link": "../home/id"}, "file-outside"},
		"link to a directory":      {setting("{file: .link/id}"), map[string]string{".link": "../home"}, "file-outside"},
		"manifests behind a link":  {setting("x"), map[string]string{"link": "../home"}, "UNREADABLE"},
		"link to a link":           {setting("{file: link}"), map[string]string{"link": "other", "other": "../home/id"}, "file-outside"},
		"environment":              {setting("{file: /proc/self/environ}"), nil, "file-outside"},
		"link to the environment":  {setting("{file: link}"), map[string]string{"link": "/proc/self/environ"}, "file-outside"},
		"our token":                {setting("{env: B24_ACCESS_TOKEN}"), nil, "reserved-variable"},
		"our token in small":       {setting("{env: b24_access_token}"), nil, "reserved-variable"},
		"our variables":            {setting("{env: SYNCSOURCES_SECRET}"), nil, "reserved-variable"},
		"our token's file":         {setting("{file: token}"), nil, "reserved-file"},
		"link to our token's file": {setting("{file: link}"), map[string]string{"link": "token"}, "reserved-file"},
		"shell in a reference":     {setting("{env: \"$(cat ../home/id)\"}"), nil, ""},
		"text that looks like one": {setting("{env: CRM_PASSWORD, file: token}"), nil, ""},
		"manifest that is a link":  {setting("x"), map[string]string{"evil.yaml": "../home/token.json"}, "UNREADABLE"},
		"manifest that is our own": {setting("x"), map[string]string{"evil.yaml": "token"}, "UNREADABLE"},
		"manifest of the kernel":   {setting("x"), map[string]string{"evil.yaml": "/proc/self/environ"}, "UNREADABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFork(t, map[string]string{"m.yaml": tt.manifest, "sub/keep": ""}, tt.links)
			for _, command := range []string{"plan", "apply"} {
				if out := f.attack(command, exit.Invalid); !strings.Contains(out, tt.rule) {
					t.Errorf("%s says nothing of %s:\n%s", command, tt.rule, out)
				}
			}
			if n := f.portal.Stats().Requests; n > 0 {
				t.Errorf("%d requests were sent", n)
			}
			f.stolen()
		})
	}
}

// A referenced value that the manifest may have is sent, and never printed,
// whatever reveal says.
func TestRevealOfAReference(t *testing.T) {
	f := newFork(t, map[string]string{"m.yaml": `version: 1
sources:
  - id: 4
    settings: {login: {env: CRM_PASSWORD}, password: {file: sub/password}}
    reveal: [login, password]
`, "sub/password": secretOf + "-too\n"}, nil)
	f.attack("plan", exit.OK)
	f.attack("apply", exit.OK)
	if s, _ := f.portal.Source(4); s.Settings["login"] != secretOf || s.Settings["password"] != secretOf+"-too" {
		t.Errorf("the portal has %+v", s)
	}
	f.attack("plan", exit.OK)
}

// portal: names a host that is compared and never called.
func TestManifestNamesAnotherPortal(t *testing.T) {
	f := newFork(t, map[string]string{}, nil)
	manifest := "version: 1\nportal: " + f.evil.URL + "\nsources: [{id: 4, title: New}]\n"
	check(t, os.WriteFile(filepath.Join(f.dir, "m.yaml"), []byte(manifest), 0o600))
	for _, command := range []string{"plan", "apply"} {
		if out := f.attack(command, exit.Invalid); !strings.Contains(out, "other-portal") {
			t.Errorf("%s says nothing of the other portal:\n%s", command, out)
		}
	}
	if n := f.portal.Stats().Requests; n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// Names of files are a stranger's text too.
func TestHostileFileNames(t *testing.T) {
	for name, content := range map[string]string{
		"\x1b[31mred\x1b]0;x\x07.yaml":             "version: 1\nsources: [{id: 4, titel: x}]\n",
		"a\n::set-output name=x::y\n.yaml":         "version: 1\nsources: [{id: 4, titel: x}]\n",
		"a\r::error::\u202e%0A::warning::.yaml":    "version: 1\nsources: [{id: 4, titel: x}]\n",
		"<img src=x onerror=alert(1)>|`@all`.yaml": "version: 1\nsources: [{id: 4, titel: x}]\n",
	} {
		f := newFork(t, map[string]string{name: content}, nil)
		for _, command := range []string{"validate", "plan"} {
			f.attack(command, exit.Invalid)
			for _, form := range []string{"text", "json", "markdown", "github"} {
				got := program(context.Background(), f.env, command, "-o", form, f.dir)
				harmless(t, form, got.stdout)
				harmless(t, "log", got.stderr)
			}
		}
	}
}

// A renewal that could not replace the token file leaves the pair beside it.
func TestPairThatWaitsIsNoSetting(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{
		"state.yaml": "connectors: [{id: 1, title: SQL, settings: [{code: password}]}]\nsources: [{id: 4, title: Old, connectorId: 1}]\n",
		"m.yaml":     "version: 1\nsources: [{id: 4, settings: {password: {file: pair.json.new}}}]\n",
		"pair.json":  "{}", "pair.json.new": secretOf,
	} {
		check(t, os.WriteFile(name, []byte(content), 0o600))
	}
	if err := os.Symlink("pair.json", "link"); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{"pair.json", "link"} {
		got := program(context.Background(), []string{"B24_TOKEN_FILE=" + path}, "plan", "--sandbox", "state.yaml", "m.yaml")
		if got.code != exit.Invalid || !strings.Contains(got.stderr, "[reserved-file]") {
			t.Errorf("%s: %d, %s%s", path, got.code, got.stdout, got.stderr)
		}
	}
}

// The names of files, and lines of manifests, begin lines of messages.
func TestOrdersToWorkflows(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"::error::a.yaml": "version: 1\nsources: []\n::add-mask::x: 1\n ::stop-commands::x: {\n",
		"::error::b.yaml": "version: 1\nsources: []\n::add-mask::x: 1\n",
		"##[group]c.yaml": "version: 1\nsources: []\ntitel: ##[group]\n",
	} {
		check(t, os.WriteFile(name, []byte(content), 0o600))
	}
	for _, name := range []string{"::error::d.yaml", "::error::e.yaml"} {
		check(t, os.Symlink("nowhere", name))
	}
	for _, args := range [][]string{{"validate", "::error::a.yaml", "::error::b.yaml", "##[group]c.yaml"}, {"validate", "."}, {"validate", "--x\n::error::y"}} {
		got := program(context.Background(), nil, args...)
		harmless(t, "log", got.stderr)
		if got.code != exit.Invalid || strings.Contains(got.stderr, "##[") {
			t.Errorf("%q: %d, %q", args, got.code, got.stderr)
		}
	}
}

// codeSpan matches what markdown shows as it is.
var codeSpan = regexp.MustCompile("``.*?``|`[^`]*`|<details( open)?>|</details>|<summary>|</summary>|<!--.*?-->")

// harmless checks that an output holds nothing that a terminal, a runner of
// workflows or a web page would act on.
func harmless(t *testing.T, form, out string) {
	t.Helper()
	for _, r := range out {
		switch {
		case r == '\n' || r == '\t':
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029, r == '\ufeff':
			t.Errorf("%s: %U gets through: %q", form, r, out)
			return
		}
	}
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "::") && (form != "github" || !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ")):
			t.Errorf("%s: a command of a workflow gets through: %q", form, line)
		case form == "markdown" && strings.Contains(strings.ReplaceAll(codeSpan.ReplaceAllString(line, ""), "<br>", ""), "<"):
			t.Errorf("%s: an element gets through: %q", form, line)
		}
	}
}
