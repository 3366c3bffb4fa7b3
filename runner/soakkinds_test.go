package runner_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// kindsWorld is a random portal with objects of all kinds, and a random set of
// declarations for it.
type kindsWorld struct {
	state sandbox.State
	set   *manifest.Set
	prune bool
	// deeds is set where people do something beside the runs.
	deeds bool
}

// newKindsWorld makes the world of a seed.
func newKindsWorld(seed uint64) *kindsWorld {
	r := rand.New(rand.NewPCG(seed, 11))
	w := &kindsWorld{set: &manifest.Set{}, prune: r.IntN(2) == 0}
	w.set.Declares = manifest.Declares{Connectors: r.IntN(3) > 0, Sources: r.IntN(4) > 0, Tables: r.IntN(4) > 0}
	settings := []sandbox.SettingType{{Code: "host", Name: "Host"}, {Code: "password", Name: "Password"}}
	if r.IntN(4) == 0 {
		settings = append(settings, sandbox.SettingType{Code: "title", Name: "A trap"})
	}
	s := &w.state
	s.Seed, s.Latency, s.UpdateCost = seed, time.Duration(r.IntN(400))*time.Millisecond, time.Duration(r.IntN(1500))*time.Millisecond
	s.HonourActive = r.IntN(2) == 0
	s.NoTableMethods, s.DatasetDelete = r.IntN(4) == 0, sandbox.DatasetDeleteWorks
	columns := []sandbox.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "double", ExternalCode: "amount"}}
	source, table := int64(100), int64(1000)
	for c := range int64(1 + r.IntN(4)) {
		owner := ""
		if c == 3 {
			owner = "another application"
		}
		s.Connectors = append(s.Connectors, sandbox.Connector{ID: c + 1, Title: fmt.Sprintf("C%d", r.IntN(5)), Settings: settings, Owner: owner})
		for range r.IntN(12) {
			source++
			s.Sources = append(s.Sources, sandbox.Source{ID: source, ConnectorID: c + 1, Title: fmt.Sprintf("S%d", r.IntN(30)),
				Settings: map[string]string{"host": "h", "password": "old"}, CreatedByID: int64(1 + r.IntN(2))})
			for range r.IntN(3) {
				table++
				s.Tables = append(s.Tables, sandbox.Table{ID: table, Name: fmt.Sprintf("t%d", table), SourceID: source, ExternalName: "N", ExternalCode: "c", Columns: columns})
			}
		}
	}
	w.declare(r)
	w.trouble(r)
	return w
}

// declare declares some of what is live, changed or not, and some that is not.
func (w *kindsWorld) declare(r *rand.Rand) {
	names := map[string]bool{}
	add := func(title string) {
		if names[title] {
			return
		}
		names[title] = true
		c := declaredConnector(title)
		c.Title = ptr(title)
		if r.IntN(2) == 0 {
			c.Description = ptr("as code")
		}
		w.set.Connectors = append(w.set.Connectors, c)
	}
	for _, c := range w.state.Connectors {
		if r.IntN(3) > 0 {
			add(c.Title)
		}
	}
	if r.IntN(2) == 0 {
		add("New")
	}
	if len(w.set.Connectors) == 0 {
		return
	}
	seen := map[string]bool{}
	for i := range 3 + r.IntN(12) {
		on := w.set.Connectors[r.IntN(len(w.set.Connectors))].Name
		s := declaredSource(fmt.Sprintf("s%d", i), on)
		s.Title = ptr(fmt.Sprintf("S%d", r.IntN(40)))
		if seen[on+*s.Title] {
			continue
		}
		seen[on+*s.Title] = true
		switch r.IntN(5) {
		case 0:
			s.Description = ptr("declared")
		case 1:
			s.Active = ptr(r.IntN(2) == 0)
		}
		w.set.Sources = append(w.set.Sources, s)
		if r.IntN(2) == 0 {
			t := declaredTable(fmt.Sprintf("new%d", i), s.Name)
			t.Columns[1].Visible = ptr(r.IntN(2) == 0)
			w.set.Tables = append(w.set.Tables, t)
		}
	}
	if w.prune && r.IntN(2) == 0 {
		w.set.Keep.Sources = []manifest.Pattern{{Glob: fmt.Sprintf("S%d*", r.IntN(3))}, {ID: 101}}
	}
}

