package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sortedIDs are the ids of a list without order, which comes in any.
func sortedIDs(r reply) string {
	out := strings.Fields(ids(r))
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return strings.Join(out, " ")
}

// ids are the ids of a list's answer, or what it says instead.
func ids(r reply) string {
	items, ok := r.at("result").([]any)
	if !ok {
		return fmt.Sprint(r.status, " ", r.at("result", "error", "error"), r.at("error"), " ", r.at("result", "error", "error_description"), r.at("error_description"))
	}
	var out []string
	for _, it := range items {
		m, _ := it.(map[string]any)
		out = append(out, fmt.Sprint(m["id"]))
	}
	return strings.Join(out, " ")
}

func TestListItem(t *testing.T) {
	p := newPortal(t, smallState)
	r := call(t, p, "biconnector.source.list", `{"filter":{"@id":[4,6]},"order":{"id":"asc"}}`)
	want := `[{"id":4,"title":"Old name","type":"rest","code":"rest_1","description":"","active":true,` +
		`"dateCreate":"2025-03-20 14:50:06","dateUpdate":"2025-03-20 14:50:06","createdById":1,"updatedById":1,"connectorId":1,` +
		`"settings":[{"code":"login","name":"login","type":"STRING","value":"old_admin"},{"code":"password","name":"Password","type":"STRING","value":"old_password"}]},` +
		`{"id":6,"title":"Bare","type":"rest","code":"rest_2","description":"","active":false,` +
		`"dateCreate":"2025-03-20 14:50:06","dateUpdate":"2025-03-20 14:50:06","createdById":1,"updatedById":1,"connectorId":2,"settings":null}]`
	if got := strings.Split(strings.TrimPrefix(r.body, `{"result":`), `,"time":`)[0]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The sources of smallState that are visible are 4, 5, 6, 7, 9 and 10.
func TestListParameters(t *testing.T) {
	p := newPortal(t, smallState+"limits: {unlimited: true}\n")
	for _, c := range []struct{ params, want string }{
		{`{}`, "4 5 6 7 9 10"},
		{`[]`, "4 5 6 7 9 10"},
		{`{"start":50,"page":1,"whatever":[]}`, "4 5 6 7 9 10"},
		{`{"select":[],"filter":[],"order":[]}`, "4 5 6 7 9 10"},
		{`{"select":null,"filter":null,"order":null,"page":null}`, "4 5 6 7 9 10"},
		{`{"FILTER":{"id":4}}`, "4 5 6 7 9 10"}, // names are case-sensitive
		{`{"page":2}`, ""},
		{`{"page":"1"}`, "4 5 6 7 9 10"},
		{`{"page":0}`, "4 5 6 7 9 10"},
		{`{"page":"x"}`, "4 5 6 7 9 10"},

		{`{"filter":{"id":4}}`, "4"},
		{`{"filter":{"=id":"4"}}`, "4"},
		{`{"filter":{"@id":[10,4,4,99,8]}}`, "4 10"},
		{`{"filter":{"@id":["4","10"]}}`, "4 10"},
		{`{"filter":{"@id":{"a":4,"5":10}}}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER<nil> Field "a" is not allowed in the "filter".<nil>`},
		{`{"filter":{"id":[4,5]}}`, "4 5"},
		{`{"filter":{"@id":[]}}`, "4 5 6 7 9 10"}, // a condition without values is none
		{`{"filter":{"@id":[4,5,6],">id":4}}`, "5 6"},
		{`{"filter":{">=id":6,"<id":9}}`, "6 7"},
		{`{"filter":{">id":"6","<=id":"9"}}`, "7 9"},
		{`{"filter":{"title":"STOCK"}}`, "5"},
		{`{"filter":{"title":"s%"}}`, "5 10"}, // no prefix is no equality
		{`{"filter":{"title":"_ed"}}`, ""},
		{`{"filter":{"title":"_sed"}}`, "9"},
		{`{"filter":{"=title":"s%"}}`, ""},
		{`{"filter":{"=title":"used"}}`, "9"}, // the database knows no case
		{`{"filter":{"title":"12"}}`, ""},
		{`{"filter":{"!id":4}}`, "501 <nil>SANDBOX_FILTER <nil>The sandbox has no filter with the prefix !."},
		{`{"filter":{"@nope":[1]}}`, "400 <nil>100 <nil>Unknown field definition `nope` for the filter."},
		{`{"filter":{"description":""}}`, "4 6 7 9 10"},
		{`{"filter":{"active":"N"}}`, "6"},
		{`{"filter":{"active":true}}`, "4 5 7 9 10"},
		{`{"filter":{"=connectorId":1}}`, "4"},
		{`{"filter":{"@connectorId":[1,3]}}`, "4"},
		{`{"filter":{"code":"rest_1"}}`, "4"},
		{`{"filter":{">dateCreate":"2025-03-20 14:50:06"}}`, ""},
		{`{"filter":{"settings":"x","id":4}}`, "4"},
		{`{"filter":{"logic":"OR","0":{"id":4},"1":{"title":"Stock"}}}`, "400 <nil>100 <nil>Unknown field definition `logic` for the filter."},
		{`{"filter":{"0":{"id":4}}}`, "400 <nil>100 <nil>Unknown field definition `0` for the filter."},

		{`{"order":{"id":"DESC"}}`, "10 9 7 6 5 4"},
		{`{"order":{"connectorId":"desc","title":"asc"}}`, "6 7 10 5 9 4"},
		{`{"order":{"active":"ASC","id":"ASC"}}`, "6 4 5 7 9 10"},
		{`{"order":{"settings":"up","id":"DESC"},"filter":{"@id":[4,5]}}`, "5 4"},
		{`{"select":["*"],"filter":{"id":4}}`, "4"},

		{`{"select":"id"}`, `200 VALIDATION_SELECT_TYPE<nil> Parameter "select" must be array.<nil>`},
		{`{"filter":"id"}`, `200 VALIDATION_FILTER_TYPE<nil> Parameter "filter" must be array.<nil>`},
		{`{"order":5}`, `200 VALIDATION_ORDER_TYPE<nil> Parameter "order" must be array.<nil>`},
		{`{"select":["id","nosuch"],"filter":"x"}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT<nil> Field "nosuch" is not allowed in the "select".<nil>`},
		{`{"select":["ID"]}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT<nil> Field "ID" is not allowed in the "select".<nil>`},
		{`{"filter":{">=nosuch":1}}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER<nil> Field "nosuch" is not allowed in the "filter".<nil>`},
		{`{"filter":{"@title":["Stock"]}}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER<nil> Field "0" is not allowed in the "filter".<nil>`},
		{`{"filter":{"logic":"XOR"}}`, `200 VALIDATION_INVALID_FILTER_LOGIC<nil> Field "logic" must be either "AND" or "OR".<nil>`},
		{`{"order":{"nosuch":"ASC"}}`, `200 VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER<nil> Field "nosuch" is not allowed in the "order".<nil>`},
		{`{"order":{"id":"upwards"}}`, `400 <nil>ERROR_ARGUMENT <nil>Invalid order "UPWARDS"`},
	} {
		r := call(t, p, "biconnector.source.list", c.params)
		got := ids(r)
		if _, ok := r.at("result").([]any); ok && !strings.Contains(c.params, `"order":{"`) {
			got = sortedIDs(r)
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.params, got, c.want)
		}
	}
}

