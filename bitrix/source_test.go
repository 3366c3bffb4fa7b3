package bitrix

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

func TestDecodeSources(t *testing.T) {
	set := func(pairs ...string) []Setting {
		s := []Setting{}
		for i := 0; i < len(pairs); i += 2 {
			s = append(s, Setting{pairs[i], secret.New(pairs[i+1])})
		}
		return s
	}
	for _, tt := range []struct {
		name, in string
		want     []Source
	}{
		{"as documented", `[{"id":"11","type":"rest","code":"rest_1","title":"t","description":"d","active":true,"dateCreate":"2025-03-20 14:50:06","connectorId":"1",
			"settings":[{"id":"1","code":"login","name":"Login","type":"STRING","value":"x"}]}]`,
			[]Source{{ID: 11, Title: "t", Description: "d", Active: true, ConnectorID: 1, Settings: set("login", "x")}}},
		{"id as a number, Y, nulls", `[{"id":6,"title":"t","description":null,"active":"Y","connectorId":null,"settings":null}]`,
			[]Source{{ID: 6, Title: "t", Active: true, Settings: []Setting{}}}},
		{"N, empty list of settings", `[{"id":6,"title":"t","active":"N","settings":[]}]`, []Source{{ID: 6, Title: "t", Settings: []Setting{}}}},
		{"1 and 0", `[{"id":6,"active":1},{"id":7,"active":"0"}]`, []Source{{ID: 6, Active: true}, {ID: 7}}},
		{"settings with gaps, in their order", `[{"id":6,"settings":{"3":{"code":"b","value":5},"1":{"code":"a","value":null}}}]`, []Source{{ID: 6, Untold: true, Settings: set("b", "5", "a", "")}}},
		{"list with gaps", `{"0":{"id":"4"},"2":{"id":"6"}}`, []Source{{ID: 4, Untold: true}, {ID: 6, Untold: true}}},
		{"empty list", `[]`, []Source{}}, {"empty map", `{}`, []Source{}}, {"null", `null`, []Source{}},
		{"title as a number", `[{"id":6,"title":7}]`, []Source{{ID: 6, Title: "7", Untold: true}}},
		{"active that says nothing", `[{"id":6,"active":null},{"id":7,"active":"maybe"},{"id":8,"active":[]}]`, []Source{{ID: 6, Untold: true}, {ID: 7, Untold: true}, {ID: 8, Untold: true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeSources([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Sources, tt.want) || got.Broken != nil || got.Items != len(tt.want) {
				t.Errorf("got  %#v\nwant %#v", got, tt.want)
			}
		})
	}
}

func TestDecodeSourcesRefuses(t *testing.T) {
	for in, why := range map[string]string{
		``:                            "there is none",
		`true`:                        "a single value",
		`"canary"`:                    "a single value",
		`{"item":{}}`:                 "an object",
		`{"0":{"id":4},"x":{"id":5}}`: "an object",
		`[{"id":4},`:                  "another type",
	} {
		_, err := DecodeSources([]byte(in))
		if !errors.Is(err, rest.BadAnswer) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", in, err, why)
		}
	}
}

// One broken source never spoils the others of its list.
func TestDecodeSourcesSetsBrokenOnesApart(t *testing.T) {
	for _, tt := range []struct {
		item string
		id   int64
		why  string
	}{
		{`{"title":"canary"}`, 0, "has no id"},
		{`{"id":0}`, 0, "has no id"},
		{`{"id":-4}`, 0, "has no id"},
		{`{"id":"canary"}`, 0, "not an integer"},
		{`{"id":4.5}`, 0, "not an integer"},
		{`{"id":[4]}`, 0, "not an integer"},
		{`{"id":99999999999999999999}`, 0, "not an integer"},
		{`31337`, 0, "another type"},
		{`null`, 0, "has no id"},
		{`{"id":4,"title":{}}`, 4, "in place of a text"},
		{`{"title":["canary"],"id":"4"}`, 4, "in place of a text"},
		{`{"id":4,"settings":"canary"}`, 4, "settings"},
		{`{"id":4,"settings":{"login":"canary"}}`, 4, "settings"},
		{`{"id":4,"settings":[{"code":"a","value":["canary"]}]}`, 4, "settings"},
		{`{"id":4,"title":"a"},{"id":"4","title":"b"}`, 4, "source 4 stands in it twice"},
		{`{"id":4,"title":"a"},{"id":"4","title":{}}`, 4, "in place of a text"},
	} {
		list, err := DecodeSources([]byte(`[{"id":3,"title":"before"},` + tt.item + `,{"id":5,"title":"after"}]`))
		if err != nil {
			t.Errorf("%s: %v", tt.item, err)
			continue
		}
		if len(list.Sources) != 2 || list.Sources[0].ID != 3 || list.Sources[1].ID != 5 || list.Items != 3+strings.Count(tt.item, "},{") {
			t.Errorf("%s: the others are %+v, of %d items", tt.item, list.Sources, list.Items)
		}
		why := list.Broken[tt.id]
		if len(list.Broken) != 1 || !errors.Is(why, rest.BadAnswer) || !strings.Contains(why.Error(), tt.why) ||
			strings.Contains(why.Error(), "canary") || strings.Contains(why.Error(), "31337") {
			t.Errorf("%s: broken are %v, want %d: %q", tt.item, list.Broken, tt.id, tt.why)
		}
	}
}

func TestDecodeConnectors(t *testing.T) {
	got, err := DecodeConnectors([]byte(`[{"id":"1","title":"SQL","settings":[{"code":"port","name":"Port","type":"int"}]},{"id":2,"title":"API","settings":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Connector{{ID: 1, Title: "SQL", Settings: []SettingType{{"port", "INT"}}}, {ID: 2, Title: "API"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSettingsDoNotPrint(t *testing.T) {
	s := Source{ID: 4, Settings: []Setting{{"password", secret.New("canary")}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, s); strings.Contains(got, "canary") || strings.Contains(got, fmt.Sprintf("%x", "canary")) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
