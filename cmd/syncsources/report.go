package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
	"syncsources/runner/render"
)

// newReport builds the command that prints reports again.
func newReport(a *app) *cobra.Command {
	var out outputFlags
	var metrics metricsFlags
	var exitCode, detailed bool
	cmd := &cobra.Command{
		Use:   "report FILE.json...",
		Short: "Join JSON reports and print them in any format",
		Long: `Read the JSON reports of earlier runs and print them in any format: a run as a
page to look at, or the reports of several shards as one. The reports must be of
one command and of different portals; - is standard input.

It exits with 0 whatever the runs were like, or, with --exit-code, as the runs
would have together.`,
		Example: `  syncsources report run.json
  syncsources report --report run.html -o markdown run.json
  syncsources report --exit-code shard-*.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.Refuse(exit.CodeCommandLine, "report needs at least one file: a JSON report, or - for standard input", helpHint(cmd))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			ctx := cmd.Context()
			read := make(inputs, len(files))
			for i, file := range files {
				read[i] = input{file, "one of the reports to read"}
			}
			read = append(read, a.inputs(nil)...)
			if err := cmp.Or(out.check(read), metrics.check(read, out.reports)); err != nil {
				return err
			}
			run, err := a.readReports(ctx, files)
			if err != nil {
				return err
			}
			code := exit.OK
			if exitCode || detailed {
				code = exit.Of(context.Background(), run.Outcome(), detailed) // which signal interrupted a run is not known any more
			}
			return a.deliver(run, delivery{output: &out, metrics: &metrics}, code)
		},
	}
	set := cmd.Flags()
	out.add(set)
	out.addQuiet(set)
	out.addColor(set)
	metrics.add(set)
	set.BoolVar(&exitCode, "exit-code", false, "exit as the runs together would have: 0, 1, 3, 4 or 130")
	set.BoolVar(&detailed, "detailed-exitcode", false, "like --exit-code, and with 2 for plans with changes and no failure")
	return cmd
}

// readReports reads the files: one of one portal stays what it is, all others
// are joined.
func (a *app) readReports(ctx context.Context, files []string) (render.Run, error) {
	var all runner.Joining
	for _, file := range files {
		doc, err := a.readAll(ctx, file)
		if err != nil {
			return render.Run{}, err
		}
		one, many, err := runner.ReadReport(doc)
		if err != nil {
			return render.Run{}, exit.Refuse(exit.CodeUnreadable, fmt.Sprintf("%s: %v", file, err), "pass a file that --report FILE.json or -o json wrote")
		}
		if one != nil && len(files) == 1 {
			return render.One(one), nil
		}
		if err := all.Add(file, one, many); err != nil {
			return render.Run{}, exit.Refuse(exit.CodeCommandLine, err.Error(), "join the reports of one run's shards, each once")
		}
	}
	return render.Many(all.Report()), nil
}

// readAll reads a file, or standard input.
func (a *app) readAll(ctx context.Context, file string) ([]byte, error) {
	doc, err := obeying(ctx, func() ([]byte, error) {
		if file == "-" {
			return io.ReadAll(a.stdin)
		}
		if endless(file) {
			return nil, fmt.Errorf("%s: it is not a regular file; pipe it to standard input, and name that -", file)
		}
		return os.ReadFile(file)
	})
	if err != nil && ctx.Err() != nil {
		return nil, exit.Interruption(ctx)
	}
	if err != nil {
		return nil, exit.Refuse(exit.CodeUnreadable, err.Error())
	}
	return doc, nil
}
