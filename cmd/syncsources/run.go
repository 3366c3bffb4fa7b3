package main

import (
	"cmp"
	"context"
	"time"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/exit"
	"syncsources/manifest"
	"syncsources/runner"
)

// execute is plan and apply: it reads and checks everything, selects the
// targets, resolves the references of these, finds the portal, and runs. What
// is wrong up to there is reported with nothing sent.
func (a *app) execute(ctx context.Context, command string, f *runFlags, paths []string) error {
	if err := cmp.Or(f.output.check(), f.metrics.check()); err != nil {
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
	targeted, err := selectTargets(set.Sources, f.targets)
	if err != nil {
		return err
	}
	resolver := manifest.Resolver{LookupEnv: a.env.Lookup, AllowDirs: f.allowDirs, DenyFiles: credentialFiles(a.env)}
	resolved, findings := resolver.Resolve(ctx, &manifest.Set{Sources: targeted}, nil)
	selected := resolved.Sources
	if len(findings) > 0 {
		return deliver(runner.Invalid(command, findings), findings)
	}
	deadline := time.Now().Add(f.timeout)
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
			release, err := lockPortal(ctx, portal.credentials.Portal(), min(f.lockTimeout, f.timeout))
			if err != nil {
				return deliver(runner.Unstarted(ctx, command, portal.credentials.Portal(), selected, exit.AsFailure(err).Report()), nil)
			}
			defer release()
		}
	}
	report := converge(ctx, deadline, command, f, portal, runner.Options{
		Sources: selected, Key: portal.credentials.Key(), Schedule: f.limits.schedule(),
		NoVerify: f.noVerify, FailFast: f.failFast, MaxChanges: f.maxChanges, Checksum: f.checksum,
		ShowUnmanaged: f.showUnmanaged, Managed: managed(set.Sources),
		Logger: logger, Progress: show,
	})
	end()
	return deliver(report, nil)
}

// converge runs a plan, with a client that has no method that writes, or an
// apply, until the deadline.
func converge(ctx context.Context, deadline time.Time, command string, f *runFlags, portal *connection, o runner.Options) *runner.Report {
	warned := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(warned)
		o.Logger.Warn("interrupted: settling what is in flight; a second signal exits immediately")
	})
	defer func() {
		if !stop() {
			<-warned // standard error has one writer at a time
		}
	}()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if command == "plan" {
		client := bitrix.NewReader(portal.config(o.Logger, f.limits.requestTime))
		defer client.CloseIdle()
		return runner.Plan(ctx, client, o)
	}
	client := bitrix.New(portal.config(o.Logger, f.limits.requestTime))
	defer client.CloseIdle()
	return runner.Apply(ctx, client, o)
}

// managed holds the ids that any manifest declares, targeted or not.
func managed(sources []manifest.Source) map[int64]bool {
	ids := make(map[int64]bool, len(sources))
	for i := range sources {
		ids[sources[i].ID] = true
	}
	return ids
}
