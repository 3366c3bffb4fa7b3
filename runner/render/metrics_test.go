package render_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
			if err := render.WriteMetrics(file, samples()[name]); err != nil {
				t.Fatal(err)
			}
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
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
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
		success, run int    // hours; 0: not there
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
		if err := render.WriteMetrics(file, step.report); err != nil {
			t.Fatal(err)
		}
		got := string(read(t, file))
		for metric, hour := range map[string]int{"last_success": step.success, "last_run": step.run} {
			want := ""
			if hour > 0 {
				unix := time.Date(2026, 3, 20, hour, 0, 0, 0, time.UTC).Unix()
				want = fmt.Sprintf("syncsources_%s_timestamp_seconds{command=%q,portal=%q} %v\n", metric, step.report.Command, step.portal, float64(unix))
			}
			if hour == 0 && strings.Contains(got, metric+"_timestamp") || !strings.Contains(got, want) {
				t.Errorf("step %d: want %q in\n%s", i, want, got)
			}
		}
	}
}

// What lies at the place of the file does not keep it from being written.
func TestMetricsBrokenFile(t *testing.T) {
	for _, before := range []string{"", "\x00", "syncsources_last_success_timestamp_seconds{portal=", "no metrics\n", strings.Repeat("a 1\n", 3)} {
		file := filepath.Join(t.TempDir(), "syncsources.prom")
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := render.WriteMetrics(file, stopped()); err != nil {
			t.Errorf("%q: %v", before, err)
		}
		if got := string(read(t, file)); !strings.Contains(got, "last_run_timestamp") || strings.Contains(got, "last_success") {
			t.Errorf("%q: got\n%s", before, got)
		}
	}
	none := filepath.Join(t.TempDir(), "none", "syncsources.prom")
	if err := render.WriteMetrics(none, stopped()); err == nil {
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
		if err := render.WriteMetrics(file, r); err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		checkPrintable(t, "metrics", read(t, file))
		if problems, err := promlint.New(strings.NewReader(string(read(t, file)))).Lint(); err != nil || len(problems) > 0 {
			t.Errorf("%q: %v %v", s, problems, err)
		}
	}
}

func TestPushMetrics(t *testing.T) {
	var method, path, user, password, body string
	status := http.StatusAccepted
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		method, path, body = r.Method, r.URL.Path, string(got)
		user, password, _ = r.BasicAuth()
		w.WriteHeader(status)
		io.WriteString(w, "\x1b[31mno")
	}))
	defer gateway.Close()
	address := strings.Replace(gateway.URL, "://", "://ann:s3cret@", 1)

	if err := render.PushMetrics(context.Background(), address, stopped()); err != nil {
		t.Fatal(err)
	}
	if method != http.MethodPost {
		t.Errorf("%s would remove the time of the last success", method)
	}
	for _, want := range []string{"/metrics/job/syncsources", "/portal/acme.bitrix24.com", "/command/apply"} {
		if !strings.Contains(path, want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
	if user != "ann" || password != "s3cret" {
		t.Errorf("came as %s:%s", user, password)
	}
	if !strings.Contains(body, "syncsources_last_run_timestamp_seconds") || strings.Contains(body, "last_success") {
		t.Errorf("body:\n%q", body)
	}

	status = http.StatusBadRequest
	err := render.PushMetrics(context.Background(), address, stopped())
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %v", err)
	}
	gateway.Close()
	if err := render.PushMetrics(context.Background(), address, stopped()); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	for _, wrong := range []string{"", "gateway:9091", "ftp://gateway", "http://", "http://ann:s3cret@gateway:port", "http://gateway/?token=s3cret"} {
		if err := render.CheckPush(wrong); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
