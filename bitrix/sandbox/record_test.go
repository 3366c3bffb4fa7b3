package sandbox

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCalls(t *testing.T) {
	p := newPortal(t, smallState)
	call(t, p, "biconnector.source.update", `{"id":"4","fields":{"title":"T","settings":[]},"auth":"`+AccessToken+`"}`)
	call(t, p, "batch", batchBody("biconnector.source.get?id=99", "nosuch?a[]=1"))
	var got []string
	for _, c := range p.Calls() {
		got = append(got, fmt.Sprint(c.Request, " ", c.Method, " ", c.Key, " ", c.ID(), " ", c.Failed, " ", c.Code))
	}
	want := []string{"1 biconnector.source.update  4 false ", "2 batch  0 false ", "2 biconnector.source.get c00 99 true SOURCE_NOT_FOUND",
		"2 nosuch c01 0 true ERROR_METHOD_NOT_FOUND"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	params := map[string]any{"id": "4", "fields": map[string]any{"title": "T", "settings": []any{}}}
	if got := p.Calls()[0].Params(); !reflect.DeepEqual(got, params) {
		t.Errorf("parameters %#v", got)
	}
	if got := p.Calls()[3].Params(); !reflect.DeepEqual(got, map[string]any{"a": []any{"1"}}) {
		t.Errorf("parameters %#v", got)
	}
}

func TestKeepCalls(t *testing.T) {
	for keep, want := range map[int]string{0: "[1 2 3 4 5 6 7]", 3: "[5 6 7]", -1: "[]"} {
		p := newPortal(t, fmt.Sprintf("keep_calls: %d\n", keep))
		for range 7 {
			call(t, p, "profile", `{}`)
		}
		requests := []int{}
		for _, c := range p.Calls() {
			requests = append(requests, c.Request)
		}
		if got := fmt.Sprint(requests); got != want {
			t.Errorf("keep_calls %d: %s, want %s", keep, got, want)
		}
	}
}

// The figures are copies: neither side sees what the other does to them.
func TestStatsAndSourcesAreCopies(t *testing.T) {
	p := newPortal(t, smallState)
	p.Stats().Updates[4] = 7
	s, _ := p.Source(5)
	s.Settings["token"] = "changed"
	*s.Description = "changed"
	*s.Active = false
	if again, _ := p.Source(5); p.Stats().Updates[4] != 0 || again.Settings["token"] != "t0" || *again.Description != "Warehouse" || !*again.Active {
		t.Errorf("stats %+v, source %+v", p.Stats(), again)
	}
	if _, ok := p.Source(99); ok {
		t.Error("there is a source 99")
	}
}

func TestSetSource(t *testing.T) {
	p := newPortal(t, smallState)
	s, _ := p.Source(5)
	s.Title, s.Settings = "Renamed by hand", map[string]string{"token": "t1", "nosuch": "x"}
	check(t, p.SetSource(s))
	check(t, p.SetSource(Source{ID: 3, Title: "Added by hand", ConnectorID: 1}))
	if err := p.SetSource(Source{ID: 3, ConnectorID: 9}); err == nil || !strings.Contains(err.Error(), "no connector 9") {
		t.Errorf("error %v", err)
	}
	r := call(t, p, "biconnector.source.list", `{"filter":{"@id":[3,5]},"select":["id","title","settings"],"order":{"id":"asc"}}`)
	if !strings.HasPrefix(r.body, `{"result":[{"id":3,"title":"Added by hand","settings":null},`+
		`{"id":5,"title":"Renamed by hand","settings":[{"code":"token","name":"token","type":"STRING","value":"t1"}]}],`) {
		t.Errorf("%s", r.body)
	}
	// A source belongs to its connector for ever.
	if err := p.SetSource(Source{ID: 3, ConnectorID: 2}); err == nil {
		t.Error("a source went to another connector")
	}
	var all []int64
	for _, s := range p.Sources() {
		all = append(all, s.ID)
	}
	if fmt.Sprint(all) != "[3 4 5 6 7 8 9 10]" {
		t.Errorf("sources %v", all)
	}
}

// The costs of updates: of a source, of a function, of the portal.
func TestWhoseCost(t *testing.T) {
	s := many(3)
	s.UpdateCost, s.CostOf = 5, nil
	own := s.Sources[0]
	cost := func(p *Portal, id int64) time.Duration {
		src := p.sources.get(id)
		return p.checkCost(p.connectors.get(src.ConnectorID), src, nil)
	}
	p := newPortalOf(t, s)
	equal(t, "the cost of the portal", cost(p, 1), 5)
	own.UpdateCost = &s.ReadCost // 0 is a cost too
	s.Sources[0] = own
	s.CostOf = func(id int64) time.Duration { return time.Duration(100 * id) }
	p = newPortalOf(t, s)
	if a, b := cost(p, 1), cost(p, 2); a != 0 || b != 200 {
		t.Errorf("costs %v and %v", a, b)
	}
}
