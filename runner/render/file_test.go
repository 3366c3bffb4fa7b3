package render_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/runner/render"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	for ending, form := range map[string]render.Func{".json": render.JSON, ".md": render.Markdown, ".xml": render.JUnit, ".JSON": render.JSON} {
		file := filepath.Join(dir, "report"+ending)
		if err := render.CheckFile(file); err != nil {
			t.Error(err)
		}
		for _, r := range []string{"stopped", "plan"} { // a new file, then one that is replaced
			if err := render.WriteFile(file, samples()[r], render.Options{}); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if want := rendered(t, form, samples()[r], render.Options{}); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %v, got\n%s", file, err, got)
			}
		}
		if info, _ := os.Stat(file); info.Mode() != 0o644 {
			t.Errorf("%s: mode %v", file, info.Mode())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestCheckFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.json")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"report":      "its ending tells the form, and has to be .json, .md or .xml",
		"report.yaml": "its ending tells the form, and has to be .json, .md or .xml",
		".json/x":     "its ending tells the form",
		filepath.Join(dir, "none", "report.json"): "its directory must exist and be writable: no such file",
		filepath.Join(file, "report.json"):        "its directory must exist and be writable: not a directory",
		filepath.Join(dir, "dir.json"):            "not a regular file",
	} {
		for name, f := range map[string]func() error{
			"check": func() error { return render.CheckFile(path) },
			"write": func() error { return render.WriteFile(path, planned(), render.Options{}) },
		} {
			if err := f(); err == nil || name == "check" && !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v, want %q", name, path, err, want)
			}
		}
	}
	// None of it left anything behind, or touched what was there.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if name := d.Name(); path != dir && name != "file.json" && name != "dir.json" {
			t.Errorf("left over: %s", path)
		}
		return err
	})
	if got, _ := os.ReadFile(file); string(got) != "before" {
		t.Errorf("%s holds %q", file, got)
	}
}