// trouble makes things go wrong: never for ever, so that a last run can finish.
func (w *kindsWorld) trouble(r *rand.Rand) {
	for _, kind := range []string{sandbox.FaultDropped, sandbox.FaultTruncated, sandbox.FaultBadGateway, sandbox.FaultTimeout, sandbox.FaultInternal,
		sandbox.FaultQueryLimit, sandbox.FaultEmpty, sandbox.FaultFalse, sandbox.FaultContradiction, sandbox.FaultSlow, sandbox.FaultSync} {
		if r.IntN(3) == 0 {
			f := sandbox.Fault{Kind: kind, Rate: 0.1, Times: 1 + r.IntN(6), Ran: r.IntN(2) == 0}
			if r.IntN(4) == 0 && kind != sandbox.FaultTimeout && kind != sandbox.FaultQueryLimit { // which never runs
				f.At = sandbox.AtCommand
			}
			w.state.Faults = append(w.state.Faults, f)
		}
	}
	if r.IntN(4) == 0 {
		w.deeds = true
		for range 1 + r.IntN(3) {
			w.state.People = append(w.state.People, sandbox.Deed{After: one(r, "biconnector.source.update", "biconnector.source.add", "biconnector.source.list"), Nth: 1 + r.IntN(5),
				Do: one(r, "rename", "delete", "add"), Kind: "source", ID: one[int64](r, 101, 102, 1, 2), Title: one(r, "Theirs", "S1", "S2")})
		}
	}
}

// foreign is all that belongs to the other application.
func foreign(b *bench) string {
	var list []string
	for _, c := range b.Connectors() {
		if c.Owner != "" {
			list = append(list, fmt.Sprintf("%+v", c))
		}
	}
	of := map[int64]bool{}
	for _, s := range b.Sources() {
		if s.Owner != "" {
			of[s.ID] = true
			list = append(list, fmt.Sprint(s.ID, s.Title, s.Settings))
		}
	}
	for _, t := range b.Tables() {
		if of[t.SourceID] {
			list = append(list, fmt.Sprint(t.ID, t.Name, len(t.Columns)))
		}
	}
	return strings.Join(list, "\n")
}

// existing is what the application has, by kind and id.
func existing(b *bench) map[string]bool {
	all := map[string]bool{}
	for _, c := range b.Connectors() {
		all[fmt.Sprintf("connector %d", c.ID)] = true
	}
	for _, s := range b.Sources() {
		all[fmt.Sprintf("source %d", s.ID)] = true
	}
	for _, t := range b.Tables() {
		all[fmt.Sprintf("table %d", t.ID)] = true
	}
	return all
}

