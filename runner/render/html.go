package render

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

//go:embed html/page.tmpl
var pageTemplate string

//go:embed html/style.css
var pageStyle string

//go:embed html/script.js
var pageScript string

// pagePolicy lets the page's own style and script run and forbids everything
// else, so that the page loads nothing whatever its text says.
var pagePolicy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
	integrity(pageStyle), integrity(pageScript))

func integrity(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var htmlPage = template.Must(template.New("page").Funcs(template.FuncMap{"grouped": grouped, "clean": clean.Line, "count": count, "place": findingPlace}).Parse(pageTemplate))

// htmlUnchanged is how many unchanged objects the page lists: of more portals
// than anybody looks at, they are only counted.
const htmlUnchanged = 20_000

// HTML writes the run as a page for a browser: one file that loads nothing and
// can be read without its script, printed, and searched.
func HTML(w io.Writer, run Run, _ Options) error {
	sum, err := run.total()
	if err != nil {
		return err
	}
	line, err := run.lastLine(clean.Line)
	if err != nil {
		return err
	}
	head := run.head()
	v := &htmlView{
		Policy:  template.HTMLAttr(fmt.Sprintf(`content="%s"`, pagePolicy)),
		Style:   template.CSS(pageStyle),
		Script:  template.JS(pageScript),
		Command: clean.Line(run.Command()), Outcome: clean.Line(string(run.Outcome())), Line: headline(run.Outcome(), line),
		Started: head.Started.UTC().Format("2 January 2006, 15:04:05 MST"), StartedISO: head.Started.UTC().Format(time.RFC3339),
		Took: took(head.Duration),
		Many: run.Portals != nil, Plan: run.Command() == "plan",
		Error: head.Error, Findings: head.Findings,
	}
	v.title(run, sum)
	v.tiles(sum)
	listed := sum.Unchanged <= htmlUnchanged
	err = run.each(func(p portal) error {
		v.portal(p, run, listed)
		return nil
	})
	if err != nil {
		return err
	}
	v.finish()
	// The page is made in memory: a template that failed half-way would leave
	// half a page.
	var b bytes.Buffer
	if err := htmlPage.Execute(&b, v); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// htmlView is what the template shows. Its texts are clean but for those that
// are the report's own, which the template cleans; it escapes all for HTML.
type htmlView struct {
	Policy                           template.HTMLAttr
	Style                            template.CSS
	Script                           template.JS
	Title, Heading, Command, Outcome string
	Line, Started, StartedISO, Took  string
	Many, Plan                       bool
	Tiles                            []htmlTile
	Facts                            []htmlFact
	Error                            *runner.Failure
	Findings                         []runner.Finding
	Notes                            []string
	Attention                        []*htmlCause
	Tally                            []htmlTally
	Portals                          []*htmlPortal
	Total, Listed                    int
	tally                            tally
	causes                           map[hint]*htmlCause
}

type htmlFact struct{ Name, Value string }

// htmlTile is a number of the totals, and its part of the bar.
type htmlTile struct {
	Class, Name, Sign string
	N                 int
	X, Width          string // of 1000
}

// htmlCause is objects that failed with the same code and hint.
type htmlCause struct {
	Code, Hint string
	Portals    []htmlWhole
	Objects    []htmlObject
}

// htmlWhole is a portal whose run as a whole did not get through.
type htmlWhole struct{ ID, Name, Message string }

type htmlPortal struct {
	ID, Name, Host, Outcome, Line, Took string
	Tiles                               []htmlTile
	Facts                               []htmlFact
	From, Width                         string // when it ran, of 1000
	Error                               *runner.Failure
	Findings                            []runner.Finding
	Notes                               []string
	Left, Takes                         string
	Failed                              int
	Groups                              []htmlGroup
	Changes, Unchanged                  []htmlObject
	UnchangedCount                      int
	Unmanaged                           []htmlUnmanaged
	Timeline                            *htmlTimeline
}

// htmlGroup is objects with the same change.
type htmlGroup struct {
	N       int
	Noun    string
	Changes []htmlChange
	Names   string
}

type htmlUnmanaged struct{ Label, Parent string }

type htmlTally struct {
	Title string
	Rows  []htmlCount
	More  int
}

type htmlCount struct {
	Name  string
	N     int
	Width string // of 100
}

func (v *htmlView) title(run Run, sum totals) {
	v.Heading = count(sum.portals, "portal")
	if run.Report != nil {
		v.Heading = clean.Line(host(run.Report.Portal))
	}
	if v.Heading == "" || run.Portals != nil && sum.portals == 0 {
		v.Heading = "syncsources " + v.Command
	}
	v.Title = v.Heading + ": " + v.Command
}

func (v *htmlView) tiles(sum totals) {
	v.Tiles = tilesOf(sum, v.Plan)
	for _, tile := range v.Tiles {
		v.Total += tile.N
	}
}

// tilesOf are the totals as tiles and as parts of a bar.
func tilesOf(t totals, plan bool) []htmlTile {
	tiles := []htmlTile{
		{Class: "failed", Name: "failed", Sign: "!", N: t.Failed},
		{Class: "create", Name: "created", Sign: "+", N: t.Created},
		{Class: "update", Name: "updated", Sign: "~", N: t.Updated},
		{Class: "delete", Name: "deleted", Sign: "-", N: t.Deleted},
		{Class: "skipped", Name: "skipped", Sign: "/", N: t.Skipped},
		{Class: "unchanged", Name: "unchanged", Sign: "=", N: t.Unchanged},
	}
	if plan {
		tiles[1].Name, tiles[2].Name, tiles[3].Name = "to create", "to update", "to delete"
	}
	all := 0
	for _, tile := range tiles {
		all += tile.N
	}
	// What there is gets at least a sliver of the bar.
	const sliver = 6.0
	room := 1000.0
	for _, tile := range tiles {
		if tile.N > 0 {
			room -= sliver
		}
	}
	x := 0.0
	for i := range tiles {
		if tiles[i].N == 0 {
			continue
		}
		width := sliver + room*float64(tiles[i].N)/float64(all)
		tiles[i].X, tiles[i].Width = fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", width)
		x += width
	}
	return tiles
}

// facts are figures of a run that somebody may want to know.
func facts(r *runner.Report) []htmlFact {
	var all []htmlFact
	add := func(name, value string) { all = append(all, htmlFact{name, value}) }
	q := r.Requests
	if q.HTTP > 0 {
		add("Requests", grouped(q.HTTP))
		add("Commands", grouped(q.Commands))
		if q.Retries > 0 {
			add("Sent again", grouped(q.Retries))
		}
		if q.Throttled > 0 {
			add("Throttled", grouped(q.Throttled))
		}
		add("Waited", took(q.Waited))
	}
	if r.Checksum != "" {
		add("Checksum", clean.Line(r.Checksum))
	}
	return all
}

// span is when a portal was worked on within the run, of 1000.
func span(run Run, r *runner.Report) (from, width string) {
	started := run.head().Started
	all := run.head().Finished.Sub(started).Seconds()
	if all <= 0 || r.Started.IsZero() {
		return "0", "0"
	}
	x := max(0, min(1000, 1000*r.Started.Sub(started).Seconds()/all))
	w := max(4, min(1000-x, 1000*r.Finished.Sub(r.Started).Seconds()/all))
	return fmt.Sprintf("%.1f", min(x, 996)), fmt.Sprintf("%.1f", w)
}

// took is a duration for people: 350 ms, 12.4 s, 4 min 5 s.
func took(seconds float64) string {
	switch {
	case seconds < 0.9995:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	case seconds < 59.95:
		return fmt.Sprintf("%.1f s", seconds)
	}
	s := int(seconds + 0.5)
	if s < 3600 {
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
