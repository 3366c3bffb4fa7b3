package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
	"syncsources/runner"
)

type exportFlags struct {
	log        logFlags
	limits     limits
	portals    portalsFlags
	sandbox    string
	noColor    bool
	ids        []int
	connectors []int
	missingIn  []string
	active     bool
	values     []string
	envPrefix  string
	envFile    string
	timeout    time.Duration
}

// newExport builds the command that writes a manifest of what is live.
func newExport(a *app) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print a manifest of the live connectors, sources and tables",
		Long: `Print a manifest that declares the live connectors, sources and tables as they
are, by rising id. Names are made from their titles. Once the variables that the
manifest refers to are set, a plan of it shows no change.

The values of settings are not in it: each is a reference to an environment
variable, {env: SOURCE_4_PASSWORD}. --values writes those that are not secret;
--env-file lists the others.

With --portals it prints a document for each portal, and the names of the
variables begin with the portal's.`,
		Example: `  syncsources export > manifest.yaml
  syncsources export --values host,port --env-file .env > manifest.yaml
  syncsources export --missing-in manifests/ > manifests/new.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.portals.alone(cmd); err != nil {
				return err
			}
			return a.export(cmd.Context(), &f)
		},
	}
	set := cmd.Flags()
	option.AddGroup(set, option.Selection, func(set *pflag.FlagSet) {
		option.AddList(set, &f.ids, "id", "ID", "only the source with this id, and its tables", option.Integer(1, math.MaxInt))
		option.AddList(set, &f.connectors, "connector", "ID", "only the connector with this id, its sources and their tables", option.Integer(1, math.MaxInt))
		option.AddList(set, &f.missingIn, "missing-in", "PATH", "only what no manifest at this path declares", option.Path("a manifest or a directory"))
		f.portals.add(set)
		addSandbox(set, &f.sandbox)
	})
	option.AddGroup(set, option.Output, func(set *pflag.FlagSet) {
		set.BoolVar(&f.active, "active", false, "declare whether sources are active, which current portals ignore")
		option.AddList(set, &f.values, "values", "CODE|GLOB", "write the values of these settings, comma-separated, and reveal them", option.Text("the code of a setting, or a pattern"))
		option.Add(set, &f.envPrefix, "env-prefix", "PREFIX", "", "begin the names of variables with this", variablePrefix)
		option.Add(set, &f.envFile, "env-file", "FILE", "", "append to this file the variables that the manifest refers to and the file lacks, without values", option.Path("a file"))
		set.BoolVar(&f.noColor, "no-color", false, "no colour in messages, like the variable NO_COLOR")
		f.log.add(set)
	})
	option.AddGroup(set, option.Limits, func(set *pflag.FlagSet) {
		option.Add(set, &f.timeout, "timeout", "DURATION", "30m", "time limit, of each portal where there are many", option.Duration)
		f.portals.addParallel(set)
		f.limits.add(set)
	})
	return cmd
}

type exportJob struct {
	prefix  string // of variables
	limits  limits
	connect func(context.Context) (*connection, error)

	manifest bytes.Buffer
	written  *manifest.Written
	live     runner.Live
	failure  *exit.Failure // why there is no manifest
}

// export prints what is live on one portal, or on those of a file.
func (a *app) export(signalled context.Context, f *exportFlags) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	logger := a.newLogger(&f.log, f.noColor)
	declared, err := a.declaredElsewhere(ctx, f)
	if err != nil {
		return err
	}
	if f.portals.file != "" {
		return a.exportPortals(signalled, f, declared, logger)
	}
	j := &exportJob{prefix: f.envPrefix, limits: f.limits, connect: func(ctx context.Context) (*connection, error) { return a.connect(ctx, f.sandbox, logger) }}
	report := j.run(ctx, f, declared, logger)
	code, err := a.printExport(ctx, f, j, report)
	if err != nil {
		return err
	}
	a.noteValues(f, j.written.Variables)
	return exit.Err(code)
}

// declaredElsewhere reads the manifests of --missing-in; nil without any.
func (a *app) declaredElsewhere(ctx context.Context, f *exportFlags) (*manifest.Set, error) {
	if len(f.missingIn) == 0 {
		return nil, nil
	}
	set, findings, err := a.load(ctx, f.missingIn, nil)
	if err != nil {
		return nil, err
	}
	if len(findings) > 0 {
		return nil, &exit.Failure{Exit: exit.Invalid, Code: exit.CodeUnreadable, Message: "the manifests of --missing-in have findings", Findings: findings}
	}
	return set, nil
}

// run reads what is live and writes the manifest into memory. The report holds
// what could not be read.
func (j *exportJob) run(ctx context.Context, f *exportFlags, declared *manifest.Set, logger *slog.Logger) *runner.Report {
	portal, err := j.connect(ctx)
	if err != nil {
		j.failure = exit.AsFailure(err)
		return reportOfFailure("export", j.failure)
	}
	defer portal.close()
	client := bitrix.NewReader(portal.config(logger, j.limits))
	defer client.CloseIdle()
	live, report := runner.List(ctx, client, runner.Options{Schedule: j.limits.schedule(), Logger: logger})
	fillHints(report)
	if report.Error != nil {
		j.failure = &exit.Failure{Exit: exit.Of(ctx, report.Outcome, false), Code: report.Error.Code, Message: report.Error.Error()}
		if report.Error.Hint != "" {
			j.failure.Hints = []string{report.Error.Hint}
		}
		return report
	}
	options := manifest.WriteOptions{Active: f.active, EnvPrefix: j.prefix, Values: f.chosen()}
	kept := keepLive(live, f.ids, f.connectors)
	if declared != nil {
		declared = ofPortal(declared, portal.credentials.Portal())
		options.Declared = declared
		kept = undeclared(kept, live, declared)
	}
	out := manifestOf(kept)
	if f.sandbox == "" { // a manifest of a sandbox is for no portal in particular
		out.Portal = portal.credentials.Portal()
	}
	j.live = live
	j.written, err = manifest.Write(&j.manifest, out, options)
	if err != nil {
		j.failure = exit.Unwritten(err)
	}
	return report
}

// printExport writes the manifest to standard output, and what is not in it to
// standard error. An id that is not live is a failure, without half a result.
func (a *app) printExport(ctx context.Context, f *exportFlags, j *exportJob, report *runner.Report) (code int, err error) {
	switch {
	case j.failure != nil:
		return 0, j.failure
	case j.written == nil: // a panic
		return 0, &exit.Failure{Exit: exit.Stopped, Code: report.Error.Code, Message: report.Error.Message}
	}
	for _, id := range f.ids {
		if j.live.Sources[int64(id)] == nil {
			return 0, &exit.Failure{Exit: exit.Failed, Code: "SOURCE_NOT_FOUND", Message: fmt.Sprintf("the portal shows no source with the id %d", id),
				Hints: []string{"an application sees only the sources on its own connectors"}}
		}
	}
	for _, o := range report.Objects { // the others are exported all the same
		a.warn(fmt.Sprintf("%s #%d is left out: %s", o.Kind, o.ID, o.Error.Error()), &f.log)
	}
	for _, line := range j.written.LeftOut {
		a.warn(line, &f.log)
	}
	if f.envFile != "" {
		if err := addVariables(f.envFile, j.written.Variables); err != nil {
			return 0, exit.Unwritten(err)
		}
	}
	if _, err := j.manifest.WriteTo(a.stdout); err != nil {
		return 0, exit.Unwritten(err)
	}
	return exit.Of(ctx, report.Outcome, false), nil
}

// noteValues names the settings whose values are references: most of them are
// no secrets, and easier to review as they are.
func (a *app) noteValues(f *exportFlags, variables []manifest.Variable) {
	var codes []string
	for _, v := range variables {
		codes = append(codes, v.Code)
	}
	slices.Sort(codes)
	if codes = slices.Compact(codes); len(codes) > 0 && len(f.values) == 0 {
		a.hint("the values of these settings are references; list those that are not secret in --values: "+strings.Join(codes, ","), &f.log)
	}
}

// chosen is --values as a function; nil where it was not given.
func (f *exportFlags) chosen() func(code string) bool {
	var patterns []string
	for _, list := range f.values {
		for _, pattern := range strings.Split(list, ",") {
			if pattern = strings.TrimSpace(pattern); pattern != "" {
				patterns = append(patterns, pattern)
			}
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	return func(code string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return manifest.Match(p, code) })
	}
}
