package render

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/moby/sys/atomicwriter"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"syncsources/runner"
)

const (
	metricsPrefix     = "syncsources_"
	lastSuccessMetric = metricsPrefix + "last_success_timestamp_seconds"
	lastRunMetric     = metricsPrefix + "last_run_timestamp_seconds"
)

// CheckMetrics tells before a run whether WriteMetrics could write to path now.
func CheckMetrics(path string) error { return checkPlace("metrics file", path) }

// WriteMetrics replaces path, in one step, with the run's figures in the text
// format that node_exporter's textfile collector reads (from files whose names
// end in .prom). Every series has the labels portal and command: a plan and an
// apply of one portal can have a file each.
//
// The time of the last success is that of the file replaced where this run was
// none, so that an alert on its age works from one file.
func WriteMetrics(path string, r *runner.Report) error {
	before := readMetrics(path, r.Command)
	host := portalHost(clean(r.Portal))
	if host == "" { // the run ended before it knew; it is that of the last one
		host = before.portal
	}
	success := lastSuccess(r)
	if success.IsZero() && host == before.portal {
		success = before.success
	}
	registry := prometheus.NewRegistry()
	labels := prometheus.Labels{"portal": host, "command": r.Command}
	if err := register(prometheus.WrapRegistererWith(labels, registry), r, success); err != nil {
		return fmt.Errorf("metrics file %q: %w", path, err)
	}
	families, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("metrics file %q: %w", path, err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			return fmt.Errorf("metrics file %q: %w", path, err)
		}
	}
	// Not prometheus.WriteToTextfile: what that leaves of a killed run cannot
	// be told by its name from a file of the user's.
	if err := atomicwriter.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("metrics file %q: %w", path, err)
	}
	return nil
}

// lastSuccess is when the run ended, if it did what was asked for.
func lastSuccess(r *runner.Report) time.Time {
	if r.Outcome == runner.OutcomeOK || r.Outcome == runner.OutcomeChanges {
		return r.Finished
	}
	return time.Time{}
}

// register makes the metrics of a run.
func register(to prometheus.Registerer, r *runner.Report, success time.Time) error {
	type metric struct {
		name, help string
		value      float64
	}
	unix := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	metrics := []metric{
		{lastRunMetric, "When the last run ended, whatever its outcome.", unix(r.Finished)},
		{metricsPrefix + "last_run_duration_seconds", "Wall time of the last run.", r.Duration},
		{metricsPrefix + "last_run_http_requests", "HTTP requests that the last run sent to the portal, refused ones included.", float64(r.Requests.HTTP)},
		{metricsPrefix + "last_run_batches", "HTTP requests of the last run that were batches.", float64(r.Requests.Batches)},
		{metricsPrefix + "last_run_commands", "Commands in batches, and calls of their own, in the last run.", float64(r.Requests.Commands)},
		{metricsPrefix + "last_run_retries", "Commands that the last run sent again.", float64(r.Requests.Retries)},
		{metricsPrefix + "last_run_throttled_requests", "HTTP requests of the last run that the portal refused with 503 or 429.", float64(r.Requests.Throttled)},
		{metricsPrefix + "last_run_waited_seconds", "Wall time of the last run with nothing in flight.", r.Requests.Waited},
	}
	if !success.IsZero() {
		metrics = append(metrics, metric{lastSuccessMetric, "When the last run ended in which nothing failed.", unix(success)})
	}
	for _, m := range metrics {
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: m.name, Help: m.help})
		gauge.Set(m.value)
		if err := to.Register(gauge); err != nil {
			return err
		}
	}

	sources := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: metricsPrefix + "last_run_sources", Help: "Sources of the last run by what became of them.",
	}, []string{"status"})
	for status, n := range map[runner.Status]int{
		runner.StatusUnchanged: r.Summary.Unchanged,
		runner.StatusPlanned:   r.Summary.Planned,
		runner.StatusUpdated:   r.Summary.Updated,
		runner.StatusFailed:    r.Summary.Failed,
		runner.StatusSkipped:   r.Summary.Skipped,
	} {
		sources.WithLabelValues(string(status)).Set(float64(n))
	}
	outcome := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: metricsPrefix + "last_run_outcome", Help: "1 for how the last run ended, 0 for every other way.",
	}, []string{"outcome"})
	for _, o := range []runner.Outcome{
		runner.OutcomeOK, runner.OutcomeChanges, runner.OutcomeFailed,
		runner.OutcomeStopped, runner.OutcomeInterrupted, runner.OutcomeInvalid,
	} {
		outcome.WithLabelValues(string(o)).Set(0)
	}
	outcome.WithLabelValues(string(r.Outcome)).Set(1)
	if err := to.Register(sources); err != nil {
		return err
	}
	return to.Register(outcome)
}

// former is what a metrics file keeps from run to run.
type former struct {
	portal  string
	success time.Time
}

// readMetrics reads what the last run of a command left in a file. A file that
// is absent, or is not one of ours, has nothing to keep and is no failure: the
// new one replaces it.
func readMetrics(path, command string) former {
	f, err := os.Open(path)
	if err != nil {
		return former{}
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return former{}
	}
	var kept former
	for _, name := range []string{lastRunMetric, lastSuccessMetric} {
		for _, m := range families[name].GetMetric() {
			if labelOf(m, "command") != command {
				continue
			}
			kept.portal = labelOf(m, "portal")
			if name == lastSuccessMetric {
				kept.success = time.UnixMilli(int64(m.GetGauge().GetValue() * 1000))
			}
		}
	}
	return kept
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
