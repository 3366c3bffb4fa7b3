package runner_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// inactive declares the sources 1 to n inactive, and nothing else of them.
func inactive(n int) *manifest.Set {
	set := &manifest.Set{}
	for id := range int64(n) {
		set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{ID: id + 1, Name: "s"}, Active: ptr(false)})
	}
	return set
}

// Which sources find out whether a portal ignores active differs from run to
// run: it may heed the flag of some.
func TestProbesDiffer(t *testing.T) {
	seen := map[int64]bool{}
	for seed := range uint64(5) {
		onPortal(t, sqlState(40), func(t *testing.T, b *bench) {
			b.apply(runner.Options{Set: inactive(40), Schedule: schedule.Config{Seed: seed + 1}})
			probed := slices.Collect(maps.Keys(b.Stats().Updates))
			if len(probed) != 3 {
				t.Errorf("%d sources were probed", len(probed))
			}
			for _, id := range probed {
				seen[id] = true
			}
		})
	}
	if len(seen) < 9 {
		t.Errorf("five runs have probed %v", seen)
	}
}

// A source that fails for a reason of its own finds nothing out, and others
// take its place.
func TestProbesThatFail(t *testing.T) {
	for seed := range uint64(5) {
		state := sqlState(12)
		state.HonourActive = true
		for i := range 8 {
			state.Sources[i].Check = sandbox.CheckFail
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := inactive(12)
			set.Tables = []manifest.Table{declaredTable("deals", "waits")}
			set.Sources[11].Name = "waits"
			report := b.apply(runner.Options{Set: set, Schedule: schedule.Config{Seed: seed + 1}})
			want := map[string]int{"failed SOURCE_UPDATE_CONNECTION_ERROR": 8, "updated": 4, "created": 1}
			if diff := cmp.Diff(want, statuses(report)); diff != "" {
				t.Errorf("seed %d: %s\n%v", seed+1, diff, report.Err())
			}
		})
	}
}

// Where one connector's passwords are hidden, another's are not.
func TestMasksOfTwoConnectors(t *testing.T) {
	state := sqlState(20)
	state.Connectors = append(state.Connectors, sandbox.Connector{ID: 2, Title: "Other", Settings: state.Connectors[0].Settings})
	set := &manifest.Set{}
	for i := range state.Sources {
		s := &state.Sources[i]
		s.ConnectorID, s.Settings = int64(1+i%2), map[string]string{"password": "****"}
		set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{ID: s.ID, Name: "s"},
			Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("new")}}})
	}
	for seed := range uint64(5) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.sourcesEdited(each(func(_ string, it item) {
				if list, _ := it["settings"].([]any); fmt.Sprint(it["connectorId"]) == "2" && len(list) > 0 {
					list[0].(item)["value"] = "****"
				}
			}))
			report := runner.Apply(t.Context(), client, runner.Options{Set: set, Schedule: schedule.Config{Seed: seed + 1}})
			if diff := cmp.Diff(map[string]int{"updated": 10, "failed NOT_CONVERGED": 10}, statuses(report)); diff != "" || len(b.Stats().Updates) != 13 {
				t.Errorf("seed %d, %d updates: %s", seed+1, len(b.Stats().Updates), diff)
			}
		})
	}
}

// A run that ends while sources wait to hear whether the portal heeds active
// knows what became of their titles.
func TestInterruptedAtTheGate(t *testing.T) {
	state := sqlState(40)
	state.UpdateCost = 5 * time.Second
	set := inactive(40)
	for i := range set.Sources {
		set.Sources[i].Title = ptr("new")
	}
	onPortal(t, state, func(t *testing.T, b *bench) {
		var report *runner.Report
		for at := 10 * time.Second; report == nil || report.Summary.Skipped > 0; at += 10 * time.Second {
			ctx, cancel := context.WithTimeout(t.Context(), at)
			report = runner.Apply(ctx, b.client, runner.Options{Set: set})
			cancel()
			for _, o := range report.Objects {
				if o.Error != nil && o.Error.Code != runner.CodeNotConverged {
					t.Errorf("after %s: %v", at, o.Error)
				}
			}
		}
	})
}

// Without verification nobody finds anything out, so nobody waits for it, and
// batches are as full as ever.
func TestNoVerifyHasNoGates(t *testing.T) {
	masked := sqlState(200)
	masked.ShowSettings = sandbox.SettingsMasked
	passwords := inactive(200)
	for i := range masked.Sources {
		masked.Sources[i].Settings = map[string]string{"password": "old"}
		passwords.Sources[i].Active, passwords.Sources[i].Settings = nil, []manifest.Setting{{Code: "password", Value: manifest.Literal("new")}}
	}
	requests := func(state sandbox.State, set *manifest.Set) (n int) {
		onPortal(t, state, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: set, NoVerify: true})
			if report.Summary.Updated != 200 || b.Stats().Writes[bitrix.MethodSourceUpdate] != 200 {
				t.Errorf("%v, %v", statuses(report), b.Stats().Writes)
			}
			n = report.Requests.HTTP
		})
		return n
	}
	requests(sqlState(200), inactive(200))
	if n, unmasked := requests(masked, passwords), requests(sqlState(200), passwords); n != unmasked {
		t.Errorf("%d requests where values are masked, %d where they are not", n, unmasked)
	}
}
