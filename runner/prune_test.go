package runner_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// grown is a portal with two connectors, their sources and tables, and what
// another application has.
func grown() sandbox.State {
	column := []sandbox.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "double", ExternalCode: "amount"}}
	settings := []sandbox.SettingType{{Code: "host", Name: "Host"}, {Code: "password", Name: "Password"}}
	return sandbox.State{
		Connectors: []sandbox.Connector{
			{ID: 1, Title: "ERP", Settings: settings}, {ID: 2, Title: "Old", Settings: settings},
			{ID: 3, Title: "Foreign", Owner: "another application", Settings: settings},
		},
		Sources: []sandbox.Source{
			{ID: 11, Title: "CRM", ConnectorID: 1, Settings: map[string]string{"password": "p", "host": "h"}},
			{ID: 12, Title: "Finance 1", ConnectorID: 1, CreatedByID: 7},
			{ID: 13, Title: "Shop", ConnectorID: 1},
			{ID: 21, Title: "Old CRM", ConnectorID: 2},
			{ID: 31, Title: "Theirs", ConnectorID: 3},
		},
		Tables: []sandbox.Table{
			{ID: 101, Name: "crm_deals", SourceID: 11, ExternalName: "Deals", ExternalCode: "deals", Columns: column},
			{ID: 102, Name: "crm_leads", SourceID: 11, ExternalName: "Leads", ExternalCode: "leads", Columns: column},
			{ID: 103, Name: "shop_orders", SourceID: 13, ExternalName: "Orders", ExternalCode: "orders", Columns: column},
			{ID: 104, Name: "old_deals", SourceID: 21, ExternalName: "Deals", ExternalCode: "deals", Columns: column},
			{ID: 105, Name: "their_deals", SourceID: 31, ExternalName: "Deals", ExternalCode: "deals", Columns: column},
		},
	}
}

// declaringCRM declares the ERP connector, its CRM source, and the table
// crm_deals.
func declaringCRM() *manifest.Set {
	c := declaredConnector("erp")
	return &manifest.Set{
		Connectors: []manifest.Connector{{Object: manifest.Object{Name: "erp"}, Title: c.Title}},
		Sources:    []manifest.Source{{Object: manifest.Object{Name: "crm"}, Connector: manifest.Ref{Name: "erp"}, Title: ptr("CRM")}},
		Tables: []manifest.Table{{Object: manifest.Object{Name: "crm_deals"}, Source: manifest.Ref{Name: "crm"},
			ExternalName: ptr("Deals"), ExternalCode: ptr("deals")}},
		Declares: manifest.Declares{Connectors: true, Sources: true, Tables: true},
	}
}

// removals lists what a report removes, in its order.
func removals(r *runner.Report) []string {
	var list []string
	for _, o := range r.Objects {
		if o.Action == runner.ActionDelete {
			list = append(list, string(o.Kind)+" "+o.Title)
		}
	}
	return list
}

