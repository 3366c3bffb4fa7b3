package manifest_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"syncsources/manifest"
	"syncsources/schema"
)

// FuzzLoad feeds any bytes to the loader: no panic, no hang, every finding
// inside the file and safe for a terminal, and no source without what a source
// must have when nothing is found.
func FuzzLoad(f *testing.F) {
	seeds := must(filepath.Glob("testdata/err/*.yaml"))(f)
	seeds = append(seeds, "../examples/docs-example.yaml", "../examples/fleet.yaml")
	for _, path := range seeds {
		data := must(os.ReadFile(path))(f)
		if len(data) < 4<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: bytes.NewReader(data), Check: schema.Check})
		check(t, err)
		lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n"), "\n")
		for i, e := range found {
			if e.Position.Line < 1 || e.Position.Line > len(lines) {
				t.Fatalf("%s: the file has %d lines", e, len(lines))
			}
			if width := utf8.RuneCountInString(lines[e.Position.Line-1]); e.Position.Column < 1 || e.Position.Column > width+1 {
				t.Fatalf("%s: the line has %d characters", e, width)
			}
			for _, r := range e.Detail() {
				if !unicode.IsPrint(r) && r != '\n' && r != '\t' && !unicode.In(r, unicode.Mn, unicode.Me) {
					t.Fatalf("%s: %q holds %U", e, e.Detail(), r)
				}
			}
			if i > 0 && (e.Position.Line < found[i-1].Position.Line || e.Position.Line == found[i-1].Position.Line && e.Position.Column < found[i-1].Position.Column) {
				t.Fatalf("%s stands after %s", e, found[i-1])
			}
		}
		if len(found) > 0 {
			return
		}
		for _, s := range set.Sources {
			if s.ID < 1 && (s.Title == nil || s.Connector.Name == "" && s.Connector.ID < 1) || s.Name == "" || s.Title == nil && s.Description == nil && s.Active == nil && len(s.Settings) == 0 {
				t.Fatalf("the source at %s is none", s.Position)
			}
			if s.Title != nil && (*s.Title == "" || *s.Title == "0") {
				t.Fatalf("the title at %s is empty", s.Position)
			}
		}
	})
}

// hidden is what must not show.
const hidden = "Zq7secret"

// FuzzSecrets puts a secret into the settings of a manifest and anything else
// around it: whatever is found wrong, the secret does not show, unless what
// was put around it has moved it to a place that holds no secrets.
func FuzzSecrets(f *testing.F) {
	for _, around := range []struct{ before, between, after string }{
		{"titel: a", "", "active: yes"},
		{"", "{", "}"},
		{"", "|\n        ", "active: on"},
		{"", "[", "]"},
		{"", "*", ""},
		{"", "!", ""},
		{"", "{env: ", "}"},
		{"", "\"", ""},
		{"", "'a' ", ""},
		{"", "b: ", ""},
		{"", "&", ""},
		{"", "\n      ? ", "    : b"},
		{"", "@", ""},
		{"", "%", ""},
		{"", "{env: a, ", ": b}"},
		{"", ">-\n       \t", ""},
		{"", "\"a\n description: x ", " \\q\""},
		{"", "x\n    title: ", ""},
		{"", "&p ", "\n    active: *p"},
		{"name: &p a", "", "\n    active: *p"},
		{"x-a: {password:", "x}", "active: yes"},
		{"{password:", "}", ""},
		{"portal: https://u:", "@a", ""},
		{"", "\n/", ":"},
	} {
		f.Add(around.before, around.between, around.after)
	}
	f.Fuzz(func(t *testing.T, before, between, after string) {
		text := "version: 1\nsources:\n  - id: 1\n    " + before + "\n    settings:\n      password: " + between + hidden + after + "\n"
		_, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(text), Check: schema.Check})
		check(t, err)
		for _, e := range found {
			if strings.Contains(e.Detail(), hidden) && !openPlaces(text)[[2]int{e.Position.Line, e.Position.Column}] {
				t.Errorf("%q prints the secret:\n%s", text, e.Detail())
			}
		}
	})
}

// openKey and openValue match where a manifest holds no secrets: all keys of
// objects, the codes of settings, the labels of objects and the names of
// variables. known are the labels.
var (
	openKey   = regexp.MustCompile(`^/[^/]*$|^/sources/\d+/[^/]*$|^/sources/\d+/settings/[^/]*$`)
	openValue = regexp.MustCompile(`(?s)^/(?:version|portal|keep)(?:/.*)?$|^/sources/\d+$|^/sources/\d+/settings/[^/]*/env$|^/sources/\d+/(?:name|id|title|description|active|reveal|connector)(?:/.*)?$`)
	known     = []string{"name", "id", "title", "description", "active", "reveal", "connector", "settings", "version", "portal", "keep", "connectors", "sources", "tables"}
)

// meant returns a path with its last key as it was probably meant.
func meant(path string) string {
	dir, key := filepath.Split(path)
	return dir + cmp.Or(manifest.Nearest(key, known), key)
}

// below is the path of a key, whatever it holds.
func below(path, key string) string { return path + "/" + strings.ReplaceAll(key, "/", "~") }

// openPlaces returns the positions of keys and values whose place in the
// document holds no secret, by paths alone and without regard to how the
// manifest is written. What does not parse has none.
func openPlaces(text string) map[[2]int]bool {
	open := map[[2]int]bool{}
	var walk func(path string, n *yaml.Node)
	walk = func(path string, n *yaml.Node) {
		if (openValue.MatchString(path) || openValue.MatchString(meant(path))) && n.Kind != yaml.AliasNode {
			open[[2]int{n.Line, n.Column}] = true
		}
		for i, c := range n.Content {
			switch {
			case n.Kind == yaml.SequenceNode:
				walk(fmt.Sprintf("%s/%d", path, i), c)
			case i%2 == 0 && (n.Content[i+1].Tag != "!!null" || n.Content[i+1].Value != "" || regexp.MustCompile(regexp.QuoteMeta(c.Value)+`["']?\s*:`).MatchString(text)):
				if openKey.MatchString(below(path, c.Value)) {
					open[[2]int{c.Line, c.Column}] = true
					if value := n.Content[i+1]; !strings.Contains(value.Value, hidden) { // whose finding may name the key
						open[[2]int{value.Line, value.Column}] = true
					}
				}
			case i%2 == 1:
				walk(below(path, n.Content[i-1].Value), c)
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); err != nil {
			if !errors.Is(err, io.EOF) {
				return nil
			}
			return open
		}
		if len(n.Content) > 0 {
			walk("", n.Content[0])
		}
	}
}
