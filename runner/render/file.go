package render

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/sys/atomicwriter"

	"syncsources/runner"
)

// CheckFile tells before a run whether WriteFile will know the form of path,
// and whether it could be written there now: a run should not fail at its report.
func CheckFile(path string) error {
	if _, err := formOfFile(path); err != nil {
		return err
	}
	return checkPlace("report file", path)
}

// checkPlace returns an error where no file could be written at path now.
func checkPlace(what, path string) error {
	sweep(path)
	probe, err := os.CreateTemp(filepath.Dir(path), ".syncsources-*")
	if err != nil {
		return fmt.Errorf("%s %q: its directory must exist and be writable: %w", what, path, errors.Unwrap(err))
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return fmt.Errorf("%s %q: %w", what, path, err)
	}
	if at, err := os.Lstat(path); err == nil && !at.Mode().IsRegular() {
		return fmt.Errorf("%s %q: it exists, and is not a regular file", what, path)
	}
	return nil
}

// stale is how old a temporary file is that nobody is writing any more.
const stale = time.Minute

// sweep removes the temporary files that killed runs have left of the file at
// path. What cannot be removed stays.
func sweep(path string) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return
	}
	for _, e := range entries {
		// The names that atomicwriter and checkPlace give: a prefix and a random
		// number.
		ours := false
		for _, prefix := range []string{".tmp-" + base, ".syncsources-"} {
			number, ok := strings.CutPrefix(e.Name(), prefix)
			ours = ours || ok && number != "" && strings.Trim(number, "0123456789") == ""
		}
		if !ours {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// WriteFile writes the report to a file, in the form that the file's ending
// names: .json, .md or .xml (JUnit). The file appears, or is replaced, as a
// whole, readable for everyone (0644); of a failure an older one survives.
func WriteFile(path string, r *runner.Report) error {
	form, err := formOfFile(path)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := form(&b, r, Options{}); err != nil {
		return fmt.Errorf("report file %q: %w", path, err)
	}
	if err := atomicwriter.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("report file %q: %w", path, err)
	}
	return nil
}

func formOfFile(path string) (Func, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return JSON, nil
	case ".md":
		return Markdown, nil
	case ".xml":
		return JUnit, nil
	}
	return nil, fmt.Errorf("report file %q: its ending tells the form, and has to be .json, .md or .xml", path)
}