// What select does: the id comes along, dates become objects, "*" with others
// lets appId out, and settings alone lose the id.
func TestSelect(t *testing.T) {
	p := newPortal(t, smallState)
	for _, c := range []struct{ method, fields, want string }{
		{"source", `"active","id"`, `{"active":true,"id":5}`},
		{"source", `"title"`, `{"id":5,"title":"Stock"}`},
		{"source", `"dateCreate"`, `{"id":5,"dateCreate":{}}`},
		{"source", `"settings"`, `{"settings":[{"code":"token","name":"token","type":"STRING","value":"t0"}]}`},
		{"connector", `"dateCreate"`, `{"id":2,"dateCreate":"2025-03-20 14:50:06"}`},
		{"connector", `"title","*"`, `{"title":"API","id":2,"logo":"data:`},
	} {
		id := map[string]string{"source": "5", "connector": "2"}[c.method]
		r := call(t, p, "biconnector."+c.method+".list", `{"select":[`+c.fields+`],"filter":{"id":`+id+`}}`)
		if !strings.HasPrefix(r.body, `{"result":[`+c.want) {
			t.Errorf("%s %s: %s", c.method, c.fields, r.body)
		}
		if leaks := strings.Contains(r.body, `"appId":"`); leaks != strings.Contains(c.fields, "*") {
			t.Errorf("%s %s: appId %v", c.method, c.fields, leaks)
		}
	}
}

