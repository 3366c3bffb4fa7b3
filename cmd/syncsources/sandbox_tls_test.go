package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"syncsources/bitrix/sandbox"
)

// With --tls the sandbox says how to trust it, and who does works with it; its
// certificate goes when it goes.
func TestSandboxTLS(t *testing.T) {
	state := files(t, threeSources, threeManifest)
	server := exec.Command("syncsources", "sandbox", "--tls", "--quiet", "--listen", "127.0.0.1:0", "--state", state[0])
	server.Env = ofProcess("TMPDIR=" + t.TempDir())
	stdout := must(server.StdoutPipe())(t)
	check(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill() })
	var address, trust string
	for lines := bufio.NewScanner(stdout); trust == "" && lines.Scan(); {
		if a := regexp.MustCompile(`https://[0-9.:]+[0-9]`).FindString(lines.Text()); address == "" {
			address = a
		}
		if m := regexp.MustCompile(`^  export (SSL_CERT_FILE=(\S+))`).FindStringSubmatch(lines.Text()); m != nil {
			trust = m[2]
		}
	}
	for _, c := range []struct {
		trusts bool
		want   string
	}{{false, "certificate"}, {true, "3 updated"}} {
		client := exec.CommandContext(t.Context(), "syncsources", "apply", "--yes", state[1])
		client.Env = ofProcess("B24_PORTAL_URL="+address, "B24_ACCESS_TOKEN="+sandbox.AccessToken,
			"TMPDIR="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
		if c.trusts {
			client.Env = append(client.Env, "SSL_CERT_FILE="+trust)
		}
		out, err := client.CombinedOutput()
		if (err == nil) != c.trusts || !strings.Contains(string(out), c.want) {
			t.Errorf("trusting %v: %v\n%s", c.trusts, err, out)
		}
	}
	check(t, server.Process.Signal(syscall.SIGINT))
	_, _ = io.Copy(io.Discard, stdout)
	if err := server.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := os.Stat(trust); !os.IsNotExist(err) {
		t.Errorf("the certificate is left behind: %v", err)
	}
}
