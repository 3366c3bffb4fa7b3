package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// largePortal has this many sources and as many tables.
func largePortal(t testing.TB, n int) *Portal {
	s := many(n)
	s.Limits.Unlimited, s.KeepCalls = true, -1
	for id := int64(1); id <= int64(n); id++ {
		s.Tables = append(s.Tables, Table{ID: id, Name: fmt.Sprint("t", id), SourceID: id, Columns: []Column{{Name: "ID", Type: "int"}}})
	}
	return newPortalOf(t, s)
}

// Ranges of ids show each object of a large portal once, wherever they begin.
func TestLargePortal(t *testing.T) {
	const n = 10_000
	p := largePortal(t, n)
	var ranges []string
	for from := 0; from < n; from += 50 {
		for _, kind := range []string{"source", "table"} {
			ranges = append(ranges, fmt.Sprintf("biconnector.%s.list?order[id]=ASC&filter[>%%3Did]=%d&filter[<id]=%d", kind, from+1, from+51))
		}
	}
	seen := 0
	for batch := range slices.Chunk(ranges, 50) {
		lists, _ := call(t, p, "batch", batchBody(batch...)).at("result", "result").(map[string]any)
		for _, l := range lists {
			seen += len(l.([]any))
		}
	}
	if seen != 2*n {
		t.Errorf("%d objects, want %d", seen, 2*n)
	}
}

// A portal of 100,000 sources and tables answers at once, wherever a list
// looks and whatever is written.
func BenchmarkLargePortal(b *testing.B) {
	const n = 100_000
	p := largePortal(b, n)
	for i := 0; b.Loop(); i++ {
		id := i%n + 1
		call(b, p, "biconnector.table.list", fmt.Sprintf(`{"filter":{"=name":"t%d","sourceId":%d}}`, id, id))
		call(b, p, "biconnector.table.add", strings.NewReplacer(`"new"`, fmt.Sprintf(`"added%d"`, i), `"sourceId":10`, `"sourceId":77`).Replace(tableFields()))
		call(b, p, "biconnector.source.update", fmt.Sprintf(`{"id":%d,"fields":{"title":"New"}}`, id))
		call(b, p, "biconnector.table.delete", fmt.Sprintf(`{"id":%d}`, id))
	}
}
