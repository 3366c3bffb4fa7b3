package manifest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
	"syncsources/manifest"
	"syncsources/schema"
)

func written(t *testing.T, live manifest.Live, o manifest.WriteOptions) (string, *manifest.Written) {
	t.Helper()
	var b strings.Builder
	result := must(manifest.Write(&b, live, o))(t)
	return b.String(), result
}

func live() manifest.Live {
	no, yes := false, true
	return manifest.Live{
		Portal: "https://acme.bitrix24.com",
		Connectors: []manifest.LiveConnector{
			{ID: 1, Title: "SQL", Sort: 100, URLCheck: "https://a/check", URLTableList: "https://a/list", URLTableDescription: "https://a/describe", URLData: "https://{{x}}", SupportMapping: &no,
				Logo: "data:image/png;base64,AAAA", Settings: []manifest.SettingType{{Code: "password", Name: "Password", Type: "STRING"}, {Code: "port", Name: "Port", Type: "INT"}}},
			{ID: 2, Title: "SQL", Description: "Second", Logo: "https://a/logo.svg", Sort: -5, URLCheck: "c", URLTableList: "l", URLTableDescription: "d", URLData: "${DATA}"},
		},
		Sources: []manifest.LiveSource{
			{ID: 4, ConnectorID: 1, Title: "Заказы магазина: 2024 (всё, что было и будет в нём)", Description: "Orders", Active: &yes, Settings: []manifest.LiveSetting{
				{Code: "password", Value: secret.New("s3cret")}, {Code: "port", Value: secret.New("5432")}, {Code: "host", Value: secret.New("${HOST}")}, {Code: "empty"},
			}},
			{ID: 5, ConnectorID: 1, Title: "2024", Active: &no},
			{ID: 6, ConnectorID: 9, Title: "0", Unclean: []string{"settings.bad"}, Settings: []manifest.LiveSetting{{Code: "bad", Value: secret.New("s3cret")}}},
			{ID: 7, ConnectorID: 2, Title: "yes", Description: "$HOME"},
			{ID: 8, ConnectorID: 2, Title: "Yes!", Unclean: []string{"title"}},
		},
		Tables: []manifest.LiveTable{
			{ID: 1, SourceID: 4, Name: "orders", ExternalName: "Orders", ExternalCode: "%CODE%", Columns: []manifest.Column{
				{Name: "ID", Type: "int", ExternalCode: "id", Visible: &yes}, {Name: "SUM", Type: "double", ExternalCode: "", Visible: &no}, {Name: "NEW", Type: "geo", ExternalCode: "x"},
			}},
			{ID: 2, SourceID: 99, Name: "others", ExternalName: "", ExternalCode: "o", Description: "d", Columns: []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}},
			{ID: 3, SourceID: 4, Name: "none"},
		},
	}
}

