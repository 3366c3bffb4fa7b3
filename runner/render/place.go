package render

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// temporary is how the names of files begin that will replace another.
const temporary = ".syncsources-"

// checkPlace returns an error where ReplaceFile could not write to path now.
func checkPlace(what, path string) error {
	path, err := behindLinks(what, path)
	if err != nil {
		return err
	}
	sweep(path)
	probe, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err == nil {
		probe.Close()
		err = os.Remove(probe.Name())
	}
	if err != nil && !writableInPlace(path) {
		return fmt.Errorf("%s %q: its directory must exist and be writable: %w", what, path, cmp.Or(errors.Unwrap(err), err))
	}
	return nil
}

// ReplaceFile replaces the file at path in one step with what write writes.
// Where there is a file, it keeps its mode; a new one gets mode, or with 0 what
// the umask leaves of 0666. A file that cannot be replaced, such as one that is
// mounted into a container by itself, is written in place.
func ReplaceFile(what, path string, mode fs.FileMode, write func(io.Writer) error) error {
	path, err := behindLinks(what, path)
	if err != nil {
		return err
	}
	failed := func(err error) error { return fmt.Errorf("%s %q: %w", what, path, err) }
	f, err := createTemporary(path)
	if err != nil {
		if !writableInPlace(path) {
			return failed(err)
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return failed(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			return failed(err)
		}
		return nil
	}
	defer os.Remove(f.Name()) // gone already where all went well
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	err = write(f)
	if err == nil && mode != 0 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return failed(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		content, readErr := os.ReadFile(f.Name())
		if readErr != nil || !writableInPlace(path) {
			return failed(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return failed(err)
		}
	}
	return nil
}

// behindLinks returns the path of the file itself where path is a link to one.
// Only regular files can be replaced.
func behindLinks(what, path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil { // it does not exist yet, or its directory does not
		return path, nil
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return "", fmt.Errorf("%s %q: it is a link that leads nowhere", what, path)
		}
		if info, err = os.Stat(real); err != nil {
			return "", fmt.Errorf("%s %q: %w", what, path, errors.Unwrap(err))
		}
		path = real
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s %q: it exists, and is not a regular file", what, path)
	}
	return path, nil
}

// createTemporary creates a file beside path. Unlike os.CreateTemp it leaves
// the mode to the umask.
func createTemporary(path string) (*os.File, error) {
	for try := 0; ; try++ {
		name := filepath.Join(filepath.Dir(path), fmt.Sprint(temporary, time.Now().UnixNano()+int64(try)))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !errors.Is(err, fs.ErrExist) || try == 100 {
			return f, err
		}
	}
}

// writableInPlace reports whether there is a file at path that can be written
// to.
func writableInPlace(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// stale is how old a temporary file is that nobody is writing any more.
const stale = time.Minute

// sweep removes the temporary files that killed runs have left of the file at
// path. What cannot be removed stays.
func sweep(path string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), temporary)
		if !ours || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// CheckFile checks before a run whether WriteFile will know the format of path,
// and whether it could be written there now: a run should not fail at its
// report.
func CheckFile(path string) error {
	if _, err := ofFile(path); err != nil {
		return err
	}
	return checkPlace("report file", path)
}

// WriteFile writes the run to a file, in the format that the file's extension
// selects. The file appears, or is replaced, as a whole; of a failure an older
// one survives.
func WriteFile(path string, run Run, o Options) error {
	format, err := ofFile(path)
	if err != nil {
		return err
	}
	return ReplaceFile("report file", path, 0, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		if err := format(b, run, o); err != nil {
			return err
		}
		return b.Flush()
	})
}
