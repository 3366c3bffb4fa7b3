package main

import (
	"context"
	"log/slog"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
)

// execute is plan and apply: it reads and checks everything, selects, resolves
// the references of what is selected, finds the portal, and runs. What is wrong
// up to there is reported with nothing sent.
func (a *app) execute(signalled context.Context, command string, f *runFlags, paths []string) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	if err := f.check(a.inputs(paths, input{f.sandbox, "the sandbox's state file"})); err != nil {
		return err
	}
	deliver := func(r *runner.Report) error {
		return a.finish(ctx, r, delivery{output: &f.output, metrics: &f.metrics, log: &f.log, detailed: f.detailed})
	}
	set, findings, err := a.load(ctx, paths)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return deliver(runner.Invalid(command, findings))
	}
	if err := f.selection.check(set); err != nil {
		return err
	}
	selects := f.selection.selects()
	resolver := manifest.Resolver{LookupEnv: a.env.Lookup, AllowDirs: f.allowDirs, DenyFiles: signin.Files(a.env)}
	resolved, findings := resolver.Resolve(ctx, set, selects)
	if len(findings) > 0 {
		return deliver(runner.Invalid(command, findings))
	}
	run := &portalRun{app: a, flags: f, log: a.newLogger(&f.log, f.output.noColor), set: resolved, selects: selects}
	if run.connection, err = a.connect(ctx, f.sandbox, run.log.Logger); err != nil {
		return err
	}
	defer run.connection.close()
	if f.sandbox == "" {
		if findings := checkPortals(set.Portals, run.connection.credentials.Portal()); len(findings) > 0 {
			return deliver(runner.Invalid(command, findings))
		}
	}
	if command == "apply" && f.asks() && a.interactive() {
		plan := run.converge(ctx, signalled, "plan")
		counts := changes{}
		counts.add(plan)
		approved, err := a.approve(signalled, plan, counts, len(set.Portals) == 0, f)
		if err != nil {
			return err
		}
		if !approved {
			return deliver(declined(plan))
		}
		if len(counts) > 0 {
			run.checksum = plan.Checksum // nothing but what was shown
		}
		cancel()
		ctx, cancel = context.WithTimeout(signalled, f.timeout) // the time to think does not count
		defer cancel()
	}
	return deliver(run.converge(ctx, signalled, command))
}

// portalRun is a plan or an apply of one portal, with all that it needs
// resolved and found.
type portalRun struct {
	app        *app
	flags      *runFlags
	log        *logger
	connection *connection
	set        *manifest.Set
	selects    func(manifest.Object) bool
	checksum   string // of the plan that was approved
}

// converge plans, with a client that has no method that writes, or applies.
// signalled ends with a signal only, ctx with the time limit too.
func (r *portalRun) converge(ctx, signalled context.Context, command string) *runner.Report {
	f, portal := r.flags, r.connection.credentials.Portal()
	options := runner.Options{
		Set: r.set, Selected: r.selects, Key: r.connection.credentials.Key(), Schedule: f.limits.schedule(),
		NoVerify: f.noVerify, FailFast: f.failFast, MaxChanges: f.maxChanges, Checksum: f.checksum,
		ShowUnmanaged: f.showUnmanaged, Logger: r.log.Logger,
	}
	if command == "apply" && r.connection.locks != nil {
		lock, left, err := lockPortal(ctx, r.connection.locks, portal, min(f.lockTimeout, f.timeout))
		if err != nil {
			return runner.Unstarted(ctx, command, portal, options, exit.AsFailure(err).Report())
		}
		release := lock.ReleaseUnsettled
		defer func() { release() }()
		options.LastAdd, options.NoteAdd = left.LastAdd, lock.NoteAdd
		options.AddsSettled = func() { release = lock.Release }
	}
	show, end := r.app.progress(f.progress, r.log)
	defer end()
	options.Progress = show
	defer warnOfSignal(signalled, r.log.Logger)()
	if r.checksum != "" {
		options.Checksum = r.checksum
	}
	config := r.connection.config(r.log.Logger, f.limits)
	if command == "plan" {
		client := bitrix.NewReader(config)
		defer client.CloseIdle()
		return runner.Plan(ctx, client, options)
	}
	client := bitrix.New(config)
	defer client.CloseIdle()
	return runner.Apply(ctx, client, options)
}

// warnOfSignal says that a signal has arrived, as long as stop is not called.
// Standard error has one writer at a time: stop waits for the warning.
func warnOfSignal(signalled context.Context, logger *slog.Logger) (stop func()) {
	warned := make(chan struct{})
	cancel := context.AfterFunc(signalled, func() {
		defer close(warned)
		logger.Warn("interrupted: settling what is in flight; a second signal exits immediately")
	})
	return func() {
		if !cancel() {
			<-warned
		}
	}
}
