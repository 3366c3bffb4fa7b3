package bitrix

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
)

// parseStr reads a query string as PHP's parse_str does, as far as names of
// the kind that Batchable lets through need it: maps nest in brackets.
func parseStr(t testing.TB, query string) map[string]any {
	out := map[string]any{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			t.Fatalf("name %q: %v", name, err)
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			t.Fatalf("value %q: %v", value, err)
		}
		head, rest, nested := strings.Cut(name, "[")
		keys := []string{head}
		for nested {
			var key string
			key, rest, _ = strings.Cut(rest, "]")
			keys = append(keys, key)
			rest, nested = strings.CutPrefix(rest, "[")
		}
		m := out
		for _, k := range keys[:len(keys)-1] {
			if m[k] == nil {
				m[k] = map[string]any{}
			}
			m = m[k].(map[string]any)
		}
		m[keys[len(keys)-1]] = value
	}
	return out
}

// FuzzBatchEncoding checks that whatever Batchable lets through arrives with
// the same keys and values, both as a query string and as JSON.
func FuzzBatchEncoding(f *testing.F) {
	for _, s := range [][3]string{
		{"New source name", "login", "new_admin"}, {"~ a+b&c=d", "pass.word", "x%5By"}, {"и", "a b", "😀\n\x00"},
		{"0", "0", ""}, {"$result", "k", "$result[c0]"}, {"t", "a[b]", "v"}, {"t", " a", "v"}, {"\xff", "k", "v"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, title, code, value string) {
		u := UpdateSource(4, SourceFields{Title: title, Settings: []Setting{{code, secret.New(value)}, {"z", secret.New("end")}}})
		want := map[string]any{"id": "4", "fields": map[string]any{"title": title, "settings": map[string]any{code: value, "z": "end"}}}
		if code == "z" {
			return
		}
		if ok, _ := u.Batchable(); ok {
			if got := parseStr(t, u.parameters().Query()); !reflect.DeepEqual(got, want) {
				t.Errorf("the portal would read %q, want %q", got, want)
			}
		}
		b, err := u.parameters().JSON()
		if err != nil {
			return
		}
		want["id"] = 4.0
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("JSON holds %q (%v), want %q", got, err, want)
		}
	})
}
