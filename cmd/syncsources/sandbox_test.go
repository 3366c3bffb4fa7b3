package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
)

// The sandbox is served until it is interrupted, which is its regular end. In
// between, another process works with it as the first lines say.
func TestSandboxCommand(t *testing.T) {
	state := files(t, threeSources, threeManifest)
	server := exec.Command("syncsources", "sandbox", "--listen", "127.0.0.1:0", "--state", state[0])
	server.Env = ofProcess()
	stdout := must(server.StdoutPipe())(t)
	var stderr strings.Builder
	server.Stderr = &stderr
	check(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("no line on standard output")
	}
	address := regexp.MustCompile(`http://[0-9.:]+[0-9]`).FindString(lines.Text())
	if address == "" {
		t.Fatalf("no address in %q", lines.Text())
	}

	environ := []string{"B24_PORTAL_URL=" + address, "B24_ACCESS_TOKEN=" + sandbox.AccessToken, "TMPDIR=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir()}
	for want, code := range map[string]int{": 0 created, 3 updated": exit.OK} {
		if got := program(t.Context(), environ, "apply", state[1]); got.code != code || !strings.Contains(got.stdout, want) {
			t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	}
	if got := program(t.Context(), environ, "apply", state[1]); got.code != exit.OK || !strings.Contains(got.stdout, "3 unchanged") {
		t.Errorf("the second time: exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}

	check(t, server.Process.Signal(syscall.SIGINT))
	_, _ = io.Copy(io.Discard, stdout)
	if err := server.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	if log := stderr.String(); !strings.Contains(log, "batch") || strings.Contains(log, sandbox.AccessToken) {
		t.Errorf("access log: %q", log)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("it is still there")
	}
}

func TestSandboxMistakes(t *testing.T) {
	state := files(t, threeSources, "sources: [{id: x}]\n")
	taken := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() { _ = taken.Close() }()
	for says, args := range map[string][]string{
		"no such file":                   {"--state", filepath.Join(t.TempDir(), "absent")},
		":1: a text where":               {"--state", state[1]},
		"must be a host and a port":      {"--state", state[0], "--listen", "nowhere"},
		"takes no argument":              {"--state", state[0], "extra"},
		"cannot listen on 127.0.0.1:":    {"--state", state[0], "--listen", taken.Addr().String()},
		"unknown flag --concurrency":     {"--concurrency", "3"}, // no flag where it has no effect
		"SYNCSOURCES_LISTEN: \"x\" must": {"--state", state[0]},
	} {
		var environ []string
		if strings.HasPrefix(says, "SYNCSOURCES_") {
			environ = []string{"SYNCSOURCES_LISTEN=x"}
		}
		got := program(context.Background(), environ, append([]string{"sandbox"}, args...)...)
		if got.code != exit.Invalid || got.stdout != "" || !strings.Contains(got.stderr, says) {
			t.Errorf("%v: exit code %d, standard error %q, want %q", args, got.code, got.stderr, says)
		}
	}
}
