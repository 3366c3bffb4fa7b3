package render

import (
	"fmt"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// totals are the numbers of a last line. Create, update and delete are what is
// done after an apply, and what is to be done after a plan.
type totals struct {
	portals, objects, findings                            int
	created, updated, deleted, failed, skipped, unchanged int
}

func totalsOf(r *runner.Report) totals {
	s := r.Summary
	t := totals{
		portals: 1, objects: s.Total, findings: len(r.Findings),
		created: s.Created, updated: s.Updated, deleted: s.Deleted, failed: s.Failed, skipped: s.Skipped, unchanged: s.Unchanged,
	}
	if r.Command != "plan" {
		return t
	}
	for i := range r.Objects {
		o := &r.Objects[i]
		switch {
		case o.Status != runner.StatusPlanned:
		case o.Action == runner.ActionCreate:
			t.created++
		case o.Action == runner.ActionDelete:
			t.deleted++
		default:
			t.updated++
		}
	}
	return t
}

func (t *totals) add(o totals) {
	t.portals += o.portals
	t.objects += o.objects
	t.findings += o.findings
	t.created += o.created
	t.updated += o.updated
	t.deleted += o.deleted
	t.failed += o.failed
	t.skipped += o.skipped
	t.unchanged += o.unchanged
}

func (t totals) changes() int { return t.created + t.updated + t.deleted }

// total adds up the portals of a run.
func (run Run) total() (totals, error) {
	var sum totals
	err := run.each(func(p portal) error {
		sum.add(totalsOf(p.report))
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
	where := name
	if where == "" {
		where = count(t.portals, "portal")
	}
	switch command {
	case "apply":
		return fmt.Sprintf("Apply to %s: %d created, %d updated, %d deleted, %d failed, %d skipped, %d unchanged.",
			where, t.created, t.updated, t.deleted, t.failed, t.skipped, t.unchanged)
	case "plan":
		return fmt.Sprintf("Plan for %s: %d to create, %d to update, %d to delete, %d failed, %d skipped, %d unchanged.",
			where, t.created, t.updated, t.deleted, t.failed, t.skipped, t.unchanged)
	}
	if name == "" && t.portals > 1 {
		return fmt.Sprintf("Valid: %s for %s.", count(t.objects, "object"), where)
	}
	return fmt.Sprintf("Valid: %s.", count(t.objects, "object"))
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
	if run.Outcome() == runner.OutcomeInvalid && len(run.Portals.Portals) == 0 {
		return invalidLine(len(run.findings())), err
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
