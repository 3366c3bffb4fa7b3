package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/manifest"
)

// resolve loads m/m.yaml with the given settings in flow form, and resolves
// its references with the environment given.
func resolve(t *testing.T, r manifest.Resolver, settings string) ([]manifest.Source, []*manifest.Finding) {
	t.Helper()
	check(t, os.WriteFile("m/m.yaml", []byte("version: 1\nsources:\n  - id: 1\n    settings: "+settings+"\n"), 0o644))
	set := valid(load("m/m.yaml"))(t)
	resolved, found := r.Resolve(t.Context(), set, nil)
	return resolved.Sources, found
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		s, ok := vars[name]
		return s, ok
	}
}

func TestResolve(t *testing.T) {
	big := strings.Repeat("x", 64<<10)
	tree(t, map[string]string{
		"m/lf":           "one\n",
		"m/crlf":         "two\r\n",
		"m/bare":         "three",
		"m/two-lines":    "four\n\n",
		"m/cr":           "five\r",
		"m/spaces":       "  six  ",
		"m/deep/er/file": "seven",
		"m/mark":         "\uFEFFone\n",
		"m/..dots":       "eight",
		"m/big":          big + "\r\n",
		"run/secrets/db": "nine\n",
		"vault/a/key":    "ten\n",
	})
	cwd, _ := os.Getwd()
	symlink(t, "deep/er/file", "m/link")
	symlink(t, filepath.Join(cwd, "vault/a/key"), "m/link-to-vault")
	r := manifest.Resolver{
		LookupEnv:  environment(map[string]string{"V": "value\n", "_v1": "x"}),
		AllowDirs:  []string{"vault", "not-there"},
		SecretsDir: "run/secrets",
	}
	for _, c := range []struct{ ref, want string }{
		{"env: V", "value\n"}, // only files lose a line break
		{"env: _v1", "x"},
		{"file: lf", "one"},
		{"file: ./crlf", "two"},
		{"file: mark", "one"},
		{"file: bare", "three"},
		{"file: two-lines", "four\n"},
		{"file: cr", "five\r"},
		{"file: spaces", "  six  "},
		{"file: deep/../deep/er/file", "seven"},
		{"file: ..dots", "eight"},
		{"file: big", big},
		{"file: link", "seven"},
		{"file: " + filepath.Join(cwd, "run/secrets/db"), "nine"},
		{"file: ../run/secrets/db", "nine"},
		{"file: ../vault/a/key", "ten"},
		{"file: link-to-vault", "ten"},
	} {
		sources, found := resolve(t, r, "{password: {"+c.ref+"}, plain: text}")
		if len(found) > 0 {
			t.Errorf("%s: %v", c.ref, found)
			continue
		}
		got := sources[0].Settings[0].Value
		if got.Text().Plain() != c.want || !got.IsReference() || sources[0].Settings[1].Value.Text().Plain() != "text" {
			t.Errorf("%s: got %.20q, want %.20q", c.ref, got.Text().Plain(), c.want)
		}
	}
}

func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err)
	}
}

