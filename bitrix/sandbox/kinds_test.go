package sandbox

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// kindsState has all kinds of objects, people's and other applications' among
// them.
const kindsState = `
limits: {unlimited: true}
connectors:
  - {id: 1, title: SQL, settings: [{code: host, name: Host}, {code: port, type: INT}, {code: password}]}
  - {id: 2, title: Unused, settings: [{code: token}]}
  - {id: 3, title: Trap, settings: [{code: title}, {code: description}, {code: type}, {code: connector_id}, {code: active}, {code: code}]}
  - {id: 4, title: Theirs, owner: local.other, settings: [{code: host}]}
sources:
  - {id: 10, title: CRM, connectorId: 1, settings: {host: db.example, password: p}}
  - {id: 11, title: By hand, connectorId: 1, createdById: 7}
  - {id: 12, title: Trapped, connectorId: 3, settings: {title: a, type: b}}
  - {id: 13, title: Theirs, connectorId: 4}
tables:
  - {id: 20, name: crm_deals, sourceId: 10, externalName: Deals, externalCode: deals, description: D,
     columns: [{name: ID, type: int, externalCode: id}, {name: AMOUNT, type: double, externalCode: amount}]}
  - {id: 21, name: by_hand, sourceId: 11, externalName: x, externalCode: x, createdById: 7, columns: [{name: ID, type: int}]}
  - {id: 22, name: theirs, sourceId: 13, externalName: x, externalCode: x, columns: [{id: 99, name: ID, type: int}]}
taken_names: [csv_import]
`

// refusal is a call with a mistake in it, and what the portal says.
type refusal struct{ method, body, code, desc string }

// checkRefusals makes each call on a portal of its own, and holds the portal to
// changing nothing.
func checkRefusals(t *testing.T, state string, all []refusal) {
	t.Helper()
	for _, c := range all {
		p := newPortal(t, state)
		before := fmt.Sprintf("%+v %+v %+v", p.Connectors(), p.Sources(), p.Tables())
		r := call(t, p, "biconnector."+c.method, c.body)
		want := map[string]any{"error": any(c.code), "error_description": c.desc}
		if c.code == "" {
			want["error"] = 0.0
		}
		if got := r.at("result", "error"); r.status != 200 || !reflect.DeepEqual(got, any(want)) {
			t.Errorf("%s %s\ngot  %d %s\nwant %v", c.method, c.body, r.status, r.body, want)
		}
		if after := fmt.Sprintf("%+v %+v %+v", p.Connectors(), p.Sources(), p.Tables()); len(after) != len(before) {
			t.Errorf("%s %s: changed something", c.method, c.body)
		}
	}
}

// connectorFields writes the fields of a connector, with changes by key; a
// change to "" leaves the key out.
func connectorFields(changes ...string) string {
	fields := [][2]string{{"title", `"T"`}, {"logo", `"l"`}, {"urlCheck", `"c"`}, {"urlData", `"d"`}, {"urlTableList", `"l"`},
		{"urlTableDescription", `"t"`}, {"settings", `[]`}}
	return writeFields(fields, changes)
}

func tableFields(changes ...string) string {
	fields := [][2]string{{"sourceId", `10`}, {"name", `"new"`}, {"externalName", `"N"`}, {"externalCode", `"n"`},
		{"fields", `[{"name":"ID","externalCode":"id","type":"int"}]`}}
	return writeFields(fields, changes)
}

func writeFields(fields [][2]string, changes []string) string {
	for i := 0; i < len(changes); i += 2 {
		found := false
		for j := range fields {
			if fields[j][0] == changes[i] {
				fields[j][1], found = changes[i+1], true
			}
		}
		if !found {
			fields = append(fields, [2]string{changes[i], changes[i+1]})
		}
	}
	var parts []string
	for _, f := range fields {
		if f[1] != "" {
			parts = append(parts, `"`+f[0]+`":`+f[1])
		}
	}
	return `{"fields":{` + strings.Join(parts, ",") + `}}`
}

func long(n int) string { return `"` + strings.Repeat("ä", n) + `"` }

