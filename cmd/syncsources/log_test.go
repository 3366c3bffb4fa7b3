package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// slowState makes a run that takes a while: each answer comes after two seconds.
const slowState = threeSources + "latency: 2s\n"

// Standard error stays empty on a run without anything to say, and logs as
// asked for: one event a line.
func TestLogs(t *testing.T) {
	paths := files(t, threeSources, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		plan := []string{"plan", "--sandbox", paths[0], paths[1]}
		if got := program(t.Context(), nil, plan...); got.stderr != "" {
			t.Errorf("by default standard error has %q", got.stderr)
		}
		if got := program(t.Context(), nil, append(plan, "--log-level", "info")...); !strings.Contains(got.stderr, "INF run finished") || strings.Contains(got.stderr, "DBG") {
			t.Errorf("at info standard error has %q", got.stderr)
		}
		got := program(t.Context(), []string{"SYNCSOURCES_LOG_LEVEL=debug", "SYNCSOURCES_LOG_FORMAT=json"}, plan...)
		lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
		for _, line := range lines {
			var event struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &event); err != nil || event.Time == "" || event.Level == "" || event.Msg == "" {
				t.Errorf("line %q: %v", line, err)
			}
		}
		if len(lines) < 2 {
			t.Errorf("at debug there are only %q", lines)
		}
		if strings.Contains(got.stdout, "{") {
			t.Errorf("a log line went to standard output: %q", got.stdout)
		}
	})
}

// The progress bar is on standard error, on terminals only unless forced, and
// gone at the end.
func TestProgress(t *testing.T) {
	paths := files(t, slowState, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		apply := []string{"apply", "--sandbox", paths[0], paths[1]}
		if got := program(t.Context(), nil, apply...); got.stderr != "" {
			t.Errorf("without a terminal standard error has %q", got.stderr)
		}
		got := program(t.Context(), nil, append(apply, "--progress", "always")...)
		for _, want := range []string{"reading 0/3", "writing 0/3"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("no %q in %q", want, got.stderr)
			}
		}
		if !strings.HasSuffix(got.stderr, "\x1b[K") {
			t.Errorf("it is not gone at the end: %q", got.stderr)
		}
		if strings.Contains(got.stdout, "\x1b") {
			t.Errorf("standard output has %q", got.stdout)
		}
	})
}

// What is logged of a renewed token does not run into the progress bar either.
func TestProgressAndTokens(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, slowState+"address: https://acme.bitrix24.com\n")
		a := &app{env: option.NewEnvironment([]string{
			"B24_PORTAL_URL=https://acme.bitrix24.com", "B24_CLIENT_ID=" + sandbox.ClientID, "B24_CLIENT_SECRET=" + sandbox.ClientSecret,
			"B24_TOKEN_FILE=" + filepath.Join(t.TempDir(), "token.json"), "B24_REFRESH_TOKEN=" + sandbox.RefreshToken,
		}), transport: portal.RoundTripper()}
		got := programOf(t.Context(), a, "plan", "--progress", "always", "--log-level", "info", paths[0])
		if got.code != exit.OK || !strings.Contains(got.stderr, "reading 0/3") || !regexp.MustCompile(`\x1b\[K[0-9:]+ INF renewed`).MatchString(got.stderr) {
			t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
		}
	})
}

