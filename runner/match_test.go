package runner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// What the portal cannot change says so, and the rest is applied.
func TestImmutable(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{Name: "moved", ID: 13}, Connector: manifest.Ref{ID: 2}, Title: ptr("Moved")})
		set.Tables[0].ExternalName, set.Tables[0].ExternalCode, set.Tables[0].Source = ptr("Other"), ptr("other"), manifest.Ref{ID: 13}
		set.Tables = append(set.Tables, manifest.Table{Object: manifest.Object{Name: "crm_leads"}, Source: manifest.Ref{Name: "crm"}, ExternalName: ptr("Leads"), ExternalCode: ptr("leads"),
			Columns: []manifest.Column{{Name: "ID", Type: "string", ExternalCode: "id"}, {Name: "SUM", Type: "double", ExternalCode: "amount"}}})
		set.Tables = append(set.Tables, manifest.Table{Object: manifest.Object{Name: "old_deals"}, Source: manifest.Ref{ID: 21}, Columns: []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "number"}}})
		report := b.apply(runner.Options{Set: set})
		for i, want := range map[int]bool{3: true, 4: false, 5: false} {
			if hint := report.Objects[i].Error.Hint; strings.Contains(hint, "remove the table") != want || strings.Contains(hint, "--prune") == want {
				t.Errorf("%s: %s", report.Objects[i].Name, hint)
			}
		}
		counts(t, report, map[string]int{"unchanged": 2, "failed IMMUTABLE": 4})
		for _, want := range []string{"source (#11, declared #13)", `externalName ("Deals", declared "Other")`, `externalCode ("deals", declared "other")`, `column ID (int "id", declared int "number")`, "column ID", "the name of column AMOUNT"} {
			if !strings.Contains(report.Err().Error(), want) {
				t.Errorf("%q is not said: %v", want, report.Err())
			}
		}
	})
}

