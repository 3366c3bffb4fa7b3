package render

import (
	"cmp"
	"fmt"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// totals are the numbers of a last line. Created, updated and deleted are what
// is done after an apply, and what is to be done after a plan.
type totals struct {
	portals, stopped, invalid, findings int
	runner.Summary
}

func totalsOf(r *runner.Report) totals {
	t := totals{portals: 1, findings: len(r.Findings), Summary: r.Summary}
	switch r.Outcome {
	case runner.OutcomeInvalid:
		t.invalid = 1
	case runner.OutcomeStopped:
		t.stopped = 1
	}
	if r.Command != "plan" {
		return t
	}
	for i := range r.Objects {
		o := &r.Objects[i]
		switch {
		case o.Status != runner.StatusPlanned:
		case o.Action == runner.ActionCreate:
			t.Created++
		case o.Action == runner.ActionDelete:
			t.Deleted++
		default:
			t.Updated++
		}
	}
	return t
}

func (t totals) changes() int { return t.Created + t.Updated + t.Deleted }

// total adds up the portals of a run.
func (run Run) total() (totals, error) {
	var sum totals
	err := run.each(func(p portal) error {
		t := totalsOf(p.report)
		sum.portals += t.portals
		sum.stopped += t.stopped
		sum.invalid += t.invalid
		sum.findings += t.findings
		sum.Add(t.Summary)
		return nil
	})
	if run.Portals != nil {
		sum.findings += len(run.Portals.Findings)
	}
	return sum, err
}

// line is the last line of text, which counts the objects: of one portal where
// the name of it is given, else of many.
func (t totals) line(command, name string) string {
	where := cmp.Or(name, count(t.portals, "portal"))
	switch command {
	case "apply":
		return fmt.Sprintf("Apply to %s: %d created, %d updated, %d deleted, %d failed, %d skipped, %d unchanged.",
			where, t.Created, t.Updated, t.Deleted, t.Failed, t.Skipped, t.Unchanged)
	case "plan":
		return fmt.Sprintf("Plan for %s: %d to create, %d to update, %d to delete, %d failed, %d skipped, %d unchanged.",
			where, t.Created, t.Updated, t.Deleted, t.Failed, t.Skipped, t.Unchanged)
	}
	if name == "" {
		return fmt.Sprintf("Valid: %s for %s.", count(t.Total, "object"), where)
	}
	return fmt.Sprintf("Valid: %s.", count(t.Total, "object"))
}

// SummaryLine returns the last line of text for one portal.
func SummaryLine(r *runner.Report) string { return lineOf(r, clean.Line) }

// lineOf is the last line for one portal, whose name is written by name.
func lineOf(r *runner.Report, name func(string) string) string {
	if r.Outcome == runner.OutcomeInvalid {
		return invalidLine(len(r.Findings))
	}
	where := "the portal"
	if h := host(r.Portal); h != "" {
		where = name(h)
	}
	return totalsOf(r).line(r.Command, where)
}

// lastLine is the last line of text, in which the portal's name is written by
// name.
func (run Run) lastLine(name func(string) string) (string, error) {
	if run.Report != nil {
		return lineOf(run.Report, name), nil
	}
	t, err := run.total()
	if run.Outcome() == runner.OutcomeInvalid && (len(run.Portals.Portals) == 0 || run.Command() == "validate") {
		found, err := run.Findings()
		return invalidLine(len(found)), err
	}
	return t.line(run.Command(), ""), err
}

func invalidLine(findings int) string {
	if findings > 0 {
		return fmt.Sprintf("Invalid: %s, nothing was sent.", count(findings, "finding"))
	}
	return "Invalid: nothing was sent."
}

// headline is the last line with how the run ended before it, where that needs
// a word.
func headline(outcome runner.Outcome, line string) string {
	switch outcome {
	case runner.OutcomeStopped:
		return "Stopped. " + line
	case runner.OutcomeInterrupted:
		return "Interrupted. " + line
	}
	return line
}

// notLookedAt counts the objects that the run ended before it could compare.
func notLookedAt(r *runner.Report) int {
	n := 0
	for i := range r.Objects {
		o := &r.Objects[i]
		if o.Status == runner.StatusSkipped && o.Error == nil && !changed(o) {
			n++
		}
	}
	return n
}
