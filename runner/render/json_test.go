package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/runner"
	"syncsources/runner/render"
)

const (
	schemaFile  = "../../schema/report.schema.json"
	portalsFile = "../../schema/portals-report.schema.json"
)

func TestJSON(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			out := rendered(t, render.JSON, r, render.Options{})
			if name != "rotation" { // large, and not more than the others show
				golden(t, "json-"+name, out)
			}
			var back runner.Report
			check(t, json.Unmarshal(out, &back))
			withoutEmptyLists(&back)
			if !reflect.DeepEqual(&back, r) {
				t.Errorf("read back as\n%+v\nwant\n%+v", &back, r)
			}
		})
	}
}

// withoutEmptyLists takes off the lists that JSON adds where there are none.
func withoutEmptyLists(r *runner.Report) {
	if len(r.Findings) == 0 {
		r.Findings = nil
	}
	for i := range r.Objects {
		if len(r.Objects[i].Changes) == 0 {
			r.Objects[i].Changes = nil
		}
	}
}

// A reader can go through the changes of every source, and the findings of
// every invalid run.
func TestJSONLists(t *testing.T) {
	for name, r := range samples() {
		var doc struct {
			Objects  []map[string]any `json:"objects"`
			Findings any              `json:"findings"`
		}
		check(t, json.Unmarshal(rendered(t, render.JSON, r, render.Options{}), &doc))
		for _, s := range doc.Objects {
			if _, ok := s["changes"].([]any); !ok {
				t.Errorf("%s: the changes of %v are %v", name, s["name"], s["changes"])
			}
		}
		if _, ok := doc.Findings.([]any); ok != (r.Outcome == runner.OutcomeInvalid) {
			t.Errorf("%s: %s with the findings %v", name, r.Outcome, doc.Findings)
		}
	}
}

// Every report is what its JSON Schema says.
func TestJSONSchema(t *testing.T) {
	s := compile(t)
	all := samples()
	all["stopped before it read the manifests"] = &runner.Report{Schema: runner.ReportSchema, Command: "plan", Outcome: runner.OutcomeStopped}
	for name, r := range all {
		if err := validate(s, rendered(t, render.JSON, r, render.Options{})); err != nil {
			t.Errorf("%s: %#v", name, err)
		}
	}
	// And the schema is not so wide that anything would do.
	for name, spoil := range map[string]func(map[string]any){
		"no summary":               func(r map[string]any) { delete(r, "summary") },
		"another schema":           func(r map[string]any) { r["schema"] = "syncsources.report/1" },
		"unknown outcome":          func(r map[string]any) { r["outcome"] = "fine" },
		"no objects":               func(r map[string]any) { delete(r, "objects") },
		"findings beside objects":  func(r map[string]any) { r["findings"] = []any{} },
		"objects though invalid":   func(r map[string]any) { r["outcome"] = "invalid" },
		"empty checksum":           func(r map[string]any) { r["checksum"] = "" },
		"value of a sensitive one": func(r map[string]any) { change(r, 3)["from"] = "x" },
		"failed without an error":  func(r map[string]any) { r["objects"].([]any)[0].(map[string]any)["status"] = "failed" },
		"time not of RFC 3339":     func(r map[string]any) { r["started_at"] = "2025-03-20 14:50:06" },
	} {
		var doc map[string]any
		check(t, json.Unmarshal(rendered(t, render.JSON, planned(), render.Options{}), &doc))
		spoil(doc)
		spoiled, _ := json.Marshal(doc)
		if validate(s, spoiled) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func change(report map[string]any, i int) map[string]any {
	return report["objects"].([]any)[0].(map[string]any)["changes"].([]any)[i].(map[string]any)
}

func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	return compileFile(t, schemaFile)
}

func compileFile(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	c.AssertFormat = true
	for _, file := range []string{schemaFile, portalsFile} {
		doc := must(os.ReadFile(file))(t)
		check(t, c.AddResource(filepath.Base(file), bytes.NewReader(doc)))
	}
	s := must(c.Compile(filepath.Base(name)))(t)
	return s
}

func validate(s *jsonschema.Schema, doc []byte) error {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return err
	}
	return s.Validate(v)
}

// The report of many portals is what its schema says, and reads back as it was:
// also from reports that are stored elsewhere.
func TestJSONPortals(t *testing.T) {
	s := compileFile(t, portalsFile)
	all := fleet(5, 8)
	out := renderedRun(t, render.JSON, render.Many(all), render.Options{})
	if err := validate(s, out); err != nil {
		t.Errorf("%#v", err)
	}
	var back runner.PortalsReport
	check(t, json.Unmarshal(out, &back))
	for i := range back.Portals {
		withoutEmptyLists(back.Portals[i].Report)
	}
	if diff := cmp.Diff(all, &back, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(runner.PortalReport{}, "Stored"), cmpopts.IgnoreUnexported(runner.PortalsReport{})); diff != "" {
		t.Error(diff)
	}
	for i := range all.Portals {
		p := &all.Portals[i]
		report := p.Report
		p.Report, p.Stored = nil, func() (*runner.Report, error) { return report, nil }
	}
	if again := renderedRun(t, render.JSON, render.Many(all), render.Options{}); !bytes.Equal(again, out) {
		t.Error("stored reports are written differently")
	}
	for _, empty := range []*runner.PortalsReport{
		{Schema: runner.PortalsSchema, Command: "apply", Outcome: runner.OutcomeOK},
		{Schema: runner.PortalsSchema, Command: "apply", Outcome: runner.OutcomeInvalid, Error: &runner.Failure{Code: "X", Message: "x"}},
		{Schema: runner.PortalsSchema, Command: "apply", Outcome: runner.OutcomeInvalid, Findings: invalid().Findings},
	} {
		if err := validate(s, renderedRun(t, render.JSON, render.Many(empty), render.Options{})); err != nil {
			t.Errorf("%#v", err)
		}
	}
	if validate(s, bytes.Replace(out, []byte(`"name": "acme"`), []byte(`"name": ""`), 1)) == nil {
		t.Error("a portal without a name is accepted")
	}
	if validate(s, bytes.Replace(out, []byte(`"syncsources.report/2"`), []byte(`"syncsources.report/1"`), 1)) == nil {
		t.Error("another schema of a portal's report is accepted")
	}
}