func TestPrune(t *testing.T) {
	everything := []string{"table crm_leads", "table shop_orders", "table old_deals", "source Finance 1", "source Shop", "source Old CRM", "connector Old"}
	for name, tt := range map[string]struct {
		change func(*manifest.Set)
		want   []string
		note   string
	}{
		"all kinds": {func(*manifest.Set) {}, everything, ""},
		"tables alone": {func(s *manifest.Set) { s.Declares = manifest.Declares{Tables: true} },
			[]string{"table crm_leads", "table shop_orders"}, ""},
		"sources alone take their tables along": {func(s *manifest.Set) { s.Declares = manifest.Declares{Sources: true} },
			[]string{"table shop_orders", "source Finance 1", "source Shop"}, ""},
		"connectors alone take all below along": {func(s *manifest.Set) { s.Declares = manifest.Declares{Connectors: true} },
			[]string{"table old_deals", "source Old CRM", "connector Old"}, ""},
		"a kept source keeps its connector": {func(s *manifest.Set) { s.Keep.Sources = []manifest.Pattern{{ID: 21}} },
			[]string{"table crm_leads", "table shop_orders", "table old_deals", "source Finance 1", "source Shop"}, `connector #2 "Old" stays: source #21 "Old CRM" is kept`},
		"a kept table keeps its source": {func(s *manifest.Set) { s.Keep.Tables = []manifest.Pattern{{Glob: "old_*"}} },
			[]string{"table crm_leads", "table shop_orders", "source Finance 1", "source Shop"}, `source #21 "Old CRM" stays: table "old_deals" is kept`},
		"a kept source keeps its tables": {func(s *manifest.Set) {
			s.Declares, s.Keep.Sources = manifest.Declares{Sources: true}, []manifest.Pattern{{ID: 13}}
		}, []string{"source Finance 1"}, ""},
		"a declared connector without declared sources stays": {func(s *manifest.Set) {
			s.Sources, s.Tables = nil, nil
		}, []string{"table crm_deals", "table crm_leads", "table shop_orders", "table old_deals", "source CRM", "source Finance 1", "source Shop", "source Old CRM", "connector Old"}, ""},
		"what a new source refers to by id": {func(s *manifest.Set) {
			added := declaredSource("new", "")
			added.Connector = manifest.Ref{ID: 2}
			s.Declares, s.Sources = manifest.Declares{Connectors: true, Sources: true}, append(s.Sources, added)
		}, []string{"table shop_orders", "table old_deals", "source Finance 1", "source Shop", "source Old CRM"}, ""},
		"below what a new source refers to by id": {func(s *manifest.Set) {
			added := declaredSource("new", "")
			added.Connector = manifest.Ref{ID: 2}
			s.Declares, s.Sources = manifest.Declares{Sources: true}, append(s.Sources, added)
		}, []string{"table shop_orders", "table old_deals", "source Finance 1", "source Shop", "source Old CRM"}, ""},
		"nothing goes with a connector that a new source refers to by id": {func(s *manifest.Set) {
			added := declaredSource("new", "")
			added.Connector = manifest.Ref{ID: 2}
			s.Declares, s.Sources = manifest.Declares{Connectors: true}, append(s.Sources, added)
		}, nil, ""},
		"what a new table refers to by id": {func(s *manifest.Set) {
			added := declaredTable("shop_returns", "")
			added.Source = manifest.Ref{ID: 13}
			s.Tables = append(s.Tables, added)
		}, []string{"table crm_leads", "table shop_orders", "table old_deals", "source Finance 1", "source Old CRM", "connector Old"}, ""},
		"nothing goes with a connector that is kept": {func(s *manifest.Set) {
			s.Declares, s.Keep.Connectors = manifest.Declares{Connectors: true}, []manifest.Pattern{{ID: 2}}
		}, nil, ""},
		"nothing below a connector that is kept": {func(s *manifest.Set) { s.Keep.Connectors = []manifest.Pattern{{Glob: "O*"}} },
			[]string{"table crm_leads", "table shop_orders", "source Finance 1", "source Shop"}, ""},
		"below a declared connector, be it kept": {func(s *manifest.Set) { s.Keep.Connectors = []manifest.Pattern{{ID: 1}} }, everything, ""},
		"a glob of titles": {func(s *manifest.Set) { s.Keep.Sources = []manifest.Pattern{{Glob: "Finance *"}} },
			[]string{"table crm_leads", "table shop_orders", "table old_deals", "source Shop", "source Old CRM", "connector Old"}, ""},
		"what a declaration refers to by id": {func(s *manifest.Set) {
			s.Sources = append(s.Sources, manifest.Source{Object: manifest.Object{Name: "old"}, Connector: manifest.Ref{ID: 2}, Title: ptr("Old CRM")})
		}, []string{"table crm_leads", "table shop_orders", "table old_deals", "source Finance 1", "source Shop"}, `connector #2 "Old" stays: source #21 "Old CRM" is declared`},
	} {
		t.Run(name, func(t *testing.T) {
			onPortal(t, grown(), func(t *testing.T, b *bench) {
				set := declaringCRM()
				tt.change(set)
				before := live(b)
				plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set, Prune: true})
				if diff := cmp.Diff(tt.want, removals(plan)); diff != "" {
					t.Errorf("plan:\n%s", diff)
				}
				if tt.note != "" && !slices.Contains(plan.Notes, tt.note) {
					t.Errorf("notes: %q", plan.Notes)
				}
				report := b.apply(runner.Options{Set: set, Prune: true})
				if report.Outcome != runner.OutcomeOK || report.Summary.Deleted != len(tt.want) {
					t.Errorf("%s %v %v", report.Outcome, statuses(report), report.Err())
				}
				gone := slices.DeleteFunc(before, func(o string) bool { return slices.Contains(live(b), o) })
				want := slices.Sorted(slices.Values(tt.want))
				if slices.Sort(gone); !slices.Equal(gone, want) {
					t.Errorf("gone: %q, want %q", gone, want)
				}
			})
		})
	}
}