func TestResolveRefuses(t *testing.T) {
	tree(t, map[string]string{
		"m/secrets/empty":   "",
		"m/secrets/newline": "\r\n",
		"m/secrets/blank":   " \t\n",
		"m/secrets/nul":     "s3cret\x00",
		"m/secrets/latin1":  "s3cret\xff",
		"m/secrets/big":     strings.Repeat("x", 64<<10+1),
		"m/token.json":      "s3cret",
		"outside/key":       "s3cret",
		"mm/key":            "s3cret", // its path begins like the manifest's directory
	})
	cwd, _ := os.Getwd()
	symlink(t, filepath.Join(cwd, "outside/key"), "m/link")
	symlink(t, "../outside", "m/linkdir")
	symlink(t, "../outside/nothing", "m/dangling")
	symlink(t, "loop", "m/loop")
	symlink(t, "/proc/self/environ", "m/environ")
	if err := os.Link("m/token.json", "m/hardlink"); err != nil {
		t.Skip(err)
	}
	if err := mkfifo("m/pipe"); err != nil {
		t.Skip(err)
	}
	r := manifest.Resolver{
		LookupEnv: environment(map[string]string{
			"EMPTY": "", "BLANK": " \n", "NUL": "s3cret\x00", "LATIN1": "s3cret\xff", "BIG": strings.Repeat("x", 64<<10+1), "MARK": "\uFEFFs3cret",
		}),
		DenyFiles:  []string{"m/token.json", "gone.json"},
		SecretsDir: "run/secrets",
	}
	for _, c := range []struct{ ref, rule, message string }{
		{"env: UNSET", "env-unset", `the variable "UNSET" is not set`},
		{"env: MARK", "env-byte-order-mark", `the variable "MARK" begins with a byte order mark`},
		{"env: EMPTY", "env-empty", `the variable "EMPTY" is empty`},
		{"env: BLANK", "env-empty", `the variable "BLANK" is empty`},
		{"env: NUL", "env-nul", `the variable "NUL" holds a NUL character`},
		{"env: LATIN1", "env-invalid-utf8", `the variable "LATIN1" is not valid UTF-8`},
		{"env: BIG", "env-too-large", `the variable "BIG" holds more than 64 KiB`},
		{"file: secrets/empty", "file-empty", `the file "secrets/empty" is empty`},
		{"file: secrets/newline", "file-empty", `the file "secrets/newline" is empty`},
		{"file: secrets/blank", "file-empty", `the file "secrets/blank" is empty`},
		{"file: secrets/nul", "file-nul", `the file "secrets/nul" holds a NUL character`},
		{"file: secrets/latin1", "file-invalid-utf8", `the file "secrets/latin1" is not valid UTF-8`},
		{"file: secrets/big", "file-too-large", `the file "secrets/big" holds more than 64 KiB`},
		{"file: secrets/gone", "file-unreadable", `the file "secrets/gone" cannot be read: no such file or directory`},
		{"file: gone/for/good", "file-unreadable", `the file "gone/for/good" cannot be read: no such file or directory`},
		{"file: secrets", "file-unreadable", `the file "secrets" cannot be read: it is not a regular file`},
		{"file: pipe", "file-unreadable", `the file "pipe" cannot be read: it is not a regular file`},
		{"file: token.json", "reserved-file", `the file "token.json" cannot be referenced`},
		{"file: hardlink", "reserved-file", `the file "hardlink" cannot be referenced`},
		{"file: .", "file-outside", `the file "." is not below a directory that may be referenced`},
		{"file: ../outside/key", "file-outside", ""},
		{"file: ../outside/nothing", "file-outside", ""}, // does not tell whether it exists
		{"file: ../mm/key", "file-outside", ""},
		{"file: secrets/../../outside/key", "file-outside", ""},
		{"file: " + filepath.Join(cwd, "outside/key"), "file-outside", ""},
		{"file: /etc/passwd", "file-outside", ""},
		{"file: /proc/self/environ", "file-outside", ""},
		{"file: link", "file-outside", ""},
		{"file: linkdir/key", "file-outside", ""},
		{"file: linkdir/nothing", "file-outside", ""},
		{"file: dangling", "file-outside", ""},
		{"file: loop", "file-outside", ""},
		{"file: environ", "file-outside", ""},
	} {
		_, found := resolve(t, r, "{login: a, password: {"+c.ref+"}}")
		if len(found) != 1 {
			t.Errorf("%s: found %v", c.ref, found)
			continue
		}
		e := found[0]
		if at := e.Position.String(); at != "m/m.yaml:4:36" {
			t.Errorf("%s: reported at %s", c.ref, at)
		}
		if e.Rule != c.rule || c.message != "" && e.Message != c.message || e.Excerpt != "" {
			t.Errorf("%s: got %s", c.ref, e.Detail())
		}
		if strings.Contains(e.Detail(), "s3cret") {
			t.Errorf("%s: a secret is printed: %s", c.ref, e.Detail())
		}
	}
}

// The kernel's file systems show our environment, also where the manifest
// would allow every file.
func TestResolveRefusesKernelFiles(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip(err)
	}
	tree(t, map[string]string{"m/x": ""})
	for _, path := range []string{"/proc/self/environ", "/proc/self/root/proc/self/environ", "/sys/kernel/mm/transparent_hugepage/enabled"} {
		_, found := resolve(t, manifest.Resolver{AllowDirs: []string{"/"}}, "{password: {file: "+path+"}}")
		if len(found) != 1 || found[0].Rule != "file-outside" {
			t.Errorf("%s: found %v", path, found)
		}
	}
}

func TestResolveUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	tree(t, map[string]string{"m/key": "s3cret"})
	check(t, os.Chmod("m/key", 0))
	_, found := resolve(t, manifest.Resolver{}, "{password: {file: key}}")
	if len(found) != 1 || found[0].Message != `the file "key" cannot be read: permission denied` {
		t.Errorf("found %v", found)
	}
}

// Our own variables stay out of reach even of a Set that was loaded without
// the schema's check.
func TestResolveNeverReadsOurVariables(t *testing.T) {
	r := manifest.Resolver{LookupEnv: func(name string) (string, bool) {
		t.Errorf("%s is looked up", name)
		return "s3cret", true
	}}
	for _, name := range []string{"B24_WEBHOOK_URL", "b24_access_token", "SYNCSOURCES_TARGET", "SyncSources_x"} {
		set, _, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader("version: 1\nsources: [{id: 1, settings: {p: {env: " + name + "}}}]")})
		check(t, err)
		resolved, found := r.Resolve(t.Context(), set, nil)
		if len(found) != 1 || resolved.Sources[0].Settings[0].Value.Text().Plain() != "" {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

func TestResolveReadsOnceAndCopies(t *testing.T) {
	calls := map[string]int{}
	r := manifest.Resolver{LookupEnv: func(name string) (string, bool) {
		calls[name]++
		return "of " + name, name != "GONE"
	}}
	set := parse(t, `
version: 1
x-common: &common {password: {env: P}, other: {env: GONE}}
sources:
  - {id: 1, settings: {<<: *common, login: {env: L}}}
  - {id: 2, settings: *common}
  - {id: 3, settings: {password: {env: P}}}
`)
	resolved, found := r.Resolve(t.Context(), set, nil)
	if fmt.Sprint(calls) != "map[GONE:1 L:1 P:1]" {
		t.Errorf("looked up %v", calls)
	}
	want := `<stdin>:3:47: the variable "GONE" is not set [env-unset]
  set it in the environment of the run
  used as *common at <stdin>:5:28
  used as *common at <stdin>:6:23`
	if len(found) != 1 || found[0].Detail() != want {
		t.Errorf("found %v: %s", found, found[0].Detail())
	}
	if got := resolved.Sources[2].Settings[0].Value.Text().Plain(); got != "of P" {
		t.Errorf("got %q", got)
	}
	if set.Sources[2].Settings[0].Value.Text().Plain() != "" {
		t.Error("the sources passed were changed")
	}
	if _, found := r.Resolve(t.Context(), set, func(o manifest.Object) bool { return o.ID == 3 }); len(found) != 0 {
		t.Errorf("references of other sources are looked at: %v", found)
	}
}

func TestResolveFromStandardInput(t *testing.T) {
	tree(t, map[string]string{"secrets/key": "s3cret\n", "m/x": ""})
	set := parse(t, "version: 1\nsources: [{id: 1, settings: {p: {file: secrets/key}}}]")
	resolved, found := (&manifest.Resolver{}).Resolve(t.Context(), set, nil)
	if len(found) > 0 || resolved.Sources[0].Settings[0].Value.Text().Plain() != "s3cret" {
		t.Errorf("found %v", found)
	}
}

// A manifest for a container is checked where /run/secrets does not exist.
func TestResolveWithoutTheSecretsDirectory(t *testing.T) {
	tree(t, map[string]string{"m/x": ""})
	cwd, _ := os.Getwd()
	r := &manifest.Resolver{SecretsDir: filepath.Join(cwd, "run/secrets")}
	set := parse(t, "version: 1\nsources: [{id: 1, settings: {p: {file: "+filepath.Join(cwd, "run/secrets/db")+"}, q: {file: "+filepath.Join(filepath.Dir(cwd), "elsewhere")+"}}}]")
	judged := r.Judge(set)
	if len(judged) != 1 || judged[0].Rule != "file-outside" {
		t.Errorf("judged %v", judged)
	}
	_, found := r.Resolve(t.Context(), set, nil)
	if len(found) != 2 || found[0].Rule != "file-unreadable" || found[1].Rule != "file-outside" {
		t.Errorf("found %v", found)
	}
}
