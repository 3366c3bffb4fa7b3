package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// result is what a run of the program in this process left behind.
type result struct {
	code           int
	stdout, stderr string
}

// program runs the program in this process.
func program(ctx context.Context, environ []string, args ...string) result {
	return programOf(ctx, &app{env: option.NewEnvironment(environ)}, args...)
}

// programOf is program with what a brings along, of which no standard input is
// an empty one.
func programOf(ctx context.Context, a *app, args ...string) result {
	var stdout, stderr bytes.Buffer
	a.stdout, a.stderr = &stdout, &stderr
	if a.stdin == nil {
		a.stdin = strings.NewReader("")
	}
	code := a.run(ctx, args)
	return result{code, stdout.String(), stderr.String()}
}

// report is the JSON report on standard output.
func (r result) report(t *testing.T) runner.Report {
	t.Helper()
	var report runner.Report
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatalf("no report (%v) but %q, and on standard error %q", err, r.stdout, r.stderr)
	}
	return report
}

// files writes files into a new directory and returns their paths.
func files(t *testing.T, contents ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, content := range contents {
		path := filepath.Join(dir, string(rune('a'+i))+".yaml")
		check(t, os.WriteFile(path, []byte(content), 0o600))
		paths = append(paths, path)
	}
	return paths
}

// A portal that does not answer is asked again for 20 seconds; then the run
// stops.
func TestSilentPortal(t *testing.T) {
	paths := files(t, threeSources+"faults: [{kind: dropped, rate: 1}]\n", threeManifest)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got := program(t.Context(), nil, "apply", "--sandbox", paths[0], "-o", "json", paths[1])
		report := got.report(t)
		if got.code != exit.Stopped || report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != "NETWORK" {
			t.Errorf("exit code %d, outcome %s, error %v", got.code, report.Outcome, report.Error)
		}
		if passed := time.Since(start); passed < 20*time.Second || passed > 40*time.Second {
			t.Errorf("gave up after %s", passed)
		}
		if report.Summary.Skipped != 3 {
			t.Errorf("summary %+v", report.Summary)
		}
	})
}

// When the time of a run is over, what is in flight is settled.
func TestTimeout(t *testing.T) {
	paths := files(t, threeSources+"update_cost: 10s\n", threeManifest)
	synctest.Test(t, func(t *testing.T) {
		got := program(t.Context(), nil, "apply", "--sandbox", paths[0], "--timeout", "5s", "--batch-size", "1", "--concurrency", "1", "-o", "json", paths[1])
		report := got.report(t)
		if got.code != exit.Stopped || report.Error == nil || report.Error.Code != runner.CodeTimeout {
			t.Errorf("exit code %d, error %v", got.code, report.Error)
		}
		if report.Summary.Updated != 1 || report.Summary.Skipped != 2 {
			t.Errorf("summary %+v", report.Summary)
		}
	})
}

// What goes to the step summary is the markdown, up to a limit of its own, and
// is added to what is there.
func TestStepSummary(t *testing.T) {
	var state, declared strings.Builder
	state.WriteString("connectors: [{id: 1, title: SQL}]\nsources:\n")
	declared.WriteString("version: 1\nsources:\n")
	for id := 1; id <= 1500; id++ {
		fmt.Fprintf(&state, "  - {id: %d, title: Old, connectorId: 1}\n", id)
		fmt.Fprintf(&declared, "  - {id: %d, title: New %d}\n", id, id)
	}
	paths := files(t, state.String(), declared.String())
	summary := filepath.Join(t.TempDir(), "summary.md")
	const before = "# An earlier step\n"
	check(t, os.WriteFile(summary, []byte(before), 0o600))
	plan := []string{"plan", "--sandbox", paths[0], paths[1], "-o"}
	if comment := program(t.Context(), nil, append(plan, "markdown")...); !strings.Contains(comment.stdout, " more changes") {
		t.Errorf("nothing is cut of a comment: %.200s", comment.stdout)
	}
	program(t.Context(), []string{"GITHUB_STEP_SUMMARY=" + summary}, append(plan, "github")...)
	got, err := os.ReadFile(summary)
	if err != nil || !strings.HasPrefix(string(got), before+"<!-- syncsources:plan sandbox -->\n") {
		t.Errorf("%v: the summary begins with %.200s", err, got)
	}
	if n := strings.Count(string(got), `"New `); n < 2*1500 || strings.Contains(string(got), " more change") {
		t.Errorf("%d new titles in the summary", n)
	}
}

