package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
	"syncsources/schema"
)

// newValidate builds the command that checks manifests offline.
func newValidate(a *app) *cobra.Command {
	var out outputFlags
	var portals portalsFlags
	var allowDirs []string
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check manifests, offline",
		Long: `Check manifests: files, directories (every .yaml and .yml below, hidden ones
skipped), or - for standard input. Nothing but these files is read: no
credentials, no secrets that they refer to, no network.

Manifests of several portals can be checked together: ids and names are unique
on each. --portals checks a portals file and the manifests of its portals.

All findings of all files are reported, each with its place and what is allowed.`,
		Example: "  syncsources validate manifests/\n  syncsources validate --portals portals.yaml",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := portals.pathsOrPortals(cmd, paths); err != nil {
				return err
			}
			var set *manifest.Set
			var findings []*manifest.Finding
			var err error
			if portals.file != "" {
				set, findings, err = a.validatePortals(cmd.Context(), &portals, &out)
			} else if err = out.check(a.inputs(paths)); err == nil {
				set, findings, err = a.load(cmd.Context(), paths)
			}
			if err != nil {
				return err
			}
			if len(findings) == 0 {
				resolver := manifest.Resolver{AllowDirs: allowDirs}
				findings = append(resolver.Judge(set), replaced(set, &out, nil)...)
			}
			report := valid(set)
			if len(findings) > 0 {
				report = runner.Invalid("validate", findings)
			}
			if set != nil {
				report.Portal = portalOfAll(set.Portals)
			}
			return a.finish(cmd.Context(), render.One(report), delivery{output: &out})
		},
	}
	option.AddGroup(cmd.Flags(), option.Selection, func(set *pflag.FlagSet) {
		portals.add(set)
		addAllowFile(set, &allowDirs)
	})
	option.AddGroup(cmd.Flags(), option.Output, out.add)
	return cmd
}

// validatePortals checks a portals file and the manifests of its portals. The
// same finding of manifests that several portals share is reported once.
func (a *app) validatePortals(ctx context.Context, f *portalsFlags, out *outputFlags) (*manifest.Set, []*manifest.Finding, error) {
	portals, findings, err := f.load(ctx, a)
	if err != nil || len(findings) > 0 {
		return nil, findings, err
	}
	paths, further := portals.inputs()
	if err := out.check(a.inputs(paths, append(further, input{f.file, "the portals file"})...)); err != nil {
		return nil, nil, err
	}
	all := &manifest.Set{}
	type key struct {
		at            manifest.Position
		rule, message string
	}
	seen := map[key]bool{}
	for _, config := range portals.selected {
		set, found, err := a.load(ctx, config.Manifests)
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			found = otherPortals(set.Portals, config.URL, "correct the manifest, or give it to that portal in the portals file")
			all.Connectors = append(all.Connectors, set.Connectors...)
			all.Sources = append(all.Sources, set.Sources...)
			all.Tables = append(all.Tables, set.Tables...)
		}
		for _, finding := range found {
			k := key{finding.Position, finding.Rule, finding.Message}
			if !seen[k] {
				seen[k] = true
				findings = append(findings, finding)
			}
		}
	}
	return all, findings, nil
}

// load reads and checks the manifests at paths.
func (a *app) load(ctx context.Context, paths []string) (*manifest.Set, []*manifest.Finding, error) {
	type loaded struct {
		set      *manifest.Set
		findings []*manifest.Finding
	}
	l, err := obeying(ctx, func() (loaded, error) {
		set, findings, err := manifest.Load(paths, manifest.Options{Stdin: a.stdin, Check: schema.Check, Host: rest.HostPort, Size: a.boundMemory, DenyFiles: signin.Files(a.env)})
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
	report := &runner.Report{Schema: runner.ReportSchema, Command: "validate", Outcome: runner.OutcomeOK, Started: now, Finished: now}
	if set != nil {
		report.Summary.Total = len(set.Connectors) + len(set.Sources) + len(set.Tables)
	}
	return report
}
