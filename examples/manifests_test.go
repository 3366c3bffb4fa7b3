package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestManifests applies the manifests to the sandboxes they are made for.
func TestManifests(t *testing.T) {
	for _, c := range []struct {
		state, paths, last string
		code               int
		fails              string // the object that fails
	}{
		{"sandbox.yaml", "docs-example.yaml", "Apply to sandbox: 0 created, 1 updated, 0 deleted, 0 failed, 0 skipped, 0 unchanged.", 0, ""},
		{"sandbox.yaml", "fleet.yaml", "Apply to sandbox: 2 created, 4 updated, 0 deleted, 1 failed, 0 skipped, 1 unchanged.", 1, "! payroll (#7)"},
		{"sandbox.yaml", "docs-example.yaml fleet.yaml", "Apply to sandbox: 2 created, 5 updated, 0 deleted, 1 failed, 0 skipped, 1 unchanged.", 1, "! payroll (#7)"},
		{"empty-portal.yaml", "shop.yaml", "Apply to sandbox: 4 created, 0 updated, 0 deleted, 0 failed, 0 skipped, 0 unchanged.", 0, ""},
	} {
		r := run(t, nil, append([]string{"apply", "--sandbox", c.state}, strings.Fields(c.paths)...)...)
		if r.code != c.code || r.lastLine() != c.last || !strings.Contains(r.stdout, c.fails) {
			t.Errorf("%s: exit code %d\n%s\n%s", c.paths, r.code, r.stdout, r.stderr)
		}
		for _, secret := range []string{"new_password", "old_password", "stock-example-password", "shop-example-password", "rates-example-token", "rates-token"} {
			if strings.Contains(r.stdout+r.stderr, secret) {
				t.Errorf("%s: %s is printed", c.paths, secret)
			}
		}
	}
}

// TestPortals follows the head of portals.yaml: it fills in the example's
// variables and applies to both portals, each on a sandbox.
func TestPortals(t *testing.T) {
	dir := t.TempDir()
	check(t, os.CopyFS(dir, os.DirFS("portals")))
	for _, portal := range []string{"acme", "globex"} {
		check(t, os.Rename(filepath.Join(dir, portal, "env.example"), filepath.Join(dir, portal, ".env")))
	}
	portals := filepath.Join(dir, "portals.yaml")
	for _, args := range [][]string{{"validate"}, {"apply", "--sandbox", "empty-portal.yaml"}} {
		r := run(t, []string{"APP_SECRET=secret"}, append(args, "--portals", portals)...)
		if last := "Apply to 2 portals: 5 created, 0 updated, 0 deleted, 0 failed, 0 skipped, 0 unchanged."; r.code != 0 || args[0] == "apply" && r.lastLine() != last {
			t.Errorf("%s: exit code %d\n%s\n%s", args[0], r.code, r.stdout, r.stderr)
		}
	}
}

// TestDocumentedManifest validates the manifests and portals files that the
// documentation shows.
func TestDocumentedManifest(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n")
	shown := 0
	read := func(page string) {
		content := must(os.ReadFile(page))(t)
		for _, m := range block.FindAllStringSubmatch(string(content), -1) {
			if !strings.Contains(m[1], "version: 1\n") {
				continue // something else, such as rules of Prometheus
			}
			shown++
			dir := t.TempDir()
			args := []string{filepath.Join(dir, "manifest.yaml")}
			if strings.Contains(m[1], "\nportals:") {
				args = append([]string{"--portals"}, args...)
				writeManifests(t, dir, "common", "acme")
			}
			check(t, os.WriteFile(filepath.Join(dir, "manifest.yaml"), []byte(m[1]), 0o644))
			if r := run(t, nil, append([]string{"validate"}, args...)...); r.code != 0 {
				t.Errorf("%s: exit code %d\n%s", page, r.code, r.stderr)
			}
		}
	}
	read("../README.md")
	err := filepath.WalkDir("../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			read(path)
		}
		return err
	})
	if err != nil || shown < 2 {
		t.Errorf("%d manifests are shown: %v", shown, err)
	}
}

// writeManifests makes directories with a manifest of nothing, for portals
// files that name them.
func writeManifests(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		check(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, name, "m.yaml"), []byte("version: 1\nsources: []\n"), 0o644))
	}
}
