package schema

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/manifest"
)

// The library takes 4.0 for an integer, and every notation of one for the
// same. What a manifest may say is narrower, so numbers that are no plain
// integers are replaced for it: those like 4.0 by one that no schema takes for
// an integer, those in other notations by 1, since package manifest
// reports them.
const (
	fraction  = 0.5
	otherwise = json.Number("1")
	nowhere   = json.Number("-1.5") // what no limit allows
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
		v, err := strconv.ParseFloat(n.Text(), 64)
		if err != nil {
			return nowhere
		}
		if v == math.Trunc(v) {
			v += fraction
		}
		return v
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
	for _, text := range append(seeds(t), "version: 1\nsources: [{id: 4, settings: {a: {env: X, x-why: only objects take such keys}}}]\n") {
		j.load(t, text)
	}
}

// The same of portals files.
func TestCheckPortalsAgreesWithTheLibrary(t *testing.T) {
	library := judge(t, Portals(), "")
	paths, err := filepath.Glob("../manifest/testdata/portals/*.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		_, _, err := manifest.LoadPortals(path, manifest.PortalsOptions{Check: func(doc *manifest.Document) []*manifest.Finding {
			found, err := CheckPortals(doc), library.Validate(instance(doc.Root()))
			if (len(found) == 0) != (err == nil) {
				t.Errorf("%s: Check finds %v, the library %v", path, found, err)
			}
			for _, f := range doc.Root().Fields() { // and each portal by itself
				if f.Key() != "portals" {
					continue
				}
				one := judge(t, Portals(), "#/definitions/portal")
				for item := range f.Items() {
					found, err := check(item, portalsFiles().properties["portals"].items), one.Validate(instance(item))
					if (len(found) == 0) != (err == nil) {
						t.Errorf("%s: Check finds %v, the library %v", item.Position(), found, err)
					}
				}
			}
			return found
		}})
		if err != nil {
			t.Fatal(err)
		}
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
