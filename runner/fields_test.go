package runner_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// Each field of a connector that differs is written, and no other.
func TestFieldsOfAConnector(t *testing.T) {
	for path, edit := range map[string]func(c *manifest.Connector){
		"title":               func(c *manifest.Connector) { c.ID, c.Title = 1, ptr("New") },
		"description":         func(c *manifest.Connector) { c.Description = ptr("new") },
		"logo":                func(c *manifest.Connector) { c.Logo = &manifest.Logo{URL: "https://x.example/new.png"} },
		"sort":                func(c *manifest.Connector) { c.Sort = ptr(int64(7)) },
		"urlCheck":            func(c *manifest.Connector) { c.URLCheck = ptr("https://y.example") },
		"urlTableList":        func(c *manifest.Connector) { c.URLTableList = ptr("https://y.example") },
		"urlTableDescription": func(c *manifest.Connector) { c.URLTableDescription = ptr("https://y.example") },
		"urlData":             func(c *manifest.Connector) { c.URLData = ptr("https://y.example") },
		"supportMapping":      func(c *manifest.Connector) { c.SupportMapping = ptr(true) },
		"settings.host":       func(c *manifest.Connector) { c.Settings[0].Name = "Server" },
	} {
		onPortal(t, sandbox.State{}, func(t *testing.T, b *bench) {
			set := fromNothing(0)
			set.Connectors[0].Logo = &manifest.Logo{URL: "https://x.example/old.png"}
			for run, want := range []string{"created", "unchanged", "updated", "unchanged"} {
				before, _ := b.Connector(1)
				report := b.apply(runner.Options{Set: set})
				o := report.Objects[0]
				if string(o.Status) != want || run == 2 && (len(o.Changes) != 1 || o.Changes[0].Path != path) {
					t.Errorf("%s, run %d: %+v", path, run, o)
				}
				if run == 2 {
					after, _ := b.Connector(1)
					if n := strings.Count(cmp.Diff(before, after), "\n+"); n != 1 {
						t.Errorf("%s: changed are\n%s", path, cmp.Diff(before, after))
					}
				}
				if run == 1 {
					edit(&set.Connectors[0])
				}
			}
		})
	}
}

// The name of a setting that cannot be read exactly is not sent back, but
// matters only to an update that would.
func TestUncleanSettingOfAConnector(t *testing.T) {
	host := manifest.SettingType{Code: "host", Name: "Host", Type: "STRING"}
	added := manifest.SettingType{Code: "new", Name: "New", Type: "STRING"}
	for name, tt := range map[string]struct {
		edit  func(*manifest.Connector)
		prune bool
		want  string
	}{
		"another setting": {func(c *manifest.Connector) { c.Settings = []manifest.SettingType{added} }, false, "failed " + runner.CodeUncleanText},
		"it is declared":  {func(c *manifest.Connector) { c.Settings = []manifest.SettingType{host, added} }, false, "updated"},
		"it is removed":   {func(c *manifest.Connector) { c.Settings = []manifest.SettingType{added} }, true, "updated"},
		"another field":   {func(c *manifest.Connector) { c.Sort = ptr(int64(7)) }, false, "updated"},
	} {
		state := sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "a\xcf", Settings: []sandbox.SettingType{{Code: "host", Name: "a\xcf"}, {Code: "login", Name: "Login"}}}}}
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := &manifest.Set{Connectors: []manifest.Connector{{Object: manifest.Object{ID: 1, Name: "erp"}}}}
			tt.edit(&set.Connectors[0])
			report := b.apply(runner.Options{Set: set, Prune: tt.prune})
			if got := statuses(report); got[tt.want] != 1 {
				t.Errorf("%s: %v, want %s", name, report.Objects, tt.want)
			}
			if c, _ := b.Connector(1); name == "another field" && c.Settings[0].Name != "a\xcf" {
				t.Errorf("%s: the name was sent back as %q", name, c.Settings[0].Name)
			}
		})
	}
}

// A column of another type is replaced, and the new one hidden if that is
// declared.
func TestReplaceHiddenColumn(t *testing.T) {
	state := grown()
	state.Tables[0].Columns[1].Visible = ptr(false)
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Declares = manifest.Declares{}
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "string", ExternalCode: "amount", Visible: ptr(false)}}
		report := b.apply(runner.Options{Set: set, Prune: true})
		table, _ := b.Table(101)
		i := slices.IndexFunc(table.Columns, func(c sandbox.Column) bool { return c.Name == "AMOUNT" })
		if o := report.Objects[2]; o.Status != runner.StatusUpdated || len(o.Changes) != 2 || i < 0 || table.Columns[i].Type != "string" || *table.Columns[i].Visible {
			t.Errorf("%+v\n%+v", o, table)
		}
	})
}