// While it is not known which object a declaration means, nothing of its kind
// is removed: it may be any.
func TestPruneSparesWhatADeclarationMayMean(t *testing.T) {
	old := manifest.Source{Object: manifest.Object{Name: "old"}, Connector: manifest.Ref{Name: "legacy"}, Title: ptr("Old CRM")}
	legacy := declaredConnector("legacy")
	for name, tt := range map[string]struct {
		change func(*manifest.Set)
		want   []string
		note   string
	}{
		"the id of a source": {func(s *manifest.Set) {
			mistyped := declaredSource("stock", "")
			mistyped.Object.ID = 112
			s.Sources = append(s.Sources, mistyped)
		}, []string{"table crm_leads", "table shop_orders", "table old_deals"},
			`no source is removed: "stock" declares the id 112, which does not exist, and may mean one of them`},
		"the id of a connector": {func(s *manifest.Set) {
			legacy.ID = 22
			s.Connectors = append(s.Connectors, legacy)
		}, []string{"table crm_leads", "table shop_orders", "source Finance 1", "source Shop"},
			`no connector is removed: "legacy" declares the id 22, which does not exist, and may mean one of them`},
		"the id of a connector with a source": {func(s *manifest.Set) {
			legacy.ID, old.Connector = 22, manifest.Ref{Name: "legacy"}
			s.Connectors, s.Sources = append(s.Connectors, legacy), append(s.Sources, old)
		}, []string{"table crm_leads", "table shop_orders"},
			`no source is removed: it is not known on which connector "old" is, and it may mean one of them`},
		"the connector's id in a source": {func(s *manifest.Set) {
			old.Connector = manifest.Ref{ID: 22}
			s.Sources = append(s.Sources, old)
		}, []string{"table crm_leads", "table shop_orders"},
			`no connector is removed: "old" declares the id 22, which does not exist, and may mean one of them`},
		"the source's id in a new table": {func(s *manifest.Set) {
			added := declaredTable("shop_returns", "")
			added.Source = manifest.Ref{ID: 113}
			s.Declares, s.Tables = manifest.Declares{Sources: true, Tables: true}, append(s.Tables, added)
		}, []string{"table crm_leads", "table shop_orders"}, `no source is removed: "shop_returns" declares the id 113, which does not exist, and may mean one of them`},
		"the connector's id in a new source, where nothing else protects its connector": {func(s *manifest.Set) {
			added := declaredSource("new", "")
			added.Connector = manifest.Ref{ID: 22}
			s.Sources, s.Keep.Sources = append(s.Sources, added), []manifest.Pattern{{Glob: "*"}}
		}, []string{"table crm_leads", "table shop_orders"}, `no connector is removed: "new" declares the id 22, which does not exist, and may mean one of them`},
		"the title of two connectors": {func(s *manifest.Set) {
			legacy.ID, legacy.Title, old.Connector = 0, ptr("Twin"), manifest.Ref{Name: "legacy"}
			s.Connectors, s.Sources = append(s.Connectors, legacy), append(s.Sources, old)
		}, []string{"table crm_leads", "table shop_orders", "table old_deals"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			state := grown()
			if name == "the title of two connectors" {
				state.Connectors[1].Title = "Twin"
				state.Connectors = append(state.Connectors, sandbox.Connector{ID: 4, Title: "Twin"})
			}
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := declaringCRM()
				tt.change(set)
				report := b.apply(runner.Options{Set: set, Prune: true})
				if diff := cmp.Diff(tt.want, removals(report)); diff != "" || report.Summary.Deleted != len(tt.want) {
					t.Errorf("%v\n%s", statuses(report), diff)
				}
				if tt.note != "" && !slices.Contains(report.Notes, tt.note) {
					t.Errorf("notes: %q", report.Notes)
				}
			})
		})
	}
}

