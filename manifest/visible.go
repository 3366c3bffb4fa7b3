package manifest

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// visibility says what of a document messages may show. The rule is the safe
// way round: a line is shown only if everything on it is known to be no part
// of a settings block. What a manifest has under keys that begin with x-, or
// under keys that are misspelled, is not known unless it is used.
type visibility struct {
	doc    *Document
	class  map[*yaml.Node]class
	hidden map[int]bool // lines, counted as positions count them
	// strange holds the keys that mean nothing here and are near to nothing
	// that does: their values may be anything, they themselves are labels.
	strange map[*yaml.Node]bool
	// seen keeps what has been reached through an alias from being walked
	// again, and with it alias bombs and cycles from being walked at all.
	seen map[visit]bool
}

type visit struct {
	node *yaml.Node
	as   role
}

type role uint8

const (
	asManifest role = iota
	asSource
	asSettings
	asLabel
	asValue
)

// again reports whether n has been walked in that role before.
func (v *visibility) again(n Node, as role) bool {
	if n.use == nil {
		return false
	}
	was := v.seen[visit{n.val, as}]
	v.seen[visit{n.val, as}] = true
	return was
}

type class uint8

const (
	unknown class = iota // reached by nothing that gives it a meaning
	public
	code  // a key of a settings block: a name, but its line may hold a value
	value // a settings value or a part of one
)

func (v *visibility) public(n *yaml.Node) bool { return v.class[n] == public }
func (v *visibility) secret(n *yaml.Node) bool { return v.class[n] == value }

// examine finds out what of a document may be shown.
func examine(d *Document) *visibility {
	v := &visibility{doc: d, class: map[*yaml.Node]class{}, hidden: map[int]bool{}, strange: map[*yaml.Node]bool{}, seen: map[visit]bool{}}
	v.manifest(d.Root())
	v.hide()
	return v
}

// mark gives n a class; the more secret one stays.
func (v *visibility) mark(n *yaml.Node, c class) { v.class[n] = max(v.class[n], c) }

// label marks what stands under a key that holds no settings, of whatever kind
// it is.
func (v *visibility) label(n Node) {
	v.mark(n.val, public)
	if v.again(n, asLabel) {
		return
	}
	for _, c := range n.val.Content {
		v.mark(c, public)
		v.label(n.step(c))
	}
}

// meant returns the key that a key is, or is a misspelling of; "" for others.
func meant(key string, known []string) string {
	if slices.Contains(known, key) {
		return key
	}
	return Nearest(key, known)
}

// credential is what makes an address a secret: a user name, a token, or the
// code of a webhook.
var credential = regexp.MustCompile(`(?i)[@?#]|/rest/[^/]+/.`)

var (
	manifestKeys = []string{"version", "portal", "sources"}
	sourceKeys   = []string{"name", "id", "title", "description", "active", "reveal", "settings"}
)

func (v *visibility) manifest(n Node) {
	if n.val.Kind != yaml.MappingNode {
		return // no manifest at all; who knows what
	}
	v.mark(n.val, public)
	v.entries(n, asManifest, v.manifest, func(f Node) {
		if strings.HasPrefix(f.Key(), "x-") {
			return
		}
		switch meant(f.Key(), manifestKeys) {
		case "":
			v.strange[f.key] = true
			v.unended(f.key, f.val)
		case "version":
			v.label(f)
		case "portal":
			if !credential.MatchString(f.val.Value) && !slices.ContainsFunc(f.val.Content, func(n *yaml.Node) bool { return credential.MatchString(n.Value) }) {
				v.label(f)
			}
		case "sources":
			v.mark(f.val, public)
			v.container(f)
			for item := range f.Items() {
				v.source(item)
			}
		}
	})
}

func (v *visibility) source(n Node) {
	switch n.val.Kind {
	case yaml.ScalarNode:
		v.mark(n.val, public)
	case yaml.MappingNode:
		v.mark(n.val, public)
		v.entries(n, asSource, v.source, func(f Node) {
			switch meant(f.Key(), sourceKeys) {
			case "":
				v.strange[f.key] = true
				v.unended(f.key, f.val)
			case "settings":
				v.settings(f)
			default:
				v.label(f)
			}
		})
	}
}

func (v *visibility) settings(n Node) {
	v.mark(n.val, value)
	if n.val.Kind != yaml.MappingNode {
		v.whole(n)
		return
	}
	if v.again(n, asSettings) {
		return
	}
	for i := 0; i+1 < len(n.val.Content); i += 2 {
		key, val := n.step(n.val.Content[i]), n.step(n.val.Content[i+1])
		v.mark(n.val.Content[i], code)
		v.mark(n.val.Content[i+1], value)
		v.mark(key.val, code)
		v.unended(key.val, val.val)
		if key.val.Kind != yaml.ScalarNode {
			v.whole(key)
		}
		if !isMerge(n.val.Content[i]) {
			v.whole(val)
			continue
		}
		v.mark(val.val, value)
		for _, m := range val.mergedMappings() {
			v.settings(m)
		}
		if val.val.Kind == yaml.SequenceNode {
			for _, item := range val.val.Content {
				v.mark(item, value)
			}
		}
	}
}

// unended marks a key as a value where nothing but its place makes it one. In
// braces YAML takes password:secret, with no space after the colon, for a key
// without a value. A line too long to be shown is not searched: it may hold
// any number of keys.
func (v *visibility) unended(key, val *yaml.Node) {
	if val.Kind != yaml.ScalarNode || val.Value != "" || val.ShortTag() != "!!null" {
		return
	}
	at := v.doc.text.at(key.Line, key.Column)
	if line := v.doc.text.bytes(at.Line); len(line) <= maxSnippet {
		runes := []rune(string(line))
		_, after, found := strings.Cut(string(runes[min(at.Column-1, len(runes)):]), key.Value)
		if found && strings.HasPrefix(strings.TrimLeft(after, "\"' \t"), ":") {
			return
		}
	}
	v.mark(key, value)
}

// whole marks n and all that is in it as a settings value.
func (v *visibility) whole(n Node) {
	v.mark(n.val, value)
	if v.again(n, asValue) {
		return
	}
	for _, c := range n.val.Content {
		v.mark(c, value)
		v.whole(n.step(c))
	}
}

// entries goes through the fields of a mapping that is no settings block, and
// through the mappings merged into it as same does.
func (v *visibility) entries(n Node, as role, same, field func(Node)) {
	if n.val.Kind != yaml.MappingNode || v.again(n, as) {
		return
	}
	for i := 0; i+1 < len(n.val.Content); i += 2 {
		key := n.step(n.val.Content[i])
		if key.val.Kind != yaml.ScalarNode {
			continue
		}
		v.mark(n.val.Content[i], public)
		v.mark(key.val, public)
		if raw := n.val.Content[i+1]; raw.Kind == yaml.AliasNode {
			v.mark(raw, public) // the name of an anchor, not what it stands for
		}
		f := n.step(n.val.Content[i+1])
		f.key, f.keyUse = key.val, key.use
		if !isMerge(n.val.Content[i]) {
			field(f)
			continue
		}
		v.container(f)
		for _, m := range f.mergedMappings() {
			same(m)
		}
	}
}

// container marks the start of a list or mapping, and the aliases in a list.
func (v *visibility) container(n Node) {
	if n.val.Kind == yaml.ScalarNode {
		return
	}
	v.mark(n.val, public)
	if n.val.Kind == yaml.SequenceNode {
		for _, item := range n.val.Content {
			if item.Kind == yaml.AliasNode {
				v.mark(item, public)
			}
		}
	}
}
