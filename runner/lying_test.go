package runner_test

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// lie spoils one object of an answer as a broken portal, cache or proxy may:
// so that it says less, or something else, but never by chance what is
// declared.
func lie(r *rand.Rand, it item) any {
	keys := []string{"id", "title", "name", "description", "active", "settings", "connectorId", "fields", "externalName", "urlData"}
	key := keys[r.IntN(len(keys))]
	if _, has := it[key]; !has {
		key = "id"
	}
	switch r.IntN(6) {
	case 0:
		delete(it, key)
	case 1:
		it[key] = item{"ru": "x"}
	case 2:
		it[key] = []any{[]any{1}}
	case 3: // the object twice, once otherwise
		other := item{}
		for k, v := range it {
			other[k] = v
		}
		other["title"], other["description"] = "another", "another"
		return []any{it, other}
	case 4: // a setting twice, or hidden
		list, ok := it["settings"].([]any)
		if !ok || len(list) == 0 {
			break
		}
		first, _ := list[0].(item)
		if r.IntN(2) == 0 {
			it["settings"] = append(list, item{"code": first["code"], "name": "x", "type": "STRING", "value": "another"})
			break
		}
		for _, s := range list {
			s.(item)["value"] = "********"
		}
	default:
		if key != "title" && key != "name" { // a number is a title, so nobody can tell that it is a lie
			it[key] = 7.5
		}
	}
	return it
}

// TestLyingPortal alters answers on the wire at random, with the truth taken
// from the portal's state: what is reported as done or as declared must be
// true whatever the answers say.
func TestLyingPortal(t *testing.T) {
	t.Parallel()
	seeds := uint64(120)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		state := grown()
		state.Seed = seed
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.through(lying(b.RoundTripper(), seed))
			set := fromNothing(6)
			set.Declares = manifest.Declares{}
			set.Connectors[0].Name, set.Connectors[0].Title = "erp", ptr("ERP")
			set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{Name: "crm", ID: 11}, Description: ptr("new"),
				Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("new")}, {Code: "host", Value: manifest.Literal("")}}})
			for range 3 {
				report := runner.Apply(context.Background(), client, runner.Options{Set: set, Schedule: schedule.Config{Seed: seed + 1}})
				b.Wait()
				truthful(t, b, set, report)
			}
			counts := map[string]int{}
			for _, s := range b.Sources() {
				if counts[s.Title]++; counts[s.Title] > 1 {
					t.Errorf("seed %d: %d sources are called %q", seed, counts[s.Title], s.Title)
				}
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A portal that changes the title which an update must send along, though nobody
// declares it, is told.
func TestTitleThatAnUpdateChanges(t *testing.T) {
	for title, want := range map[string]string{"Sales": "updated", "R&D": "failed NOT_CONVERGED"} {
		state := grown()
		state.Sources[0].Title = title
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.sourcesEdited(each(func(_ string, it item) {
				it["title"] = strings.ReplaceAll(it["title"].(string), "&", "&amp;")
			}))
			set := declares(manifest.Source{Object: manifest.Object{Name: "crm", ID: 11}, Description: ptr("new")})
			report := runner.Apply(t.Context(), client, runner.Options{Set: set})
			counts(t, report, map[string]int{want: 1})
			if o := report.Objects[0]; o.Error != nil && (o.Attempts != 1 || !strings.Contains(o.Error.Hint, "declare the title")) {
				t.Errorf("%+v", o)
			}
		})
	}
}

// truthful holds the statuses of a report against the portal's own state.
func truthful(t *testing.T, b *bench, set *manifest.Set, r *runner.Report) {
	t.Helper()
	sources := map[string]*manifest.Source{}
	for i := range set.Sources {
		sources[set.Sources[i].Name] = &set.Sources[i]
	}
	for _, o := range r.Objects {
		if o.Status != runner.StatusCreated && o.Status != runner.StatusUpdated && o.Status != runner.StatusUnchanged {
			continue
		}
		switch o.Kind {
		case runner.KindSource:
			d := sources[o.Name]
			live, ok := b.Source(o.ID)
			if !ok || d.Title != nil && live.Title != *d.Title || d.Description != nil && (live.Description == nil || *live.Description != *d.Description) {
				t.Errorf("%s is said to be %s, but is %+v", o.Name, o.Status, live)
			}
			for _, s := range d.Settings {
				if live.Settings[s.Code] != s.Value.Text().Plain() {
					t.Errorf("%s is said to be %s, but its %s is %q", o.Name, o.Status, s.Code, live.Settings[s.Code])
				}
			}
		case runner.KindConnector:
			if live, ok := b.Connector(o.ID); !ok || live.URLData != "https://x.example/data" {
				t.Errorf("the connector is said to be %s, but is %+v", o.Status, live)
			}
		case runner.KindTable:
			live, ok := b.Table(o.ID)
			var names []string
			for _, c := range live.Columns {
				names = append(names, c.Name)
			}
			if !ok || !cmp.Equal(names, []string{"ID", "AMOUNT"}) {
				t.Errorf("%s is said to be %s, but is %+v", o.Name, o.Status, live)
			}
		}
	}
}

// lying lies between the client and the portal, by what an answer says: so it
// does not matter which of two answers comes first.
func lying(portal http.RoundTripper, seed uint64) http.RoundTripper {
	return rewritten(portal, func(content []byte) []byte {
		var root item
		if json.Unmarshal(content, &root) == nil {
			sum := fnv.New64a()
			_, _ = sum.Write(content)
			walk(root, rand.New(rand.NewPCG(seed, sum.Sum64())))
			content, _ = json.Marshal(root)
		}
		return content
	})
}

// walk looks for objects in an answer, in the order of their keys.
func walk(m item, r *rand.Rand) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		switch v := m[key].(type) {
		case item:
			if _, object := v["dateCreate"]; object && r.IntN(15) == 0 {
				m[key] = lie(r, v)
				continue
			}
			walk(v, r)
		case []any:
			var list []any
			for _, each := range v {
				it, ok := each.(item)
				if _, object := it["dateCreate"]; !ok || !object || r.IntN(15) > 0 {
					list = append(list, each)
					continue
				}
				if twice, is := lie(r, it).([]any); is {
					list = append(list, twice...)
				} else {
					list = append(list, it)
				}
			}
			if list != nil {
				m[key] = list
			}
		}
	}
}
