package manifest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

// parse loads one manifest from standard input and fails on any finding.
func parse(t *testing.T, yaml string) *manifest.Set {
	t.Helper()
	set, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml), Check: schema.Check})
	check(t, err)
	for _, e := range found {
		t.Error(e.Detail())
	}
	if t.Failed() {
		t.FailNow()
	}
	return set
}

// show writes down a source with its settings in plain.
func show(s manifest.Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d", s.Name, s.ID)
	if s.Title != nil {
		fmt.Fprintf(&b, " title=%q", *s.Title)
	}
	if s.Description != nil {
		fmt.Fprintf(&b, " description=%q", *s.Description)
	}
	if s.Active != nil {
		fmt.Fprintf(&b, " active=%v", *s.Active)
	}
	for _, setting := range s.Settings {
		fmt.Fprintf(&b, " %s=%q", setting.Code, setting.Value.Text().Plain())
		if setting.Value.IsReference() {
			b.WriteString("(reference)")
		}
		if setting.Reveal {
			b.WriteString("(revealed)")
		}
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{
			"documentation's example",
			`
version: 1
sources:
  - id: 4
    title: New source name
    description: Updated source description
    active: false
    settings:
      login: new_admin
      password: new_password
`,
			[]string{`#4 4 title="New source name" description="Updated source description" active=false login="new_admin" password="new_password"`},
		},
		{
			"contract's example",
			`
version: 1
portal: https://acme.bitrix24.com
x-common: &common {host: db.internal}
sources:
  - name: crm
    id: 4
    title: New source name
    settings:
      login: new_admin
      password: {env: CRM_PASSWORD}
      token: {file: secrets/crm-token}
      port: 5432
    reveal: [login, port]
`,
			[]string{`crm 4 title="New source name" login="new_admin"(revealed) password=""(reference) token=""(reference) port="5432"(revealed)`},
		},
		{"nothing to do", "version: 1\nsources: []", nil},
		{"JSON", `{"version": 1, "sources": [{"id": 4, "title": "a", "settings": {"k": "v"}}]}`, []string{`#4 4 title="a" k="v"`}},
		{
			"merge keys",
			`
version: 1
x-a: &a {host: a, port: 1, login: a}
x-b: &b {host: b, database: b}
x-source: &source {title: all, active: true}
sources:
  - {<<: *source, id: 1}
  - {id: 2, title: own, <<: *source}
  - {id: 3, settings: {login: own, <<: [*a, *b], port: 2}}
  - {id: 4, settings: {<<: {host: inline}}}
  - {id: 5, settings: {"<<": quoted}}
`,
			[]string{
				`#1 1 title="all" active=true`,
				`#2 2 title="own" active=true`,
				`#3 3 login="own" host="a" database="b" port="2"`,
				`#4 4 host="inline"`,
				`#5 5 <<="quoted"`,
			},
		},
		{
			"merge of what merges",
			"version: 1\nx-a: &a {k: a, l: a}\nx-b: &b {<<: *a, k: b}\nsources: [{id: 1, settings: {<<: *b}}, {id: 2, settings: *b}]",
			[]string{`#1 1 l="a" k="b"`, `#2 2 l="a" k="b"`},
		},
		{
			"aliases",
			"version: 1\nx-t: &t one\nx-list: &list [{id: 1, title: *t, reveal: &none []}, &s {id: 2, title: two}]\nsources: *list",
			[]string{`#1 1 title="one"`, `#2 2 title="two"`},
		},
		{
			"settings keys and values",
			`
version: 1
sources:
  - id: 1
    settings:
      5432: integer key
      yes: word
      2024-01-01: 2024-01-01
      empty: ""
      zero: 0
      negative: -7
      huge: 123456789012345678901234567890
      quoted: "0123"
      words: no
      spaced: "  kept  "
      text: |
        two
        lines
      tagged: !!str 0x1F
      time: 12:30:45
      $result[x]: 'y $result[0]'
    reveal: [5432, huge]
`,
			[]string{`#1 1 5432="integer key"(revealed) yes="word" 2024-01-01="2024-01-01" empty="" zero="0" negative="-7" huge="123456789012345678901234567890"(revealed)` +
				` quoted="0123" words="no" spaced="  kept  " text="two\nlines\n" tagged="0x1F" time="12:30:45" $result[x]="y $result[0]"`},
		},
		{"a reference is never revealed", "version: 1\nsources: [{id: 1, settings: {p: {env: P}}, reveal: [p]}]", []string{`#1 1 p=""(reference)`}},
		{"words for booleans", "version: 1\nsources: [{id: 1, active: TRUE}, {id: 2, active: False}]", []string{"#1 1 active=true", "#2 2 active=false"}},
		{"texts that look like others", "version: 1\nsources: [{id: 1, title: 2024-01-01, description: ''}, {id: 2, title: yes}, {id: 3, title: ' '}]", []string{`#1 1 title="2024-01-01" description=""`, `#2 2 title="yes"`, `#3 3 title=" "`}},
		{
			"documents",
			"# comment\n---\n---\nversion: 1\nsources: [{id: 1, title: a}]\n...\n---\nversion: 1\nsources: [{id: 2, title: b}]\n---\n",
			[]string{`#1 1 title="a"`, `#2 2 title="b"`},
		},
		{"last id", "version: 1\nsources: [{id: 9223372036854775807, title: a}]", []string{`#9223372036854775807 9223372036854775807 title="a"`}},
		{"name as another's default, which has a name", `{version: 1, sources: [{id: 5, name: five, title: a}, {id: 6, name: "#5", title: a}]}`, []string{`five 5 title="a"`, `#5 6 title="a"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range parse(t, c.yaml).Sources {
				got = append(got, show(s))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestPositionsOfWhatIsRight(t *testing.T) {
	set := parse(t, `version: 1
portal: HTTPS://Acme.bitrix24.com:8443/
x-common: &common {host: db.internal}
sources:
  - name: crm
    id: 4
    settings:
      <<: *common
      login: new_admin
      password: {env: P}
---
version: 1
portal: http://127.0.0.1
sources: [{id: 5, title: a}]
`)
	var got []string
	for _, p := range set.Portals {
		got = append(got, p.Position.String()+" "+p.URL)
	}
	for _, s := range set.Sources {
		got = append(got, s.Position.String()+" "+s.Name)
		for _, setting := range s.Settings {
			got = append(got, setting.Position.String()+" "+setting.Code)
		}
	}
	want := []string{
		"<stdin>:2:9 HTTPS://Acme.bitrix24.com:8443/",
		"<stdin>:13:9 http://127.0.0.1",
		"<stdin>:5:5 crm",
		"<stdin>:3:26 host",
		"<stdin>:9:14 login",
		"<stdin>:10:17 password",
		"<stdin>:14:11 #5",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Load without the schema's check is of use to nobody, but must not fall over
// what the check would have reported.
func TestLoadWithoutSchema(t *testing.T) {
	const yaml = `
version: [1]
portal: {a: b}
sources:
  - 5
  - {id: x, title: 5, description: [], active: yes, name: {}, settings: [a], reveal: b}
  - {id: 7, title: a, settings: {a: null, b: 1.5, c: {}, d: {env: 5}, e: {x: y}, f: ok}}
`
	set := valid(manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml)}))(t)
	if len(set.Sources) != 2 || show(set.Sources[0]) != " 0" || show(set.Sources[1]) != `#7 7 title="a" f="ok"` {
		t.Errorf("got %v", set.Sources)
	}
}

func TestAllErrorsOfAllFilesInOrder(t *testing.T) {
	tree(t, map[string]string{
		"b.yaml": "version: 1\nsources:\n  - {id: 1, titel: a}\n  - {id: 2, title: ''}\n",
		"a.yaml": "version: 1\nsources:\n  - {id: 2, title: a}\n  - {id: 1, title: ''}\n",
	})
	_, found, err := load("b.yaml", "a.yaml")
	check(t, err)
	var got []string
	for _, e := range found {
		got = append(got, e.Position.String()+" "+e.Rule)
	}
	want := []string{
		"b.yaml:3:13 unknown-key",
		"b.yaml:4:20 empty",
		"a.yaml:3:10 duplicate-id",
		"a.yaml:4:10 duplicate-id",
		"a.yaml:4:20 empty",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A title may be used on each connector, also where these have no ids yet.
func TestOneTitleOnTwoConnectors(t *testing.T) {
	connector := "{name: %s, title: %[1]s, urlCheck: 'https://x.example', urlTableList: 'https://x.example', urlTableDescription: 'https://x.example', urlData: 'https://x.example', settings: []}"
	tree(t, map[string]string{"m.yaml": "version: 1\nconnectors: [" + fmt.Sprintf(connector, "a") + ", " + fmt.Sprintf(connector, "b") + `]
sources: [{name: s, title: T, connector: a}, {name: t, title: T, connector: b}]
`})
	if _, found, err := load("m.yaml"); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
}

// A key that an alias may repeat as a password is in no finding.
func TestAnchoredKeyIsNotShown(t *testing.T) {
	tree(t, map[string]string{"m.yaml": "version: 1\nsources: [{id: 1, &k s3cret: [], title: t, settings: {password: *k}}]\n"})
	_, found, err := load("m.yaml")
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	for _, f := range found {
		if strings.Contains(f.Detail(), "s3cret") {
			t.Error(f.Detail())
		}
	}
}
