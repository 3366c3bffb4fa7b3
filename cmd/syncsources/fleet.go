package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
	"syncsources/runner/render/clean"
)

// fleet is a plan or an apply of the portals of a file.
type fleet struct {
	app       *app
	flags     *runFlags
	log       *slog.Logger
	signalled context.Context
	portals   *loaded
	signin    *signin.Portals // nil with --sandbox
	deny      []string        // files that references may not name
}

// executePortals is plan and apply of the portals of a file, side by side, each
// with its own limits, time limit and failures.
func (a *app) executePortals(signalled context.Context, command string, f *runFlags) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	d := delivery{output: &f.output, metrics: &f.metrics, log: &f.log, detailed: f.detailed}
	fl, findings, err := a.newFleet(ctx, signalled, f)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return a.finish(ctx, render.Many(runner.Invalid(command, findings).OfMany()), d)
	}
	defer fl.close()
	a.sayEmpty(fl.portals)
	var plans *runner.PortalsReport
	if command == "apply" && f.asks() && a.interactive() {
		plans = fl.run("plan", nil, func(name string, r *runner.Report) {
			options := a.renderOptions(&f.output)
			options.Color = a.env.Colored(f.output.noColor, a.stderr)
			_ = render.TextPortal(a.stderr, name, r, options) // of a terminal
		})
		defer plans.Close()
		approved, err := a.approvePortals(signalled, plans, f)
		if !approved {
			f.output.quiet = true // what would change has just been shown
			return a.finish(ctx, render.Many(fl.declined(plans, err)), d)
		}
	}
	// Text is printed portal by portal.
	var printing error
	d.streamed = f.output.format == render.Names()[0]
	all := fl.run(command, plans, func(name string, r *runner.Report) {
		if f.output.format != render.GitHubName {
			var found []runner.Finding
			for _, f := range r.Findings {
				found = append(found, render.OfPortals(f, name))
			}
			a.printFindings(found, f.output.noColor, &f.log)
		}
		if d.streamed && printing == nil {
			options := a.renderOptions(&f.output)
			options.Color, options.Quiet = a.env.Colored(f.output.noColor, a.stdout), f.output.quiet
			printing = render.TextPortal(a.stdout, name, r, options)
		}
	})
	defer all.Close()
	d.failed, d.printed = printing, true
	return a.finish(signalled, render.Many(all), d)
}

// sayEmpty says that there are no portals.
func (a *app) sayEmpty(portals *loaded) {
	switch {
	case len(portals.selected) > 0:
	case portals.shard.of > 0:
		_, _ = fmt.Fprintf(a.stderr, "shard %s has no portals\n", portals.shard)
	default:
		_, _ = fmt.Fprintln(a.stderr, "the portals file has no portals")
	}
}

