package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
	"syncsources/schema"
)

// newValidate builds the command that checks manifests offline.
func newValidate(a *app) *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check manifests, offline",
		Long: `Check manifests: files, directories (every .yaml and .yml below, hidden ones
skipped), or - for standard input. Nothing but these files is read: no
credentials, no secrets that they refer to, no network.

All errors of all files are reported, each with its place and what is allowed.`,
		Example: "  syncsources validate manifests/",
		Args:    atLeastOnePath,
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := out.check(a.inputs(paths)); err != nil {
				return err
			}
			set, findings, err := a.load(cmd.Context(), paths)
			if err != nil {
				return err
			}
			if len(findings) > 0 {
				return a.finish(cmd.Context(), render.One(runner.Invalid("validate", findings)), delivery{output: &out})
			}
			return a.finish(cmd.Context(), render.One(valid(set)), delivery{output: &out})
		},
	}
	out.add(cmd.Flags())
	return cmd
}

// load reads and checks the manifests at paths.
func (a *app) load(ctx context.Context, paths []string) (*manifest.Set, []*manifest.Finding, error) {
	type loaded struct {
		set      *manifest.Set
		findings []*manifest.Finding
	}
	l, err := obeying(ctx, func() (loaded, error) {
		set, findings, err := manifest.Load(paths, manifest.Options{Stdin: a.stdin, Check: schema.Check, DenyFiles: signin.Files(a.env)})
		if err != nil {
			f := exit.Refuse(exit.CodeUnreadable, err.Error())
			f.Findings = findings
			return loaded{}, f
		}
		return loaded{set, findings}, nil
	})
	return l.set, l.findings, err
}

// valid is the report of manifests without a finding.
func valid(set *manifest.Set) *runner.Report {
	now := time.Now()
	return &runner.Report{
		Schema: runner.ReportSchema, Command: "validate", Outcome: runner.OutcomeOK, Started: now, Finished: now,
		Summary: runner.Summary{Total: len(set.Connectors) + len(set.Sources) + len(set.Tables)},
	}
}