// Without an order none is promised: the same seed gives the same one, another
// seed another, and all pages together hold everything once.
func TestListWithoutOrderIsShuffled(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range []uint64{1, 1, 2} {
		s := many(70)
		s.Seed = seed
		p := newPortalOf(t, s)
		order := ids(call(t, p, "biconnector.source.list", `{}`)) + " " + ids(call(t, p, "biconnector.source.list", `{"page":2}`))
		all := strings.Fields(order)
		slices.Sort(all)
		if len(slices.Compact(all)) != 70 || strings.HasPrefix(order, "1 2 3 4 5 ") {
			t.Errorf("seed %d: %s", seed, order)
		}
		seen[order] = true
	}
	if len(seen) != 2 {
		t.Errorf("%d orders of two seeds", len(seen))
	}
}

// many is a state of n sources with ids from 1.
func many(n int) *State {
	s := &State{Connectors: []Connector{{ID: 1, Title: "SQL", Settings: []SettingType{{Code: "host"}, {Code: "password"}}}}}
	for id := int64(1); id <= int64(n); id++ {
		s.Sources = append(s.Sources, Source{ID: id, Title: fmt.Sprint("Source ", id), ConnectorID: 1,
			Settings: map[string]string{"host": "db.example", "password": fmt.Sprint("p", id)}})
	}
	return s
}

// Pages are of 50; the end is a shorter one, and there is no total.
func TestPages(t *testing.T) {
	p := newPortalOf(t, many(150))
	for page, want := range map[int][2]float64{1: {1, 50}, 2: {51, 100}, 3: {101, 150}} {
		r := call(t, p, "biconnector.source.list", fmt.Sprintf(`{"page":%d,"start":-1,"order":{"id":"asc"}}`, page))
		if r.at("result", 0, "id") != want[0] || r.at("result", 49, "id") != want[1] || r.at("result", 50) != nil {
			t.Errorf("page %d: %v to %v", page, r.at("result", 0, "id"), r.at("result", 49, "id"))
		}
		if r.at("total") != nil || r.at("next") != nil {
			t.Error("a list has a total or a next")
		}
	}
	if r := call(t, p, "biconnector.source.list", `{"page":4}`); !strings.HasPrefix(r.body, `{"result":[],`) {
		t.Errorf("page 4: %s", r.body)
	}
	equal(t, "page 2 of a filter", ids(call(t, p, "biconnector.source.list", `{"page":2,"order":{"id":"DESC"},"filter":{"<=id":60}}`)), "10 9 8 7 6 5 4 3 2 1")
}

// A portal of 10,000 sources shows each of them once by pages, and once by ids.
func TestPagesAndIDsOfALargePortal(t *testing.T) {
	p := newPortalOf(t, many(10_000))
	seen := 0
	for first := 0; first < 200; first += 50 {
		var byPage, byID []string
		for i := range 50 {
			byPage = append(byPage, fmt.Sprintf("biconnector.source.list?order[id]=asc&page=%d", first+i+1))
			var f strings.Builder
			for id := range 50 {
				fmt.Fprintf(&f, "&filter[@id][]=%d", (first+i)*50+id+1)
			}
			byID = append(byID, "biconnector.source.list?"+f.String()[1:])
		}
		for _, commands := range [][]string{byPage, byID} {
			lists, _ := call(t, p, "batch", batchBody(commands...)).at("result", "result").(map[string]any)
			for _, l := range lists {
				seen += len(l.([]any))
			}
		}
	}
	if seen != 20_000 {
		t.Errorf("%d items, want 20,000", seen)
	}
}

