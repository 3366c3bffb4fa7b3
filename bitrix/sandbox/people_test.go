package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While pages are read, somebody deletes what was shown: the pages move up,
// and one object is never seen.
func TestPeopleDeleteBetweenPages(t *testing.T) {
	s := many(101)
	s.People = []Deed{{After: "biconnector.source.list", Do: "delete", Kind: "source", ID: 3}}
	p := newPortalOf(t, s)
	seen := map[string]bool{}
	for page := 1; page <= 3; page++ {
		for _, id := range strings.Fields(ids(call(t, p, "biconnector.source.list", fmt.Sprintf(`{"page":%d,"order":{"id":"ASC"}}`, page)))) {
			seen[id] = true
		}
	}
	if len(seen) != 100 || seen["51"] || len(p.Sources()) != 100 {
		t.Errorf("%d seen, 51 %v, %d there", len(seen), seen["51"], len(p.Sources()))
	}
}

func TestPeople(t *testing.T) {
	p := newPortal(t, kindsState+`
people:
  - {after: profile, nth: 2, do: rename, kind: source, id: 10, title: Theirs now}
  - {after: profile, nth: 2, do: rename, kind: table, id: 20, title: New text}
  - {after: profile, nth: 2, do: rename, kind: connector, id: 2, title: New title}
  - {after: profile, nth: 3, do: add, kind: source, id: 2, title: Added}
  - {after: profile, nth: 4, do: delete, kind: connector, id: 1}
  - {after: profile, nth: 5, do: delete, kind: table, id: 22}
`)
	look := func() string {
		s, _ := p.Source(10)
		tab, _ := p.Table(20)
		c, _ := p.Connector(2)
		return fmt.Sprint(s.Title, ", ", tab.Description, ", ", c.Title, ", ", len(p.Connectors()), len(p.Sources()), len(p.Tables()))
	}
	for i, want := range []string{
		"CRM, D, Unused, 4 4 3", "CRM, D, Unused, 4 4 3", "Theirs now, New text, New title, 4 4 3", "Theirs now, New text, New title, 4 5 3",
		", , New title, 3 3 1", ", , New title, 3 3 0",
	} {
		if got := look(); got != want {
			t.Errorf("after %d calls: %s, want %s", i, got, want)
		}
		call(t, p, "batch", batchBody("profile"))
	}
	if s, _ := p.Source(14); s.CreatedByID != somebody || s.ConnectorID != 2 {
		t.Errorf("%+v", s)
	}
}

// Other jobs spend the operating time of a method, from the first request on.
func TestOtherJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, kindsState+"operating_limit: 100s\nother_jobs: [{method: biconnector.source.get, spends: 60s, every: 1m, times: 3}]\n")
		get := func() string {
			r := call(t, p, "biconnector.source.get", `{"id":10}`)
			return fmt.Sprint(r.status, " ", r.at("time", "operating"))
		}
		for i, want := range []string{"200 60", "429 <nil>", "429 <nil>"} {
			if got := get(); got != want {
				t.Errorf("minute %d: %s, want %s", i, got, want)
			}
			time.Sleep(time.Minute)
		}
		if r := call(t, p, "biconnector.source.list", `{}`); r.status != 200 {
			t.Errorf("another method: %d", r.status)
		}
		time.Sleep(8 * time.Minute)
		if got := get(); got != "200 60" && got != "200 120" {
			t.Errorf("in the end: %s", got)
		}
		time.Sleep(10 * time.Minute)
		equal(t, "after all", get(), "200 0")
	})
}
