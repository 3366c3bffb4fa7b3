package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdinName is the name of standard input in positions.
const stdinName = "<stdin>"

// maxFile is the largest file that is read, in bytes: several times what
// 100,000 sources take, and an end for devices that have none.
const maxFile = 256 << 20

// read returns the files that paths name, each once.
func read(paths []string, o Options) ([]*text, error) {
	var files []*text
	var failures []error
	seen := map[string]bool{}
	once := func(key string) bool {
		was := seen[key]
		seen[key] = true
		return !was
	}
	for _, path := range paths {
		if path == "-" {
			if once("-") {
				t, err := readStdin(o.Stdin)
				files, failures = append(files, t), append(failures, err)
			}
			continue
		}
		names, err := expand(path)
		failures = append(failures, err)
		for _, name := range names {
			if !once(identity(name)) {
				continue
			}
			t, err := readFile(name, o.DenyFiles)
			if errors.Is(err, errNotRegular) {
				err = fmt.Errorf("%w; pipe it to standard input, and name that -", err)
			}
			files, failures = append(files, t), append(failures, err)
		}
	}
	return slices.DeleteFunc(files, func(t *text) bool { return t == nil }), errors.Join(failures...)
}

// identity returns a name that two paths to the same file share.
func identity(path string) string {
	if real, err := realPath(path); err == nil {
		return real
	}
	return path
}

func readStdin(stdin io.Reader) (*text, error) {
	if stdin == nil {
		stdin = bytes.NewReader(nil)
	}
	data, err := io.ReadAll(io.LimitReader(stdin, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return newText(stdinName, ".", data), nil
}

// readFile reads a manifest. What is at a path may come from anybody who
// can open a pull request, and a finding may show a part of it: so a link that
// leads to our own credentials, or to where the kernel shows the environment,
// is not read.
func readFile(path string, deny []string) (*text, error) {
	if real, err := realPath(path); err == nil && kernel(real) {
		return nil, pathError(path, errors.New("the link does not point to a manifest"))
	}
	data, err := readRegular(os.OpenFile, path, maxFile, deny)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	if err != nil {
		return nil, pathError(path, err)
	}
	return newText(filepath.ToSlash(path), filepath.Dir(path), data), nil
}

// expand returns the path of a file, or those of all manifests in a directory
// in the order of their names.
func expand(path string) ([]string, error) {
	if path == "" { // a script lost it; Clean would make the working directory of it
		return nil, errors.New("an empty path: name a file, a directory, or - for standard input")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	d := directory{top: path, seen: map[string]bool{}}
	err = d.walk(path)
	if err == nil && len(d.names) == 0 {
		err = fmt.Errorf("%s: the directory holds no *.yaml or *.yml file", printable(filepath.ToSlash(path)))
	}
	slices.SortFunc(d.names, func(a, b string) int { return strings.Compare(filepath.ToSlash(a), filepath.ToSlash(b)) })
	return d.names, err
}

// directory collects the manifests in a directory. Links are followed, to
// directories too, while they stay inside: Kubernetes mounts a ConfigMap with
// its directories as links.
type directory struct {
	top   string
	seen  map[string]bool // directories, after resolving links
	names []string
}

func (d *directory) walk(dir string) error {
	real, err := realPath(dir)
	if err != nil {
		return pathError(dir, err)
	}
	if d.seen[real] {
		return nil
	}
	d.seen[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return pathError(dir, err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if err := d.entry(filepath.Join(dir, entry.Name()), entry); err != nil {
			return err
		}
	}
	return nil
}

func (d *directory) entry(path string, entry fs.DirEntry) error {
	link := entry.Type()&fs.ModeSymlink != 0
	isDir, isManifest := entry.IsDir(), manifestName(path)
	if link {
		info, err := os.Stat(path)
		if err != nil { // it may be a directory of manifests
			return pathError(path, fmt.Errorf("the link leads nowhere: %w", errors.Unwrap(err)))
		}
		isDir = info.IsDir()
	}
	if link && (isDir || isManifest) && leadsOut(path, d.top) {
		return pathError(path, fmt.Errorf("the link leads out of the directory %s; name the file or directory itself if it is meant", Quote(filepath.ToSlash(d.top))))
	}
	if isDir {
		return d.walk(path)
	}
	if isManifest {
		d.names = append(d.names, path)
	}
	return nil
}

// manifestName reports whether a file in a directory is a manifest by its name.
func manifestName(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// Reads reports whether a file is among those that Load may read for a
// directory.
func Reads(dir, path string) bool {
	real, err := realPath(path)
	if err != nil {
		return false
	}
	top, err := realPath(dir)
	if err != nil {
		return false
	}
	_, _, inside := below(real, []root{root(top)})
	return inside && manifestName(real)
}

// leadsOut reports whether a file found in a directory lies outside of it, after
// resolving links. Mounted configuration has links within its directory.
func leadsOut(path, dir string) bool {
	real, err := realPath(path)
	if err != nil {
		return false // reported when it is read
	}
	top, err := realPath(dir)
	if err != nil {
		return true
	}
	_, _, ok := below(real, []root{root(top)})
	return !ok && real != top
}

// pathError says which path failed, without the name of a system call.
func pathError(path string, err error) error {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		err = failure.Err
	}
	return fmt.Errorf("%s: %w", printable(filepath.ToSlash(path)), err)
}