// Off a terminal a run that takes longer says so once a minute.
func TestHeartbeat(t *testing.T) {
	paths := files(t, threeSources+"latency: 18s\nupdate_cost: 20s\n", threeManifest)
	synctest.Test(t, func(t *testing.T) {
		apply := []string{"apply", "--sandbox", paths[0], paths[1]}
		got := program(t.Context(), nil, apply...)
		if n := strings.Count(got.stderr, "WRN still running"); got.code != exit.OK || n < 1 || n > 4 || strings.Count(got.stderr, "\n") != n || !strings.Contains(got.stderr, "phase=") {
			t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
		}
		for _, args := range [][]string{{"--progress", "never"}, {"--log-level", "error"}} {
			if got := program(t.Context(), nil, append(apply, args...)...); got.stderr != "" {
				t.Errorf("%v: standard error %q", args, got.stderr)
			}
		}
	})
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		environ []string
		noColor bool
		want    bool
	}{
		{nil, false, false}, // not a terminal
		{[]string{"FORCE_COLOR=1"}, false, true},
		{[]string{"FORCE_COLOR=0"}, false, false},
		{[]string{"FORCE_COLOR=1", "NO_COLOR=1"}, false, false},
		{[]string{"FORCE_COLOR=1", "NO_COLOR="}, false, true}, // no-color.org: an empty one does not count
		{[]string{"FORCE_COLOR=1"}, true, false},
		{[]string{"FORCE_COLOR=1", "TERM=dumb"}, false, true},
	} {
		if got := option.NewEnvironment(c.environ).Colored(c.noColor, &bytes.Buffer{}); got != c.want {
			t.Errorf("%v, --no-color=%t: %t, want %t", c.environ, c.noColor, got, c.want)
		}
	}
	paths := files(t, threeSources, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		plan := []string{"plan", "--sandbox", paths[0], paths[1]}
		if got := program(t.Context(), []string{"FORCE_COLOR=1"}, plan...); !strings.Contains(got.stdout, "\x1b[") {
			t.Errorf("no colour in %q", got.stdout)
		}
		if got := program(t.Context(), []string{"FORCE_COLOR=1"}, append(plan, "--no-color")...); strings.Contains(got.stdout, "\x1b[") {
			t.Errorf("colour in %q", got.stdout)
		}
	})
}

// With JSON logs standard error is one object a line, whatever went wrong, and
// says it once.
func TestErrorsAsEvents(t *testing.T) {
	paths := files(t, threeSources+"faults: [{kind: overload, rate: 1}]\n", threeManifest, "version: 2\nsources: [{}]\n")
	synctest.Test(t, func(t *testing.T) {
		for want, args := range map[string][]string{
			"OVERLOAD_LIMIT": {"apply", "--sandbox", paths[0], paths[1]},
			`"rule":"missing-key","hint":"add connector`: {"apply", "--sandbox", paths[0], paths[2]},
			"no credentials":       {"plan", paths[1]},
			"unknown flag --bogus": {"plan", "--bogus", paths[1]},
			"no such file":         {"plan", "--sandbox", paths[0], "absent.yaml"},
			"matches no flag":      {"plan", "--sandbox", paths[0], paths[2]},
		} {
			got := program(t.Context(), []string{"SYNCSOURCES_LOG_FORMAT=json", "SYNCSOURCES_OUTPT=json"}, args...)
			if got.code == exit.OK || strings.Count(got.stderr, want) != 1 {
				t.Errorf("%v: exit code %d, standard error without one %q: %s", args, got.code, want, got.stderr)
			}
			for _, line := range strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n") {
				if !json.Valid([]byte(line)) {
					t.Errorf("%v: line %q", args, line)
				}
			}
		}
	})
}

// Paths are foreign text: none reaches the terminal as it is.
func TestMessagesAreHarmless(t *testing.T) {
	const hostile = "a\x1b[31m\u202eb.yaml"
	for _, args := range [][]string{
		{"plan", hostile}, {"plan", "--sandbox", hostile, files(t, threeManifest)[0]}, {"plan", "--report", hostile, "m.yaml"},
		{"sandbox", "--state", hostile}, {hostile}, {"plan", "--" + hostile}, {"plan", "--progress", hostile, "m.yaml"}, {"version", hostile},
	} {
		got := program(t.Context(), nil, args...)
		if got.code != exit.Invalid || strings.ContainsAny(got.stderr, "\x1b\u202e") || !strings.Contains(got.stderr, "b.yaml") {
			t.Errorf("%q: exit code %d, standard error %q", args, got.code, got.stderr)
		}
	}
}

func TestJSONLogGivesNoOrders(t *testing.T) {
	var b strings.Builder
	(&logFlags{level: "info", format: "json"}).logger(&b, false).Info("source failed", "reason", "##[add-mask]the ##vso[task.complete]", "name", "a\u202eb")
	var event struct{ Reason string }
	if got := b.String(); strings.Contains(got, "##") || json.Unmarshal([]byte(got), &event) != nil || event.Reason != "##[add-mask]the ##vso[task.complete]" {
		t.Errorf("got %q", got)
	}
}

func TestLogGivesNoOrders(t *testing.T) {
	var b strings.Builder
	(&logFlags{level: "info", format: "text"}).logger(&b, false).Info("source failed", "reason", "##[add-mask]the ##vso[task.complete]")
	if got := b.String(); strings.Contains(got, "##") || !strings.Contains(got, `#\x23[add-mask]the`) {
		t.Errorf("got %q", got)
	}
}