func BenchmarkListOfPage(b *testing.B) {
	s := many(10_000)
	s.KeepCalls, s.Limits.Unlimited = -1, true
	p := newPortalOf(b, s)
	body := batchBody("biconnector.source.list?order[id]=asc&page=100", "biconnector.source.list?order[id]=asc&page=200")
	for b.Loop() {
		if r := call(b, p, "batch", body); r.status != 200 {
			b.Fatal(r.body)
		}
	}
}

func BenchmarkBatchOfUpdates(b *testing.B) {
	s := many(50)
	s.KeepCalls, s.Limits.Unlimited = -1, true
	p := newPortalOf(b, s)
	var commands []string
	for id := 1; id <= 50; id++ {
		commands = append(commands, fmt.Sprintf("biconnector.source.update?id=%d&fields%%5Btitle%%5D=New+name&fields%%5Bsettings%%5D%%5Bpassword%%5D=secret", id))
	}
	body := batchBody(commands...)
	for b.Loop() {
		if r := call(b, p, "batch", body); r.status != 200 {
			b.Fatal(r.body)
		}
	}
}

func TestSourceGet(t *testing.T) {
	p := newPortal(t, smallState)
	want := `{"result":{"item":{"connection":{"id":4,"type":"rest","code":"rest_1","title":"Old name","description":"","active":true,` +
		`"dateCreate":"2025-03-20 14:50:06","dateUpdate":"2025-03-20 14:50:06","createdById":1,"updatedById":1},"connectorId":1,` +
		`"settings":[{"code":"login","name":"login","type":"STRING","value":"old_admin","id":1},` +
		`{"code":"password","name":"Password","type":"STRING","value":"old_password","id":2}]}},"time":`
	if r := call(t, p, "biconnector.source.get", `{"id":"4"}`); !strings.HasPrefix(r.body, want) {
		t.Errorf("got  %s\nwant %s", r.body, want)
	}
	if r := call(t, p, "biconnector.source.get", `{"id":6}`); !strings.Contains(r.body, `"settings":[]`) {
		t.Errorf("without settings: %s", r.body)
	}
	for body, code := range map[string]string{`{}`: "VALIDATION_ID_NOT_PROVIDED", `{"id":"x"}`: "VALIDATION_INVALID_ID_FORMAT",
		`{"id":99}`: "SOURCE_NOT_FOUND", `{"id":8}`: "SOURCE_NOT_FOUND"} {
		if r := call(t, p, "biconnector.source.get", body); r.at("result", "error", "error") != code {
			t.Errorf("%s: %s", body, r.body)
		}
	}
}

// add is not idempotent, and delete is for sources without tables.
func TestAddAndDelete(t *testing.T) {
	p := newPortal(t, smallState)
	const body = `{"fields":{"title":"New","connectorId":"2","description":"D","active":false,"settings":{"token":" t ","nosuch":1}}}`
	for _, id := range []float64{11, 12} {
		call(t, p, "biconnector.source.add", body).want(t, id, "result", "id")
	}
	s, _ := p.Source(11)
	if s.Title != "New" || *s.Description != "D" || !*s.Active || fmt.Sprint(s.Settings) != "map[token:t]" || p.Stats().Checks[0] != 2 {
		t.Errorf("added %+v", s)
	}
	call(t, p, "biconnector.source.delete", `{"id":11}`).want(t, true, "result")
	equal(t, "after the deletion", sortedIDs(call(t, p, "biconnector.source.list", `{}`)), "4 5 6 7 9 10 12")
	for body, code := range map[string]string{`{}`: "VALIDATION_ID_NOT_PROVIDED", `{"id":11}`: "SOURCE_NOT_FOUND", `{"id":8}`: "SOURCE_NOT_FOUND"} {
		if r := call(t, p, "biconnector.source.delete", body); r.at("result", "error", "error") != code {
			t.Errorf("%s: %s", body, r.body)
		}
	}
}
