package sandbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

const tenUpdates = "update_cost: 10s\noperating_limit: 25s\nrequest_time: 10m\nlimits: {unlimited: true}\n"

func update4() string { return "biconnector.source.update?id=4&fields[title]=T" }

// With the budget of the commands' methods, the one that passes the limit runs,
// later ones are refused each for itself, and other methods continue.
func TestOperatingTimeOfCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+tenUpdates)
		start := time.Now()
		r := call(t, p, "batch", batchBody(update4(), update4(), update4(), update4(), "biconnector.source.get?id=4"))
		for i, key := range []string{"c00", "c01", "c02"} {
			r.want(t, float64(10*(i+1)), "result", "result_time", key, "operating")
		}
		if got := r.at("result", "result_error", "c03", "error"); got != "OPERATION_TIME_LIMIT" {
			t.Errorf("c03: %v in %s", got, r.body)
		}
		if r.at("result", "result_time", "c03") != nil {
			t.Error("a refused command carries a time")
		}
		if r.at("result", "result", "c04", "item") == nil {
			t.Error("another method was refused too")
		}
		r.want(t, 0.0, "time", "operating") // the batch itself is not billed
		resetAt := int64(r.at("result", "result_time", "c02", "operating_reset_at").(float64))

		if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.status != 429 || r.at("error") != "OPERATION_TIME_LIMIT" || r.at("time") != nil {
			t.Errorf("single call: %d %s", r.status, r.body)
		}
		// All of it was used within the minute of the request, and is forgiven
		// together.
		time.Sleep(time.Until(time.Unix(resetAt, 0)) - time.Second)
		if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.status != 429 {
			t.Errorf("a second before the reset: %d", r.status)
		}
		time.Sleep(time.Second)
		if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.status != 200 {
			t.Errorf("at the reset, %v later: %d", time.Since(start), r.status)
		}
		if got := p.Stats().Blocked["biconnector.source.update"]; got != 3 {
			t.Errorf("%d calls blocked, want 3", got)
		}
	})
}

// With the budget of the batch, the whole request is refused; single calls
// have their own.
func TestOperatingTimeOfTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+tenUpdates+"operating_billed: batch\n")
		r := call(t, p, "batch", batchBody(update4(), update4(), update4(), update4()))
		if r.at("result", "result", "c03") != true || r.at("time", "operating") != 40.0 {
			t.Fatalf("first batch: %s", r.body)
		}
		r.want(t, 0.0, "result", "result_time", "c03", "operating") // its commands are not billed
		r = call(t, p, "batch", batchBody("biconnector.source.get?id=4"))
		if r.status != 429 || r.at("error") != "OPERATION_TIME_LIMIT" {
			t.Errorf("second batch: %d %s", r.status, r.body)
		}
		if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.status != 200 || r.at("time", "operating") != 10.0 {
			t.Errorf("single call: %d %s", r.status, r.body)
		}
	})
}

// Ten buckets of a minute: what was used in one minute is forgiven together,
// and a method not used yet resets in ten minutes.
func TestMeter(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(6000+s, 0) }
	m := new(meter)
	if used, reset := m.read(at(5)); used != 0 || !reset.Equal(at(605)) {
		t.Errorf("unused: %v, reset %v", used, reset)
	}
	m.add(at(5), at(7), time.Second)
	m.add(at(59), at(59), time.Second)
	m.add(at(60), at(70), 3*time.Second)
	for _, c := range []struct {
		at    int64
		used  time.Duration
		reset int64
	}{{61, 5, 607}, {599, 5, 607}, {600, 3, 670}, {659, 3, 670}, {660, 0, 1260}} {
		if used, reset := m.read(at(c.at)); used != c.used*time.Second || !reset.Equal(at(c.reset)) {
			t.Errorf("at %d: %v, reset at %v; want %v s, %v", c.at, used, reset.Unix()-6000, int64(c.used), c.reset)
		}
	}
	m.add(at(601), at(601), time.Second) // takes the bucket of the first minute
	if used, _ := m.read(at(601)); used != 4*time.Second {
		t.Errorf("bucket taken over: %v", used)
	}
}

// A request that spends less than a tenth of a second on a method costs
// nothing; one that spends more pays for all of it.
func TestOperatingTimeOfQuickCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 40ms\n")
		for range 3 {
			if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.at("time", "operating") != 0.0 {
				t.Errorf("a quick call: %v", r.at("time", "operating"))
			}
		}
		r := call(t, p, "batch", batchBody(update4(), update4(), update4(), update4()))
		var got []any
		for _, key := range []string{"c00", "c01", "c02", "c03"} {
			got = append(got, r.at("result", "result_time", key, "operating"))
		}
		if fmt.Sprint(got) != "[0 0 0.12 0.16]" {
			t.Errorf("in a batch: %v", got)
		}
	})
}

// The newest server counts the batch beside its commands, with half its time,
// and shuts for five minutes what has used up its own.
func TestOperatingBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+tenUpdates+"operating_billed: both\noperating_ban: 5m\n")
		r := call(t, p, "batch", batchBody(update4(), update4(), update4(), update4()))
		equal(t, "batch, an update, one too many", fmt.Sprint(r.at("time", "operating"), " ", r.at("result", "result_time", "c02", "operating"), " ", r.at("result", "result_error", "c03", "error")), "15 30 OPERATION_TIME_LIMIT")
		time.Sleep(5*time.Minute - time.Second)
		if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`); r.status != 429 {
			t.Errorf("before its end: %d", r.status)
		}
		time.Sleep(time.Second)
		call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`).want(t, 10.0, "time", "operating") // after it
	})
}
