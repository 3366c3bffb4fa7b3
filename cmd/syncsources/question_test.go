package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// atTerminal runs the program as somebody at a terminal would who types this,
// against a portal that holds threeSources.
func atTerminal(t *testing.T, typed string, args ...string) (result, *sandbox.Portal) {
	t.Helper()
	return withPortal(t, strings.NewReader(typed), true, args...)
}

func withPortal(t *testing.T, stdin io.Reader, terminal bool, args ...string) (result, *sandbox.Portal) {
	t.Helper()
	portal := openPortal(t, threeSources)
	a := appAt(t, portal, stdin)
	a.terminal = func(any) bool { return terminal }
	return programOf(t.Context(), a, args...), portal
}

// appAt is the program at a terminal, signed in to a portal.
func appAt(t *testing.T, portal *sandbox.Portal, stdin io.Reader) *app {
	return &app{env: portalEnvironment(t), stdin: stdin, transport: portal.RoundTripper(), terminal: func(any) bool { return true }}
}

// portalEnvironment is what signs in to the portal at address.
func portalEnvironment(t *testing.T) option.Environment {
	return option.NewEnvironment([]string{"B24_PORTAL_URL=" + address, "B24_ACCESS_TOKEN=" + sandbox.AccessToken, "TOKEN=" + sandbox.AccessToken, "XDG_STATE_HOME=" + t.TempDir()})
}

// openPortal is a sandbox that closes with the test.
func openPortal(t *testing.T, state string) *sandbox.Portal {
	t.Helper()
	s := must(sandbox.ReadState(strings.NewReader(state)))(t)
	portal := must(sandbox.New(s))(t)
	t.Cleanup(func() { _ = portal.Close() })
	return portal
}

// At a terminal an apply shows the plan and asks once; only yes is a yes.
func TestQuestion(t *testing.T) {
	paths := files(t, threeManifest, "version: 1\nportal: "+address+"\nsources: [{id: 4, title: New}]\n", "version: 1\nsources: [{id: 4, title: Old}]\n")
	const question = "Apply 3 updates to portal.example? yes/no "
	synctest.Test(t, func(t *testing.T) {
		for _, typed := range []string{"yes\n", "YES\n", " yes \r\n"} {
			got, portal := atTerminal(t, typed, "apply", "--progress", "never", paths[0])
			if s, _ := portal.Source(4); got.code != exit.OK || s.Title != "New" || strings.Count(got.stderr, question) != 1 || !strings.Contains(got.stderr, `"Old" -> "New"`) {
				t.Errorf("%q: exit code %d, %s%s", typed, got.code, got.stdout, got.stderr)
			}
		}
		got, _ := atTerminal(t, "no\n", "apply", "--progress", "never", paths[0])
		if strings.Contains(got.stdout, "Old") || !strings.HasSuffix(got.stdout, "Apply to portal.example: 0 created, 0 updated, 0 deleted, 0 failed, 3 skipped, 0 unchanged.\n") {
			t.Errorf("after a no the plan is shown again:\n%s", got.stdout)
		}
		for _, typed := range []string{"no\n", "y\n", "\n", "", "yes please\n", "ja\n"} {
			got, portal := atTerminal(t, typed, "apply", "--progress", "never", "-o", "json", paths[0])
			report := got.report(t)
			if s, _ := portal.Source(4); got.code != exit.Failed || s.Title != "Old" || report.Command != "apply" || report.Summary.Skipped != 3 || report.Error == nil {
				t.Errorf("%q: exit code %d, title %q, %+v", typed, got.code, s.Title, report)
			}
		}
	})
}

// A signal during the question leaves the report of what would have been done,
// of one portal as of many.
func TestSignalDuringTheQuestion(t *testing.T) {
	portals := "version: 1\nportals: [{url: \"" + address + "\", manifests: [%s], credentials: {access_token: {env: TOKEN}}}]\n"
	paths := files(t, threeManifest)
	paths = append(paths, files(t, fmt.Sprintf(portals, paths[0]))...)
	for _, what := range [][]string{{paths[0]}, {"--portals", paths[1]}} {
		synctest.Test(t, func(t *testing.T) {
			portal := openPortal(t, threeSources)
			ctx, interrupt := context.WithCancelCause(t.Context())
			a := appAt(t, portal, &changing{func() { interrupt(exit.Signal{Received: syscall.SIGINT}); time.Sleep(time.Hour) }, strings.NewReader("yes\n")})
			got := programOf(ctx, a, append([]string{"apply", "--progress", "never", "-o", "json"}, what...)...)
			time.Sleep(2 * time.Hour) // whoever reads standard input
			report := got.report(t)
			if s, _ := portal.Source(4); got.code != exit.Interrupted || s.Title != "Old" || report.Outcome != runner.OutcomeInterrupted || report.Summary.Skipped != 3 {
				t.Errorf("%v: exit code %d, title %q, %s%s", what, got.code, s.Title, got.stdout, got.stderr)
			}
		})
	}
}