// Identity: by id, by title, by name.
func TestIdentity(t *testing.T) {
	state := grown()
	state.Sources = append(state.Sources, sandbox.Source{ID: 14, Title: "CRM", ConnectorID: 1})
	state.TakenNames = []string{"taken"}
	for name, tt := range map[string]struct {
		source manifest.Source
		want   map[string]int
		said   string
	}{
		"an id":                {manifest.Source{Object: manifest.Object{ID: 11, Name: "a"}, Title: ptr("CRM")}, map[string]int{"unchanged": 1}, ""},
		"an id that is not":    {manifest.Source{Object: manifest.Object{ID: 99, Name: "a"}, Title: ptr("CRM")}, map[string]int{"failed SOURCE_NOT_FOUND": 1}, ""},
		"a foreign id":         {manifest.Source{Object: manifest.Object{ID: 31, Name: "a"}, Title: ptr("CRM")}, map[string]int{"failed SOURCE_NOT_FOUND": 1}, ""},
		"two of the title":     {manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 1}, Title: ptr("CRM")}, map[string]int{"failed AMBIGUOUS": 1}, "#11, #14"},
		"of another connector": {manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 2}, Title: ptr("Shop"), Settings: []manifest.Setting{{Code: "host", Value: manifest.Literal("h")}}}, map[string]int{"created": 1}, ""},
		"a connector that is not": {manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 77}, Title: ptr("Shop")},
			map[string]int{"failed CONNECTOR_NOT_FOUND": 1}, ""},
		"another case of the title": {manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 1}, Title: ptr("shop"), Settings: []manifest.Setting{{Code: "host", Value: manifest.Literal("h")}}}, map[string]int{"created": 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onPortal(t, state, func(t *testing.T, b *bench) {
				plan := runner.Plan(context.Background(), b.client, runner.Options{Set: declares(tt.source)})
				report := b.apply(runner.Options{Set: declares(tt.source)})
				if diff := cmp.Diff(tt.want, statuses(report)); diff != "" || plan.Summary.Failed != report.Summary.Failed {
					t.Errorf("%s\n%v, in the plan %v", diff, report.Err(), statuses(plan))
				}
				if tt.said != "" && !strings.Contains(report.Err().Error(), tt.said) {
					t.Errorf("%v", report.Err())
				}
			})
		})
	}
	t.Run("two declarations of one object", func(t *testing.T) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			for _, of := range []manifest.Ref{{}, {ID: 2}} { // the second cannot be its connector, which is not what matters
				report := b.apply(runner.Options{Set: declares(
					manifest.Source{Object: manifest.Object{ID: 13, Name: "a", Position: manifest.Position{File: "a.yaml", Line: 3, Column: 5}}, Connector: of, Title: ptr("Shop")},
					manifest.Source{Object: manifest.Object{Name: "b", Position: manifest.Position{File: "b.yaml", Line: 7, Column: 5}}, Connector: manifest.Ref{ID: 1}, Title: ptr("Shop")},
				)})
				counts(t, report, map[string]int{"failed AMBIGUOUS": 2})
				if text := report.Err().Error(); !strings.Contains(text, "a.yaml:3:5") || !strings.Contains(text, "b.yaml:7:5") {
					t.Errorf("both places are not said: %s", text)
				}
			}
		})
	})
	t.Run("two of the title, and one of them by its id", func(t *testing.T) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: declares(
				manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 1}, Title: ptr("CRM")},
				manifest.Source{Object: manifest.Object{ID: 14, Name: "b"}, Title: ptr("CRM")},
			)})
			if o := report.Objects[0]; o.Error == nil || !strings.Contains(o.Error.Message, "#11, #14") || report.Summary.Failed != 2 {
				t.Errorf("%+v", report.Objects)
			}
		})
	})
	t.Run("a connector of which there are two", func(t *testing.T) {
		state := grown()
		state.Connectors[1].Title = "ERP"
		set := declares(manifest.Source{Object: manifest.Object{ID: 11, Name: "a"}, Connector: manifest.Ref{ID: 1}, Title: ptr("new")},
			manifest.Source{Object: manifest.Object{ID: 13, Name: "b"}, Connector: manifest.Ref{Name: "erp"}, Title: ptr("new")})
		set.Connectors = []manifest.Connector{{Object: manifest.Object{Name: "erp"}, Title: ptr("ERP")}}
		for all, want := range map[bool]map[string]int{
			true:  {"failed AMBIGUOUS": 1, "updated": 1, "skipped DEPENDENCY": 1},
			false: {"updated": 1, "skipped DEPENDENCY": 1},
		} {
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: set, Selected: func(o manifest.Object) bool { return all || o.Name != "erp" }})
				counts(t, report, want)
			})
		}
	})
	t.Run("another connector than the live one", func(t *testing.T) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			old := declaredConnector("old")
			set := declares(manifest.Source{Object: manifest.Object{ID: 11, Name: "a"}, Connector: manifest.Ref{Name: "old"}, Title: ptr("CRM")})
			set.Connectors = []manifest.Connector{{Object: manifest.Object{ID: 2, Name: "old"}, Title: ptr("Old"), URLData: old.URLData}}
			report := b.apply(runner.Options{Set: set})
			if o := report.Objects[1]; o.Error == nil || o.Error.Code != runner.CodeImmutable || o.Attempts > 0 {
				t.Errorf("%+v", o)
			}
		})
	})
	t.Run("a connector that is not there and not selected", func(t *testing.T) {
		onPortal(t, sandbox.State{}, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: fromNothing(1), Selected: func(o manifest.Object) bool { return o.Name == "s000" }})
			if diff := cmp.Diff(map[string]int{"failed DEPENDENCY": 1}, statuses(report)); diff != "" || !strings.Contains(report.Err().Error(), "not selected") {
				t.Errorf("%s\n%v", diff, report.Err())
			}
		})
	})
	t.Run("the exact title before a stored form of it", func(t *testing.T) {
		state := grown()
		state.Sources = append(state.Sources, sandbox.Source{ID: 15, Title: "a &amp; b", ConnectorID: 1}, sandbox.Source{ID: 16, Title: "a & b", ConnectorID: 1})
		onPortal(t, state, func(t *testing.T, b *bench) {
			plan := runner.Plan(context.Background(), b.client, runner.Options{Set: declares(
				manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 1}, Title: ptr("a & b")})})
			if o := plan.Objects[0]; o.ID != 16 || o.Status != runner.StatusUnchanged {
				t.Errorf("%+v", o)
			}
		})
	})
	t.Run("a table of a source that is not", func(t *testing.T) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			table := declaredTable("deals", "")
			table.Source = manifest.Ref{ID: 99}
			plan := runner.Plan(context.Background(), b.client, runner.Options{Set: &manifest.Set{Tables: []manifest.Table{table}}})
			counts(t, plan, map[string]int{"failed SOURCE_NOT_FOUND": 1})
		})
	})
	t.Run("a name that is taken", func(t *testing.T) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := declaringCRM()
			set.Sources[0].ID = 11
			set.Tables = append(set.Tables, declaredTable("taken", "crm"), declaredTable("their_deals", "crm"))
			report := b.apply(runner.Options{Set: set})
			counts(t, report, map[string]int{"unchanged": 3, "failed NAME_TAKEN": 2})
		})
	})
}

