package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// tampered changes one value of one answer.
type tampered struct {
	answer int // the answer, counted from 0; all of them if negative
	path   string
	value  any // removed is none

	seen  int
	paths [][]string // of all values, by answer
	hit   bool
}

type removed struct{}

func (tp *tampered) change(content []byte) []byte {
	var root any
	_ = json.Unmarshal(content, &root)
	var paths []string
	root = tp.walk(root, "", &paths)
	tp.paths = append(tp.paths, paths)
	tp.seen++
	content, _ = json.Marshal(root)
	return content
}

// walk lists the paths below v, and puts the value in its place.
func (tp *tampered) walk(v any, path string, paths *[]string) any {
	*paths = append(*paths, path)
	if path == tp.path && (tp.answer == tp.seen || tp.answer < 0) {
		tp.hit = true
		return tp.value
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if v[k] = tp.walk(v[k], path+"/"+k, paths); v[k] == (removed{}) {
				delete(v, k)
			}
		}
	case []any:
		for i := 0; i < len(v); i++ {
			if v[i] = tp.walk(v[i], fmt.Sprintf("%s/%d", path, i), paths); v[i] == (removed{}) {
				return slices.Delete(v, i, i+1)
			}
		}
	}
	if v == nil {
		return nil
	}
	return v
}

// Every value of every answer of a run is replaced by others of other types,
// once or for good. Whatever the portal answers, the run ends, and what it
// calls updated or unchanged is so.
func TestWrongTypesEverywhere(t *testing.T) {
	t.Parallel()
	values := []any{nil, true, false, 7.0, -1e300, "", "x", []any{}, []any{[]any{}}, map[string]any{}, map[string]any{"error": "X"}, map[string]any{"0": 1.0}, removed{}}
	first := tamperedRun(t, &tampered{answer: -1, path: "none"})
	runs, turn, tried, every := 0, 0, map[string]bool{}, 4
	if testing.Short() {
		every = 16
	}
	for answer, paths := range first.paths {
		for _, path := range paths {
			for i, value := range values {
				if turn++; turn%every > 0 { // each value at every fourth place, each place with three or four values
					continue
				}
				// One of three for good, which costs 20 seconds of virtual time each.
				once := &tampered{answer: answer, path: path, value: value}
				if key := fmt.Sprint(path, i); runs%3 == 0 && !tried[key] {
					tried[key] = true
					once.answer = -1
				}
				tamperedRun(t, once)
				if runs++; !once.hit {
					t.Fatalf("answer %d has no %s", answer, path)
				}
				if t.Failed() {
					t.Fatalf("answer %d, %s: %#v", once.answer, path, value)
				}
			}
		}
	}
	t.Logf("%d runs over %d answers", runs, len(first.paths))
}

func tamperedRun(t *testing.T, tp *tampered) *tampered {
	desired := []manifest.Source{
		{Object: manifest.Object{ID: 1, Name: "title"}, Title: ptr("declared")},
		{Object: manifest.Object{ID: 2, Name: "description"}, Description: ptr("declared")},
		{Object: manifest.Object{ID: 3, Name: "settings"}, Settings: []manifest.Setting{{Code: "login", Value: manifest.Literal("declared")}, {Code: "password", Value: manifest.Literal("a$result[x]")}}},
		{Object: manifest.Object{ID: 4, Name: "as declared"}, Title: ptr("declared")},
	}
	state := sqlState(4)
	state.Sources[3].Title = "declared"
	onPortal(t, state, func(t *testing.T, b *bench) {
		client := b.through(rewritten(b.RoundTripper(), tp.change))
		before := b.Sources()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		report := runner.Apply(ctx, client, runner.Options{Set: declares(desired...),
			Schedule: schedule.Config{Concurrency: 1}}) // answers in one order
		for i, s := range report.Objects {
			live, _ := b.Source(s.ID)
			if open := differing(&desired[i], live); len(open) > 0 && (s.Status == runner.StatusUpdated || s.Status == runner.StatusUnchanged) {
				t.Errorf("source %q is %s, but not as declared: %v", s.Name, s.Status, open)
			}
			if len(differing(&desired[i], before[i])) == 0 && b.Stats().Updates[s.ID] > 1 {
				t.Errorf("source %q was updated %d times", s.Name, b.Stats().Updates[s.ID])
			}
			if s.Error != nil && (s.Error.Code == "" || strings.ContainsAny(s.Error.Message, "\n\x00")) {
				t.Errorf("source %q: error %q", s.Name, s.Error)
			}
		}
		if report.Error != nil && report.Error.Code == runner.CodeTimeout {
			t.Error("the run does not end")
		}
	})
	return tp
}
