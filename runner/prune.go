package runner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncsources/manifest"
)

// pruning decides which live objects are removed: those of the application
// that no manifest declares, below declared connectors, of the kinds of which a
// manifest of the portal has the key. What is below an undeclared
// connector or source goes with it, and stays below a kept connector. A kept
// object, and a declared one, keeps what it depends on. Nothing of a kind goes
// while it is not known which object a declaration of it means: a mistyped id
// must not remove that object, nor what is below it.
type pruning struct {
	*planner
	changes  *Changeset
	children map[claim][]liveObject // by what they belong to
	referred map[claim]bool         // what declarations refer to by id
}

// rules are what the manifests say of pruning a kind: whether one has its key,
// and what is kept.
func (p *planner) rules(k *kind) (declares bool, keep []manifest.Pattern) {
	switch d, keep := p.set.Declares, p.set.Keep; k {
	case connectors:
		return d.Connectors, keep.Connectors
	case sources:
		return d.Sources, keep.Sources
	default:
		return d.Tables, keep.Tables
	}
}

// prune adds the removals to a plan: children first, as they are applied.
func (p *planner) prune(c *Changeset) {
	pr := &pruning{planner: p, changes: c, children: map[claim][]liveObject{}, referred: map[claim]bool{}}
	for i := range p.set.Sources {
		pr.referred[claim{connectors, p.set.Sources[i].Connector.ID}] = true
	}
	for i := range p.set.Tables {
		pr.referred[claim{sources, p.set.Tables[i].Source.ID}] = true
	}
	for _, k := range kinds {
		all := k.live(p.live)
		if declares, keep := p.rules(k); declares {
			for _, pattern := range keep {
				one := []manifest.Pattern{pattern}
				if p.live.broken(k, pattern.ID) == nil && !slices.ContainsFunc(all, func(o liveObject) bool { return kept(one, o.id, o.title) }) {
					what := fmt.Sprintf("called %q", pattern.Glob)
					if pattern.ID != 0 {
						what = fmt.Sprintf("#%d", pattern.ID)
					}
					c.Notes = append(c.Notes, fmt.Sprintf("keep protects no %s: none is %s", k.name, what))
				}
			}
			c.prunable += len(all)
			if why := p.unknown[k]; why != "" {
				c.Notes = append(c.Notes, fmt.Sprintf("no %s is removed: %s", k.name, why))
			}
		}
		if k.below != nil {
			for _, o := range k.below.live(p.live) {
				at := claim{k, o.parent}
				pr.children[at] = append(pr.children[at], o)
			}
		}
	}
	declares, keep := p.rules(connectors)
	for _, o := range connectors.live(p.live) {
		at := claim{connectors, o.id}
		if p.claims[at] != nil || pr.referred[at] || declares && !kept(keep, o.id, o.title) && p.unknown[connectors] == "" { // else it is not ours, nor what is below it
			pr.object(connectors, o, false)
		}
	}
	// Removed are tables, then sources, then connectors.
	slices.SortStableFunc(c.steps, func(a, b *step) int { return cmp.Compare(removalOrder(a), removalOrder(b)) })
}

// removalOrder puts removals behind everything else, children first.
func removalOrder(s *step) int {
	if s.action != ActionDelete {
		return 0
	}
	return 1 + slices.Index([]*kind{tables, sources, connectors}, s.kind)
}

// object removes what is to go below an object, and the object if nothing says
// otherwise. with is set where what it belongs to goes. It returns the removal
// of the object, or why what it belongs to must stay.
func (pr *pruning) object(k *kind, o liveObject, with bool) (*step, string) {
	title := fmt.Sprintf("%s #%d %q", k.name, o.id, o.title)
	if k == tables {
		title = fmt.Sprintf("%s %q", k.name, o.title)
	}
	declares, keep := pr.rules(k)
	at := claim{k, o.id}
	claimed, referred, isKept := pr.claims[at] != nil, pr.referred[at], kept(keep, o.id, o.title)
	goes := !claimed && !referred && !isKept && (declares || with) && pr.unknown[k] == ""
	var below []*step
	keeper := ""
	for _, child := range pr.children[at] {
		step, why := pr.object(k.below, child, goes)
		if step != nil {
			below = append(below, step)
		}
		keeper = cmp.Or(keeper, why)
	}
	if keeper != "" && (goes || referred && declares && !claimed) {
		pr.changes.Notes = append(pr.changes.Notes, title+" stays: "+keeper)
	}
	switch {
	case claimed || referred:
		return nil, title + " is declared"
	case isKept:
		return nil, title + " is kept"
	case !goes:
		return nil, title + " is not pruned"
	case keeper != "":
		return nil, title + " stays"
	}
	s := &step{kind: k, subject: k.removing(o, pr.live.Family), selected: true, id: o.id, title: o.title, action: ActionDelete, status: StatusPlanned, depends: below}
	if o.by != 0 {
		s.notes = append(s.notes, fmt.Sprintf("created by user %d on %s", o.by, o.created))
	}
	pr.changes.steps = append(pr.changes.steps, s)
	return s, ""
}

// kept reports whether a keep list names the object, or may name it: under a
// title that the portal stores otherwise, or that cannot be read exactly.
func kept(patterns []manifest.Pattern, id int64, title string) bool {
	return slices.ContainsFunc(patterns, func(p manifest.Pattern) bool {
		if p.ID != 0 {
			return p.ID == id
		}
		for form := range storedForms(p.Glob) {
			if manifest.Match(form, title) {
				return true
			}
		}
		_, is := storedForm(p.Glob, title)
		return is || manifest.Match(p.Glob, title) || strings.Contains(title, lost)
	})
}