// A source may be created without settings.
func TestCreateWithoutSettings(t *testing.T) {
	onPortal(t, erpState(), func(t *testing.T, b *bench) {
		set := newSources(2)
		set.Sources[0].Settings, set.Sources[1].Settings = nil, nil
		for _, want := range []string{"created", "unchanged"} {
			if report := b.apply(runner.Options{Set: set}); statuses(report)[want] != 2 {
				t.Errorf("%v, want %s: %v", statuses(report), want, report.Err())
			}
		}
	})
}

// What PHP trims off a value makes no difference, and nothing else is trimmed.
func TestTrimmedSettings(t *testing.T) {
	state := sqlState(1)
	state.Sources[0].Settings = map[string]string{"login": " as it is "}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Settings: []manifest.Setting{{Code: "login", Value: manifest.Literal(" as it is ")}}})
		for _, want := range []string{"unchanged", "updated", "unchanged"} {
			if report := b.apply(runner.Options{Set: set}); statuses(report)[want] != 1 {
				t.Errorf("%v, want %s: %v", statuses(report), want, report.Err())
			}
			set.Sources[0].Settings[0].Value = manifest.Literal(" \t\v\x00\fx\f\r\n")
		}
	})
}

// What a connector says of its settings is checked before anything is sent, and
// the hint is about that connector.
func TestSettingsOfAConnector(t *testing.T) {
	five := sqlState(1)
	five.Sources[0].Settings["port"] = "5"
	for name, tt := range map[string]struct {
		code, value, want string
		state             sandbox.State
		hint, no          string
	}{
		"an integer":          {"port", "-5", "", sqlState(1), "", ""},
		"no integer any more": {"port", "", "", five, "", ""},
		"a sign":              {"port", "-", "VALIDATION_INVALID_FIELD_TYPE", sqlState(1), "whole number", ""},
		"two signs":           {"port", "--5", "VALIDATION_INVALID_FIELD_TYPE", sqlState(1), "whole number", ""},
		"unknown":             {"hots", "x", runner.CodeUnknownSetting, sqlState(1), "declared settings: host, login, password, port", "select the connector"},
		"none is declared":    {"x", "x", runner.CodeUnknownSetting, sandbox.State{Connectors: []sandbox.Connector{{ID: 1}}, Sources: []sandbox.Source{{ID: 1, Title: "s", ConnectorID: 1}}}, "must declare a setting", "declared settings"},
	} {
		onPortal(t, tt.state, func(t *testing.T, b *bench) {
			set := declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Connector: manifest.Ref{Name: "c"}, Title: ptr("new"), Settings: []manifest.Setting{{Code: tt.code, Value: manifest.Literal(tt.value)}}})
			set.Connectors = []manifest.Connector{{Object: manifest.Object{ID: 1, Name: "c"}}}
			f := runner.Plan(context.Background(), b.client, runner.Options{Set: set}).Objects[1].Error
			switch {
			case (f != nil) != (tt.want != "") || f != nil && f.Code != tt.want:
				t.Errorf("%s: %v, want %q", name, f, tt.want)
			case f != nil && (!strings.Contains(f.Hint, tt.hint) || tt.no != "" && strings.Contains(f.Hint, tt.no)):
				t.Errorf("%s: hint %q", name, f.Hint)
			}
		})
	}
	t.Run("not selected", func(t *testing.T) {
		onPortal(t, sqlState(1), func(t *testing.T, b *bench) {
			set := declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Connector: manifest.Ref{Name: "c"}, Settings: []manifest.Setting{{Code: "new", Value: manifest.Literal("x")}}})
			set.Connectors = []manifest.Connector{{Object: manifest.Object{ID: 1, Name: "c"}, Settings: []manifest.SettingType{{Code: "new", Name: "New", Type: "STRING"}}}}
			report := b.apply(runner.Options{Set: set, Selected: func(o manifest.Object) bool { return o.Name == "s" }})
			if f := report.Objects[0].Error; f == nil || f.Code != runner.CodeUnknownSetting || !strings.Contains(f.Hint, "select the connector") {
				t.Errorf("%v", f)
			}
		})
	})
	t.Run("to be created", func(t *testing.T) {
		onPortal(t, sandbox.State{}, func(t *testing.T, b *bench) {
			set := fromNothing(1)
			set.Sources[0].Settings[0].Code = "nope"
			plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set})
			if f := plan.Objects[1].Error; f == nil || f.Code != runner.CodeUnknownSetting || strings.Contains(f.Message, "#") {
				t.Errorf("%v", f)
			}
		})
	})
}