// The time limit begins again after the question: the time to think does not
// count.
func TestTimeToThinkDoesNotCount(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources+"update_cost: 10s\n")
		a := appAt(t, portal, &changing{func() { time.Sleep(time.Hour) }, strings.NewReader("yes\n")})
		got := programOf(t.Context(), a, "apply", "--progress", "never", "--timeout", "50s", paths[0])
		if s, _ := portal.Source(6); got.code != exit.OK || s.Title != "New" {
			t.Errorf("exit code %d, title %q, %s%s", got.code, s.Title, got.stdout, got.stderr)
		}
	})
}

// Nobody is asked who has answered already, who has seen the plan, who cannot
// answer, or where there is nothing to ask.
func TestNoQuestion(t *testing.T) {
	paths := files(t, threeManifest, threeSources, "version: 1\nsources: [{id: 4, title: Old}]\n")
	synctest.Test(t, func(t *testing.T) {
		sum := program(t.Context(), nil, "plan", "--sandbox", paths[1], "-o", "json", paths[0]).report(t).Checksum
		for name, args := range map[string][]string{
			"yes":           {"apply", "--yes", paths[0]},
			"checksum":      {"apply", "--checksum", sum, paths[0]}, // of another portal: it is refused, not asked about
			"sandbox":       {"apply", "--sandbox", paths[1], paths[0]},
			"plan":          {"plan", paths[0]},
			"dry run":       {"apply", "--dry-run", paths[0]},
			"nothing to do": {"apply", paths[2]},
		} {
			got, _ := atTerminal(t, "no\n", append(args, "--progress", "never")...)
			want := exit.OK
			if name == "checksum" {
				want = exit.Failed
			}
			if got.code != want || strings.Contains(got.stderr, "yes/no") {
				t.Errorf("%s: exit code %d, %s%s", name, got.code, got.stdout, got.stderr)
			}
		}
		got, portal := withPortal(t, strings.NewReader("no\n"), false, "apply", paths[0])
		if s, _ := portal.Source(4); got.code != exit.OK || s.Title != "New" || strings.Contains(got.stderr, "yes/no") {
			t.Errorf("without a terminal: exit code %d, %s%s", got.code, got.stdout, got.stderr)
		}
	})
}

// The question names the way to make an apply to the wrong portal impossible,
// where that is not done yet.
func TestQuestionAdvisesToNameThePortal(t *testing.T) {
	paths := files(t, threeManifest, "version: 1\nportal: "+address+"\nsources: [{id: 4, title: New}]\n")
	synctest.Test(t, func(t *testing.T) {
		for path, hinted := range map[string]bool{paths[0]: true, paths[1]: false} {
			got, _ := atTerminal(t, "no\n", "apply", "--progress", "never", path)
			if strings.Contains(got.stderr, `note: no manifest says which portal it is for`) != hinted {
				t.Errorf("%s: %s", path, got.stderr)
			}
		}
	})
}

// changing is somebody who answers yes after somebody else has changed the
// portal.
type changing struct {
	change func()
	answer io.Reader
}

func (c *changing) Read(p []byte) (int, error) {
	if c.change != nil {
		c.change()
		c.change = nil
	}
	return c.answer.Read(p)
}

// What is applied is what was shown: a change in between is refused.
func TestPortalChangesDuringTheQuestion(t *testing.T) {
	paths := files(t, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		portal := openPortal(t, threeSources)
		a := appAt(t, portal, &changing{func() {
			s, _ := portal.Source(5)
			s.Title = "Changed"
			portal.SetSource(s)
		}, strings.NewReader("yes\n")})
		got := programOf(t.Context(), a, "apply", "--progress", "never", paths[0])
		if s, _ := portal.Source(4); got.code != exit.Failed || s.Title != "Old" || !strings.Contains(got.stdout+got.stderr, "STALE_PLAN") {
			t.Errorf("exit code %d, title %q, %s%s", got.code, s.Title, got.stdout, got.stderr)
		}
	})
}
