package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// root is a directory below which files may be referenced.
type root string // after resolving links

// secretsDir is where container platforms mount secrets.
const secretsDir = "/run/secrets"

// allowed returns the directories whose files a manifest in dir may reference.
// Those that do not exist allow nothing.
func (r *resolving) allowed(dir string) []root {
	if roots, known := r.roots[dir]; known {
		return roots
	}
	secrets := r.SecretsDir
	if secrets == "" {
		secrets = secretsDir
	}
	var roots []root
	for _, d := range append([]string{dir, secrets}, r.AllowDirs...) {
		real, err := realPath(d)
		if err == nil {
			roots = append(roots, root(real))
		}
	}
	if r.roots == nil {
		r.roots = map[string][]root{}
	}
	r.roots[dir] = roots
	return roots
}

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

// file returns the text in a referenced file.
func (r *resolving) file(ref *reference) (string, *fault) {
	data, problem := r.content(ref, maxReferenced)
	if problem != nil {
		return "", problem
	}
	s := string(trimNewline(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	return s, unfit("the file "+Quote(ref.file), "file", s)
}

// content returns what a referenced file holds, a little more than most bytes
// if there is more.
//
// A manifest may come from anybody who can open a pull request, and what it
// references is sent to the portal. So the path is resolved first, and has to
// lie below an allowed directory; then the file is opened through that
// directory, which no link leads out of, even one that has been put there in
// between. Kernel file systems are refused wherever they are mounted below:
// they show the environment, and with it our credentials.
func (r *resolving) content(ref *reference, most int) ([]byte, *fault) {
	shown := "the file " + Quote(ref.file)
	path := filepath.FromSlash(ref.file)
	if !filepath.IsAbs(path) {
		path = filepath.Join(ref.dir, path)
	}
	roots := r.allowed(ref.dir)
	real, err := realPath(path)
	if err != nil {
		// Whether a file exists outside is nobody's business either.
		if _, _, ok := below(wouldBe(path), roots); !ok {
			return nil, outside(shown)
		}
		return nil, unreadable(shown, err)
	}
	dir, name, ok := below(real, roots)
	if !ok || kernel(real) {
		return nil, outside(shown)
	}
	data, err := r.readBelow(dir, name, most)
	if errors.Is(err, errDenied) {
		return nil, &fault{"reserved-file", shown + " cannot be referenced", []string{"it holds our own credentials"}}
	}
	if err != nil {
		return nil, unreadable(shown, err)
	}
	return data, nil
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

func outside(shown string) *fault {
	return &fault{"file-outside", shown + " is not below a directory that may be referenced",
		[]string{"allowed are files below the manifest's directory or /run/secrets, after resolving links, and below each --allow-file DIR"}}
}

func unreadable(shown string, err error) *fault {
	var failure *fs.PathError
	if errors.As(err, &failure) {
		err = failure.Err
	}
	return &fault{"file-unreadable", fmt.Sprintf("%s cannot be read: %v", shown, err), nil}
}

// kernel reports whether a path lies in a file system of the kernel's.
func kernel(path string) bool {
	for _, dir := range []string{"/proc/", "/sys/"} {
		if strings.HasPrefix(path+"/", dir) {
			return true
		}
	}
	return false
}

var errDenied = errors.New("denied")

// readBelow reads a regular file below a directory, up to a little more than
// most bytes.
func (r *resolving) readBelow(dir root, name string, most int) ([]byte, error) {
	opened, err := os.OpenRoot(string(dir))
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	// Without O_NONBLOCK a named pipe would keep us waiting for a writer.
	f, err := opened.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if denied(info, r.DenyFiles) {
		return nil, errDenied
	}
	return io.ReadAll(io.LimitReader(f, int64(most)+6)) // with a byte order mark and a line break
}

// denied reports whether a file is one of those at the paths.
func denied(info fs.FileInfo, paths []string) bool {
	for _, path := range paths {
		if other, err := os.Stat(path); err == nil && os.SameFile(other, info) {
			return true
		}
	}
	return false
}
