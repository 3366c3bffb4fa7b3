package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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

// towns are portals by host.
type towns map[string]*sandbox.Portal

func (p towns) RoundTrip(r *http.Request) (*http.Response, error) {
	portal := p[r.URL.Host]
	if portal == nil {
		return nil, fmt.Errorf("dial tcp: lookup %s: no such host", r.URL.Host)
	}
	return portal.RoundTripper().RoundTrip(r)
}

// fleetRun is a run against portals of a file, in virtual time.
type fleetRun struct {
	portals towns
	file    string
	environ []string
}

// newFleetRun makes portals with threeSources, apart from what states say of a
// host, and a file that has a portal for each of the names; that of "down" is
// not there.
func newFleetRun(t *testing.T, states map[string]string, names ...string) *fleetRun {
	t.Helper()
	dir := t.TempDir()
	r := &fleetRun{portals: towns{}, file: filepath.Join(dir, "portals.yaml"), environ: []string{"TOKEN=" + sandbox.AccessToken, "XDG_STATE_HOME=" + dir}}
	text := "version: 1\ndefaults: {credentials: {access_token: {env: TOKEN}}}\nportals:\n"
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %s, url: https://%s.example, manifests: [m.yaml]}\n", name, name)
		if name == "down" {
			continue
		}
		state := must(sandbox.ReadState(strings.NewReader(threeSources + states[name])))(t)
		r.portals[name+".example"] = must(sandbox.New(state))(t)
	}
	writeRedacted(t, r.file, text)
	writeRedacted(t, filepath.Join(dir, "m.yaml"), threeManifest)
	return r
}

func (r *fleetRun) run(ctx context.Context, typed string, args ...string) result {
	return r.runWith(ctx, strings.NewReader(typed), typed != "", args...)
}

func (r *fleetRun) runWith(ctx context.Context, stdin io.Reader, terminal bool, args ...string) result {
	a := &app{env: option.NewEnvironment(r.environ), stdin: stdin, transport: r.portals, terminal: func(any) bool { return terminal }}
	return programOf(ctx, a, append(args, "--portals", r.file)...)
}

func (r *fleetRun) close() {
	for _, p := range r.portals {
		_ = p.Close()
	}
}

// portalsReport is the JSON report of many portals on standard output.
func (r result) portalsReport(t *testing.T) (all runner.PortalsReport, byName map[string]*runner.Report) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil {
		t.Fatalf("no report (%v) but %q, and on standard error %q", err, r.stdout, r.stderr)
	}
	byName = map[string]*runner.Report{}
	for _, p := range all.Portals {
		byName[p.Name] = p.Report
	}
	return all, byName
}

// One portal that is not there costs the others nothing: neither their updates
// nor time.
func TestPortalThatIsDown(t *testing.T) {
	r := newFleetRun(t, nil, "acme", "down", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		got := r.run(t.Context(), "", "apply", "-o", "json")
		all, reports := got.portalsReport(t)
		if got.code != exit.Stopped || all.Outcome != runner.OutcomeStopped || all.Summary.Updated != 6 || all.Summary.Skipped != 3 {
			t.Errorf("exit code %d, outcome %s, summary %+v", got.code, all.Outcome, all.Summary)
		}
		if down := reports["down"]; down.Error == nil || down.Error.Code != "NETWORK" || down.Error.Hint == "" || down.Duration < 20 {
			t.Errorf("down: %+v", down.Error)
		}
		if acme := reports["acme"]; acme.Outcome != runner.OutcomeOK || acme.Duration > 10 {
			t.Errorf("acme: %s after %.1f s", acme.Outcome, acme.Duration)
		}
	})
}

// What a portal of many stops with has its hint.
func TestHintOfAPortalOfMany(t *testing.T) {
	r := newFleetRun(t, map[string]string{"acme": "faults: [{kind: overload}]\n"}, "acme")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		_, reports := r.run(t.Context(), "", "plan", "-o", "json").portalsReport(t)
		if e := reports["acme"].Error; e == nil || e.Code != "OVERLOAD_LIMIT" || e.Hint == "" {
			t.Errorf("%+v", e)
		}
	})
}

// Each portal has the whole time limit for itself.
func TestTimeoutOfEachPortal(t *testing.T) {
	r := newFleetRun(t, map[string]string{"slow": "update_cost: 40s\n"}, "slow", "acme", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		begin := time.Now()
		got := r.run(t.Context(), "", "apply", "-o", "json", "--timeout", "30s", "--parallel", "1", "--batch-size", "1", "--concurrency", "1")
		all, reports := got.portalsReport(t)
		if slow := reports["slow"]; got.code != exit.Stopped || slow.Error == nil || slow.Error.Code != runner.CodeTimeout {
			t.Errorf("exit code %d, slow: %+v", got.code, slow.Error)
		}
		if reports["acme"].Summary.Updated != 3 || reports["globex"].Summary.Updated != 3 {
			t.Errorf("summary %+v, after %s", all.Summary, time.Since(begin))
		}
	})
}

