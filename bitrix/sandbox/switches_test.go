package sandbox

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// switched is what a call answers without a switch and with it. The texts are
// looked for in the answer.
type switched struct {
	state, method, body string
	without, with       string
}

var switches = map[string]switched{
	"honour_active":      {"honour_active: true", "batch", `{"cmd":["biconnector.source.get?id=10"]}`, `"active":true`, `"active":true`}, // see TestActiveIsIgnoredUnlessHonoured
	"webhooks":           {"webhooks: true", "", "", "ACCESS_DENIED", `"item":`},
	"webhooks_apart":     {"webhooks: true\nwebhooks_apart: true", "", "", "ACCESS_DENIED", "SOURCE_NOT_FOUND"},
	"no_rights":          {"no_rights: true", "biconnector.source.fields", `{}`, `"isRequired"`, `{"error":{"error":"ACCESS_DENIED","error_description":"Access denied."}}`},
	"no_table_methods":   {"no_table_methods: true", "biconnector.table.fields", `{}`, `"sourceId"`, "ERROR_METHOD_NOT_FOUND"},
	"dataset_delete":     {"dataset_delete: works", "biconnector.dataset.delete", `{"id":20}`, "INTERNAL_SERVER_ERROR", `"result":true`},
	"no_support_mapping": {"no_support_mapping: true", "biconnector.connector.fields", `{}`, "supportMapping", `"dateCreate","type":"datetime","isRequired":true,"isReadOnly":true,"isImmutable":false,"isMultiple":false}]`},
	"new_keys":           {"new_keys: true", "biconnector.table.get", `{"id":20}`, `"visible":true}`, `"csvDelimiter":"","csvEncoding":"","csvHasHeaders":false,"fields":[{"id":100,"datasetId":20,"type":"int","name":"ID","externalCode":"id","visible":true,"description":""}`},
	"text_codes":         {"text_codes: true", "biconnector.table.add", tableFields("name", `"crm_deals"`), `"error":0`, `"error":"NAME_EXISTS"`},
	"no_code":            {"no_code: text", "biconnector.source.update", `{"id":10,"fields":{"description":"x"}}`, `"error":0`, `"error":"0"`},
	"text_ids":           {"text_ids: true", "biconnector.source.list", `{"filter":{"id":10}}`, `[{"id":10,`, `[{"id":"10",`},
	"letter_booleans":    {"letter_booleans: true", "batch", `{"cmd":["biconnector.source.get?id=10","biconnector.table.get?id=20"]}`, `"active":true`, `"active":"Y"`},
	"null_texts":         {"null_texts: true", "biconnector.source.list", `{"filter":{"id":10}}`, `"description":""`, `"description":null`},
	"rest3_errors":       {"rest3_errors: true", "nosuch", `{}`, `{"error":"ERROR_METHOD_NOT_FOUND",`, `{"error":{"code":"ERROR_METHOD_NOT_FOUND","message":"Method not found!"}}`},
	"fatal":              {"fatal: page", "biconnector.dataset.delete", `{"id":20}`, `"error":`, "<h1>500 Internal Server Error</h1>"},
	"sync_fails":         {"sync_fails: true", "biconnector.table.fields.update", `{"id":20,"delete":[100]}`, `"result":true`, `"error":0,"error_description":"Table was not found."`},
	"max_input_vars":     {"max_input_vars: 3", "batch", `{"cmd":["biconnector.source.list?filter[@id][]=10&filter[@id][]=11&order[id]=desc&page=2"]}`, `"result":{"result":[[]]`, `"result":{"result":[[{"id":11,`},
	"whole_seconds":      {"whole_seconds: true", "profile", `{}`, ``, `"processing":0,`},
	"operating_billed":   {"operating_billed: batch\nread_cost: 1s", "batch", `{"cmd":["biconnector.source.get?id=10"]}`, `"operating":0}}`, `"operating":1}}`},
	"operating_ban":      {"operating_ban: 5m", "", "", "", ""},
	"hide_operating":     {"hide_operating: true", "profile", `{}`, `"operating":`, `"date_finish":`},
	"cut_titles":         {"cut_titles: 3", "", "", "", ""},
	"store_texts":        {"store_texts: [trim]", "", "", "", ""},
	"store_numbers":      {"store_numbers: true", "", "", "", ""},
	"show_settings":      {"show_settings: masked", "biconnector.source.list", `{"filter":{"id":10}}`, `"value":"db.example"`, `"value":"********"`},
	"raw_bytes":          {"raw_bytes: true", "biconnector.source.list", `{"filter":{"id":14}}`, `"title":"\ufffd`, "\"title\":\"\xcf"},
	"omit_keys":          {"omit_keys: [description, settings]", "biconnector.source.list", `{"filter":{"id":10}}`, `"description":"","active":true`, `"title":"CRM","type":"rest","code":"rest_1","active":true`},
	"double_settings":    {"double_settings: true", "biconnector.source.list", `{"filter":{"id":10}}`, `"value":"p"}]`, `{"code":"password","name":"password","type":"STRING","value":"p"},{"code":"password","name":"password","type":"STRING","value":""}]`},
	"echo":               {"echo: base64", "biconnector.source.update", `{"id":10,"fields":{"settings":{"password":"s3cret"}}}`, "required.", "required. password=czNjcmV0"},
	"show_after":         {"show_after: 1s", "", "", "", ""},
	"address":            {"address: https://acme.example", "", "", "", ""},
	"old_hosts":          {"address: https://acme.example\nold_hosts: [portal.example]", "profile", `{}`, `"result":`, ``},
	"client_endpoint":    {"client_endpoint: 'http://ACME.example:80/rest/'", "", "", "", ""},
	"server_endpoint":    {"server_endpoint: https://oauth.bitrix24.tech/rest/", "", "", "", ""},
	"member_id":          {"member_id: other", "", "", "", ""},
	"no_refresh_token":   {"no_refresh_token: true", "", "", "", ""},
	"expired_forever":    {"expired_forever: true", "profile", `{}`, `"result":`, "expired_token"},
}