func TestWrite(t *testing.T) {
	text, result := written(t, live(), manifest.WriteOptions{EnvPrefix: "ACME_", Values: func(code string) bool { return code != "password" }})
	const golden = "testdata/export.yaml"
	if *update {
		check(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	want := must(os.ReadFile(golden))(t)
	if text != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if strings.Contains(text, "s3cret") {
		t.Error("a secret is written")
	}
	if got := fmt.Sprint(result.Variables); got != `[{ACME_SOURCE_4_PASSWORD 4 Заказы магазина: 2024 (всё, что было и будет в нём) password}]` {
		t.Errorf("variables: %s", got)
	}
	if len(result.LeftOut) != 6 {
		t.Errorf("left out:\n%s", strings.Join(result.LeftOut, "\n"))
	}
	parse(t, text)
	parse(t, text+text[:0]+"---\nversion: 1\nsources: []\n") // several can be put together
}

func TestWriteNothing(t *testing.T) {
	text, _ := written(t, manifest.Live{}, manifest.WriteOptions{})
	if text != "---\nversion: 1\nsources: []\n" {
		t.Errorf("got %q", text)
	}
}

// Names of other manifests are kept, and not used for something else.
func TestWriteBesideOtherManifests(t *testing.T) {
	declared := parse(t, "version: 1\nconnectors: [{name: db, id: 1}]\nsources: [{name: yes, id: 99, title: a}]\n")
	text, _ := written(t, manifest.Live{Sources: live().Sources[3:4], Tables: live().Tables[:1]}, manifest.WriteOptions{Declared: declared, Active: true})
	text2, _ := written(t, manifest.Live{Sources: live().Sources[1:2]}, manifest.WriteOptions{Declared: declared, Active: true})
	if !strings.Contains(text, "name: yes-2\n    id: 7\n    connector: 2\n") || !strings.Contains(text, "source: 4\n") {
		t.Errorf("got\n%s", text)
	}
	if !strings.Contains(text2, "name: source-2024\n    id: 5\n    connector: db\n    title: \"2024\"\n    active: false\n") {
		t.Errorf("got\n%s", text2)
	}
}

// What the schema calls a placeholder is what Write writes as a literal.
func TestPlaceholderIsTheSchemas(t *testing.T) {
	var document struct {
		Definitions map[string]struct{ Pattern string }
	}
	check(t, json.Unmarshal(schema.Sources(), &document))
	source := must(os.ReadFile("emit.go"))(t)
	if pattern := document.Definitions["placeholder"].Pattern; pattern == "" || !strings.Contains(string(source), "`"+pattern+"`") {
		t.Errorf("emit.go does not have %s", pattern)
	}
}

// FuzzWrite writes any texts and loads what was written: there is no finding,
// and it declares what is live.
func FuzzWrite(f *testing.F) {
	f.Add("Title", "Description", "login", "value", "externalName", int64(4))
	f.Add("${X}", "%PATH%", "<<", "0x1F", "{{ a }}", int64(1))
	f.Add("007", "\u2028\ufeff", "a: b", "- x\n y", "# no", int64(2))
	f.Add("yes", "~", "null", "5432", "\x1b[0m\u202e", int64(3))
	f.Add("a\xff", "b\ufffd", "\x00", "", "*a", int64(1<<62))
	f.Fuzz(func(t *testing.T, title, description, code, value, external string, id int64) {
		if id < 1 {
			return // the portal has none
		}
		text, result := written(t, manifest.Live{
			Connectors: []manifest.LiveConnector{{ID: id, Title: title, Description: description, Logo: external, URLCheck: value, URLData: "d", URLTableList: "l", URLTableDescription: title, Settings: []manifest.SettingType{{Code: code, Name: title, Type: "INT"}}}},
			Sources:    []manifest.LiveSource{{ID: id, ConnectorID: id, Title: title, Description: description, Settings: []manifest.LiveSetting{{Code: code, Value: secret.New(value)}, {Code: "other", Value: secret.New(title)}}}},
			Tables:     []manifest.LiveTable{{ID: 1, SourceID: id, Name: "t", ExternalName: external, ExternalCode: title, Description: description, Columns: []manifest.Column{{Name: "A", Type: "int", ExternalCode: external}}}},
		}, manifest.WriteOptions{Values: func(code string) bool { return code != "other" }})
		set := parse(t, text)
		if len(set.Connectors) != 1 {
			t.Fatalf("no connector in\n%s", text)
		}
		for _, s := range set.Sources {
			if s.Title != nil && *s.Title != title || s.Description != nil && *s.Description != description || s.ID != id || s.Connector.Name != set.Connectors[0].Name {
				t.Errorf("%+v is not as live in\n%s", s, text)
			}
			for _, setting := range s.Settings {
				if setting.Code == code && code != "other" && (!setting.Reveal && !setting.Value.IsReference() || !setting.Value.IsReference() && setting.Value.Text().Plain() != value) {
					t.Errorf("the setting %q is not as live in\n%s", setting.Code, text)
				}
			}
		}
		for _, table := range set.Tables {
			if *table.ExternalName != external || *table.ExternalCode != title || table.Columns[0].ExternalCode != external {
				t.Errorf("%+v is not as live in\n%s", table, text)
			}
		}
		if len(set.Sources)+len(set.Tables) < 2 && len(result.LeftOut) == 0 {
			t.Errorf("something is left out without a word:\n%s", text)
		}
	})
}

// What nobody sees, or what makes others seen otherwise, is written as an escape.
func TestWriteShowsWhatIsHidden(t *testing.T) {
	text, _ := written(t, manifest.Live{Sources: []manifest.LiveSource{{ID: 4, Title: "a\u202eb\u200bc\U000e0041"}}}, manifest.WriteOptions{})
	if !strings.Contains(text, `"a\u202Eb\u200Bc\U000E0041"`) {
		t.Errorf("got\n%s", text)
	}
}

// A source of which nothing can be declared is left out, and its tables refer
// to its id. Two settings never share a variable.
func TestWriteLeavesOut(t *testing.T) {
	text, result := written(t, manifest.Live{
		Sources: []manifest.LiveSource{
			{ID: 10, ConnectorID: 1, Title: "a", Unclean: []string{"title", "description"}},
			{ID: 11, ConnectorID: 1, Title: "b", Settings: []manifest.LiveSetting{{Code: "a-b", Value: secret.New("x")}, {Code: "a_b", Value: secret.New("y")}}},
		},
		Tables: []manifest.LiveTable{{ID: 1, SourceID: 10, Name: "t", Columns: []manifest.Column{{Name: "A", Type: "int", ExternalCode: "a"}}}},
	}, manifest.WriteOptions{})
	if !strings.Contains(text, "source: 10\n") || strings.Contains(text, "id: 10\n") || len(result.LeftOut) != 2 {
		t.Errorf("left out %q:\n%s", result.LeftOut, text)
	}
	if !strings.Contains(text, "a-b: {env: SOURCE_11_A_B}\n      a_b: {env: SOURCE_11_A_B_2}\n") {
		t.Errorf("got\n%s", text)
	}
	parse(t, text)
}
