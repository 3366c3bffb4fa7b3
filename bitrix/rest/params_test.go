package rest

import "testing"

// The expected texts are what PHP 8's http_build_query returns for the same
// values (its default encoding, PHP_QUERY_RFC1738).
func TestQueryIsPHPs(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Params
		want string
	}{
		{"flat", Params{{"id", int64(4)}, {"title", "New source name"}}, "id=4&title=New+source+name"},
		{"nested", Params{{"id", int64(4)}, {"fields", Params{{"title", "t"}, {"settings", Params{{"login", "a"}}}}}},
			"id=4&fields%5Btitle%5D=t&fields%5Bsettings%5D%5Blogin%5D=a"},
		{"list", Params{{"filter", Params{{"@id", []any{int64(4), int64(6)}}}}}, "filter%5B%40id%5D%5B0%5D=4&filter%5B%40id%5D%5B1%5D=6"},
		{"tilde", Params{{"a", "~x"}}, "a=%7Ex"},
		{"unreserved", Params{{"a", "-_.aZ09"}}, "a=-_.aZ09"},
		{"reserved", Params{{"a", `!*'();:@&=+$,/?#[]% "<>\^{|}` + "`"}},
			"a=%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D%25+%22%3C%3E%5C%5E%7B%7C%7D%60"},
		{"white space", Params{{"a", "\t\r\n"}}, "a=%09%0D%0A"},
		{"unicode", Params{{"и", "Ω€😀"}}, "%D0%B8=%CE%A9%E2%82%AC%F0%9F%98%80"},
		{"brackets in a key", Params{{"a", Params{{"b[c]", "d"}}}}, "a%5Bb%5Bc%5D%5D=d"},
		{"booleans", Params{{"a", true}, {"b", false}}, "a=1&b=0"},
		{"empty text", Params{{"a", ""}}, "a="},
		{"empty map", Params{{"a", Params{}}, {"b", "c"}}, "b=c"},
		{"negative", Params{{"a", int64(-1)}}, "a=-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.in.Query(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestJSONIsCompact(t *testing.T) {
	p := Params{{"b", "<&>\u2028é\x01"}, {"a", Params{{"list", []any{int64(1), true, "x"}}, {"empty", Params{}}}}}
	b, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"b":"<&>\u2028é\u0001","a":{"list":[1,true,"x"],"empty":{}}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if _, err := (Params{{"a", "\xff"}}).JSON(); err == nil {
		t.Error("invalid UTF-8 was written, and so changed")
	}
}
