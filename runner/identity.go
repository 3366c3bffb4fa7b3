package runner

import "syncsources/manifest"

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
