package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"syncsources/manifest"
	"syncsources/schema"
)

// FuzzLoad feeds any bytes to the loader: no panic, no hang, every finding
// inside the file and safe for a terminal, and no source without what a source
// must have when nothing is found.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/err/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	seeds = append(seeds, "../examples/docs-example.yaml", "../examples/fleet.yaml")
	for _, path := range seeds {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: bytes.NewReader(data), Check: schema.Check})
		if err != nil {
			t.Fatal(err)
		}
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
			if s.ID < 1 || s.Name == "" || s.Title == nil && s.Description == nil && s.Active == nil && len(s.Settings) == 0 {
				t.Fatalf("the source at %s is none", s.Position)
			}
			if s.Title != nil && (*s.Title == "" || *s.Title == "0") {
				t.Fatalf("the title at %s is empty", s.Position)
			}
		}
	})
}

// FuzzSecrets puts a secret into the settings of a manifest and anything else
// around it: whatever is found wrong, the secret does not show.
func FuzzSecrets(f *testing.F) {
	const secret = "Zq7secret"
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
	} {
		f.Add(around.before, around.between, around.after)
	}
	f.Fuzz(func(t *testing.T, before, between, after string) {
		if strings.ContainsAny(before, "#\n\r\"'{}[]|>&*\u0085\u2028\u2029") || strings.Contains(before, "settings") {
			return // the secret may stand in no settings block then
		}
		if i := strings.LastIndexAny(between, "\n\r\u0085\u2028\u2029"); i >= 0 && !strings.HasPrefix(strings.TrimLeft(between[i:], "\n\r"), "       ") || strings.Contains(between, "?") && i >= 0 {
			return // so it may when it is not indented as a part of one
		}
		yaml := "version: 1\nsources:\n  - id: 1\n    " + before + "\n    settings:\n      password: " + between + secret + after + "\n"
		_, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml), Check: schema.Check})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			if strings.Contains(e.Detail(), secret) && e.Rule != "reserved-variable" {
				t.Errorf("%q prints the secret:\n%s", yaml, e.Detail())
			}
		}
	})
}
