package manifest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

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
