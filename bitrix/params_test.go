package bitrix

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// The expected texts are what PHP 8's http_build_query returns for the same
// values (its default encoding, PHP_QUERY_RFC1738).
func TestQueryIsPHPs(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   params
		want string
	}{
		{"flat", params{{"id", int64(4)}, {"title", "New source name"}}, "id=4&title=New+source+name"},
		{"nested", params{{"id", int64(4)}, {"fields", params{{"title", "t"}, {"settings", params{{"login", "a"}}}}}},
			"id=4&fields%5Btitle%5D=t&fields%5Bsettings%5D%5Blogin%5D=a"},
		{"list", params{{"filter", params{{"@id", []any{int64(4), int64(6)}}}}}, "filter%5B%40id%5D%5B0%5D=4&filter%5B%40id%5D%5B1%5D=6"},
		{"tilde", params{{"a", "~x"}}, "a=%7Ex"},
		{"unreserved", params{{"a", "-_.aZ09"}}, "a=-_.aZ09"},
		{"reserved", params{{"a", `!*'();:@&=+$,/?#[]% "<>\^{|}` + "`"}},
			"a=%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D%25+%22%3C%3E%5C%5E%7B%7C%7D%60"},
		{"white space", params{{"a", "\t\r\n"}}, "a=%09%0D%0A"},
		{"unicode", params{{"и", "Ω€😀"}}, "%D0%B8=%CE%A9%E2%82%AC%F0%9F%98%80"},
		{"brackets in a key", params{{"a", params{{"b[c]", "d"}}}}, "a%5Bb%5Bc%5D%5D=d"},
		{"booleans", params{{"a", true}, {"b", false}}, "a=1&b=0"},
		{"empty text", params{{"a", ""}}, "a="},
		{"empty map", params{{"a", params{}}, {"b", "c"}}, "b=c"},
		{"negative", params{{"a", int64(-1)}}, "a=-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.in.query(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestJSONIsCompact(t *testing.T) {
	p := params{{"b", "<&>\u2028é\x01"}, {"a", params{{"list", []any{int64(1), true, "x"}}, {"empty", params{}}}}}
	b, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"b":"<&>\u2028é\u0001","a":{"list":[1,true,"x"],"empty":{}}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if _, err := (params{{"a", "\xff"}}).MarshalJSON(); err == nil {
		t.Error("invalid UTF-8 was written, and so changed")
	}
}

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
		u := UpdateSource(4, Fields{Title: title, Settings: []Setting{{code, NewSecret(value)}, {"z", NewSecret("end")}}})
		want := map[string]any{"id": "4", "fields": map[string]any{"title": title, "settings": map[string]any{code: value, "z": "end"}}}
		if code == "z" {
			return
		}
		if ok, _ := u.Batchable(); ok {
			if got := parseStr(t, u.params.query()); !reflect.DeepEqual(got, want) {
				t.Errorf("the portal would read %q, want %q", got, want)
			}
		}
		b, err := u.params.MarshalJSON()
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
