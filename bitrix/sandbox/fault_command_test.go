package sandbox

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What strikes a command ends the request there, in every way of failing.
func TestFaultsAtACommand(t *testing.T) {
	update := func(id int) string { return fmt.Sprintf("biconnector.source.update?id=%d&fields[title]=New", id) }
	for kind, want := range map[string]string{
		FaultInternal: "500 INTERNAL_SERVER_ERROR", FaultDead: "500 <nil>", FaultBadGateway: "502 <nil>", FaultEmpty: "200 <nil>", FaultPage: "403 <nil>",
		FaultDropped: "error", FaultTruncated: "error",
	} {
		for _, ran := range []bool{false, true} {
			p := newPortal(t, kindsState+fmt.Sprintf("faults: [{kind: %s, at: command, id: 11, method: biconnector.source.update, ran: %v}]\n", kind, ran))
			r, err := do(p, jsonRequest("batch", batchBody(update(10), update(11), update(12))))
			got := "error"
			if err == nil {
				got = fmt.Sprint(r.status, " ", r.at("error"))
			} else if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", kind, err)
			}
			if got != want || r.at("result") != nil {
				t.Errorf("%s: %s %s, want %s", kind, got, r.body, want)
			}
			var titles []string
			for _, id := range []int64{10, 11, 12} {
				s, _ := p.Source(id)
				titles = append(titles, s.Title)
			}
			second := "By hand"
			if ran || kind == FaultTruncated {
				second = "New"
			}
			if got := strings.Join(titles, ","); got != "New,"+second+",Trapped" {
				t.Errorf("%s, ran %v: %s", kind, ran, got)
			}
			if r, err := do(p, jsonRequest("biconnector.source.update", `{"id":12,"fields":{"title":"Alone"}}`)); err != nil || r.at("result") != true {
				t.Errorf("%s: another object alone: %v %s", kind, err, r.body)
			}
		}
	}
}

// Some faults concern one command of a batch, and leave its neighbours alone.
func TestFaultsOfOneCommand(t *testing.T) {
	for _, c := range []struct{ fault, place, want string }{
		{"kind: error, status: 200, code: ACCESS_DENIED", "result", "map[error:map[error:ACCESS_DENIED error_description:]]"},
		{"kind: error, status: 401, code: NO_AUTH_FOUND", "result_error", "map[error:NO_AUTH_FOUND error_description:]"},
		{"kind: 'false'", "result", "false"},
		{"kind: contradiction", "result", "true"},
		{"kind: contradiction", "result_error", "map[error:INTERNAL_SERVER_ERROR error_description:Internal server error]"},
	} {
		p := newPortal(t, kindsState+"faults: [{at: command, id: 11, "+c.fault+"}]\n")
		r := call(t, p, "batch", batchBody("biconnector.source.update?id=10&fields[title]=A", "biconnector.source.update?id=11&fields[title]=A", "biconnector.source.update?id=12&fields[title]=A"))
		if got := fmt.Sprint(r.at("result", c.place, "c01")); got != c.want || r.at("result", "result", "c00") != true || r.at("result", "result", "c02") != true {
			t.Errorf("%s: %s\n%s", c.fault, got, r.body)
		}
		if s, _ := p.Source(11); (s.Title == "A") != strings.Contains(c.fault, "contradiction") {
			t.Errorf("%s: title %q", c.fault, s.Title)
		}
	}
	p := newPortal(t, kindsState+"faults: [{at: command, kind: contradiction}]\n")
	if r := call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"A"}}`); r.at("error") != "INTERNAL_SERVER_ERROR" || r.at("result") != true {
		t.Errorf("alone: %s", r.body)
	}
}

// A firewall refuses requests for what they hold, wherever it is, however
// it is encoded; the portal never hears of them.
func TestFirewall(t *testing.T) {
	p := newPortal(t, kindsState+"faults: [{kind: page, contains: \"' or 1=1\", status: 406, text: <h1>Blocked</h1>}]\n")
	for _, body := range []string{
		batchBody("profile", "biconnector.source.update?id=10&fields%5Btitle%5D=x%27+or+1%3D1"),
		`{"cmd":{"a":"biconnector.source.update?id=10&fields[title]=' or 1=1"}}`,
	} {
		if r := call(t, p, "batch", body); r.status != 406 || r.body != "<h1>Blocked</h1>" {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	if r := call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"\u0027 or 1=1"}}`); r.status != 406 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := call(t, p, "batch", batchBody("profile")); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if len(p.Calls()) != 2 {
		t.Errorf("%d calls", len(p.Calls()))
	}
}

func TestTextAroundTheJSON(t *testing.T) {
	for state, want := range map[string][2]string{
		"kind: text_before":                    {"<br />\n<b>Warning</b>: ", `}}`},
		"kind: text_after, text: <!-- end -->": {`{"result":`, `}}<!-- end -->`},
		"kind: page, status: 200":              {"<!DOCTYPE html>", "</html>\n"},
		"kind: contradiction":                  {`{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error","result":`, `}}`},
		"kind: 'false'":                        {`{"result":false,"time":{"start":`, `}}`},
	} {
		p := newPortal(t, kindsState+"faults: [{"+state+"}]\n")
		if r := call(t, p, "profile", `{}`); r.status != 200 || !strings.HasPrefix(r.body, want[0]) || !strings.HasSuffix(r.body, want[1]) {
			t.Errorf("%s: %d %s", state, r.status, r.body)
		}
	}
}

// A body that drips in takes its time to the last byte.
func TestDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, kindsState+"faults: [{kind: drip, delay: 100ms}]\n")
		start := time.Now()
		r := call(t, p, "nosuch", `{}`)
		if took, want := time.Since(start), time.Duration(len(r.body)+1)*100*time.Millisecond; r.at("error") != "ERROR_METHOD_NOT_FOUND" || took != want {
			t.Errorf("%v, want %v: %s", took, want, r.body)
		}
	})
}

// The failure of fields.update after its commit: all is done, and an error is
// said, with the code of the newest documentation or without one.
func TestSyncError(t *testing.T) {
	for state, want := range map[string]any{"": 0.0, "text_codes: true\n": "DATASET_UPDATE_ERROR"} {
		p := newPortal(t, kindsState+state+"faults: [{kind: sync_error, nth: [1]}]\n")
		for i := range 2 {
			r := call(t, p, "biconnector.table.fields.update", fmt.Sprintf(`{"id":20,"delete":[%d]}`, 100+i))
			if got := r.at("result", "error", "error"); i == 0 && got != want || i == 1 && got != nil {
				t.Errorf("call %d: %s", i, r.body)
			}
		}
		equal(t, "columns", columnsOf(p, 20), "")
	}
}
