package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

const (
	// textValue is the maximum number of characters of one side of a change, and of one line
	// of a difference, that text shows.
	textValue = 72
	// textColumns is how wide a list of names gets, and foldedNames how many
	// names it has.
	textColumns = 100
	foldedNames = 60
)

// Text writes the run for a person at a terminal: for each portal a block for
// every object that differs, in the manifest's order, then what failed and what
// to do about it, and as the last line the counts.
//
// Findings are not a result: they go to standard error (see Findings). Of many
// portals text has their number.
func Text(w io.Writer, run Run, o Options) error {
	err := run.each(func(p portal) error { return textPortal(w, p, o) })
	if err != nil || run.Report != nil {
		return err
	}
	return TextTotal(w, run.Portals, o)
}

// TextPortal writes one portal of many, as soon as it is done; TextTotal ends
// the output.
func TextPortal(w io.Writer, name string, r *runner.Report, o Options) error {
	return textPortal(w, portal{name, r}, o)
}

// TextTotal writes the last line of a run of many portals.
func TextTotal(w io.Writer, r *runner.PortalsReport, o Options) error {
	if r.Outcome == runner.OutcomeInvalid && len(r.Portals) == 0 {
		return nil // it is on standard error
	}
	line, err := Many(r).lastLine(clean.Line)
	if err != nil {
		return err
	}
	t := &text{palette: newPalette(o.Color)}
	t.printf("%s\n", t.bold(line))
	_, err = w.Write(t.Bytes())
	return err
}

func textPortal(w io.Writer, p portal, o Options) error {
	r := p.report
	t := &text{palette: newPalette(o.Color)}
	many, invalid := p.name != "", r.Outcome == runner.OutcomeInvalid
	if !invalid {
		t.objects(r, o.Quiet)
		t.failures(r)
		if !o.Quiet {
			t.notes(r)
			t.unmanaged(r.Unmanaged)
			t.counts(r)
		}
		t.stop(r)
	}
	if many && r.Error != nil { // for one portal it is on standard error
		t.runError(r.Error)
	}
	if !o.Quiet && !invalid {
		t.advance(r)
	}
	body := t.String()
	t.Reset()
	block := body != "" || invalid
	if name := p.title(); name != "" && (many && block || !many && !o.Quiet && !invalid) {
		t.printf("%s %s\n\n", t.faint("Portal"), t.bold(name))
	}
	t.WriteString(body)
	if many && (invalid || r.Command != "validate") || !many && !invalid {
		t.printf("%s\n", t.bold(SummaryLine(r)))
	}
	if many && block {
		t.printf("\n")
	}
	_, err := w.Write(t.Bytes())
	return err
}

