package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
	"syncsources/runner/render"
)

// exportFlags are the flags of export.
type exportFlags struct {
	log        logFlags
	limits     limits
	sandbox    string
	noColor    bool
	ids        []int
	connectors []int
	envFile    string
	timeout    time.Duration
}

// newExport builds the command that writes a manifest of what is live.
func newExport(a *app) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print a manifest of the live sources",
		Long: `Print a manifest that declares the live sources as they are, by rising id. The
values of settings are never in it: each is a reference to an environment
variable, {env: SOURCE_4_PASSWORD}. With these set, a plan of the manifest shows
no change. --env-file writes a template that lists them.`,
		Example: `  syncsources export > manifest.yaml
  syncsources export --connector 2 --env-file .env > api.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.export(cmd.Context(), &f)
		},
	}
	set := cmd.Flags()
	option.AddList(set, &f.ids, "id", "ID", "only the source with this id", option.Integer(1, math.MaxInt))
	option.AddList(set, &f.connectors, "connector", "ID", "only sources of the connector with this id", option.Integer(1, math.MaxInt))
	set.StringVar(&f.envFile, "env-file", "", "also write this `file`: the variables that the manifest refers to, without values; it must not exist")
	option.Add(set, &f.timeout, "timeout", "duration", "30m", "time limit of the whole run", option.Duration)
	addSandbox(set, &f.sandbox)
	f.limits.add(set)
	f.log.add(set)
	set.BoolVar(&f.noColor, "no-color", false, "no colour in messages, like the variable NO_COLOR")
	return cmd
}

// export reads all live sources and prints those that the filters leave.
func (a *app) export(ctx context.Context, f *exportFlags) error {
	if f.envFile != "" {
		if _, err := os.Lstat(f.envFile); err == nil {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --env-file: %s exists already, and may hold values", f.envFile), "name a file that does not exist, or remove it")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	logger := f.log.logger(a.stderr, a.env.Colored(f.noColor, a.stderr))
	portal, err := a.connect(ctx, f.sandbox, logger)
	if err != nil {
		return err
	}
	defer portal.close()
	client := bitrix.NewReader(portal.config(logger, f.limits))
	defer client.CloseIdle()
	live, report := runner.List(ctx, client, runner.Options{Schedule: f.limits.schedule(), Logger: logger})
	if report.Outcome != runner.OutcomeOK && report.Outcome != runner.OutcomeFailed {
		a.printRunError(render.One(report), f.noColor, &f.log)
		return exit.Err(exit.Of(ctx, report.Outcome, false))
	}
	for _, s := range report.Objects { // the others are exported all the same
		a.printFailure(&exit.Failure{Code: s.Error.Code, Message: fmt.Sprintf("%s #%d is left out: %s", s.Kind, s.ID, s.Error.Message)}, &f.log)
	}
	var sources []bitrix.Source
	for _, id := range slices.Sorted(maps.Keys(live.Sources)) {
		sources = append(sources, *live.Sources[id])
	}
	selected, err := filterLive(sources, f.ids, f.connectors)
	if err != nil {
		return err
	}
	address := portal.credentials.Portal()
	if f.sandbox != "" {
		address = "" // a manifest of it is for no portal in particular
	}
	ex := newExported(address, selected)
	if f.envFile != "" {
		if err := writeEnvFile(f.envFile, ex); err != nil {
			return exit.Unwritten(err)
		}
	}
	if err := ex.write(a.stdout); err != nil {
		return exit.Unwritten(err)
	}
	return exit.Err(exit.Of(ctx, report.Outcome, false))
}

// filterLive keeps the sources with these ids and of these connectors; none
// of a kind keeps all. An id that is not live is a failure.
func filterLive(live []bitrix.Source, ids, connectors []int) ([]bitrix.Source, error) {
	var kept []bitrix.Source
	seen := map[int]bool{}
	for _, s := range live {
		seen[int(s.ID)] = true
		if (len(ids) == 0 || slices.Contains(ids, int(s.ID))) && (len(connectors) == 0 || slices.Contains(connectors, int(s.ConnectorID))) {
			kept = append(kept, s)
		}
	}
	for _, id := range ids {
		if !seen[id] {
			return nil, &exit.Failure{Exit: exit.Failed, Code: string(rest.SourceNotFound),
				Message: fmt.Sprintf("the portal shows no source with the id %d", id),
				Hints:   []string{"an application sees only the sources that it created itself"}}
		}
	}
	return kept, nil
}

// writeEnvFile writes the template of variables. It never replaces a file,
// which may hold their values.
func writeEnvFile(path string, ex *exported) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(0o600))
	if err != nil {
		return err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	return ex.writeEnv(f)
}
