package schema

import (
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"syncsources/manifest"
)

// The validator takes 4.0 for an integer, and every notation of one for the
// same. What a manifest may say is narrower, so numbers that are no plain
// integers are replaced: those with a fraction by one that no schema takes for
// an integer, those in other notations by one that every schema takes, since
// package manifest reports them. Integers too long to calculate with are
// replaced by one beyond every limit. Messages are made from the nodes, never
// from these.
const (
	fraction  = json.Number("0.5")
	otherwise = json.Number("1")
	longest   = 40
	huge      = json.Number("1e40")
	hugeBelow = json.Number("-1e40")
	deepest   = 8 // levels that the schema looks at, and more
)

// instance returns a node as the validator wants it.
func instance(n manifest.Node, depth int) any {
	switch n.Kind() {
	case manifest.Mapping:
		object := map[string]any{}
		if depth < deepest {
			for _, f := range n.Fields() {
				if f.Key() == "" {
					// The validator's locations leave the empty key out, so what
					// is wrong with its value would be told of the mapping. The
					// key is an error anyway.
					object[""] = ""
					continue
				}
				object[f.Key()] = instance(f, depth+1)
			}
		}
		return object
	case manifest.List:
		list := []any{}
		if depth < deepest {
			for item := range n.Items() {
				list = append(list, instance(item, depth+1))
			}
		}
		return list
	case manifest.String:
		return n.Text()
	case manifest.Boolean:
		return strings.EqualFold(n.Text(), "true")
	case manifest.Number:
		return fraction
	case manifest.Integer:
		return integer(n)
	}
	return nil
}

func integer(n manifest.Node) any {
	text := n.Text()
	switch {
	case !n.Plain():
		return otherwise
	case len(text) <= longest:
		return json.Number(text)
	case strings.HasPrefix(text, "-"):
		return hugeBelow
	}
	return huge
}

// finder finds nodes below one that was validated. It keeps the fields of
// mappings: thousands of violations in one mapping are found
// in the time of one.
type finder struct {
	root   manifest.Node
	fields map[manifest.Node]map[string]manifest.Node
}

// find returns the node that a location of the validator's names.
func (f *finder) find(location string) (manifest.Node, bool) {
	n := f.root
	for token := range tokens(location) {
		switch n.Kind() {
		case manifest.Mapping:
			field, ok := f.children(n)[token]
			if !ok {
				return n, false
			}
			n = field
		case manifest.List:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= n.Len() {
				return n, false
			}
			n = n.Item(i)
		default:
			return n, false
		}
	}
	return n, true
}

func (f *finder) children(n manifest.Node) map[string]manifest.Node {
	if known, ok := f.fields[n]; ok {
		return known
	}
	fields := map[string]manifest.Node{}
	for _, field := range n.Fields() {
		fields[field.Key()] = field
	}
	if f.fields == nil {
		f.fields = map[manifest.Node]map[string]manifest.Node{}
	}
	f.fields[n] = fields
	return fields
}

// tokens goes through a JSON pointer as the validator writes it: with the
// escapes of pointers inside of those of addresses.
func tokens(pointer string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if pointer == "" {
			return
		}
		for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
			if plain, err := url.PathUnescape(token); err == nil {
				token = plain
			}
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
			if !yield(token) {
				return
			}
		}
	}
}
