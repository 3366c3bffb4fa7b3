package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"syncsources/bitrix/sandbox/php"
)

func TestBatchShapes(t *testing.T) {
	p := newPortal(t, smallState)
	for _, c := range []struct{ name, body, want string }{
		{"map", `{"halt":0,"cmd":{"a":"server.nosuch","b":"biconnector.source.list?select[]=id&filter[id]=4"}}`,
			`{"result":{"b":[{"id":4}]},"result_error":{"a":{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}},"result_total":[],"result_next":[],"result_time":{"b":`},
		{"list", `{"cmd":["biconnector.source.list?select[]=id&filter[id]=4"]}`,
			`{"result":[[{"id":4}]],"result_error":[],"result_total":[],"result_next":[],"result_time":[{`},
		{"numbered from 1", `{"cmd":{"1":"biconnector.source.list?select[]=id&filter[id]=4"}}`,
			`{"result":{"1":[{"id":4}]},"result_error":[],"result_total":[],"result_next":[],"result_time":{"1":`},
		{"nothing", `{"halt":0}`, `{"result":[],"result_error":[],"result_total":[],"result_next":[],"result_time":[]}`},
		{"no commands", `{"cmd":"profile"}`, `{"result":[],"result_error":[],"result_total":[],"result_next":[],"result_time":[]}`},
		{"upper case", `{"HALT":1,"CMD":{"a":"nosuch","b":"profile"}}`,
			`{"result":[],"result_error":{"a":{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}},"result_total":[],"result_next":[],"result_time":[]}`},
		{"no texts", `{"cmd":{"a":5,"b":["profile"],"c":null}}`, `{"result":[],"result_error":[],"result_total":[],"result_next":[],"result_time":[]}`},
		{"a batch in a batch", `{"cmd":{"a":"batch?cmd[x]=profile"}}`,
			`{"result":[],"result_error":{"a":{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"Method is not allowed for batch usage"}},"result_total":[],"result_next":[],"result_time":[]}`},
		{"method with case, format and fragment", `{"cmd":["Biconnector.Source.LIST.json?select[]=id&filter[id]=4#&filter[id]=5"]}`, `{"result":[[{"id":4}]],`},
		{"ERROR_ARGUMENT", `{"cmd":{"a":"biconnector.source.list?order[id]=up"}}`, `{"result":[],"result_error":{"a":{"error":"ERROR_ARGUMENT",`},
	} {
		r := call(t, p, "batch", c.body)
		if r.status != 200 || !strings.HasPrefix(r.body, `{"result":`+c.want) {
			t.Errorf("%s: %d\ngot  %s\nwant %s", c.name, r.status, r.body, c.want)
		}
	}
}

// halt stops at an error beside the result; one inside the result does not
// count. What halt is follows PHP: "0" and false are no, "false" is yes.
func TestHalt(t *testing.T) {
	for halt, stops := range map[string]bool{`0`: false, `"0"`: false, `false`: false, `null`: false, `""`: false, `1`: true, `"1"`: true, `true`: true, `"false"`: true} {
		p := newPortal(t, smallState)
		r := call(t, p, "batch", `{"halt":`+halt+`,"cmd":{"inside":"biconnector.source.get?id=99","root":"nosuch","after":"profile"}}`)
		if r.at("result", "result", "inside", "error", "error") != "SOURCE_NOT_FOUND" {
			t.Errorf("halt %s: %s", halt, r.body)
		}
		if got := r.at("result", "result", "after") == nil; got != stops {
			t.Errorf("halt %s: stops is %v", halt, got)
		}
	}
}

func TestBatchLength(t *testing.T) {
	p := newPortal(t, smallState)
	cmd := map[string]any{}
	for i := range 52 {
		cmd[fmt.Sprintf("c%02d", i)] = "profile"
	}
	cmd["c00"] = 7 // counts too
	b, _ := json.Marshal(map[string]any{"cmd": cmd})
	r := call(t, p, "batch", string(b))
	results, _ := r.at("result", "result").(map[string]any)
	if len(results) != 49 || r.at("result", "result_error", "c50", "error") != "ERROR_BATCH_LENGTH_EXCEEDED" ||
		r.at("result", "result_error", "c51", "error_description") != "Max batch length exceeded" {
		t.Errorf("%d results, errors %v", len(results), r.at("result", "result_error"))
	}
	if s := p.Stats(); s.Requests != 1 || s.Commands["profile"] != 49 {
		t.Errorf("stats %+v", s)
	}
}

