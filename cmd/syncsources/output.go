package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/manifest"
	"syncsources/runner"
)

// outputFlags are the flags of commands that end with a report.
type outputFlags struct {
	form string
}

// forms are the forms of standard output, the default first.
var forms = []string{"text", "json"}

func (o *outputFlags) add(set *pflag.FlagSet) {
	o.form = forms[0]
	v := &flagValue[string]{target: &o.form, kind: "format", parse: choice(forms...), text: o.form}
	set.VarP(v, "output", "o", "form of the result: "+alternatives(forms))
}

// finish delivers a report and derives the exit code from it. findings are
// the manifests' errors in full, for the terminal.
func (a *app) finish(ctx context.Context, r *runner.Report, findings []*manifest.Error, o *outputFlags) error {
	for _, finding := range findings {
		_, _ = fmt.Fprintln(a.stderr, finding.Detail())
	}
	if err := render(a.stdout, r, o.form); err != nil {
		return outputFailed(err)
	}
	return ending(reportCode(ctx, r, false))
}

func render(w io.Writer, r *runner.Report, form string) error {
	if form == "json" {
		return json.NewEncoder(w).Encode(r)
	}
	if r.Outcome == runner.OutcomeInvalid {
		return nil
	}
	_, err := fmt.Fprintf(w, "valid: %d %s\n", r.Summary.Total, plural(r.Summary.Total, "source"))
	return err
}

// reportFailure writes the report that a command which ends with a report
// owes its reader, where the command line could not even be parsed.
func (a *app) reportFailure(cmd *cobra.Command, args []string, f *failure) int {
	var o outputFlags
	if cmd.Flags().Lookup("output") == nil || f.code == codeOutput {
		return f.exit
	}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.ParseErrorsAllowlist.UnknownFlags = true
	o.add(set)
	if f := set.Lookup("output"); a.env.get(flagVariable(f.Name)) != "" {
		_ = f.Value.Set(a.env.get(flagVariable(f.Name)))
	}
	_ = set.Parse(args)
	if o.form == "text" {
		return f.exit
	}
	now := time.Now()
	report := &runner.Report{
		Schema: runner.ReportSchema, Command: cmd.Name(), Outcome: runner.OutcomeInvalid,
		Started: now, Finished: now, Error: &runner.Failure{Code: f.code, Message: f.message},
	}
	if err := render(a.stdout, report, o.form); err != nil {
		return exitFailed
	}
	return f.exit
}

// plural is a noun as it follows the number n.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
