package manifest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// root is a directory below which files may be referenced.
type root string // after resolving links

// realPath returns the absolute path of a file after resolving links.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// below returns path relative to the first directory that it lies below.
func below(path string, roots []root) (dir root, name string, ok bool) {
	for _, r := range roots {
		name, err := filepath.Rel(string(r), path)
		if err == nil && name != "." && filepath.IsLocal(name) {
			return r, name, true
		}
	}
	return "", "", false
}

// wouldBe returns where a file that cannot be found would lie, after resolving
// the links that lead there; "" if one of them leads nowhere.
func wouldBe(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	missing := ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, missing)
		}
		info, err := os.Lstat(path)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 || path == filepath.Dir(path) {
			return ""
		}
		path, missing = filepath.Dir(path), filepath.Join(filepath.Base(path), missing)
	}
}

// kernel reports whether a path lies in a file system of the kernel's.
func kernel(path string) bool {
	return strings.HasPrefix(path+"/", "/proc/") || strings.HasPrefix(path+"/", "/sys/")
}

// denied reports whether a file is one of those at the paths.
func denied(info fs.FileInfo, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		other, err := os.Stat(path)
		return err == nil && os.SameFile(other, info)
	})
}

// mark is the byte order mark that editors put at the start of a file.
var mark = []byte("\uFEFF")

// Reasons why a file is not read.
var (
	errDenied     = errors.New("it holds syncsources' own credentials")
	errNotRegular = errors.New("it is not a regular file")
)

// readRegular reads a regular file up to a little more than most bytes, with
// room for a byte order mark and a line break. Anything else is refused: a
// named pipe would keep us waiting for a writer. A file that one of the paths
// in deny leads to is refused as well, by whatever name it is opened.
func readRegular(open func(name string, flag int, perm fs.FileMode) (*os.File, error), name string, most int, deny []string) ([]byte, error) {
	f, err := open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	if denied(info, deny) {
		return nil, errDenied
	}
	return io.ReadAll(io.LimitReader(f, int64(most)+6))
}
