package bitrix

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
)

const tableHead = `"id":"31","type":"rest","name":"crm_deals","description":null,"externalCode":"deals","externalName":"Deals","dateCreate":"2026-01-02 03:04:05","createdById":1,"externalId":0`

func TestDecodeTables(t *testing.T) {
	got, err := DecodeTables([]byte(`[{` + tableHead + `,"sourceId":4},{` + strings.Replace(tableHead, "31", "32", 1) + `}]`))
	want := []Table{{ID: 31, Name: "crm_deals", SourceID: 4, ExternalName: "Deals", ExternalCode: "deals", CreatedByID: 1, DateCreate: "2026-01-02 03:04:05"}}
	if err != nil || !reflect.DeepEqual(got.Items, want) || !strings.Contains(fmt.Sprint(got.Broken[32]), "nothing about sourceId") {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
}

func TestDecodeTable(t *testing.T) {
	const columns = `"fields":[{"id":7,"datasetId":31,"type":"int","name":"ID","externalCode":"id","visible":true,"description":""},{"id":"8","type":"double","name":"AMOUNT","externalCode":"amount","visible":"N"}]`
	got, err := DecodeTable([]byte(`{"item":{` + tableHead + `,` + columns + `}}`))
	want := []Column{{7, "ID", "int", "id", true}, {8, "AMOUNT", "double", "amount", false}}
	if err != nil || got.ID != 31 || got.SourceID != 0 || !reflect.DeepEqual(got.Columns, want) {
		t.Errorf("got %+v (%v)", got, err)
	}
	for in, why := range map[string]string{
		`{}`: "no item", `[]`: "no item", `{"item":null}`: "expected an object", `{"item":[]}`: "nothing about name",
		`{"item":{` + tableHead + `}}`: "nothing about fields",
		`{"item":{` + strings.Replace(tableHead, `"31"`, `0`, 1) + `,` + columns + `}}`:           "no id",
		`{"item":{` + tableHead + `,` + strings.Replace(columns, `"visible":true,`, "", 1) + `}}`: "whether it is visible",
		`{"item":{` + tableHead + `,` + strings.Replace(columns, `"id":7,`, "", 1) + `}}`:         "nothing about id",
		`{"item":{` + tableHead + `,` + strings.Replace(columns, `"AMOUNT"`, `"ID"`, 1) + `}}`:    "column ID appears twice",
		`{"item":{` + tableHead + `,"fields":"canary"}}`:                                          "fields: expected a list",
	} {
		if _, err := DecodeTable([]byte(in)); !errors.Is(err, rest.BadAnswer) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", in, err, why)
		}
	}
}

// After the commit the portal brings BI Builder up to date, and reports that
// failure as the command's.
func TestErrorsOfColumnsMayFollowTheChange(t *testing.T) {
	columns, add := UpdateColumns(Tables, 31, ColumnChanges{Delete: []int64{7}}), AddTable(Tables, TableFields{Name: "x", Columns: []Column{{Name: "ID"}}})
	for _, tt := range []struct {
		command Write
		code    string
		want    rest.Reaction
	}{
		{columns, `"DATASET_UPDATE_ERROR"`, rest.Unknown}, {columns, `0`, rest.Unknown}, {columns, `"VALIDATION_FIELD_NAME_TOO_LONG"`, rest.Rejected},
		{columns, `"DATASET_NOT_FOUND"`, rest.Rejected}, {columns, `"ACCESS_DENIED"`, rest.Fatal}, {columns, `"OPERATION_TIME_LIMIT"`, rest.Held},
		{UpdateTable(Datasets, 31, "d"), `0`, rest.Unknown}, {UpdateTable(Datasets, 31, "d"), `"INVALID_METHOD"`, rest.Rejected},
		{add, `0`, rest.Rejected}, {DeleteTable(Tables, 31), `0`, rest.Rejected},
	} {
		failure := `{"error":{"error":` + tt.code + `}}`
		c := testClient(t, &scripted{status: 200, body: `{"result":` + failure + `}`})
		_, err := c.WriteAlone(context.Background(), tt.command)
		c = testClient(t, &scripted{status: 200, body: `{"result":{"result":{"c0":` + failure + `}}}`})
		resp := must(c.Write(context.Background(), []Write{tt.command}))(t)
		for _, err := range []error{err, resp.Replies[0].Err} {
			var e *rest.Error
			if !errors.As(err, &e) || e.Reaction() != tt.want {
				t.Errorf("%v %s: %v, want reaction %d", tt.command, tt.code, err, tt.want)
			}
		}
	}
}

func TestNameTaken(t *testing.T) {
	for _, e := range []rest.Error{{Code: "NAME_EXISTS"}, {Code: "DATASET_ALREADY_EXIST"}, {Code: rest.PortalError, Message: `A table named "x" already exists.`}} {
		if !NameTaken(&e) {
			t.Errorf("%v", &e)
		}
	}
	for _, err := range []error{nil, &rest.Error{Code: rest.PortalError, Message: "Duplicate column names: A"}, &rest.Error{Code: rest.SourceNotFound}} {
		if NameTaken(err) {
			t.Errorf("%v", err)
		}
	}
}
