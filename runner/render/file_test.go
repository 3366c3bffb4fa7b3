package render_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/runner/render"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	for ending, format := range map[string]render.Func{".json": render.JSON, ".md": render.Markdown, ".xml": render.JUnit, ".JSON": render.JSON, ".html": render.HTML} {
		file := filepath.Join(dir, "report"+ending)
		if err := render.CheckFile(file); err != nil {
			t.Error(err)
		}
		for _, r := range []string{"stopped", "plan"} { // a new file, then one that is replaced
			check(t, render.WriteFile(file, render.One(samples()[r]), render.Options{}))
			got, err := os.ReadFile(file)
			if want := rendered(t, format, samples()[r], render.Options{}); err != nil || !bytes.Equal(got, want) {
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
	check(t, os.WriteFile(file, []byte("before"), 0o600))
	check(t, os.Mkdir(filepath.Join(dir, "dir.json"), 0o700))
	for path, want := range map[string]string{
		"report":      "the extension selects the format: .json, .md, .xml, .html",
		"report.yaml": "the extension selects the format: .json, .md, .xml, .html",
		".json/x":     "the extension selects the format",
		filepath.Join(dir, "none", "report.json"): "its directory must exist and be writable: no such file",
		filepath.Join(file, "report.json"):        "its directory must exist and be writable: not a directory",
		filepath.Join(dir, "dir.json"):            "not a regular file",
	} {
		for name, f := range map[string]func() error{
			"check": func() error { return render.CheckFile(path) },
			"write": func() error { return render.WriteFile(path, render.One(planned()), render.Options{}) },
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

// A report keeps the mode of the file that it replaces, goes to the file behind
// a link, and into a file that cannot be replaced.
func TestWriteFilePlaces(t *testing.T) {
	write := func(path string) {
		t.Helper()
		check(t, render.CheckFile(path))
		check(t, render.WriteFile(path, render.One(planned()), render.Options{}))
		if got, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(got, []byte("{")) {
			t.Errorf("%s: %v, %.20q", path, err, got)
		}
	}
	dir := t.TempDir()
	private := filepath.Join(dir, "private.json")
	check(t, os.WriteFile(private, nil, 0o600))
	link := filepath.Join(dir, "link.json")
	check(t, os.Symlink("private.json", link))
	for _, path := range []string{private, link} {
		write(path)
		if info, err := os.Lstat(private); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if info, _ := os.Lstat(link); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	nowhere := filepath.Join(dir, "nowhere.json")
	check(t, os.Symlink("missing.json", nowhere))
	if err := render.CheckFile(nowhere); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("got %v", err)
	}
	if os.Getuid() == 0 {
		return // may write everywhere
	}
	locked := filepath.Join(t.TempDir(), "locked")
	check(t, os.Mkdir(locked, 0o700))
	inPlace := filepath.Join(locked, "report.json")
	check(t, os.WriteFile(inPlace, []byte("before, and longer than nothing"), 0o600))
	check(t, os.Chmod(locked, 0o500))
	t.Cleanup(func() { _ = os.Chmod(locked, 0o700) })
	write(inPlace)
}

// What a killed run left beside a report goes away with a later run; files of
// others, and those that a run is just writing, stay.
func TestLitterIsSwept(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	stay := []string{"report.json20260101", "report.json.bak", ".tmp-report.json123", ".syncsources-keep", ".syncsources-77"}
	for _, name := range append([]string{".syncsources-123456", ".syncsources-99"}, stay...) {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte("{"), 0o600))
		if name != ".syncsources-77" { // is being written
			check(t, os.Chtimes(path, old, old))
		}
	}
	check(t, render.CheckFile(filepath.Join(dir, "report.json")))
	entries := must(os.ReadDir(dir))(t)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	slices.Sort(stay)
	if diff := cmp.Diff(stay, left); diff != "" {
		t.Error(diff)
	}
}
