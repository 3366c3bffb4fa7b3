package runner

import (
	"fmt"
	"slices"

	"syncsources/bitrix"
	"syncsources/manifest"
)

// Live is what the portal showed.
type Live struct {
	Family     bitrix.Family // of the methods for tables
	Connectors map[int64]*bitrix.Connector
	Sources    map[int64]*bitrix.Source
	Tables     map[int64]*bitrix.Table
	// Broken holds, by kind and id, why objects could not be read. Under id 0
	// is why one could not of which not even the id is known.
	Broken map[Kind]map[int64]error
}

// broken is why an object could not be read, nil if it was not there at all.
func (l *Live) broken(k *kind, id int64) error { return l.Broken[k.name][id] }

// unreadable returns the reason why objects of a kind could not be read whose
// titles are therefore not known: a declaration without an id may be one of
// them.
func (l *Live) unreadable(k *kind) error {
	for id, err := range l.Broken[k.name] {
		if _, listed := k.find(l, id); !listed {
			return err
		}
	}
	return nil
}

// Choices say what a plan is made of.
type Choices struct {
	// Selected reports whether an object is to be compared; nil: all are. The
	// others are only looked up, for those that refer to them.
	Selected func(manifest.Object) bool
	// Prune also removes what is not declared.
	Prune bool
}

// Compare plans how to bring live objects to their declared states. It is a
// pure function.
func Compare(set *manifest.Set, live Live, choices Choices) *Changeset {
	p := newPlanner(set, &live, choices)
	p.connectors()
	p.sources()
	p.tables()
	p.rejectDoubles()
	for _, s := range p.steps {
		p.compare(s)
	}
	p.hintRenames()
	c := &Changeset{steps: p.steps}
	if choices.Prune {
		p.prune(c)
	}
	return c
}

// declaredOnly is what there is to say of objects that were not compared.
func declaredOnly(set *manifest.Set, selected func(manifest.Object) bool) *Changeset {
	p := newPlanner(set, &Live{}, Choices{Selected: selected})
	for i := range set.Connectors {
		p.add(connectors, set.Connectors[i].Object, nil, set.Connectors[i].Title)
	}
	for i := range set.Sources {
		p.add(sources, set.Sources[i].Object, nil, set.Sources[i].Title)
	}
	for i := range set.Tables {
		p.add(tables, set.Tables[i].Object, nil, &set.Tables[i].Name)
	}
	for _, s := range p.steps {
		s.status = StatusSkipped
	}
	return &Changeset{steps: p.steps}
}

// compare finds out what there is to do for an object.
func (p *planner) compare(s *step) {
	if !s.selected {
		return
	}
	for _, on := range s.depends {
		if on.failure != nil && s.failure == nil && (s.id == 0 || !p.found(on)) {
			s.skip(on)
		}
	}
	if s.failure != nil {
		return
	}
	exists := s.id != 0
	diffs, f := s.subject.compare()
	s.diffs = diffs
	switch {
	case !exists:
		s.action, s.status = ActionCreate, StatusPlanned
	case len(diffs) > 0:
		s.action, s.status = ActionUpdate, StatusPlanned
		for _, d := range diffs {
			if d.replace {
				s.action = ActionReplace
			}
		}
	}
	for _, on := range s.depends {
		if on.failure != nil && s.status == StatusPlanned {
			s.skip(on)
		}
	}
	if f == nil && s.failure == nil {
		f = s.subject.check(diffs)
	}
	if f != nil {
		s.fail(f)
		return
	}
	s.notes = append(s.notes, s.subject.notes(diffs)...)
	for _, d := range diffs {
		if how := storedDifferently(d); how != "" && how != cut && !d.sensitive {
			s.notes = append(s.notes, fmt.Sprintf("the portal shows the declared %s %s; if it still does after the write, the apply reports NOT_CONVERGED: declare what it shows", d.path, how))
		}
	}
}

// found reports whether the live object of a step is known.
func (p *planner) found(s *step) bool { return slices.Contains(p.claims[claim{s.kind, s.id}], s) }

func notFound(k *kind) *Failure {
	return new(k.notFound)
}

// Match says which live object a declaration means.
type Match struct {
	Kind     Kind
	Declared manifest.Object
	ID       int64    // 0: there is none yet
	Failure  *Failure // more than one, or none where there must be one
}

// Matches are those of all declarations, in the order of the report.
func (c *Changeset) Matches() []Match {
	var all []Match
	for _, s := range c.steps {
		if s.declared.Position.File != "" {
			all = append(all, Match{s.kind.name, s.declared, s.id, s.failure})
		}
	}
	return all
}

// Undeclared are the live objects that none of the declarations means.
func (c *Changeset) Undeclared(live Live) []Unmanaged { return unmanaged(live, c) }
