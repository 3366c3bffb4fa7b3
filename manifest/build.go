package manifest

import (
	"strconv"
)

// built is a source with the nodes that checks over all files report at.
type built struct {
	Source
	id, name Node // zero where they are not declared rightly
}

// build reads the sources and the portal of a document. What the schema or a
// check has reported is left out: what is built then serves only the checks
// that look at all files.
func build(d *Document) (sources []built, portal *Portal) {
	root := d.Root()
	if p, ok := root.Field("portal"); ok && p.Kind() == String {
		portal = &Portal{p.Position(), p.Text()}
	}
	list, ok := root.Field("sources")
	if !ok {
		return nil, portal
	}
	for item := range list.Items() {
		if item.Kind() == Mapping {
			sources = append(sources, buildSource(item))
		}
	}
	return sources, portal
}

func buildSource(n Node) built {
	b := built{Source: Source{Position: n.Position()}}
	var reveal, settings Node
	for _, f := range n.Fields() {
		switch kind := f.Kind(); f.Key() {
		case "name":
			if kind == String && f.Text() != "" {
				b.Name, b.name = f.Text(), f
			}
		case "id":
			if id, err := strconv.ParseInt(f.Text(), 10, 64); kind == Integer && f.Plain() && err == nil && id > 0 {
				b.ID, b.id = id, f
			}
		case "title":
			b.Title = stringOf(f)
		case "description":
			b.Description = stringOf(f)
		case "active":
			if kind == Boolean {
				active := isTrue(f.Text())
				b.Active = &active
			}
		case "settings":
			settings = f
		case "reveal":
			reveal = f
		}
	}
	if settings.val != nil {
		b.Settings = buildSettings(settings, revealed(reveal))
	}
	if b.name.val == nil && b.id.val != nil {
		b.Name = defaultName(b.ID)
	}
	return b
}

func defaultName(id int64) string { return "#" + strconv.FormatInt(id, 10) }

func stringOf(n Node) *string {
	if n.Kind() != String {
		return nil
	}
	s := n.Text()
	return &s
}

func buildSettings(n Node, reveal map[string]bool) []Setting {
	fields := n.Fields()
	settings := make([]Setting, 0, len(fields))
	for _, f := range fields {
		s := Setting{Position: f.Position(), Code: f.Key()}
		switch kind := f.Kind(); {
		case kind == String || kind == Integer && f.Plain():
			s.Value, s.Reveal = Literal(f.Text()), reveal[s.Code]
		case kind == Mapping:
			ref, ok := asReference(f)
			if !ok {
				continue
			}
			s.Value = Value{&content{ref: ref}}
		default:
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