func TestErrorsOfConnectors(t *testing.T) {
	const missing = `Settings must include "type", "name" and "code" fields.`
	checkRefusals(t, kindsState, []refusal{
		{"connector.add", `{}`, "VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided."},
		{"connector.add", connectorFields("b", "1", "a", "2", "id", "1"), "VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: b, a"},
		{"connector.add", connectorFields("URLCheck", `"x"`), "VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: URLCheck"},
		{"connector.add", connectorFields("sourceCode", `"mysql"`), "VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: sourceCode"},
		{"connector.add", connectorFields("id", `1`), "VALIDATION_READ_ONLY_FIELD", `Field "id" is read only.`},
		{"connector.add", connectorFields("title", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "title" is required.`},
		{"connector.add", connectorFields("logo", "", "settings", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "logo" is required.`},
		{"connector.add", connectorFields("urlData", "", "urlTableList", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "urlData" is required.`},
		{"connector.add", connectorFields("settings", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "settings" is required.`},
		{"connector.add", connectorFields("settings", `"x"`), "VALIDATION_INVALID_FIELD_TYPE", `Field "settings" must be of type array.`},
		{"connector.add", connectorFields("sort", `"x"`), "VALIDATION_INVALID_FIELD_TYPE", `Field "sort" must be of type integer.`},
		{"connector.add", connectorFields("supportMapping", `"1"`), "VALIDATION_INVALID_FIELD_TYPE", `Field "supportMapping" must be of type boolean.`},
		{"connector.add", connectorFields("description", `null`), "VALIDATION_INVALID_FIELD_TYPE", `Field "description" must be of type string.`},
		{"connector.add", connectorFields("settings", `[{"code":"a","name":"A"}]`), "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS", missing},
		{"connector.add", connectorFields("settings", `["a"]`), "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS", missing},
		{"connector.add", connectorFields("settings", `[{"code":"a","name":`+long(513)+`,"type":"STRING"}]`), "VALIDATION_SETTINGS_NAME_TOO_LONG", `Parameter "name" must be less than 512 characters.`},
		{"connector.add", connectorFields("settings", `[{"code":`+long(513)+`,"name":"a","type":"STRING"}]`), "VALIDATION_SETTINGS_CODE_TOO_LONG", `Parameter "code" must be less than 512 characters.`},
		{"connector.add", connectorFields("settings", `[{"code":"a","name":"A","type":"string"}]`), "VALIDATION_SETTINGS_INVALID_TYPE", `Parameter "type" is not correct.`},
		{"connector.add", connectorFields("title", `""`), "BX_EMPTY_REQUIRED", `Required field "title" is empty.`},
		{"connector.add", connectorFields("title", long(513)), "BX_INVALID_VALUE", `The value of the field "title" is longer than 512 characters.`},
		{"connector.add", connectorFields("urlCheck", long(2049)), "BX_INVALID_VALUE", `The value of the field "urlCheck" is longer than 2048 characters.`},
		{"connector.update", `{"fields":{"title":"T"}}`, "VALIDATION_ID_NOT_PROVIDED", "ID is missing."},
		{"connector.update", `{"id":"x","fields":{"title":"T"}}`, "VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer."},
		{"connector.update", `{"id":1,"fields":{}}`, "VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided."},
		{"connector.update", `{"id":9,"fields":{"title":"T"}}`, "CONNECTOR_NOT_FOUND", "Connector was not found."},
		{"connector.update", `{"id":4,"fields":{"title":"T"}}`, "CONNECTOR_NOT_FOUND", "Connector was not found."},
		{"connector.get", `{"id":4}`, "CONNECTOR_NOT_FOUND", "Connector was not found."},
		{"connector.delete", `{"id":4}`, "CONNECTOR_NOT_FOUND", "Connector was not found."},
		{"connector.delete", `{"id":1}`, "CONNECTOR_DELETE_RESTRICTED", "Connector cannot be removed. Remove the connections related to the connector first."},
		{"source.add", `{"fields":{"title":"T","connectorId":4,"settings":{}}}`, "CONNECTOR_NOT_FOUND", "Connector was not found."},
		{"source.add", `{"fields":{"title":` + long(513) + `,"connectorId":1,"settings":{}}}`, "BX_INVALID_VALUE", `The value of the field "title" is longer than 512 characters.`},
		{"source.delete", `{"id":10}`, "BX_ERROR", "Cannot delete connection. Delete all associated tables first."},
		{"source.delete", `{"id":13}`, "SOURCE_NOT_FOUND", "Source was not found."},
	})
}

// A connector from nothing to nothing. None of it calls an endpoint.
func TestConnectorLife(t *testing.T) {
	p := newPortal(t, kindsState)
	r := call(t, p, "biconnector.connector.add", connectorFields("title", `"0"`, "sort", `"200"`, "supportMapping", "true",
		"settings", `[{"code":"a","name":"A","type":"STRING","extra":1},{"code":"a","name":"B","type":"INT"}]`))
	if r.at("result", "id") != 5.0 {
		t.Fatal(r.body)
	}
	r = call(t, p, "biconnector.connector.get", `{"id":5}`)
	want := `{"result":{"item":{"id":5,"title":"0","logo":"l","description":"","sort":200,"urlCheck":"c","urlData":"d","urlTableList":"l","urlTableDescription":"t",` +
		`"settings":[{"code":"a","name":"A","type":"STRING"},{"code":"a","name":"B","type":"INT"}],"dateCreate":"`
	if !strings.HasPrefix(r.body, want) || !strings.Contains(r.body, `"supportMapping":true}}`) {
		t.Errorf("got  %s\nwant %s", r.body, want)
	}
	// An update takes what it is given, and the settings whole.
	call(t, p, "biconnector.connector.update", `{"id":5,"fields":{"settings":[{"code":"b","name":"B","type":"INT"}]}}`).want(t, true, "result")
	if c, _ := p.Connector(5); c.Title != "0" || !reflect.DeepEqual(c.Settings, []SettingType{{"b", "B", "INT"}}) || c.Sort != 200 {
		t.Errorf("%+v", c)
	}
	for _, body := range []string{`{"id":5}`, `{"id":2}`} {
		call(t, p, "biconnector.connector.delete", body).want(t, true, "result")
	}
	equal(t, "what is left", ids(call(t, p, "biconnector.connector.list", `{"order":{"id":"ASC"}}`)), "1 3")
	// The id of what is gone is not given again.
	call(t, p, "biconnector.connector.add", connectorFields()).want(t, 6.0, "result", "id")
	if len(p.Checks()) != 0 {
		t.Errorf("checks %+v", p.Checks())
	}
}

// An application sees what hangs on its connectors, whoever made it.
func TestOwnershipIsByConnector(t *testing.T) {
	p := newPortal(t, kindsState)
	for method, want := range map[string]string{"connector": "1 2 3", "source": "10 11 12", "table": "20 21", "dataset": "20 21"} {
		equal(t, method, ids(call(t, p, "biconnector."+method+".list", `{"order":{"id":"ASC"}}`)), want)
	}
	call(t, p, "biconnector.source.get", `{"id":11}`).want(t, 7.0, "result", "item", "connection", "createdById") // a person's source
	if s, _ := p.Source(13); s.Owner != "local.other" {
		t.Errorf("owner %q", s.Owner)
	}
	if tab, _ := p.Table(22); tab.Owner != "local.other" {
		t.Errorf("owner %q", tab.Owner)
	}
	if tab, _ := p.Table(21); tab.Owner != "" || tab.CreatedByID != 7 {
		t.Errorf("%+v", tab)
	}
}

// The connection check gets what is stored and what is sent, untrimmed, before
// anything is looked at; an update then forgets what the connector no longer
// declares.
func TestSourceUpdatePurgesAndChecks(t *testing.T) {
	p := newPortal(t, kindsState)
	call(t, p, "biconnector.connector.update", `{"id":1,"fields":{"urlCheck":"https://new.example","settings":[{"code":"host","name":"New name","type":"INT"},{"code":"user","name":"User","type":"STRING"}]}}`)
	if s, _ := p.Source(10); fmt.Sprint(s.Settings) != "map[host:db.example password:p]" {
		t.Errorf("a connector's update changed its sources: %v", s.Settings)
	}
	r := call(t, p, "biconnector.source.update", `{"id":10,"fields":{"description":"D","settings":{"user":" u ","nosuch":"n","host":null}}}`)
	r.want(t, 0.0, "result", "error", "error") // without a title
	if s, _ := p.Source(10); fmt.Sprint(s.Settings) != "map[host:db.example password:p]" {
		t.Errorf("an error changed something: %v", s.Settings)
	}
	r = call(t, p, "biconnector.source.update", `{"id":10,"fields":{"title":"T","settings":{"user":" u ","nosuch":"n","host":null}}}`)
	r.want(t, true, "result")
	want := map[string]string{"host": "db.example", "password": "p", "user": " u ", "nosuch": "n"}
	for _, c := range p.Checks() {
		if c.Connector != 1 || c.Source != 10 || c.URL != "https://new.example" || !c.OK || !reflect.DeepEqual(c.Connection, want) {
			t.Errorf("check %+v", c)
		}
	}
	if len(p.Checks()) != 2 {
		t.Errorf("%d checks", len(p.Checks()))
	}
	// Names and types are those of when a value was first stored.
	r = call(t, p, "biconnector.source.list", `{"filter":{"=id":10}}`)
	equal(t, "settings", fmt.Sprint(r.at("result", 0, "settings")), "[map[code:host name:Host type:STRING value:db.example] map[code:user name:User type:STRING value:u]]")
}

// A code that a connector declares twice is stored twice by its sources, and
// updated once: the first counts.
func TestCodeDeclaredTwice(t *testing.T) {
	p := newPortal(t, kindsState)
	call(t, p, "biconnector.connector.update", `{"id":2,"fields":{"settings":[{"code":"token","name":"A","type":"STRING"},{"code":"token","name":"B","type":"STRING"}]}}`)
	call(t, p, "biconnector.source.add", `{"fields":{"title":"T","connectorId":2,"settings":{"token":"old"}}}`)
	call(t, p, "biconnector.source.update", `{"id":14,"fields":{"title":"T","settings":{"token":"new"}}}`)
	r := call(t, p, "biconnector.source.list", `{"filter":{"=id":14}}`)
	equal(t, "settings", fmt.Sprint(r.at("result", 0, "settings")), "[map[code:token name:A type:STRING value:new] map[code:token name:B type:STRING value:old]]")
}

// Without a single setting the server looks for the declared codes among the
// fields themselves.
func TestSettingsCalledLikeFields(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":12,"fields":{"title":"New","description":"D"}}`:                "map[connector_id:3 description:D title:New type:rest]",
		`{"id":12,"fields":{"title":"New","active":true,"settings":{}}}`:      "map[active:1 connector_id:3 title:New type:rest]",
		`{"id":12,"fields":{"title":"New","settings":{"nosuch":"x"}}}`:        "map[title:a type:b]",
		`{"id":12,"fields":{"title":"New","settings":["x"]}}`:                 "map[title:a type:b]",
		`{"id":12,"fields":{"title":"New","settings":{"description":"own"}}}`: "map[description:own title:a type:b]",
	} {
		p := newPortal(t, kindsState)
		if r := call(t, p, "biconnector.source.update", body); r.at("result") != true {
			t.Errorf("%s: %s", body, r.body)
		}
		if s, _ := p.Source(12); fmt.Sprint(s.Settings) != want {
			t.Errorf("%s: %v, want %s", body, s.Settings, want)
		}
	}
	p := newPortal(t, kindsState)
	r := call(t, p, "biconnector.source.add", `{"fields":{"title":"New","connectorId":3,"settings":[]}}`)
	if s, _ := p.Source(14); fmt.Sprint(s.Settings) != "map[code:rest_3 connector_id:3 title:New type:rest]" {
		t.Errorf("add: %s: %v", r.body, s.Settings)
	}
	if c := p.Checks(); len(c) != 1 || len(c[0].Connection) != 0 {
		t.Errorf("the check of the add: %+v", c)
	}
}
