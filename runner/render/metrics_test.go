package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"syncsources/runner"
	"syncsources/runner/render"
)

func TestMetrics(t *testing.T) {
	for _, name := range []string{"stopped", "unchanged"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "syncsources.prom")
			check(t, render.WriteMetrics(file, render.One(samples()[name])))
			golden(t, "metrics-"+name, read(t, file))
			problems, err := promlint.New(strings.NewReader(string(read(t, file)))).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("%v %v", problems, err)
			}
			if info, _ := os.Stat(file); info.Mode() != 0o644 {
				t.Errorf("mode %v: node_exporter could not read it", info.Mode())
			}
		})
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	got := must(os.ReadFile(file))(t)
	return got
}

// The time of the last success outlives runs that are none, and belongs to one
// portal and one command.
func TestMetricsLastSuccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "syncsources.prom")
	at := func(r *runner.Report, hour int) *runner.Report {
		r.Finished = time.Date(2026, 3, 20, hour, 0, 0, 0, time.UTC)
		return r
	}
	elsewhere := at(stopped(), 18)
	elsewhere.Portal = "https://other.bitrix24.com"
	for i, step := range []struct {
		report       *runner.Report
		success, run int    // hours; 0: never
		portal       string // of the series
	}{
		{at(stopped(), 10), 0, 10, "acme.bitrix24.com"},
		{at(unchanged(), 11), 11, 11, "acme.bitrix24.com"},
		{at(stopped(), 12), 11, 12, "acme.bitrix24.com"},
		{at(applied(), 13), 11, 13, "acme.bitrix24.com"},
		{at(commandLine(), 14), 11, 14, "acme.bitrix24.com"}, // ended before it knew its portal
		{at(unchanged(), 15), 15, 15, "acme.bitrix24.com"},
		{elsewhere, 0, 18, "other.bitrix24.com"},
		{at(planned(), 19), 0, 19, "acme.bitrix24.com"},
	} {
		check(t, render.WriteMetrics(file, render.One(step.report)))
		got := string(read(t, file))
		for metric, hour := range map[string]int{"last_success": step.success, "last_run": step.run} {
			unix := int64(0)
			if hour > 0 {
				unix = time.Date(2026, 3, 20, hour, 0, 0, 0, time.UTC).Unix()
			}
			want := fmt.Sprintf("syncsources_%s_timestamp_seconds{command=%q,portal=%q} %v\n", metric, step.report.Command, step.portal, float64(unix))
			if !strings.Contains(got, want) {
				t.Errorf("step %d: want %q in\n%s", i, want, got)
			}
		}
	}
}

// A file holds the portals and commands of several runs: each run replaces its
// own series and leaves the others.
func TestMetricsOthersStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "syncsources.prom")
	write := func(run render.Run) string {
		t.Helper()
		check(t, render.WriteMetrics(file, run))
		return string(read(t, file))
	}
	first := write(render.Many(fleet(4, 12)))
	for _, portal := range []string{"acme", "beta", "gamma", "delta"} {
		if n := strings.Count(first, `portal="`+portal+`.bitrix24.com"`); n != 22 {
			t.Errorf("%d series of %s", n, portal)
		}
	}
	plan := planned()
	plan.Portal = "https://beta.bitrix24.com"
	second := write(render.One(plan))
	for line := range strings.Lines(first) {
		if !strings.Contains(second, line) {
			t.Errorf("is gone: %s", line)
		}
	}
	if n := strings.Count(second, `command="plan"`); n != 22 {
		t.Errorf("%d series of the plan", n)
	}
	if again := write(render.One(plan)); again != second {
		t.Errorf("the same run gives another file:\n%s", again)
	}
	if problems, err := promlint.New(strings.NewReader(second)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// What lies at the place of the file does not keep it from being written.
func TestMetricsBrokenFile(t *testing.T) {
	for _, before := range []string{"", "\x00", "syncsources_last_success_timestamp_seconds{portal=", "no metrics\n", strings.Repeat("a 1\n", 3)} {
		file := filepath.Join(t.TempDir(), "syncsources.prom")
		check(t, os.WriteFile(file, []byte(before), 0o600))
		if err := render.WriteMetrics(file, render.One(stopped())); err != nil {
			t.Errorf("%q: %v", before, err)
		}
		if got := string(read(t, file)); !strings.Contains(got, "last_run_timestamp") || !strings.Contains(got, "last_success_timestamp_seconds{command=\"apply\",portal=\"acme.bitrix24.com\"} 0\n") {
			t.Errorf("%q: got\n%s", before, got)
		}
	}
	none := filepath.Join(t.TempDir(), "none", "syncsources.prom")
	if err := render.WriteMetrics(none, render.One(stopped())); err == nil {
		t.Error("written where there is no directory")
	}
	if err := render.CheckMetrics(none); err == nil || !strings.Contains(err.Error(), "its directory must exist") {
		t.Errorf("got %v", err)
	}
}

func TestMetricsHostile(t *testing.T) {
	for _, s := range hostile {
		r := unchanged()
		r.Portal = s
		file := filepath.Join(t.TempDir(), "syncsources.prom")
		if err := render.WriteMetrics(file, render.One(r)); err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		checkPrintable(t, "metrics", read(t, file))
		if problems, err := promlint.New(strings.NewReader(string(read(t, file)))).Lint(); err != nil || len(problems) > 0 {
			t.Errorf("%q: %v %v", s, problems, err)
		}
	}
}
