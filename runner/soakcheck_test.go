package runner_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// lived is one run with all that is known of it from outside.
type lived struct {
	world         *world
	options       runner.Options
	report        *runner.Report
	before, after map[int64]sandbox.Source
	sent          map[int64]int               // updates that went out and may have run
	fields        map[int64]map[string]string // what these carried
	needless      map[int64]string            // a path that was sent again although it was confirmed
	checks        map[int64]int               // connection checks: updates that did run
	requests      int
	throttled     int
}

// broken lists the promises that the run broke.
func (l *lived) broken() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	l.checkWhole(say)
	if len(l.report.Objects) != len(l.world.desired) {
		say("%d sources reported, %d declared", len(l.report.Objects), len(l.world.desired))
		return all
	}
	for i := range l.world.desired {
		l.checkSource(&l.world.desired[i], &l.report.Objects[i], func(format string, args ...any) {
			say("source %d (%s): %s", l.world.desired[i].ID, outcomeOf(&l.report.Objects[i]), fmt.Sprintf(format, args...))
		})
	}
	l.checkUntouched(say)
	return all
}

type sayer func(format string, args ...any)

// outcomeOf is a source's status, with its code and attempts.
func outcomeOf(s *runner.Object) string {
	text := fmt.Sprintf("%s, %d attempts", s.Status, s.Attempts)
	if s.Error != nil {
		text += ", " + s.Error.Error()
	}
	return text
}

// checkSource holds what is reported of a source against what is true.
func (l *lived) checkSource(d *manifest.Source, s *runner.Object, say sayer) {
	live, visible := l.visible(l.after, d.ID)
	was, _ := l.visible(l.before, d.ID)
	converged := visible && len(differing(d, live)) == 0
	code := ""
	if s.Error != nil {
		code = s.Error.Code
	}
	if s.ID != d.ID || s.Name != d.Name || s.Line != d.Position.Line {
		say("stands in the place of source %d", d.ID)
	}
	if (s.Status == runner.StatusFailed) != (s.Error != nil) {
		say("status and error disagree")
	}
	switch s.Status {
	case runner.StatusUpdated:
		open := differing(d, live)
		if l.options.NoVerify && !l.world.state.HonourActive { // it believes a portal that lies
			open = slices.DeleteFunc(open, func(p string) bool { return p == "active" })
		}
		if !visible || len(open) > 0 {
			say("is not as declared: %v", differing(d, live))
		}
		if s.Attempts == 0 || !s.Verified && !l.options.NoVerify {
			say("was not written, or not read back")
		}
	case runner.StatusUnchanged:
		if !converged || len(differing(d, was)) > 0 || s.Attempts > 0 {
			say("is not as declared, or was written")
		}
	case runner.StatusSkipped:
		if s.Attempts > 0 || !cmp.Equal(l.before[d.ID], l.after[d.ID]) {
			say("was written")
		}
	case runner.StatusFailed:
		if code == runner.CodeNotConverged && converged || code == "SOURCE_NOT_FOUND" && visible {
			say("the reason is not true")
		}
	default:
		say("no status of an apply")
	}
	if s.Verified && s.Attempts == 0 {
		say("read back after no write")
	}
	if s.Attempts != l.sent[d.ID] {
		say("%d updates went out that may have run", l.sent[d.ID])
	}
	if l.checks[d.ID] > l.sent[d.ID] {
		say("%d updates ran", l.checks[d.ID])
	}
	if path := l.needless[d.ID]; path != "" {
		say("%s was sent again after the portal had confirmed it", path)
	}
	l.checkFields(d, was, say)
	if l.report.Checksum == "" || code != "" && s.Changes == nil {
		return // the plan did not get to it
	}
	var paths []string
	for _, c := range s.Changes {
		paths = append(paths, c.Path)
		setting := slices.IndexFunc(d.Settings, func(s manifest.Setting) bool { return "settings."+s.Code == c.Path })
		if secret := setting >= 0 && !d.Settings[setting].Reveal; secret != (c.From == nil && c.To == nil && c.Sensitive) {
			say("%s: shown is %v and sensitive %v", c.Path, c.To, c.Sensitive)
		}
	}
	if diff := cmp.Diff(differing(d, was), paths); diff != "" {
		say("the changes are not the differences: %s", diff)
	}
}

// checkFields looks at what was sent of a source: the declared fields that
// differ, as declared, and the title.
func (l *lived) checkFields(d *manifest.Source, was sandbox.Source, say sayer) {
	declared := map[string]string{"title": was.Title}
	open := differing(d, was)
	if d.Title != nil {
		declared["title"] = *d.Title
	}
	if d.Description != nil && slices.Contains(open, "description") {
		declared["description"] = *d.Description
	}
	if d.Active != nil && slices.Contains(open, "active") {
		declared["active"] = fmt.Sprint(*d.Active)
	}
	for _, s := range d.Settings {
		if path := "settings." + s.Code; slices.Contains(open, path) {
			declared[path] = s.Value.Text().Plain()
		}
	}
	for path, value := range l.fields[d.ID] {
		if want, ok := declared[path]; !ok || value != want {
			say("%s was sent as %q", path, value)
		}
	}
}

