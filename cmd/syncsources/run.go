package main

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
)

// planOrApply runs against the portals of a file, or against the one of the
// environment.
func (a *app) planOrApply(cmd *cobra.Command, command string, f *runFlags, paths []string) error {
	if err := f.portals.pathsOrPortals(cmd, paths); err != nil {
		return err
	}
	if f.portals.file != "" {
		return a.executePortals(cmd.Context(), command, f)
	}
	return a.execute(cmd.Context(), command, f, paths)
}

// execute is plan and apply of the portal that the environment's credentials
// are for, or of a sandbox.
func (a *app) execute(signalled context.Context, command string, f *runFlags, paths []string) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	if err := f.check(a.inputs(paths, input{f.sandbox, "the sandbox's state file"})); err != nil {
		return err
	}
	d := delivery{output: &f.output, metrics: &f.metrics, log: &f.log, detailed: f.detailed}
	log := a.newLogger(&f.log, f.output.noColor)
	j := a.environmentJob(f, paths, log)
	run, findings, err := a.prepare(ctx, f, &j)
	if err != nil {
		failed := exit.AsFailure(err)
		failed.Portal = a.portalOf(ctx, f.sandbox, j.declared)
		return failed
	}
	if len(findings) > 0 {
		r := runner.Invalid(command, findings)
		r.Portal = a.portalOf(ctx, f.sandbox, j.declared)
		return a.finish(ctx, render.One(r), d)
	}
	defer run.connection.close()
	if command == "apply" && f.asks() && a.interactive() {
		plan := run.show(ctx, signalled, "plan", log)
		if plan.Error != nil {
			plan.Command = command // it would end no other way
			return a.finish(ctx, render.One(plan), d)
		}
		approved, err := a.approve(signalled, plan, f)
		if !approved {
			f.output.quiet = true // what would change has just been shown
			return a.finish(ctx, render.One(declined(plan, err)), d)
		}
		run.checksum = plan.Checksum // nothing but what was shown
		cancel()
		ctx, cancel = context.WithTimeout(signalled, f.timeout) // the time to think does not count
		defer cancel()
	}
	return a.finish(ctx, render.One(run.show(ctx, signalled, command, log)), d)
}

// job is what a plan or an apply of one portal begins with.
type job struct {
	paths   []string // of manifests
	limits  limits   // of the portal; flags come first
	resolve manifest.Resolver
	// connect finds the way to the portal. It sends nothing.
	connect func(context.Context) (*connection, []*manifest.Finding, error)
	// elsewhere is what to do about a manifest that is for another portal.
	elsewhere string
	// partOfMany says that the targets may be in the manifests of other portals.
	partOfMany bool
	// declared are the portals that the manifests are for, known once they are
	// read.
	declared []manifest.Portal
}

// environmentJob is a job for the portal that the environment's credentials are
// for, or for a sandbox.
func (a *app) environmentJob(f *runFlags, paths []string, logger *slog.Logger) job {
	return job{
		paths:   paths,
		resolve: a.resolver(a.env.Lookup, f.allowDirs),
		connect: func(ctx context.Context) (*connection, []*manifest.Finding, error) {
			c, err := a.connect(ctx, f.sandbox, logger)
			return c, nil, err
		},
		elsewhere: "use the credentials of that portal, or correct the manifest",
	}
}

// prepare reads and checks everything, selects, resolves the references of what
// is selected, and finds the portal. What is wrong up to there are findings or
// an error, with nothing sent.
func (a *app) prepare(ctx context.Context, f *runFlags, j *job) (*portalRun, []*manifest.Finding, error) {
	set, findings, err := a.load(ctx, j.paths, func(set *manifest.Set) []*manifest.Finding { return spareReferenced(set, &f.output, &f.metrics) })
	if set != nil {
		j.declared = set.Portals
	}
	if err != nil || len(findings) > 0 {
		return nil, findings, err
	}
	if !j.partOfMany && !f.selection.empty() {
		if err := f.selection.check(declared(set)); err != nil {
			return nil, nil, err
		}
	}
	selects := f.selection.selects()
	resolved, findings := j.resolve.Resolve(ctx, set, selects)
	var connection *connection
	switch {
	case ctx.Err() != nil:
		err = tooLate(ctx)
	case len(findings) > 0:
		return nil, findings, nil
	default:
		connection, findings, err = j.connect(ctx)
	}
	if err != nil {
		failed := exit.AsFailure(err)
		failed.Objects = runner.Unstarted(ctx, "", "", runner.Options{Set: set, Selected: selects}, nil).Objects
		return nil, nil, failed
	}
	if len(findings) > 0 {
		return nil, findings, nil
	}
	if f.sandbox == "" {
		if findings := otherPortals(set.Portals, connection.credentials.Portal(), j.elsewhere); len(findings) > 0 {
			connection.close()
			return nil, findings, nil
		}
	}
	return &portalRun{
		app: a, flags: f, limits: f.limits.or(j.limits), connection: connection,
		set: resolved, selects: selects, named: len(set.Portals) > 0,
	}, nil, nil
}

