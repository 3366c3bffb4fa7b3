package render_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"syncsources/runner"
	"syncsources/runner/render"
)

func TestText(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			got := rendered(t, render.Text, r, render.Options{})
			if r.Outcome != runner.OutcomeInvalid {
				golden(t, "text-"+name, got)
			} else if len(got) > 0 { // findings are no result
				t.Errorf("got %s", got)
			}
		})
	}
	t.Run("quiet", func(t *testing.T) {
		golden(t, "text-quiet", rendered(t, render.Text, planned(), render.Options{Quiet: true}))
	})
}

// The counts come last, whatever else is printed.
func TestTextLastLine(t *testing.T) {
	for name, r := range samples() {
		if r.Outcome == runner.OutcomeInvalid {
			continue
		}
		for _, quiet := range []bool{false, true} {
			out := string(rendered(t, render.Text, r, render.Options{Quiet: quiet}))
			lines := strings.Split(out, "\n")
			if n := len(lines); lines[n-1] != "" || lines[n-2] != render.SummaryLine(r) {
				t.Errorf("%s, quiet %v: the last line is %q, want %q", name, quiet, lines[n-2], render.SummaryLine(r))
			}
		}
	}
	for want, r := range map[string]*runner.Report{
		"Plan for acme.bitrix24.com: 2 to create, 2 to update, 1 to delete, 1 failed, 1 skipped, 0 unchanged.": kinds(),
		"Apply to acme.bitrix24.com: 3 created, 296 updated, 1 deleted, 4 failed, 0 skipped, 50 unchanged.":    rotation(300),
		"Apply to sandbox: 0 created, 3 updated, 0 deleted, 2 failed, 0 skipped, 95 unchanged.":                {Command: "apply", Portal: "https://sandbox.invalid", Summary: runner.Summary{Updated: 3, Failed: 2, Unchanged: 95}},
		"Plan for the portal: 0 to create, 0 to update, 0 to delete, 0 failed, 4 skipped, 0 unchanged.":        {Command: "plan", Summary: runner.Summary{Skipped: 4}},
		"Valid: 1,200 objects.": {Command: "validate", Summary: runner.Summary{Total: 1200}},
	} {
		if got := render.SummaryLine(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Of many portals each has its line, and the last one counts them all.
func TestTextPortals(t *testing.T) {
	all := fleet(4, 12)
	out := string(renderedRun(t, render.Text, render.Many(all), render.Options{}))
	golden(t, "text-portals", []byte(out))
	if want := "\nApply to 4 portals: 3 created, 11 updated, 1 deleted, 1 failed, 2 skipped, 4 unchanged.\n"; !strings.HasSuffix(out, want) {
		t.Errorf("it does not end with %q:\n%s", want, out)
	}
	// One after the other, as they end, it is the same text.
	var b bytes.Buffer
	for _, p := range all.Portals {
		check(t, render.TextPortal(&b, p.Name, p.Report, render.Options{}))
	}
	if err := render.TextTotal(&b, all, render.Options{}); err != nil || b.String() != out {
		t.Errorf("%v, portal by portal it is\n%s", err, b.String())
	}
}

// Colours add to the text, and change nothing else in it.
func TestTextColor(t *testing.T) {
	plain := string(rendered(t, render.Text, applied(), render.Options{}))
	if strings.Contains(plain, "\x1b") {
		t.Error("an escape sequence, though colours are off")
	}
	color := string(rendered(t, render.Text, applied(), render.Options{Color: true}))
	if !strings.Contains(color, "\x1b[31m") || !strings.Contains(color, "\x1b[32m") {
		t.Errorf("no red or no green:\n%q", color)
	}
	for _, foreign := range append(hostile, "") {
		r := hostileReport(foreign)
		plain := string(rendered(t, render.Text, r, render.Options{}))
		color := string(rendered(t, render.Text, r, render.Options{Color: true}))
		if got := sgr.ReplaceAllString(color, ""); got != plain {
			t.Errorf("%q: without its colours the text is\n%s\nwant\n%s", foreign, got, plain)
		}
	}
}

func TestTextValues(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, c := range []struct {
		name   string
		change runner.Change
		want   string
	}{
		{"bare booleans", runner.Change{Path: "active", From: false, To: true}, `active: false -> true`},
		{"empty", runner.Change{Path: "description", From: "", To: "x"}, `description: "" -> "x"`},
		{"masked", runner.Change{Path: "settings.token", Sensitive: true}, `settings.token: (sensitive) -> (sensitive)`},
		{"masked though present", runner.Change{Path: "settings.token", From: "a", To: "b", Sensitive: true}, `settings.token: (sensitive) -> (sensitive)`},
		{"quotes", runner.Change{Path: "title", From: `say "x"`, To: `C:\x`}, `title: "say \"x\"" -> "C:\\x"`},
		{"other scripts", runner.Change{Path: "title", From: "Продажи", To: "販売 📈"}, `title: "Продажи" -> "販売 📈"`},
		{"escape sequence", runner.Change{Path: "title", From: "a", To: "\x1b[2J\u202eb"}, `title: "a" -> "\x1b[2J\u202eb"`},
		{"change at the end", runner.Change{Path: "title", From: long + "b", To: long + "c"}, `title: …"` + long[:24] + `b" -> …"` + long[:24] + `c"`},
		{"change at the start", runner.Change{Path: "title", From: "b" + long, To: "c" + long}, `title: "b` + long[:24] + `"… -> "c` + long[:24] + `"…`},
		{"all new", runner.Change{Path: "title", From: "", To: long}, `title: "" -> "` + long[:48] + `"…"` + long[:24] + `"`},
		{"line end added", runner.Change{Path: "title", From: "a\nb", To: "a\nb\n"}, "title:\n      |  a\n      |  b\n      | +"},
		{"long line", runner.Change{Path: "title", From: "a\n" + long + "1", To: "a\n" + long + "2"},
			"title:\n      |  a\n      | -…\"" + long[:24] + "1\"\n      | +…\"" + long[:24] + "2\""},
		{"command of a CI system", runner.Change{Path: "title", From: "::error::x\nb", To: "::error::x\nc"},
			"title:\n      |  :\\x3aerror::x\n      | -b\n      | +c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := crm(runner.StatusPlanned)
			s.Changes = []runner.Change{c.change}
			got := string(rendered(t, render.Text, report("plan", runner.OutcomeChanges, s), render.Options{}))
			if want := "Portal acme.bitrix24.com\n\n~ crm (#4) \"New source name\"  manifest.yaml:5\n    " + c.want + "\n\nPlan for acme.bitrix24.com: 0 to create, 1 to update, 0 to delete, 0 failed, 0 skipped, 0 unchanged.\n"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A long difference is cut, with the number of what is missing.
func TestTextLongDifference(t *testing.T) {
	s := crm(runner.StatusPlanned)
	s.Changes = []runner.Change{{Path: "description", From: "", To: strings.Repeat("line\n", 100)}}
	got := string(rendered(t, render.Text, report("plan", runner.OutcomeChanges, s), render.Options{}))
	if lines := strings.Count(got, "\n"); lines > 50 || !strings.Contains(got, "… and 61 more lines") {
		t.Errorf("%d lines:\n%s", lines, got)
	}
}

// The line before the last says that the run did not get through.
func TestTextStop(t *testing.T) {
	for want, r := range map[string]*runner.Report{
		"Stopped (TIMEOUT): 2 objects not looked at.":                    ended(runner.OutcomeStopped, runner.CodeTimeout, 2),
		"Interrupted: 1 object not looked at.":                           ended(runner.OutcomeInterrupted, runner.CodeInterrupted, 1),
		"Interrupted: nothing was looked at.":                            ended(runner.OutcomeInterrupted, runner.CodeInterrupted, 0),
		"Interrupted: nothing was left to do.":                           report("apply", runner.OutcomeInterrupted, crm(runner.StatusUnchanged)),
		"Refused (TOO_MANY_CHANGES): 1 object not looked at.":            ended(runner.OutcomeFailed, runner.CodeTooManyChanges, 1),
		"Stopped: 3 objects not looked at.":                              ended(runner.OutcomeFailed, "", 3), // --fail-fast
		"Stopped (TIMEOUT): 1 object not looked at, 1 change not made.":  stopped(),
		"Stopped (TIMEOUT): 1 object not looked at, 2 changes not made.": dependent(),
		"": ended(runner.OutcomeOK, "", 0),
	} {
		lines := strings.Split(string(rendered(t, render.Text, r, render.Options{Quiet: true})), "\n")
		if got := strings.Join(lines[:len(lines)-2], "\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// dependent is a run that stopped after an object was skipped because of
// another one: that is not for want of a look.
func dependent() *runner.Report {
	r := stopped()
	r.Objects = append(r.Objects, runner.Object{Name: "t", Kind: runner.KindTable, Status: runner.StatusSkipped, Action: runner.ActionNone,
		Error: &runner.Failure{Code: runner.CodeDependency, Message: "crm failed"}})
	r.Count()
	return r
}

func ended(o runner.Outcome, code string, skipped int) *runner.Report {
	r := report("apply", o, slices.Repeat([]runner.Object{{Name: "s", ID: 1, Status: runner.StatusSkipped}}, skipped)...)
	if code != "" {
		r.Error = &runner.Failure{Code: code}
	}
	return r
}

func TestRunError(t *testing.T) {
	got := string(rendered(t, render.RunError, stopped(), render.Options{}))
	want := "error: TIMEOUT: the time limit of 30m is over\nhint: run again, which goes on where this run ended, or raise --timeout\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := rendered(t, render.RunError, planned(), render.Options{}); len(got) > 0 {
		t.Errorf("without an error: %q", got)
	}
}

func TestFormats(t *testing.T) {
	for _, name := range render.Names() {
		if f, err := render.Named(name); f == nil || err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"yaml", ""} {
		_, err := render.Named(name)
		if want := `unknown output format "` + name + `": use one of text, json, markdown, github, junit, html`; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
