package runner_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// A run does without connectors that cannot be read, or a portal without
// tables, only where it needs neither.
func TestWhatCannotBeRead(t *testing.T) {
	source := func(connector manifest.Ref) *manifest.Set {
		return declares(manifest.Source{Object: manifest.Object{ID: 12, Name: "a"}, Connector: connector, Settings: []manifest.Setting{{Code: "host", Value: manifest.Literal("new")}}})
	}
	refused := func(code string, methods ...string) (faults []sandbox.Fault) {
		for _, m := range methods {
			faults = append(faults, sandbox.Fault{Kind: sandbox.FaultError, Method: m, At: sandbox.AtCommand, Status: 200, Code: code})
		}
		return faults
	}
	connectors := refused("NO", "biconnector.connector.list")
	tables := refused(string(rest.MethodNotFound), "biconnector.table.list", "biconnector.dataset.list")
	withConnector := source(manifest.Ref{Name: "erp"})
	withConnector.Connectors = declaringCRM().Connectors
	withTable := source(manifest.Ref{})
	withTable.Tables = []manifest.Table{{Object: manifest.Object{Name: "crm_deals"}, Source: manifest.Ref{ID: 11}}}
	for name, tt := range map[string]struct {
		faults []sandbox.Fault
		o      runner.Options
		want   runner.Outcome
	}{
		"no connectors, and none is needed": {connectors, runner.Options{Set: source(manifest.Ref{})}, runner.OutcomeOK},
		"no connectors, one is referred to": {connectors, runner.Options{Set: source(manifest.Ref{ID: 1})}, runner.OutcomeStopped},
		"no connectors, one is declared":    {connectors, runner.Options{Set: withConnector}, runner.OutcomeStopped},
		"no connectors to prune":            {connectors, runner.Options{Set: source(manifest.Ref{}), Prune: true}, runner.OutcomeStopped},
		"no connectors to list":             {connectors, runner.Options{Set: source(manifest.Ref{}), ShowUnmanaged: true}, runner.OutcomeStopped},
		"no tables, and none is needed":     {tables, runner.Options{Set: source(manifest.Ref{})}, runner.OutcomeOK},
		"no tables to list":                 {tables, runner.Options{Set: source(manifest.Ref{}), ShowUnmanaged: true}, runner.OutcomeOK},
		"no tables, one is declared":        {tables, runner.Options{Set: withTable}, runner.OutcomeStopped},
		"no tables to prune":                {tables, runner.Options{Set: source(manifest.Ref{}), Prune: true}, runner.OutcomeStopped},
		"tables that cannot be listed":      {refused("NO", "biconnector.table.list"), runner.Options{Set: source(manifest.Ref{}), ShowUnmanaged: true}, runner.OutcomeStopped},
	} {
		state := grown()
		state.Faults = tt.faults
		onPortal(t, state, func(t *testing.T, b *bench) {
			if report := b.apply(tt.o); report.Outcome != tt.want {
				t.Errorf("%s: %s, %v", name, report.Outcome, report.Err())
			}
		})
	}
}

// What nobody declares is listed with what it belongs to, and only if it is
// known what it is.
func TestUnmanagedBelongsTo(t *testing.T) {
	onPortal(t, grown(), func(t *testing.T, b *bench) {
		report := applyEdited(b, each(func(id string, it item) {
			if id == "13" {
				delete(it, "id")
			}
		}), 0, runner.Options{ShowUnmanaged: true})
		got := map[string]int64{}
		for _, u := range report.Unmanaged {
			got[fmt.Sprint(u.Kind, " ", u.ID)] = u.ConnectorID + u.SourceID
		}
		want := map[string]int64{"connector 1": 0, "connector 2": 0, "source 11": 1, "source 12": 1, "source 21": 2, "table 101": 11, "table 102": 11, "table 103": 13, "table 104": 21}
		if !maps.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	})
}

// A portal that does not heed the range of ids has shown who knows what, also
// where that cannot be read.
func TestListWithoutRange(t *testing.T) {
	for _, stray := range []item{{"id": 1}, {"id": 1000}, {"id": 1, "title": item{}}} {
		onPortal(t, sqlState(300), func(t *testing.T, b *bench) {
			report := applyEdited(b, func(list []any) []any {
				if len(list) > 0 && fmt.Sprint(list[0].(item)["id"]) == "101" {
					maps.Copy(list[0].(item), stray)
				}
				return list
			}, 0, runner.Options{ShowUnmanaged: true})
			if report.Error == nil || report.Error.Code != string(rest.BadAnswer) || !strings.Contains(report.Error.Message, "range") {
				t.Errorf("%v: %v, %d shown", stray, report.Error, len(report.Unmanaged))
			}
		})
	}
}

// A table that goes between the list and its columns is created again.
func TestTableDeletedWhileItIsRead(t *testing.T) {
	state := grown()
	state.People = []sandbox.Deed{{After: "biconnector.table.list", Nth: 2, Do: "delete", Kind: "table", ID: 101}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declaringCRM()
		set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}
		plan := runner.Plan(context.Background(), b.client, runner.Options{Set: set})
		if o := plan.Objects[2]; o.Action != runner.ActionCreate {
			t.Errorf("%+v", o)
		}
	})
}