// A long timeline is thinned, and what the portal did not simply answer stays.
func TestJSONTimeline(t *testing.T) {
	r := planned()
	for i := range 10_000 {
		e := runner.Exchange{At: float64(i), Method: "batch", Commands: 50, Result: "ok"}
		if i%100 == 3 {
			e.Result = "throttled"
		}
		r.Timeline = append(r.Timeline, e)
	}
	thinned := func(r *runner.Report) (all []runner.Exchange, odd int) {
		var back runner.Report
		check(t, json.Unmarshal(rendered(t, render.JSON, r, render.Options{}), &back))
		for i, e := range back.Timeline {
			if e.Result != "ok" {
				odd++
			}
			if i > 0 && e.At <= back.Timeline[i-1].At {
				t.Errorf("%v follows %v", e.At, back.Timeline[i-1].At)
			}
		}
		return back.Timeline, odd
	}
	if all, odd := thinned(r); len(all) != 2000 || odd != 100 {
		t.Errorf("%d requests, %d of them throttled", len(all), odd)
	} else if gap := all[1000].At; gap < 4500 || gap > 5500 {
		t.Errorf("the thousandth began after %v s: not an even share", gap)
	}
	for i := range r.Timeline {
		r.Timeline[i].Result = "lost"
	}
	if all, odd := thinned(r); len(all) != 2000 || odd != 2000 {
		t.Errorf("%d requests, %d of them lost", len(all), odd)
	}
	r.Timeline = r.Timeline[:2000]
	if all, _ := thinned(r); len(all) != 2000 {
		t.Errorf("%d requests of 2000", len(all))
	}
}

// The schema has every field of the report's types, with a description, and no
// other; what is never left out is required.
func TestJSONSchemaFields(t *testing.T) {
	doc := must(os.ReadFile(schemaFile))(t)
	type object struct {
		Required   []string                  `json:"required"`
		Properties map[string]map[string]any `json:"properties"`
	}
	var root struct {
		object
		Definitions map[string]object `json:"definitions"`
	}
	check(t, json.Unmarshal(doc, &root))
	described := func(p map[string]any) bool {
		if p["description"] != nil {
			return true
		}
		ref, _ := p["$ref"].(string)
		return ref != "" && strings.Contains(string(doc), `"`+strings.TrimPrefix(ref, "#/definitions/")+"\": {\n      \"description\"")
	}
	for _, c := range []struct {
		definition string
		of         any
	}{
		{"", runner.Report{}},
		{"summary", runner.Summary{}},
		{"requests", runner.Requests{}},
		{"object", runner.Object{}},
		{"change", runner.Change{}},
		{"failure", runner.Failure{}},
		{"unmanaged", runner.Unmanaged{}},
		{"limits", runner.Limits{}},
		{"exchange", runner.Exchange{}},
		{"wait", runner.Wait{}},
		{"finding", runner.Finding{}},
	} {
		got := root.object
		if c.definition != "" {
			got = root.Definitions[c.definition]
		}
		var fields, always []string
		for f := range reflect.TypeOf(c.of).Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			fields = append(fields, name)
			if options == "" {
				always = append(always, name)
			}
		}
		var properties []string
		for name, p := range got.Properties {
			properties = append(properties, name)
			if !described(p) {
				t.Errorf("%T: %s has no description", c.of, name)
			}
		}
		slices.Sort(fields)
		slices.Sort(properties)
		if !slices.Equal(fields, properties) {
			t.Errorf("%T: fields %v, in the schema %v", c.of, fields, properties)
		}
		slices.Sort(always)
		slices.Sort(got.Required)
		if !slices.Equal(always, got.Required) {
			t.Errorf("%T: never left out are %v, required %v", c.of, always, got.Required)
		}
	}
}

// A value that should not be in the report at all still does not come out.
func TestJSONSensitive(t *testing.T) {
	r := planned()
	r.Objects[0].Changes[3].From, r.Objects[0].Changes[3].To = "hunter2-old", "hunter2-new"
	if out := rendered(t, render.JSON, r, render.Options{}); bytes.Contains(out, []byte("hunter2")) {
		t.Errorf("a sensitive value was written:\n%s", out)
	}
	if r.Objects[0].Changes[3].From != "hunter2-old" {
		t.Error("the report itself was changed")
	}
}
