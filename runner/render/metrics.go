package render

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

const (
	metricsPrefix     = "syncsources_"
	lastSuccessMetric = metricsPrefix + "last_success_timestamp_seconds"
)

// CheckMetrics checks before a run whether WriteMetrics could write to path now.
func CheckMetrics(path string) error { return checkPlace("metrics file", path) }

// WriteMetrics replaces path, in one step, with the run's figures in the text
// format that node_exporter's textfile collector reads. Every series has the
// labels portal and command. The series of portals and commands that were not
// part of this run stay as they are in the file.
//
// The time of the last success is that of the file where this run was not one,
// and 0 where there never was one: an alert on its age works from the first run
// on.
func WriteMetrics(path string, run Run) error {
	before := readMetrics(path)
	now := seriesSet{}
	err := run.each(func(p portal) error {
		name := clean.Line(host(p.report.Portal))
		if name == "" { // the run ended before it knew; it is that of the last one
			name = cmp.Or(p.name, before.onlyPortal(p.report.Command))
		}
		key := seriesKey{name, p.report.Command}
		now[key] = figures(p.report, before[key])
		return nil
	})
	if err != nil {
		return fmt.Errorf("metrics file %q: %w", path, err)
	}
	maps.Copy(before, now)
	return ReplaceFile("metrics file", path, 0o644, before.write)
}

type metric struct {
	name, help string
	label      string // a further label: "" for none
}

// metrics are all there are, in the order of the file.
var metrics = []metric{
	{lastSuccessMetric, "Time of the last successful run, 0 if there was none.", ""},
	{metricsPrefix + "last_run_timestamp_seconds", "Time of the last run, whatever its outcome.", ""},
	{metricsPrefix + "last_run_duration_seconds", "Wall time of the last run.", ""},
	{metricsPrefix + "last_run_outcome", "1 for the last run's outcome, else 0.", "outcome"},
	{metricsPrefix + "last_run_objects", "Objects of the last run by status.", "status"},
	{metricsPrefix + "last_run_http_requests", "HTTP requests that the last run sent to the portal, refused ones included.", ""},
	{metricsPrefix + "last_run_batches", "HTTP requests of the last run that were batches.", ""},
	{metricsPrefix + "last_run_commands", "Commands in batches, and calls of their own, in the last run.", ""},
	{metricsPrefix + "last_run_retries", "Commands that the last run sent again.", ""},
	{metricsPrefix + "last_run_throttled_requests", "HTTP requests of the last run that the portal refused with 503 or 429.", ""},
	{metricsPrefix + "last_run_waited_seconds", "Wall time of the last run with nothing in flight.", ""},
}

// sample is the value of a metric; label is that of the metric's further label.
type sample struct{ metric, label string }

type samples map[sample]float64

// figures are the samples of a report.
func figures(r *runner.Report, before samples) samples {
	unix := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	success := before[sample{lastSuccessMetric, ""}]
	if !One(r).Failed() {
		success = unix(r.Finished)
	}
	all := samples{
		{lastSuccessMetric, ""}:                             success,
		{metricsPrefix + "last_run_timestamp_seconds", ""}:  unix(r.Finished),
		{metricsPrefix + "last_run_duration_seconds", ""}:   r.Duration,
		{metricsPrefix + "last_run_http_requests", ""}:      float64(r.Requests.HTTP),
		{metricsPrefix + "last_run_batches", ""}:            float64(r.Requests.Batches),
		{metricsPrefix + "last_run_commands", ""}:           float64(r.Requests.Commands),
		{metricsPrefix + "last_run_retries", ""}:            float64(r.Requests.Retries),
		{metricsPrefix + "last_run_throttled_requests", ""}: float64(r.Requests.Throttled),
		{metricsPrefix + "last_run_waited_seconds", ""}:     r.Requests.Waited,
	}
	for status, n := range map[runner.Status]int{
		runner.StatusUnchanged: r.Summary.Unchanged,
		runner.StatusPlanned:   r.Summary.Planned,
		runner.StatusCreated:   r.Summary.Created,
		runner.StatusUpdated:   r.Summary.Updated,
		runner.StatusDeleted:   r.Summary.Deleted,
		runner.StatusFailed:    r.Summary.Failed,
		runner.StatusSkipped:   r.Summary.Skipped,
	} {
		all[sample{metricsPrefix + "last_run_objects", string(status)}] = float64(n)
	}
	for _, o := range []runner.Outcome{
		runner.OutcomeOK, runner.OutcomeChanges, runner.OutcomeFailed,
		runner.OutcomeStopped, runner.OutcomeInterrupted, runner.OutcomeInvalid,
	} {
		all[sample{metricsPrefix + "last_run_outcome", string(o)}] = 0
	}
	all[sample{metricsPrefix + "last_run_outcome", string(r.Outcome)}] = 1
	return all
}

// seriesKey is what the samples of a run have in common.
type seriesKey struct{ portal, command string }

// seriesSet is the content of a file.
type seriesSet map[seriesKey]samples

// onlyPortal is the portal for which the file has a command, if it is one.
func (s seriesSet) onlyPortal(command string) string {
	name := ""
	for key := range s {
		if key.command == command && key.portal != "" {
			if name != "" {
				return ""
			}
			name = key.portal
		}
	}
	return name
}

// write writes the text format, the same bytes for the same content.
func (s seriesSet) write(w io.Writer) error {
	keys := slices.SortedFunc(maps.Keys(s), func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.portal, b.portal), cmp.Compare(a.command, b.command))
	})
	for _, m := range metrics {
		family := &dto.MetricFamily{Name: &m.name, Help: &m.help, Type: dto.MetricType_GAUGE.Enum()}
		for _, key := range keys {
			family.Metric = append(family.Metric, s[key].gauges(m, key)...)
		}
		if len(family.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}

// gauges are the samples of one metric with their labels.
func (all samples) gauges(m metric, key seriesKey) []*dto.Metric {
	var gauges []*dto.Metric
	for _, s := range slices.SortedFunc(maps.Keys(all), func(a, b sample) int { return cmp.Compare(a.label, b.label) }) {
		if s.metric != m.name {
			continue
		}
		value := all[s]
		gauge := &dto.Metric{Gauge: &dto.Gauge{Value: &value}, Label: []*dto.LabelPair{pair("command", key.command)}}
		if m.label != "" {
			gauge.Label = append(gauge.Label, pair(m.label, s.label))
		}
		gauge.Label = append(gauge.Label, pair("portal", key.portal))
		slices.SortFunc(gauge.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		gauges = append(gauges, gauge)
	}
	return gauges
}

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

// readMetrics reads what earlier runs left in a file. A file that is absent, or
// is not one of ours, has nothing to keep and is no failure: the new one
// replaces it.
func readMetrics(path string) seriesSet {
	set := seriesSet{}
	f, err := os.Open(path)
	if err != nil {
		return set
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return set
	}
	for _, m := range metrics {
		for _, gauge := range families[m.name].GetMetric() {
			labels := map[string]string{}
			for _, l := range gauge.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			key := seriesKey{labels["portal"], labels["command"]}
			if set[key] == nil {
				set[key] = samples{}
			}
			set[key][sample{m.name, labels[m.label]}] = gauge.GetGauge().GetValue()
		}
	}
	return set
}
