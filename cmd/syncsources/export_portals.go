package main

import (
	"context"
	"log/slog"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
)

// exportPortals prints a document for each portal of a file, in its order. One
// that cannot be read costs the others nothing.
func (a *app) exportPortals(signalled context.Context, f *exportFlags, declared *manifest.Set, logger *slog.Logger) error {
	portals, findings, err := f.portals.load(signalled, a)
	if err != nil {
		return err
	}
	var credentials *signin.Portals
	if len(findings) == 0 && f.sandbox == "" {
		if credentials, findings, err = signin.OpenPortals(signalled, a.signinConfig(logger), portals.file); err != nil {
			return signinFailure(signalled, err)
		}
	}
	if len(findings) > 0 {
		return &exit.Failure{Exit: exit.Invalid, Code: exit.CodeUnreadable, Message: "the portals file has findings", Findings: findings}
	}
	if credentials != nil {
		defer credentials.Close()
	}
	a.sayEmpty(portals)
	jobs := map[string]*exportJob{}
	var runs []runner.Portal
	for _, config := range portals.selected {
		j := &exportJob{prefix: f.envPrefix + portalPrefix(config.Name), limits: f.limits.or(limits(config.Limits))}
		j.connect = func(ctx context.Context) (*connection, error) {
			c, findings, err := a.connectListed(ctx, credentials, config, f.sandbox)
			if len(findings) > 0 {
				err = &exit.Failure{Exit: exit.Invalid, Code: exit.CodeCredentials, Message: "portal " + config.Name + ": its credentials have findings", Findings: findings}
			}
			return c, err
		}
		jobs[config.Name] = j
		runs = append(runs, runner.Portal{Name: config.Name, Run: func(ctx context.Context) *runner.Report {
			ctx, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			return j.run(ctx, f, declared, logger.With("portal", config.Name))
		}})
	}
	code := exit.OK
	var variables []manifest.Variable
	all := runner.Portals(signalled, "export", runs, runner.PortalsOptions{Parallel: f.portals.parallel, Done: func(name string, r *runner.Report) {
		j := jobs[name]
		ended, err := a.printExport(signalled, f, j, r)
		if err != nil {
			failure := *exit.AsFailure(err)
			failure.Message = "portal " + name + ": " + failure.Message
			a.printFailure(&failure, &f.log)
			ended = failure.Exit
		} else {
			variables = append(variables, j.written.Variables...)
		}
		code = exit.Higher(code, ended)
		delete(jobs, name) // what is printed need not stay in memory
	}})
	all.Close()
	a.noteValues(f, variables)
	return exit.Err(code)
}
