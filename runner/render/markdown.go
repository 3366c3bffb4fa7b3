package render

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"unicode/utf8"

	"syncsources/runner"
)

// commentLimit is how large Markdown gets, in UTF-16 units, of which a
// character has one or two. GitHub takes 65,536 characters for a comment, and
// 1 MiB for a job's step summary.
const commentLimit = 60_000

// How much of a text one cell of a table shows, in characters.
const (
	markdownValue   = 60
	markdownMessage = 400
	openRows        = 30 // a longer table of changes starts folded
)

// Marker returns the hidden line that Markdown begins with. It is the same for
// all reports of a command, so that a comment which begins with it can be
// found again and replaced.
func Marker(command string) string { return "<!-- syncsources:" + command + " -->" }

// Markdown writes the report as a comment for a pull request, or for the page
// that GitHub Actions shows of a step: the counts, what failed, and the changes
// as a table; details are folded. It holds nothing that differs between two
// runs with the same result, and at most 60,000 characters: what is over is
// cut at a row, and counted.
func Markdown(w io.Writer, r *runner.Report, _ Options) error {
	p := newPage(commentLimit)
	p.add(Marker(r.Command) + "\n")
	p.add("### " + headline(r) + "\n\n")
	if host := portalHost(r.Portal); host != "" {
		p.add("Portal " + code(host))
		if r.Checksum != "" {
			p.add(", checksum " + code(r.Checksum))
		}
		p.add("\n\n")
	}
	if r.Error != nil {
		p.add("**" + code(cut(r.Error.Code, markdownMessage)) + "** " + code(cut(r.Error.Message, markdownMessage)) + "\n\n")
		if r.Error.Hint != "" {
			p.add(code(cut(r.Error.Hint, markdownMessage)) + "\n\n")
		}
	}
	findings(p, r.Findings)
	failures(p, r.Objects)
	changes(p, r.Objects, "to update", true, runner.StatusPlanned)
	changes(p, r.Objects, "updated", true, runner.StatusUpdated)
	changes(p, r.Objects, "not updated", false, runner.StatusFailed, runner.StatusSkipped)
	unmanaged(p, r.Unmanaged)
	_, err := io.WriteString(w, p.String())
	return err
}

// headline says how the run ended.
func headline(r *runner.Report) string {
	switch r.Outcome {
	case runner.OutcomeInvalid:
		if len(r.Findings) > 0 {
			return fmt.Sprintf("Invalid: %s, nothing was sent.", count(len(r.Findings), "finding"))
		}
		return "Invalid: nothing was sent."
	case runner.OutcomeStopped:
		return "Stopped. " + SummaryLine(r)
	case runner.OutcomeInterrupted:
		return "Interrupted. " + SummaryLine(r)
	}
	return SummaryLine(r)
}

func portalHost(portal string) string {
	if u, err := url.Parse(portal); err == nil && u.Host != "" {
		return u.Host
	}
	return portal
}

func findings(p *page, all []runner.Finding) {
	rows := make([]string, 0, len(all))
	for _, f := range all {
		rows = append(rows, row(cut(findingPlace(f), markdownMessage), cut(f.Rule, markdownMessage), cut(f.Message, markdownMessage)))
	}
	p.table(table{columns: []string{"Where", "Rule", "What is wrong"}, rows: rows, noun: "finding"})
}

// failures lists the sources that failed, and below them each hint once.
func failures(p *page, sources []runner.Object) {
	var rows, hints []string
	seen := map[string]bool{}
	for i := range sources {
		s := &sources[i]
		if s.Status != runner.StatusFailed || s.Error == nil {
			continue
		}
		rows = append(rows, row(cut(label(s), markdownMessage), cut(place(s), markdownMessage), cut(s.Error.Code, markdownMessage), cut(s.Error.Message, markdownMessage)))
		hint := "- " + code(cut(s.Error.Code, markdownMessage)) + ": " + code(cut(s.Error.Hint, markdownMessage)) + "\n"
		if s.Error.Hint != "" && !seen[hint] {
			seen[hint] = true
			hints = append(hints, hint)
		}
	}
	if len(rows) == 0 {
		return
	}
	defer p.hold(p.left / 2)() // whatever fails, some changes are seen
	p.table(table{title: count(len(rows), "source") + " failed", open: true, columns: []string{"Source", "Where", "Code", "Message"}, rows: rows, noun: "failure"})
	p.list("What to do", hints, "hint")
}

// changes shows the changes of the sources of some statuses, and below the
// table those that a table cannot hold.
func changes(p *page, sources []runner.Object, verb string, open bool, of ...runner.Status) {
	var rows, blocks []string
	n := 0
	for i := range sources {
		s := &sources[i]
		if !slices.Contains(of, s.Status) || len(s.Changes) == 0 {
			continue
		}
		n++
		for _, c := range s.Changes {
			name, path := cut(label(s), markdownMessage), cut(c.Path, markdownMessage)
			from, to := sides(c, markdownValue)
			rows = append(rows, row(name, path, from, to))
			if lines := lineDiff(c, markdownMessage); lines != nil {
				blocks = append(blocks, code(name)+" "+code(path)+"\n\n"+fenced(lines))
			}
		}
	}
	if n == 0 {
		return
	}
	p.table(table{
		title: count(n, "source") + " " + verb, open: open && len(rows) <= openRows,
		columns: []string{"Source", "Field", "From", "To"}, rows: rows, noun: "change",
	})
	p.list("Texts of several lines", blocks, "text")
}

func unmanaged(p *page, sources []runner.Unmanaged) {
	rows := make([]string, 0, len(sources))
	for _, s := range sources {
		title, _ := shorten(s.Title, "", markdownValue)
		rows = append(rows, row(fmt.Sprintf("#%d", s.ID), title, fmt.Sprint(s.ConnectorID)))
	}
	p.table(table{title: count(len(rows), "source") + " in no manifest", columns: []string{"Source", "Title", "Connector"}, rows: rows, noun: "source"})
}

// findingPlace is where a finding is: manifest.yaml:5:3.
func findingPlace(f runner.Finding) string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}

// units is the length of s in UTF-16 units.
func units(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
