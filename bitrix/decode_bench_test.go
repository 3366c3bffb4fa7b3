package bitrix

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// fullAnswer is the answer to a batch of 50 lists of 50 sources, the most
// that one request can read, as the portal writes it.
func fullAnswer() string {
	var b strings.Builder
	b.WriteString(`{"result":{"result":{`)
	for c := range MaxBatch {
		if c > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"c%d":[`, c)
		for i := range PageSize {
			if i > 0 {
				b.WriteByte(',')
			}
			id := c*PageSize + i + 1
			fmt.Fprintf(&b, `{"id":"%d","type":"rest","code":"rest_1","title":"Source \u0438 %d","description":"Updated source description","active":true,`+
				`"dateCreate":"2025-03-20 14:50:06","dateUpdate":"2025-03-20 14:50:06","createdById":"1","updatedById":"1","connectorId":"1","settings":[`+
				`{"id":"1","code":"host","name":"Host","type":"STRING","value":"db%d.example"},{"id":"2","code":"port","name":"Port","type":"INT","value":"5432"},`+
				`{"id":"3","code":"login","name":"Login","type":"STRING","value":"reader"},{"id":"4","code":"password","name":"Password","type":"STRING","value":"an invented one"}]}`, id, id, id)
		}
		b.WriteByte(']')
	}
	b.WriteString(`},"result_error":[],"result_total":[],"result_next":[],"result_time":{`)
	for c := range MaxBatch {
		if c > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"c%d":{"start":1.5,"finish":1.6,"duration":0.1,"processing":0.09,"date_start":"2026-01-01T00:00:00+00:00","date_finish":"2026-01-01T00:00:00+00:00","operating":0.5,"operating_reset_at":1767226200}`, c)
	}
	b.WriteString(`}},"time":{"start":1.5,"finish":2.5,"duration":1,"processing":0.9,"date_start":"2026-01-01T00:00:00+00:00","date_finish":"2026-01-01T00:00:00+00:00"}}`)
	return b.String()
}

// BenchmarkReadFullAnswer measures what 2,500 sources of one answer cost.
func BenchmarkReadFullAnswer(b *testing.B) {
	body := fullAnswer()
	c := testClient(b, &scripted{status: 200, body: body})
	queries := make([]Query, MaxBatch)
	for i := range queries {
		queries[i] = SourcesByID([]int64{int64(i + 1)})
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		resp := must(c.Query(context.Background(), queries))(b)
		n := 0
		for _, reply := range resp.Replies {
			list := must(DecodeSources(reply.Result))(b)
			n += len(list.Items)
		}
		if n != MaxBatch*PageSize {
			b.Fatalf("%d sources", n)
		}
	}
}
