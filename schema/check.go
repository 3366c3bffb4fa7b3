package schema

import (
	"errors"
	"runtime"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"golang.org/x/sync/errgroup"

	"syncsources/manifest"
)

// Check reports what a document says against the schema, in no certain order.
//
// The sources are validated one by one: a manifest of many of them then needs
// no second copy of itself in memory.
func Check(doc *manifest.Document) []*manifest.Finding {
	c := load()
	root := doc.Root()
	found := c.translate(root, validate(c.manifest, shallow(root)))
	list, ok := root.Field("sources")
	if !ok || list.Kind() != manifest.List {
		return found
	}
	for i, v := range c.validateAll(list) {
		found = append(found, c.translate(list.Item(i), v)...)
	}
	return found
}

// validateAll validates each item of a list of sources. Items are only read
// here, which may be done at the same time; findings need what a document
// works out when it is first asked, and are made by the caller.
func (c *compiled) validateAll(list manifest.Node) []*jsonschema.ValidationError {
	const chunk = 256
	violations := make([]*jsonschema.ValidationError, list.Len())
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(violations); from += chunk {
		// Each goroutine owns the elements of one chunk.
		group.Go(func() error {
			for i := from; i < min(from+chunk, len(violations)); i++ {
				violations[i] = validate(c.source, instance(list.Item(i), 0))
			}
			return nil
		})
	}
	_ = group.Wait() // no goroutine returns an error
	return violations
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

// validate returns what a value violates, nil if it fits.
func validate(s *jsonschema.Schema, value any) *jsonschema.ValidationError {
	err := s.Validate(value)
	if err == nil {
		return nil
	}
	var violated *jsonschema.ValidationError
	if !errors.As(err, &violated) {
		panic(err) // the value is made of JSON's types, and the schema has no loop
	}
	return violated
}

// translate returns the findings that violations of n come to.
func (c *compiled) translate(n manifest.Node, v *jsonschema.ValidationError) []*manifest.Finding {
	if v == nil {
		return nil
	}
	t := translation{schema: c, finder: finder{root: n}}
	t.violation(v)
	return t.found
}