// checkWhole looks at the report as a whole.
func (l *lived) checkWhole(say sayer) {
	r := l.report
	counted := map[runner.Status]int{}
	for _, s := range r.Objects {
		counted[s.Status]++
	}
	sum := runner.Summary{Total: len(r.Objects), Unchanged: counted[runner.StatusUnchanged], Updated: counted[runner.StatusUpdated],
		Failed: counted[runner.StatusFailed], Skipped: counted[runner.StatusSkipped], Unmanaged: len(r.Unmanaged)}
	if diff := cmp.Diff(sum, r.Summary); diff != "" {
		say("the summary does not count the sources: %s", diff)
	}
	right := map[runner.Outcome]bool{
		runner.OutcomeOK:          sum.Failed+sum.Skipped == 0 && r.Error == nil,
		runner.OutcomeFailed:      sum.Failed > 0 && r.Error == nil,
		runner.OutcomeStopped:     r.Error != nil,
		runner.OutcomeInterrupted: r.Error != nil && r.Error.Code == runner.CodeInterrupted && l.world.signal && l.world.end > 0,
	}
	if !right[r.Outcome] {
		say("the outcome is %s, with %+v and error %v", r.Outcome, sum, r.Error)
	}
	if (sum.Skipped > 0) && r.Error == nil && !l.options.FailFast {
		say("%d are skipped for no reason", sum.Skipped)
	}
	if r.Requests.HTTP != l.requests || r.Requests.Throttled != l.throttled {
		say("%d requests of which %d were throttled are reported, %d and %d were made", r.Requests.HTTP, r.Requests.Throttled, l.requests, l.throttled)
	}
}

// checkUntouched compares the whole portal before and after: only declared
// fields may have changed, and only to what is declared.
func (l *lived) checkUntouched(say sayer) {
	for id, was := range l.before {
		is := l.after[id]
		was.Check, is.Check = "", "" // the external system's mood
		i := slices.IndexFunc(l.world.desired, func(d manifest.Source) bool { return d.ID == id })
		if i >= 0 && was.Owner == "" {
			allow(&l.world.desired[i], &was, is)
		}
		if diff := cmp.Diff(was, is); diff != "" {
			say("source %d: changed without being declared so: %s", id, diff)
		}
	}
	if len(l.before) != len(l.after) {
		say("%d sources have become %d", len(l.before), len(l.after))
	}
}

// allow makes was what it may have become: declared fields whose live value
// is now the declared one.
func allow(d *manifest.Source, was *sandbox.Source, is sandbox.Source) {
	if d.Title != nil && is.Title == *d.Title {
		was.Title = is.Title
	}
	if d.Description != nil && cmp.Equal(is.Description, d.Description) {
		was.Description = is.Description
	}
	if d.Active != nil && *is.Active == *d.Active {
		was.Active = is.Active
	}
	settings := map[string]string{}
	for code, value := range was.Settings {
		settings[code] = value
	}
	for _, s := range d.Settings {
		if value, ok := is.Settings[s.Code]; ok && value == phpTrim(s.Value.Text().Plain()) {
			settings[s.Code] = value
		}
	}
	was.Settings = settings
}

// visible finds a source that our application created.
func (l *lived) visible(all map[int64]sandbox.Source, id int64) (sandbox.Source, bool) {
	s, ok := all[id]
	return s, ok && s.Owner == ""
}

// differing lists the declared paths that a source does not show.
func differing(d *manifest.Source, live sandbox.Source) []string {
	var paths []string
	description := ""
	if live.Description != nil {
		description = *live.Description
	}
	if d.Title != nil && live.Title != *d.Title {
		paths = append(paths, "title")
	}
	if d.Description != nil && description != *d.Description {
		paths = append(paths, "description")
	}
	if d.Active != nil && (live.Active == nil || *live.Active != *d.Active) {
		paths = append(paths, "active")
	}
	for _, s := range d.Settings {
		if live.Settings[s.Code] != phpTrim(s.Value.Text().Plain()) {
			paths = append(paths, "settings."+s.Code)
		}
	}
	return paths
}

func phpTrim(s string) string { return strings.Trim(s, " \t\r\n\x00\x0b") }

// either stands for NOT_CONVERGED or SOURCE_UPDATE_CONNECTION_ERROR.
const either = "either"

// hopeless says why a source cannot become as declared even on a day when
// nothing goes wrong; empty if it can.
func (w *world) hopeless(d *manifest.Source, live sandbox.Source, visible bool) string {
	if !visible {
		return "SOURCE_NOT_FOUND"
	}
	paths := differing(d, live)
	if len(paths) == 0 {
		return ""
	}
	types := map[string]string{}
	for _, c := range w.state.Connectors {
		for _, s := range c.Settings {
			if c.ID == live.ConnectorID {
				types[s.Code] = s.Type + " "
			}
		}
	}
	odd, unknown := false, false
	for _, s := range d.Settings {
		switch kind := types[s.Code]; {
		case !slices.Contains(paths, "settings."+s.Code):
		case kind == "":
			unknown = true
		case kind == "INT " && strings.Trim(phpTrim(s.Value.Text().Plain()), "0123456789") != "":
			odd = true
		}
	}
	switch {
	case odd:
		return "VALIDATION_INVALID_FIELD_TYPE"
	case unknown:
		return runner.CodeUnknownSetting
	case d.Title == nil && (live.Title == "" || live.Title == "0"):
		return "PORTAL_ERROR"
	case live.Check == sandbox.CheckFail && len(paths) == 1 && paths[0] == "active" && !w.state.HonourActive:
		return either // whether it is tried depends on how many were before it
	case live.Check == sandbox.CheckFail:
		return "SOURCE_UPDATE_CONNECTION_ERROR"
	case slices.Contains(paths, "active") && !w.state.HonourActive:
		return runner.CodeNotConverged
	}
	return ""
}