// portalRun is a plan or an apply of one portal, with all that it needs
// resolved and found.
type portalRun struct {
	app        *app
	flags      *runFlags
	limits     limits
	connection *connection
	set        *manifest.Set
	selects    func(manifest.Object) bool
	named      bool   // a manifest says which portal it is for
	checksum   string // of the plan that was approved
}

// show converges and shows meanwhile how far it is. signalled ends with a
// signal only, ctx with the time limit too.
func (r *portalRun) show(ctx, signalled context.Context, command string, log *slog.Logger) *runner.Report {
	progress, end := r.app.progress(r.flags.progress, log)
	defer end()
	defer warnOfSignal(signalled, log)()
	report := r.converge(ctx, command, log, progress)
	if command == "plan" && !r.named && r.flags.sandbox == "" && report.Outcome == runner.OutcomeChanges {
		report.Notes = append(report.Notes, "no manifest says which portal it is for; with \"portal: "+report.Portal+"\" in it, a run against another one is refused")
	}
	return report
}

// converge plans, with a client that has no method that writes, or applies.
func (r *portalRun) converge(ctx context.Context, command string, logger *slog.Logger, progress func(runner.Progress)) *runner.Report {
	f, portal := r.flags, r.connection.credentials.Portal()
	options := runner.Options{
		Set: r.set, Selected: r.selects, Prune: f.prune, Key: r.connection.credentials.Key(), Schedule: r.limits.schedule(),
		NoVerify: f.noVerify, FailFast: f.failFast, MaxChanges: f.maxChanges, MaxDeletes: f.maxDeletes, Checksum: f.checksum,
		ShowUnmanaged: f.showUnmanaged, Logger: logger, Progress: progress,
	}
	if r.checksum != "" {
		options.Checksum = r.checksum
	}
	wait := f.lockTimeout
	if command == "plan" {
		wait = f.planLockTimeout
	}
	if r.connection.locks != nil && (command == "apply" || wait > 0) {
		lock, left, err := lockPortal(ctx, r.connection.locks, portal, min(wait, f.timeout))
		if err != nil {
			return runner.Unstarted(ctx, command, portal, options, exit.AsFailure(err).Report())
		}
		options.LastAdd = left.LastAdd
		release := lock.ReleaseUnsettled
		if command == "plan" {
			release() // it only waits for the end of an apply
		} else {
			var end func()
			ctx, end = whileHeld(ctx, lock)
			defer end()
			defer func() { release() }()
			options.NoteAdd, options.AddsSettled = lock.NoteAdd, func() { release = lock.Release }
		}
	}
	config := r.connection.config(logger, r.limits)
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
		_ = context.Cause(signalled) // waits until the runs' own contexts are over: no write follows the warning
		logger.Warn("interrupted: settling what is in flight; a second signal exits immediately")
	})
	return func() {
		if !cancel() {
			<-warned
		}
	}
}

// portalOf is the portal of a run that ended before it got there: the sandbox,
// the one of the environment's credentials, else the one that all manifests are
// for. It is empty where none of them says.
func (a *app) portalOf(ctx context.Context, sandbox string, declared []manifest.Portal) string {
	if sandbox != "" {
		return sandboxAddress
	}
	return cmp.Or(signin.PortalOf(ctx, a.env), portalOfAll(declared))
}

// portalOfAll is the portal that all manifests are for, empty where they name
// none or several.
func portalOfAll(declared []manifest.Portal) string {
	all := ""
	for _, p := range declared {
		u, err := rest.ParseHost(rest.ThePortal, p.URL)
		if err != nil || all != "" && all != u.String() {
			return ""
		}
		all = u.String()
	}
	return all
}

// otherPortals finds manifests that are for another portal than ours.
func otherPortals(portals []manifest.Portal, ours, hint string) []*manifest.Finding {
	var found []*manifest.Finding
	for _, p := range portals {
		if rest.HostPort(p.URL) != rest.HostPort(ours) {
			found = append(found, &manifest.Finding{
				Position: p.Position, Rule: "other-portal",
				Message: "the manifest is for " + manifest.Quote(p.URL) + ", but the run is against " + manifest.Quote(ours),
				Hints:   []string{hint},
			})
		}
	}
	return found
}
