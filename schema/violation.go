package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/manifest"
)

// translation turns the violations of one validation into findings.
type translation struct {
	schema *compiled
	finder finder // in what was validated
	found  []*manifest.Finding
}

// violated is one violation where it can be said in words.
type violated struct {
	node   manifest.Node
	schema map[string]any // the object that holds the keyword
	path   string         // of that object in the schema
	isKey  bool           // the key of node is meant, not its value
}

// sentence adds the finding for one violation.
type sentence func(*translation, violated)

// sentences returns a sentence for each keyword of the schema that a value can
// violate.
func sentences() map[string]sentence {
	return map[string]sentence{
		"type":                 wrongType,
		"const":                wrongValue,
		"minimum":              outOfRange,
		"maximum":              outOfRange,
		"minLength":            empty,
		"minProperties":        empty,
		"maxProperties":        tooManyKeys,
		"pattern":              wrongForm,
		"not":                  notAllowed,
		"required":             missingKeys,
		"additionalProperties": unknownKeys,
		"anyOf":                noneOf,
	}
}

// violation translates v, or what it consists of.
func (t *translation) violation(v *jsonschema.ValidationError) {
	path, keyword := cutLast(fragment(v.AbsoluteKeywordLocation))
	say, ok := t.schema.sentences[keyword]
	if !ok { // a $ref, or a bundle of several
		for _, cause := range v.Causes {
			t.violation(cause)
		}
		return
	}
	n, ok := t.finder.find(v.InstanceLocation)
	if !ok {
		return // names nothing in the file: cannot be
	}
	isKey := strings.HasSuffix(path, "/propertyNames")
	if isKey && n.Kind() == manifest.Mapping {
		if f, ok := n.Field(""); ok { // which the location leaves out
			n = f
		}
	}
	say(t, violated{node: n, schema: t.schema.at("#" + path), path: path, isKey: isKey})
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// report adds a finding at the value, or at the key if that is meant.
func (t *translation) report(v violated, rule string, advice []string, format string, args ...any) {
	problem := v.node.Problem
	if v.isKey {
		problem = v.node.KeyProblem
	}
	t.found = append(t.found, problem(rule, advice, format, args...))
}

// allowed says in words what a value has to be.
func (v violated) allowed() string {
	s, _ := v.schema["errorMessage"].(string)
	return s
}

// properties returns the keys that an object of the schema knows, those that
// have to be there first.
func (v violated) properties() []string {
	known, _ := v.schema["properties"].(map[string]any)
	required := v.required()
	return append(required, slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(key string) bool {
		return slices.Contains(required, key)
	})...)
}

func (v violated) required() []string {
	list, _ := v.schema["required"].([]any)
	var names []string
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names
}
