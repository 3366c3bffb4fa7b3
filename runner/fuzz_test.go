package runner_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// FuzzApply declares any texts for a source behind another one in the same
// batch, on a portal that reads requests as PHP does: whatever a batch would
// make of them, the portal has them afterwards as they are declared, and a
// second run sends nothing.
func FuzzApply(f *testing.F) {
	for _, s := range texts {
		f.Add("title", s, "login", s)
		f.Add("x"+s, "", s, "value")
	}
	f.Add("$result[c0]", "$RESULT[c1][x]y", "a[b]", "\v\x00 x \t")
	f.Add("%24result[c0]", "&auth=x#y?z", "a.b c", "+")
	f.Fuzz(func(t *testing.T, title, description, code, value string) {
		for _, s := range []string{title, description, code, value} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > 10_000 {
				t.Skip() // no manifest can hold it
			}
		}
		if title == "" || title == "0" || code == "" {
			t.Skip()
		}
		state := sqlState(2)
		state.Connectors[0].Settings = []sandbox.SettingType{{Code: code}}
		state.Sources[0].Settings, state.Sources[1].Settings = nil, nil
		declared := []manifest.Source{
			{Object: manifest.Object{ID: 1, Name: "#1"}, Title: ptr("before")},
			{Object: manifest.Object{ID: 2, Name: "#2"}, Title: &title, Description: &description, Settings: []manifest.Setting{{Code: code, Value: manifest.Literal(value)}}},
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: declares(declared...)})
			live, _ := b.Source(2)
			if open := differing(&declared[1], live); len(open) > 0 {
				t.Errorf("the portal does not show %v but %+v; %s", open, live, outcomeOf(&report.Objects[1]))
			}
			if s := report.Objects[1].Status; s != runner.StatusUpdated {
				t.Errorf("%s", outcomeOf(&report.Objects[1]))
			}
			if len(live.Settings) > 1 {
				t.Errorf("other settings appeared: %q", live.Settings)
			}
			again := b.apply(runner.Options{Set: declares(declared...)})
			if again.Summary.Unchanged != 2 || b.Stats().Updates[2] != 1 {
				t.Errorf("the second run: %+v after %d updates", again.Summary, b.Stats().Updates[2])
			}
		})
	})
}
