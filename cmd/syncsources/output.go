package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
)

// outputFlags are the flags of commands that end with a report.
type outputFlags struct {
	form    string
	reports []string
	quiet   bool
	noColor bool
}

func (o *outputFlags) add(set *pflag.FlagSet) {
	forms := render.Forms()
	o.form = forms[0]
	form := &flagValue[string]{target: &o.form, kind: "format", parse: choice(forms...), text: o.form, words: forms}
	set.VarP(form, "output", "o", "form of the result: "+enumerate(forms, "or"))
	set.StringArrayVar(&o.reports, "report", nil, "also write the report to this `file` (repeatable): .json, .md or .xml (JUnit), as its name ends; written atomically, also when the run fails")
}

func (o *outputFlags) addQuiet(set *pflag.FlagSet) {
	set.BoolVar(&o.quiet, "quiet", false, "print only failures and the last line, for cron")
}

func (o *outputFlags) addColor(set *pflag.FlagSet) {
	set.BoolVar(&o.noColor, "no-color", false, "no colour, like the variable NO_COLOR; without either, terminals get colour, and FORCE_COLOR gives it to other outputs")
}

// check refuses, before anything is sent, reports that could not be written.
func (o *outputFlags) check() error {
	for _, path := range o.reports {
		if err := render.CheckFile(path); err != nil {
			return invalid(codeCommandLine, fmt.Sprintf("flag --report: %v", err))
		}
	}
	return nil
}

// delivery says where a report goes.
type delivery struct {
	output   *outputFlags
	metrics  *metricsFlags       // nil: nowhere
	log      *logFlags           // nil: text
	findings []*manifest.Finding // the manifests' errors in full
	detailed bool                // --detailed-exitcode
	said     bool                // standard error has the reason already
}

// finish delivers a report to standard error, standard output and files, and
// ends the command with the exit code that it stands for. Every place is
// tried, whatever happened to the others.
func (a *app) finish(ctx context.Context, r *runner.Report, d delivery) error {
	fillHints(r)
	if d.output.form != render.FormGitHub { // there they are annotations
		a.complainOf(d.findings, d.log)
	}
	if !d.said {
		a.complainOfRun(r, d.output.noColor, d.log)
	}
	code := reportCode(ctx, r, d.detailed)
	err := errors.Join(a.print(r, d.output), a.writeReports(r, d.output), a.writeMetrics(ctx, r, d.metrics, d.log))
	if err != nil {
		code = higherClaim(code, exitFailed)
		a.complain(outputFailed(err), d.log)
	}
	return ending(code)
}

// print writes the report to standard output.
func (a *app) print(r *runner.Report, o *outputFlags) error {
	form, err := render.Form(o.form)
	if err != nil {
		return err
	}
	options := render.Options{Color: colored(a.env, o.noColor, a.stdout), Quiet: o.quiet}
	if err := form(a.stdout, r, options); err != nil || o.form != render.FormGitHub {
		return err
	}
	return a.appendStepSummary(r, options)
}

// appendStepSummary adds the report to the page that GitHub Actions shows of a
// step, where there is one.
func (a *app) appendStepSummary(r *runner.Report, o render.Options) error {
	path := a.env.get("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("step summary: %w", err)
	}
	return errors.Join(render.Markdown(f, r, o), f.Close())
}

// writeReports writes the files of --report.
func (a *app) writeReports(r *runner.Report, o *outputFlags) error {
	var errs []error
	for _, path := range o.reports {
		errs = append(errs, render.WriteFile(path, r))
	}
	return errors.Join(errs...)
}

// given are the flags of a command line that could not be used, as far as they
// can be read.
type given struct {
	outputFlags
	metricsFlags
	logFlags
}

// reread reads the flags again that say where a failure is reported: the
// command line may be what is wrong.
func (a *app) reread(args []string) *given {
	g := &given{}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.ParseErrorsAllowlist.UnknownFlags = true
	g.outputFlags.add(set)
	g.metricsFlags.add(set)
	g.logFlags.add(set)
	_ = set.Parse(args)
	set.VisitAll(func(flag *pflag.Flag) {
		if value := a.env.get(flagVariable(flag.Name)); value != "" && !flag.Changed {
			_ = setFlag(flag, value)
		}
	})
	g.reports = slices.DeleteFunc(g.reports, func(path string) bool { return render.CheckFile(path) != nil })
	if g.metricsFlags.check() != nil {
		g.metricsFlags.file = ""
	}
	return g
}

// reportFailure delivers the report of a command that failed before it had
// one, so that programs find a report on standard output and in files whatever
// happens.
func (a *app) reportFailure(ctx context.Context, command string, g *given, f *failure) int {
	r := runner.Invalid(command, f.findings)
	r.Error = f.report()
	switch f.exit {
	case exitStopped:
		r.Outcome = runner.OutcomeStopped
	case exitInterrupted, exitTerminated:
		r.Outcome = runner.OutcomeInterrupted
	}
	var code ended
	errors.As(a.finish(ctx, r, delivery{output: &g.outputFlags, metrics: &g.metricsFlags, log: &g.logFlags, said: true}), &code)
	return higherClaim(f.exit, int(code))
}
