package main

import (
	"context"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/exit"
	"syncsources/manifest"
	"syncsources/runner"
)

// execute is plan and apply: it reads and checks everything, selects, resolves
// the references of what is selected, finds the portal, and runs. What is wrong
// up to there is reported with nothing sent.
func (a *app) execute(signalled context.Context, command string, f *runFlags, paths []string) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	if err := f.check(a.inputs(paths, input{f.limits.sandbox, "the sandbox's state file"})); err != nil {
		return err
	}
	deliver := func(r *runner.Report, findings []*manifest.Finding) error {
		return a.finish(ctx, r, delivery{output: &f.output, metrics: &f.metrics, log: &f.log, findings: findings, detailed: f.detailed})
	}
	set, findings, err := a.load(ctx, paths)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return deliver(runner.Invalid(command, findings), findings)
	}
	if err := f.selection.check(set); err != nil {
		return err
	}
	selected := selectedSources(set, f.selection.selects())
	resolver := manifest.Resolver{LookupEnv: a.env.Lookup, AllowDirs: f.allowDirs, DenyFiles: credentialFiles(a.env)}
	resolved, findings := resolver.Resolve(ctx, &manifest.Set{Sources: selected}, nil)
	selected = resolved.Sources
	if len(findings) > 0 {
		return deliver(runner.Invalid(command, findings), findings)
	}
	show, log, end := a.progress(f.progress)
	defer end()
	logger := f.log.logger(log, a.env.Colored(f.output.noColor, a.stderr)) // of the token source as well
	portal, err := a.connect(ctx, f.limits.sandbox, logger)
	if err != nil {
		return err
	}
	defer portal.close()
	if f.limits.sandbox == "" {
		if findings := checkPortals(set.Portals, portal.credentials.Portal()); len(findings) > 0 {
			return deliver(runner.Invalid(command, findings), findings)
		}
		if command == "apply" {
			locks := auth.NewFileLocks(lockDirectories(a.env)...)
			lock, _, err := lockPortal(ctx, locks, portal.credentials.Portal(), min(f.lockTimeout, f.timeout))
			if err != nil {
				return deliver(runner.Unstarted(ctx, command, portal.credentials.Portal(), selected, exit.AsFailure(err).Report()), nil)
			}
			defer lock.Release()
		}
	}
	stop := context.AfterFunc(signalled, func() {
		logger.Warn("interrupted: settling what is in flight; a second signal exits immediately")
	})
	report := converge(ctx, command, f, portal, runner.Options{
		Sources: selected, Key: portal.credentials.Key(), Schedule: f.limits.schedule(),
		NoVerify: f.noVerify, FailFast: f.failFast, MaxChanges: f.maxChanges, Checksum: f.checksum,
		ShowUnmanaged: f.showUnmanaged, Managed: managed(set.Sources),
		Logger: logger, Progress: show,
	})
	stop()
	end()
	return deliver(report, nil)
}

// converge runs a plan, with a client that has no method that writes, or an
// apply.
func converge(ctx context.Context, command string, f *runFlags, portal *connection, o runner.Options) *runner.Report {
	if command == "plan" {
		client := bitrix.NewReader(portal.config(o.Logger, f.limits.requestTime))
		defer client.CloseIdle()
		return runner.Plan(ctx, client, o)
	}
	client := bitrix.New(portal.config(o.Logger, f.limits.requestTime))
	defer client.CloseIdle()
	return runner.Apply(ctx, client, o)
}

func selectedSources(set *manifest.Set, selects func(manifest.Object) bool) []manifest.Source {
	var selected []manifest.Source
	for i := range set.Sources {
		if selects == nil || selects(set.Sources[i].Object) {
			selected = append(selected, set.Sources[i])
		}
	}
	return selected
}

// managed holds the ids that any manifest declares, selected or not.
func managed(sources []manifest.Source) map[int64]bool {
	ids := make(map[int64]bool, len(sources))
	for i := range sources {
		ids[sources[i].ID] = true
	}
	return ids
}
