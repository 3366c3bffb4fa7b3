package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/runner/render"
)

// metricsFlags say where the metrics of a run go.
type metricsFlags struct {
	file string
}

func (m *metricsFlags) add(set *pflag.FlagSet) {
	set.StringVar(&m.file, "metrics-file", "", "write the run's metrics to this `FILE`, atomically, for the textfile collector of Prometheus's node_exporter, which reads only *.prom files")
}

// check refuses, before anything is sent, metrics that could not be written.
func (m *metricsFlags) check(in inputs) error {
	if m.file == "" {
		return nil
	}
	if err := render.CheckMetrics(m.file); err != nil {
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --metrics-file: %v", err))
	}
	if what := in.at(m.file); what != "" {
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --metrics-file: %q is %s, which the metrics would replace", m.file, what), "choose another file")
	}
	return nil
}

// writeMetrics writes the metrics of a run, where they are asked for.
func (d delivery) writeMetrics(run render.Run) error {
	if d.metrics == nil || d.metrics.file == "" {
		return nil
	}
	if _, spared := d.output.spared.Load(d.metrics.file); spared {
		return nil
	}
	return render.WriteMetrics(d.metrics.file, run)
}
