package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

const (
	// manyChanges is from how many changed objects on they are counted by
	// action, field and file, and equal changes are folded.
	manyChanges = 20
	// foldFrom is how many objects must share a change to be folded.
	foldFrom = 3
	// tallyItems is how many items of a count are named.
	tallyItems = 10
)

// changed reports whether an object differs, or did before an apply. What
// failed is shown elsewhere.
func changed(o *runner.Object) bool {
	switch o.Status {
	case runner.StatusUnchanged, runner.StatusFailed:
		return false
	case runner.StatusSkipped: // perhaps before it could be compared
		return len(o.Changes) > 0 || o.Action == runner.ActionDelete
	}
	return o.Action != runner.ActionNone && o.Action != ""
}

// counted is a name and how many objects have it.
type counted struct {
	name string
	n    int
}

// tally counts the objects that change, by action, field and file, the most
// frequent first.
type tally struct {
	n                      int
	actions, fields, files []counted
}

// add counts the objects of a report. The fields of what is created or deleted
// say nothing; those of updates do.
func (t *tally) add(objects []runner.Object) {
	actions, fields, files := index(t.actions), index(t.fields), index(t.files)
	for i := range objects {
		o := &objects[i]
		if !changed(o) {
			continue
		}
		t.n++
		actions.add(string(o.Action))
		if o.File != "" {
			files.add(o.File)
		}
		if o.Action == runner.ActionUpdate || o.Action == runner.ActionReplace {
			for _, c := range o.Changes {
				fields.add(c.Path)
			}
		}
	}
	t.actions, t.fields, t.files = actions.sorted(), fields.sorted(), files.sorted()
}

// counts is a list of counted names under construction.
type counts struct {
	all []counted
	at  map[string]int
}

func index(all []counted) *counts {
	c := &counts{all: all, at: make(map[string]int, len(all))}
	for i := range all {
		c.at[all[i].name] = i
	}
	return c
}

func (c *counts) add(name string) {
	i, known := c.at[name]
	if !known {
		i = len(c.all)
		c.at[name] = i
		c.all = append(c.all, counted{name: name})
	}
	c.all[i].n++
}

func (c *counts) sorted() []counted {
	slices.SortStableFunc(c.all, func(a, b counted) int { return cmp.Compare(b.n, a.n) })
	return c.all
}

// parts are the three counts of a tally with their titles, without empty ones.
func (t *tally) parts() []tallyPart {
	all := []tallyPart{{"By action", t.actions}, {"By field", t.fields}, {"By file", t.files}}
	return slices.DeleteFunc(all, func(p tallyPart) bool { return len(p.items) == 0 })
}

type tallyPart struct {
	title string
	items []counted
}

// words names the first items: settings.password 297, title 3, and 2 more.
func (p tallyPart) words(name func(string) string) string {
	words := make([]string, 0, tallyItems+1)
	for i, c := range p.items {
		if i == tallyItems {
			words = append(words, fmt.Sprintf("and %d more", len(p.items)-i))
			break
		}
		words = append(words, fmt.Sprintf("%s %s", name(c.name), grouped(c.n)))
	}
	return strings.Join(words, ", ")
}

// group is one object, or several whose changes are equal.
type group []*runner.Object

// grouping puts objects into groups, each where its first object is. Unless
// fold is set every object is a group of its own. Only updates are folded: of
// what is created or deleted each object counts by itself.
func grouping(objects []*runner.Object, fold bool) []group {
	keys, sizes := make([]string, len(objects)), map[string]int{}
	for i, o := range objects {
		if fold {
			keys[i] = changeKey(o)
			sizes[keys[i]]++
		}
	}
	groups, at := make([]group, 0, len(objects)), map[string]int{}
	for i, o := range objects {
		if keys[i] == "" || sizes[keys[i]] < foldFrom {
			groups = append(groups, group{o})
			continue
		}
		j, known := at[keys[i]]
		if !known {
			j = len(groups)
			at[keys[i]] = j
			groups = append(groups, nil)
		}
		groups[j] = append(groups[j], o)
	}
	return groups
}

// changeKey is equal for objects whose blocks differ in nothing but their
// labels; empty where an object needs a block of its own.
func changeKey(o *runner.Object) string {
	if o.Action != runner.ActionUpdate || o.Status == runner.StatusFailed || o.Error != nil || len(o.Changes) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %q", o.Kind, o.Status, o.Notes)
	for _, c := range o.Changes {
		fmt.Fprintf(&b, "\x00%q %v %#v %#v", c.Path, c.Sensitive, c.From, c.To)
	}
	return b.String()
}

// noun is what the objects of a group are: source.
func (g group) noun() string { return clean.Line(cmp.Or(string(g[0].Kind), "object")) }