// What depends on an object that failed is skipped, and says on which;
// independent branches continue.
func TestDependency(t *testing.T) {
	state := grown()
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultConnection, Contains: "pw-bad"}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := fromNothing(0)
		set.Sources = []manifest.Source{declaredSource("bad", "erp"), declaredSource("good", "erp")}
		set.Tables = []manifest.Table{declaredTable("t_bad", "bad"), declaredTable("t_good", "good")}
		report := b.apply(runner.Options{Set: set})
		want := map[string]int{"updated": 1, "created": 2, "failed SOURCE_CREATE_CONNECTION_ERROR": 1, "skipped DEPENDENCY": 1}
		counts(t, report, want)
		if o := report.Objects[3]; o.Error == nil || !strings.Contains(o.Error.Message, `"bad"`) {
			t.Errorf("%+v", o)
		}
	})
}

// What depends on an object that was skipped is skipped too.
func TestDependencyOfADependency(t *testing.T) {
	state := sandbox.State{Faults: []sandbox.Fault{{Kind: sandbox.FaultError, Method: "biconnector.connector.add", At: sandbox.AtCommand, Status: 200, Code: "NO"}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		counts(t, b.apply(runner.Options{Set: fromNothing(1)}), map[string]int{"failed NO": 1, "skipped DEPENDENCY": 2})
	})
}

// What a source depends on is settled before the source is written: the portal
// drops a setting that its connector does not have yet.
func TestDependencyOnALostUpdate(t *testing.T) {
	state := sqlState(1)
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Method: "biconnector.connector.update", At: sandbox.AtCommand, Nth: []int{1}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Connector: manifest.Ref{Name: "c"}, Settings: []manifest.Setting{{Code: "new", Value: manifest.Literal("x")}}})
		set.Connectors = []manifest.Connector{{Object: manifest.Object{ID: 1, Name: "c"}, Settings: []manifest.SettingType{{Code: "new", Name: "New", Type: "STRING"}}}}
		counts(t, b.apply(runner.Options{Set: set}), map[string]int{"updated": 2})
	})
}

// A plan skips the change of a live object too where what it refers to failed,
// and leaves one alone that is as declared.
func TestDependencyInAPlan(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Sources[0].Settings = []manifest.Setting{{Code: "nope", Value: manifest.Literal("x")}}
		leads := set.Tables[0]
		leads.Name, leads.ExternalName, leads.ExternalCode, leads.Description = "crm_leads", ptr("Leads"), ptr("leads"), ptr("new")
		set.Tables = append(set.Tables, leads)
		want := map[string]int{"failed UNKNOWN_SETTING": 1, "unchanged": 2, "skipped DEPENDENCY": 1}
		counts(t, b.apply(runner.Options{Set: set}), want)
	})
}

// What depends on something that does not exist is not called unchanged: what it
// is declared to belong to is not known.
func TestDependencyThatDoesNotExist(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Connectors[0].ID, set.Sources[0].ID = 99, 11
		want := map[string]int{"failed CONNECTOR_NOT_FOUND": 1, "skipped DEPENDENCY": 1, "unchanged": 1} // the table is where it is to be
		counts(t, b.apply(runner.Options{Set: set}), want)
	})
}

// A plan says what the portal may have made of a text, where that is no more
// than a guess that the apply will show.
func TestNoteOnWhatIsStoredOtherwise(t *testing.T) {
	for live, tt := range map[string]struct{ declared, want string }{
		"a &amp; b":             {"a & b", "the portal shows the declared title with characters escaped as in HTML; "},
		"another":               {"a & b", ""},
		strings.Repeat("x", 60): {strings.Repeat("x", 60) + ", 2nd", ""}, // it may have been just that
	} {
		state := sqlState(1)
		state.Sources[0].Title = live
		onPortal(t, state, func(t *testing.T, b *bench) {
			plan := runner.Plan(t.Context(), b.client, runner.Options{Set: declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Title: &tt.declared})})
			if got := strings.Join(plan.Objects[0].Notes, "\n"); !strings.HasPrefix(got, tt.want) || got != "" && tt.want == "" {
				t.Errorf("%q, shown as %q: %q", tt.declared, live, got)
			}
		})
	}
}

// A plan that creates a source beside one that nobody declares says that a
// rename needs the id.
func TestRenameHint(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declares(manifest.Source{Object: manifest.Object{Name: "a"}, Connector: manifest.Ref{ID: 2}, Title: ptr("New CRM")})
		plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set})
		if notes := strings.Join(plan.Objects[0].Notes, "\n"); !strings.Contains(notes, `#21 "Old CRM"`) || !strings.Contains(notes, "id") {
			t.Errorf("%q", notes)
		}
		set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{ID: 21, Name: "b"}, Title: ptr("Old CRM")})
		plan = runner.Plan(context.Background(), b.client, runner.Options{Set: set})
		if notes := plan.Objects[0].Notes; len(notes) > 0 {
			t.Errorf("all of the connector are declared: %q", notes)
		}
	})
}