// The question is asked once for all portals. What is applied is what was
// shown.
func TestQuestionAboutManyPortals(t *testing.T) {
	r := newFleetRun(t, nil, "acme", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		got := r.run(t.Context(), "no\n", "apply", "-o", "json")
		all, _ := got.portalsReport(t)
		if got.code != exit.Failed || all.Summary.Skipped != 6 || strings.Count(got.stderr, "Apply 6 updates to 2 portals? yes/no ") != 1 || !strings.Contains(got.stderr, `"Old" -> "New"`) {
			t.Errorf("no: exit code %d, summary %+v, %s", got.code, all.Summary, got.stderr)
		}
		got = r.run(t.Context(), "yes\n", "apply", "-o", "json")
		if all, _ := got.portalsReport(t); got.code != exit.OK || all.Summary.Updated != 6 {
			t.Errorf("yes: exit code %d, summary %+v, %s", got.code, all.Summary, got.stderr)
		}
		got = r.run(t.Context(), "no\n", "apply", "-o", "json")
		if got.code != exit.OK || strings.Contains(got.stderr, "yes/no") {
			t.Errorf("nothing to do: exit code %d, %s", got.code, got.stderr)
		}
	})
}

// What is applied to each portal is what was shown: one that has changed in
// between is refused, the others are not.
func TestPortalOfManyChangesDuringTheQuestion(t *testing.T) {
	r := newFleetRun(t, nil, "acme", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		got := r.runWith(t.Context(), &changing{func() {
			s, _ := r.portals["acme.example"].Source(5)
			s.Title = "Changed"
			if err := r.portals["acme.example"].SetSource(s); err != nil {
				t.Error(err)
			}
		}, strings.NewReader("yes\n")}, true, "apply", "-o", "json")
		_, reports := got.portalsReport(t)
		if e := reports["acme"].Error; e == nil || e.Code != runner.CodeStalePlan || reports["globex"].Summary.Updated != 3 {
			t.Errorf("acme: %v; globex: %+v", e, reports["globex"].Summary)
		}
	})
}

// The manifest of one portal cannot read what signs in to another, and a
// failure has its hint.
func TestCredentialsOfOtherPortalsAreNoManifest(t *testing.T) {
	r := newFleetRun(t, nil, "acme", "globex")
	defer r.close()
	dir := filepath.Dir(r.file)
	writeRedacted(t, filepath.Join(dir, "token"), sandbox.AccessToken)
	content := must(os.ReadFile(r.file))(t)
	writeRedacted(t, r.file, strings.Replace(string(content), "{name: globex,", "{name: globex, credentials: {access_token: {file: token}},", 1))
	for _, file := range []string{"token", "portals.yaml"} {
		writeRedacted(t, filepath.Join(dir, "m.yaml"), "version: 1\nsources: [{id: 4, settings: {login: {file: "+file+"}}}]\n")
		got := r.run(t.Context(), "", "plan", "-o", "json")
		_, reports := got.portalsReport(t)
		if acme := reports["acme"]; got.code != exit.Invalid || acme.Outcome != runner.OutcomeInvalid || len(acme.Findings) != 1 || acme.Requests.HTTP > 0 {
			t.Errorf("%s: exit code %d, %s %+v", file, got.code, acme.Outcome, acme.Findings)
		}
	}
}

// A signal reaches every portal, those that have not begun too.
func TestSignalDuringManyPortals(t *testing.T) {
	r := newFleetRun(t, map[string]string{"first": "latency: 5s\n"}, "first", "second")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(exit.Signal{Received: syscall.SIGTERM}) })
		got := r.run(ctx, "", "apply", "-o", "json", "--parallel", "1")
		all, reports := got.portalsReport(t)
		if got.code != exit.Terminated || all.Outcome != runner.OutcomeInterrupted {
			t.Errorf("exit code %d, outcome %s: %s", got.code, all.Outcome, got.stderr)
		}
		if second := reports["second"]; second.Outcome != runner.OutcomeInterrupted || second.Requests.HTTP != 0 {
			t.Errorf("the second portal: %s, %+v", second.Outcome, second.Requests)
		}
		if n := strings.Count(got.stderr, "interrupted: settling"); n != 1 {
			t.Errorf("said %d times: %s", n, got.stderr)
		}
	})
}

// In text each portal is printed as it ends, in the file's order, with its last
// line; the last line of all is that of the run.
func TestPortalsInText(t *testing.T) {
	r := newFleetRun(t, map[string]string{"acme": "latency: 10s\n"}, "acme", "globex")
	synctest.Test(t, func(t *testing.T) {
		defer r.close()
		got := r.run(t.Context(), "", "plan")
		acme, globex := strings.Index(got.stdout, "Plan for acme.example: 0 to create, 3 to update"), strings.Index(got.stdout, "Plan for globex.example: 0 to create, 3 to update")
		if got.code != exit.OK || acme < 0 || globex < acme {
			t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
		}
		lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Plan for 2 portals: 0 to create, 6 to update") {
			t.Errorf("the last line is %q", last)
		}
	})
}
