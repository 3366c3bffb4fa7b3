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

// source is an item of a list with all that a portal says, in which over
// takes the place of keys; a value of "" leaves a key out.
func source(over ...string) string {
	keys := []string{"id", "title", "description", "active", "connectorId", "settings"}
	values := map[string]string{"id": `6`, "title": `"t"`, "description": `"d"`, "active": `true`, "connectorId": `1`, "settings": `[]`}
	for i := 0; i < len(over); i += 2 {
		values[over[i]] = over[i+1]
	}
	var pairs []string
	for _, k := range keys {
		if values[k] != "" {
			pairs = append(pairs, fmt.Sprintf("%q:%s", k, values[k]))
		}
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

func TestDecodeSources(t *testing.T) {
	set := func(pairs ...string) []Setting {
		s := []Setting{}
		for i := 0; i < len(pairs); i += 2 {
			s = append(s, Setting{pairs[i], secret.New(pairs[i+1])})
		}
		return s
	}
	plain := func(change func(*Source)) []Source {
		s := Source{ID: 6, Title: "t", Description: "d", Active: rest.True, ConnectorID: 1, Settings: []Setting{}}
		change(&s)
		return []Source{s}
	}
	for _, tt := range []struct {
		name, in string
		want     []Source
	}{
		{"as documented", `[{"id":"11","type":"rest","code":"rest_1","title":"t","description":"d","active":true,"dateCreate":"2025-03-20 14:50:06","createdById":3,"connectorId":"1",
			"settings":[{"id":"1","code":"login","name":"Login","type":"STRING","value":"x"}]}]`,
			[]Source{{ID: 11, Title: "t", Description: "d", Active: rest.True, ConnectorID: 1, Settings: set("login", "x"), CreatedByID: 3, DateCreate: "2025-03-20 14:50:06"}}},
		{"nulls", "[" + source("description", "null", "connectorId", "null", "settings", "null") + "]", plain(func(s *Source) { s.Description, s.ConnectorID = "", 0 })},
		{"Y", "[" + source("active", `"Y"`) + "]", plain(func(s *Source) {})},
		{"N", "[" + source("active", `"N"`) + "]", plain(func(s *Source) { s.Active = rest.False })},
		{"1", "[" + source("active", `1`) + "]", plain(func(s *Source) {})},
		{"0", "[" + source("active", `"0"`) + "]", plain(func(s *Source) { s.Active = rest.False })},
		{"active that says nothing", "[" + source("active", `null`) + "]", plain(func(s *Source) { s.Active = rest.Unsaid })},
		{"no active", "[" + source("active", "") + "]", plain(func(s *Source) { s.Active = rest.Unsaid })},
		{"active of another type", "[" + source("active", `[]`) + "]", plain(func(s *Source) { s.Active = rest.Unsaid })},
		{"settings with gaps, in their order", "[" + source("settings", `{"3":{"code":"b","value":5},"1":{"code":"a","value":null}}`) + "]",
			plain(func(s *Source) { s.Settings = set("b", "5", "a", "") })},
		{"list with gaps", `{"0":` + source() + `}`, plain(func(*Source) {})},
		{"empty list", `[]`, []Source{}}, {"empty map", `{}`, []Source{}}, {"null", `null`, []Source{}},
		{"title as a number", "[" + source("title", "7") + "]", plain(func(s *Source) { s.Title = "7" })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must(DecodeSources([]byte(tt.in)))(t)
			if !reflect.DeepEqual(got.Items, tt.want) || got.Broken != nil || got.Count != len(tt.want) {
				t.Errorf("got  %#v\nwant %#v", got, tt.want)
			}
		})
	}
}

func TestDecodeSourcesRefuses(t *testing.T) {
	for in, why := range map[string]string{
		``:                                "it is missing",
		`true`:                            "got a single value",
		`"canary"`:                        "got a single value",
		`{"item":{}}`:                     "got an object",
		`{"0":` + source() + `,"x":true}`: "got an object",
		`[{"id":4},`:                      "not JSON",
	} {
		_, err := DecodeSources([]byte(in))
		if !errors.Is(err, rest.BadAnswer) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", in, err, why)
		}
	}
}

