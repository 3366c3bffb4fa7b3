package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// environment knows the variables of a story. testscript prints their values,
// and not which there are.
type environment struct{ names []string }

var assignment = regexp.MustCompile(`\b([A-Za-z_][A-Za-z0-9_]*)=`)

// newEnvironment collects the names that a story begins with, those that its
// script sets, and those that the commands of stories set.
func newEnvironment(initial []string, script string) *environment {
	e := &environment{names: []string{"B24_PORTAL_URL", "B24_ACCESS_TOKEN"}}
	for _, m := range assignment.FindAllStringSubmatch(strings.Join(initial, "\n")+"\n"+script, -1) {
		e.names = append(e.names, m[1])
	}
	return e
}

// of is the environment of a story now. An empty variable counts as unset.
func (e *environment) of(ts *testscript.TestScript) []string {
	var environ []string
	for _, name := range e.names {
		if value := ts.Getenv(name); value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// workingDirectory is the one of the process, which stories share.
var workingDirectory sync.Mutex

// exits runs a command, which must end with a code. The program runs in this
// process, because starting one takes longer than all else it does; in stories
// about processes (see TestStories) it is started.
//
//	exits CODE [env NAME=VALUE...] syncsources ARGUMENT... [<FILE]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, command := args[0], args[1:]
	var environ []string
	rest := command
	if rest[0] == "env" {
		for rest = rest[1:]; len(rest) > 0 && strings.Contains(rest[0], "="); rest = rest[1:] {
			environ = append(environ, rest[0])
		}
	}
	s := storyOf(ts)
	if s.processes || len(rest) == 0 || rest[0] != "syncsources" {
		exitsAsProcess(ts, want, command)
		return
	}
	var stdin io.Reader = strings.NewReader("")
	if path, ok := strings.CutPrefix(rest[len(rest)-1], "<"); ok {
		stdin, rest = strings.NewReader(ts.ReadFile(path)), rest[:len(rest)-1]
	}
	workingDirectory.Lock()
	defer workingDirectory.Unlock()
	was, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	code := run(context.Background(), append(environ, s.environment.of(ts)...), stdin, ts.Stdout(), ts.Stderr(), rest[1:])
	ts.Check(os.Chdir(was))
	if strconv.Itoa(code) != want {
		ts.Fatalf("%v exited with %d, want %s", command, code, want)
	}
}

// noSleep keeps a process of the race detector's from sleeping for a second
// before it ends.
const noSleep = "GORACE=atexit_sleep_ms=0"

// ofProcess is the environment of a process.
func ofProcess(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), noSleep}, more...)
}

func exitsAsProcess(ts *testscript.TestScript, want string, command []string) {
	got := "0"
	var status *exec.ExitError
	if err := ts.Exec(command[0], command[1:]...); errors.As(err, &status) {
		got = strconv.Itoa(status.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v: %v", command, err)
	}
	if got != want {
		ts.Fatalf("%v exited with %s, want %s", command, got, want)
	}
}
