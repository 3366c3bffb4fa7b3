package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestManifests applies each manifest to the sandbox.
func TestManifests(t *testing.T) {
	for _, c := range []struct {
		paths, last string
		code        int
		fails       string // the source that fails
	}{
		{"docs-example.yaml", "Apply to sandbox: 0 created, 1 updated, 0 deleted, 0 failed, 0 skipped, 0 unchanged.", 0, ""},
		{"fleet.yaml", "Apply to sandbox: 0 created, 4 updated, 0 deleted, 1 failed, 0 skipped, 1 unchanged.", 1, "! payroll (#7)"},
		{"docs-example.yaml fleet.yaml", "Apply to sandbox: 0 created, 5 updated, 0 deleted, 1 failed, 0 skipped, 1 unchanged.", 1, "! payroll (#7)"},
	} {
		r := run(t, nil, append([]string{"apply", "--sandbox", "sandbox.yaml"}, strings.Fields(c.paths)...)...)
		if r.code != c.code || r.lastLine() != c.last || !strings.Contains(r.stdout, c.fails) {
			t.Errorf("%s: exit code %d\n%s\n%s", c.paths, r.code, r.stdout, r.stderr)
		}
		for _, secret := range []string{"new_password", "old_password", "stock-example-password", "rates-example-token", "rates-token"} {
			if strings.Contains(r.stdout+r.stderr, secret) {
				t.Errorf("%s: %s is printed", c.paths, secret)
			}
		}
	}
}

// TestDocumentedManifest validates the manifests that the README shows.
func TestDocumentedManifest(t *testing.T) {
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n").FindAllStringSubmatch(string(content), -1)
	if len(blocks) == 0 {
		t.Fatal("README.md shows no manifest")
	}
	for _, block := range blocks {
		path := filepath.Join(t.TempDir(), "manifest.yaml")
		if err := os.WriteFile(path, []byte(block[1]), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := run(t, nil, "validate", path); r.code != 0 {
			t.Errorf("exit code %d\n%s", r.code, r.stderr)
		}
	}
}
