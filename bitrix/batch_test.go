package bitrix

import (
	"context"
	"errors"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
)

func TestBatchRepliesInOrder(t *testing.T) {
	tr := &scripted{status: 200, body: `{"result":{"result":{"c0":true,"c2":{"error":{"error":"SOURCE_NOT_FOUND","error_description":"Source was not found."}}},
		"result_error":{"c3":{"error":"OPERATION_TIME_LIMIT","error_description":"used up"}},"result_time":{"c0":{"processing":1.5,"operating":"2.5"}}},"time":[]}`}
	c := testClient(t, tr)
	var updates []Write
	for id := range int64(4) {
		updates = append(updates, UpdateSource(id+1, SourceFields{Title: "~ a b"}))
	}
	resp := must(c.Write(context.Background(), updates))(t)
	if !resp.Replies[0].True() || resp.Replies[0].Time.Processing.Seconds() != 1.5 || resp.Replies[0].Time.Operating.Seconds() != 2.5 {
		t.Errorf("first reply: %+v", resp.Replies[0])
	}
	for i, want := range map[int]rest.Code{1: rest.BadAnswer, 2: rest.SourceNotFound, 3: rest.OperationTimeLimit} {
		if !errors.Is(resp.Replies[i].Err, want) {
			t.Errorf("reply %d: %v, want %s", i, resp.Replies[i].Err, want)
		}
	}
	want := `{"halt":0,"cmd":{"c0":"biconnector.source.update?id=1&fields%5Btitle%5D=%7E+a+b"`
	if !strings.HasPrefix(strings.ReplaceAll(tr.got, "\n", ""), want) {
		t.Errorf("sent %s\nwant it to begin with %s", tr.got, want)
	}
	if tr.path != "/rest/1/c0de/batch" {
		t.Errorf("called %s", tr.path)
	}
}