// TestSoakOfKinds runs random worlds with creations and removals, faults,
// kills and people beside: what a report says is what the portal has; nothing
// is removed that a plan did not list; nothing of others is touched; and at
// the end there is one live object for each declaration.
func TestSoakOfKinds(t *testing.T) {
	t.Parallel()
	seeds := 2 * *soakSeeds
	if testing.Short() {
		seeds = 25
	}
	created := 0
	for seed := *soakFrom; seed < *soakFrom+seeds; seed++ {
		w := newKindsWorld(seed)
		onPortal(t, w.state, func(t *testing.T, b *bench) { created += w.run(t, b, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d worlds, %d objects created", seeds, created)
}

func (w *kindsWorld) run(t *testing.T, b *bench, seed uint64) (created int) {
	defer func() {
		if t.Failed() {
			t.Errorf("seed %d", seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 12))
	theirs := foreign(b)
	before := existing(b)
	listed := map[string]bool{}
	lastAdd := &note{}
	o := runner.Options{Set: w.set, Prune: w.prune, Schedule: schedule.Config{Seed: seed + 1},
		NoteAdd:     func(_ context.Context, at time.Time) error { lastAdd.set(at); return nil },
		AddsSettled: func() { lastAdd.set(time.Time{}) },
	}
	var last *runner.Report
	for run := range 30 {
		o.LastAdd = lastAdd.get()
		if run < 5 && r.IntN(2) == 0 {
			if w.prune { // a killed run removes what its plan lists, and nobody reads that
				plan := runner.Plan(context.Background(), b.client, o)
				noteRemovals(listed, plan)
				if plan.Outcome == runner.OutcomeStopped {
					continue
				}
			}
			b.killAfter(time.Duration(r.IntN(15000))*time.Millisecond, o)
			continue
		}
		last = b.apply(o)
		created += last.Summary.Created
		noteRemovals(listed, last)
		b.Wait()
		if !w.deeds {
			w.truth(t, b, last)
		}
		if run > 5 && last.Outcome == runner.OutcomeOK {
			break
		}
	}
	b.Wait()
	if diff := cmp.Diff(theirs, foreign(b)); diff != "" {
		t.Errorf("what belongs to another application changed:\n%s", diff)
	}
	now := existing(b)
	for o := range before {
		if !now[o] && !listed[o] && !w.deeds {
			t.Errorf("%s is gone, and no plan listed it", o)
		}
	}
	if !w.deeds {
		w.complete(t, b, last)
	}
	return created
}

// noteRemovals adds what a report removes, or would, to a list.
func noteRemovals(listed map[string]bool, r *runner.Report) {
	for _, o := range r.Objects {
		if o.Action == runner.ActionDelete {
			listed[fmt.Sprintf("%s %d", o.Kind, o.ID)] = true
		}
	}
}

// truth holds what a report says against what the portal has.
func (w *kindsWorld) truth(t *testing.T, b *bench, r *runner.Report) {
	t.Helper()
	for _, o := range r.Objects {
		is := existing(b)[fmt.Sprintf("%s %d", o.Kind, o.ID)]
		switch o.Status {
		case runner.StatusDeleted:
			if is {
				t.Errorf("%s %d is said to be deleted, and is there", o.Kind, o.ID)
			}
		case runner.StatusCreated, runner.StatusUpdated, runner.StatusUnchanged:
			if why := w.unlike(b, o); !is || why != "" {
				t.Errorf("%s %s (#%d) is said to be %s, but is there: %v, %s", o.Kind, o.Name, o.ID, o.Status, is, why)
			}
		}
	}
}

// unlike says in what a live object is not as declared.
func (w *kindsWorld) unlike(b *bench, o runner.Object) string {
	switch o.Kind {
	case runner.KindConnector:
		d := w.set.Connectors[slices.IndexFunc(w.set.Connectors, func(c manifest.Connector) bool { return c.Name == o.Name })]
		c, _ := b.Connector(o.ID)
		if c.Title != *d.Title || d.Description != nil && c.Description != *d.Description || c.URLData != *d.URLData {
			return fmt.Sprintf("%+v", c)
		}
	case runner.KindSource:
		d := w.set.Sources[slices.IndexFunc(w.set.Sources, func(s manifest.Source) bool { return s.Name == o.Name })]
		s, _ := b.Source(o.ID)
		active := s.Active == nil || *s.Active
		if s.Title != *d.Title || s.Settings["password"] != "pw-"+d.Name || d.Active != nil && active != *d.Active ||
			d.Description != nil && (s.Description == nil || *s.Description != *d.Description) || s.Settings["title"] != "" {
			return fmt.Sprintf("%+v", s)
		}
	case runner.KindTable:
		d := w.set.Tables[slices.IndexFunc(w.set.Tables, func(s manifest.Table) bool { return s.Name == o.Name })]
		table, _ := b.Table(o.ID)
		for i, c := range d.Columns {
			if i >= len(table.Columns) || c.Visible != nil && (table.Columns[i].Visible == nil || *table.Columns[i].Visible) != *c.Visible {
				return fmt.Sprintf("%+v", table)
			}
		}
	}
	return ""
}

// complete holds the end to one live object for each declaration. Those that
// were ambiguous from the start stay so.
func (w *kindsWorld) complete(t *testing.T, b *bench, last *runner.Report) {
	t.Helper()
	if last == nil || last.Outcome == runner.OutcomeStopped {
		t.Errorf("the last run did not get through: %v", last.Err())
		return
	}
	for i := range last.Objects {
		o := &last.Objects[i]
		if o.Error == nil || o.Error.Code == runner.CodeAmbiguous || o.Error.Code == runner.CodeDependency ||
			o.Error.Code == runner.CodeNotConverged && strings.Contains(o.Error.Message, "active") {
			continue
		}
		t.Errorf("at the end %s %s (#%d) is %s: %v", o.Kind, o.Name, o.ID, o.Status, o.Error)
	}
	at := map[string]int{}
	for _, s := range b.Sources() {
		at[fmt.Sprintf("%d %s", s.ConnectorID, s.Title)]++
	}
	started := map[string]int{}
	for _, s := range w.state.Sources {
		started[fmt.Sprintf("%d %s", s.ConnectorID, s.Title)]++
	}
	for _, key := range slices.Sorted(maps.Keys(at)) {
		if at[key] > max(1, started[key]) {
			t.Errorf("%d sources %s, %d at the start", at[key], key, started[key])
		}
	}
	titles := map[string]int{}
	for _, c := range b.Connectors() {
		titles[c.Title]++
	}
	if titles["New"] > 1 {
		t.Errorf("%d connectors are called New", titles["New"])
	}
}
