package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/manifest"
)

// The library takes 4.0 for an integer, and every notation of one for the
// same. What a manifest may say is narrower, so numbers that are no plain
// integers are replaced for it: those with a fraction by one that no schema
// takes for an integer, those in other notations by 1, since package manifest
// reports them.
const (
	fraction  = json.Number("0.5")
	otherwise = json.Number("1")
)

// instance returns a node as the library wants it.
func instance(n manifest.Node) any {
	switch n.Kind() {
	case manifest.Mapping:
		object := map[string]any{}
		for _, f := range n.Fields() {
			object[f.Key()] = instance(f)
		}
		return object
	case manifest.List:
		list := []any{}
		for item := range n.Items() {
			list = append(list, instance(item))
		}
		return list
	case manifest.String:
		return n.Text()
	case manifest.Boolean:
		return strings.EqualFold(n.Text(), "true")
	case manifest.Number:
		return fraction
	case manifest.Integer:
		if n.Plain() {
			return json.Number(n.Text())
		}
		return otherwise
	}
	return nil
}

// judge is the library with one of our schemas.
func judge(tb testing.TB, schema []byte, definition string) *jsonschema.Schema {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	if err := c.AddResource("mem:///s.json", strings.NewReader(string(schema))); err != nil {
		tb.Fatal(err)
	}
	return c.MustCompile("mem:///s.json" + definition)
}

// judges are the library with the schema of manifests and of each kind.
type judges struct {
	whole *jsonschema.Schema
	kinds map[string]*jsonschema.Schema
}

func newJudges(tb testing.TB) *judges {
	return &judges{judge(tb, Sources(), ""), map[string]*jsonschema.Schema{
		"connectors": judge(tb, Sources(), "#/definitions/connector"),
		"sources":    judge(tb, Sources(), "#/definitions/source"),
		"tables":     judge(tb, Sources(), "#/definitions/table"),
	}}
}

// compare holds Check and the library together: on the document as a whole
// and on each object of its own.
func (j *judges) compare(tb testing.TB, doc *manifest.Document) {
	root := doc.Root()
	agree := func(n manifest.Node, of *rule, library *jsonschema.Schema) {
		found, err := check(n, of), library.Validate(instance(n))
		if (len(found) == 0) != (err == nil) {
			tb.Errorf("%s: Check finds %v, the library %v", n.Position(), found, err)
		}
	}
	agree(root, manifests(), j.whole)
	for _, f := range root.Fields() {
		if library := j.kinds[f.Key()]; library != nil {
			for item := range f.Items() {
				agree(item, manifests().properties[f.Key()].items, library)
			}
		}
	}
}

func (j *judges) load(tb testing.TB, yaml string) {
	_, _, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml), Check: func(doc *manifest.Document) []*manifest.Finding {
		j.compare(tb, doc)
		return nil
	}})
	if err != nil {
		tb.Fatal(err)
	}
}

func seeds(tb testing.TB) (texts []string) {
	tb.Helper()
	for _, pattern := range []string{"../manifest/testdata/err/*.yaml", "../manifest/testdata/err/*/*.yaml", "../examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				tb.Fatal(err)
			}
			texts = append(texts, string(data))
		}
	}
	if len(texts) < 100 {
		tb.Fatalf("only %d manifests", len(texts))
	}
	return texts
}

// Check finds something wrong where the library does, and nowhere else.
func TestCheckAgreesWithTheLibrary(t *testing.T) {
	j := newJudges(t)
	for _, text := range seeds(t) {
		j.load(t, text)
	}
}

func FuzzCheckAgreesWithTheLibrary(f *testing.F) {
	j := newJudges(f)
	for _, text := range seeds(f) {
		if len(text) < 4<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) { j.load(t, text) })
}
