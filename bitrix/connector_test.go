package bitrix

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
)

const connectorJSON = `{"id":12,"title":"ERP","logo":"data:,","description":"d","dateCreate":"2026-01-02 03:04:05","sort":"200","urlCheck":"https://e.example/c",` +
	`"urlTableList":"https://e.example/l","urlTableDescription":"https://e.example/t","urlData":"https://e.example/d",` +
	`"settings":[{"code":"port","name":"Port","type":"int"}],"supportMapping":false}`

func TestDecodeConnectors(t *testing.T) {
	want := Connector{ID: 12, Title: "ERP", Logo: "data:,", Description: "d", Sort: 200, URLCheck: "https://e.example/c", URLTableList: "https://e.example/l",
		URLTableDescription: "https://e.example/t", URLData: "https://e.example/d", SupportMapping: rest.False,
		Settings: []SettingType{{"port", "Port", "INT"}}, DateCreate: "2026-01-02 03:04:05"}
	older := strings.Replace(connectorJSON, `,"supportMapping":false`, "", 1)
	for in, supports := range map[string]rest.Tristate{connectorJSON: rest.False, older: rest.Unsaid} {
		got, err := DecodeConnectors([]byte("[" + in + "]"))
		want.SupportMapping = supports
		if err != nil || len(got.Items) != 1 || !reflect.DeepEqual(got.Items[0], want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
}

func TestDecodeConnectorsSetsBrokenOnesApart(t *testing.T) {
	for cut, why := range map[string]string{
		`"title":"ERP",`: "title", `"sort":"200",`: "sort", `"logo":"data:,",`: "logo",
		`"urlCheck":"https://e.example/c",`: "urlCheck", `"settings":[{"code":"port","name":"Port","type":"int"}],`: "settings",
	} {
		got, err := DecodeConnectors([]byte("[" + strings.Replace(connectorJSON, cut, "", 1) + "]"))
		if err != nil || len(got.Items) != 0 || !strings.Contains(fmt.Sprint(got.Broken[12]), "nothing about "+why) {
			t.Errorf("without %s: %+v, %v", cut, got, err)
		}
	}
	twice := strings.Replace(connectorJSON, `"settings":[`, `"settings":[{"code":"port","name":"P","type":"STRING"},`, 1)
	if got, _ := DecodeConnectors([]byte("[" + twice + "]")); !strings.Contains(fmt.Sprint(got.Broken[12]), "port appears twice") {
		t.Errorf("%+v", got)
	}
}

func TestConnectorThatMistakesFields(t *testing.T) {
	for code, want := range map[string]bool{"title": true, "type": true, "connector_id": true, "code": true, "host": false, "connectorId": false} {
		c := Connector{Settings: []SettingType{{Code: "port"}, {Code: code}}}
		if c.MistakesFields() != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
}
