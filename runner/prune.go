package runner

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncsources/bitrix"
	"syncsources/manifest"
)

// pruning decides which live objects are removed: those of the application
// that no manifest declares, below declared connectors, of the kinds of which a
// manifest of the portal has the key. What stands below an undeclared
// connector or source goes with it. A kept object, and a declared one, keeps
// what it stands on.
type pruning struct {
	*planner
	changes *Changeset
	tables  map[int64][]*bitrix.Table  // by source
	sources map[int64][]*bitrix.Source // by connector
}

// prune adds the removals to a plan: children first, as they are applied.
func (p *planner) prune(c *Changeset) {
	pr := &pruning{planner: p, changes: c, tables: map[int64][]*bitrix.Table{}, sources: map[int64][]*bitrix.Source{}}
	for _, id := range sortedKeys(p.live.Tables) {
		t := p.live.Tables[id]
		pr.tables[t.SourceID] = append(pr.tables[t.SourceID], t)
	}
	for _, id := range sortedKeys(p.live.Sources) {
		s := p.live.Sources[id]
		pr.sources[s.ConnectorID] = append(pr.sources[s.ConnectorID], s)
	}
	d := p.set.Declares
	for _, kind := range []struct {
		pruned bool
		live   int
	}{{d.Connectors, len(p.live.Connectors)}, {d.Sources, len(p.live.Sources)}, {d.Tables, len(p.live.Tables)}} {
		if kind.pruned {
			c.prunable += kind.live
		}
	}
	for _, id := range sortedKeys(p.live.Connectors) {
		live := p.live.Connectors[id]
		declared := pr.declared(KindConnector, id)
		if !declared && !d.Connectors {
			continue // it is none of ours
		}
		pr.connector(live, declared)
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

// declared reports whether a declaration stands for the live object, or refers
// to it.
func (pr *pruning) declared(kind Kind, id int64) bool {
	if pr.claims[claim{kind, id}] != nil {
		return true
	}
	for i := range pr.set.Sources {
		if kind == KindConnector && pr.set.Sources[i].Connector.ID == id {
			return true
		}
	}
	for i := range pr.set.Tables {
		if kind == KindSource && pr.set.Tables[i].Source.ID == id {
			return true
		}
	}
	return false
}

// connector removes what is to go below a connector, and the connector unless
// it is declared. A declaration may refer to one by its id that is not.
func (pr *pruning) connector(live *bitrix.Connector, declared bool) {
	var below []*step
	keeper := ""
	for _, s := range pr.sources[live.ID] {
		step, why := pr.source(s, !declared)
		if step != nil {
			below = append(below, step)
		}
		keeper = cmp.Or(keeper, why)
	}
	if pr.claims[claim{KindConnector, live.ID}] != nil || !pr.set.Declares.Connectors {
		return
	}
	title := fmt.Sprintf("connector #%d %q", live.ID, live.Title)
	switch {
	case kept(pr.set.Keep.Connectors, live.ID, live.Title):
		// said by the manifest itself
	case keeper != "":
		pr.changes.Notes = append(pr.changes.Notes, title+" stays: "+keeper)
	default:
		pr.removal(connectors, live.ID, live.Title, &connector{live: live}, below, "", 0)
	}
}

// source removes what is to go below a source, and the source if nothing says
// otherwise. with is set where its connector goes. It returns the removal of
// the source, or why its connector has to stay.
func (pr *pruning) source(live *bitrix.Source, with bool) (*step, string) {
	title := fmt.Sprintf("source #%d %q", live.ID, live.Title)
	declared := pr.declared(KindSource, live.ID)
	goes := !declared && (pr.set.Declares.Sources || with)
	isKept := kept(pr.set.Keep.Sources, live.ID, live.Title)
	var below []*step
	keeper := ""
	for _, t := range pr.tables[live.ID] {
		step, why := pr.table(t, goes && !isKept)
		if step != nil {
			below = append(below, step)
		}
		keeper = cmp.Or(keeper, why)
	}
	switch {
	case declared:
		return nil, title + " is declared"
	case isKept:
		return nil, title + " is kept"
	case !goes:
		return nil, title + " is not pruned"
	case keeper != "":
		pr.changes.Notes = append(pr.changes.Notes, title+" stays: "+keeper)
		return nil, title + " stays"
	}
	return pr.removal(sources, live.ID, live.Title, &source{live: live}, below, live.DateCreate, live.CreatedByID), ""
}

// table removes a table if nothing says otherwise, or returns why its source
// has to stay.
func (pr *pruning) table(live *bitrix.Table, with bool) (*step, string) {
	title := fmt.Sprintf("table %q", live.Name)
	switch {
	case pr.declared(KindTable, live.ID):
		return nil, title + " is declared"
	case kept(pr.set.Keep.Tables, live.ID, live.Name):
		return nil, title + " is kept"
	case !pr.set.Declares.Tables && !with:
		return nil, title + " is not pruned"
	}
	return pr.removal(tables, live.ID, live.Name, &table{live: live, family: pr.live.Family}, nil, live.DateCreate, live.CreatedByID), ""
}

// removal adds a step that deletes an object after what stands below it.
func (pr *pruning) removal(k *kind, id int64, title string, subject subject, below []*step, created string, by int64) *step {
	s := &step{kind: k, subject: subject, selected: true, id: id, title: title, action: ActionDelete, status: StatusPlanned, depends: below}
	if by != 0 {
		s.notes = append(s.notes, fmt.Sprintf("created by user %d on %s", by, created))
	}
	pr.changes.steps = append(pr.changes.steps, s)
	return s
}

// kept reports whether a keep list names the object.
func kept(patterns []manifest.Pattern, id int64, title string) bool {
	return slices.ContainsFunc(patterns, func(p manifest.Pattern) bool {
		if p.ID != 0 {
			return p.ID == id
		}
		return globbed(p.Glob, title)
	})
}

// globbed matches a title with a pattern in which * stands for any text and ?
// for one character.
func globbed(pattern, title string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`(?s)^` + quoted + `$`).MatchString(title)
}

// sortedKeys are the keys of a map by rising id.
func sortedKeys[T any](m map[int64]T) []int64 { return slices.Sorted(maps.Keys(m)) }
