package runner_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// figures are what a run took.
type figures struct {
	requests, refusals, held, cuts int
	makespan                       float64 // seconds from the first request to the last read-back
	bound                          float64 // of this very portal
	updates                        int     // the most updates of one source that the portal carried out
}

func (f figures) ratio() float64 {
	if f.bound == 0 {
		return 1
	}
	return f.makespan / f.bound
}

// measure applies the pace's sources to its portal, drawn from seed.
func (p pace) measure(tb testing.TB, seed uint64) (f figures) {
	tb.Helper()
	state := sandbox.State{KeepCalls: -1, Seed: seed}
	f.bound = p.portal(&state, seed)
	state.Connectors = []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{{Code: "login"}, {Code: "password"}}}}
	title := "new"
	if p.unchanged {
		title = "old"
	}
	declared := make([]manifest.Source, p.sources)
	for i := range declared {
		id := int64(i + 1)
		state.Sources = append(state.Sources, sandbox.Source{ID: id, Title: "old", ConnectorID: 1,
			Settings: map[string]string{"login": "admin", "password": "old-password"}})
		declared[i] = manifest.Source{Object: manifest.Object{ID: id, Name: "s"}, Title: &title,
			Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal(title + "-password")}}}
	}
	inVirtualTime(tb, state, func(t *testing.T, b *bench) {
		conf := p.conf
		conf.Seed = seed + 1
		report := b.apply(runner.Options{Set: declares(declared...), Schedule: conf})
		b.Wait()
		want := runner.StatusUpdated
		if p.unchanged {
			want = runner.StatusUnchanged
		}
		stats := b.Stats()
		for _, s := range report.Objects {
			// After a second refused connection a failure is the truth.
			refused := stats.Checks[s.ID] - stats.Updates[s.ID]
			if s.Status != want && (s.Error == nil || s.Error.Code != string(rest.UpdateConnectionError) || refused < 2) {
				t.Fatalf("source %d is %s (%v) after %d refused connections, want %s", s.ID, s.Status, s.Error, refused, want)
			}
		}
		f.requests, f.makespan = report.Requests.HTTP, report.Duration
		f.refusals, f.cuts = stats.Refused, stats.Cuts
		f.held = stats.Blocked[bitrix.MethodSourceUpdate] + stats.Blocked[rest.MethodBatch]
		for _, n := range stats.Updates {
			f.updates = max(f.updates, n)
		}
	})
	return f
}

// measureAll returns the figures of the seed with the median ratio, with the
// worst of every count.
func (p pace) measureAll(tb testing.TB, seeds int) (median figures, worst float64) {
	tb.Helper()
	all := make([]figures, min(max(p.seeds, 1), seeds))
	for i := range all {
		all[i] = p.measure(tb, uint64(i))
	}
	slices.SortFunc(all, func(a, b figures) int { return int(math.Copysign(1, a.ratio()-b.ratio())) })
	median = all[len(all)/2]
	for _, f := range all {
		median.refusals, median.held = max(median.refusals, f.refusals), max(median.held, f.held)
		median.cuts, median.updates = max(median.cuts, f.cuts), max(median.updates, f.updates)
	}
	return median, all[len(all)-1].ratio()
}

// TestPaces holds every pace to what it has to keep to, and to its row in the
// documentation.
func TestPaces(t *testing.T) {
	seeds := 9
	if raceEnabled || testing.Short() {
		seeds = 1
	}
	table := documented(t)
	for _, p := range paces {
		t.Run(p.name, func(t *testing.T) {
			if raceEnabled && p.sources >= 10000 && p.seeds == 0 {
				t.Skip("takes the race detector long, and shows it nothing that the others do not")
			}
			f, worst := p.measureAll(t, seeds)
			row := p.row(f, worst)
			t.Log(row)
			for what, over := range map[string]bool{
				fmt.Sprintf("the ratio is above %.2f", p.ratio):     f.ratio() > p.ratio && (seeds > 1 || p.seeds == 0),
				fmt.Sprintf("more than %d requests", p.requests):    p.requests > 0 && f.requests > p.requests,
				fmt.Sprintf("more than %d refusals", p.refusals):    f.refusals > p.refusals,
				fmt.Sprintf("more than %d commands held", p.held):   f.held > p.held,
				fmt.Sprintf("more than %d requests cut", p.cuts):    f.cuts > p.cuts,
				"a source was updated again after it was done":      f.updates > 1,
				"a source was updated although nothing changed":     p.unchanged && f.updates > 0,
				"the makespan is below the bound: one of them lies": f.makespan < f.bound-1e-6,
			} {
				if over {
					t.Errorf("%s: %s", what, row)
				}
			}
			if seeds == 1 {
				return
			}
			told, ok := table[p.name]
			if !ok {
				t.Fatalf("docs/pacing.md has no row %q; it should read\n%s", p.name, row)
			}
			// Requests that come at the same instant may be served in any
			// order, so the figures vary a little.
			if math.Abs(told-f.ratio()) > 0.02 {
				t.Errorf("docs/pacing.md tells a ratio of %.3f; its row should read\n%s", told, row)
			}
		})
	}
}

// row is a line of the table in docs/pacing.md.
func (p pace) row(f figures, worst float64) string {
	ratio := fmt.Sprintf("%.3f", f.ratio())
	if p.seeds > 1 {
		ratio += fmt.Sprintf(" (worst %.2f)", worst)
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %.2f s | %.2f s | %s | %.2f |", p.name, f.requests, f.refusals, f.held, f.cuts, f.makespan, f.bound, ratio, p.ratio)
}

// documented reads the ratios from the table in docs/pacing.md.
func documented(t *testing.T) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile("../docs/pacing.md")
	if err != nil {
		t.Fatal(err)
	}
	ratios := make(map[string]float64)
	for line := range bytes.Lines(text) {
		cells := strings.Split(string(line), "|")
		if len(cells) != 11 {
			continue
		}
		ratio, _, _ := strings.Cut(strings.TrimSpace(cells[8]), " ")
		if r, err := strconv.ParseFloat(ratio, 64); err == nil {
			ratios[strings.TrimSpace(cells[1])] = r
		}
	}
	return ratios
}
