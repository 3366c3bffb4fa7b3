package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"syncsources/runner"
	"syncsources/runner/render"
)

// metricsFlags say where the metrics of a run go.
type metricsFlags struct {
	file        string
	pushgateway string
}

func (m *metricsFlags) add(set *pflag.FlagSet) {
	set.StringVar(&m.file, "metrics-file", "", "write the run's metrics to this `file` for the textfile collector of Prometheus's node_exporter, atomically")
	addFlag(set, &m.pushgateway, "pushgateway", kindSecret, "", "push the run's metrics to the Prometheus Pushgateway at this address; if it cannot be reached, that is only a warning",
		func(text string) (string, error) { return text, render.CheckPush(text) })
}

// check refuses, before anything is sent, metrics that could not be written.
func (m *metricsFlags) check() error {
	if m.file == "" {
		return nil
	}
	if err := render.CheckMetrics(m.file); err != nil {
		return invalid(codeCommandLine, fmt.Sprintf("flag --metrics-file: %v", err))
	}
	return nil
}

// writeMetrics writes the metrics of a run to their places. The report is the
// result, so that a Pushgateway that does not answer fails no run.
func (a *app) writeMetrics(ctx context.Context, r *runner.Report, m *metricsFlags, log *logFlags) error {
	if m == nil {
		return nil
	}
	if m.pushgateway != "" {
		// After an interrupt as well: it has a short time limit of its own.
		if err := render.PushMetrics(context.WithoutCancel(ctx), m.pushgateway, r); err != nil {
			a.warn(err.Error(), log)
		}
	}
	if m.file == "" {
		return nil
	}
	return render.WriteMetrics(m.file, r)
}
