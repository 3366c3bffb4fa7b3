package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

// check returns what is wrong with a manifest, a finding a line.
func check(t *testing.T, yaml string) []string {
	t.Helper()
	_, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml), Check: schema.Check})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range found {
		lines = append(lines, strings.TrimPrefix(e.Error(), "<stdin>:"))
	}
	return lines
}

// Keys may hold all that pointers and addresses escape, and still are found.
func TestKeysThatPointersEscape(t *testing.T) {
	for _, key := range []string{"a/b", "a~b", "a~1b", "~0", "a b", "a%2Fb", "100%", "%zz", "a#b", "?", "ключ", "/", "..", "0", "$ref", "a[b]", "a\\b", "\"", "'", "properties", "anyOf"} {
		quoted := "'" + strings.ReplaceAll(key, "'", "''") + "'"
		got := check(t, "version: 1\nsources: [{id: 1, settings: {fine: x, "+quoted+": true, other: x}}]")
		if want := "the setting " + manifest.Quote(key) + " must be"; len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: got %v, want %s", key, got, want)
		}
		if column := 41 + len([]rune(quoted)); len(got) == 1 && !strings.HasPrefix(got[0], fmt.Sprintf("2:%d: ", column)) {
			t.Errorf("%s: got %v, want column %d", key, got, column)
		}
	}
}

// The validator's own words never get out, nor do those of the schema's form.
func TestNoRawText(t *testing.T) {
	got := check(t, `
version: "1"
portal: 5
sources:
  - {}
  - {id: 0, title: '', name: "\n", active: null, settings: {}, reveal: {}, bogus: 1}
  - {id: 99999999999999999999, description: [], settings: {a: null, b: {env: B24_X}, c: {env: 1a}, d: {file: ''}, e: {env: a, file: b}, f: {x: y}, '': z}, reveal: [1.5]}
`)
	if len(got) < 18 {
		t.Errorf("only %d findings", len(got))
	}
	for _, line := range got {
		for _, raw := range []string{"jsonschema", "validate", "additionalProperties", "missing properties", "anyOf", "#/", "expected ", "pattern", "object", "array", "  ", "%!"} {
			if strings.Contains(line, raw) {
				t.Errorf("%s holds %q", line, raw)
			}
		}
		if strings.HasSuffix(line, ".") || strings.Contains(line, " , ") || strings.Contains(line, "must be ,") {
			t.Errorf("%s is no sentence", line)
		}
	}
}

// The form of a reference is told of the right one of its two.
func TestReferences(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{
		{"{env: A}", nil},
		{"{env: _a9}", nil},
		{"{env: B24X}", nil},
		{"{env: MY_B24_TOKEN}", nil},
		{"{file: a/b}", nil},
		{"{file: ' '}", nil},
		{"{env: B24_}", []string{"reserved-variable"}},
		{"{env: bAD-}", []string{"wrong-form"}},
		{"{env: B24_-}", []string{"wrong-form"}},
		{"{env: [A]}", []string{"wrong-type"}},
		{"{env: A, file: b}", []string{"two-references"}},
		{"{env: A, FILE: b}", []string{"unknown-key"}},
		{"{env: A, file: b, c: d}", []string{"two-references", "unknown-key"}},
		{"{}", []string{"empty"}},
		{"[{env: A}]", []string{"wrong-type"}},
	} {
		var rules []string
		for _, line := range check(t, "version: 1\nsources: [{id: 1, settings: {k: "+c.value+"}}]") {
			rules = append(rules, line[strings.LastIndex(line, "[")+1:len(line)-1])
		}
		if !slices.Equal(rules, c.want) {
			t.Errorf("%s: got %v, want %v", c.value, rules, c.want)
		}
	}
}

func TestPortals(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://acme.bitrix24.com": true, "http://127.0.0.1:8924": true, "HTTPS://ACME.bitrix24.com/": true, "https://[::1]:8443": true, "https://портал.рф": true,
		"acme.bitrix24.com": false, "ftp://acme": false, "https://": false, "https:///": false, "https://a/b": false, "https://a?b": false, "https://a#b": false,
		"https://u:p@a": false, "https://a b": false, "https://a:0": false, "https://a:": false, "https://a:x": false, "https://[::1": false, "https://:80": false, "": false, `https://a\b`: false, "https://a%zz": false,
	} {
		got := check(t, "version: 1\nportal: '"+address+"'\nsources: []")
		if ok != (len(got) == 0) || len(got) > 1 {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// Thousands of faults in one mapping are found in the time of one.
func TestManyFaultsInOneMapping(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nsources:\n  - id: 1\n    settings:\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "      k%d: true\n", i)
	}
	b.WriteString("    reveal:\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "      - n%d\n", i)
	}
	if got := check(t, b.String()); len(got) != 40_000 {
		t.Errorf("found %d", len(got))
	}
}

// Lengths count characters, as the portal does.
func TestLengthsCountCharacters(t *testing.T) {
	for n, want := range map[int]int{512: 0, 513: 1} {
		if got := check(t, "version: 1\nsources: [{id: 1, title: "+strings.Repeat("ä", n)+"}]"); len(got) != want {
			t.Errorf("%d characters: %v", n, got)
		}
	}
}
