package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// walk calls visit for every schema in a schema, with its place. In values of
// keywords that hold no schema it sees none.
func walk(place string, s any, visit func(place string, s map[string]any)) {
	object, ok := s.(map[string]any)
	if !ok {
		return
	}
	visit(place, object)
	for keyword, v := range object {
		switch keyword {
		case "properties", "patternProperties", "definitions":
			for name, sub := range v.(map[string]any) {
				walk(place+"/"+keyword+"/"+name, sub, visit)
			}
		case "items", "additionalProperties", "propertyNames", "not", "if", "then", "else":
			walk(place+"/"+keyword, v, visit)
		case "anyOf", "allOf":
			for i, sub := range v.([]any) {
				walk(fmt.Sprintf("%s/%s/%d", place, keyword, i), sub, visit)
			}
		}
	}
}

func document(t *testing.T, schema []byte) (d map[string]any) {
	t.Helper()
	if err := json.Unmarshal(schema, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Editors show the title and the description of what the cursor is on, and
// offer the examples.
func TestEveryPropertyIsExplained(t *testing.T) {
	explained(t, Sources())
	explained(t, Portals())
}

func explained(t *testing.T, schema []byte) {
	seen := 0
	walk("", document(t, schema), func(place string, s map[string]any) {
		before, _ := cutLast(place)
		_, in := cutLast(before)
		isProperty := in == "properties" || in == "patternProperties" || in == "definitions" || place == "" || strings.HasSuffix(place, "/items")
		if _, ref := s["$ref"]; !isProperty || ref {
			return
		}
		seen++
		for _, keyword := range []string{"title", "description"} {
			if text, _ := s[keyword].(string); text == "" {
				t.Errorf("%q has no %s", place, keyword)
			}
		}
		if list, _ := s["examples"].([]any); len(list) == 0 && !(in == "definitions" && s["type"] == "object") {
			t.Errorf("%q has no examples", place)
		}
		if s["type"] != nil && s["errorMessage"] == nil {
			t.Errorf("%q does not say what it must be", place)
		}
	})
	if seen < 15 {
		t.Errorf("only %d properties were looked at", seen)
	}
}

// Examples and defaults must be right themselves.
func TestExamplesFitTheSchema(t *testing.T) {
	fitting(t, Sources())
	fitting(t, Portals())
}

func fitting(t *testing.T, schema []byte) {
	walk("", document(t, schema), func(place string, s map[string]any) {
		if strings.HasPrefix(place, "/patternProperties") {
			return // everything fits
		}
		examples, _ := s["examples"].([]any)
		if value, ok := s["default"]; ok {
			examples = append(examples, value)
		}
		if len(examples) == 0 {
			return
		}
		c := jsonschema.NewCompiler()
		c.Draft = jsonschema.Draft7
		if err := c.AddResource("mem:///s.json", strings.NewReader(string(schema))); err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile("mem:///s.json#" + place)
		if err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		for _, example := range examples {
			if err := compiled.Validate(example); err != nil {
				t.Errorf("%s: the example %v: %v", place, example, err)
			}
		}
	})
}

func TestSourcesIsDraft07(t *testing.T) {
	var document map[string]any
	if err := json.Unmarshal(Sources(), &document); err != nil {
		t.Fatal(err)
	}
	if document["$schema"] != "http://json-schema.org/draft-07/schema#" {
		t.Errorf("$schema is %v", document["$schema"])
	}
	meta := jsonschema.MustCompile("http://json-schema.org/draft-07/schema")
	if err := meta.Validate(document); err != nil {
		t.Error(err)
	}
	Sources()[0] = 'x'
	if Sources()[0] != '{' {
		t.Error("a caller can change the schema")
	}
}
