package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

// unpinned returns ids for all connectors and sources without one, from 101.
func unpinned(set *manifest.Set) (ids []manifest.ID) {
	pin := func(o manifest.Object) {
		if o.ID == 0 {
			ids = append(ids, manifest.ID{Position: o.Position, ID: int64(101 + len(ids))})
		}
	}
	for _, c := range set.Connectors {
		pin(c.Object)
	}
	for _, s := range set.Sources {
		pin(s.Object)
	}
	return ids
}

func TestPin(t *testing.T) {
	const c = "title: A, urlCheck: a, urlTableList: b, urlTableDescription: c, urlData: d, settings: []"
	for _, tt := range []struct{ name, before, after, refused string }{
		{"block", "version: 1\nsources:\n  # note\n  - name: crm # ours\n    connector: 1\n    title: \"T\"\n", "version: 1\nsources:\n  # note\n  - id: 101\n    name: crm # ours\n    connector: 1\n    title: \"T\"\n", ""},
		{"not indented", "version: 1\nsources:\n- connector: 1\n  title: T\n", "version: 1\nsources:\n- id: 101\n  connector: 1\n  title: T\n", ""},
		{"dash on its own line", "version: 1\nsources:\n  -\n    connector: 1\n    title: T\n", "version: 1\nsources:\n  -\n    id: 101\n    connector: 1\n    title: T\n", ""},
		{"comment after the dash", "version: 1\nsources:\n  - # one\n    connector: 1\n    title: T\n", "version: 1\nsources:\n  - # one\n    id: 101\n    connector: 1\n    title: T\n", ""},
		{"windows", "version: 1\r\nsources:\r\n  - connector: 1\r\n    title: T\r\n", "version: 1\r\nsources:\r\n  - id: 101\r\n    connector: 1\r\n    title: T\r\n", ""},
		{"flow", "version: 1\nsources: [{connector: 1, title: Größe}, { connector: 1, title: U}]", "version: 1\nsources: [{id: 101, connector: 1, title: Größe}, { id: 102, connector: 1, title: U}]", ""},
		{"JSON", `{"version": 1, "sources": [{"connector": 1, "title": "a\/b"}]}`, `{"version": 1, "sources": [{"id": 101, "connector": 1, "title": "a\/b"}]}`, ""},
		{"JSON on lines", "{\n  \"version\": 1,\n  \"sources\": [\n    {\n      \"connector\": 1,\n      \"title\": \"T\"\n    }\n  ]\n}\n", "{\n  \"version\": 1,\n  \"sources\": [\n    {\n      \"id\": 101,\n      \"connector\": 1,\n      \"title\": \"T\"\n    }\n  ]\n}\n", ""},
		{"anchor", "version: 1\nsources:\n  - &a\n    connector: 1\n    title: T\n  - <<: *a\n    title: U\n", "version: 1\nsources:\n  - &a\n    id: 101\n    connector: 1\n    title: T\n  - id: 102\n    <<: *a\n    title: U\n", ""},
		{"anchored flow", "version: 1\nsources:\n  - &a {connector: 1, title: T}\n", "version: 1\nsources:\n  - &a {id: 101, connector: 1, title: T}\n", ""},
		{"merge", "version: 1\nx-s: &s {connector: 1}\nsources:\n  - <<: *s\n    title: T\n", "version: 1\nx-s: &s {connector: 1}\nsources:\n  - id: 101\n    <<: *s\n    title: T\n", ""},
		{"alias", "version: 1\nx-s: &s {connector: 1, title: T}\nsources:\n  - *s\n", "", "<stdin>:2:6"},
		{"list behind an alias", "version: 1\nx-s: &s [{connector: 1, title: T}]\nsources: *s\n", "", "<stdin>:2:10"},
		{"complex key", "version: 1\nsources:\n  - ? connector\n    : 1\n    title: T\n", "", "<stdin>:3:5"},
		{"documents", "\uFEFFversion: 1\nconnectors: [{name: a, " + c + "}]\nsources: []\n---\nversion: 1\nsources:\n  - {connector: a, title: T}\n  - {id: 5, title: U}\n", "\uFEFFversion: 1\nconnectors: [{id: 101, name: a, " + c + "}]\nsources: []\n---\nversion: 1\nsources:\n  - {id: 102, connector: a, title: T}\n  - {id: 5, title: U}\n", ""},
		{"nothing to do", "version: 1\nsources: [{id: 1, title: a}]\n", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ids := unpinned(parse(t, tt.before))
			edited, refused := manifest.Pin("<stdin>", []byte(tt.before), ids)
			want := tt.after
			if want == "" {
				want = tt.before
			}
			if string(edited) != want {
				t.Errorf("got\n%s\nwant\n%s", edited, want)
			}
			var at []string
			for _, f := range refused {
				if f.Rule != "pin" {
					t.Errorf("refused: %s", f.Detail())
				}
				at = append(at, f.Position.String())
			}
			if got := strings.Join(at, " "); got != tt.refused {
				t.Errorf("refused at %q, want %q", got, tt.refused)
			}
			parse(t, string(edited))
		})
	}
}

