package runner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
)

func text(s string) *string { return &s }
func flag(b bool) *bool     { return &b }
func ptr[T any](v T) *T     { return &v }

func declares(list ...manifest.Source) *manifest.Set { return &manifest.Set{Sources: list} }

func setting(code, value string, reveal bool) manifest.Setting {
	return manifest.Setting{Code: code, Value: manifest.Literal(value), Reveal: reveal}
}

func liveSource(id int64, title string, settings ...string) bitrix.Source {
	s := bitrix.Source{ID: id, Title: title, Active: rest.False, ConnectorID: 1}
	for i := 0; i+1 < len(settings); i += 2 {
		s.Settings = append(s.Settings, bitrix.Setting{Code: settings[i], Value: secret.New(settings[i+1])})
	}
	return s
}

func TestCompare(t *testing.T) {
	known := map[int64]*bitrix.Connector{1: {ID: 1, Title: "SQL", Settings: []bitrix.SettingType{
		{Code: "host", Type: "STRING"}, {Code: "port", Type: "INT"}, {Code: "password", Type: "STRING"}}}}
	tests := map[string]struct {
		desired manifest.Source
		live    bitrix.Source
		status  Status
		changes []Change
		code    string
		hint    string
	}{
		"as declared": {
			desired: manifest.Source{Title: text("A"), Settings: []manifest.Setting{setting("host", "h", true)}},
			live:    liveSource(1, "A", "host", "h", "password", "p"),
			status:  StatusUnchanged,
		},
		"title": {
			desired: manifest.Source{Title: text("B")},
			live:    liveSource(1, "A"),
			status:  StatusPlanned,
			changes: []Change{{Path: "title", From: "A", To: "B"}},
		},
		"what the portal trims is no difference": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("host", " \t\v h\n\x00", true)}},
			live:    liveSource(1, "A", "host", "h"),
			status:  StatusUnchanged,
		},
		"other white space is one": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("host", "h\u00a0", true)}},
			live:    liveSource(1, "A", "host", "h"),
			status:  StatusPlanned,
			changes: []Change{{Path: "settings.host", From: "h", To: "h\u00a0"}},
		},
		"empty equals absent": {
			desired: manifest.Source{Description: text(""), Settings: []manifest.Setting{setting("host", "", true)}},
			live:    liveSource(1, "A"),
			status:  StatusUnchanged,
		},
		"secret": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("password", "new", false)}},
			live:    liveSource(1, "A", "password", "old"),
			status:  StatusPlanned,
			changes: []Change{{Path: "settings.password", Sensitive: true}},
		},
		"active": {
			desired: manifest.Source{Active: flag(true)},
			live:    liveSource(1, "A"),
			status:  StatusPlanned,
			changes: []Change{{Path: "active", From: false, To: true}},
		},
		"unknown setting": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("pasword", "new", false)}},
			live:    liveSource(1, "A"),
			status:  StatusFailed,
			changes: []Change{{Path: "settings.pasword", Sensitive: true}},
			code:    CodeUnknownSetting,
			hint:    `did you mean "password"`,
		},
		"shown by the portal, so it exists": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("legacy", "new", true)}},
			live:    liveSource(1, "A", "legacy", "old"),
			status:  StatusPlanned,
			changes: []Change{{Path: "settings.legacy", From: "old", To: "new"}},
		},
		"not an integer": {
			desired: manifest.Source{Settings: []manifest.Setting{setting("port", "5432a", true)}},
			live:    liveSource(1, "A", "port", "1"),
			status:  StatusFailed,
			changes: []Change{{Path: "settings.port", From: "1", To: "5432a"}},
			code:    "VALIDATION_INVALID_FIELD_TYPE",
		},
		"no title anywhere": {
			desired: manifest.Source{Description: text("d")},
			live:    liveSource(1, "0"),
			status:  StatusFailed,
			changes: []Change{{Path: "description", From: "", To: "d"}},
			code:    "PORTAL_ERROR",
			hint:    "declare a title",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.desired.ID = 1
			steps, _ := Compare(declares(tt.desired), Live{Sources: map[int64]*bitrix.Source{1: &tt.live}, Connectors: known}, Choices{}).results()
			step := steps[0]
			if step.Status != tt.status {
				t.Errorf("status %s, want %s (%v)", step.Status, tt.status, step.Error)
			}
			if diff := cmp.Diff(tt.changes, step.Changes, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("changes:\n%s", diff)
			}
			if tt.code == "" {
				if step.Error != nil {
					t.Errorf("failed: %v", step.Error)
				}
				return
			}
			if step.Error == nil || step.Error.Code != tt.code || !strings.Contains(step.Error.Hint, tt.hint) {
				t.Errorf("error %+v, want code %s and a hint with %q", step.Error, tt.code, tt.hint)
			}
		})
	}
}