// Tables go first, then sources, then connectors, be it that nothing hangs on
// them.
func TestRemovalsInOrder(t *testing.T) {
	state := grown()
	state.Connectors = append(state.Connectors, sandbox.Connector{ID: 4, Title: "Empty"})
	state.WriteCost = time.Second
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declaringCRM(), Prune: true})
		var kinds []string
		for _, c := range b.Calls() {
			if kind, is := strings.CutSuffix(strings.TrimPrefix(c.Method, "biconnector."), ".delete"); is {
				kinds = append(kinds, kind)
			}
		}
		want := []string{"table", "table", "table", "source", "source", "source", "connector", "connector"}
		if !slices.Equal(kinds, want) {
			t.Errorf("removed %q, want %q; %v", kinds, want, report.Err())
		}
	})
}

// None of several objects that a declaration may mean is removed.
func TestPruneLeavesTheAmbiguous(t *testing.T) {
	state := grown()
	state.Sources = append(state.Sources, sandbox.Source{ID: 14, Title: "CRM", ConnectorID: 1})
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Tables = nil
		report := b.apply(runner.Options{Set: set, Prune: true})
		if gone := removals(report); slices.Contains(gone, "source CRM") || !slices.Contains(gone, "source Shop") {
			t.Errorf("removed: %q", gone)
		}
	})
}

// What a removal meets on its way, and what the report says of it.
func TestRemoval(t *testing.T) {
	of := func(f sandbox.Fault) func(*sandbox.State) {
		f.At, f.Method = sandbox.AtCommand, "biconnector.source.delete"
		return func(s *sandbox.State) { s.Faults = []sandbox.Fault{f} }
	}
	for name, tt := range map[string]struct {
		state    func(*sandbox.State)
		noVerify bool
		end      time.Duration // of the run, by a signal
		want     map[string]int
	}{
		"shown for a moment longer":    {state: func(s *sandbox.State) { s.ShowAfter = time.Second }, want: map[string]int{"deleted": 7, "unchanged": 3}},
		"somebody else was faster":     {state: of(sandbox.Fault{Kind: sandbox.FaultError, Status: 200, Code: "SOURCE_NOT_FOUND", Nth: []int{1}, Ran: true}), want: map[string]int{"deleted": 7, "unchanged": 3}},
		"lost":                         {state: of(sandbox.Fault{Kind: sandbox.FaultDropped, Nth: []int{1}}), want: map[string]int{"deleted": 7, "unchanged": 3}},
		"lost and done":                {state: of(sandbox.Fault{Kind: sandbox.FaultDropped, Nth: []int{1}, Ran: true}), want: map[string]int{"deleted": 7, "unchanged": 3}},
		"lost and not to be verified":  {state: of(sandbox.Fault{Kind: sandbox.FaultDropped, Nth: []int{1}}), noVerify: true, want: map[string]int{"deleted": 7, "unchanged": 3}},
		"lost at the end of the run":   {state: of(sandbox.Fault{Kind: sandbox.FaultDropped}), end: 2 * time.Second, want: map[string]int{"deleted": 3, "failed NETWORK": 3, "skipped DEPENDENCY": 1, "unchanged": 3}},
		"refused by the portal itself": {state: of(sandbox.Fault{Kind: sandbox.FaultError, Status: 200, Code: "BX_ERROR"}), want: map[string]int{"deleted": 3, "failed BX_ERROR": 3, "skipped DEPENDENCY": 1, "unchanged": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			state := grown()
			tt.state(&state)
			onPortal(t, state, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.end > 0 {
					time.AfterFunc(tt.end, func() { cancel(runner.ErrInterrupted) })
				}
				before := live(b)
				report := runner.Apply(ctx, b.client, runner.Options{Set: declaringCRM(), Prune: true, NoVerify: tt.noVerify})
				if diff := cmp.Diff(tt.want, statuses(report)); diff != "" || report.Duration > 20 {
					t.Errorf("after %.0f s %s\n%v", report.Duration, diff, report.Err())
				}
				time.Sleep(state.ShowAfter)
				if gone := len(before) - len(live(b)); gone != report.Summary.Deleted {
					t.Errorf("%d objects are gone, %d are reported as deleted", gone, report.Summary.Deleted)
				}
			})
		})
	}
}