// In a query string everything is a text.
func TestBatchKnowsTextsOnly(t *testing.T) {
	p := newPortal(t, smallState+"honour_active: true\n")
	r := call(t, p, "batch", batchBody(
		"biconnector.source.update?id=4&fields[title]=T&fields[active]=1",
		"biconnector.source.update?id=4&fields[title]=T&fields[active]=true",
		"biconnector.source.update?id=4&fields[title]=T&fields[settings]=",
		"biconnector.source.update?id=4&fields[title]=A%26B+C%2B%20%25&fields[settings][login]=%F0%9F%9A%80&fields[settings][port]=5432",
	))
	for key, want := range map[string]any{"c00": `Field "active" must be of type boolean.`, "c01": `Field "active" must be of type boolean.`,
		"c02": `Field "settings" must be of type array.`, "c03": nil} {
		r.want(t, want, "result", "result", key, "error", "error_description")
	}
	if s, _ := p.Source(4); s.Title != "A&B C+ %" || s.Settings["login"] != "🚀" || s.Settings["port"] != "5432" {
		t.Errorf("source %+v", s)
	}
}

// References are replaced in every value, by whatever they lead to.
func TestReferences(t *testing.T) {
	done := map[string]*php.Array{
		"result": php.Dict("a", php.Dict("id", int64(4), "name", "n a", "on", true, "none", nil), "0", "zero"),
		"error":  {}, "total": {}, "next": {}, "time": php.Dict("1", php.Dict("start", 1.5)),
	}
	for _, c := range []struct{ value, want string }{
		{`plain`, `"plain"`},
		{`$result`, `"$result"`},
		{`$other[a]`, `"$other[a]"`},
		{`$result[]`, `"$result[]"`},
		{`$result [a]`, `"$result [a]"`},
		{`$result[a][id]`, `4`},
		{`$result[a][on]`, `true`},
		{`$result[a]`, `{"id":4,"name":"n a","on":true,"none":null}`},
		{`$result[0]`, `"zero"`},
		{`$result[a][none]`, `{"id":4,"name":"n a","on":true,"none":null}`},
		{`$result[a][nosuch][deeper]`, `{"id":4,"name":"n a","on":true,"none":null}`},
		{`$result[a][id][deeper]`, `4`},
		{`$result[0]x`, `"zero"`}, // all up to white space belongs to it
		{`$results[0]`, `"zero"`},
		{`$RESULT[0]`, `null`}, // found in any case, looked up in lower case
		{`x$RESULT[0]`, `"x$RESULT[0]"`},
		{`id $result[a][id] and $result[a][name]!`, `"id 4 and n a"`},
		{`$result[0] $result[0]`, `"zero zero"`},
		{`x$time[1]y`, `"x$time[1]y"`}, // a password: only a text or a number takes its place
		{`x$time[1][start]y z`, `"x1.5 z"`},
		{`x$time[2]y z`, `"x$time[2]y z"`},
		{`50$total[x]`, `"50$total[x]"`},
		{`$next[x]`, `[]`},
		{`$Error[x]`, `null`},
		{`a$error[x]b c`, `"a$error[x]b c"`},
		{"tab$result[0]\tx", `"tabzero\tx"`},
		{"$result\v[0]", `"$result\u000b[0]"`},
	} {
		equal(t, c.value, string(php.JSON{}.Append(nil, substitute(c.value, done))), c.want)
	}
}

func TestReferencesBetweenCommands(t *testing.T) {
	p := newPortal(t, smallState)
	r := call(t, p, "batch", batchBody("biconnector.source.get?id=5",
		"biconnector.source.update?id=%24result%5Bc00%5D[item][connection][id]&fields[title]=%24RESULT%5Bc00%5D",
		"biconnector.source.update?id=$result[c00][item][connection][id]&fields[title]=from $result[c00][item][settings][0][value]"))
	if r.at("result", "result", "c01", "error", "error") != "VALIDATION_INVALID_FIELD_TYPE" || r.at("result", "result", "c02") != true {
		t.Errorf("%s", r.body)
	}
	if s, _ := p.Source(5); s.Title != "from t0" {
		t.Errorf("title %q", s.Title)
	}
}

// Credentials reach the commands from the request around them, and only from
// there.
func TestBatchCredentials(t *testing.T) {
	p := newPortal(t, smallState)
	r := call(t, p, "batch", batchBody("profile?auth=nonsense", "biconnector.source.get?id=4&auth=nonsense&start=0"))
	if r.at("result", "result", "c00", "ID") != "1" || r.at("result", "result", "c01", "item") == nil {
		t.Errorf("%s", r.body)
	}
	for _, c := range p.Calls() {
		if s := fmt.Sprint(c.Params()); strings.Contains(s, "auth:") || strings.Contains(s, AccessToken) {
			t.Errorf("%s was called with %s", c.Method, s)
		}
	}
}
