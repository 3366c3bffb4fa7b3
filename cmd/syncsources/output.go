package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
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
	form := &flagValue[string]{target: &o.form, kind: "format", parse: choice(forms...), text: o.form}
	set.VarP(form, "output", "o", "form of the result: "+alternatives(forms))
	set.StringArrayVar(&o.reports, "report", nil, "also write the report to this `file`, by its ending .json, .md or .xml (JUnit); atomically, and when the run fails as well (repeatable)")
}

func (o *outputFlags) addQuiet(set *pflag.FlagSet) {
	set.BoolVar(&o.quiet, "quiet", false, "print only failures and the last line, for cron")
}

func (o *outputFlags) addColor(set *pflag.FlagSet) {
	set.BoolVar(&o.noColor, "no-color", false, "no colour, as the variable NO_COLOR; without either, terminals get it, and FORCE_COLOR gives it to others")
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
	metrics  *metricsFlags     // nil: nowhere
	findings []*manifest.Error // the manifests' errors in full
	detailed bool              // --detailed-exitcode
	said     bool              // standard error has the reason already
}

// finish delivers a report to standard error, standard output and files, and
// ends the command with the exit code that it stands for. Every place is
// tried, whatever happened to the others.
func (a *app) finish(ctx context.Context, r *runner.Report, d delivery) error {
	if d.output.form != render.FormGitHub {
		for _, finding := range d.findings {
			_, _ = fmt.Fprintln(a.stderr, finding.Detail())
		}
	}
	if !d.said {
		_ = render.RunError(a.stderr, r, render.Options{Color: colored(a.env, d.output.noColor, a.stderr)})
	}
	code := reportCode(ctx, r, d.detailed)
	err := errors.Join(a.print(r, d.output), a.writeReports(r, d.output), a.writeMetrics(ctx, r, d.metrics))
	if err != nil {
		code = higherClaim(code, exitFailed)
		outputFailed(err).print(a.stderr)
	}
	return ending(code)
}

// print writes the report to standard output.
func (a *app) print(r *runner.Report, o *outputFlags) error {
	if r.Command == "validate" && o.form == render.FormText {
		return a.printValid(r)
	}
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
	return errors.Join(render.StepSummary(f, r, o), f.Close())
}

// printValid is the text form of validate, whose report knows no portal.
func (a *app) printValid(r *runner.Report) error {
	if r.Outcome == runner.OutcomeInvalid {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "valid: %d %s\n", r.Summary.Total, plural(r.Summary.Total, "source"))
	return err
}

// writeReports writes the files of --report.
func (a *app) writeReports(r *runner.Report, o *outputFlags) error {
	var errs []error
	for _, path := range o.reports {
		errs = append(errs, render.WriteFile(path, r, render.Options{Quiet: o.quiet}))
	}
	return errors.Join(errs...)
}

// reportFailure delivers the report of a command that failed before it had
// one, so that programs find a report on standard output and in files
// whatever happens. The command line may be what is wrong; its flags are read
// again as far as they can be.
func (a *app) reportFailure(ctx context.Context, cmd *cobra.Command, args []string, f *failure) int {
	if cmd.Flags().Lookup("report") == nil {
		return f.exit
	}
	var output outputFlags
	var metrics metricsFlags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.ParseErrorsAllowlist.UnknownFlags = true
	output.add(set)
	metrics.add(set)
	_ = set.Parse(args)
	set.VisitAll(func(flag *pflag.Flag) {
		if value := a.env.get(flagVariable(flag.Name)); value != "" && !flag.Changed {
			_ = setFlag(flag, value)
		}
	})
	if output.check() != nil {
		output.reports = nil
	}
	if metrics.check() != nil {
		metrics.file = ""
	}
	now := time.Now()
	r := runner.Invalid(cmd.Name(), f.findings)
	r.Started, r.Finished = now, now
	r.Error = &runner.Failure{Code: f.code, Message: f.message}
	if len(f.advice) > 0 {
		r.Error.Hint = f.advice[0]
	}
	switch f.exit {
	case exitStopped:
		r.Outcome = runner.OutcomeStopped
	case exitInterrupted, exitTerminated:
		r.Outcome = runner.OutcomeInterrupted
	}
	var code ended
	errors.As(a.finish(ctx, r, delivery{output: &output, metrics: &metrics, said: true}), &code)
	return higherClaim(f.exit, int(code))
}