// newFleet reads and checks what all portals have in common.
func (a *app) newFleet(ctx, signalled context.Context, f *runFlags) (*fleet, []*manifest.Finding, error) {
	portals, findings, err := f.portals.load(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	paths, further := portalsInputs(f.portals.file, portals.file)
	further = append(further, input{f.sandbox, "the sandbox's state file"})
	if err := f.check(a.inputs(paths, further...)); err != nil || len(findings) > 0 {
		return nil, findings, err
	}
	if f.checksum != "" && len(portals.selected) > 1 {
		return nil, nil, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --checksum: a checksum is for the plan of one portal, but %d are selected", len(portals.selected)), "select the portal with --portal")
	}
	fl := &fleet{app: a, flags: f, log: a.newLogger(&f.log, f.output.noColor), signalled: signalled, portals: portals}
	for _, i := range further {
		fl.deny = append(fl.deny, i.path)
	}
	if !f.selection.empty() {
		if err := fl.checkSelection(ctx); err != nil {
			return nil, nil, err
		}
	}
	if f.sandbox == "" {
		fl.signin, findings, err = signin.OpenPortals(ctx, a.signinConfig(fl.log), portals.file)
		if err != nil {
			return nil, nil, signinFailure(ctx, err)
		}
	}
	return fl, findings, nil
}

func (fl *fleet) close() {
	if fl.signin != nil {
		fl.signin.Close()
	}
}

// checkSelection refuses targets and files that match nothing in the manifests
// of any portal. What is wrong with a portal's manifests is its own failure, and
// reported when it runs.
func (fl *fleet) checkSelection(ctx context.Context) error {
	var all []manifest.Object
	for _, p := range fl.portals.selected {
		set, _, err := fl.app.load(ctx, p.Manifests, nil)
		switch {
		case ctx.Err() != nil:
			return err
		case err == nil:
			all = append(all, declared(set)...)
		}
	}
	return fl.flags.selection.check(all)
}

// run plans or applies all portals. plans are those that were approved; nil
// where nobody was asked.
func (fl *fleet) run(command string, plans *runner.PortalsReport, done func(name string, r *runner.Report)) *runner.PortalsReport {
	a, f := fl.app, fl.flags
	when := f.progress
	if when == "auto" && f.output.format == render.Names()[0] && a.interactive() {
		when = "never" // the portals themselves are printed as they end
	}
	show, end := a.progress(when, fl.log)
	defer end()
	defer warnOfSignal(fl.signalled, fl.log)()
	counted := fl.counter(show)
	portals := make([]runner.Portal, len(fl.portals.selected))
	for i, config := range fl.portals.selected {
		portals[i] = runner.Portal{Name: config.Name, Run: func(ctx context.Context) *runner.Report {
			defer counted()
			checksum := ""
			if plans != nil {
				plan, err := plans.Portals[i].Open()
				switch {
				case err != nil:
					return reportOfFailure(command, exit.AsFailure(err))
				case plan.Error != nil || plan.Outcome == runner.OutcomeInvalid:
					plan.Command = command // it would end no other way
					return plan
				}
				checksum = plan.Checksum
			}
			r := fl.portal(ctx, command, config, checksum)
			fillHints(r)
			return r
		}}
	}
	return runner.Portals(fl.signalled, command, portals, runner.PortalsOptions{
		Parallel: f.portals.parallel, Done: done,
		Panicked: func(name string, _ any, stack []byte) {
			_, _ = fmt.Fprintf(a.stderr, "portal %s:\n%s\n", clean.Line(name), stack)
		},
	})
}

// declined makes plans the reports of the apply that was not wanted, or whose
// question was cut off.
func (fl *fleet) declined(plans *runner.PortalsReport, why error) *runner.PortalsReport {
	portals := make([]runner.Portal, len(plans.Portals))
	for i := range plans.Portals {
		portals[i] = runner.Portal{Name: plans.Portals[i].Name, Run: func(context.Context) *runner.Report {
			plan, err := plans.Portals[i].Open()
			if err != nil {
				return reportOfFailure("apply", exit.AsFailure(err))
			}
			return declined(plan, why)
		}}
	}
	return runner.Portals(context.WithoutCancel(fl.signalled), "apply", portals, runner.PortalsOptions{})
}

// portal plans or applies one portal.
func (fl *fleet) portal(signalled context.Context, command string, config *manifest.PortalConfig, checksum string) *runner.Report {
	ctx, cancel := context.WithTimeout(signalled, fl.flags.timeout)
	defer cancel()
	logger := fl.log.With("portal", config.Name)
	j, findings, err := fl.job(config)
	var run *portalRun
	if err == nil && len(findings) == 0 {
		run, findings, err = fl.app.prepare(ctx, fl.flags, &j)
	}
	if err != nil || len(findings) > 0 {
		r := runner.Invalid(command, findings)
		if err != nil {
			r = reportOfFailure(command, exit.AsFailure(err))
		}
		r.Portal = config.URL
		return r
	}
	defer run.connection.close()
	run.checksum = checksum
	return run.converge(ctx, command, logger, nil)
}

// job is a job for one portal of the file.
func (fl *fleet) job(config *manifest.PortalConfig) (job, []*manifest.Finding, error) {
	lookup := fl.app.env.Lookup
	if config.EnvFile != "" {
		own, findings, err := manifest.LoadEnvFile(config.EnvFile)
		if err != nil {
			return job{}, nil, exit.Refuse(exit.CodeUnreadable, err.Error())
		}
		if len(findings) > 0 {
			return job{}, findings, nil
		}
		lookup = func(name string) (string, bool) {
			if value, ok := own(name); ok {
				return value, true
			}
			return fl.app.env.Lookup(name)
		}
	}
	resolver := fl.app.resolver(lookup, fl.flags.allowDirs)
	resolver.DenyFiles = append(resolver.DenyFiles, fl.deny...)
	return job{
		paths: config.Manifests, limits: limits(config.Limits), resolve: resolver, partOfMany: true,
		elsewhere: "correct the manifest, or list it under that portal in the portals file",
		connect: func(ctx context.Context) (*connection, []*manifest.Finding, error) {
			return fl.app.connectListed(ctx, fl.signin, config, fl.flags.sandbox)
		},
	}, nil, nil
}

// counter returns what is to be called for each portal that is done, and shows
// how many are; show may be nil.
func (fl *fleet) counter(show func(runner.Progress)) (counted func()) {
	if show == nil {
		return func() {}
	}
	var mu sync.Mutex
	state := runner.Progress{Phase: "portals", Total: len(fl.portals.selected)}
	show(state)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		state.Done++
		show(state)
	}
}