// A deletion that the portal accepts and never shows is sent once, and what
// depends on it stays. One whose answer was lost is sent again without a wait,
// but not for ever.
func TestRemovalThatNeverShows(t *testing.T) {
	for name, tt := range map[string]struct {
		state    sandbox.State
		code     string
		attempts int
		takes    [2]float64 // seconds, from and to
	}{
		"shown for ever": {sandbox.State{Switches: sandbox.Switches{ShowAfter: time.Hour}}, runner.CodeNotConverged, 1, [2]float64{2, 4}},
		"lost for ever":  {sandbox.State{Faults: []sandbox.Fault{{Kind: sandbox.FaultDropped, Contains: "table.delete"}}}, "NETWORK", 6, [2]float64{15, 18}},
	} {
		state := grown()
		state.Switches, state.Faults = tt.state.Switches, tt.state.Faults
		onPortal(t, state, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			set := declaringCRM()
			set.Declares.Connectors, set.Declares.Sources = false, false
			report := runner.Apply(ctx, b.client, runner.Options{Set: set, Prune: true})
			if got := statuses(report); got["failed "+tt.code] != 2 || report.Duration < tt.takes[0] || report.Duration > tt.takes[1] {
				t.Errorf("%s: %v after %.1f s: %v", name, got, report.Duration, report.Err())
			}
			for _, o := range report.Objects[3:] {
				if o.Attempts != tt.attempts || o.Status != runner.StatusFailed {
					t.Errorf("%s: %+v", name, o)
				}
			}
		})
	}
}

