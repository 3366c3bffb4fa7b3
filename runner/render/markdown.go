package render

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"

	"syncsources/runner"
)

// commentLimit is how large markdown gets, in UTF-16 units: GitHub takes 65,536
// characters for a comment.
const commentLimit = 60_000

// How much of a text one cell of a table shows, in characters.
const (
	markdownValue   = 60
	markdownMessage = 400
	openRows        = 30 // a longer table of changes starts folded
	fewPortals      = 50 // all in a table before what failed; of more, only those that failed
)

// Marker returns the hidden line that markdown begins with:
//
//	<!-- syncsources:plan acme.bitrix24.com team-a -->
//
// It is the same for all reports of a command and portal, so that a comment
// that begins with it can be found again and replaced. Of many portals it says
// "portals" instead of a host; id, which may be empty, keeps several runs
// apart.
func Marker(run Run, id string) string {
	where := "portals"
	if run.Report != nil {
		where = host(run.Report.Portal)
	}
	words := []string{"<!-- syncsources:" + run.Command()}
	for _, word := range []string{where, id} {
		if word = strings.Trim(notInMarker.ReplaceAllString(word, "-"), "-"); word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ") + " -->"
}

// notInMarker is what could end an HTML comment or be taken for another word.
// A host that is not ASCII stays readable.
var notInMarker = regexp.MustCompile(`-*[^\pL\pN.:_\[\]-][^\pL\pN.:_\[\]]*|--+`)

// Markdown writes the run as a comment for a pull request: the counts, what
// failed with its changes, and the changes as a table; details are folded. It
// holds nothing that differs between two runs with the same result, and at most
// 60,000 characters: what is over is cut at a row, and counted. What failed is
// never cut in favour of what did not.
func Markdown(w io.Writer, run Run, o Options) error {
	return markdown(w, run, o, newPage(commentLimit, units))
}

func markdown(w io.Writer, run Run, o Options, page *page) error {
	line, err := run.lastLine(code)
	if err != nil {
		return err
	}
	d := newDigest(page)
	if err := run.each(func(p portal) error { d.portal(p); return nil }); err != nil {
		return err
	}
	page.add(Marker(run, o.CommentID) + "\n")
	page.add("### " + headline(run.Outcome(), line) + "\n\n")
	if r := run.Report; r != nil {
		about(page, r)
	}
	if f := run.Failure(); f != nil {
		page.add("**" + code(cut(f.Code, markdownMessage)) + "** " + code(cut(f.Message, markdownMessage)) + "\n\n")
		if f.Hint != "" {
			page.add(code(cut(f.Hint, markdownMessage)) + "\n\n")
		}
	}
	findings(page, run)
	d.write(page, run.Command())
	_, err = io.WriteString(w, page.String())
	return err
}

// about says what there is to know before an apply, and what was left out.
func about(page *page, r *runner.Report) {
	if r.Checksum != "" {
		page.add("Checksum " + code(r.Checksum) + "\n\n")
	}
	if s := takes(r); s != "" {
		page.add(s + "\n\n")
	}
	if word := stopWord(r); word != "" {
		page.add(word + ": " + left(r) + "\n\n")
	}
}

func findings(page *page, run Run) {
	rows := page.items()
	for _, f := range run.head().Findings {
		rows.add(findingRow("", f))
	}
	page.table(table{columns: findingColumns, rows: rows, noun: "finding"})
}

var findingColumns = []string{"Where", "Rule", "What is wrong"}

func findingRow(prefix string, f runner.Finding) string {
	message := strings.Join(append([]string{f.Message}, f.Hints...), "; ")
	return row(cut(prefix+findingPlace(f), markdownMessage), cut(f.Rule, markdownMessage), cut(message, markdownMessage))
}

// digest collects the sections of a page, so that the first sections of all
// portals come before the second ones.
type digest struct {
	portals, badPortals, findings, failures, notes *items
	changes, members, texts, undone, unmanaged     *items
	hints                                          hints
	tally                                          tally
	failed, changed, skipped                       int
}

func newDigest(page *page) *digest {
	return &digest{
		portals: page.items(), badPortals: page.items(), findings: page.items(), failures: page.items(), notes: page.items(),
		changes: page.items(), members: page.items(), texts: page.items(), undone: page.items(), unmanaged: page.items(),
	}
}

// portal collects what there is to say of one portal.
func (d *digest) portal(p portal) {
	r := p.report
	if p.name != "" {
		d.portalRow(p)
	}
	d.tally.add(r.Objects)
	for _, note := range r.Notes {
		d.notes.add("- " + code(cut(p.prefix()+note, markdownMessage)) + "\n")
	}
	var done, undone []*runner.Object
	var notes []string // each once, with the objects that have it
	noted := map[string][]*runner.Object{}
	for i := range r.Objects {
		o := &r.Objects[i]
		d.hints.add(o.Error)
		for _, note := range o.Notes {
			if noted[note] == nil {
				notes = append(notes, note)
			}
			noted[note] = append(noted[note], o)
		}
		switch {
		case o.Status == runner.StatusFailed:
			d.failed++
			d.failure(p, o)
		case o.Status == runner.StatusSkipped && (changed(o) || o.Error != nil):
			undone = append(undone, o)
		case changed(o):
			done = append(done, o)
		}
	}
	for _, note := range notes {
		about := kindLabel(noted[note][0])
		if n := len(noted[note]); n > 1 {
			about = count(n, "object")
		}
		d.notes.add("- " + code(cut(p.prefix()+about, markdownMessage)) + ": " + code(cut(note, markdownMessage)) + "\n")
	}
	d.changed += len(done)
	d.skipped += len(undone)
	d.rows(d.changes, p, done)
	d.rows(d.undone, p, undone)
	for i := range r.Unmanaged {
		what, title, parent := unmanaged(&r.Unmanaged[i], markdownValue)
		d.unmanaged.add(row(p.prefix()+what, title, parent))
	}
}

// portalRow collects the line of a portal in the table of portals.
func (d *digest) portalRow(p portal) {
	t := totalsOf(p.report)
	what := ""
	if f := p.report.Error; f != nil {
		what = cut(failure(f), markdownMessage)
		d.hints.add(f)
	}
	if t.findings > 0 {
		what = count(t.findings, "finding")
	}
	number := func(n int) string { return fmt.Sprint(n) }
	row := cellsRow(cell(p.title()), cell(string(p.report.Outcome)), number(t.Created), number(t.Updated), number(t.Deleted),
		number(t.Failed), number(t.Skipped), number(t.Unchanged), cell(what))
	d.portals.add(row)
	if One(p.report).Failed() {
		d.badPortals.add(row)
	}
	for _, f := range p.report.Findings {
		d.findings.add(findingRow(p.prefix(), f))
	}
}

// failure collects the row of an object that failed. Its changes are in the
// row, so that no cut parts them from it.
func (d *digest) failure(p portal, o *runner.Object) {
	f := cmp.Or(o.Error, &runner.Failure{Code: string(o.Status)})
	changes := make([]string, 0, len(o.Changes))
	for i, c := range o.Changes {
		if i == tallyItems {
			changes = append(changes, fmt.Sprintf("and %s", moreItems(len(o.Changes)-i, "field")))
			break
		}
		from, to := sides(c, markdownValue)
		mark := ""
		if c.Failed {
			mark = "! "
		}
		changes = append(changes, cell(mark+cut(c.Path, markdownValue)+": "+from+" -> "+to))
	}
	what := "–"
	if len(changes) > 0 {
		what = strings.Join(changes, "<br>")
	}
	d.failures.add(cellsRow(cell(cut(p.prefix()+kindLabel(o), markdownMessage)), cell(cut(place(o), markdownMessage)),
		cell(cut(f.Code, markdownMessage)), cell(cut(f.Message, markdownMessage)), what))
}

// rows collects a row for each change of some objects, equal ones once.
func (d *digest) rows(rows *items, p portal, objects []*runner.Object) {
	for _, g := range grouping(objects, len(objects) >= manyChanges) {
		o := g[0]
		name := cut(p.prefix()+kindLabel(o), markdownMessage)
		if len(g) > 1 {
			name = p.prefix() + count(len(g), g.noun()) + ", the same change"
			names := make([]string, len(g))
			for i := range g {
				names[i] = cut(shortLabel(g[i]), markdownValue)
			}
			d.members.add(code(name) + ": " + code(strings.Join(names, ", ")) + "\n\n")
		}
		if len(o.Changes) == 0 {
			why := ""
			if o.Error != nil {
				why = cut(failure(o.Error), markdownMessage)
			}
			rows.add(cellsRow("`"+sign(o)+"`", cell(name), "–", "–", cell(why)))
		}
		for _, c := range o.Changes {
			from, to := shown(o, c, markdownValue)
			path := cut(c.Path, markdownMessage)
			rows.add(cellsRow("`"+sign(o)+"`", cell(name), cell(path), cell(from), cell(to)))
			if lines := lineDiff(c, markdownMessage); lines != nil {
				d.texts.add(code(name) + " " + code(path) + "\n\n" + fenced(lines))
			}
		}
	}
}

// write puts the sections onto the page, what failed first.
func (d *digest) write(page *page, command string) {
	columns := []string{"Portal", "Outcome", "+", "~", "-", "!", "/", "=", "Why"}
	portals := table{columns: columns, rows: d.portals, noun: "portal"}
	few := d.portals.count() <= fewPortals
	if few {
		page.table(portals)
	} else {
		page.table(table{title: count(d.badPortals.count(), "portal") + " failed", open: true, columns: columns, rows: d.badPortals, noun: "portal"})
	}
	page.table(table{title: "Findings", open: true, columns: findingColumns, rows: d.findings, noun: "finding"})
	page.table(table{
		title: count(d.failed, "object") + " failed", open: true,
		columns: []string{"Object", "Where", "Code", "Message", "Changes"}, rows: d.failures, noun: "failure",
	})
	todo := page.items()
	for _, h := range d.hints.all {
		todo.add("- " + code(cut(h.code, markdownMessage)) + ": " + code(cut(h.text, markdownMessage)) + "\n")
	}
	page.list("What to do", true, todo, "hint")
	page.list("Notes", true, d.notes, "note")
	if d.tally.n >= manyChanges {
		for _, part := range d.tally.parts() {
			page.add("- " + part.title + ": " + part.words(func(s string) string { return code(cut(s, markdownValue)) }) + "\n")
		}
		page.add("\n")
	}
	verb := " changed"
	if command == "plan" {
		verb = " to change"
	}
	columns = []string{"", "Object", "Field", "From", "To"}
	page.table(table{
		title: count(d.changed, "object") + verb, open: d.changes.count() <= openRows, columns: columns, rows: d.changes, noun: "change",
	})
	page.list("Objects with the same change", false, d.members, "group")
	page.list("Texts of several lines", false, d.texts, "text")
	page.table(table{title: count(d.skipped, "object") + " skipped", columns: columns, rows: d.undone, noun: "change"})
	page.table(table{
		title: count(d.unmanaged.count(), "object") + " in no manifest", columns: []string{"Object", "Title", "Belongs to"}, rows: d.unmanaged, noun: "object",
	})
	if !few {
		portals.title = "All portals"
		page.table(portals)
	}
}
