//go:build unix

package auth

import (
	"io/fs"
	"os"
	"syscall"
)

// Flags for opening a file in whose place somebody may have put another thing:
// unblocked does not wait for the other end of a pipe, harmless does not follow
// a link either.
const (
	unblocked = syscall.O_NONBLOCK
	harmless  = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
)

// owned reports whether a file is this process's user's.
func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// writableByOthers reports whether the group or others may write.
func writableByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }
