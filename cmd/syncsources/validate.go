package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
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
			resolver := manifest.Resolver{AllowDirs: allowDirs}
			if portals.file != "" {
				return a.validatePortals(cmd.Context(), &portals, &resolver, &out)
			}
			if err := out.check(a.inputs(paths)); err != nil {
				return err
			}
			r, err := a.validate(cmd.Context(), paths, &resolver, &out, func([]manifest.Portal) []*manifest.Finding { return nil })
			if err != nil {
				return err
			}
			return a.finish(cmd.Context(), render.One(r), delivery{output: &out})
		},
	}
	option.AddGroup(cmd.Flags(), option.Selection, func(set *pflag.FlagSet) {
		portals.add(set)
		addAllowFile(set, &allowDirs)
	})
	option.AddGroup(cmd.Flags(), option.Output, out.add)
	return cmd
}

// validate checks the manifests at paths. elsewhere finds those that are for
// another portal.
func (a *app) validate(ctx context.Context, paths []string, resolver *manifest.Resolver, out *outputFlags, elsewhere func([]manifest.Portal) []*manifest.Finding) (*runner.Report, error) {
	set, findings, err := a.load(ctx, paths, func(set *manifest.Set) []*manifest.Finding {
		return slices.Concat(elsewhere(set.Portals), resolver.Judge(set), spareReferenced(set, out, nil))
	})
	if err != nil {
		return nil, err
	}
	r := runner.Invalid("validate", findings)
	if len(findings) == 0 {
		r.Outcome = runner.OutcomeOK
		r.Summary.Total = len(set.Connectors) + len(set.Sources) + len(set.Tables)
	}
	r.Portal = portalOfAll(set.Portals)
	return r, nil
}

// validatePortals checks a portals file and the manifests of its portals.
func (a *app) validatePortals(ctx context.Context, f *portalsFlags, resolver *manifest.Resolver, out *outputFlags) error {
	d := delivery{output: out}
	portals, findings, err := f.load(ctx, a)
	if err != nil {
		return err
	}
	paths, further := portalsInputs(f.file, portals.file)
	if err := out.check(a.inputs(paths, further...)); err != nil {
		return err
	}
	if len(findings) > 0 {
		return a.finish(ctx, render.Many(runner.Invalid("validate", findings).OfMany()), d)
	}
	a.sayEmpty(portals)
	now := time.Now()
	all := &runner.PortalsReport{Schema: runner.PortalsSchema, Command: "validate", Outcome: runner.OutcomeOK, Started: now, Finished: now}
	for _, config := range portals.selected {
		r, err := a.validate(ctx, config.Manifests, resolver, out, func(declared []manifest.Portal) []*manifest.Finding {
			return otherPortals(declared, config.URL, "correct the manifest, or list it under that portal in the portals file")
		})
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			r = reportOfFailure("validate", exit.AsFailure(err))
		}
		r.Portal = config.URL
		all.Add(runner.PortalReport{Name: config.Name, Report: r}, r)
	}
	return a.finish(ctx, render.Many(all), d)
}

// load reads and checks the manifests at paths. judge finds what else is wrong
// with them; may be nil.
func (a *app) load(ctx context.Context, paths []string, judge func(*manifest.Set) []*manifest.Finding) (*manifest.Set, []*manifest.Finding, error) {
	type loaded struct {
		set      *manifest.Set
		findings []*manifest.Finding
	}
	l, err := obeying(ctx, func() (loaded, error) {
		large := false
		options := manifest.Options{Stdin: a.stdin, Check: schema.Check, Judge: judge, Host: rest.HostPort, DenyFiles: signin.Files(a.env), Size: func(bytes int) {
			if _, given := a.env.Lookup("GOGC"); !given && bytes > largeManifests {
				large = true
				debug.SetGCPercent(patient)
			}
		}}
		set, findings, err := manifest.Load(paths, options)
		if large {
			debug.SetGCPercent(100)
			runtime.GC()
		}
		if err != nil {
			f := exit.Refuse(exit.CodeUnreadable, err.Error())
			f.Findings = findings
			return loaded{}, f
		}
		return loaded{set, findings}, nil
	})
	return l.set, l.findings, err
}

// Nearly all that reading manifests makes lives until they are read. From
// largeManifests bytes on the collector waits for that, unless the user has set
// it, and then collects: the heap would double before it came by.
const (
	largeManifests = 1 << 20
	patient        = 400
)