// One broken source never spoils the others of its list. What an answer does
// not say about a field must not pass for "as declared".
func TestDecodeSourcesSetsBrokenOnesApart(t *testing.T) {
	for _, tt := range []struct {
		item string
		id   int64
		why  string
	}{
		{source("id", ""), 0, "has no id"},
		{source("id", "0"), 0, "has no id"},
		{source("id", "-4"), 0, "has no id"},
		{source("id", `"canary"`), 0, "id: expected an integer"},
		{source("id", "4.5"), 0, "id: expected an integer"},
		{source("id", "[4]"), 0, "id: expected an integer"},
		{source("id", "99999999999999999999"), 0, "id: expected an integer"},
		{`31337`, 0, "expected an object"},
		{`null`, 0, "expected an object"},
		{source("title", "{}"), 6, "expected a string"},
		{source("title", `["canary"]`), 6, "expected a string"},
		{source("settings", `"canary"`), 6, "settings"},
		{source("settings", `{"login":"canary"}`), 6, "settings"},
		{source("settings", `[{"code":"a","value":["canary"]}]`), 6, "settings"},
		{source() + "," + source("title", `"b"`), 6, "id 6 appears twice"},
		{source() + "," + source("title", `{}`), 6, "id 6 appears twice"},
		{source("title", ""), 6, "nothing about title"},
		{source("description", ""), 6, "nothing about description"},
		{source("settings", ""), 6, "nothing about settings"},
		{source("connectorId", ""), 6, "nothing about connectorId"},
		{source("settings", `[{"code":"a","value":"canary"},{"code":"b"},{"code":"a","value":"x"}]`), 6, "setting a appears twice"},
	} {
		list, err := DecodeSources([]byte(`[` + source("id", "3") + `,` + tt.item + `,` + source("id", "5") + `]`))
		if err != nil {
			t.Errorf("%s: %v", tt.item, err)
			continue
		}
		if len(list.Items) != 2 || list.Items[0].ID != 3 || list.Items[1].ID != 5 || list.Count != 3+strings.Count(tt.item, "},{\"id") {
			t.Errorf("%s: the others are %+v, of %d items", tt.item, list.Items, list.Count)
		}
		why := list.Broken[tt.id]
		if len(list.Broken) != 1 || !errors.Is(why, rest.BadAnswer) || !strings.Contains(why.Error(), tt.why) ||
			strings.Contains(why.Error(), "canary") || strings.Contains(why.Error(), "31337") {
			t.Errorf("%s: broken are %v, want %d: %q", tt.item, list.Broken, tt.id, tt.why)
		}
	}
}

// A text that is not exactly what the portal has must not be written back.
func TestTextsThatAreNotCleanAreNamed(t *testing.T) {
	for _, tt := range []struct{ item, want string }{
		{source("title", "\"\xcf\xf0\xe8\xe2\xe5\xf2\""), "[title]"}, // cp1251
		{source("title", `"half \ud83d"`), "[title]"},
		{source("title", "\"\uFFFD\""), "[title]"},
		{source("description", `"\uFFFD"`), "[description]"},
		{source("settings", "[{\"code\":\"a\",\"value\":\"\xff\"},{\"code\":\"b\",\"value\":\"x\"}]"), "[settings.a]"},
		{source("title", `"\ud83d\ude00 é"`), "[]"},
	} {
		list, err := DecodeSources([]byte("[" + tt.item + "]"))
		if err != nil || len(list.Items) != 1 {
			t.Errorf("%s: %v", tt.item, err)
			continue
		}
		if got := fmt.Sprint(list.Items[0].Unclean); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.item, got, tt.want)
		}
	}
	connectors, err := DecodeConnectors([]byte(`[{"id":1,"title":"T","description":"","logo":"","sort":1,"urlCheck":"","urlTableList":"","urlTableDescription":"","urlData":"",
		"settings":[{"code":"a","name":"\uFFFD","type":"STRING"},{"code":"b","name":"B","type":"STRING"}]}]`))
	if err != nil || len(connectors.Items) != 1 || fmt.Sprint(connectors.Items[0].Unclean) != "[settings.a]" {
		t.Errorf("%v, %+v", err, connectors)
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

func TestDecodeAdded(t *testing.T) {
	for in, want := range map[string]int64{`{"id":12}`: 12, `{"id":"12"}`: 12, `12`: 12, `{"id":0}`: 0, `true`: 0, `[]`: 0, `null`: 0, `{}`: 0} {
		got, err := DecodeAdded(Reply{Result: []byte(in)})
		if got != want || (err == nil) != (want > 0) || err != nil && !errors.Is(err, rest.BadAnswer) {
			t.Errorf("%s: %d, %v", in, got, err)
		}
	}
	if _, err := DecodeAdded(Reply{Err: &rest.Error{Code: "X"}}); !errors.Is(err, rest.Code("X")) {
		t.Error(err)
	}
}
