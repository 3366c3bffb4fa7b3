package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// The codes that the page of biconnector.source.update lists, and the empty
// one, each with a request that provokes it on a portal. Some of them are on
// that page although only add or delete can give them. Among the requests that
// hold several mistakes the one that the server sees first is reported.
var updateErrors = []struct {
	code, desc string
	method     string // of source, after the dot
	body       string
}{
	{"VALIDATION_ID_NOT_PROVIDED", "ID is missing.", "update", `{}`},
	{"VALIDATION_ID_NOT_PROVIDED", "ID is missing.", "update", `{"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":null,"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":"","fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":0,"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":-4,"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":"4x","fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":true,"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":[4],"fields":{"title":"T"}}`},
	{"VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.", "update", `{"id":"x"}`},
	{"VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "update", `{"id":4}`},
	{"VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "update", `{"id":4,"fields":null}`},
	{"VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "update", `{"id":4,"fields":{}}`},
	{"VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.", "update", `{"id":4,"fields":"title"}`},
	{"VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: titel", "update", `{"id":4,"fields":{"titel":"T"}}`},
	{"VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: b, a", "update", `{"id":4,"fields":{"b":1,"title":7,"id":4,"a":2}}`},
	{"VALIDATION_REQUIRED_FIELD_MISSING", `Field "title" is required.`, "add", `{"fields":{"connectorId":1,"settings":{}}}`},
	{"VALIDATION_REQUIRED_FIELD_MISSING", `Field "connectorId" is required.`, "add", `{"fields":{"title":"T","settings":{}}}`},
	{"VALIDATION_REQUIRED_FIELD_MISSING", `Field "settings" is required.`, "add", `{"fields":{"title":"T","connectorId":1}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "id" is read only.`, "update", `{"id":4,"fields":{"title":7,"id":4}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "type" is read only.`, "update", `{"id":4,"fields":{"title":"T","type":"rest"}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "code" is read only.`, "update", `{"id":4,"fields":{"title":"T","code":"rest_1"}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "dateCreate" is read only.`, "update", `{"id":4,"fields":{"title":"T","dateCreate":null}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "dateUpdate" is read only.`, "update", `{"id":4,"fields":{"title":"T","dateUpdate":"x"}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "createdById" is read only.`, "update", `{"id":4,"fields":{"title":"T","createdById":1}}`},
	{"VALIDATION_READ_ONLY_FIELD", `Field "updatedById" is read only.`, "update", `{"id":4,"fields":{"title":"T","updatedById":1}}`},
	{"VALIDATION_IMMUTABLE_FIELD", `Field "connectorId" is immutable.`, "update", `{"id":4,"fields":{"title":"T","connectorId":1}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "title" must be of type string.`, "update", `{"id":4,"fields":{"title":7,"connectorId":1}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "title" must be of type string.`, "update", `{"id":4,"fields":{"title":null}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "description" must be of type string.`, "update", `{"id":4,"fields":{"title":"T","description":null}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "active" must be of type boolean.`, "update", `{"id":4,"fields":{"title":"T","active":1}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "active" must be of type boolean.`, "update", `{"id":4,"fields":{"title":"T","active":"Y"}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "settings" must be of type array.`, "update", `{"id":4,"fields":{"title":"T","settings":"x"}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "connectorId" must be of type integer.`, "add", `{"fields":{"title":"T","connectorId":"x","settings":{}}}`},
	{"VALIDATION_INVALID_FIELD_TYPE", `Field "title" must be of type string.`, "add", `{"fields":{"title":null,"connectorId":1,"settings":{}}}`},
	{"SOURCE_NOT_FOUND", "Source was not found.", "update", `{"id":99,"fields":{"description":"no title either"}}`},
	{"SOURCE_NOT_FOUND", "Source was not found.", "update", `{"id":8,"fields":{"title":"T"}}`},
	{"CONNECTOR_NOT_FOUND", "Connector was not found.", "add", `{"fields":{"title":"T","connectorId":9,"settings":{}}}`},
	{"SOURCE_UPDATE_CONNECTION_ERROR", "Cannot update connection.", "update", `{"id":7,"fields":{"title":"T"}}`},
	{"SOURCE_UPDATE_CONNECTION_ERROR", "Cannot update connection.", "update", `{"id":7,"fields":{"description":"no title either"}}`},
	{"BX_ERROR", "Cannot delete connection. Delete all associated tables first.", "delete", `{"id":9}`},
	{"", "All the fields are required.", "update", `{"id":4,"fields":{"description":"D"}}`},
	{"", "All the fields are required.", "update", `{"id":4,"fields":{"title":""}}`},
	{"", "All the fields are required.", "update", `{"id":4,"fields":{"title":"0"}}`},
	{"", "All the fields are required.", "add", `{"fields":{"title":"0","connectorId":1,"settings":{}}}`},
}

func TestErrorsOfUpdate(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range updateErrors {
		p := newPortal(t, smallState)
		before := p.Sources()
		r := call(t, p, "biconnector.source."+c.method, c.body)
		got := r.at("result", "error")
		want := map[string]any{"error": any(c.code), "error_description": c.desc}
		if c.code == "" {
			want["error"] = 0 // the number
		}
		if r.status != http.StatusOK || r.at("error") != nil || fmt.Sprint(got) != fmt.Sprint(want) || r.at("time", "processing") == nil {
			t.Errorf("%s %s: %d %s\nwant %v", c.method, c.body, r.status, r.body, want)
		}
		if !reflect.DeepEqual(p.Sources(), before) {
			t.Errorf("%s %s: changed something", c.method, c.body)
		}
		seen[c.code] = true
	}
	// The rest of the page's list: these two need more than a request.
	p := newPortal(t, smallState+"faults: [{kind: connection_error}]\n")
	call(t, p, "biconnector.source.add", `{"fields":{"title":"T","connectorId":1,"settings":{}}}`).want(t, "SOURCE_CREATE_CONNECTION_ERROR", "result", "error", "error")
	seen["SOURCE_CREATE_CONNECTION_ERROR"] = true
	p = newPortal(t, smallState)
	r, _ := http.NewRequest("GET", origin+WebhookPath+"biconnector.source.update", nil)
	if r, _ := do(p, r); r.at("result", "error", "error") != "ACCESS_DENIED" || r.at("result", "error", "error_description") != "Access denied." {
		t.Errorf("through a webhook: %s", r.body)
	}
	seen["ACCESS_DENIED"] = true
	for _, code := range strings.Fields(`ACCESS_DENIED VALIDATION_ID_NOT_PROVIDED VALIDATION_INVALID_ID_FORMAT VALIDATION_FIELDS_NOT_PROVIDED
		VALIDATION_UNKNOWN_PARAMETERS VALIDATION_REQUIRED_FIELD_MISSING VALIDATION_READ_ONLY_FIELD VALIDATION_IMMUTABLE_FIELD
		VALIDATION_INVALID_FIELD_TYPE SOURCE_NOT_FOUND SOURCE_CREATE_CONNECTION_ERROR SOURCE_UPDATE_CONNECTION_ERROR BX_ERROR`) {
		if !seen[code] {
			t.Errorf("no request provokes %s", code)
		}
	}
}

// Ids as PHP reads numbers, and parameters that nobody asked for.
func TestUpdateAccepts(t *testing.T) {
	for _, id := range []string{`4`, `"4"`, `" 4"`, `4.0`, `"4.9"`, `"04"`, `"+4"`} {
		p := newPortal(t, smallState)
		r := call(t, p, "biconnector.source.update", `{"id":`+id+`,"fields":{"title":"T"},"more":1,"start":0}`)
		if s, _ := p.Source(4); r.at("result") != true || s.Title != "T" {
			t.Errorf("id %s: %s", id, r.body)
		}
	}
}

func TestFailOnceAndMissingTitleCostACheck(t *testing.T) {
	p := newPortal(t, smallState)
	for i, want := range []any{"SOURCE_UPDATE_CONNECTION_ERROR", nil} {
		if r := call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"T"}}`); r.at("result", "error", "error") != want {
			t.Errorf("update %d: %s", i+1, r.body)
		}
	}
	call(t, p, "biconnector.source.update", `{"id":4,"fields":{"description":"D"}}`)
	if s := p.Stats(); s.Checks[10] != 2 || s.Updates[10] != 1 || s.Checks[4] != 1 || s.Updates[4] != 0 {
		t.Errorf("stats %+v", s)
	}
}

// What PHP makes of other types: a list where a text belongs is an error of
// the server itself.
func TestSettingsValues(t *testing.T) {
	p := newPortal(t, smallState)
	call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T","settings":{"port":5432,"host":true,"login":null,"password":1.50}}}`)
	s, _ := p.Source(4)
	for code, want := range map[string]string{"port": "5432", "host": "1", "login": "old_admin", "password": "1.5"} {
		if s.Settings[code] != want {
			t.Errorf("%s is %q, want %q", code, s.Settings[code], want)
		}
	}
	if r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T","settings":{"host":["x"]}}}`); r.status != 500 || r.at("error") != "INTERNAL_SERVER_ERROR" {
		t.Errorf("a list for a value: %d %s", r.status, r.body)
	}
	call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T","settings":[]}}`).want(t, true, "result")
}

