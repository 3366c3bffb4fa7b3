package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A portal of 100,000 sources and tables answers at once, wherever a list
// looks.
func TestLargePortal(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	s := many(n)
	s.Limits.Unlimited, s.KeepCalls = true, -1
	for id := int64(1); id <= int64(n); id++ {
		s.Tables = append(s.Tables, Table{ID: id, Name: fmt.Sprint("t", id), SourceID: id, Columns: []Column{{Name: "ID", Type: "int"}}})
	}
	start := time.Now()
	p := newPortalOf(t, s)
	t.Logf("made in %v", time.Since(start))
	start = time.Now()
	var ranges []string
	for from := 0; from < n; from += 500 { // every tenth range
		kind := "source"
		if from%1000 > 0 {
			kind = "table"
		}
		ranges = append(ranges, fmt.Sprintf("biconnector.%s.list?order[id]=ASC&filter[>%%3Did]=%d&filter[<id]=%d", kind, from+1, from+51))
	}
	seen := 0
	for from := 0; from < len(ranges); from += 50 {
		lists, _ := call(t, p, "batch", batchBody(ranges[from:from+50]...)).at("result", "result").(map[string]any)
		for _, l := range lists {
			seen += len(l.([]any))
		}
	}
	t.Logf("%d items by ranges in %v", seen, time.Since(start))
	start = time.Now()
	for id := range 200 {
		call(t, p, "biconnector.table.list", fmt.Sprintf(`{"filter":{"=name":"t%d","sourceId":%d}}`, id+n/2, id+n/2))
		call(t, p, "biconnector.table.add", strings.NewReplacer(`"new"`, fmt.Sprintf(`"added%d"`, id), `"sourceId":10`, `"sourceId":77`).Replace(tableFields()))
		call(t, p, "biconnector.source.update", fmt.Sprintf(`{"id":%d,"fields":{"title":"New"}}`, id+1))
		call(t, p, "biconnector.table.delete", fmt.Sprintf(`{"id":%d}`, id+1))
	}
	if took := time.Since(start); seen != n/10 || took > 5*time.Second {
		t.Errorf("%d items; 800 calls took %v", seen, took)
	} else {
		t.Logf("800 calls in %v", took)
	}
}
