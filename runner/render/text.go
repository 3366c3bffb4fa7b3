package render

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"

	"syncsources/runner"
)

// textValue is the most characters of one side of a change, and of one line of
// a difference, that Text shows.
const textValue = 72

// Text writes the report for a person at a terminal: a block for each source
// that differs or failed, in the manifest's order, then what failed and what
// to do about it, and as the last line the counts.
//
// It writes nothing about invalid manifests: findings are no result, and their
// source lines are not in the report.
func Text(w io.Writer, r *runner.Report, o Options) error {
	if r.Outcome == runner.OutcomeInvalid {
		return nil
	}
	t := &text{palette: newPalette(o.Color)}
	for i := range r.Objects {
		s := &r.Objects[i]
		if s.Status == runner.StatusFailed || !o.Quiet && len(s.Changes) > 0 {
			t.source(s)
		}
	}
	t.failures(r)
	if !o.Quiet {
		t.unmanaged(r.Unmanaged)
	}
	t.stop(r)
	if r.Checksum != "" && r.Command == "plan" && !o.Quiet {
		t.printf("Checksum: %s\n", clean(r.Checksum))
	}
	t.printf("%s\n", t.bold(SummaryLine(r)))
	_, err := w.Write(t.Bytes())
	return err
}

// SummaryLine returns the last line of Text, which counts the sources.
func SummaryLine(r *runner.Report) string {
	s := r.Summary
	switch r.Command {
	case "apply":
		return fmt.Sprintf("Apply: %d updated, %d failed, %d skipped, %d unchanged.", s.Updated, s.Failed, s.Skipped, s.Unchanged)
	case "validate":
		return fmt.Sprintf("Valid: %s.", count(s.Total, "source"))
	}
	return fmt.Sprintf("Plan: %d to update, %d failed, %d unchanged.", s.Planned, s.Failed, s.Unchanged)
}

// RunError writes the error of the run as a whole and its hint, if there is
// one, as lines for standard error: it says why there is no full result, and
// is not a part of it.
func RunError(w io.Writer, r *runner.Report, o Options) error {
	if r.Error == nil {
		return nil
	}
	t := &text{palette: newPalette(o.Color)}
	t.printf("%s %s\n", t.red("error:"), failure(r.Error))
	if r.Error.Hint != "" {
		t.printf("%s %s\n", t.bold("hint:"), clean(r.Error.Hint))
	}
	_, err := w.Write(t.Bytes())
	return err
}

// text collects the output, so that it is written at once and a reader of a
// pipe never sees half a report of a run that is over. No line begins with
// foreign text: GitHub Actions takes one that starts with "::" for a command.
type text struct {
	bytes.Buffer
	palette
}

func (t *text) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// source prints the block of one source. Its sign tells the status: ~ for one
// to change or changed, ! for failed, - for skipped.
func (t *text) source(s *runner.Object) {
	sign := t.yellow("~")
	switch s.Status {
	case runner.StatusUpdated:
		sign = t.green("~")
	case runner.StatusFailed:
		sign = t.red("!")
	case runner.StatusSkipped:
		sign = t.faint("-")
	}
	t.printf("%s %s  %s\n", sign, t.bold(label(s)), t.faint(place(s)))
	for _, c := range s.Changes {
		t.change(c)
	}
	if s.Error != nil {
		t.printf("    %s %s\n", t.red("error:"), failure(s.Error))
	}
	t.printf("\n")
}

// change prints one difference, a longer one line by line behind a bar.
func (t *text) change(c runner.Change) {
	path := clean(c.Path)
	if lines := lineDiff(c, textValue); lines != nil {
		t.printf("    %s:\n", path)
		for _, line := range lines {
			switch line[0] {
			case '-':
				line = t.red(line)
			case '+':
				line = t.green(line)
			}
			t.printf("      | %s\n", line)
		}
		return
	}
	from, to := sides(c, textValue)
	t.printf("    %s: %s -> %s\n", path, t.red(from), t.green(to))
}

// failures lists what failed, and each hint once.
func (t *text) failures(r *runner.Report) {
	if r.Summary.Failed == 0 {
		return
	}
	t.printf("%s\n", t.bold("Failures:"))
	table := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	var hints []string
	seen := map[string]bool{}
	for i := range r.Objects {
		s := &r.Objects[i]
		if s.Status != runner.StatusFailed || s.Error == nil {
			continue
		}
		fmt.Fprintf(table, "  ! %s\t%s\t%s\n", label(s), place(s), clean(s.Error.Code))
		if hint := clean(s.Error.Code) + ": " + clean(s.Error.Hint); s.Error.Hint != "" && !seen[hint] {
			seen[hint] = true
			hints = append(hints, hint)
		}
	}
	table.Flush() // its error would be the buffer's, which has none
	if len(hints) > 0 {
		t.printf("%s\n", t.bold("Hints:"))
		for _, hint := range hints {
			t.printf("  - %s\n", hint)
		}
	}
	t.printf("\n")
}

func (t *text) unmanaged(sources []runner.Unmanaged) {
	if len(sources) == 0 {
		return
	}
	t.printf("%s\n", t.bold("On the portal, but in no manifest:"))
	table := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	for _, s := range sources {
		title, _ := shorten(s.Title, "", textValue)
		fmt.Fprintf(table, "  #%d\t%s\tconnector %d\n", s.ID, title, s.ConnectorID)
	}
	table.Flush()
	t.printf("\n")
}

// stop tells that the run did not get through, and how many sources did not
// have their turn. The reason in full is RunError's.
func (t *text) stop(r *runner.Report) {
	word := "Stopped" // by --fail-fast
	switch r.Outcome {
	case runner.OutcomeFailed:
		if r.Error != nil {
			word = "Refused" // by a guard
		}
	case runner.OutcomeInterrupted:
		word = "Interrupted"
	}
	switch {
	case r.Error != nil && r.Error.Code != runner.CodeInterrupted:
		t.printf("%s (%s): %s skipped.\n", t.yellow(word), clean(r.Error.Code), count(r.Summary.Skipped, "source"))
	case r.Error != nil || r.Summary.Skipped > 0:
		t.printf("%s: %s skipped.\n", t.yellow(word), count(r.Summary.Skipped, "source"))
	}
}

// label names a source: crm (#4).
func label(s *runner.Object) string { return fmt.Sprintf("%s (#%d)", clean(s.Name), s.ID) }

// place is where a source is declared: manifest.yaml:5.
func place(s *runner.Object) string { return fmt.Sprintf("%s:%d", clean(s.File), s.Line) }

// failure is the code and the message on one line.
func failure(f *runner.Failure) string {
	if f.Message == "" {
		return clean(f.Code)
	}
	return clean(f.Code) + ": " + clean(f.Message)
}

// count puts a noun after a number.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
