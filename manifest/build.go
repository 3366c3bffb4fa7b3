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
		if f, ok := d.Field(key); ok {
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
	if p, ok := root.Field("portal"); ok && p.Kind() == String {
		b.Portals = append(b.Portals, Portal{p.Position(), p.Text()})
		portal = host(p.Text())
	}
	var fields []Node // of one object after the other
	for _, f := range root.Fields() {
		switch f.Key() {
		case "connectors":
			b.Declares.Connectors = true
			b.Connectors, b.connectors = grown(b.Connectors, f), grown(b.connectors, f)
		case "sources":
			b.Declares.Sources = true
			b.Sources, b.sources = grown(b.Sources, f), grown(b.sources, f)
		case "tables":
			b.Declares.Tables = true
			b.Tables, b.tables = grown(b.Tables, f), grown(b.tables, f)
		case "keep":
			b.addKeep(f)
			continue
		default:
			continue
		}
		for item := range f.mappings() {
			fields = item.AppendFields(fields[:0])
			at := declared{Node: item}
			o := Object{Position: item.Position(), Portal: portal}
			at.identify(&o, fields, f.Key() == "tables")
			switch f.Key() {
			case "connectors":
				b.Connectors, b.connectors = append(b.Connectors, buildConnector(o, fields)), append(b.connectors, at)
			case "sources":
				b.Sources, b.sources = append(b.Sources, buildSource(o, fields)), append(b.sources, at)
			case "tables":
				b.Tables, b.tables = append(b.Tables, buildTable(o, fields)), append(b.tables, at)
			}
		}
	}
}

// grown makes room for the items of a list.
func grown[T any](s []T, list Node) []T {
	if list.Kind() != List {
		return s
	}
	return slices.Grow(s, list.Len())
}

// identify reads an object's name and id. An object without a name of its own
// is called by its id, or by its title.
func (d *declared) identify(o *Object, fields []Node, isTable bool) {
	var title *string
	for _, f := range fields {
		switch f.Key() {
		case "name":
			if f.Kind() == String && f.Text() != "" {
				o.Name, d.named = f.Text(), true
			}
		case "id":
			d.identified = true // also where it is written wrongly
			if id := integerOf(f); id != nil && *id > 0 {
				o.ID = *id
			}
		case "title":
			title = textOf(f)
		}
	}
	switch {
	case d.named || isTable:
	case o.ID != 0:
		o.Name = "#" + strconv.FormatInt(o.ID, 10)
	case title != nil && !d.identified:
		o.Name = *title
	}
}

func (b *built) addKeep(n Node) {
	for _, f := range n.Fields() {
		switch f.Key() {
		case "connectors":
			b.Keep.Connectors = append(b.Keep.Connectors, patterns(f)...)
		case "sources":
			b.Keep.Sources = append(b.Keep.Sources, patterns(f)...)
		case "tables":
			b.Keep.Tables = append(b.Keep.Tables, patterns(f)...)
		}
	}
}

func patterns(n Node) []Pattern {
	var all []Pattern
	for item := range n.Items() {
		ref := refOf(item) // written alike: an integer is an id
		all = append(all, Pattern{ref.Position, ref.ID, ref.Name})
	}
	return all
}

// refOf reads the name or the id of another object.
func refOf(n Node) Ref {
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
		fields := n.Fields()
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
	is := isTrue(n.Text())
	return &is
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