// Every switch does what it says, and only when it is on. Those without a call
// in the table have a test of their own, below or with their subject.
func TestSwitches(t *testing.T) {
	typ := reflect.TypeFor[Switches]()
	for i := range typ.NumField() {
		if key := typ.Field(i).Tag.Get("yaml"); switches[key].state == "" {
			t.Errorf("no test of %s", key)
		}
	}
	if len(switches) != typ.NumField() {
		t.Errorf("%d tests of %d switches", len(switches), typ.NumField())
	}
	// A title in cp1251 and one that ends in half a character.
	unclean := strings.Replace(kindsState, "sources:\n", "sources:\n  - {id: 14, title: !!binary z/Du4uDp5OXw7aCg, connectorId: 1}\n", 1)
	for key, s := range switches {
		if s.method == "" && s.without == "" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			for _, on := range []bool{false, true} {
				state, want := unclean, s.without
				if on {
					state, want = state+s.state+"\n", s.with
				} else if key == "operating_billed" {
					state += "read_cost: 1s\n"
				}
				p := newPortal(t, state)
				var r reply
				if s.method != "" {
					r = call(t, p, s.method, s.body)
				} else {
					req, _ := http.NewRequest("GET", origin+WebhookPath+"biconnector.source.get?id=10", nil)
					r, _ = do(p, req)
				}
				if !strings.Contains(r.body, want) {
					t.Errorf("%s %v: %d %s\nwant %s", key, on, r.status, r.body, want)
				}
				if key == "letter_booleans" && on != strings.Contains(r.body, `"visible":"Y"`) {
					t.Errorf("%s %v: %s", key, on, r.body)
				}
				if key == "hide_operating" && on == strings.Contains(r.body, "operating") || key == "no_support_mapping" && on == strings.Contains(r.body, "supportMapping") {
					t.Errorf("%s %v: %s", key, on, r.body)
				}
				p.Close()
			}
		})
	}
}

// What a portal does to texts and numbers before it stores them.
func TestStoredOtherwise(t *testing.T) {
	const sent = " e\u0301 <b> 🚀 "
	for _, c := range []struct{ state, title, password string }{
		{"", sent, "007"},
		{"store_texts: [trim]", "e\u0301 <b> 🚀", "007"},
		{"store_texts: [escape]", " e\u0301 &lt;b&gt; 🚀 ", "007"},
		{"store_texts: [nfc]", " \u00e9 <b> 🚀 ", "007"},
		{"store_texts: [bmp, trim]", "e\u0301 <b> ", "007"},
		{"cut_titles: 4", " e\u0301 ", "007"},
		{"store_numbers: true", sent, "7"},
	} {
		p := newPortal(t, kindsState+c.state+"\n")
		for _, fields := range []string{`"title":"` + sent + `","settings":{"password":" 007 "}`} {
			call(t, p, "biconnector.source.update", `{"id":10,"fields":{`+fields+`}}`).want(t, true, "result")
		}
		if s, _ := p.Source(10); s.Title != c.title || s.Settings["password"] != c.password {
			t.Errorf("%s: %q %q, want %q %q", c.state, s.Title, s.Settings["password"], c.title, c.password)
		}
		call(t, p, "biconnector.connector.update", `{"id":1,"fields":{"title":"`+sent+`"}}`).want(t, true, "result")
		if got, _ := p.Connector(1); got.Title != c.title {
			t.Errorf("%s: connector %q", c.state, got.Title)
		}
	}
}

