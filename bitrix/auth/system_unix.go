//go:build unix

package auth

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// harmless opens a file in whose place somebody may have put another thing: it
// follows no link, and does not wait for the other end of a pipe.
const harmless = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// owned reports whether a file is this process's user's.
func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// writableByOthers reports whether the group or others may write.
func writableByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// detach puts a command into a process group of its own.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
