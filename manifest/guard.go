package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// How much larger aliases may make a document. The YAML library guards values
// in the same way, but not nodes: up to smallDocument nodes almost all may come
// from aliases, in larger ones at most 19 of 20. Time and memory stay in
// proportion to the file.
const (
	smallDocument = 400_000
	aliasesSmall  = 0.99
	aliasesLarge  = 0.95
	fewAliased    = 1000 // so few nodes do no harm
	countless     = 1e15 // counting stops here
)

// guard reports what makes it impossible to go on with a document: aliases
// that contain themselves, reach into another document, or blow this one up.
func guard(d *Document) []*Finding {
	g := guardian{doc: d, sizes: map[*yaml.Node]float64{}}
	own, total := g.measure(d.root)
	if g.cycle != nil {
		return []*Finding{d.problem(g.cycle, nil, "alias-cycle", nil, "the alias *%s stands inside what it names", bare(g.cycle.Value))}
	}
	if g.foreign != nil {
		return []*Finding{d.problem(g.foreign, nil, "alias-document", []string{"anchors are known up to the end of their document: declare it in this one too"},
			"the alias *%s names an anchor of an earlier document", bare(g.foreign.Value))}
	}
	share := (total - own) / total
	if total > fewAliased && (share > aliasesSmall || total > smallDocument && share > aliasesLarge) {
		return []*Finding{d.problem(g.worst, nil, "alias-bomb", []string{"write out what differs, and use fewer or smaller anchors"},
			"aliases make the document more than %d times as large as it is written", int(min(total/own, 1e9)))}
	}
	return nil
}

// guardian counts the nodes of a document, with aliases expanded.
type guardian struct {
	doc     *Document
	sizes   map[*yaml.Node]float64 // of what aliases name; 0 while it is being counted
	cycle   *yaml.Node             // an alias inside what it names
	foreign *yaml.Node             // an alias of what another document has: the YAML library keeps anchors
	worst   *yaml.Node             // the alias that stands for most nodes
	most    float64
}

// measure returns the number of nodes as written and with aliases expanded.
func (g *guardian) measure(n *yaml.Node) (own, total float64) {
	if n.Kind == yaml.AliasNode {
		size, here := g.sizes[n.Alias] // an anchor stands before its aliases
		if !here {
			if g.foreign == nil {
				g.foreign = n
			}
			return 1, 1
		}
		if size == 0 {
			if g.cycle == nil {
				g.cycle = n
			}
			return 1, 1
		}
		if size > g.most {
			g.worst, g.most = n, size
		}
		return 1, size
	}
	if n.Anchor != "" {
		g.sizes[n] = 0
	}
	own, total = 1, 1
	for _, c := range n.Content {
		o, t := g.measure(c)
		own, total = own+o, min(total+t, countless)
	}
	if n.Anchor != "" {
		g.sizes[n] = total
	}
	return own, total
}

// wellFormed reports what no manifest may hold, wherever it stands: duplicate
// keys and keys that are no scalars, merge keys without a mapping, tags, and
// NUL characters written as escapes.
func wellFormed(d *Document) []*Finding {
	var found []*Finding
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		found = append(found, tags(d, n)...)
		if n.Kind == yaml.MappingNode {
			found = append(found, keys(d, n)...)
		}
		if n.Kind == yaml.ScalarNode && strings.ContainsRune(n.Value, 0) {
			found = append(found, d.problem(n, nil, "nul", nil, "a NUL character is not allowed"))
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(d.root)
	return found
}

// keys reports the faults of a mapping's keys.
func keys(d *Document, n *yaml.Node) []*Finding {
	var found []*Finding
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		raw := n.Content[i]
		key := d.node(raw)
		if key.val.Kind != yaml.ScalarNode {
			found = append(found, d.problem(raw, nil, "key-type", []string{"a key is a string or an integer"}, "a key cannot be %s", key.Kind()))
			continue
		}
		if isMerge(raw) {
			found = append(found, mergeValue(d.node(n.Content[i+1]))...)
		}
		if before, twice := first[key.val.Value]; twice {
			at := d.text.at(before.Line, before.Column)
			name := ""
			if !d.visible().secret(key.val) {
				name = " " + Quote(key.val.Value)
			}
			found = append(found, d.problem(raw, nil, "duplicate-key", []string{"already declared at " + at.String()}, "duplicate key%s", name))
			continue
		}
		first[key.val.Value] = raw
	}
	return found
}

// mergeValue reports a merge key whose value is neither a mapping nor a list
// of mappings.
func mergeValue(n Node) []*Finding {
	advice := []string{"write <<: *anchor, or <<: [*one, *another]"}
	switch n.Kind() {
	case Mapping:
		return nil
	case List:
		var found []*Finding
		for item := range n.Items() {
			if item.Kind() != Mapping {
				found = append(found, item.Problem("merge-value", advice, "the merge key << takes mappings, not %s", item.Kind()))
			}
		}
		return found
	}
	return []*Finding{n.Problem("merge-value", advice, "the merge key << takes a mapping or a list of mappings, not %s", n.Kind())}
}

// tags reports tags that a manifest has no use for, or that the value does not
// bear out.
func tags(d *Document, n *yaml.Node) []*Finding {
	if n.Style&yaml.TaggedStyle == 0 {
		return nil
	}
	tag, fits := n.ShortTag(), false
	switch n.Kind {
	case yaml.MappingNode:
		fits = tag == "!!map"
	case yaml.SequenceNode:
		fits = tag == "!!seq"
	case yaml.ScalarNode:
		switch tag {
		case "!!str":
			fits = true
		case "!!int":
			fits = onlyDigits(n.Value)
		case "!!bool":
			fits = isBoolean(n.Value)
		case "!!null":
			fits = n.Value == "" || n.Value == "~" || strings.EqualFold(n.Value, "null")
		case "!!float":
			fits = true // an error wherever it may stand
		}
	}
	if fits {
		return nil
	}
	advice := []string{"leave the tag out; quote text that begins with an exclamation mark"}
	if !d.visible().public(n) {
		return []*Finding{d.problem(n, nil, "tag", advice, "this tag is not allowed here")}
	}
	return []*Finding{d.problem(n, nil, "tag", advice, "the tag %s is not allowed here", Quote(tag))}
}
