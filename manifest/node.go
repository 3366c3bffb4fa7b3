package manifest

import (
	"fmt"
	"iter"
	"strings"

	"gopkg.in/yaml.v3"
)

// Kind says what a YAML node is.
type Kind int

// The kinds. Timestamps are strings, as they are in YAML 1.2 and for editors.
const (
	Null Kind = iota
	Boolean
	Integer // in any notation; Plain reports the decimal one
	Number  // with a fraction or an exponent, infinite, or none at all
	String
	List
	Mapping
)

// String returns the kind as a message names it, with its article.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "an integer", "a number", "a string", "a list", "a mapping"}[k]
}

// Node is a value in a document. Aliases are followed and merge keys are
// applied. The zero Node holds no value.
type Node struct {
	doc *Document
	val *yaml.Node // never an alias
	use *yaml.Node // the alias, nearest to the root, through which val was reached
	key *yaml.Node // of a field: its key, never an alias
	// keyUse is the alias through which key was reached.
	keyUse *yaml.Node
	scope  *scope // of val
	named  bool   // the place of key is known
	shared bool   // key has an anchor or is an alias
}

// step returns the node val in scope s, seen from the node that contains it.
func (n Node) step(val *yaml.Node, s *scope) Node {
	val, use := n.through(val)
	if val.Anchor != "" { // what aliases name has one too
		s = s.anchored()
	}
	return Node{doc: n.doc, val: val, use: use, scope: s}
}

// through follows the aliases that val may be, and returns with what they name
// the one nearest to the root.
func (n Node) through(val *yaml.Node) (named, use *yaml.Node) {
	if use = n.use; use == nil && val.Kind == yaml.AliasNode {
		use = val
	}
	return follow(val), use
}

// field returns the field of a mapping that starts at index i of its content.
func (n Node) field(i int) Node {
	key, use := n.through(n.val.Content[i])
	f := n.step(n.val.Content[i+1], n.scope.of(key.Value))
	f.key, f.keyUse, f.named = key, use, n.scope != nil
	f.shared = key != n.val.Content[i] || key.Anchor != ""
	return f
}

// Kind returns what the node is: null where there is none.
func (n Node) Kind() Kind {
	switch {
	case n.val == nil:
		return Null
	case n.val.Kind == yaml.MappingNode:
		return Mapping
	case n.val.Kind == yaml.SequenceNode:
		return List
	}
	return scalarKind(n.val)
}

// there reports whether the node is more than the zero Node.
func (n Node) there() bool { return n.val != nil }

// Text returns a scalar as written, without quotes.
func (n Node) Text() string {
	if !n.there() {
		return ""
	}
	return n.val.Value
}

// text returns a string, written {literal: TEXT} or not.
func (n Node) text() string { t, _ := literalOf(n); return t }

// Plain reports whether an integer is in plain decimal form, the only one that
// means the same to every reader.
func (n Node) Plain() bool { return plainInteger(n.val.Value) }

// Key returns the name of a field.
func (n Node) Key() string { return n.key.Value }

// keyNode returns the key of a field as a value.
func (n Node) keyNode() Node { return Node{doc: n.doc, val: n.key, use: n.keyUse} }

// Len returns the number of items of a list.
func (n Node) Len() int { return len(n.val.Content) }

// Item returns item i of a list, from 0.
func (n Node) Item(i int) Node { return n.step(n.val.Content[i], n.scope.items()) }

// Items goes through a list.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for i := 0; n.Kind() == List && i < n.Len(); i++ {
			if !yield(n.Item(i)) {
				return
			}
		}
	}
}

// mappings goes through the items of a list that are mappings.
func (n Node) mappings() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for item := range n.Items() {
			if item.Kind() == Mapping && !yield(item) {
				return
			}
		}
	}
}

// Fields returns the fields of a mapping in the order of the file, those of a
// merged mapping in the place of the merge key unless the mapping overrides
// them. Of a duplicate key the first counts; keys that are not scalars are left
// out: both are findings of their own.
func (n Node) Fields() []Node {
	if n.Kind() != Mapping {
		return nil
	}
	return n.AppendFields(make([]Node, 0, len(n.val.Content)/2))
}

// AppendFields appends what Fields returns.
func (n Node) AppendFields(to []Node) []Node {
	if n.Kind() != Mapping {
		return to
	}
	start, seen := len(to), keySet{}
	for i := 0; i+1 < len(n.val.Content); i += 2 {
		f := n.field(i)
		if f.key.Kind != yaml.ScalarNode {
			continue
		}
		if !isMerge(f.key) {
			if seen.add(f.Key(), to[start:]) {
				to = append(to, f)
			}
			continue
		}
		for _, m := range f.mergedMappings() {
			for _, g := range m.AppendFields(to)[len(to):] { // those that count move to the front
				if !n.owns(g.Key()) && seen.add(g.Key(), to[start:]) {
					g.named = n.scope != nil
					to = append(to, g)
				}
			}
		}
	}
	return to
}