// RunError writes the error of the run as a whole and its hint, if there is
// one, as lines for standard error: it says why there is no full result, and
// is not a part of it.
func RunError(w io.Writer, run Run, o Options) error {
	f := run.Failure()
	if f == nil {
		return nil
	}
	t := &text{palette: newPalette(o.Color)}
	t.runError(f)
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

func (t *text) runError(f *runner.Failure) {
	t.printf("%s %s\n", t.red("error:"), failure(f))
	if f.Hint != "" {
		t.printf("%s %s\n", t.bold("hint:"), clean.Line(f.Hint))
	}
}

// objects prints what changes, and what has a note.
func (t *text) objects(r *runner.Report, quiet bool) {
	if quiet {
		return
	}
	var shown []*runner.Object
	changes := 0
	for i := range r.Objects {
		o := &r.Objects[i]
		if changed(o) {
			changes++
		}
		if changed(o) || o.Status != runner.StatusFailed && (o.Error != nil || len(o.Notes) > 0) {
			shown = append(shown, o)
		}
	}
	for _, g := range grouping(shown, changes >= manyChanges) {
		if len(g) == 1 {
			t.object(g[0], "")
		} else {
			t.group(g)
		}
	}
}

// object prints the block of one object.
func (t *text) object(o *runner.Object, indent string) {
	t.printf("%s%s %s", indent, t.sign(o), t.bold(label(o)))
	if at := place(o); at != "" {
		t.printf("  %s", t.faint(at))
	}
	t.printf("%s\n", kindNote(o))
	for _, c := range o.Changes {
		t.change(o, c, indent)
	}
	for _, note := range o.Notes {
		t.printf("%s    %s %s\n", indent, t.yellow("note:"), clean.Line(note))
	}
	if o.Error != nil {
		t.printf("%s    %s %s\n", indent, t.red("error:"), failure(o.Error))
	}
	t.printf("\n")
}

// group prints one block for objects with equal changes.
func (t *text) group(g group) {
	t.printf("%s %s\n", t.sign(g[0]), t.bold(count(len(g), g.noun())+", the same change"))
	for _, c := range g[0].Changes {
		t.change(g[0], c, "")
	}
	for _, note := range g[0].Notes {
		t.printf("    %s %s\n", t.yellow("note:"), clean.Line(note))
	}
	line := "     "
	for i, o := range g {
		if i == foldedNames {
			line += fmt.Sprintf(" and %d more", len(g)-i)
			break
		}
		name := shortLabel(o)
		if i+1 < len(g) {
			name += ","
		}
		if len(line)+1+len(name) > textColumns {
			t.printf("%s\n", t.faint(line))
			line = "     "
		}
		line += " " + name
	}
	t.printf("%s\n\n", t.faint(line))
}

func (t *text) sign(o *runner.Object) string {
	s := sign(o)
	switch {
	case s == "!" || s == "-":
		return t.red(s)
	case s == "/":
		return t.faint(s)
	case o.Status == runner.StatusPlanned && s != "+":
		return t.yellow(s)
	}
	return t.green(s)
}

// change prints one difference, a longer one line by line behind a bar.
func (t *text) change(o *runner.Object, c runner.Change, indent string) {
	path := clean.Line(c.Path)
	if c.Failed {
		path = t.red("!") + " " + path
	}
	if lines := lineDiff(c, textValue); lines != nil {
		t.printf("%s    %s:\n", indent, path)
		for _, line := range lines {
			switch line[0] {
			case '-':
				line = t.red(line)
			case '+':
				line = t.green(line)
			}
			t.printf("%s      | %s\n", indent, line)
		}
		return
	}
	from, to := sides(c, textValue)
	switch removed := c.From != nil && c.To == nil && !c.Sensitive; {
	case o.Action == runner.ActionCreate:
		t.printf("%s    %s: %s\n", indent, path, t.green(to))
	case removed && o.Action != runner.ActionDelete: // an undeclared column or setting
		t.printf("%s    %s %s: %s\n", indent, t.red("-"), path, t.red(from))
	case o.Action == runner.ActionDelete:
		t.printf("%s    %s: %s\n", indent, path, t.red(from))
	default:
		t.printf("%s    %s: %s -> %s\n", indent, path, t.red(from), t.green(to))
	}
}

// failures prints what failed, each object with its changes, and then each
// hint once.
func (t *text) failures(r *runner.Report) {
	var hints hints
	first := true
	for i := range r.Objects {
		o := &r.Objects[i]
		if o.Error == nil {
			continue
		}
		hints.add(o.Error)
		if o.Status != runner.StatusFailed {
			continue
		}
		if first {
			t.printf("%s\n", t.bold("Failures:"))
			first = false
		}
		t.object(o, "  ")
	}
	if len(hints.all) > 0 {
		t.printf("%s\n", t.bold("Hints:"))
		for _, h := range hints.all {
			t.printf("  %s: %s\n", clean.Line(h.code), clean.Line(h.text))
		}
		t.printf("\n")
	}
}

func (t *text) notes(r *runner.Report) {
	for _, note := range r.Notes {
		t.printf("%s %s\n", t.yellow("note:"), clean.Line(note))
	}
	if len(r.Notes) > 0 {
		t.printf("\n")
	}
}

func (t *text) unmanaged(objects []runner.Unmanaged) {
	if len(objects) == 0 {
		return
	}
	t.printf("%s\n", t.bold("On the portal, but in no manifest:"))
	table := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	for i := range objects {
		what, title, parent := unmanaged(&objects[i], textValue)
		fmt.Fprintf(table, "  %s\t%s\t%s\n", what, title, parent)
	}
	table.Flush() // its error would be the buffer's, which has none
	t.printf("\n")
}

// unmanaged is an object that no manifest declares, its title, and what it
// belongs to: source #4, "CRM", connector 2.
func unmanaged(u *runner.Unmanaged, limit int) (what, title, parent string) {
	switch {
	case u.SourceID != 0:
		parent = fmt.Sprintf("source %d", u.SourceID)
	case u.ConnectorID != 0:
		parent = fmt.Sprintf("connector %d", u.ConnectorID)
	}
	title, _ = shorten(u.Title, "", limit)
	return fmt.Sprintf("%s #%d", clean.Line(string(u.Kind)), u.ID), title, parent
}

// counts says what changes, where that is more than anybody reads one by one.
func (t *text) counts(r *runner.Report) {
	var all tally
	if all.add(r.Objects); all.n < manyChanges {
		return
	}
	t.printf("%s\n", t.bold(count(all.n, "change")+":"))
	for _, p := range all.parts() {
		t.printf("  %-11s%s\n", strings.ToLower(p.title)+":", p.words(clean.Line))
	}
	t.printf("\n")
}

// palette paints text. Whether it does is decided for each report and not, as
// the library would by itself, by looking at the process's own streams.
type palette struct {
	bold, faint, red, green, yellow func(a ...any) string
}

func newPalette(on bool) palette {
	paint := func(attributes ...color.Attribute) func(a ...any) string {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	return palette{
		bold:   paint(color.Bold),
		faint:  paint(color.Faint),
		red:    paint(color.FgRed),
		green:  paint(color.FgGreen),
		yellow: paint(color.FgYellow),
	}
}