func TestCompareMissingSource(t *testing.T) {
	steps, _ := Compare(declares(manifest.Source{Object: manifest.Object{ID: 7}, Title: text("A")}), Live{}, Choices{}).results()
	if steps[0].Status != StatusFailed || steps[0].Error.Code != "SOURCE_NOT_FOUND" {
		t.Errorf("%+v", steps[0])
	}
}

// The checksum stands for the changes: it follows every part of them, and the
// key.
func TestChecksum(t *testing.T) {
	portal := "https://portal.example"
	sum := func(title, password, livePassword, key string) string {
		steps := Compare(
			declares(manifest.Source{Object: manifest.Object{ID: 1}, Title: text(title), Settings: []manifest.Setting{setting("password", password, false)}}),
			Live{Sources: map[int64]*bitrix.Source{1: ptr(liveSource(1, "A", "password", livePassword))}}, Choices{})
		return steps.checksum(portal, secret.New(key))
	}
	base := sum("B", "new", "old", "key")
	if base != sum("B", "new", "old", "key") {
		t.Error("not the same twice")
	}
	for name, other := range map[string]string{
		"title": sum("C", "new", "old", "key"), "secret": sum("B", "newer", "old", "key"),
		"live": sum("B", "new", "older", "key"), "key": sum("B", "new", "old", "other"),
	} {
		if other == base {
			t.Errorf("the same with another %s", name)
		}
	}
	if portal = "https://other.example"; base == sum("B", "new", "old", "key") {
		t.Error("the same on another portal")
	}
}

// A pattern of keep stands for all of a title, whatever that holds.
// Plans that differ in any part have different checksums, wherever one part
// ends and the next begins.
func TestChecksumOfEachPart(t *testing.T) {
	live := Live{Connectors: map[int64]*bitrix.Connector{1: {ID: 1, Title: "old"}, 2: {ID: 2, Title: "old"}}, Sources: map[int64]*bitrix.Source{1: {ID: 1, Title: "old", Description: "old"}, 12: {ID: 12, Title: "old"}}}
	seen := map[string]int{}
	for i, set := range []*manifest.Set{
		declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Title: text("new")}),
		declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "2s"}, Title: text("new")}),
		declares(manifest.Source{Object: manifest.Object{ID: 12, Name: "s"}, Title: text("new")}),
		declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Description: text("new")}),
		{Connectors: []manifest.Connector{{Object: manifest.Object{ID: 1, Name: "s"}, Title: text("new")}}},
		declares(manifest.Source{Object: manifest.Object{Name: "s"}, Title: text("new"), Connector: manifest.Ref{ID: 1}}),
		declares(manifest.Source{Object: manifest.Object{Name: "s"}, Title: text("new"), Connector: manifest.Ref{ID: 2}}),
		{Declares: manifest.Declares{Connectors: true}},
		{Declares: manifest.Declares{Connectors: true}},
	} {
		if i == 8 {
			live.Connectors[1].Title = "renamed before it is removed"
		}
		sum := Compare(set, live, Choices{Prune: len(set.Sources) == 0}).checksum("https://portal.example", secret.New("k"))
		if other, twice := seen[sum]; twice {
			t.Errorf("the plans %d and %d have one checksum", other, i)
		}
		seen[sum] = i
	}
}

// What a portal shows in place of a value is told from a value.
func TestMasked(t *testing.T) {
	for text, want := range map[string]bool{"****": true, "•••": true, "xxxx": true, "-": true, "": false, "7": false, "aaa": false, "secret": false} {
		if masked(text) != want {
			t.Errorf("%q is masked: %t", text, !want)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, bad := range []string{"-1", "x", "101%", "5 %", "+5", "1.5", "%", "05"} {
		if _, err := ParseLimit(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	for _, tt := range []struct {
		limit             string
		changes, targeted int
		want              bool
	}{
		{"", 1000, 1000, true}, {"0", 0, 10, true}, {"0", 1, 10, false}, {"3", 3, 10, true}, {"3", 4, 10, false},
		{"5%", 4, 99, true}, {"5%", 5, 99, false}, {"100%", 9, 9, true}, {"0%", 1, 9, false},
	} {
		l, err := ParseLimit(tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.allows(tt.changes, tt.targeted); got != tt.want {
			t.Errorf("%q allows %d of %d: %v", tt.limit, tt.changes, tt.targeted, got)
		}
		if l.String() != tt.limit {
			t.Errorf("%q prints as %q", tt.limit, l)
		}
	}
}