// A portal that takes a new column and does not show it is not asked for ever to
// hide it.
func TestHiddenColumnThatIsNotStored(t *testing.T) {
	for _, visible := range []*bool{nil, ptr(false)} {
		onPortal(t, grown(), func(t *testing.T, b *bench) {
			set := declaringCRM()
			set.Tables[0].Columns = []manifest.Column{{Name: "NEW", Type: "int", ExternalCode: "new", Visible: visible}}
			set.Declares = manifest.Declares{}
			client := b.through(rewritten(b.RoundTripper(), func(content []byte) []byte {
				return bytes.ReplaceAll(content, []byte(`"NEW"`), []byte(`"OTHER"`))
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			report := runner.Apply(ctx, client, runner.Options{Set: set})
			if o := report.Objects[2]; o.Error == nil || o.Error.Code != runner.CodeNotConverged || o.Attempts != 1 || report.Duration > 60 {
				t.Errorf("after %.0f s: %+v", report.Duration, o)
			}
		})
	}
}

// A title protects what the portal stores under another form of it, as it
// declares it.
func TestKeepWhatIsStoredOtherwise(t *testing.T) {
	for title, glob := range map[string]string{
		"R&amp;D 1": "R&D *", "R&amp;D": "R&D", "Sales": " Sales", "Caf\u00e9 1": "Cafe\u0301 ?", "Party": "Party\U0001F389",
		strings.Repeat("long ", 10) + "ti": strings.Repeat("long ", 10) + "title", "Caf\xe9 1": "Caf\u00e9 *",
	} {
		onPortal(t, grown(), func(t *testing.T, b *bench) {
			set := declaringCRM()
			set.Keep.Sources = []manifest.Pattern{{Glob: glob}}
			client := b.through(rewritten(b.RoundTripper(), func(content []byte) []byte {
				return bytes.ReplaceAll(content, []byte("Finance 1"), []byte(title))
			}))
			plan := runner.Plan(t.Context(), client, runner.Options{Set: set, Prune: true})
			if got := removals(plan); len(got) != 6 {
				t.Errorf("%q does not keep %q: %q", glob, title, got)
			}
		})
	}
}

// A plan says which patterns of keep protect nothing: they may be mistyped.
func TestKeepThatProtectsNothing(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Keep.Sources = []manifest.Pattern{{ID: 113}, {ID: 13}, {Glob: "Fnance *"}, {Glob: "Finance *"}}
		plan := runner.Plan(t.Context(), b.client, runner.Options{Set: set, Prune: true})
		want := []string{"keep protects no source: none is #113", `keep protects no source: none is called "Fnance *"`}
		if diff := cmp.Diff(want, plan.Notes); diff != "" {
			t.Error(diff)
		}
	})
}

// The share that --max-deletes allows is one of the live objects of all kinds
// that are pruned.
func TestMaxDeletesIsAShareOfAllKinds(t *testing.T) {
	for limit, refused := range map[string]bool{"70%": false, "69%": true} { // 7 of 10
		onPortal(t, grown(), func(t *testing.T, b *bench) {
			most := must(runner.ParseLimit(limit))(t)
			report := b.apply(runner.Options{Set: declaringCRM(), Prune: true, MaxDeletes: most})
			if got := report.Error != nil && report.Error.Code == runner.CodeTooManyDeletes; got != refused {
				t.Errorf("%s: %v, %v", limit, report.Error, statuses(report))
			}
		})
	}
}

// live lists all that a portal has.
func live(b *bench) []string {
	var list []string
	for _, c := range b.Connectors() {
		list = append(list, "connector "+c.Title)
	}
	for _, s := range b.Sources() {
		list = append(list, "source "+s.Title)
	}
	for _, t := range b.Tables() {
		list = append(list, "table "+t.Name)
	}
	return list
}

func TestWithoutPruneNothingIsRemoved(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		before := live(b)
		set := declaringCRM()
		set.Connectors[0].Settings = []manifest.SettingType{{Code: "host", Name: "Host name", Type: "STRING"}}
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}
		report := b.apply(runner.Options{Set: set})
		counts(t, report, map[string]int{"updated": 1, "unchanged": 2})
		if got := live(b); !slices.Equal(got, before) {
			t.Errorf("left: %q", got)
		}
		if c, _ := b.Connector(1); len(c.Settings) != 2 || c.Settings[0].Name != "Host name" || c.Settings[1].Code != "password" {
			t.Errorf("the connector's settings: %+v", c.Settings)
		}
		if table, _ := b.Table(101); len(table.Columns) != 2 {
			t.Errorf("columns: %+v", table.Columns)
		}
		if s, _ := b.Source(11); s.Settings["password"] != "p" {
			t.Errorf("the source's settings: %+v", s.Settings)
		}
	})
}