func TestPinRefuses(t *testing.T) {
	const text = "version: 1\nsources:\n  - {id: 4, title: a}\n  - {connector: 1, title: b}\n"
	for _, line := range []int{1, 3, 9} {
		edited, refused := manifest.Pin("<stdin>", []byte(text), []manifest.ID{{Position: manifest.Position{File: "<stdin>", Line: line, Column: 5}, ID: 7}})
		if string(edited) != text || len(refused) != 1 || refused[0].Rule != "pin" {
			t.Errorf("line %d: %v\n%s", line, refused, edited)
		}
	}
	if edited, refused := manifest.Pin("<stdin>", []byte("sources: ["), nil); string(edited) != "sources: [" || len(refused) != 1 || refused[0].Rule != "syntax" {
		t.Errorf("a file that does not parse: %v, %s", refused, edited)
	}
}

// An id in an anchored object would become that of all that merge it.
func TestPinOfWhatOthersMerge(t *testing.T) {
	const text = "version: 1\nsources:\n  - &a {connector: 1, title: T}\n  - {<<: *a, title: U}\n  - {connector: 1, title: V}\n"
	ids := unpinned(parse(t, text))
	edited, refused := manifest.Pin("<stdin>", []byte(text), []manifest.ID{ids[0], ids[2]})
	if len(refused) != 1 || refused[0].Position != ids[0].Position || string(edited) != strings.Replace(text, "{connector: 1, title: V", "{id: 103, connector: 1, title: V", 1) {
		t.Errorf("%v\n%s", refused, edited)
	}
}

// FuzzPin pins everything in any manifest: all other bytes stay, and the
// result loads and differs in ids only.
func FuzzPin(f *testing.F) {
	f.Add("version: 1\nsources:\n  - connector: 1\n    title: T\n  - {connector: 1, title: U}\n")
	f.Add("version: 1\r\nx-a: &a {connector: 1}\r\nsources:\r\n- <<: *a\r\n  title: |\r\n    T\r\n")
	f.Add(`{"version": 1, "sources": [{"connector": 1, "title": "a\/b\ud83d\ude00"}]}`)
	f.Add("version: 1\nsources:\n  - ? connector\n    : 1\n    title: T\n")
	f.Add("version: 1\nsources: &s\n  -\tconnector: 1\n \t  title: T\n  - *x\n")
	f.Fuzz(func(t *testing.T, text string) {
		load := func(data string) (*manifest.Set, []*manifest.Finding) {
			set, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(data), Check: schema.Check})
			check(t, err)
			return set, found
		}
		before, found := load(text)
		if len(found) > 0 {
			return
		}
		ids := unpinned(before)
		edited, refused := manifest.Pin("<stdin>", []byte(text), ids)
		left := string(edited)
		at := 0
		for _, c := range []byte(text) { // the bytes before are there, in their order
			i := strings.IndexByte(left[at:], c)
			if i < 0 {
				t.Fatalf("%q became %q", text, edited)
			}
			at += i + 1
		}
		after, found := load(string(edited))
		if len(found) > 0 {
			t.Fatalf("%q became %q, which has findings: %v", text, edited, found)
		}
		pinned := 0
		for i, s := range after.Sources {
			was := before.Sources[i]
			if s.ID != was.ID {
				pinned++
			}
			s.ID, s.Name, was.Name = was.ID, "", ""
			if show(s) != show(was) || s.Connector.ID != was.Connector.ID || s.Connector.Name != was.Connector.Name {
				t.Fatalf("%q became %q: source %d is another", text, edited, i)
			}
		}
		for i, c := range after.Connectors {
			if c.ID != before.Connectors[i].ID {
				pinned++
			}
			if fmt.Sprint(c.Title != nil, len(c.Settings)) != fmt.Sprint(before.Connectors[i].Title != nil, len(before.Connectors[i].Settings)) {
				t.Fatalf("%q became %q: connector %d is another", text, edited, i)
			}
		}
		if pinned+len(refused) != len(ids) {
			t.Fatalf("%d of %d were pinned and %d refused: %q became %q", pinned, len(ids), len(refused), text, edited)
		}
	})
}
