// Package examples holds manifests, states of sandboxes, and files that run the
// program on a schedule or in CI. Its tests run them.
package examples

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// program is the path of syncsources, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "syncsources-examples-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		program = filepath.Join(dir, "syncsources.exe") // Windows wants the ending, the others do not mind
		build := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s", "-o", program, "../cmd/syncsources")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// depend looks at all files that make the program. A passed test is not run
// again until a file changes that it has looked at, and what the go command
// reads to build the program does not count as such.
var depend = sync.OnceValue(func() error {
	for _, path := range []string{"../go.sum", "../cmd", "../manifest", "../schema", "../bitrix", "../runner"} {
		err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "testdata" {
				return fs.SkipDir
			}
			if err == nil {
				_, err = os.Stat(name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

// result is how a run ended.
type result struct {
	code           int
	stdout, stderr string
}

// lastLine is the last line of the standard output.
func (r result) lastLine() string {
	lines := strings.Split(strings.TrimRight(r.stdout, "\n"), "\n")
	return lines[len(lines)-1]
}

// run runs the program with nothing but the given environment.
func run(t *testing.T, env []string, args ...string) result {
	t.Helper()
	check(t, depend())
	cmd := exec.Command(program, args...)
	cmd.Env = append([]string{"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// schedule is what a crontab, a unit or a pod runs: the arguments after the
// name of the program, and its environment.
type schedule struct {
	args []string
	env  map[string]string
}

// credentials are the variables that the program takes credentials from; that
// they are spelt right is not seen in a run on the sandbox.
var credentials = map[string]bool{
	"B24_WEBHOOK_URL": true, "B24_WEBHOOK_URL_FILE": true, "B24_PORTAL_URL": true, "B24_ACCESS_TOKEN": true, "B24_ACCESS_TOKEN_FILE": true,
	"B24_CLIENT_ID": true, "B24_CLIENT_SECRET": true, "B24_CLIENT_SECRET_FILE": true, "B24_TOKEN_FILE": true, "B24_TOKEN_HELPER": true,
	"B24_REFRESH_TOKEN": true, "B24_REFRESH_TOKEN_FILE": true, "B24_OAUTH_URL": true,
}

// rehearse runs a scheduled command as it is, but for its manifests, its
// portal and where it writes metrics: those become examples, the sandbox and a
// file of the test.
func (s schedule) rehearse(t *testing.T) {
	t.Helper()
	if len(s.args) < 2 || s.args[0] != "apply" {
		t.Fatalf("the command does not begin with apply and end with a path: %q", s.args)
	}
	args := append([]string{}, s.args...)
	if path := args[len(args)-1]; path != "/etc/syncsources/manifests" {
		t.Errorf("the manifests are at %q", path)
	}
	args[len(args)-1] = "docs-example.yaml"
	args = append(args, "--sandbox", "sandbox.yaml")

	var env []string
	metrics := ""
	for name, value := range s.env {
		switch {
		case credentials[name]:
			continue
		case strings.HasPrefix(name, "B24_"):
			t.Errorf("no such credentials: %s", name)
		case name == "SYNCSOURCES_METRICS_FILE":
			metrics = filepath.Join(t.TempDir(), "metrics.prom")
			value = metrics
		case name == "SYNCSOURCES_ALLOW_FILE", name == "XDG_STATE_HOME":
			value = t.TempDir()
		}
		env = append(env, name+"="+value)
	}
	r := run(t, env, args...)
	if r.code != 0 || r.lastLine() != "Apply to sandbox: 0 created, 1 updated, 0 deleted, 0 failed, 0 skipped, 0 unchanged." {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if strings.Contains(r.stderr, "warning") {
		t.Errorf("a warning: %s", r.stderr)
	}
	if content, err := os.ReadFile(metrics); metrics != "" && (err != nil || !bytes.Contains(content, []byte("# HELP "))) {
		t.Errorf("no metrics: %v\n%s", err, content)
	}
}

// must returns a value, and ends the test with the error that came instead.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return value
	}
}

// check ends the test with an error, if there is one.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
