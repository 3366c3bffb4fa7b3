package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// wellFormed reports what no manifest may contain, anywhere: duplicate
// keys and keys that are not scalars, merge keys without a mapping, tags, and
// NUL characters written as escapes.
func wellFormed(d *Document) []*Finding {
	w := wellFormedness{doc: d}
	w.walk(d.Root())
	return w.found
}

type wellFormedness struct {
	doc   *Document
	found []*Finding
}

// walk looks at everything that is written in n, aliases left out: what they
// name is looked at where it is written.
func (w *wellFormedness) walk(n Node) {
	w.tag(n)
	if n.val.Kind == yaml.ScalarNode && strings.IndexByte(n.val.Value, 0) >= 0 {
		w.add(n.doc.problem(n.val, nil, "nul", nil, "a NUL character is not allowed"))
	}
	switch n.val.Kind {
	case yaml.SequenceNode:
		for i, raw := range n.val.Content {
			if worthALook(raw) {
				w.walk(n.Item(i))
			}
		}
	case yaml.MappingNode:
		w.keys(n)
		for i := 0; i+1 < len(n.val.Content); i += 2 {
			if worthALook(n.val.Content[i]) {
				w.walk(n.step(n.val.Content[i], nil))
			}
			if worthALook(n.val.Content[i+1]) {
				w.walk(n.field(i))
			}
		}
	}
}

// worthALook reports whether there can be something wrong with a node, or in
// it: with most there cannot.
func worthALook(n *yaml.Node) bool {
	switch n.Kind {
	case yaml.AliasNode:
		return false
	case yaml.ScalarNode:
		return n.Style&yaml.TaggedStyle != 0 || strings.IndexByte(n.Value, 0) >= 0
	}
	return true
}

func (w *wellFormedness) add(e *Finding) { w.found = append(w.found, e) }

// keys reports what is wrong with a mapping's keys.
func (w *wellFormedness) keys(n Node) {
	content := n.val.Content
	first := map[string]int{}
	for i := 0; i+1 < len(content); i += 2 {
		key := follow(content[i])
		if key.Kind != yaml.ScalarNode {
			w.add(n.doc.problem(content[i], nil, "key-type", []string{"a key is a string or an integer"}, "a key cannot be %s", n.field(i).keyNode().Kind()))
			continue
		}
		if isMerge(content[i]) {
			w.mergeValue(n, n.field(i))
		}
		if before, twice := first[key.Value]; twice {
			w.duplicateKey(n.field(i), content[before])
		} else {
			first[key.Value] = i
		}
	}
}

// follow returns what an alias names, or the node itself.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func (w *wellFormedness) duplicateKey(f Node, before *yaml.Node) {
	hints := []string{"already declared at " + w.doc.text.place(before).String()}
	name := f.QuoteKey()
	if name != "" {
		name = " " + name
	}
	if isMerge(f.key) {
		hints = append(hints, "write <<: [*one, *another] to merge several")
	}
	e := f.KeyProblem("duplicate-key", hints, "duplicate key%s", name)
	e.uses = nil
	w.add(e)
}

// mergeValue reports a merge key of a mapping whose value is neither a mapping
// nor a list of mappings.
func (w *wellFormedness) mergeValue(of, n Node) {
	add := func(n Node, takes string) {
		e := n.Problem("merge-value", []string{"write <<: *anchor, or <<: [*one, *another]"}, "the merge key << takes %s, not %s", takes, n.Kind())
		e.lacks = of.Position()
		w.add(e)
	}
	switch n.Kind() {
	case Mapping:
	case List:
		for item := range n.Items() {
			if item.Kind() != Mapping {
				add(item, "mappings")
			}
		}
	default:
		add(n, "a mapping or a list of mappings")
	}
}

// references are tags of other tools, and what to write instead.
var references = map[string]string{
	"!secret": "write {secret: KEY} to have the secret helper asked",
	"!vault":  "write {secret: KEY} to have the secret helper asked",
	"!env":    "write {env: NAME} for a variable of the environment",
	"!file":   "write {file: PATH} for the content of a file",
}

// tag reports a tag that a manifest has no use for, or that the value does not
// bear out.
func (w *wellFormedness) tag(n Node) {
	v := n.val
	if v.Style&yaml.TaggedStyle == 0 {
		return
	}
	tag, fits := v.ShortTag(), false
	switch v.Kind {
	case yaml.MappingNode:
		fits = tag == "!!map"
	case yaml.SequenceNode:
		fits = tag == "!!seq"
	case yaml.ScalarNode:
		switch tag {
		case "!!str":
			fits = true
		case "!!int":
			fits = onlyDigits(v.Value)
		case "!!bool":
			fits = isBoolean(v.Value)
		case "!!null":
			fits = v.Value == "" || v.Value == "~" || strings.EqualFold(v.Value, "null")
		case "!!float":
			fits = true // an error wherever it may be
		}
	}
	if fits {
		return
	}
	hint := "leave the tag out; quote text that begins with an exclamation mark"
	reference, known := references[tag]
	if known {
		hint = reference
	}
	if known || n.shown() {
		w.add(n.doc.problem(v, nil, "tag", []string{hint}, "the tag %s is not allowed here", Quote(tag)))
		return
	}
	w.add(n.doc.problem(v, nil, "tag", []string{hint}, "this tag is not allowed here"))
}
