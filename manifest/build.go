package manifest

import "strconv"

// places holds the nodes of an object that checks over all files report at;
// zero where they are not declared.
type places struct{ id, name, title, ref Node }

// The objects with these nodes.
type (
	builtConnector struct {
		Connector
		places
	}
	builtSource struct {
		Source
		places
	}
	builtTable struct {
		Table
		places
	}
)

// built is what the documents of all files declare.
type built struct {
	connectors []builtConnector
	sources    []builtSource
	tables     []builtTable
	keep       Keep
	declares   Declares
	portals    []Portal
}

// add reads what a document declares. What the schema or a check has reported
// is left out: what is built then serves only the checks that look at all
// files.
func (b *built) add(d *Document, host func(string) string) {
	root := d.Root()
	portal := ""
	if p, ok := root.Field("portal"); ok && p.Kind() == String {
		b.portals = append(b.portals, Portal{p.Position(), p.Text()})
		portal = host(p.Text())
	}
	for _, f := range root.Fields() {
		switch f.Key() {
		case "connectors":
			b.declares.Connectors = true
			for item := range f.mappings() {
				b.connectors = append(b.connectors, buildConnector(item, portal))
			}
		case "sources":
			b.declares.Sources = true
			for item := range f.mappings() {
				b.sources = append(b.sources, buildSource(item, portal))
			}
		case "tables":
			b.declares.Tables = true
			for item := range f.mappings() {
				b.tables = append(b.tables, buildTable(item, portal))
			}
		case "keep":
			b.addKeep(f)
		}
	}
}

func (b *built) addKeep(n Node) {
	for _, f := range n.Fields() {
		switch f.Key() {
		case "connectors":
			b.keep.Connectors = append(b.keep.Connectors, patterns(f)...)
		case "sources":
			b.keep.Sources = append(b.keep.Sources, patterns(f)...)
		case "tables":
			b.keep.Tables = append(b.keep.Tables, patterns(f)...)
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

// set returns what is declared without the nodes.
func (b *built) set() *Set {
	s := &Set{
		Connectors: make([]Connector, len(b.connectors)),
		Sources:    make([]Source, len(b.sources)),
		Tables:     make([]Table, len(b.tables)),
		Keep:       b.keep, Declares: b.declares, Portals: b.portals,
	}
	for i := range b.connectors {
		s.Connectors[i] = b.connectors[i].Connector
	}
	for i := range b.sources {
		s.Sources[i] = b.sources[i].Source
	}
	for i := range b.tables {
		s.Tables[i] = b.tables[i].Table
	}
	return s
}

func (p *places) nameAt(o *Object, f Node) {
	if f.Kind() == String && f.Text() != "" {
		o.Name, p.name = f.Text(), f
	}
}

func (p *places) idAt(o *Object, f Node) {
	p.id = f // also where it is written wrongly: the object has one
	if id := integerOf(f); id != nil && *id > 0 {
		o.ID = *id
	}
}

// defaultName names an object that has no name of its own.
func (p *places) defaultName(o *Object, title *string) {
	switch {
	case o.Name != "":
	case o.ID != 0:
		o.Name = "#" + strconv.FormatInt(o.ID, 10)
	case title != nil && p.id.val == nil:
		o.Name = *title
	}
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

// literalOf reads a text as it stands, or in a mapping {literal: TEXT}.
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
