package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// portal adds the section of a portal.
func (v *htmlView) portal(p portal, run Run, listed bool) {
	r := p.report
	sum := totalsOf(r)
	s := &htmlPortal{
		ID: fmt.Sprintf("portal-%d", len(v.Portals)+1), Name: clean.Line(p.name), Host: clean.Line(host(r.Portal)),
		Outcome: clean.Line(string(r.Outcome)), Line: headline(r.Outcome, SummaryLine(r)), Took: took(r.Duration),
		Tiles: tilesOf(sum, v.Plan), Failed: sum.Failed, Facts: facts(r), Takes: takes(r), UnchangedCount: sum.Unchanged, Notes: r.Notes,
		Timeline: timeline(r, len(run.head().Portals)),
	}
	if s.Host == s.Name {
		s.Host = ""
	}
	if p.name != "" {
		s.Error, s.Findings = r.Error, r.Findings
		s.From, s.Width = span(run, r)
		v.whole(s, r)
	}
	if word := stopWord(r); word != "" {
		s.Left = word + ": " + left(r)
	}
	v.tally.add(r.Objects)
	v.objects(s, p, listed)
	for i := range r.Unmanaged {
		what, title, parent := unmanaged(&r.Unmanaged[i], longestTitle)
		s.Unmanaged = append(s.Unmanaged, htmlUnmanaged{what + " " + title, parent})
	}
	v.Portals = append(v.Portals, s)
}

// objects sorts the objects of a portal into what failed, what changes, and the
// rest.
func (v *htmlView) objects(s *htmlPortal, p portal, listed bool) {
	r := p.report
	var differ []*runner.Object
	for i := range r.Objects {
		o := &r.Objects[i]
		if !listed { // what is shown must not keep the rest of the report in memory
			if o.Status == runner.StatusUnchanged && len(o.Notes) == 0 {
				continue
			}
			shown := *o
			o = &shown
		}
		switch view := (htmlObject{o, s.Name, v.Many, s.ID}); {
		case o.Status == runner.StatusFailed:
			v.cause(o.Error).Objects = append(v.cause(o.Error).Objects, view)
		case changed(o):
			differ = append(differ, o)
			s.Changes = append(s.Changes, view)
		case o.Status == runner.StatusUnchanged && len(o.Notes) == 0:
			s.Unchanged = append(s.Unchanged, view)
		case o.Error != nil || len(o.Notes) > 0:
			s.Changes = append(s.Changes, view)
		default: // skipped before it was compared
			s.Unchanged = append(s.Unchanged, view)
		}
	}
	if len(differ) < manyChanges {
		return
	}
	for _, g := range grouping(differ, true) {
		if len(g) == 1 {
			continue
		}
		names := make([]string, len(g))
		for i := range g {
			names[i] = shortLabel(g[i])
		}
		s.Groups = append(s.Groups, htmlGroup{N: len(g), Noun: g.noun(), Changes: htmlObject{Object: g[0]}.Differences(), Names: strings.Join(names, ", ")})
	}
}

// cause is where failures with one code and hint are collected.
func (v *htmlView) cause(f *runner.Failure) *htmlCause {
	key := hint{}
	if f != nil {
		key = hint{f.Code, f.Hint}
	}
	if v.causes == nil {
		v.causes = map[hint]*htmlCause{}
	}
	c := v.causes[key]
	if c == nil {
		c = &htmlCause{Code: clean.Line(key.code), Hint: clean.Line(key.text)}
		v.causes[key] = c
		v.Attention = append(v.Attention, c)
	}
	return c
}

// whole puts a portal first that did not get through at all.
func (v *htmlView) whole(s *htmlPortal, r *runner.Report) {
	f := r.Error
	if f == nil && len(r.Findings) > 0 {
		f = &runner.Failure{Code: string(r.Outcome), Message: count(len(r.Findings), "finding")}
	}
	if f != nil {
		c := v.cause(f)
		c.Portals = append(c.Portals, htmlWhole{s.ID, s.Name, clean.Line(f.Message)})
	}
}

// finish adds what needs all portals.
func (v *htmlView) finish() {
	for _, p := range v.Portals {
		v.Listed += len(p.Changes) + len(p.Unchanged)
	}
	for _, c := range v.Attention {
		v.Listed += len(c.Objects)
	}
	// A portal that did not get through at all is more than an object.
	slices.SortStableFunc(v.Attention, func(a, b *htmlCause) int { return cmp.Compare(min(1, len(b.Portals)), min(1, len(a.Portals))) })
	if !v.Many && len(v.Portals) == 1 {
		v.Facts = v.Portals[0].Facts
		v.Notes = v.Portals[0].Notes
	}
	if v.tally.n < manyChanges {
		return
	}
	for _, part := range v.tally.parts() {
		t := htmlTally{Title: part.title}
		for i, c := range part.items {
			if i == tallyItems {
				t.More = len(part.items) - i
				break
			}
			t.Rows = append(t.Rows, htmlCount{clean.Line(c.name), c.n, fmt.Sprintf("%.1f", max(1, 100*float64(c.n)/float64(part.items[0].n)))})
		}
		v.Tally = append(v.Tally, t)
	}
}