// A setting of a connector goes with --prune alone, and the plan names the
// sources whose stored values go with it.
func TestPruneSettingsAndColumns(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Declares = manifest.Declares{}
		set.Connectors[0].Settings = []manifest.SettingType{{Code: "host", Name: "Host", Type: "STRING"}}
		set.Tables[0].Columns = []manifest.Column{{Name: "AMOUNT", Type: "money", ExternalCode: "amount"}, {Name: "NEW", Type: "string", ExternalCode: "new", Visible: ptr(false)}}
		o := runner.Options{Set: set, Prune: true}
		plan := runner.Plan(context.Background(), b.client, o)
		if c := plan.Objects[0]; c.Status != runner.StatusPlanned || !strings.Contains(strings.Join(c.Notes, "\n"), `#11 "CRM"`) {
			t.Errorf("%+v", c)
		}
		if c := plan.Objects[2]; c.Action != runner.ActionReplace {
			t.Errorf("%+v", c)
		}
		other, _ := b.Table(102)
		limit, _ := runner.ParseLimit("2")
		o.MaxDeletes = limit
		if refused := b.apply(o); refused.Error == nil || refused.Error.Code != runner.CodeTooManyDeletes {
			t.Errorf("three removals, two allowed: %v", refused.Error)
		}
		o.MaxDeletes, _ = runner.ParseLimit("3")
		report := b.apply(o)
		if report.Outcome != runner.OutcomeOK {
			t.Fatal(report.Err())
		}
		table, _ := b.Table(101)
		got := map[string]string{}
		for _, c := range table.Columns {
			got[c.Name] = c.Type
			if c.Name == "NEW" && (c.Visible == nil || *c.Visible) {
				t.Error("NEW is visible")
			}
		}
		if diff := cmp.Diff(map[string]string{"AMOUNT": "money", "NEW": "string"}, got); diff != "" {
			t.Error(diff)
		}
		if after, _ := b.Table(102); !cmp.Equal(other, after) {
			t.Errorf("another table changed: %+v", after)
		}
		if again := b.apply(o); again.Summary.Unchanged != 3 {
			t.Errorf("again: %v", statuses(again))
		}
	})
}

// The plan says that a hidden column will be visible, where it is replaced and
// the manifest does not say that it is hidden.
func TestReplacedColumnThatIsHidden(t *testing.T) {
	for visible, noted := range map[*bool]bool{nil: true, ptr(false): false} {
		state := grown()
		state.Tables[0].Columns[1].Visible = ptr(false)
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := declaringCRM()
			set.Tables[0].Columns = []manifest.Column{{Name: "AMOUNT", Type: "money", ExternalCode: "amount", Visible: visible}}
			plan := runner.Plan(t.Context(), b.client, runner.Options{Set: set, Prune: true})
			if notes := strings.Join(plan.Objects[2].Notes, "\n"); strings.Contains(notes, "column AMOUNT is hidden") != noted {
				t.Errorf("%q", notes)
			}
		})
	}
}

// The plan says which sources lose their value of a setting that is removed, and
// nothing of a setting that is only changed, or that nobody has.
func TestPrunedSettingsAreNamed(t *testing.T) {
	for n, want := range map[int]string{
		0:  "",
		1:  `#1 "old"`,
		10: `#1 "old", #2 "old", #3 "old", #4 "old", #5 "old", #6 "old", #7 "old", #8 "old", #9 "old", #10 "old"`,
		12: `#1 "old", #2 "old", #3 "old", #4 "old", #5 "old", #6 "old", #7 "old", #8 "old", #9 "old", #10 "old" and 2 more`,
	} {
		state := sqlState(15)
		for i := n; i < len(state.Sources); i++ {
			state.Sources[i].Settings = map[string]string{"login": "admin"}
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := &manifest.Set{Connectors: []manifest.Connector{{Object: manifest.Object{Name: "sql", ID: 1}, Settings: []manifest.SettingType{
				{Code: "host", Name: "host", Type: "STRING"}, {Code: "login", Name: "Login", Type: "STRING"}}}}}
			plan := runner.Plan(t.Context(), b.client, runner.Options{Set: set, Prune: true})
			if want != "" {
				want = `the portal drops the values of the setting "password" at the next update of ` + want
			}
			if got := strings.Join(plan.Objects[0].Notes, "\n"); got != want || len(plan.Objects[0].Changes) != 3 {
				t.Errorf("%d sources: %q, want %q, %v", n, got, want, plan.Objects[0].Changes)
			}
		})
	}
}

