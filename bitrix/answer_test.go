package bitrix

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
)

// TestShapesOfErrors sends one update alone and looks at what the client makes
// of each answer: the three shapes, and what is no answer.
func TestShapesOfErrors(t *testing.T) {
	const notFound = `"error":"SOURCE_NOT_FOUND","error_description":"Source was not found."`
	for _, tt := range []struct {
		name     string
		status   int
		body     string
		code     rest.Code // "" means success
		message  string
		reaction rest.Reaction
	}{
		{"success", 200, `{"result":true,"time":{"processing":1.35}}`, "", "", 0},
		{"success behind a byte order mark", 200, "\ufeff" + `{"result":true}`, "", "", 0},
		{"success with nulls and unknown keys", 200, `{"result":true,"error":null,"time":[],"extra":{"a":[1]}}`, "", "", 0},
		{"root, HTTP 400", 400, `{` + notFound + `}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"root, HTTP 200", 200, `{` + notFound + `}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"root, HTTP 200, with time", 200, `{` + notFound + `,"time":{"processing":0.1}}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"root as a map", 200, `{"error":{` + notFound + `}}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"inside result", 200, `{"result":{"error":{` + notFound + `}},"time":{}}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"inside result, flat", 200, `{"result":{` + notFound + `}}`, rest.SourceNotFound, "Source was not found.", rest.Rejected},
		{"empty code", 200, `{"result":{"error":{"error":"","error_description":"All the fields are required."}}}`, rest.PortalError, "All the fields are required.", rest.Rejected},
		{"empty code at the root", 200, `{"error":"","error_description":"All the fields are required."}`, rest.PortalError, "All the fields are required.", rest.Rejected},
		{"code 0", 400, `{"error":0,"error_description":"x"}`, rest.PortalError, "x", rest.Rejected},
		{"code 0 inside result", 200, `{"result":{"error":{"error":0,"error_description":"All the fields are required."}}}`, rest.PortalError, "All the fields are required.", rest.Rejected},
		{"code 0 as a text", 200, `{"result":{"error":{"error":"0"}}}`, rest.PortalError, "", rest.Rejected},
		{"another number", 400, `{"error":100,"error_description":"Unknown field definition"}`, "100", "Unknown field definition", rest.Rejected},
		{"code and message, REST 3.0", 400, `{"error":{"code":"BITRIX_REST_V3_EXCEPTION","message":"x"}}`, "BITRIX_REST_V3_EXCEPTION", "x", rest.Rejected},
		{"code and message inside result", 200, `{"result":{"error":{"code":"X","message":"y"}}}`, "X", "y", rest.Rejected},
		{"empty list in place of an error", 200, `{"result":true,"error":[]}`, "", "", 0},
		{"empty map in place of an error", 200, `{"result":true,"error":{}}`, "", "", 0},
		{"a result beside an error", 200, `{"result":true,"error":"X","error_description":"y"}`, rest.BadAnswer, "the portal's answer holds a result and an error, X: y", rest.Unknown},
		{"an id beside an error", 200, `{"result":{"id":12},"error":"X"}`, rest.BadAnswer, "the portal's answer holds a result and an error, X", rest.Unknown},
		{"nothing beside an error", 200, `{"result":[],"error":"X"}`, "X", "", rest.Rejected},
		{"an error in both places", 200, `{"result":{"error":{"error":"Y"}},"error":"X"}`, "X", "", rest.Rejected},
		{"a result beside an error, HTTP 400", 400, `{"result":true,"error":"X"}`, "X", "", rest.Rejected},
		{"PHP warning before the JSON", 200, "<br />\n<b>Warning</b>: x in <b>/home/bitrix/a.php</b><br />\n" + `{"result":true,"time":{}}`, rest.BadAnswer, "the portal answered 200 OK with text before the JSON: is display_errors on?", rest.Unknown},
		{"PHP notice before the JSON", 200, "Notice: x\n" + `{"result":true}`, rest.BadAnswer, "the portal answered 200 OK with text before the JSON: is display_errors on?", rest.Unknown},
		{"comment behind the JSON", 200, `{"result":true}<!-- cached -->`, rest.BadAnswer, "the portal answered 200 OK with more after the JSON", rest.Unknown},
		{"XML", 200, `<?xml version="1.0"?><response/>`, rest.BadAnswer, "the portal answered 200 OK with XML", rest.Unknown},
		{"maintenance page", 200, "<!doctype html><TITLE lang=en>\nUnder maintenance\n</TITLE>", rest.BadAnswer, `the portal answered 200 OK with a web page ("Under maintenance")`, rest.Unknown},
		{"description of another type", 403, `{"error":"ACCESS_DENIED","error_description":[]}`, rest.AccessDenied, "", rest.Fatal},
		{"code of another type", 400, `{"error":[["x"]]}`, rest.PortalError, "", rest.Rejected},
		{"access denied inside result", 200, `{"result":{"error":{"error":"ACCESS_DENIED","error_description":"Access denied."}}}`, rest.AccessDenied, "Access denied.", rest.Fatal},
		{"rate limit", 503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`, rest.QueryLimitExceeded, "Too many requests", rest.Throttled},
		{"blocked by hand", 503, `{"error":"OVERLOAD_LIMIT","error_description":"x"}`, rest.OverloadLimit, "x", rest.Fatal},
		{"operating time", 429, `{"error":"OPERATION_TIME_LIMIT","error_description":"x"}`, rest.OperationTimeLimit, "x", rest.Held},
		{"token expired", 401, `{"error":"expired_token","error_description":"x"}`, rest.ExpiredToken, "x", rest.Fatal},
		{"unknown code, HTTP 403", 403, `{"error":"SOMETHING"}`, "SOMETHING", "", rest.Fatal},
		{"unknown code, HTTP 500", 500, `{"error":"SOMETHING"}`, "SOMETHING", "", rest.Unknown},
		{"internal error", 500, `{"error":"INTERNAL_SERVER_ERROR","error_description":"x"}`, "INTERNAL_SERVER_ERROR", "x", rest.Unknown},
		{"nginx 502", 502, "<html>\r\n<head><title>502 Bad Gateway</title></head></html>", rest.BadAnswer, `the portal answered 502 Bad Gateway with a web page ("502 Bad Gateway")`, rest.Unknown},
		{"nginx 504", 504, "<html><body>504</body></html>", rest.BadAnswer, "the portal answered 504 Gateway Timeout with a web page", rest.Unknown},
		{"nginx 503", 503, "<html>", rest.BadAnswer, "the portal answered 503 Service Unavailable with a web page", rest.NotDelivered},
		{"page with HTTP 200", 200, "<html>", rest.BadAnswer, "the portal answered 200 OK with a web page", rest.Unknown},
		{"page with HTTP 404", 404, "<html>", rest.BadAnswer, "the portal answered 404 Not Found with a web page", rest.Filtered},
		{"page with HTTP 429", 429, "<html>", rest.BadAnswer, "the portal answered 429 Too Many Requests with a web page", rest.Throttled},
		{"page with HTTP 413", 413, "<html>", rest.BadAnswer, "the portal answered 413 Request Entity Too Large with a web page", rest.Rejected},
		{"page with HTTP 408", 408, "", rest.BadAnswer, "the portal answered 408 Request Timeout with nothing", rest.Unknown},
		{"empty", 200, "", rest.BadAnswer, "the portal answered 200 OK with nothing", rest.Unknown},
		{"blanks", 200, " \r\n", rest.BadAnswer, "the portal answered 200 OK with nothing", rest.Unknown},
		{"truncated JSON", 200, `{"result":tr`, rest.BadAnswer, "the portal answered 200 OK with JSON that is cut off", rest.Unknown},
		{"two answers", 200, `{"result":true}{"result":true}`, rest.BadAnswer, "the portal answered 200 OK with more after the JSON", rest.Unknown},
		{"no result", 200, `{"time":{}}`, rest.BadAnswer, "the portal answered 200 OK with JSON that holds no result", rest.Unknown},
		{"list", 200, `[]`, rest.BadAnswer, "the portal answered 200 OK with JSON that holds no result", rest.Unknown},
		{"null", 200, `null`, rest.BadAnswer, "the portal answered 200 OK with something that is not JSON", rest.Unknown},
		{"text of PHP", 200, "Fatal error: x in /home/bitrix/x.php", rest.BadAnswer, "the portal answered 200 OK with something that is not JSON", rest.Unknown},
		{"result, but HTTP 500", 500, `{"result":true}`, rest.BadAnswer, "the portal answered 500 Internal Server Error with JSON that holds no error", rest.Unknown},
		{"status without a name", 599, "", rest.BadAnswer, "the portal answered 599 with nothing", rest.Unknown},
		{"deeply nested", 200, `{"result":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, rest.BadAnswer, "the portal answered 200 OK with malformed JSON", rest.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testClient(t, &scripted{status: tt.status, body: tt.body})
			resp, err := c.WriteAlone(context.Background(), UpdateSource(4, SourceFields{Title: "t"}))
			if tt.code == "" {
				if err != nil || !resp.Replies[0].True() {
					t.Fatalf("%v, %+v", err, resp)
				}
				return
			}
			var e *rest.Error
			if !errors.As(err, &e) {
				t.Fatalf("no *Error but %v", err)
			}
			if e.Code != tt.code || e.Message != tt.message || e.Status != tt.status || e.Reaction() != tt.reaction || e.Method != MethodSourceUpdate {
				t.Errorf("got  %s %q status %d reaction %d of %s\nwant %s %q status %d reaction %d",
					e.Code, e.Message, e.Status, e.Reaction(), e.Method, tt.code, tt.message, tt.status, tt.reaction)
			}
			if (e.Reason == rest.FrontPage) != (tt.reaction == rest.Filtered) {
				t.Errorf("reason %q", e.Reason)
			}
			if len(resp.Replies) != 0 {
				t.Error("a failed request has replies")
			}
		})
	}
}

func TestResultThatIsNotTrueIsNoSuccess(t *testing.T) {
	for _, result := range []string{"false", "null", `"true"`, "1", "[]", "{}", `[true]`} {
		c := testClient(t, &scripted{status: 200, body: `{"result":` + result + `}`})
		resp, err := c.WriteAlone(context.Background(), UpdateSource(4, SourceFields{Title: "t"}))
		if err == nil && resp.Replies[0].True() {
			t.Errorf("result %s counts as done", result)
		}
	}
}

// TestAnswersOfBatches sends two updates and looks at what becomes of each.
func TestAnswersOfBatches(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		whole      rest.Code    // error of the request
		codes      [2]rest.Code // errors of the commands, "" means done
	}{
		{"all done", `{"result":{"result":{"c0":true,"c1":true},"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}`, "", [2]rest.Code{"", ""}},
		{"one in result_error", `{"result":{"result":{"c0":true},"result_error":{"c1":{"error":"ERROR_ARGUMENT","error_description":"x"}}}}`, "", [2]rest.Code{"", "ERROR_ARGUMENT"}},
		{"all in result_error", `{"result":{"result":[],"result_error":{"c0":{"error":"OPERATION_TIME_LIMIT"},"c1":{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED"}}}}`, "", [2]rest.Code{rest.OperationTimeLimit, rest.BatchMethodNotAllowed}},
		{"result null", `{"result":{"result":null,"result_error":{"c0":{"error":"X"},"c1":"Y"}}}`, "", [2]rest.Code{"X", "Y"}},
		{"one inside its result", `{"result":{"result":{"c0":{"error":{"error":"SOURCE_NOT_FOUND"}},"c1":true},"result_error":[]}}`, "", [2]rest.Code{rest.SourceNotFound, ""}},
		{"both places: nobody knows", `{"result":{"result":{"c0":true,"c1":true},"result_error":{"c0":{"error":"X"}}}}`, "", [2]rest.Code{rest.BadAnswer, ""}},
		{"an error beside an empty result", `{"result":{"result":{"c0":null,"c1":[]},"result_error":{"c0":{"error":"X"},"c1":{"error":"Y"}}}}`, "", [2]rest.Code{"X", "Y"}},
		{"errors that are none", `{"result":{"result":{"c0":true,"c1":true},"result_error":{"c0":[],"c1":null}}}`, "", [2]rest.Code{"", ""}},
		{"left out", `{"result":{"result":{"c1":true},"result_error":[]}}`, "", [2]rest.Code{rest.BadAnswer, ""}},
		{"all left out", `{"result":{"result":[],"result_error":[]}}`, "", [2]rest.Code{rest.BadAnswer, rest.BadAnswer}},
		{"keys that are not ours", `{"result":{"result":{"0":true,"c01":true,"c2":true,"d1":true},"result_error":[]}}`, "", [2]rest.Code{rest.BadAnswer, rest.BadAnswer}},
		{"a list of results", `{"result":{"result":[true,true],"result_error":[]}}`, "", [2]rest.Code{rest.BadAnswer, rest.BadAnswer}},
		{"no maps", `{"result":{}}`, rest.BadAnswer, [2]rest.Code{}},
		{"not a map", `{"result":[]}`, rest.BadAnswer, [2]rest.Code{}},
		{"true", `{"result":true}`, rest.BadAnswer, [2]rest.Code{}},
		{"error of the whole", `{"error":"QUERY_LIMIT_EXCEEDED"}`, rest.QueryLimitExceeded, [2]rest.Code{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testClient(t, &scripted{status: 200, body: tt.body})
			resp, err := c.Write(context.Background(), []Write{UpdateSource(4, SourceFields{Title: "t"}), UpdateSource(6, SourceFields{Title: "t"})})
			if tt.whole != "" {
				if !errors.Is(err, tt.whole) || len(resp.Replies) != 0 {
					t.Errorf("error %v with %d replies, want %s", err, len(resp.Replies), tt.whole)
				}
				return
			}
			check(t, err)
			for i, want := range tt.codes {
				got := resp.Replies[i]
				if want == "" && !got.True() || want != "" && !errors.Is(got.Err, want) {
					t.Errorf("command %d: %+v, want %q", i, got, want)
				}
			}
		})
	}
}

func TestBatchRefusesWhatItWouldSpoil(t *testing.T) {
	tr := &scripted{status: 200, body: `{"result":{}}`}
	c := testClient(t, tr)
	for name, updates := range map[string][]Write{
		"none":        {},
		"too many":    make([]Write, MaxBatch+1),
		"a reference": {UpdateSource(4, SourceFields{Title: "$result[c0]"})},
	} {
		var e *rest.Error
		if _, err := c.Write(context.Background(), updates); !errors.As(err, &e) || !e.NotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tr.got != "" {
		t.Errorf("something was sent: %s", tr.got)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"result":true,"time":{"start":1,"finish":2,"processing":1.35,"operating":"1.5","operating_reset_at":1767225600}}`,
		`{"result":{"result":{"c0":[{"id":"11","title":"t","active":"Y","settings":[{"code":"login","value":"x"}]}]},"result_error":[],"result_time":{"c0":{"processing":1}}}}`,
		`{"result":{"error":{"error":"SOURCE_NOT_FOUND","error_description":"Source was not found."}}}`,
		`{"error":"expired_token","error_description":"\u001b[31mred"}`, `{"result":{"result":[],"result_error":{"c0":{"error":""}}}}`,
		`[]`, `null`, `{"error":{"error":{"error":{}}}}`, `{"result":{"result":{"c0":{"0":{"id":4},"2":{"id":6}}}}}`, "\xef\xbb\xbf{}", "<html>", "",
	} {
		f.Add([]byte(s), 200)
		f.Add([]byte(s), 503)
	}
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		status = 200 + (status%400+400)%400
		if status >= 300 && status < 400 {
			status += 100 // redirects have no answer of their own
		}
		c := testClient(t, &scripted{status: status, body: string(body)})
		resp, err := c.Query(context.Background(), []Query{SourcesByID([]int64{4})})
		check := func(err error) {
			var e *rest.Error
			if err == nil {
				return
			}
			if !errors.As(err, &e) || e.Code == "" {
				t.Fatalf("not an *Error with a code: %#v", err)
			}
			_ = e.Reaction()
			if s := e.Error(); s != rest.Clean(s) && len(s) < 500 {
				t.Fatalf("text not clean: %q", s)
			}
		}
		check(err)
		if err != nil {
			return
		}
		if len(resp.Replies) != 1 {
			t.Fatalf("%d replies", len(resp.Replies))
		}
		check(resp.Replies[0].Err)
		if resp.Replies[0].Err == nil {
			list, err := DecodeSources(resp.Replies[0].Result)
			check(err)
			for _, s := range list.Items {
				if s.ID <= 0 || list.Broken[s.ID] != nil {
					t.Fatalf("a source without an id, or a broken one: %+v", s)
				}
			}
			for _, err := range list.Broken {
				check(err)
			}
			if len(list.Items)+len(list.Broken) > list.Count {
				t.Fatalf("%d sources and %d broken ones of %d items", len(list.Items), len(list.Broken), list.Count)
			}
			_, err = DecodeConnectors(resp.Replies[0].Result)
			check(err)
		}
		if resp.Time.Processing < 0 || resp.Time.Operating < 0 {
			t.Fatalf("time runs backwards: %+v", resp.Time)
		}
		if resp.Replies[0].Err == nil && !json.Valid(resp.Replies[0].Result) {
			t.Fatalf("result is not JSON: %q", resp.Replies[0].Result)
		}
	})
}
