package runner

import (
	"cmp"
	"fmt"

	"syncsources/bitrix"
	"syncsources/manifest"
)

// Changeset is a plan: what there is to do for each object, in the order of
// the report. It is a value; making it touches nothing.
type Changeset struct {
	steps []*step // those of objects that were not selected included
	// Notes are remarks on the plan as a whole.
	Notes []string
	// prunable counts the live objects of the kinds that are pruned.
	prunable int
}

// step is the plan for one object.
type step struct {
	kind     *kind
	declared manifest.Object // the zero Object for one that is only removed
	subject  subject
	selected bool
	id       int64 // 0: it does not exist
	title    string
	action   Action
	status   Status
	failure  *Failure
	diffs    []difference
	notes    []string
	// depends are the steps that must be through before: those of objects
	// that it refers to, or, of a removal, of those that refer to it.
	depends []*step
}

// label is how messages call the object.
func (s *step) label() string {
	name := cmp.Or(s.declared.Name, fmt.Sprintf("#%d", s.id))
	if s.kind == tables {
		name = s.title
	}
	return fmt.Sprintf("%s %q", s.kind.name, name)
}

// fail ends a step that cannot be applied. The first reason counts.
func (s *step) fail(f *Failure) {
	if s.failure == nil {
		s.status, s.failure = StatusFailed, f
	}
}

// skip ends a step whose object depends on one that failed.
func (s *step) skip(on *step) {
	s.status = StatusSkipped
	s.failure = dependency(on)
}

func dependency(on *step) *Failure {
	return &Failure{Code: CodeDependency, Message: "the " + on.label() + " failed"}
}

// count is how many steps are planned to write, removals how many objects,
// columns and settings of connectors they remove.
func (c *Changeset) count() (planned, removals int) {
	for _, s := range c.steps {
		if s.status != StatusPlanned {
			continue
		}
		planned++
		if s.action == ActionDelete {
			removals++
			continue
		}
		for _, d := range s.diffs {
			if d.to.kind == nothing || d.replace {
				removals++
			}
		}
	}
	return planned, removals
}

// selected is how many objects the report is about.
func (c *Changeset) selected() int {
	n := 0
	for _, s := range c.steps {
		if s.selected {
			n++
		}
	}
	return n
}

// results are the report's entries for the steps, and which entry is whose.
func (c *Changeset) results() ([]Object, map[*step]int) {
	list := make([]Object, 0, len(c.steps))
	at := make(map[*step]int, len(c.steps))
	for _, s := range c.steps {
		if !s.selected {
			continue
		}
		at[s] = len(list)
		list = append(list, Object{
			Kind: s.kind.name, Action: s.action, Name: s.declared.Name, ID: s.id, Title: s.title,
			File: s.declared.Position.File, Line: s.declared.Position.Line, Column: s.declared.Position.Column,
			Status: s.status, Changes: changes(s.diffs), Error: s.failure, Notes: s.notes,
		})
	}
	return list, at
}

// commands are those that would bring the changes about.
func (c *Changeset) commands() (list []bitrix.Command) {
	for _, s := range c.steps {
		if s.status != StatusPlanned {
			continue
		}
		switch s.action {
		case ActionCreate:
			list = append(list, s.subject.create())
		case ActionDelete:
			list = append(list, s.subject.remove())
		case ActionUpdate, ActionReplace:
			for _, w := range s.subject.writes(s.diffs) {
				list = append(list, w.command)
			}
		}
	}
	return list
}
