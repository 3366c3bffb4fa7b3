package manifest

import (
	"slices"
	"strconv"
)

// declared is where an object of a Set is declared.
type declared struct {
	Node
	named, identified bool // whether it has a name and an id of its own
}

// at returns the first of the fields that the object has.
func (d declared) at(keys ...string) Node {
	for _, key := range keys {
		if f := d.get(key); f.there() {
			return f
		}
	}
	return d.Node
}

// built is what the documents of all files declare, with the nodes that checks
// over all files report at.
type built struct {
	Set
	connectors, sources, tables []declared
}

// add reads what a document declares. What the schema or a check has reported
// is left out: what is built then serves only the checks that look at all
// files.
func (b *built) add(d *Document, host func(string) string) {
	root := d.Root()
	portal := ""
	if p := root.get("portal"); p.Kind() == String {
		b.Portals = append(b.Portals, Portal{p.Position(), p.Text()})
		portal = host(p.Text())
	}
	for _, f := range root.Fields() {
		switch f.Key() {
		case "connectors":
			b.Declares.Connectors = true
			b.Connectors, b.connectors = buildAll(f, portal, b.Connectors, b.connectors, buildConnector)
		case "sources":
			b.Declares.Sources = true
			b.Sources, b.sources = buildAll(f, portal, b.Sources, b.sources, buildSource)
		case "tables":
			b.Declares.Tables = true
			b.Tables, b.tables = buildAll(f, portal, b.Tables, b.tables, buildTable)
		case "keep":
			b.Keep.Connectors = append(b.Keep.Connectors, patterns(f.get("connectors"))...)
			b.Keep.Sources = append(b.Keep.Sources, patterns(f.get("sources"))...)
			b.Keep.Tables = append(b.Keep.Tables, patterns(f.get("tables"))...)
		}
	}
}

// buildAll reads the objects of a list.
func buildAll[T any](list Node, portal string, objects []T, at []declared, build func(Object, record) T) ([]T, []declared) {
	if list.Kind() == List {
		objects, at = slices.Grow(objects, list.Len()), slices.Grow(at, list.Len())
	}
	var fields record // of one object after the other
	for item := range list.mappings() {
		fields = item.AppendFields(fields[:0])
		o, d := identify(item, fields, list.Key() == "tables")
		o.Portal = portal
		objects, at = append(objects, build(o, fields)), append(at, d)
	}
	return objects, at
}

// identify reads an object's name and id. An object without a name of its own
// is called by its id, or by its title.
func identify(n Node, fields record, isTable bool) (Object, declared) {
	o, d := Object{Position: n.Position()}, declared{Node: n}
	if name := scalarText(fields.get("name")); name != "" {
		o.Name, d.named = name, true
	}
	id := fields.get("id")
	d.identified = id.there() // also where it is written wrongly
	if i := integerOf(id); i != nil {
		o.ID = max(*i, 0)
	}
	title := textOf(fields.get("title"))
	switch {
	case d.named || isTable:
	case o.ID != 0:
		o.Name = "#" + strconv.FormatInt(o.ID, 10)
	case title != nil && !d.identified:
		o.Name = *title
	}
	return o, d
}

func patterns(n Node) []Pattern {
	var all []Pattern
	for item := range n.Items() {
		ref := refOf(item) // written alike: an integer is an id
		all = append(all, Pattern{ref.ID, ref.Name})
	}
	return all
}

// itemsOf reads the items of a list; nil where there is none.
func itemsOf[T any](n Node, read func(record) T) []T {
	if n.Kind() != List {
		return nil
	}
	items := make([]T, 0, n.Len())
	for item := range n.Items() {
		items = append(items, read(item.Fields()))
	}
	return items
}

// refOf reads the name or the id of another object.
func refOf(n Node) Ref {
	if !n.there() {
		return Ref{}
	}
	if id := integerOf(n); id != nil {
		return Ref{Position: n.Position(), ID: max(*id, 0)}
	}
	return Ref{Position: n.Position(), Name: scalarText(n)}
}

// textOf reads a text, or one written {literal: TEXT}; nil for anything else.
func textOf(n Node) *string {
	text, ok := literalOf(n)
	if !ok {
		return nil
	}
	return &text
}

// literalOf reads a plain text, or one in a mapping {literal: TEXT}.
func literalOf(n Node) (string, bool) {
	if n.Kind() == Mapping {
		var one [1]Node
		fields := n.AppendFields(one[:0])
		if len(fields) != 1 || fields[0].Key() != "literal" {
			return "", false
		}
		n = fields[0]
	}
	if n.Kind() != String {
		return "", false
	}
	return n.Text(), true
}

// scalarText reads a string; "" for anything else.
func scalarText(n Node) string {
	if n.Kind() != String {
		return ""
	}
	return n.Text()
}

func booleanOf(n Node) *bool {
	if n.Kind() != Boolean {
		return nil
	}
	return new(isTrue(n.Text()))
}

// integerOf reads an integer in plain decimal form of at most 63 bits.
func integerOf(n Node) *int64 {
	if n.Kind() != Integer || !n.Plain() {
		return nil
	}
	i, err := strconv.ParseInt(n.Text(), 10, 64)
	if err != nil {
		return nil
	}
	return &i
}
