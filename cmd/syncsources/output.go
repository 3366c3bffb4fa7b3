package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
)

// outputFlags are the flags of commands that end with a report.
type outputFlags struct {
	format    string
	reports   []string
	commentID string
	quiet     bool
	noColor   bool
	spared    sync.Map // files that manifests refer to: nothing is written there
}

func (o *outputFlags) add(set *pflag.FlagSet) {
	formats := render.Names()
	option.AddChoice(set, &o.format, "output", "o", "FORMAT", "format of the result: "+option.Enumerate(formats, "or"), formats...)
	option.AddList(set, &o.reports, "report", "FILE", "also write the report to this file, in the format of its extension: "+option.Enumerate(render.Endings(), "or")+"; written atomically, also when the run fails", option.Path("a file"))
	option.Add(set, &o.commentID, "comment-id", "ID", "", "name this run in the marker at the top of markdown, so that several runs against one portal get a comment each", commentID)
}

// commentID refuses what cannot be part of a marker.
func commentID(text string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`).MatchString(text) || strings.Contains(text, "--") {
		return "", errors.New("must consist of letters, digits, dots, underscores and single hyphens, at most 64")
	}
	return text, nil
}

func (o *outputFlags) addQuiet(set *pflag.FlagSet) {
	set.BoolVar(&o.quiet, "quiet", false, "print only failures and the last line, for cron")
}

func (o *outputFlags) addColor(set *pflag.FlagSet) {
	set.BoolVar(&o.noColor, "no-color", false, "no colour, like the variable NO_COLOR; without either, terminals get colour, and FORCE_COLOR gives it to other outputs")
}

// check refuses, before anything is sent, reports that could not be written.
func (o *outputFlags) check(in inputs) error {
	for _, path := range o.reports {
		if what := in.at(path); what != "" {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --report: %q is %s, which the report would replace", path, what), "choose another file")
		}
		if err := render.CheckFile(path); err != nil {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --report: %v", err))
		}
	}
	return nil
}

// delivery says where a report goes.
type delivery struct {
	output   *outputFlags
	metrics  *metricsFlags // nil: nowhere
	log      *logFlags     // nil: text
	detailed bool          // --detailed-exitcode
	printed  bool          // standard error has the reason already
	streamed bool          // standard output has the portals already
	failed   error         // why standard output does not have them all
}

// finish ends a command with the report of its run, or of its portals.
func (a *app) finish(ctx context.Context, run render.Run, d delivery) error {
	if run.Report != nil {
		fillHints(run.Report)
	}
	return a.deliver(run, d, exit.Of(ctx, run.Outcome(), d.detailed))
}

// deliver delivers a run to standard error, standard output and files, and ends
// the command with the exit code. Every place is tried, whatever happened to
// the others.
func (a *app) deliver(run render.Run, d delivery, code int) error {
	if !d.printed {
		findings, err := run.Findings()
		if err == nil && d.output.format != render.GitHubName { // there they are annotations
			a.printFindings(findings, d.output.noColor, d.log)
		}
		a.printRunError(run, d.output.noColor, d.log)
	}
	err := errors.Join(d.failed, a.print(run, d), a.writeReports(run, d.output), d.writeMetrics(run))
	if err != nil {
		code = exit.Higher(code, exit.Failed)
		a.printFailure(exit.Unwritten(err), d.log)
	}
	return exit.Err(code)
}

// print writes the run to standard output, and to the page that GitHub Actions
// shows of a step, where there is one.
func (a *app) print(run render.Run, d delivery) error {
	o := d.output
	write, err := render.Named(o.format)
	if err != nil {
		return err
	}
	options := a.renderOptions(o)
	options.Color, options.Quiet = a.env.Colored(o.noColor, a.stdout), o.quiet
	if d.streamed {
		return render.TextTotal(a.stdout, run.Portals, options)
	}
	if err := write(a.stdout, run, options); err != nil || o.format != render.GitHubName {
		return err
	}
	if page := a.env.Get("GITHUB_STEP_SUMMARY"); page != "" {
		return render.AppendStepSummary(page, run, options)
	}
	return nil
}

// renderOptions are what all formats of a run have in common.
func (a *app) renderOptions(o *outputFlags) render.Options {
	dir, _ := os.Getwd() // without it, files stay as they are
	return render.Options{CommentID: o.commentID, Dir: dir, Workspace: a.env.Get("GITHUB_WORKSPACE")}
}

// writeReports writes the files of --report.
func (a *app) writeReports(run render.Run, o *outputFlags) error {
	var errs []error
	for _, path := range o.reports {
		if _, spared := o.spared.Load(path); spared {
			continue
		}
		errs = append(errs, render.WriteFile(path, run, a.renderOptions(o)))
	}
	return errors.Join(errs...)
}

// destinations are the flags of a command line that could not be used, as far
// as they can be read: they say where the failure is reported.
type destinations struct {
	output  outputFlags
	metrics metricsFlags
	log     logFlags
	portals portalsFlags
	sandbox string
}

// salvage reads these flags by themselves: the rest of the command line may be
// what is wrong. Places where nothing may be written are left out.
func (a *app) salvage(ctx context.Context, args []string) *destinations {
	d := &destinations{}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.ParseErrorsAllowlist.UnknownFlags = true
	addSandbox(set, &d.sandbox)
	d.portals.add(set)
	d.output.add(set)
	d.metrics.add(set)
	d.log.add(set)
	_ = set.Parse(args)
	_ = option.FromEnvironment(set, a.env)
	paths := perhapsPaths(args)
	further := []input{{d.sandbox, "the sandbox's state file"}}
	if d.portals.file != "" {
		if file, _, err := d.portals.read(ctx); err == nil {
			ofPortals, more := portalsInputs(d.portals.file, file)
			paths, further = append(paths, ofPortals...), append(further, more...)
		}
	}
	in := a.inputs(paths, further...)
	d.output.reports = slices.DeleteFunc(d.output.reports, func(path string) bool { return render.CheckFile(path) != nil || in.at(path) != "" })
	if d.metrics.check(in, d.output.reports) != nil {
		d.metrics.file = ""
	}
	if len(d.output.reports) > 0 || d.metrics.file != "" {
		_, _, _ = manifest.Load(paths, manifest.Options{DenyFiles: signin.Files(a.env), Stdin: strings.NewReader(""),
			Judge: func(set *manifest.Set) []*manifest.Finding { return spareReferenced(set, &d.output, &d.metrics) }})
	}
	return d
}

// perhapsPaths are the words of a command line that may be paths of manifests:
// all that are neither flags nor the values of those flags that say where to
// write. Of a command line that is wrong nobody knows more.
func perhapsPaths(args []string) []string {
	var paths []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--report" || args[i] == "--metrics-file":
			i++
		case !strings.HasPrefix(args[i], "-"):
			paths = append(paths, args[i])
		}
	}
	return paths
}

// reportFailure delivers the report of a command that failed before it had
// one, so that programs find a report on standard output and in files whatever
// happens.
func (a *app) reportFailure(ctx context.Context, command string, d *destinations, f *exit.Failure) int {
	r := reportOfFailure(command, f)
	run := render.One(r)
	switch {
	case command == "report":
	case d.portals.file != "":
		run = render.Many(r.OfMany())
	case command != "validate":
		r.Portal = cmp.Or(f.Portal, a.portalOf(ctx, d.sandbox, nil))
	}
	_ = a.finish(ctx, run, delivery{output: &d.output, metrics: &d.metrics, log: &d.log, printed: true})
	return f.Exit // no output that fails has a higher claim
}

// reportOfFailure is the report of a run that failed before it had one.
func reportOfFailure(command string, f *exit.Failure) *runner.Report {
	r := runner.Invalid(command, f.Findings)
	r.Error = f.Report()
	if f.Exit != exit.Invalid {
		r.Objects = f.Objects
		r.Count()
	}
	switch f.Exit {
	case exit.Failed:
		r.Outcome = runner.OutcomeFailed
	case exit.Stopped:
		r.Outcome = runner.OutcomeStopped
	case exit.HungUp, exit.Interrupted, exit.Terminated:
		r.Outcome = runner.OutcomeInterrupted
	}
	return r
}

// metricsFlags say where the metrics of a run go.
type metricsFlags struct {
	file string
}

func (m *metricsFlags) add(set *pflag.FlagSet) {
	option.Add(set, &m.file, "metrics-file", "FILE", "", "write the run's metrics to this file, atomically, for the textfile collector of Prometheus's node_exporter, which reads only *.prom files", option.Path("a file"))
}

// check refuses, before anything is sent, metrics that could not be written.
func (m *metricsFlags) check(in inputs, reports []string) error {
	if m.file == "" {
		return nil
	}
	for _, path := range reports {
		in = append(in, input{path, "a report"})
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