// What stays because something else could not be removed says what that is.
func TestRemovalThatDependsOnAnother(t *testing.T) {
	state := grown()
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultError, At: sandbox.AtCommand, Method: "biconnector.table.delete", ID: 104, Status: 200, Code: "NO"}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declaringCRM(), Prune: true})
		got := map[string]string{}
		for _, o := range report.Objects {
			if o.Status == runner.StatusSkipped {
				got[o.Title] = o.Error.Message
			}
		}
		if diff := cmp.Diff(map[string]string{"Old CRM": `the table "old_deals" failed`, "Old": `the source "#21" failed`}, got); diff != "" {
			t.Error(diff)
		}
		if err := report.Err(); err == nil || !strings.Contains(err.Error(), "table old_deals (#104): NO") {
			t.Error(err)
		}
	})
}

// Columns are deleted by the ids that they have right then, not by those of the
// plan: the portal does not check whose an id is.
func TestColumnsAreDeletedByFreshIDs(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Declares = manifest.Declares{}
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}
		gets, meddled := 0, false
		client := b.through(roundTrip(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("table.get")) {
				gets++
			}
			if !meddled && (gets > 1 || strings.Contains(r.URL.Path, "fields.update")) {
				meddled = true // somebody has made the column anew, and another table's has its id
				ours, _ := b.Table(101)
				theirs, _ := b.Table(102)
				theirs.Columns[1].ID, ours.Columns[1].ID = ours.Columns[1].ID, 9001
				if err := errors.Join(b.SetTable(ours), b.SetTable(theirs)); err != nil {
					t.Error(err)
				}
			}
			return b.RoundTripper().RoundTrip(r)
		}))
		report := runner.Apply(context.Background(), client, runner.Options{Set: set, Prune: true})
		ours, _ := b.Table(101)
		theirs, _ := b.Table(102)
		if report.Summary.Updated != 1 || !meddled || len(ours.Columns) != 1 || len(theirs.Columns) != 2 {
			t.Errorf("%v; ours has %d columns, theirs %d", statuses(report), len(ours.Columns), len(theirs.Columns))
		}
	})
}

// Where the ids of columns cannot be read, nothing is sent, and nothing is said
// to be.
func TestColumnsWithoutFreshIDs(t *testing.T) {
	state := grown()
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultError, At: sandbox.AtCommand, Method: "biconnector.table.get", Nth: []int{2}, Status: 200, Code: "NO"}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Declares = manifest.Declares{}
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}
		report := b.apply(runner.Options{Set: set, Prune: true})
		if o := report.Objects[2]; o.Error == nil || o.Error.Code != "NO" || o.Attempts != 0 || strings.Contains(o.Error.Message, "sent") {
			t.Errorf("%+v", o)
		}
	})
}

// A source cannot have a setting that the run takes from its connector,
// although it still shows it.
func TestPruneSettingOfSource(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Connectors[0].Settings = []manifest.SettingType{{Code: "host", Name: "Host", Type: "STRING"}}
		for _, value := range []string{"new", "p"} { // p is what it has
			set.Sources[0].Settings = []manifest.Setting{{Code: "password", Value: manifest.Literal(value)}}
			for prune, want := range map[bool]string{false: "", true: runner.CodeUnknownSetting} {
				plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set, Prune: prune})
				if o := plan.Objects[1]; o.Error != nil && o.Error.Code != want || o.Error == nil && want != "" {
					t.Errorf("%s, prune %v: %s %v, want %q", value, prune, o.Status, o.Error, want)
				}
			}
		}
		set.Connectors[0].Settings = nil // nothing is said of them
		set.Sources[0].Settings[0].Value = manifest.Literal("new")
		plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set, Prune: true})
		if o := plan.Objects[1]; o.Status != runner.StatusPlanned {
			t.Errorf("%+v", o)
		}
	})
}

// A column of another name and the same externalCode takes two calls: the
// portal compares new columns with those before the deletion.
func TestPruneRenamedColumn(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "SUM", Type: "double", ExternalCode: "amount"}}
		report := b.apply(runner.Options{Set: set, Prune: true})
		if table, _ := b.Table(101); report.Objects[2].Status != runner.StatusUpdated || len(table.Columns) != 2 || table.Columns[1].Name != "SUM" {
			t.Errorf("%+v, %v", table.Columns, report.Err())
		}
	})
}
