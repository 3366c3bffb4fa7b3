//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// A named pipe that nobody writes to, in the place of any file that a command
// reads, is refused, or keeps nobody from ending it: by a signal, or by its time
// limit.
func TestPipeAsInput(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { // let the reads end that were left behind
		if f, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			_ = f.Close()
		}
	})
	paths := files(t, threeSources, threeManifest)
	for _, args := range [][]string{
		{"validate", pipe},
		{"plan", "--sandbox", paths[0], pipe},
		{"apply", "--sandbox", pipe, paths[1]},
		{"export", "--sandbox", pipe},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan result)
		go func() { ended <- program(ctx, nil, args...) }()
		cancel(exit.Signal{Received: syscall.SIGTERM})
		got := <-ended
		if refused := got.code == exit.Invalid && strings.Contains(got.stderr, "not a regular file"); got.code != exit.Terminated && !refused {
			t.Errorf("%v after a signal: exit code %d, %s", args, got.code, got.stderr)
		}
		if args[0] == "validate" {
			continue
		}
		got = program(t.Context(), nil, append(args, "--timeout", "1ms")...)
		refused := got.code == exit.Invalid && strings.Contains(got.stderr, "not a regular file")
		if !refused && (got.code != exit.Stopped || !strings.Contains(got.stderr, "time limit")) {
			t.Errorf("%v with a time limit: exit code %d, %s", args, got.code, got.stderr)
		}
	}
}

// In the place of a file that is read or written at once, a pipe is refused.
func TestPipeIsRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	paths := files(t, threeSources, threeManifest)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"report", pipe}, exit.Invalid, "it is not a regular file; pipe it to standard input"},
		{[]string{"export", "--sandbox", paths[0], "--env-file", pipe}, exit.Failed, "it is not a regular file"},
		{[]string{"plan", "--sandbox", paths[0], "-o", "github", paths[1]}, exit.Failed, "step summary: open "},
	} {
		got := program(t.Context(), []string{"GITHUB_STEP_SUMMARY=" + pipe}, c.args...)
		if got.code != c.code || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: exit code %d, %s", c.args, got.code, got.stderr)
		}
	}
}

// The time limit covers standard input.
func TestTimeoutAtStandardInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		input, typing := io.Pipe() // nobody types
		defer func() { _ = typing.Close() }()
		got := programOf(t.Context(), &app{env: option.NewEnvironment(nil), stdin: input}, "plan", "--timeout", "5s", "-o", "json", "-")
		report := got.report(t)
		if got.code != exit.Stopped || report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != runner.CodeTimeout {
			t.Errorf("exit code %d, outcome %s, error %v", got.code, report.Outcome, report.Error)
		}
	})
}

// panicking is an input at which the program breaks down.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic(errors.New("a mistake")) }

// A crash is no change: it ends with the code of a stopped run, and its report
// is written.
func TestPanic(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	a := &app{env: option.NewEnvironment(nil), stdin: panicking{}}
	got := programOf(t.Context(), a, "plan", "--detailed-exitcode", "-o", "json", "--report", report, "-")
	if got.code != exit.Stopped || !strings.Contains(got.stderr, "error: internal error: a mistake\n") {
		t.Errorf("exit code %d, standard error %s", got.code, got.stderr)
	}
	content, err := os.ReadFile(report)
	for _, out := range []string{got.stdout, string(content)} {
		if err != nil || !strings.Contains(out, `"outcome": "stopped"`) || !strings.Contains(out, runner.CodeInternal) {
			t.Errorf("%v: the report is %s", err, out)
		}
	}
}

// panickyPortal breaks down over the answer to the first request that writes.
type panickyPortal struct {
	http.RoundTripper
	wrote bool
}

func (p *panickyPortal) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := p.RoundTripper.RoundTrip(r)
	if bytes.Contains(body, []byte("source.update")) && !p.wrote {
		p.wrote = true
		panic("a mistake")
	}
	return answer, err
}

// A crash while a request is sent, which is not in the main goroutine, ends the
// run as well. What had been written by then is read back.
func TestPanicWhileSending(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources)
		a := &app{env: portalEnvironment(t), transport: &panickyPortal{RoundTripper: portal.RoundTripper()}}
		got := programOf(t.Context(), a, "apply", "--batch-size", "2", "--concurrency", "1", "-o", "json", paths[0])
		report := got.report(t)
		if got.code != exit.Stopped || report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != runner.CodeInternal || report.Error.Hint == "" {
			t.Errorf("exit code %d, outcome %s, error %v", got.code, report.Outcome, report.Error)
		}
		if s := report.Summary; s.Updated == 0 || s.Skipped == 0 || s.Updated+s.Skipped != 3 || !strings.Contains(got.stderr, "a mistake") || !strings.Contains(got.stderr, "RoundTrip") {
			t.Errorf("summary %+v, standard error %s", s, got.stderr)
		}
	})
}

// panickyTown breaks down over whatever goes to one host.
type panickyTown struct {
	http.RoundTripper
	host string
}

func (p panickyTown) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == p.host {
		panic("a mistake")
	}
	return p.RoundTripper.RoundTrip(r)
}

// A crash over one of many portals is that portal's status.
func TestPanicOfStatus(t *testing.T) {
	r := newFleetRun(t, nil, "acme", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		a := &app{env: option.NewEnvironment(r.environ), transport: panickyTown{r.portals, "acme.example"}}
		got := programOf(t.Context(), a, "status", "--portals", r.file)
		if got.code != exit.Stopped || !strings.Contains(got.stdout, "internal error: a mistake") || !strings.Contains(got.stdout, "1 of 2 portals are ready.") {
			t.Errorf("exit code %d, %s", got.code, got.stdout)
		}
		if !strings.Contains(got.stderr, "RoundTrip") {
			t.Errorf("standard error %s", got.stderr)
		}
	})
}

// One while login reads what is typed, or piped in, ends it as a stopped run.
func TestPanicOfLogin(t *testing.T) {
	_, environ, _ := applicationPortal(t, "")
	for _, terminal := range []bool{true, false} {
		a := &app{env: option.NewEnvironment(environ), stdin: panicking{}, terminal: func(any) bool { return terminal }}
		got := programOf(t.Context(), a, "login", "--listen", "127.0.0.1:0")
		if got.code != exit.Stopped || !strings.Contains(got.stderr, "error: internal error: a mistake\n") {
			t.Errorf("exit code %d, standard error %s", got.code, got.stderr)
		}
	}
}