// Half a character, which a program in another language may have stored, comes
// out as the escape that it is.
func TestLoneSurrogate(t *testing.T) {
	for _, raw := range []string{"", "raw_bytes: true\n"} {
		p := newPortal(t, "connectors: [{id: 1, title: !!binary YeLtoL0=}]\n"+raw)
		want := map[string]string{"": `"title":"a\ufffd\ud83d"`, "raw_bytes: true\n": "\"title\":\"a\xe2\\ud83d\""}[raw]
		if r := call(t, p, "biconnector.connector.get", `{"id":1}`); !strings.Contains(r.body, want) {
			t.Errorf("got  %q\nwant %q", r.body, want)
		}
	}
}

func TestShowSettings(t *testing.T) {
	for mode, want := range map[string][2]string{
		"masked":            {`"value":"********"`, `"value":"p"`},
		"masked_everywhere": {`"value":"********"`, `"value":"********"`},
		"hashed":            {`"value":"83878c91171338902e0fe0fb97a8c47a"`, `"value":"p"`},
		"omitted":           {`{"code":"password","name":"password","type":"STRING"}`, `{"code":"password","name":"password","type":"STRING","id":2}`},
	} {
		p := newPortal(t, kindsState+"show_settings: "+mode+"\n")
		for i, method := range []string{"biconnector.source.list", "biconnector.source.get"} {
			if r := call(t, p, method, `{"id":10,"filter":{"id":10}}`); !strings.Contains(r.body, want[i]) {
				t.Errorf("%s %s: %s", mode, method, r.body)
			}
		}
	}
}

