package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"syncsources/manifest"
)

// rule is a schema, or a part of one, compiled for Check: the keywords of
// draft-07 that our schemas use, and no others. What it accepts is what a
// validator of the standard accepts; a test and a fuzz target hold both
// together.
type rule struct {
	path  string // in the document, as /definitions/source
	name  string // what messages call a value
	words string // what a value must be: errorMessage

	kinds      kinds  // 0: any
	constant   string // as written in YAML; "" for none
	constKind  manifest.Kind
	enum       []string // nil: any
	limited    bool     // minimum and maximum count
	minimum    float64
	maximum    float64
	minLength  int
	maxLength  int // 0: any
	pattern    *regexp.Regexp
	not        *rule
	allOf      []*rule
	anyOf      []*rule
	condition  *rule // if
	then, or   *rule // then, else
	required   []string
	properties map[string]*rule
	known      []string // names of properties, required ones first
	free       bool     // keys that begin with x- are free
	others     *rule    // additionalProperties as a schema
	closed     bool     // additionalProperties: false
	keys       *rule    // propertyNames
	fewest     int      // minProperties or minItems
	most       int      // maxProperties; 0: any
	items      *rule
}

type kinds uint8

func (k kinds) has(kind manifest.Kind) bool { return k&(1<<kind) != 0 }

var kindsOf = map[string]kinds{
	"integer": 1 << manifest.Integer, "number": 1<<manifest.Integer | 1<<manifest.Number, "boolean": 1 << manifest.Boolean,
	"string": 1 << manifest.String, "array": 1 << manifest.List, "object": 1 << manifest.Mapping,
}

// compiler compiles one document. Definitions are compiled once.
type compiler struct {
	document    map[string]any
	definitions map[string]*rule
}

// compile returns the rule of a whole schema. It panics at what it does not
// know: the schemas are embedded and tested.
func compile(data []byte) *rule {
	c := &compiler{definitions: map[string]*rule{}}
	if err := json.Unmarshal(data, &c.document); err != nil {
		panic(err)
	}
	return c.compile("", c.document, c.name(""))
}

// name is what messages call a value that the schema at a path is about.
func (c *compiler) name(path string) string {
	before, last := cutLast(path)
	_, in := cutLast(before)
	switch {
	case path == "":
		title, _ := c.document["title"].(string)
		return "the " + strings.TrimPrefix(title, "syncsources ")
	case last == "items":
		return "an item of " + c.name(before)
	case in == "definitions":
		s := c.document["definitions"].(map[string]any)[last].(map[string]any)
		switch title := strings.ToLower(s["title"].(string)); {
		case strings.HasPrefix(title, "literal "):
			return "literal"
		case s["type"] != "object" || strings.HasSuffix(title, "s"):
			return last
		default:
			return "a " + title
		}
	}
	return last
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// sub compiles the schema under a keyword; nil if there is none.
func (c *compiler) sub(path string, s map[string]any, keyword, name string) *rule {
	v, ok := s[keyword].(map[string]any)
	if !ok {
		return nil
	}
	return c.compile(path+"/"+keyword, v, name)
}

func (c *compiler) subs(path string, s map[string]any, keyword, name string) []*rule {
	list, _ := s[keyword].([]any)
	var all []*rule
	for i, v := range list {
		all = append(all, c.compile(fmt.Sprintf("%s/%s/%d", path, keyword, i), v.(map[string]any), name))
	}
	return all
}

func (c *compiler) compile(path string, s map[string]any, name string) *rule {
	if ref, ok := s["$ref"].(string); ok {
		return c.definition(strings.TrimPrefix(ref, "#"))
	}
	r := &rule{path: path, name: name, minimum: math.Inf(-1), maximum: math.Inf(1)}
	c.fill(r, s)
	return r
}

func (c *compiler) definition(path string) *rule {
	if r, ok := c.definitions[path]; ok {
		return r
	}
	r := &rule{path: path, name: c.name(path), minimum: math.Inf(-1), maximum: math.Inf(1)}
	c.definitions[path] = r
	_, last := cutLast(path)
	c.fill(r, c.document["definitions"].(map[string]any)[last].(map[string]any))
	return r
}

// keywords are those that fill takes over, and those that only explain.
var keywords = []string{
	"type", "const", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "not", "allOf", "anyOf", "if", "then", "else",
	"required", "properties", "patternProperties", "additionalProperties", "propertyNames", "minProperties", "maxProperties", "items", "minItems",
	"$schema", "$ref", "title", "description", "examples", "default", "errorMessage", "definitions",
}

// fill takes over the keywords of a schema.
func (c *compiler) fill(r *rule, s map[string]any) {
	for keyword := range s {
		if !slices.Contains(keywords, keyword) {
			panic("schema " + r.path + ": unknown keyword " + keyword)
		}
	}
	r.words, _ = s["errorMessage"].(string)
	switch types := s["type"].(type) {
	case string:
		r.kinds = kindsOf[types]
	case []any:
		for _, t := range types {
			r.kinds |= kindsOf[t.(string)]
		}
	}
	switch v := s["const"].(type) {
	case string:
		r.constant, r.constKind = v, manifest.String
	case float64:
		r.constant, r.constKind = fmt.Sprint(v), manifest.Integer
	}
	r.enum = texts(s["enum"])
	if v, ok := s["minimum"].(float64); ok {
		r.limited, r.minimum = true, v
	}
	if v, ok := s["maximum"].(float64); ok {
		r.limited, r.maximum = true, v
	}
	r.minLength, r.maxLength = number(s, "minLength"), number(s, "maxLength")
	r.fewest, r.most = number(s, "minProperties")+number(s, "minItems"), number(s, "maxProperties")
	if pattern, ok := s["pattern"].(string); ok {
		r.pattern = regexp.MustCompile(pattern)
	}
	r.not, r.allOf, r.anyOf = c.sub(r.path, s, "not", r.name), c.subs(r.path, s, "allOf", r.name), c.subs(r.path, s, "anyOf", r.name)
	r.condition, r.then, r.or = c.sub(r.path, s, "if", r.name), c.sub(r.path, s, "then", r.name), c.sub(r.path, s, "else", r.name)
	r.required = texts(s["required"])
	properties, _ := s["properties"].(map[string]any)
	r.properties = make(map[string]*rule, len(properties))
	for key, v := range properties {
		r.properties[key] = c.compile(r.path+"/properties/"+key, v.(map[string]any), key)
	}
	r.known = append(slices.Clone(r.required), slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(key string) bool {
		return slices.Contains(r.required, key)
	})...)
	r.free = s["patternProperties"] != nil
	r.closed = s["additionalProperties"] == false
	r.others = c.sub(r.path, s, "additionalProperties", r.name)
	r.keys = c.sub(r.path, s, "propertyNames", r.name)
	r.items = c.sub(r.path, s, "items", "an item of "+r.name)
}

func texts(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, item := range list {
		all = append(all, item.(string))
	}
	return all
}

func number(s map[string]any, keyword string) int {
	v, _ := s[keyword].(float64)
	return int(v)
}