// few keys are searched; of more a map is made.
const few = 16

// keySet holds the keys of fields. While these are few, it is empty.
type keySet map[string]bool

// add reports whether a key is new beside those of fields.
func (s *keySet) add(key string, fields []Node) bool {
	if len(fields) < few {
		for i := range fields {
			if fields[i].key.Value == key {
				return false
			}
		}
		return true
	}
	if len(*s) == 0 {
		*s = make(keySet, 2*len(fields))
		for i := range fields {
			(*s)[fields[i].key.Value] = true
		}
	}
	if (*s)[key] {
		return false
	}
	(*s)[key] = true
	return true
}

// owns reports whether a mapping has a key besides those that it merges.
func (n Node) owns(key string) bool {
	for i := 0; i+1 < len(n.val.Content); i += 2 {
		if k := follow(n.val.Content[i]); k.Kind == yaml.ScalarNode && k.Value == key && !isMerge(k) {
			return true
		}
	}
	return false
}

// mergedMappings returns the mappings that the value of a merge key names,
// the ones that count more first. What is not a mapping is left out.
func (n Node) mergedMappings() []Node {
	switch n.val.Kind {
	case yaml.MappingNode:
		return []Node{n}
	case yaml.SequenceNode:
		var all []Node
		for item := range n.Items() {
			if item.val.Kind == yaml.MappingNode {
				all = append(all, item)
			}
		}
		return all
	}
	return nil
}

// record is the fields of a mapping.
type record []Node

// get returns the field of a name, or the zero Node.
func (r record) get(name string) Node {
	for i := range r {
		if r[i].key.Value == name {
			return r[i]
		}
	}
	return Node{}
}

// get returns the field of a mapping, or the zero Node.
func (n Node) get(name string) Node { return record(n.Fields()).get(name) }

// Position returns the value's place.
func (n Node) Position() Position { return n.doc.text.place(n.val) }

func (n Node) usedAs() []string { return n.doc.usedAs(n.use) }

// Describe returns the value as a message may show it: quoted or cut where it
// is public, its kind alone where it may be a settings value.
func (n Node) Describe() string {
	kind := n.Kind()
	if kind == List || kind == Mapping || kind == Null || !n.shown() {
		return kind.String()
	}
	switch kind {
	case String:
		return "the string " + Quote(n.val.Value)
	case Boolean:
		return "the boolean " + bare(n.val.Value)
	case Integer:
		return "the integer " + bare(n.val.Value)
	}
	return "the number " + bare(n.val.Value)
}

// Problem returns a finding at the value.
func (n Node) Problem(rule string, hints []string, format string, args ...any) *Finding {
	e := n.doc.problem(n.val, n.use, rule, hints, format, args...)
	e.Excerpt = n.excerpt()
	return e
}

// KeyProblem returns a finding at the key of a field.
func (n Node) KeyProblem(rule string, hints []string, format string, args ...any) *Finding {
	e := n.doc.problem(n.key, n.keyUse, rule, hints, format, args...)
	e.Excerpt = n.excerpt()
	return e
}

// QuoteKey returns the key of a field quoted, or "" where it may be part of a
// settings value.
func (n Node) QuoteKey() string {
	if !n.keyShown() {
		return ""
	}
	return Quote(n.key.Value)
}

// isMerge reports whether a key is the merge key. A quoted "<<" is not.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge"
}

// isBoolean reports whether s is a boolean of YAML 1.2. The yes, no, on and
// off of YAML 1.1 are strings.
func isBoolean(s string) bool {
	switch s {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return true
	}
	return false
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") }

// Anchored reports whether the value has an anchor.
func (n Node) Anchored() bool { return n.val.Anchor != "" }

// Document is one YAML document: one manifest. It can be read only through
// Node, which hides aliases and merge keys and keeps positions.
type Document struct {
	text  *text
	root  *yaml.Node
	scope *scope // of the root
}

// Root returns the whole manifest.
func (d *Document) Root() Node { return Node{doc: d}.step(d.root, d.scope) }

// problem returns a finding at a node, reached through the alias use.
func (d *Document) problem(n, use *yaml.Node, rule string, hints []string, format string, args ...any) *Finding {
	return &Finding{Position: d.text.place(n), Rule: rule, Message: fmt.Sprintf(format, args...), Hints: hints, uses: d.usedAs(use)}
}

// usedAs names an alias and its place.
func (d *Document) usedAs(use *yaml.Node) []string {
	if use == nil {
		return nil
	}
	return []string{fmt.Sprintf("used as *%s at %s", bare(use.Value), d.text.place(use))}
}