// A replica shows what was: of a change, an addition, and a deletion. Writes
// see each other at once.
func TestShowAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, kindsState+"show_after: 2s\n")
		call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"New"}}`)
		call(t, p, "biconnector.table.delete", `{"id":20}`)
		call(t, p, "biconnector.connector.add", connectorFields())
		call(t, p, "biconnector.source.delete", `{"id":10}`).want(t, true, "result") // its tables are gone, whatever is shown
		look := func() string {
			list := func(kind string) string {
				return ids(call(t, p, "biconnector."+kind+".list", `{"order":{"id":"asc"}}`))
			}
			return fmt.Sprint(list("connector"), "; ", list("source"), "; ", list("table"), "; ",
				call(t, p, "biconnector.source.get", `{"id":10}`).at("result", "item", "connection", "title"))
		}
		equal(t, "at once", look(), "1 2 3; 10 11 12; 20 21; CRM")
		time.Sleep(2 * time.Second)
		equal(t, "2 s later", look(), "1 2 3 5; 11 12; 21; <nil>")
	})
}

func tokenRequest(p *Portal, host, refresh string) reply {
	req, _ := http.NewRequest("GET", "https://"+host+"/oauth/token/?grant_type=refresh_token&client_id="+ClientID+"&client_secret="+ClientSecret+"&refresh_token="+refresh, nil)
	r, err := do(p, req)
	if err != nil {
		panic(err)
	}
	return r
}

func TestTokenAnswers(t *testing.T) {
	for state, want := range map[string]string{
		"":                                `"client_endpoint":"https:\/\/portal.example\/rest\/","server_endpoint":"https:\/\/portal.example\/rest\/","domain":"portal.example","member_id":"a223c6b3710f85df22e9377d6c4f7553"`,
		switches["address"].state:         `"client_endpoint":"https:\/\/acme.example\/rest\/"`,
		switches["client_endpoint"].state: `"client_endpoint":"http:\/\/ACME.example:80\/rest\/"`,
		switches["server_endpoint"].state: `"server_endpoint":"https:\/\/oauth.bitrix24.tech\/rest\/"`,
		switches["member_id"].state:       `"member_id":"other"`,
	} {
		p := newPortal(t, state+"\n")
		if r := tokenRequest(p, "portal.example", RefreshToken); !strings.Contains(r.body, want) {
			t.Errorf("%s: %s", state, r.body)
		}
	}

	// The other server knows no application of this portal.
	p := newPortal(t, switches["server_endpoint"].state+"\n")
	if r := tokenRequest(p, "oauth.bitrix.info", RefreshToken); r.status != 401 || r.at("error") != "invalid_client" {
		t.Errorf("the other server: %d %s", r.status, r.body)
	}
	if r := tokenRequest(p, "oauth.bitrix24.tech", RefreshToken); r.status != 200 {
		t.Errorf("its own server: %d %s", r.status, r.body)
	}
	if st := p.Stats(); fmt.Sprint(st.TokenHosts) != "map[oauth.bitrix.info:1 oauth.bitrix24.tech:1]" {
		t.Errorf("hosts %v", st.TokenHosts)
	}

	p = newPortal(t, "no_refresh_token: true\n")
	for range 2 {
		if r := tokenRequest(p, "portal.example", RefreshToken); r.status != 200 || r.at("access_token") == nil || strings.Contains(r.body, "refresh_token") {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
}

// A renamed portal sends its old address on, and never answers there.
func TestOldHosts(t *testing.T) {
	p := newPortal(t, kindsState+"address: https://acme.example\nold_hosts: [portal.example]\n")
	r := call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"T"}}`)
	if r.status != 302 || r.header.Get("Location") != "https://acme.example/rest/biconnector.source.update" {
		t.Errorf("%d %v", r.status, r.header)
	}
	if s, _ := p.Source(10); s.Title != "CRM" {
		t.Error("the old address wrote")
	}
	req := jsonRequest("profile", `{}`)
	req.URL.Host, req.Host = "acme.example", "acme.example"
	if r, err := do(p, req); err != nil || r.status != 200 {
		t.Errorf("the new address: %v %d", err, r.status)
	}
	if c := p.Calls(); len(c) != 1 || c[0].Host != "acme.example" {
		t.Errorf("calls %+v", c)
	}
}

// Stamps are floored, each: a call of 0.2 s that crosses a second took one.
func TestWholeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, kindsState+"whole_seconds: true\nread_cost: 200ms\n")
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1300 * time.Millisecond)))
		for _, want := range []float64{0, 0, 0, 1, 0} {
			r := call(t, p, "biconnector.source.get", `{"id":10}`)
			start, _ := r.at("time", "start").(float64)
			finish, _ := r.at("time", "finish").(float64)
			duration, _ := r.at("time", "duration").(float64)
			if r.at("time", "processing") != want || start != float64(int64(start)) || finish-start-duration > 1e-6 || duration < 0.2 {
				t.Errorf("want %v: %v", want, r.at("time"))
			}
		}
	})
}

// What an external system costs goes by its host, by its connector, or by the
// source.
func TestCheckCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, strings.NewReplacer("{id: 2, title: Unused,", "{id: 2, title: Slow, check_cost: 7s,").Replace(kindsState)+
			"update_cost: 1s\nwrite_cost: 100ms\nhost_costs: {db.example: 3s, slow.example: 5s, connector-3.example: 6s}\n")
		for _, c := range []struct {
			method, body string
			want         time.Duration
		}{
			{"source.update", `{"id":10,"fields":{"title":"T"}}`, 3 * time.Second},
			{"source.update", `{"id":10,"fields":{"title":"T","settings":{"host":"https://slow.example:8443/x"}}}`, 5 * time.Second},
			{"source.update", `{"id":11,"fields":{"title":"T"}}`, time.Second},
			{"source.update", `{"id":12,"fields":{"title":"T"}}`, 6 * time.Second},
			{"source.add", `{"fields":{"title":"T","connectorId":2,"settings":{}}}`, 7 * time.Second},
			{"connector.add", connectorFields(), 100 * time.Millisecond},
			{"table.add", tableFields(), 100 * time.Millisecond},
			{"table.delete", `{"id":20}`, 100 * time.Millisecond},
		} {
			start := time.Now()
			r := call(t, p, "biconnector."+c.method, c.body)
			if took := time.Since(start); took != c.want || r.at("result", "error") != nil {
				t.Errorf("%s %s: %v, want %v: %s", c.method, c.body, took, c.want, r.body)
			}
		}
	})
}