// The three examples of the documentation, as they stand there, and the ways
// in which other clients write the same.
func TestDocumentedExamples(t *testing.T) {
	form := url.Values{"id": {"4"}, "fields[title]": {"New source name"}, "fields[description]": {"Updated source description"},
		"fields[settings][login]": {"new_admin"}, "fields[settings][password]": {"new_password"}}.Encode()
	withAuth := strings.TrimSuffix(strings.TrimSpace(docsUpdate), "}") + `, "auth": "` + AccessToken + `"}`
	for _, c := range []struct {
		name, verb, path, contentType, body string
		honoured                            bool // active is among the fields, which a form cannot say
	}{
		{"webhook, JSON", "POST", WebhookPath + "biconnector.source.update", "application/json", docsUpdate, true},
		{"application, JSON", "POST", "/rest/biconnector.source.update", "application/json", withAuth, true},
		{"application, JSON with a charset", "POST", "/rest/biconnector.source.update", "application/json; charset=utf-8", withAuth, true},
		{"application, the token in the address", "POST", "/rest/biconnector.source.update?auth=" + AccessToken, "application/json", docsUpdate, true},
		{"format and case", "POST", "/rest/BIconnector.Source.UPDATE.json", "application/json", withAuth, true},
		{"slash at the end", "POST", WebhookPath + "biconnector.source.update/", "application/json", docsUpdate, true},
		{"form", "POST", WebhookPath + "biconnector.source.update", "application/x-www-form-urlencoded", form, false},
		{"form without a content type", "POST", WebhookPath + "biconnector.source.update", "", form, false},
		{"GET", "GET", WebhookPath + "biconnector.source.update.json?" + form, "", "", false},
		{"GET, application", "GET", "/rest/biconnector.source.update?access_token=" + AccessToken + "&" + form, "", "", false},
		{"multipart form", "POST", WebhookPath + "biconnector.source.update", "multipart/form-data; boundary=b",
			multipartForm("id", "4", "fields[title]", "New source name", "fields[description]", "Updated source description",
				"fields[settings][login]", "new_admin", "fields[settings][password]", "new_password"), false},
	} {
		p := newPortal(t, smallState+"webhooks: true\nhonour_active: true\n")
		address, _ := serving(t, p)
		req := must(http.NewRequest(c.verb, address+c.path, strings.NewReader(c.body)))(t)
		req.Header.Set("Accept", "application/json")
		if c.contentType != "" {
			req.Header.Set("Content-Type", c.contentType)
		}
		r, err := ask(&http.Client{}, req)
		if err != nil || r.status != 200 || r.at("result") != true || r.header.Get("Content-Type") != contentJSON {
			t.Errorf("%s: %v %d %s", c.name, err, r.status, r.body)
			continue
		}
		s, _ := p.Source(4)
		if s.Title != "New source name" || *s.Description != "Updated source description" || *s.Active == c.honoured ||
			s.Settings["login"] != "new_admin" || s.Settings["password"] != "new_password" {
			t.Errorf("%s: source %+v", c.name, s)
		}
	}
}

func multipartForm(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", pairs[i], pairs[i+1])
	}
	return b.String() + "--b--\r\n"
}

// JSON without its content type is a form for PHP: there is no id in it.
func TestJSONWithoutItsContentType(t *testing.T) {
	p := newPortal(t, smallState+"webhooks: true\n")
	for _, contentType := range []string{"application/x-www-form-urlencoded", "text/plain", ""} {
		req, _ := http.NewRequest("POST", origin+WebhookPath+"biconnector.source.update", strings.NewReader(docsUpdate))
		req.Header.Set("Content-Type", contentType)
		if r, _ := do(p, req); r.at("result", "error", "error") != "VALIDATION_ID_NOT_PROVIDED" {
			t.Errorf("%q: %s", contentType, r.body)
		}
	}
	call(t, p, "biconnector.source.update", `{"id":4,`).want(t, "VALIDATION_ID_NOT_PROVIDED", "result", "error", "error") // broken JSON
}