// With fail-fast the first failure ends the run, with the code of a failure.
func TestFailFast(t *testing.T) {
	state := strings.Replace(threeSources, "{id: 4, title: Old, connectorId: 1}", "{id: 4, title: Old, connectorId: 1, check: fail}", 1)
	paths := files(t, state, threeManifest)
	synctest.Test(t, func(t *testing.T) {
		got := program(t.Context(), nil, "apply", "--sandbox", paths[0], "--fail-fast", "--batch-size", "1", "--concurrency", "1", "-o", "json", paths[1])
		report := got.report(t)
		if got.code != exit.Failed || report.Summary.Failed != 1 || report.Summary.Skipped != 2 {
			t.Errorf("exit code %d, summary %+v", got.code, report.Summary)
		}
	})
}

// A run that is interrupted before it sent anything sends nothing.
func TestInterruptedBefore(t *testing.T) {
	paths := files(t, threeSources, threeManifest)
	for received, want := range map[syscall.Signal]int{syscall.SIGHUP: exit.HungUp, syscall.SIGINT: exit.Interrupted, syscall.SIGTERM: exit.Terminated} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(exit.Signal{Received: received})
			got := program(ctx, nil, "plan", "--sandbox", paths[0], "-o", "json", paths[1])
			report := got.report(t)
			if got.code != want || report.Outcome != runner.OutcomeInterrupted || report.Requests.HTTP != 0 {
				t.Errorf("exit code %d, outcome %s, requests %+v, summary %+v", got.code, report.Outcome, report.Requests, report.Summary)
			}
		})
	}
}

// Every form of output ends with the same code.
func TestCodeDoesNotDependOnTheForm(t *testing.T) {
	state := strings.Replace(threeSources, "{id: 4, title: Old, connectorId: 1}", "{id: 4, title: Old, connectorId: 1, check: fail}", 1)
	failing := files(t, state, threeManifest)
	broken := files(t, threeSources, "version: 2\n")
	stopped := files(t, threeSources+"faults: [{kind: overload, rate: 1}]\n", threeManifest)
	for _, form := range []string{"text", "json", "markdown", "github"} {
		synctest.Test(t, func(t *testing.T) {
			for want, paths := range map[int][]string{exit.Failed: failing, exit.Invalid: broken, exit.Stopped: stopped} {
				if got := program(t.Context(), nil, "apply", "--sandbox", paths[0], "-o", form, paths[1]); got.code != want {
					t.Errorf("%s: exit code %d, want %d", form, got.code, want)
				}
			}
			if got := program(t.Context(), nil, "plan", "--detailed-exitcode", "--sandbox", failing[0], "-o", form, failing[1]); got.code != exit.Changes {
				t.Errorf("%s: exit code %d, want %d", form, got.code, exit.Changes)
			}
		})
	}
}

// The page of a step is for the format that GitHub Actions reads.
func TestStepSummaryOfOtherFormats(t *testing.T) {
	paths := files(t, threeSources, threeManifest)
	page := filepath.Join(t.TempDir(), "summary.md")
	for _, format := range []string{"text", "json", "markdown", "github"} {
		synctest.Test(t, func(t *testing.T) {
			got := program(t.Context(), []string{"GITHUB_STEP_SUMMARY=" + page}, "plan", "--sandbox", paths[0], "-o", format, paths[1])
			if _, err := os.Stat(page); got.code != exit.OK || (err == nil) != (format == "github") {
				t.Errorf("%s: exit code %d, the page: %v", format, got.code, err)
			}
		})
	}
}

// brokenWriter is a standard output that nobody reads.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A result that could not be written is a failure, but not a higher one than
// the run's own.
func TestOutputThatCannotBeWritten(t *testing.T) {
	paths := files(t, threeSources, threeManifest, "version: 2\n")
	synctest.Test(t, func(t *testing.T) {
		for want, args := range map[int][]string{
			exit.Failed:  {"plan", "--sandbox", paths[0], paths[1]},
			exit.Invalid: {"plan", "--sandbox", paths[0], "-o", "json", paths[2]},
		} {
			var stderr bytes.Buffer
			if code := run(t.Context(), nil, strings.NewReader(""), brokenWriter{}, &stderr, args); code != want {
				t.Errorf("%v: exit code %d, want %d: %s", args, code, want, stderr.String())
			}
			if !strings.Contains(stderr.String(), "cannot write the result") {
				t.Errorf("%v: standard error %q", args, stderr.String())
			}
		}
		for _, args := range [][]string{{"version"}, {"schema"}, {"export", "--sandbox", paths[0]}} {
			if code := run(t.Context(), nil, strings.NewReader(""), brokenWriter{}, &bytes.Buffer{}, args); code != exit.Failed {
				t.Errorf("%v: exit code %d, want %d", args, code, exit.Failed)
			}
		}
	})
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
