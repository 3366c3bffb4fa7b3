// Package schema holds the JSON Schemas of the program, and checks manifests
// against theirs.
//
// The schema is written for editors first: each property has a title, a
// description and examples. Its errorMessage, which editors show too, says in
// words what a value has to be, and is part of our own findings.
//
// The rules of its findings are listed in package manifest.
package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

//go:embed sources.schema.json
var sources []byte

//go:embed report.schema.json
var report []byte

// Sources returns the JSON Schema (draft-07) of manifests.
func Sources() []byte { return bytes.Clone(sources) }

// Report returns the JSON Schema (draft-07) of the JSON report that plan,
// apply and validate write.
func Report() []byte { return bytes.Clone(report) }

// compiled is the schema of manifests in the forms that Check needs.
type compiled struct {
	manifest, source *jsonschema.Schema
	document         any                 // for what the library does not tell
	sentences        map[string]sentence // by keyword
}

const sourceDefinition = "#/definitions/source"

var load = sync.OnceValue(func() *compiled {
	const name = "mem:///sources.schema.json"
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	if err := c.AddResource(name, bytes.NewReader(sources)); err != nil {
		panic(err) // a schema that we embed and test
	}
	s := &compiled{manifest: c.MustCompile(name), source: c.MustCompile(name + sourceDefinition), sentences: sentences()}
	if err := json.Unmarshal(sources, &s.document); err != nil {
		panic(err)
	}
	return s
})

// at returns the part of the schema that a location names by its fragment, an
// object, and nil where there is none.
func (c *compiled) at(location string) map[string]any {
	here := c.document
	for token := range tokens(fragment(location)) {
		object, ok := here.(map[string]any)
		if !ok {
			return nil
		}
		here = object[token]
	}
	object, _ := here.(map[string]any)
	return object
}

// fragment returns what follows the # of a location.
func fragment(location string) string {
	_, f, _ := strings.Cut(location, "#")
	return f
}
