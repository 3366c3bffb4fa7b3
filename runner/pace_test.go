package runner_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncsources/bitrix"
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

// scene is the portal of a pace while it is measured.
type scene struct {
	*bench
	t    testing.TB
	pace pace
	seed uint64
}

// client is a host of its own that uses the portal.
func (w *scene) client() *bitrix.Client {
	wire := w.RoundTripper()
	if w.pace.wire != nil {
		wire = w.pace.wire(wire)
	}
	return bitrix.New(bitrix.Config{Credentials: w.creds, Transport: wire})
}

// titled are the pace's sources with a title, as declared.
func (w *scene) titled(title string) []manifest.Source {
	declared := make([]manifest.Source, w.pace.sources)
	for i := range declared {
		id := int64(i + 1)
		own := title
		if w.pace.changed > 0 && i >= w.pace.changed {
			own = "old"
		}
		declared[i] = manifest.Source{Object: manifest.Object{ID: id, Name: "s"}, Title: &own,
			Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal(own + "-password")}}}
	}
	return declared
}

// make makes the portal have what is declared, and nothing else.
func (w *scene) make(set *manifest.Set) *runner.Report {
	return runner.Apply(context.Background(), w.client(), runner.Options{Set: set, Prune: true, Schedule: w.pace.conf})
}

// apply makes the sources have a title.
func (w *scene) apply(title string) *runner.Report { return w.run(title, false) }

func (w *scene) run(title string, plan bool) *runner.Report {
	conf := w.pace.conf
	conf.Seed = w.seed + 1
	o := runner.Options{Set: declares(w.titled(title)...), Schedule: conf}
	if plan {
		return runner.Plan(context.Background(), w.client(), o)
	}
	return runner.Apply(context.Background(), w.client(), o)
}

// measure lives through the pace on its portal, drawn from seed.
func (p pace) measure(tb testing.TB, seed uint64) (f figures) {
	tb.Helper()
	state := sandbox.State{KeepCalls: -1, Seed: seed}
	f.bound = p.portal(&state, seed)
	settings := []sandbox.SettingType{{Code: "login"}, {Code: "password"}}
	if p.sources > 0 {
		for id := range max(2, p.systems) {
			state.Connectors = append(state.Connectors, sandbox.Connector{ID: int64(id + 1), Title: fmt.Sprint("SQL ", id), Settings: settings})
		}
	}
	for i := range p.sources {
		connector := int64(i%max(1, p.systems) + 1)
		if p.other > 0 && i >= p.sources-p.other {
			connector = 2
		}
		state.Sources = append(state.Sources, sandbox.Source{ID: int64(i + 1), Title: "old", ConnectorID: connector,
			Settings: map[string]string{"login": "admin", "password": "old-password"}})
	}
	inVirtualTime(tb, state, func(t *testing.T, b *bench) {
		w := &scene{bench: b, t: t, pace: p, seed: seed}
		want, title := cmp.Or(p.want, runner.StatusUpdated), "new"
		if p.unchanged {
			want, title = runner.StatusUnchanged, "old"
		}
		var report *runner.Report
		if p.story != nil {
			var bound float64
			if report, bound = p.story(w); bound > 0 {
				f.bound = bound
			}
		} else {
			report = w.run(title, p.unchanged)
		}
		b.Wait()
		stats := b.Stats()
		for i, s := range report.Objects {
			// After a second refused connection a failure is the truth.
			refused := stats.Checks[s.ID] - stats.Updates[s.ID]
			status := want
			if p.changed > 0 && i >= p.changed {
				status = runner.StatusUnchanged
			}
			if s.Status != status && (s.Error == nil || s.Error.Code != "SOURCE_UPDATE_CONNECTION_ERROR" || refused < 2) {
				t.Fatalf("source %d is %s (%v) after %d refused connections, want %s", s.ID, s.Status, s.Error, refused, want)
			}
		}
		f.requests, f.makespan = report.Requests.HTTP, report.Duration
		f.refusals, f.cuts = stats.Refused, stats.Cuts
		for _, n := range stats.Blocked {
			f.held += n
		}
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
	seeds := 3 // the benchmark, which makes the table, draws nine
	if raceEnabled || testing.Short() {
		seeds = 1
	}
	table := documented(t)
	percent := debug.SetGCPercent(400) // a third of what the paces cost is collecting their garbage
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	for _, p := range paces {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if raceEnabled && p.sources >= 10000 && p.seeds == 0 {
				t.Skip("takes the race detector long, and shows it nothing that the others do not")
			}
			if testing.Short() && p.sources > 1000 {
				t.Skip("takes long")
			}
			draws := seeds
			if p.sources >= 10000 {
				draws = 1 // a long run draws often enough
			}
			f, worst := p.measureAll(t, draws)
			row := p.row(f, worst)
			t.Log(row)
			for what, over := range map[string]bool{
				fmt.Sprintf("the ratio is above %.2f", p.ratio):     f.ratio() > p.ratio && (seeds > 1 || p.seeds == 0),
				fmt.Sprintf("the worst is above %.2f", p.worst):     p.worst > 0 && worst > p.worst && seeds > 1,
				fmt.Sprintf("more than %d requests", p.requests):    p.requests > 0 && f.requests > p.requests,
				fmt.Sprintf("more than %d refusals", p.refusals):    f.refusals > p.refusals,
				fmt.Sprintf("more than %d commands held", p.held):   f.held > p.held,
				fmt.Sprintf("more than %d requests cut", p.cuts):    f.cuts > p.cuts,
				"a source was updated again after it was done":      f.updates > max(1, p.rounds),
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
			if math.Abs(told-f.ratio()) > max(0.02, p.loose) {
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
	text := must(os.ReadFile("../docs/pacing.md"))(t)
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
