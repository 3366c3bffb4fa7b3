package manifest

import "slices"

// Source is the declared state of one BIconnector source. What is nil or
// absent is not declared and is not to be touched.
type Source struct {
	Object
	Connector Ref
	// Title is not empty and not "0", which the portal treats as empty.
	Title       *string
	Description *string
	Active      *bool
	// Settings are in the manifest's order, those of a merged mapping where the
	// merge key is.
	Settings []Setting
}

// Setting is one declared key of a source's settings.
type Setting struct {
	Position Position // of the value
	// Code is the key. One written as an integer is its text.
	Code  string
	Value Value
	// Reveal allows the value, declared and live, to be printed. It is only
	// ever true for literals.
	Reveal bool
}

func buildSource(o Object, f record) Source {
	return Source{
		Object: o, Connector: refOf(f.get("connector")),
		Title: textOf(f.get("title")), Description: textOf(f.get("description")), Active: booleanOf(f.get("active")),
		Settings: buildSettings(f.get("settings"), revealed(f.get("reveal"))),
	}
}

func buildSettings(n Node, reveal func(code string) bool) []Setting {
	if !n.there() {
		return nil
	}
	var some [few]Node
	fields := n.AppendFields(some[:0])
	settings := make([]Setting, 0, len(fields))
	for _, f := range fields {
		s := Setting{Position: f.Position(), Code: f.Key()}
		if text, ok := literalOf(f); ok {
			s.Value, s.Reveal = Literal(text), reveal(s.Code)
		} else if kind := f.Kind(); kind == Integer && f.Plain() {
			s.Value, s.Reveal = Literal(f.Text()), reveal(s.Code)
		} else if ref, ok := asReference(f); ok {
			s.Value = Value{ref: ref}
		} else {
			continue
		}
		settings = append(settings, s)
	}
	return settings
}

// revealed returns whether a reveal list names a setting.
func revealed(n Node) func(code string) bool {
	var names []string
	for item := range n.Items() {
		if kind := item.Kind(); kind == String || kind == Integer {
			names = append(names, item.Text())
		}
	}
	return among(names)
}

// among returns whether a name is one of names.
func among(names []string) func(string) bool {
	if len(names) <= few {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return func(name string) bool { return set[name] }
}
