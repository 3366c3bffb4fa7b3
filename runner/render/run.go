package render

import "syncsources/runner"

// Run is what every format is made from: the report of one portal, or those of
// many. Exactly one of the two is set.
type Run struct {
	Report  *runner.Report
	Portals *runner.PortalsReport
}

// One is the run of one portal.
func One(r *runner.Report) Run { return Run{Report: r} }

// Many is the run of many portals.
func Many(r *runner.PortalsReport) Run { return Run{Portals: r} }

// head is what a run of one portal and one of many have in common.
func (run Run) head() *runner.PortalsReport {
	if run.Portals != nil {
		return run.Portals
	}
	return run.Report.OfMany()
}

// Command is what was run: plan, apply or validate.
func (run Run) Command() string { return run.head().Command }

// Outcome is how the run ended.
func (run Run) Outcome() runner.Outcome { return run.head().Outcome }

// Failed reports whether the run did not do what it was asked for.
func (run Run) Failed() bool {
	return run.Outcome() != runner.OutcomeOK && run.Outcome() != runner.OutcomeChanges
}

// Failure is why the run as a whole did not get through; nil where it did, and
// of many portals, where each has its own.
func (run Run) Failure() *runner.Failure { return run.head().Error }

type portal struct {
	// name is the portal's name in the portals file; empty where the run has one
	// portal only.
	name   string
	report *runner.Report
}

// each calls f for one portal after the other. The reports of a run of many
// portals may be stored outside of memory: none is held beyond its turn.
func (run Run) each(f func(p portal) error) error {
	if run.Report != nil {
		return f(portal{report: run.Report})
	}
	for i := range run.Portals.Portals {
		p := &run.Portals.Portals[i]
		r, err := p.Open()
		if err != nil {
			return err
		}
		if err := f(portal{p.Name, r}); err != nil {
			return err
		}
	}
	return nil
}
