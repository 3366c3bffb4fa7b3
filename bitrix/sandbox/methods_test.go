package sandbox

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestOtherMethods(t *testing.T) {
	p := newPortal(t, smallState)
	for _, c := range []struct{ method, body, want string }{
		{"profile", `{}`, `{"ID":"1","ADMIN":true,"NAME":"Sandbox",`},
		{"scope", `{}`, `["biconnector","user_brief"],`},
		{"scope", `{"FULL":true}`, `["basic","biconnector","bizproc",`},
		{"app.info", `{}`, `{"ID":"1","CODE":"` + ClientID + `","VERSION":1,"STATUS":"L","INSTALLED":true,"PAYMENT_EXPIRED":"N","DAYS":null,`},
		{"biconnector.source.fields", `{}`, `{"fields":[{"title":"id","type":"integer","isRequired":true,"isReadOnly":true,"isImmutable":false,"isMultiple":false},` +
			`{"title":"title","type":"string","isRequired":true,"isReadOnly":false,"isImmutable":false,"isMultiple":false},`},
		{"biconnector.connector.fields", `{}`, `{"fields":[{"title":"id","type":"integer",`},
		{"biconnector.connector.list", `{"select":["id","title","settings"],"order":{"id":"ASC"}}`,
			`[{"id":1,"title":"SQL","settings":[{"code":"host","name":"host","type":"STRING"},{"code":"port","name":"port","type":"INT"},` +
				`{"code":"login","name":"login","type":"STRING"},{"code":"password","name":"Password","type":"STRING"}]},` +
				`{"id":2,"title":"API","settings":[{"code":"token","name":"token","type":"STRING"}]}],`},
		{"biconnector.connector.list", `{"filter":{"title":"a%"},"order":{"id":"DESC"},"select":["id"]}`, `[{"id":2}],`},
		{"biconnector.connector.get", `{"id":2}`, `{"item":{"id":2,"title":"API","logo":"data:image`},
		{"biconnector.connector.get", `{"id":9}`, `{"error":{"error":"CONNECTOR_NOT_FOUND","error_description":"Connector was not found."}},`},
		{"biconnector.connector.get", `{}`, `{"error":{"error":"VALIDATION_ID_NOT_PROVIDED",`},
	} {
		r := call(t, p, c.method, c.body)
		if r.status != 200 || !strings.HasPrefix(r.body, `{"result":`+c.want) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.method, c.body, r.body, c.want)
		}
	}
	req, _ := http.NewRequest("GET", origin+WebhookPath+"app.info", nil)
	if r, _ := do(p, req); !strings.HasPrefix(r.body, `{"result":{"SCOPE":["biconnector","user_brief"],"LICENSE":`) {
		t.Errorf("app.info of a webhook: %s", r.body)
	}
	if r := call(t, p, "server.time", `{}`); !regexp.MustCompile(`^\{"result":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00","time":`).MatchString(r.body) {
		t.Errorf("server.time: %s", r.body)
	}
}

// The figures of an answer stand where a portal puts them, in its forms.
func TestTimeObject(t *testing.T) {
	p := newPortal(t, smallState)
	r := call(t, p, "profile", `{}`)
	want := regexp.MustCompile(`"time":\{"start":\d{10}(\.\d{1,6})?,"finish":\d{10}(\.\d{1,6})?,"duration":[0-9.e-]+,"processing":[0-9.e-]+,` +
		`"date_start":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00","date_finish":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00",` +
		`"operating_reset_at":\d{10},"operating":[0-9.e-]+\}\}$`)
	if !want.MatchString(r.body) {
		t.Errorf("%s", r.body)
	}
	r = call(t, p, "batch", batchBody("profile", "nosuch"))
	for _, place := range [][]any{{"time"}, {"result", "result_time", "c00"}} {
		m, _ := r.at(place...).(map[string]any)
		if len(m) != 8 {
			t.Errorf("%v: %v", place, m)
		}
	}
	if r.at("result", "result_time", "c01") != nil {
		t.Error("a refused command carries a time")
	}
}

// A self-hosted portal need not account operating time.
func TestHideOperating(t *testing.T) {
	p := newPortal(t, smallState+"hide_operating: true\n")
	if r := call(t, p, "batch", batchBody("profile")); strings.Contains(r.body, "operating") || r.at("time", "processing") == nil {
		t.Errorf("%s", r.body)
	}
}
