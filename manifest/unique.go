package manifest

import (
	"fmt"
	"slices"
)

// unique reports what is declared twice on one portal, in one file or in
// several, and references to what nobody declares. Of two declarations the
// later one is reported, and names the earlier one.
func (b *built) unique() []*Finding {
	connectors, sources, tables := newCensus("connector", len(b.Connectors)), newCensus("source", len(b.Sources)), newCensus("table", len(b.Tables))
	for i := range b.Connectors {
		c := &b.Connectors[i]
		identity := ""
		if c.ID == 0 && c.Title != nil {
			identity = *c.Title
		}
		connectors.add(entry{&c.Object, &b.connectors[i]}, identity)
	}
	for i := range b.Sources {
		s := &b.Sources[i]
		identity := ""
		if s.ID == 0 && s.Title != nil && (s.Connector.ID != 0 || s.Connector.Name != "") {
			identity = connectors.identity(s.Connector, s.Portal) + "\x00" + *s.Title
		}
		sources.add(entry{&s.Object, &b.sources[i]}, identity)
		connectors.refer(s.Connector, s.Portal, &b.sources[i])
	}
	for i := range b.Tables {
		t := &b.Tables[i]
		tables.add(entry{&t.Object, &b.tables[i]}, "")
		sources.refer(t.Source, t.Portal, &b.tables[i])
	}
	return slices.Concat(connectors.found, sources.found, tables.found)
}

// entry is an object and where it is declared.
type entry struct {
	*Object
	*declared
}

// census is what checks over all files know of one kind of objects.
type census struct {
	kind              string
	ids               register[int64]
	names, identities register[string]
	found             []*Finding
}

func newCensus(kind string, size int) *census {
	return &census{kind: kind, ids: make(register[int64], size), names: make(register[string], size), identities: register[string]{}}
}

func (c *census) report(at Node, rule string, hints []string, format string, args ...any) {
	c.found = append(c.found, at.Problem(rule, hints, format, args...))
}

// add takes an object in, and reports what of it is taken. An object without
// an id is found by its identity, if that is known.
func (c *census) add(e entry, identity string) {
	if e.ID != 0 {
		if first, twice := c.ids.add(e.Portal, e.ID, e); twice {
			c.report(e.at("id"), "duplicate-id", declaredAt(first.at("id")), "the id %d is declared twice", e.ID)
			if !e.named {
				return // the default name twice is the same mistake
			}
		}
	} else if identity != "" && !e.identified {
		if first, twice := c.identities.add(e.Portal, identity, e); twice {
			hints := append(declaredAt(first.at("title")), "without an id it is found by its title: give one of them its id")
			c.report(e.at("title"), "duplicate-identity", hints, "the %s %s is declared twice", c.kind, Quote(e.at("title").text()))
			if !e.named {
				return
			}
		}
	}
	if e.Name != "" {
		c.addName(e)
	}
}

// addName reports a name that is taken.
func (c *census) addName(e entry) {
	if !e.named && e.ID == 0 && onlyDigits(e.Name) {
		c.report(e.at("title"), "not-allowed", []string{"add a name: digits alone would be taken for an id"}, "the title %s cannot be the name of a %s", Quote(e.Name), c.kind)
		return
	}
	first, twice := c.names.add(e.Portal, e.Name, e)
	if !twice {
		return
	}
	at, other := e, first
	if !at.named && other.named {
		at, other = other, at // the one whose name is written out
	}
	label := at.at("name", "id", "title")
	switch {
	case other.named:
		c.report(label, "duplicate-name", declaredAt(other.at("name")), "the name %s is declared twice", Quote(e.Name))
	case other.ID != 0:
		c.report(label, "duplicate-name", declaredAt(other.at("id")), "the name %s is the default name of %s %d", Quote(e.Name), c.kind, other.ID)
	case at.named:
		c.report(label, "duplicate-name", declaredAt(other.at("title")), "the name %s is the default name of another %s: its title", Quote(e.Name), c.kind)
	default:
		c.report(label, "duplicate-name", append(declaredAt(other.at("title")), "give one of them a name"), "two %ss without a name have the title %s", c.kind, Quote(e.Name))
	}
}

func declaredAt(n Node) []string { return []string{"already declared at " + n.Position().String()} }

// identity returns what two references to one object share.
func (c *census) identity(r Ref, portal string) string {
	if e, ok := c.names.find(portal, r.Name); r.ID == 0 && ok && e.ID != 0 {
		r = Ref{ID: e.ID}
	}
	return fmt.Sprintf("%d %s", r.ID, r.Name)
}

// refer reports a reference to a name that nobody declares.
func (c *census) refer(r Ref, portal string, by *declared) {
	if r.Name == "" {
		return
	}
	if _, ok := c.names.find(portal, r.Name); ok {
		return
	}
	var names, hints []string
	for name := range c.names {
		if _, here := c.names.find(portal, name); here {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case onlyDigits(r.Name):
		hints = append(hints, "write an id without quotes")
	case len(names) == 0:
		hints = append(hints, "no "+c.kind+" is declared; the id of a live one is written as an integer")
	case len(names) > searched:
		hints = append(hints, "the id of a live one is written as an integer")
	default:
		if near := Nearest(r.Name, names); near != "" {
			hints = append(hints, "did you mean "+Quote(near)+"?")
		}
		hints = append(hints, "declared: "+quoteAll(names), "the id of a live one is written as an integer")
	}
	c.report(by.at(c.kind), "unknown-reference", hints, "no %s has the name %s", c.kind, Quote(r.Name))
}

// register holds, by keys, what has them on the portals. What is in documents
// without a portal is on every portal.
type register[K comparable] map[K][]entry

// add returns what has the key already on the same portal, or adds it.
func (r register[K]) add(portal string, key K, e entry) (first entry, twice bool) {
	if first, twice = r.find(portal, key); twice {
		return first, true
	}
	r[key] = append(r[key], e)
	return e, false
}

// find returns what has a key on a portal; "" means any of them.
func (r register[K]) find(portal string, key K) (entry, bool) {
	for _, e := range r[key] {
		if portal == "" || e.Portal == "" || e.Portal == portal {
			return e, true
		}
	}
	return entry{}, false
}
