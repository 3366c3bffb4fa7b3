package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

func TestErrorsOfTables(t *testing.T) {
	const (
		notFound = "Dataset was not found."
		lower    = "Dataset name has to start with a lowercase Latin character. Possible entry includes lowercase Latin characters (a-z), numbers (0-9) and underscores."
		upper    = `Field "name" has to start with an uppercase Latin character. Possible entry includes uppercase Latin characters (A-Z), numbers (0-9) and underscores.`
		lacking  = `Field must include the required parameters: "name", "externalCode" and "type".`
	)
	column := func(name, code, kind string) string {
		return `{"name":"` + name + `","externalCode":"` + code + `","type":"` + kind + `"}`
	}
	columns := func(all ...string) string { return `[` + strings.Join(all, ",") + `]` }
	checkRefusals(t, kindsState, []refusal{
		{"table.add", `{"fields":[]}`, "VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided."},
		{"table.add", tableFields("columns", "[]"), "VALIDATION_UNKNOWN_PARAMETERS", "Unknown parameters: columns"},
		{"table.add", tableFields("externalId", "1"), "VALIDATION_READ_ONLY_FIELD", `Field "externalId" is read only.`},
		{"table.add", tableFields("sourceId", "", "name", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "sourceId" is required.`},
		{"table.add", tableFields("externalCode", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "externalCode" is required.`},
		{"table.add", tableFields("fields", ""), "VALIDATION_REQUIRED_FIELD_MISSING", `Field "fields" is required.`},
		{"table.add", tableFields("name", `"New"`, "sourceId", "99"), "VALIDATION_DATASET_NAME_INVALID", lower},
		{"table.add", tableFields("sourceId", "99", "fields", "[]"), "SOURCE_NOT_FOUND", "Source was not found."},
		{"table.add", tableFields("sourceId", "13"), "SOURCE_NOT_FOUND", "Source was not found."},
		{"table.add", tableFields("name", `"crm_deals"`, "fields", columns(column("A", "a", "int"), column("A", "b", "int"))), "", "Duplicate column names: A"},
		{"table.add", tableFields("name", `"crm_deals"`, "fields", "[]"), "", `A table named "crm_deals" already exists.`},
		{"table.add", tableFields("name", `"theirs"`), "", `A table named "theirs" already exists.`},
		{"table.add", tableFields("name", `"csv_import"`), "", `A table named "csv_import" already exists.`},
		{"table.add", tableFields("fields", "[]"), "FIELDS_EMPTY", "$fields is empty"},
		{"table.add", tableFields("fields", columns(column("A", "a", "int"), column("B", "a", "x"))), "VALIDATION_DUPLICATE_FIELD_CODE", `Duplicate values found in the "code" parameter: a`},
		{"table.add", tableFields("fields", `[{"name":"A","type":"int"}]`), "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS", lacking},
		{"table.add", tableFields("fields", columns(column("a", "a", "x"))), "VALIDATION_FIELD_NAME_INVALID_FORMAT", upper},
		{"table.add", tableFields("fields", columns(column(strings.Repeat("A", 33), "a", "x"))), "VALIDATION_FIELD_NAME_TOO_LONG", `Field "name" must not exceed 32 characters.`},
		{"table.add", tableFields("fields", columns(column("A", "a", "INT"))), "VALIDATION_FIELD_INVALID_TYPE", "Invalid field type."},
		{"table.add", tableFields("name", `"`+strings.Repeat("a", 231)+`"`), "VALIDATION_DATASET_NAME_TOO_LONG", "Dataset name must not exceed 230 characters."},
		{"table.add", tableFields("externalName", long(513)), "BX_INVALID_VALUE", `The value of the field "externalName" is longer than 512 characters.`},
		{"table.update", `{"id":20,"fields":{"name":"x"}}`, "VALIDATION_IMMUTABLE_FIELD", `Field "name" is immutable.`},
		{"table.update", `{"id":20,"fields":{"externalName":"x","sourceId":1}}`, "VALIDATION_IMMUTABLE_FIELD", `Field "sourceId" is immutable.`},
		{"table.update", `{"id":22,"fields":{"fields":[]}}`, "DATASET_NOT_FOUND", notFound},
		{"dataset.update", `{"id":20,"fields":{"fields":[]}}`, "INVALID_METHOD", `Use the method "biconnector.dataset.fields.update" to update the dataset fields."`},
		{"table.get", `{"id":22}`, "DATASET_NOT_FOUND", notFound},
		{"table.delete", `{"id":22}`, "DATASET_NOT_FOUND", notFound},
		{"dataset.delete", `{"id":22}`, "DATASET_NOT_FOUND", notFound},
		{"table.fields.update", `{}`, "VALIDATION_ID_NOT_PROVIDED", "ID is missing."},
		{"table.fields.update", `{"id":99,"add":[{"name":"A"}]}`, "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS", `Field to be added must include the required parameters: "name", "externalCode" and "type".`},
		{"table.fields.update", `{"id":99,"update":[{"id":1,"visible":null}]}`, "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS", `Field to be updated must include the required parameters: "id" and "visible".`},
		{"table.fields.update", `{"id":99,"delete":[1,"x"]}`, "VALIDATION_FIELD_DELETE_INVALID_ID", "ID to be deleted must be a positive integer."},
		{"table.fields.update", `{"id":22,"delete":[1]}`, "DATASET_NOT_FOUND", notFound},
		{"table.fields.update", `{"id":20,"add":` + columns(column("X", "x", "int"), column("Y", "x", "int")) + `}`, "VALIDATION_DUPLICATE_FIELD_CODE", `Duplicate values found in the "code" parameter: x`},
		{"table.fields.update", `{"id":20,"add":` + columns(column("X", "x", "int"), column("X", "y", "int")) + `}`, "VALIDATION_DUPLICATE_FIELD_NAME", `Duplicate values found in the "name" parameter: X`},
		{"table.fields.update", `{"id":20,"add":` + columns(column("X", "x", "text")) + `}`, "VALIDATION_FIELD_INVALID_TYPE", "Invalid field type."},
		// What is there is looked at before the deletion.
		{"table.fields.update", `{"id":20,"delete":[100],"add":` + columns(column("ID", "id", "int")) + `}`, "VALIDATION_DUPLICATE_EXIST_CODE", `The following "externalCode" values already exist in the current fields: id`},
		{"table.fields.update", `{"id":20,"add":` + columns(column("ID", "new", "int")) + `}`, "VALIDATION_DUPLICATE_EXIST_NAME", `The following "name" values already exist in the current fields: ID`},
	})
}

// A table from nothing to nothing, in both families, which share everything.
func TestTableLife(t *testing.T) {
	for _, family := range []string{"table", "dataset"} {
		p := newPortal(t, kindsState+"dataset_delete: works\n")
		do := func(method, body string) reply { return call(t, p, "biconnector."+family+"."+method, body) }
		if r := do("add", tableFields("description", `"D"`)); r.at("result", "id") != 23.0 {
			t.Fatal(r.body)
		}
		r := do("get", `{"id":"23"}`)
		external := map[string]string{"table": "0", "dataset": "1"}[family]
		for _, want := range []string{`{"result":{"item":{"id":23,"type":"rest","name":"new","description":"D","externalCode":"n","externalName":"N","dateCreate":"`,
			`"dateUpdate":null,"createdById":1,"updatedById":0,"externalId":` + external + `,"fields":[{"id":103,"datasetId":23,"type":"int","name":"ID","externalCode":"id","visible":true}]}}`} {
			if !strings.Contains(r.body, want) {
				t.Errorf("got  %s\nwant %s", r.body, want)
			}
		}
		r = do("list", `{"filter":{"=name":"new"}}`)
		if !strings.Contains(r.body, `{"result":[{"id":23,"sourceId":10,"name":"new","type":"rest","description":"D"`) || r.at("result", 0, "fields") != nil {
			t.Errorf("list: %s", r.body)
		}
		do("update", `{"id":23,"fields":{"description":""}}`).want(t, true, "result")
		if r := do("get", `{"id":23}`); r.at("result", "item", "description") != "" || r.at("result", "item", "updatedById") != 1.0 || r.at("result", "item", "dateUpdate") == nil {
			t.Error(r.body)
		}
		call(t, p, "biconnector.source.delete", `{"id":12}`).want(t, true, "result")
		do("delete", `{"id":23}`).want(t, true, "result")
		do("add", tableFields()).want(t, 24.0, "result", "id") // the name is free again
		if len(p.Checks()) != 0 {
			t.Errorf("%s: endpoints were called: %+v", family, p.Checks())
		}
	}
}

// columnsOf writes a table's columns: name, and "-" if it is hidden.
func columnsOf(p *Portal, id int64) string {
	t, _ := p.Table(id)
	var out []string
	for _, c := range t.Columns {
		s := fmt.Sprint(c.ID, c.Name)
		if !*c.Visible {
			s += "-"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// fields.update shows and hides, adds, and deletes - other tables' columns too,
// for it looks at nothing but their ids.
func TestColumns(t *testing.T) {
	for _, c := range []struct{ body, want, theirs string }{
		{`{"id":20}`, "100ID 101AMOUNT", "99ID"},
		{`{"id":20,"add":"x","update":5,"delete":null}`, "100ID 101AMOUNT", "99ID"},
		{`{"id":20,"update":[{"id":100,"visible":false},{"id":99,"visible":false}]}`, "100ID- 101AMOUNT", "99ID"},
		{`{"id":20,"update":[{"id":"100","visible":"0"},{"id":101,"visible":"false"}]}`, "100ID- 101AMOUNT", "99ID"},
		{`{"id":20,"add":[{"name":"X","externalCode":"x","type":"money"}],"delete":[101]}`, "100ID 103X", "99ID"},
		{`{"id":20,"delete":[100,101]}`, "", "99ID"},
		{`{"id":20,"delete":[99,"4711"]}`, "100ID 101AMOUNT", ""},
	} {
		p := newPortal(t, kindsState)
		if r := call(t, p, "biconnector.table.fields.update", c.body); r.at("result") != true {
			t.Errorf("%s: %s", c.body, r.body)
		}
		if got, theirs := columnsOf(p, 20), columnsOf(p, 22); got != c.want || theirs != c.theirs {
			t.Errorf("%s\ngot  %s, %s\nwant %s, %s", c.body, got, theirs, c.want, c.theirs)
		}
	}
	// In a batch every value is a text: "false" shows.
	p := newPortal(t, kindsState)
	call(t, p, "batch", batchBody("biconnector.table.fields.update?id=20&update[0][id]=100&update[0][visible]=false&update[1][id]=101&update[1][visible]=0"))
	equal(t, "in a batch", columnsOf(p, 20), "100ID 101AMOUNT-")
}

// Since biconnector 26.250 dataset.delete dies, and a batch that holds it.
func TestDatasetDeleteEndsIn500(t *testing.T) {
	p := newPortal(t, kindsState)
	if r := call(t, p, "biconnector.dataset.delete", `{"id":20}`); r.status != 500 || r.at("error") != "INTERNAL_SERVER_ERROR" {
		t.Errorf("%d %s", r.status, r.body)
	}
	r := call(t, p, "batch", batchBody("biconnector.table.update?id=20&fields[description]=before", "biconnector.dataset.delete?id=20", "biconnector.table.update?id=20&fields[description]=after"))
	if r.status != 500 || r.at("result") != nil {
		t.Errorf("%d %s", r.status, r.body)
	}
	if tab, _ := p.Table(20); tab.Description != "before" {
		t.Errorf("description %q: what ran before stays done, what comes after does not run", tab.Description)
	}
	p = newPortal(t, kindsState+"no_table_methods: true\n")
	if r := call(t, p, "biconnector.table.list", `{}`); r.status != 404 || r.at("error") != "ERROR_METHOD_NOT_FOUND" {
		t.Errorf("table.* of an older portal: %d %s", r.status, r.body)
	}
	call(t, p, "biconnector.dataset.delete", `{"id":20}`).want(t, true, "result") // dataset.delete of an older portal
}

// After dataset.add the new methods of the same batch behave like the old ones.
func TestFamiliesMixedInABatch(t *testing.T) {
	p := newPortal(t, kindsState)
	add := func(family, name string) string {
		return "biconnector." + family + ".add?fields[sourceId]=10&fields[externalName]=x&fields[externalCode]=" + name + "&fields[name]=" + name +
			"&fields[fields][0][name]=ID&fields[fields][0][externalCode]=id&fields[fields][0][type]=int"
	}
	call(t, p, "batch", batchBody(add("table", "one"), add("dataset", "two"), add("table", "three")))
	for id, want := range map[int64]int64{23: 0, 24: 1, 25: 2} {
		if tab, ok := p.Table(id); !ok || tab.ExternalID != want {
			t.Errorf("table %d: externalId %d, want %d", id, tab.ExternalID, want)
		}
	}
	if r := call(t, p, "batch", batchBody(add("dataset", "four"), "biconnector.table.delete?id=23")); r.status != 500 {
		t.Errorf("table.delete after dataset.add: %d %s", r.status, r.body)
	}
	// The list of taken names is read once for a request: a name that is there
	// twice in a batch is the database's to refuse.
	r := call(t, p, "batch", batchBody(add("table", "same"), add("table", "same"), add("table", "two")))
	if r.at("result", "result_error", "c01", "error") != "ERROR_CORE" || r.at("result", "result", "c02", "error", "error") != 0.0 {
		t.Errorf("a name twice: %s", r.body)
	}
	p = newPortal(t, kindsState+"text_codes: true\n")
	r = call(t, p, "batch", batchBody(add("table", "same"), add("table", "same"), add("table", "csv_import")))
	if r.at("result", "result", "c01", "error", "error") != "NAME_EXISTS" || r.at("result", "result", "c02", "error", "error") != "DATASET_ALREADY_EXIST" {
		t.Errorf("a name twice on the newest portal: %s", r.body)
	}
}

// A batch can go from a connector to a table, for a whole value that is a
// reference keeps its type; what follows a failure fails by its id.
func TestChainInABatch(t *testing.T) {
	chain := func(title string) string {
		return batchBody(
			"biconnector.connector.add?fields[title]="+title+"&fields[logo]=l&fields[urlCheck]=c&fields[urlData]=d&fields[urlTableList]=l&fields[urlTableDescription]=t"+
				"&fields[settings][0][code]=a&fields[settings][0][name]=A&fields[settings][0][type]=STRING&fields[sort]=5",
			"biconnector.source.add?fields[title]=S&fields[connectorId]=$result[c00][id]&fields[settings][a]=x",
			"biconnector.table.add?fields[sourceId]=$result[c01][id]&fields[name]=chained&fields[externalName]=n&fields[externalCode]=c"+
				"&fields[fields][0][name]=ID&fields[fields][0][externalCode]=id&fields[fields][0][type]=int",
		)
	}
	p := newPortal(t, kindsState)
	call(t, p, "batch", chain("C")).want(t, 23.0, "result", "result", "c02", "id")
	if tab, _ := p.Table(23); tab.SourceID != 14 {
		t.Errorf("%+v", tab)
	}
	p = newPortal(t, kindsState)
	r := call(t, p, "batch", strings.Replace(chain(""), `"halt":0`, `"halt":1`, 1)) // errors of the module do not halt
	for key, want := range map[string]string{"c00": "BX_EMPTY_REQUIRED", "c01": "VALIDATION_INVALID_FIELD_TYPE", "c02": "VALIDATION_INVALID_FIELD_TYPE"} {
		r.want(t, want, "result", "result", key, "error", "error")
	}
	if len(p.Sources()) != 4 || len(p.Tables()) != 3 {
		t.Error("something was made")
	}
}
