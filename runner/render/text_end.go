package render

import (
	"fmt"
	"time"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// stop says that the run did not get through, and what it left. The reason in
// full is RunError's.
func (t *text) stop(r *runner.Report) {
	word := stopWord(r)
	if word == "" {
		return
	}
	if r.Error != nil && r.Error.Code != runner.CodeInterrupted {
		word += " (" + clean.Line(r.Error.Code) + ")"
	}
	t.printf("%s: %s\n", t.yellow(word), left(r))
}

// stopWord is how a run ended that left objects out; empty where none did.
func stopWord(r *runner.Report) string {
	switch {
	case r.Outcome == runner.OutcomeInvalid:
		return ""
	case r.Outcome == runner.OutcomeInterrupted:
		return "Interrupted"
	case r.Outcome == runner.OutcomeFailed && r.Error != nil:
		return "Refused" // by a guard
	case r.Outcome == runner.OutcomeStopped || r.Error != nil:
		return "Stopped"
	}
	for i := range r.Objects { // by --fail-fast
		if o := &r.Objects[i]; o.Status == runner.StatusSkipped && o.Error == nil {
			return "Stopped"
		}
	}
	return ""
}

// left says what a run left that did not get through.
func left(r *runner.Report) string {
	unseen := notLookedAt(r)
	undone := r.Summary.Skipped - unseen
	switch {
	case len(r.Objects) == 0:
		return "nothing was looked at."
	case unseen == 0 && undone == 0:
		return "nothing was left to do."
	case undone == 0:
		return fmt.Sprintf("%s not looked at.", count(unseen, "object"))
	case unseen == 0:
		return fmt.Sprintf("%s not made.", count(undone, "change"))
	}
	return fmt.Sprintf("%s not looked at, %s not made.", count(unseen, "object"), count(undone, "change"))
}

// advance is what somebody who applies a plan wants to know of it.
func (t *text) advance(r *runner.Report) {
	if s := takes(r); s != "" {
		t.printf("%s\n", s)
	}
	if r.Checksum != "" && r.Command == "plan" {
		t.printf("Checksum: %s\n", clean.Line(r.Checksum))
	}
}

// takes says how long an apply of a plan will take, where it is over a minute.
func takes(r *runner.Report) string {
	d := time.Duration(r.Estimate * float64(time.Second))
	if r.Command != "plan" || d <= time.Minute {
		return ""
	}
	return "Applying this takes about " + roughly(d) + "."
}

// roughly is a duration to plan with: 9 min, 1 h 20 min.
func roughly(d time.Duration) string {
	minutes := int((d + 30*time.Second) / time.Minute)
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}
