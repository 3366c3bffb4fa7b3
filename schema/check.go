package schema

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/manifest"
)

// Check reports what a document says against the schema, in no certain order.
//
// The sources are validated one by one: a manifest of many of them then needs
// no more memory at a time than one with a single source.
func Check(doc *manifest.Document) []*manifest.Error {
	c := load()
	root := doc.Root()
	found := c.validate(c.manifest, root, shallow(root))
	if list, ok := root.Field("sources"); ok {
		for item := range list.Items() {
			found = append(found, c.validate(c.source, item, instance(item, 0))...)
		}
	}
	return found
}

// shallow returns a manifest for the validator with an empty list of sources.
func shallow(root manifest.Node) any {
	if root.Kind() != manifest.Mapping {
		return instance(root, 0)
	}
	object := map[string]any{}
	for _, f := range root.Fields() {
		switch {
		case f.Key() == "sources" && f.Kind() == manifest.List:
			object[f.Key()] = []any{}
		case strings.HasPrefix(f.Key(), "x-"):
			object[f.Key()] = nil // free
		default:
			object[f.Key()] = instance(f, 0)
		}
	}
	return object
}

func (c *compiled) validate(s *jsonschema.Schema, n manifest.Node, value any) []*manifest.Error {
	err := s.Validate(value)
	if err == nil {
		return nil
	}
	var violated *jsonschema.ValidationError
	if !errors.As(err, &violated) {
		panic(err) // the value is made of JSON's types, and the schema has no loop
	}
	t := translation{schema: c, finder: finder{root: n}}
	t.violation(violated)
	return t.found
}
