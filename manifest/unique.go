package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// unique reports what is declared twice on one portal, in one file or in
// several, and references to what nobody declares. Of two declarations the
// later one is reported, and names the earlier one.
func (b *built) unique() []*Finding {
	connectors, sources, tables := newCensus("connector"), newCensus("source"), newCensus("table")
	for i := range b.connectors {
		c := &b.connectors[i]
		identity := ""
		if c.Title != nil {
			identity = *c.Title
		}
		connectors.add(entry{&c.Object, &c.places}, identity)
	}
	for i := range b.sources {
		s := &b.sources[i]
		identity := ""
		if s.Title != nil && s.ref.val != nil {
			identity = connectors.identity(s.Connector, s.Portal) + "\x00" + *s.Title
		}
		sources.add(entry{&s.Object, &s.places}, identity)
		connectors.refer(s.Connector, s.Portal, s.ref)
	}
	for i := range b.tables {
		t := &b.tables[i]
		tables.add(entry{&t.Object, &t.places}, "")
		sources.refer(t.Source, t.Portal, t.ref)
	}
	return slices.Concat(connectors.found, sources.found, tables.found)
}

// entry is an object and where it is declared.
type entry struct {
	*Object
	*places
}

// census is what checks over all files know of one kind of objects.
type census struct {
	kind              string
	ids               register[int64]
	names, identities register[string]
	found             []*Finding
}

func newCensus(kind string) *census {
	return &census{kind: kind, ids: newRegister[int64](), names: newRegister[string](), identities: newRegister[string]()}
}

func (c *census) report(at Node, rule string, advice []string, format string, args ...any) {
	c.found = append(c.found, at.Problem(rule, advice, format, args...))
}

// add takes an object in, and reports what of it is taken. An object without
// an id is found by its identity, if that is known.
func (c *census) add(e entry, identity string) {
	if e.ID != 0 {
		if first, twice := c.ids.add(e.Portal, e.ID, e); twice {
			c.report(e.id, "duplicate-id", declaredAt(first.id), "the id %d is declared twice", e.ID)
			if e.name.val == nil {
				return // the default name twice is the same mistake
			}
		}
	} else if identity != "" && e.id.val == nil {
		if first, twice := c.identities.add(e.Portal, identity, e); twice {
			advice := append(declaredAt(first.title), "without an id it is found by its title: give one of them its id")
			c.report(e.title, "duplicate-identity", advice, "the %s %s is declared twice", c.kind, Quote(e.title.text()))
			if e.name.val == nil {
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
	if e.name.val == nil && e.ID == 0 && onlyDigits(e.Name) {
		c.report(e.title, "not-allowed", []string{"add a name: digits alone would be taken for an id"}, "the title %s cannot be the name of a %s", Quote(e.Name), c.kind)
		return
	}
	first, twice := c.names.add(e.Portal, e.Name, e)
	if !twice {
		return
	}
	at, other := e, first
	if at.name.val == nil && other.name.val != nil {
		at, other = other, at // the one whose name is written out
	}
	switch {
	case other.name.val != nil:
		c.report(at.name, "duplicate-name", declaredAt(other.name), "the name %s is declared twice", Quote(e.Name))
	case other.ID != 0:
		c.report(at.label(), "duplicate-name", declaredAt(other.id), "the name %s is the default name of %s %d", Quote(e.Name), c.kind, other.ID)
	case at.name.val != nil:
		c.report(at.name, "duplicate-name", declaredAt(other.title), "the name %s is the default name of another %s: its title", Quote(e.Name), c.kind)
	default:
		c.report(at.label(), "duplicate-name", append(declaredAt(other.title), "give one of them a name"), "two %ss without a name have the title %s", c.kind, Quote(e.Name))
	}
}

// label returns the node that an object's name comes from.
func (e entry) label() Node {
	for _, n := range []Node{e.name, e.id} {
		if n.val != nil {
			return n
		}
	}
	return e.title
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
func (c *census) refer(r Ref, portal string, at Node) {
	if r.Name == "" {
		return
	}
	if _, ok := c.names.find(portal, r.Name); ok {
		return
	}
	var advice []string
	const few = 100 // to look for what was meant among them
	switch names := c.names.of(portal); {
	case onlyDigits(r.Name):
		advice = append(advice, "write an id without quotes")
	case len(names) == 0:
		advice = append(advice, "no "+c.kind+" is declared; the id of a live one is written as an integer")
	case len(names) > few:
		advice = append(advice, "the id of a live one is written as an integer")
	default:
		if near := Nearest(r.Name, names); near != "" {
			advice = append(advice, "did you mean "+Quote(near)+"?")
		}
		advice = append(advice, "declared: "+quoteAll(names), "the id of a live one is written as an integer")
	}
	c.report(at, "unknown-reference", advice, "no %s has the name %s", c.kind, Quote(r.Name))
}

// register holds keys by portal. What stands in documents without a portal
// is on every portal.
type register[K comparable] struct {
	on    map[onPortal[K]]entry
	first map[K]entry // on whatever portal
}

type onPortal[K comparable] struct {
	portal string
	key    K
}

func newRegister[K comparable]() register[K] {
	return register[K]{map[onPortal[K]]entry{}, map[K]entry{}}
}

// add returns what has the key already on the same portal, or adds it.
func (r register[K]) add(portal string, key K, e entry) (first entry, twice bool) {
	if first, twice = r.find(portal, key); twice {
		return first, true
	}
	r.on[onPortal[K]{portal, key}] = e
	if _, ok := r.first[key]; !ok {
		r.first[key] = e
	}
	return e, false
}

// find returns what has a key on a portal; "" stands for any of them.
func (r register[K]) find(portal string, key K) (entry, bool) {
	e, ok := r.first[key]
	if !ok || portal == "" || e.Portal == portal {
		return e, ok
	}
	if e, ok = r.on[onPortal[K]{portal, key}]; !ok {
		e, ok = r.on[onPortal[K]{"", key}]
	}
	return e, ok
}

// of returns the keys on a portal, sorted.
func (r register[K]) of(portal string) []string {
	var keys []string
	for at := range r.on {
		if key, ok := any(at.key).(string); ok && (portal == "" || at.portal == "" || at.portal == portal) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, strings.Compare)
	return slices.Compact(keys)
}
