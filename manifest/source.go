package manifest

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
	// merge key stands.
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

func buildSource(n Node, portal string) builtSource {
	b := builtSource{Source: Source{Object: Object{Position: n.Position(), Portal: portal}}}
	s := &b.Source
	var reveal, settings Node
	for _, f := range n.Fields() {
		switch f.Key() {
		case "name":
			b.nameAt(&s.Object, f)
		case "id":
			b.idAt(&s.Object, f)
		case "connector":
			s.Connector, b.ref = refOf(f), f
		case "title":
			s.Title, b.title = textOf(f), f
		case "description":
			s.Description = textOf(f)
		case "active":
			s.Active = booleanOf(f)
		case "settings":
			settings = f
		case "reveal":
			reveal = f
		}
	}
	if settings.val != nil {
		s.Settings = buildSettings(settings, revealed(reveal))
	}
	b.defaultName(&s.Object, s.Title)
	return b
}

func buildSettings(n Node, reveal map[string]bool) []Setting {
	fields := n.Fields()
	settings := make([]Setting, 0, len(fields))
	for _, f := range fields {
		s := Setting{Position: f.Position(), Code: f.Key()}
		if text, ok := literalOf(f); ok {
			s.Value, s.Reveal = Literal(text), reveal[s.Code]
		} else if kind := f.Kind(); kind == Integer && f.Plain() {
			s.Value, s.Reveal = Literal(f.Text()), reveal[s.Code]
		} else if ref, ok := asReference(f); ok {
			s.Value = Value{ref: ref}
		} else {
			continue
		}
		settings = append(settings, s)
	}
	return settings
}

// revealed returns the settings that a reveal list names.
func revealed(n Node) map[string]bool {
	if n.val == nil {
		return nil
	}
	set := map[string]bool{}
	for item := range n.Items() {
		if kind := item.Kind(); kind == String || kind == Integer {
			set[item.Text()] = true
		}
	}
	return set
}
